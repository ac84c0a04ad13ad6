//! UserSig: proof that an application's key holder let somebody be that user (TLSSigAPIv2).

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ago::Ago;
use crate::{Code, Fault, SdkAppId, tls_text};

const VERSION: &str = "2.0";

/// What a good UserSig says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Application.
    pub app: SdkAppId,
    /// Who.
    pub user: String,
    /// When it was made, Unix seconds.
    pub made: u64,
    /// How long it holds from then, seconds.
    pub expire: u64,
    /// What else was signed: the content of a PrivateMapKey.
    pub userbuf: Option<Vec<u8>>,
}

/// Why a UserSig is not good. None of these gets better by a retry: a new one is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigError {
    /// No base64, zlib or JSON, or too long.
    #[error("The UserSig cannot be read; it may have been cut off.")]
    Garbled,
    /// A member is missing or of another type, or the version is another.
    #[error("The UserSig misses a part or has a wrong one: {what}.")]
    Incomplete {
        /// Which.
        what: String,
    },
    /// The server has no key for the application.
    #[error("The server does not know the SDKAppID {app}.")]
    UnknownApp {
        /// The one asked for.
        app: SdkAppId,
    },
    /// It is for another application.
    #[error("The UserSig was made for the SDKAppID {made_for}, not for {app}.")]
    OtherApp {
        /// The one in it.
        made_for: u64,
        /// The one asked for.
        app: SdkAppId,
    },
    /// It is for another person.
    #[error("The UserSig was made for the user id {made_for:?}, not for {user:?}.")]
    OtherUser {
        /// The one in it.
        made_for: String,
        /// The one asked for.
        user: String,
    },
    /// It was made with another key, or changed since.
    #[error("The UserSig was not made with the key of this application.")]
    WrongKey,
    /// It is too old.
    #[error("The UserSig expired {}; ask the server of your application for a new one.", Ago(*ago))]
    Expired {
        /// Seconds.
        ago: u64,
    },
}

impl SigError {
    /// The account system's code, the detail of -100018.
    pub fn detail(&self) -> Code {
        match self {
            Self::Garbled => Code::SIG_GARBLED,
            Self::Incomplete { .. } => Code::SIG_INCOMPLETE,
            Self::UnknownApp { .. } => Code::SIG_APP_NOT_FOUND,
            Self::OtherApp { .. } => Code::SIG_OTHER_APP,
            Self::OtherUser { .. } => Code::SIG_OTHER_USER,
            Self::WrongKey => Code::SIG_WRONG_KEY,
            Self::Expired { .. } => Code::SIG_EXPIRED,
        }
    }
}

impl From<SigError> for Fault {
    fn from(error: SigError) -> Self {
        Self::new(Code::USER_SIG_CHECK_FAILED).with_detail(error.detail()).with_message(error.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct Members {
    #[serde(rename = "TLS.ver")]
    ver: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdkappid: u64,
    #[serde(rename = "TLS.expire")]
    expire: u64,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.userbuf", default, skip_serializing_if = "Option::is_none")]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

/// Makes a UserSig that holds `expire` seconds from `now` (Unix seconds).
pub fn sign(app: SdkAppId, key: &str, user: &str, expire: u64, now: u64, userbuf: Option<&[u8]>) -> String {
    let mut members = Members {
        ver: VERSION.to_owned(),
        identifier: user.to_owned(),
        sdkappid: u64::from(app.0),
        expire,
        time: now,
        userbuf: userbuf.map(|bytes| STANDARD.encode(bytes)),
        sig: String::new(),
    };
    members.sig = STANDARD.encode(mac(key.as_bytes(), &members));
    // A struct of texts and numbers is always JSON.
    tls_text::pack(&serde_json::to_vec(&members).unwrap_or_default())
}

/// Until when a UserSig says that it holds, Unix seconds, believed as it stands; None for what is none.
pub fn holds_until(sig: &str) -> Option<u64> {
    let members = read(sig).ok()?;
    members.time.checked_add(members.expire)
}

/// Checks that `sig` lets `user` into `app` at `now` (Unix seconds). `key_of` gives the key of an
/// application that is known here.
pub fn verify<K: AsRef<[u8]>>(
    sig: &str,
    app: SdkAppId,
    key_of: impl Fn(SdkAppId) -> Option<K>,
    user: &str,
    now: u64,
) -> Result<Ticket, SigError> {
    let members = read(sig)?;
    let key = key_of(app).ok_or(SigError::UnknownApp { app })?;
    if members.sdkappid != u64::from(app.0) {
        return Err(SigError::OtherApp { made_for: members.sdkappid, app });
    }
    if members.identifier != user {
        return Err(SigError::OtherUser { made_for: members.identifier, user: user.to_owned() });
    }
    let claimed = STANDARD.decode(&members.sig).unwrap_or_default();
    if !bool::from(mac(key.as_ref(), &members).as_slice().ct_eq(&claimed)) {
        return Err(SigError::WrongKey);
    }
    let end = members.time.saturating_add(members.expire);
    if end <= now {
        return Err(SigError::Expired { ago: now - end });
    }
    let userbuf = match &members.userbuf {
        None => None,
        Some(text) => Some(
            STANDARD
                .decode(text)
                .map_err(|_| SigError::Incomplete { what: "TLS.userbuf is not base64".to_owned() })?,
        ),
    };
    let (user, made, expire) = (members.identifier, members.time, members.expire);
    Ok(Ticket { app, user, made, expire, userbuf })
}

fn read(sig: &str) -> Result<Members, SigError> {
    let json = tls_text::unpack(sig).ok_or(SigError::Garbled)?;
    let value: serde_json::Value = serde_json::from_slice(&json).map_err(|_| SigError::Garbled)?;
    let members: Members =
        serde_json::from_value(value).map_err(|error| SigError::Incomplete { what: error.to_string() })?;
    if members.ver != VERSION {
        return Err(SigError::Incomplete { what: "TLS.ver is not 2.0".to_owned() });
    }
    Ok(members)
}

fn mac(key: &[u8], members: &Members) -> Vec<u8> {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of every length; an empty result equals no signature.
        return Vec::new();
    };
    hmac.update(signed_text(members).as_bytes());
    hmac.finalize().into_bytes().to_vec()
}

fn signed_text(members: &Members) -> String {
    let mut text = format!(
        "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
        members.identifier, members.sdkappid, members.time, members.expire
    );
    if let Some(userbuf) = &members.userbuf {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "TLS.userbuf:{userbuf}");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const APP: SdkAppId = SdkAppId(1_400_000_000);
    const NOW: u64 = 1_700_000_000;

    fn check(sig: &str, app: SdkAppId, key: &str, user: &str, now: u64) -> Result<Ticket, SigError> {
        verify(sig, app, |asked| (asked == app && !key.is_empty()).then(|| key.to_owned()), user, now)
    }

    fn good() -> String {
        sign(APP, "key", "alice", 60, NOW, None)
    }

    #[test]
    fn what_was_signed_is_accepted_until_it_expires() {
        assert!(check(&good(), APP, "key", "alice", NOW + 59).is_ok());
        assert_eq!(check(&good(), APP, "key", "alice", NOW + 60), Err(SigError::Expired { ago: 0 }));
    }

    #[test]
    fn each_fault_has_its_detail() {
        let detail = |result: Result<Ticket, SigError>| result.unwrap_err().detail().0;
        let sig = good();
        assert_eq!(detail(check(&sig, APP, "other", "alice", NOW)), -70009);
        assert_eq!(detail(check(&sig, APP, "key", "bob", NOW)), -70013);
        assert_eq!(detail(check(&sig, SdkAppId(7), "key", "alice", NOW)), -70014);
        assert_eq!(detail(check(&sig, APP, "", "alice", NOW)), -70020);
        assert_eq!(detail(check(&sig, APP, "key", "alice", NOW + 61)), -70001);
        assert_eq!(detail(check(&sig[..20], APP, "key", "alice", NOW)), -70003);
        assert_eq!(detail(check("", APP, "key", "alice", NOW)), -70003);
        assert_eq!(detail(check(&tls_text::pack(b"{}"), APP, "key", "alice", NOW)), -70005);
    }

    #[test]
    fn another_persons_signature_names_both_ids() {
        let fault = Fault::from(check(&good(), APP, "key", "bob", NOW).unwrap_err());
        assert_eq!((fault.code, fault.detail), (-100_018, Some(-70013)));
        assert!(fault.message.contains("\"alice\"") && fault.message.contains("\"bob\""));
    }

    proptest! {
        #[test]
        fn any_signature_survives(
            app in 1u32.., key in ".{1,64}", user in ".{1,32}", expire in 1u64..1_000_000_000,
            now in 0u64..1_000_000_000_000, buf in any::<Option<Vec<u8>>>(),
        ) {
            let app = SdkAppId(app);
            let sig = sign(app, &key, &user, expire, now, buf.as_deref());
            let ticket = verify(&sig, app, |_| Some(key.clone()), &user, now).unwrap();
            prop_assert_eq!(ticket, Ticket { app, user, made: now, expire, userbuf: buf });
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in any::<String>()) {
            prop_assert!(check(&text, APP, "key", "alice", NOW).is_err());
        }

        #[test]
        fn any_json_inside_is_refused_without_a_panic(json in any::<Vec<u8>>()) {
            prop_assert!(check(&tls_text::pack(&json), APP, "key", "alice", NOW).is_err());
        }
    }
}
