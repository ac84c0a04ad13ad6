//! Applications and people, checked where they come in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An application: users of different applications never meet. Zero is refused on entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct SdkAppId(pub u32);

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who somebody is within an application: 1 to 32 of `A-Z a-z 0-9 _ -`, case matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct UserId(String);

/// Why a text is no user id. The caller mends it by choosing another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserIdError {
    /// Nothing was given.
    #[error("The user id is empty; it needs 1 to {} of the characters A-Z a-z 0-9 _ and -.", UserId::MAX_LEN)]
    Empty,
    /// More than [`UserId::MAX_LEN`] characters.
    #[error("The user id has {length} characters; at most {} are allowed.", UserId::MAX_LEN)]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// A character outside the set.
    #[error(
        "The user id has the character {character:?} at place {place}; only A-Z a-z 0-9 _ and - are allowed."
    )]
    Character {
        /// The first one that does not belong.
        character: char,
        /// Its place, counted in characters from 1.
        place: usize,
    },
}

impl UserId {
    /// Longest user id, bytes.
    pub const MAX_LEN: usize = 32;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = UserIdError;

    fn from_str(text: &str) -> Result<Self, UserIdError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for UserId {
    type Error = UserIdError;

    fn try_from(text: String) -> Result<Self, UserIdError> {
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() {
            return Err(UserIdError::Empty);
        }
        if let Some((at, character)) = text.chars().enumerate().find(|(_, c)| !belongs(*c)) {
            return Err(UserIdError::Character { character, place: at + 1 });
        }
        if text.len() > Self::MAX_LEN {
            return Err(UserIdError::TooLong { length: text.len() });
        }
        Ok(Self(text))
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name shown for a person: 1 to 64 characters of any script, none of which [`is_unseen`], without
/// space at either end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct DisplayName(String);

/// Why a text is no display name. The caller mends it by choosing another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisplayNameError {
    /// Nothing, or nothing but space.
    #[error("The name is empty; please type one.")]
    Empty,
    /// More than [`DisplayName::MAX_CHARS`] characters.
    #[error("The name has {length} characters; at most {} are allowed.", DisplayName::MAX_CHARS)]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// A character that [`is_unseen`].
    #[error("The name has a character that nobody sees at place {place}; please leave it out.")]
    Control {
        /// Its place, counted in characters from 1.
        place: usize,
    },
}

impl DisplayName {
    /// Longest name, characters.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = DisplayNameError;

    fn from_str(text: &str) -> Result<Self, DisplayNameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DisplayNameError::Empty);
        }
        if let Some(at) = text.chars().position(is_unseen) {
            return Err(DisplayNameError::Control { place: at + 1 });
        }
        match text.chars().count() {
            length if length > Self::MAX_CHARS => Err(DisplayNameError::TooLong { length }),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// Whether a character is not seen and yet changes what is: a control character, or one of Unicode's
/// that break, turn or tag the text around them. Names have none: they must not look like another name,
/// nor change how the words beside them are read. The joiners U+200C and U+200D are none of them, because
/// scripts and emoji are spelt with them.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

impl TryFrom<String> for DisplayName {
    type Error = DisplayNameError;

    fn try_from(text: String) -> Result<Self, DisplayNameError> {
        text.parse()
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_user_id_names_the_first_character_that_does_not_belong() {
        let refused = "zoé*".parse::<UserId>().unwrap_err();
        assert_eq!(refused, UserIdError::Character { character: 'é', place: 3 });
        assert!(refused.to_string().contains("'é' at place 3"));
    }

    #[test]
    fn a_user_id_has_1_to_32_characters() {
        assert_eq!("".parse::<UserId>(), Err(UserIdError::Empty));
        assert!("a".repeat(32).parse::<UserId>().is_ok());
        assert_eq!("a".repeat(33).parse::<UserId>(), Err(UserIdError::TooLong { length: 33 }));
    }

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!("  Zoë 用户 ".parse::<DisplayName>().unwrap().as_str(), "Zoë 用户");
        assert!("é".repeat(64).parse::<DisplayName>().is_ok());
        assert_eq!("é".repeat(65).parse::<DisplayName>(), Err(DisplayNameError::TooLong { length: 65 }));
        assert_eq!("a\nb".parse::<DisplayName>(), Err(DisplayNameError::Control { place: 2 }));
        assert_eq!("ab\u{202e}c".parse::<DisplayName>(), Err(DisplayNameError::Control { place: 3 }));
        assert_eq!(" \t ".parse::<DisplayName>(), Err(DisplayNameError::Empty));
    }

    #[test]
    fn what_is_not_seen_is_in_no_name_and_what_joins_letters_is() {
        for unseen in ['\u{200b}', '\u{200e}', '\u{61c}', '\u{2066}', '\u{2028}', '\u{e0041}'] {
            assert!(is_unseen(unseen), "{unseen:?}");
            let name = format!("a{unseen}b").parse::<DisplayName>();
            assert_eq!(name, Err(DisplayNameError::Control { place: 2 }), "{unseen:?}");
        }
        for name in ["क्\u{200c}ष", "👩\u{200d}💻", "❤\u{fe0f}", "Zoë 用户"] {
            assert_eq!(name.parse::<DisplayName>().unwrap().as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_user_id_survives_json(text in "[A-Za-z0-9_-]{1,32}") {
            let id: UserId = text.parse().unwrap();
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
        }

        #[test]
        fn any_text_is_a_user_id_or_an_error_but_never_a_panic(text in any::<String>()) {
            let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let fits = (1..=32).contains(&text.len()) && text.chars().all(belongs);
            prop_assert_eq!(text.parse::<UserId>().is_ok(), fits);
        }

        #[test]
        fn a_name_once_taken_stays_as_it_is(text in any::<String>()) {
            if let Ok(name) = text.parse::<DisplayName>() {
                prop_assert_eq!(name.as_str().parse::<DisplayName>().unwrap(), name);
            }
        }
    }
}
