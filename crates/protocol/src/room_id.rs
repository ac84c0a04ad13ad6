//! What rooms are called.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::SdkAppId;

/// Which room: a number or a text. 123 and "123" are two rooms (TRTCParams).
/// Written in JSON as `{"roomId": 123}` or `{"strRoomId": "abc"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "Raw")]
pub enum RoomId {
    /// 1 to 4294967294. Made by [`RoomId::number`].
    #[non_exhaustive]
    #[serde(rename = "roomId")]
    Number(u32),
    /// 1 to 64 of TRTC's 89 characters. Made by [`RoomId::text`].
    #[non_exhaustive]
    #[serde(rename = "strRoomId")]
    Text(String),
}

#[derive(Deserialize)]
enum Raw {
    #[serde(rename = "roomId")]
    Number(u32),
    #[serde(rename = "strRoomId")]
    Text(String),
}

/// Why something is no room id. The caller mends it by choosing another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoomIdError {
    /// Zero, negative or past [`RoomId::MAX_NUMBER`].
    #[error("The room number {number} is not possible; it must be between 1 and {}.", RoomId::MAX_NUMBER)]
    Number {
        /// What was given.
        number: i64,
    },
    /// An empty text.
    #[error("The room name is empty; it needs 1 to {} characters.", RoomId::MAX_TEXT)]
    Empty,
    /// More than [`RoomId::MAX_TEXT`] bytes.
    #[error("The room name has {length} bytes; at most {} are allowed.", RoomId::MAX_TEXT)]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// A character outside the set of 89.
    #[error(
        "The room name has the character {character:?} at place {place}; letters, digits, space and {} are \
         allowed.",
        RoomId::MARKS
    )]
    Character {
        /// The first one that does not belong.
        character: char,
        /// Its place, counted in characters from 1.
        place: usize,
    },
}

impl RoomId {
    /// Largest room number.
    pub const MAX_NUMBER: u32 = 4_294_967_294;
    /// Longest text, bytes.
    pub const MAX_TEXT: usize = 64;
    /// What a text may hold beside letters, digits and space.
    pub const MARKS: &str = "!#$%&()+-:;<=.>?@[]^_{}|~,";

    /// The room of that number. Takes whatever JSON could hold, so that the error can name it.
    pub fn number(number: impl Into<i64>) -> Result<Self, RoomIdError> {
        let number = number.into();
        match u32::try_from(number) {
            Ok(fits @ 1..=Self::MAX_NUMBER) => Ok(Self::Number(fits)),
            Ok(_) | Err(_) => Err(RoomIdError::Number { number }),
        }
    }

    /// The room of that text.
    pub fn text(text: &str) -> Result<Self, RoomIdError> {
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == ' ' || Self::MARKS.contains(c);
        if text.is_empty() {
            return Err(RoomIdError::Empty);
        }
        if let Some((at, character)) = text.chars().enumerate().find(|(_, c)| !belongs(*c)) {
            return Err(RoomIdError::Character { character, place: at + 1 });
        }
        if text.len() > Self::MAX_TEXT {
            return Err(RoomIdError::TooLong { length: text.len() });
        }
        Ok(Self::Text(text.to_owned()))
    }

    /// The number, where the room has one.
    pub fn as_number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    /// The text, where the room has one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Text(text) => Some(text),
        }
    }

    /// The room's name on the wire: `<app>/n:<number>` or `<app>/s:<text>`.
    pub fn key(&self, app: SdkAppId) -> String {
        match self {
            Self::Number(number) => format!("{app}/n:{number}"),
            Self::Text(text) => format!("{app}/s:{text}"),
        }
    }

    /// The application and room that a wire name means. None for names of any other form, which
    /// plain LiveKit rooms have.
    pub fn from_key(key: &str) -> Option<(SdkAppId, Self)> {
        let (app, room) = key.split_once('/')?;
        let app = plain_number(app)?;
        let room = match room.split_at_checked(2)? {
            ("n:", number) => Self::number(plain_number(number)?).ok()?,
            ("s:", text) => Self::text(text).ok()?,
            _ => return None,
        };
        Some((SdkAppId(app), room))
    }
}

/// Reads a number only in the form that [`RoomId::key`] writes, so that no room has two names.
fn plain_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl TryFrom<Raw> for RoomId {
    type Error = RoomIdError;

    fn try_from(raw: Raw) -> Result<Self, RoomIdError> {
        match raw {
            Raw::Number(number) => Self::number(number),
            Raw::Text(text) => Self::text(&text),
        }
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_end_one_short_of_u32() {
        assert_eq!(RoomId::number(0), Err(RoomIdError::Number { number: 0 }));
        assert!(RoomId::number(1).is_ok());
        assert!(RoomId::number(4_294_967_294_u32).is_ok());
        let refused = RoomId::number(4_294_967_295_u32).unwrap_err();
        assert!(refused.to_string().contains("4294967295"));
    }

    #[test]
    fn a_text_has_1_to_64_of_89_characters() {
        let all: Vec<char> = (' '..='~').filter(|c| RoomId::text(&c.to_string()).is_ok()).collect();
        assert_eq!(all.len(), 89);
        assert_eq!(RoomId::text(""), Err(RoomIdError::Empty));
        assert!(RoomId::text(&"r".repeat(64)).is_ok());
        assert_eq!(RoomId::text(&"r".repeat(65)), Err(RoomIdError::TooLong { length: 65 }));
        assert_eq!(RoomId::text("a/b"), Err(RoomIdError::Character { character: '/', place: 2 }));
    }

    #[test]
    fn a_number_and_the_same_digits_as_text_are_two_rooms() {
        let (number, text) = (RoomId::number(123).unwrap(), RoomId::text("123").unwrap());
        assert_ne!(number, text);
        assert_ne!(number.key(SdkAppId(1)), text.key(SdkAppId(1)));
        assert_eq!((number.to_string(), text.to_string()), ("123".to_owned(), "\"123\"".to_owned()));
    }

    #[test]
    fn a_room_has_one_name_only() {
        for other in ["1/n:01", "1/n:+1", "01/n:1", "1/n:0", "1/s:", "1/x:1", "lobby", "", "1/é"] {
            assert_eq!(RoomId::from_key(other), None, "{other}");
        }
    }

    fn any_room() -> impl Strategy<Value = RoomId> {
        let number = (1..=RoomId::MAX_NUMBER).prop_map(|n| RoomId::number(n).unwrap());
        let text = "[A-Za-z0-9 !#$%&()+:;<=.>?@\\[\\]^_{}|~,-]{1,64}";
        prop_oneof![number, text.prop_map(|t| RoomId::text(&t).unwrap())]
    }

    proptest! {
        #[test]
        fn a_room_survives_its_key(room in any_room(), app in any::<u32>()) {
            let app = SdkAppId(app);
            prop_assert_eq!(RoomId::from_key(&room.key(app)), Some((app, room)));
        }

        #[test]
        fn a_room_survives_json(room in any_room()) {
            let json = serde_json::to_string(&room).unwrap();
            prop_assert_eq!(serde_json::from_str::<RoomId>(&json).unwrap(), room);
        }

        #[test]
        fn any_text_as_a_key_never_panics(text in any::<String>()) {
            if let Some((app, room)) = RoomId::from_key(&text) {
                prop_assert_eq!(room.key(app), text);
            }
        }
    }
}
