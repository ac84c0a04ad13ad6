//! LiveKit's access tokens: made, and held against a key.

use std::collections::BTreeMap;
use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::limit;

/// What a LiveKit token says (LiveKit). HS256; `exp` is required.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// The api key whose secret signed it.
    pub iss: String,
    /// The participant's identity.
    pub sub: String,
    /// The name to show.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which token it is, where its issuer tells them apart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jti: String,
    /// Good until, Unix seconds.
    pub exp: u64,
    /// Good from, Unix seconds.
    pub nbf: u64,
    /// The application's own text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// The application's own pairs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What it allows.
    pub video: VideoGrant,
}

/// What a token allows. Publishing, subscribing and data are allowed unless forbidden.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VideoGrant {
    /// Join the room.
    #[serde(skip_serializing_if = "is_false")]
    pub room_join: bool,
    /// Which room.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Remove and mute in the room.
    #[serde(skip_serializing_if = "is_false")]
    pub room_admin: bool,
    /// Open and close rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_create: bool,
    /// List rooms.
    #[serde(skip_serializing_if = "is_false")]
    pub room_list: bool,
    /// Send media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// Receive media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// Send data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// Only these: `camera`, `microphone`, `screen_share`, `screen_share_audio`; empty = all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub can_publish_sources: Vec<String>,
    /// Change one's own name, metadata and attributes; forbidden unless allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_update_own_metadata: Option<bool>,
    /// Not shown to others.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Records.
    #[serde(skip_serializing_if = "is_false")]
    pub recorder: bool,
    /// A program that takes part.
    #[serde(skip_serializing_if = "is_false")]
    pub agent: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl VideoGrant {
    /// Whether media may be sent.
    pub fn may_publish(&self) -> bool {
        self.can_publish.unwrap_or(true)
    }

    /// Whether media may be received.
    pub fn may_subscribe(&self) -> bool {
        self.can_subscribe.unwrap_or(true)
    }

    /// Whether data may be sent.
    pub fn may_publish_data(&self) -> bool {
        self.can_publish_data.unwrap_or(true)
    }
}

/// Why a token is not good. A new token is needed; a retry does not help.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// More than [`limit::TOKEN`], or no token at all.
    #[error("the token cannot be read: {0}")]
    Garbled(String),
    /// The server has no secret of that api key.
    #[error("the api key of the token is not known")]
    UnknownKey,
    /// It was made with another secret, or changed since.
    #[error("the token was not signed with the secret of its api key")]
    WrongSecret,
    /// It is too old.
    #[error("the token expired {ago} seconds ago")]
    Expired {
        /// Seconds, without the leeway.
        ago: u64,
    },
    /// It is good later.
    #[error("the token is not valid for another {wait} seconds")]
    TooEarly {
        /// Seconds, without the leeway.
        wait: u64,
    },
    /// It could not be made.
    #[error("the token could not be signed: {0}")]
    NotSigned(String),
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Claims {
    /// How far clocks may differ, seconds.
    pub const LEEWAY: u64 = 60;

    /// The token's text, signed with the secret of the api key in `iss`.
    pub fn sign(&self, secret: &str) -> Result<String, TokenError> {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), self, &key)
            .map_err(|error| TokenError::NotSigned(error.to_string()))
    }

    /// Reads a token and checks signature and time; `now` is Unix seconds, `secret_of` gives the
    /// secret of an api key that is known here.
    pub fn verify(
        token: &str,
        secret_of: impl Fn(&str) -> Option<String>,
        now: u64,
    ) -> Result<Self, TokenError> {
        if token.len() > limit::TOKEN {
            return Err(TokenError::Garbled("it is too long".to_owned()));
        }
        let unproven: Self =
            jsonwebtoken::dangerous::insecure_decode::<Self>(token).map_err(|e| refusal(&e))?.claims;
        let secret = secret_of(&unproven.iss).ok_or(TokenError::UnknownKey)?;
        // Time is an argument here, so it is checked below.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let key = DecodingKey::from_secret(secret.as_bytes());
        let claims = jsonwebtoken::decode::<Self>(token, &key, &rules).map_err(|e| refusal(&e))?.claims;
        match claims {
            old if old.exp.saturating_add(Self::LEEWAY) <= now => {
                Err(TokenError::Expired { ago: now - old.exp })
            }
            early if early.nbf > now.saturating_add(Self::LEEWAY) => {
                Err(TokenError::TooEarly { wait: early.nbf - now })
            }
            good => Ok(good),
        }
    }
}

fn refusal(error: &jsonwebtoken::errors::Error) -> TokenError {
    if matches!(error.kind(), ErrorKind::InvalidSignature) {
        return TokenError::WrongSecret;
    }
    TokenError::Garbled(error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn claims() -> Claims {
        let video = VideoGrant { room_join: true, room: "1/n:7".into(), ..VideoGrant::default() };
        Claims {
            iss: "key".into(),
            sub: "alice".into(),
            exp: NOW + 600,
            nbf: NOW,
            video,
            ..Claims::default()
        }
    }

    fn secret_of(iss: &str) -> Option<String> {
        (iss == "key").then(|| "secret".to_owned())
    }

    fn check(claims: &Claims, now: u64) -> Result<Claims, TokenError> {
        Claims::verify(&claims.sign("secret").unwrap(), secret_of, now)
    }

    #[test]
    fn time_is_given_with_a_minute_of_leeway() {
        assert_eq!(check(&claims(), NOW).unwrap(), claims());
        assert!(check(&claims(), NOW + 659).is_ok());
        assert_eq!(check(&claims(), NOW + 660), Err(TokenError::Expired { ago: 60 }));
        assert!(check(&claims(), NOW - 60).is_ok());
        assert_eq!(check(&claims(), NOW - 61), Err(TokenError::TooEarly { wait: 61 }));
    }

    #[test]
    fn a_token_without_an_end_is_refused() {
        let endless = Claims { exp: 0, ..claims() };
        assert!(matches!(check(&endless, NOW), Err(TokenError::Expired { .. })));
    }

    #[test]
    fn another_secret_key_or_algorithm_is_refused() {
        let other = claims().sign("other").unwrap();
        assert_eq!(Claims::verify(&other, secret_of, NOW), Err(TokenError::WrongSecret));
        let unknown = Claims { iss: "nobody".into(), ..claims() };
        assert_eq!(check(&unknown, NOW), Err(TokenError::UnknownKey));
        let header = Header::new(Algorithm::HS384);
        let longer = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(b"secret")).unwrap();
        assert!(matches!(Claims::verify(&longer, secret_of, NOW), Err(TokenError::Garbled(_))));
        let none = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrZXkiLCJleHAiOjE3OTk5OTk5OTl9.";
        assert!(Claims::verify(none, secret_of, NOW).is_err());
    }

    #[test]
    fn livekits_names_are_read_and_unset_permissions_are_given() {
        let json = r#"{"iss":"key","sub":"bob","exp":1,"video":{"roomJoin":true,"room":"r","canPublish":false,"ingressAdmin":true}}"#;
        let read: Claims = serde_json::from_str(json).unwrap();
        assert!(read.video.room_join && !read.video.may_publish());
        assert!(read.video.may_subscribe() && read.video.may_publish_data());
        assert!(!serde_json::to_string(&claims()).unwrap().contains("canPublish"));
    }

    proptest! {
        #[test]
        fn any_claims_survive(
            sub in any::<String>(), name in any::<String>(), room in any::<String>(),
            publish in any::<Option<bool>>(), attributes in any::<BTreeMap<String, String>>(),
        ) {
            let mut one = claims();
            (one.sub, one.name, one.attributes) = (sub, name, attributes);
            (one.video.room, one.video.can_publish) = (room, publish);
            prop_assert_eq!(check(&one, NOW).unwrap(), one);
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in any::<String>(), parts in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(Claims::verify(&text, secret_of, NOW).is_err());
            prop_assert!(Claims::verify(&parts, secret_of, NOW).is_err());
        }
    }
}
