//! Guests: people without a UserSig, for whom a server signs that takes them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::{SdkAppId, UserId};

/// What a guest keeps to be the same person the next time: 32 to 64 hexadecimal digits, made at
/// random. Others see only the user id that it leads to. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GuestSecret(String);

/// A text that is no guest's secret. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a guest's secret has 32 to 64 hexadecimal digits")]
pub struct GuestSecretError;

/// Digits of the user id: too many for two secrets to meet.
const DIGITS: usize = 24;

impl GuestSecret {
    /// The secret of these random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// The user id of whoever knows the secret.
    pub fn user_id(&self) -> UserId {
        let digest = hex(&Sha256::digest(format!("confab guest\n{}", self.0)));
        let text = format!("guest-{}", digest.get(..DIGITS).unwrap_or_default());
        match text.parse() {
            Ok(user) => user,
            // 30 letters, digits and a hyphen.
            Err(_) => unreachable!("a user id of letters, digits and a hyphen"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl TryFrom<String> for GuestSecret {
    type Error = GuestSecretError;

    fn try_from(text: String) -> Result<Self, GuestSecretError> {
        let good = (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(GuestSecretError) }
    }
}

impl From<GuestSecret> for String {
    fn from(secret: GuestSecret) -> String {
        secret.0
    }
}

impl fmt::Debug for GuestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Somebody who asks the server for a signature on the way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Who.
    pub secret: GuestSecret,
    /// Which application; the only one that takes guests when there is none.
    pub app: Option<SdkAppId>,
    /// What the application asks of its guests, if it does.
    pub passcode: Option<Passcode>,
}

/// A word that lets guests in. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct Passcode(pub String);

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_id_is_always_the_same_and_tells_nothing_of_the_secret() {
        let secret = GuestSecret::new([7; 16]);
        let user = secret.user_id();
        assert_eq!(user.as_str(), "guest-82a47317c83d7d06b3f9c901");
        assert_ne!(GuestSecret::new([8; 16]).user_id(), user);
        let again: GuestSecret = String::from(secret.clone()).to_ascii_uppercase().try_into().unwrap();
        assert_eq!(again.user_id(), user);
        let shown = format!("{secret:?}{:?}", Passcode("planted".into()));
        assert!(!shown.contains("07") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn other_texts_are_no_secrets_and_not_repeated() {
        for wrong in ["", "0123", "g123456789abcdef0123456789abcdef", &"a".repeat(65)] {
            let error = GuestSecret::try_from(wrong.to_owned()).unwrap_err().to_string();
            assert!(error.contains("hexadecimal"), "{error}");
        }
    }
}
