//! The parameters of an entry, before and after they are checked.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::guest::{Guest, GuestSecret, Passcode};
use crate::{
    Code, DisplayName, Fault, OneTimeTicket, Role, RoomId, Scene, SdkAppId, ServerAddress, UserId,
    server_address,
};

/// A UserSig or PrivateMapKey as text. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSigText(pub String);

impl fmt::Debug for UserSigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What somebody asks to enter with, as it came: everything may be missing.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[ts(optional_fields)]
pub struct RawEnterParams {
    /// The server's address: `host`, `host:port`, `http(s)://...`, and behind a `#` the fingerprint of
    /// its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Application.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole_number")]
    pub sdk_app_id: Option<i64>,
    /// Who enters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Their signature. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_sig: Option<String>,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The room by number; 0 means that the text counts.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole_number")]
    pub room_id: Option<i64>,
    /// The room by text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub str_room_id: Option<String>,
    /// What kind of room; a video call when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene: Option<Scene>,
    /// What they may do; an anchor when left out, and in call scenes always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Permission ticket. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_map_key: Option<String>,
    /// Enters as a guest where neither userId nor userSig is given: 32 to 64 hexadecimal digits, made
    /// at random and kept, that lead to the user id. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// What the server asks of its guests, if it does. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
    /// What lets one person in once, as an invitation carries it: 1 to 256 characters. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Reads a whole number; one beyond `i64` becomes the nearest, which no check lets pass.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct WholeNumber;

    impl Visitor<'_> for WholeNumber {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            Ok(i64::try_from(number).unwrap_or(i64::MAX))
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
            // The cast ends at the limits of i64.
            let whole = number.fract() == 0.0;
            whole
                .then_some(number as i64)
                .ok_or_else(|| E::invalid_type(de::Unexpected::Float(number), &self))
        }
    }

    struct Given(i64);

    impl<'de> Deserialize<'de> for Given {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(WholeNumber).map(Given)
        }
    }

    Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
}

impl fmt::Debug for RawEnterParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEnterParams")
            .field("server", &self.server)
            .field("sdk_app_id", &self.sdk_app_id)
            .field("user_id", &self.user_id)
            .field("room_id", &self.room_id)
            .field("str_room_id", &self.str_room_id)
            .field("scene", &self.scene)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What somebody enters with, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct EnterParams {
    /// The server.
    pub server: ServerAddress,
    /// Who enters.
    pub user_id: UserId,
    /// What they show for it.
    pub proof: Proof,
    /// The name to show.
    pub name: Option<DisplayName>,
    /// Which room.
    pub room: RoomId,
    /// What kind of room.
    pub scene: Scene,
    /// What they may do.
    pub role: Role,
    /// Permission ticket.
    pub private_map_key: Option<UserSigText>,
    /// What lets them in once.
    pub ticket: Option<OneTimeTicket>,
}

/// How somebody shows that they may be who they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// With a signature of the application, which is not 0; the text is not empty.
    Sig(SdkAppId, UserSigText),
    /// With one that the server makes for guests.
    Guest(Guest),
}

impl EnterParams {
    /// The application, as far as it is known before the server was asked.
    pub fn app(&self) -> Option<SdkAppId> {
        match &self.proof {
            Proof::Sig(app, _) => Some(*app),
            Proof::Guest(guest) => guest.app,
        }
    }
}

impl RawEnterParams {
    /// Checks everything that can be checked without a server, in TRTC's order, and returns
    /// warnings for what was mended. The failure has one of the codes -3316 to -3320, or -2.
    pub fn check(self) -> Result<(EnterParams, Vec<Fault>), Fault> {
        let nothing = self.sdk_app_id.is_none()
            && self.user_id.is_none()
            && self.user_sig.is_none()
            && self.guest.is_none()
            && self.room_id.is_none()
            && self.str_room_id.is_none();
        if nothing {
            return Err(Fault::new(Code::ROOM_PARAM_NULL));
        }
        let mut warnings = Vec::new();
        let (user_id, user_sig) = (present(self.user_id), present(self.user_sig));
        let secret = self.guest.filter(|_| user_id.is_none() && user_sig.is_none());
        let app = match self.sdk_app_id {
            None | Some(0) if secret.is_some() => None,
            given => Some(check_app(given)?),
        };
        let room = check_room(self.room_id, self.str_room_id.as_deref(), &mut warnings)?;
        let (user_id, proof) = match secret {
            Some(secret) => check_guest(secret, app, present(self.passcode))?,
            None => check_signed(user_id, app, user_sig)?,
        };
        let name = check_name(self.name)?;
        let server = server_address(self.server.as_deref())?;
        let ticket = check_ticket(self.ticket)?;
        let scene = self.scene.unwrap_or_default();
        let role = if scene.is_live() { self.role.unwrap_or_default() } else { Role::Anchor };
        let params = EnterParams {
            server,
            user_id,
            proof,
            name,
            room,
            scene,
            role,
            private_map_key: present(self.private_map_key).map(UserSigText),
            ticket,
        };
        Ok((params, warnings))
    }
}

/// An empty text counts as none.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(crate) fn check_app(given: Option<i64>) -> Result<SdkAppId, Fault> {
    let wrong = |message: String| Fault::new(Code::INVALID_SDK_APP_ID).with_message(message);
    match given {
        None => Err(wrong("The SDKAppID is missing.".to_owned())),
        Some(number) => match u32::try_from(number) {
            Ok(fits @ 1..) => Ok(SdkAppId(fits)),
            Ok(_) | Err(_) => Err(wrong(format!(
                "The SDKAppID {number} is not possible; it must be between 1 and 4294967295."
            ))),
        },
    }
}

fn check_signed(
    user: Option<String>,
    app: Option<SdkAppId>,
    sig: Option<String>,
) -> Result<(UserId, Proof), Fault> {
    let user = check_user(user)?;
    let sig = sig.ok_or_else(|| Fault::new(Code::INVALID_USER_SIG))?;
    let app = app.ok_or_else(|| Fault::new(Code::INVALID_SDK_APP_ID))?;
    Ok((user, Proof::Sig(app, UserSigText(sig))))
}

fn check_guest(
    secret: String,
    app: Option<SdkAppId>,
    passcode: Option<String>,
) -> Result<(UserId, Proof), Fault> {
    let secret = GuestSecret::try_from(secret)
        .map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(format!("guest: {error}.")))?;
    let guest = Guest { app, passcode: passcode.map(Passcode), secret };
    Ok((guest.secret.user_id(), Proof::Guest(guest)))
}

pub(crate) fn check_room(
    number: Option<i64>,
    text: Option<&str>,
    warnings: &mut Vec<Fault>,
) -> Result<RoomId, Fault> {
    let wrong = |error: crate::RoomIdError| Fault::new(Code::INVALID_ROOM_ID).with_message(error.to_string());
    match (number, text.filter(|text| !text.is_empty())) {
        // TRTC reads room number 0 as "the text counts".
        (None | Some(0), Some(text)) => RoomId::text(text).map_err(wrong),
        (Some(number), ignored) => {
            let room = RoomId::number(number).map_err(wrong)?;
            if let Some(text) = ignored {
                warnings.push(Fault::new(Code::INVALID_PARAMETER).with_message(format!(
                    "Both a room number and a room name were given; the number {number} is used and the \
                     name {text:?} is ignored."
                )));
            }
            Ok(room)
        }
        (None, None) => Err(Fault::new(Code::INVALID_ROOM_ID).with_message(format!(
            "The room is missing: give roomId, a number from 1 to {}, or strRoomId, a text.",
            RoomId::MAX_NUMBER
        ))),
    }
}

pub(crate) fn check_user(given: Option<String>) -> Result<UserId, Fault> {
    UserId::try_from(given.unwrap_or_default())
        .map_err(|error| Fault::new(Code::INVALID_USER_ID).with_message(error.to_string()))
}

fn check_name(given: Option<String>) -> Result<Option<DisplayName>, Fault> {
    let Some(text) = given.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let name = DisplayName::try_from(text);
    name.map(Some).map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))
}

fn check_ticket(given: Option<String>) -> Result<Option<OneTimeTicket>, Fault> {
    let ticket = present(given).map(OneTimeTicket::try_from).transpose();
    ticket.map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good() -> RawEnterParams {
        RawEnterParams {
            sdk_app_id: Some(1_400_000_000),
            user_id: Some("alice".into()),
            user_sig: Some("sig".into()),
            room_id: Some(123),
            ..RawEnterParams::default()
        }
    }

    fn refusal(change: impl FnOnce(&mut RawEnterParams)) -> Fault {
        let mut raw = good();
        change(&mut raw);
        raw.check().unwrap_err()
    }

    #[test]
    fn a_number_of_any_size_reaches_the_check_and_anything_else_is_named() {
        let read = |room: &str| serde_json::from_str::<RawEnterParams>(&format!(r#"{{"roomId":{room}}}"#));
        for room in ["-1", "4294967295", "18446744073709551616", "1e30", "123456789012345678901234567890"] {
            let given = read(room).unwrap().room_id;
            assert_eq!(refusal(|raw| raw.room_id = given).code, -3318, "{room}");
        }
        assert_eq!(read("5").unwrap().room_id, Some(5));
        assert_eq!(read("null").unwrap().room_id, None);
        for wrong in ["1.5", r#""abc""#, "[]", "true"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("expected a whole number"), "{wrong}: {error}");
        }
    }

    #[test]
    fn good_parameters_pass_with_trtc_defaults() {
        let (params, warnings) = good().check().unwrap();
        assert!(warnings.is_empty());
        assert_eq!(params.server.to_string(), crate::DEFAULT_SERVER);
        assert_eq!(params.room, RoomId::number(123).unwrap());
        assert_eq!((params.scene, params.role), (Scene::VideoCall, Role::Anchor));
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(RawEnterParams::default().check().unwrap_err().code, -3316);
        assert_eq!(refusal(|raw| raw.sdk_app_id = Some(0)).code, -3317);
        assert_eq!(refusal(|raw| raw.sdk_app_id = Some(1 << 40)).code, -3317);
        assert_eq!(refusal(|raw| raw.room_id = None).code, -3318);
        assert_eq!(refusal(|raw| raw.room_id = Some(0)).code, -3318);
        assert_eq!(refusal(|raw| raw.user_id = None).code, -3319);
        assert_eq!(refusal(|raw| raw.user_sig = Some(String::new())).code, -3320);
        assert_eq!(refusal(|raw| raw.server = Some("ftp://x".into())).code, -2);
        assert_eq!(refusal(|raw| raw.ticket = Some("t".repeat(257))).code, -2);
    }

    #[test]
    fn a_room_out_of_range_is_named_in_the_sentence() {
        assert!(refusal(|raw| raw.room_id = Some(4_294_967_295)).message.contains("4294967295"));
        let slash = refusal(|raw| {
            raw.room_id = None;
            raw.str_room_id = Some("a/b".into());
        });
        assert_eq!(slash.code, -3318);
        assert!(slash.message.contains("'/' at place 2"));
    }

    #[test]
    fn of_two_room_ids_the_number_wins_and_a_warning_says_so() {
        let raw = RawEnterParams { str_room_id: Some("123".into()), ..good() };
        let (params, warnings) = raw.check().unwrap();
        assert_eq!(params.room, RoomId::number(123).unwrap());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message.contains("number 123 is used"));
    }

    #[test]
    fn room_number_zero_leaves_the_word_to_the_text() {
        let raw = RawEnterParams { room_id: Some(0), str_room_id: Some("x".into()), ..good() };
        assert_eq!(raw.check().unwrap().0.room, RoomId::text("x").unwrap());
    }

    #[test]
    fn a_role_counts_in_live_scenes_only() {
        let role = |scene| {
            let raw = RawEnterParams { scene: Some(scene), role: Some(Role::Audience), ..good() };
            raw.check().unwrap().0.role
        };
        assert_eq!(role(Scene::VideoCall), Role::Anchor);
        assert_eq!(role(Scene::Live), Role::Audience);
    }

    #[test]
    fn unknown_fields_and_secrets() {
        let unknown = serde_json::from_str::<RawEnterParams>(r#"{"roomID":1}"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `roomID`"));
        let raw =
            RawEnterParams { user_sig: Some("planted".into()), ticket: Some("planted".into()), ..good() };
        assert!(!format!("{raw:?}").contains("planted"));
        assert!(!format!("{:?}", raw.check().unwrap()).contains("planted"));
    }

    proptest! {
        #[test]
        fn any_parameters_are_taken_or_refused(
            app in any::<Option<i64>>(), user in any::<Option<String>>(), sig in any::<Option<String>>(),
            room in any::<Option<i64>>(), text in any::<Option<String>>(), server in any::<Option<String>>(),
        ) {
            let raw = RawEnterParams {
                server, sdk_app_id: app, user_id: user, user_sig: sig, room_id: room, str_room_id: text,
                ..RawEnterParams::default()
            };
            if let Err(fault) = raw.check() {
                prop_assert!(fault.code == -2 || (-3320..=-3316).contains(&fault.code));
            }
        }
    }
}
