//! What is wrong with an invitation, and with which part of it.

use std::fmt;

use super::{Invitation, OneTimeTicketError};
use crate::{Code, Fault, RoomIdError, UnknownScene, UserIdError};

/// A part of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The server's address.
    Server,
    /// SHA-256 of its certificate.
    Fingerprint,
    /// The room, by number or by text.
    Room,
    /// Which of the two.
    Kind,
    /// What kind of meeting.
    Scene,
    /// SDKAppID.
    App,
    /// User id.
    User,
    /// UserSig.
    Sig,
    /// What guests have to say.
    Passcode,
    /// What lets one person in once.
    Ticket,
}

/// Every part, in the order of a link.
const PARTS: [Part; 10] = [
    Part::Server,
    Part::Fingerprint,
    Part::Room,
    Part::Kind,
    Part::App,
    Part::User,
    Part::Sig,
    Part::Passcode,
    Part::Ticket,
    Part::Scene,
];

impl Part {
    /// Its name in a link.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Fingerprint => "fingerprint",
            Self::Room => "room",
            Self::Kind => "kind",
            Self::Scene => "scene",
            Self::App => "app",
            Self::User => "user",
            Self::Sig => "sig",
            Self::Passcode => "passcode",
            Self::Ticket => "ticket",
        }
    }

    /// Its name at the beginning of a line; nothing where lines have none.
    fn label(self) -> Option<&'static str> {
        match self {
            Self::Server => Some("Server"),
            Self::Room => Some("Room"),
            Self::Kind => Some("Room kind"),
            Self::Scene => Some("Scene"),
            Self::App => Some("SDKAppID"),
            Self::User => Some("User ID"),
            Self::Sig => Some("UserSig"),
            Self::Passcode => Some("Passcode"),
            Self::Fingerprint | Self::Ticket => None,
        }
    }

    pub(super) fn of_key(key: &str) -> Option<Self> {
        PARTS.into_iter().find(|part| part.key() == key)
    }

    pub(super) fn of_label(label: &str) -> Option<Self> {
        PARTS.into_iter().find(|part| part.label() == Some(label))
    }
}

/// As sentences name it.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Fingerprint => "fingerprint",
            Self::Room => "room",
            Self::Kind => "kind of room",
            Self::Scene => "scene",
            Self::App => "SDKAppID",
            Self::User => "user ID",
            Self::Sig => "UserSig",
            Self::Passcode => "passcode",
            Self::Ticket => "ticket",
        })
    }
}

/// Why a text is no invitation. Who sent it has to mend it; secrets in it are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// There is neither a link nor the address of a page in it.
    #[error("This is no invitation: it has no link that begins with confab://join? in it.")]
    NoLink,
    /// A link of ours that means something else.
    #[error("This link is no invitation: behind confab:// it says {found:?} instead of join.")]
    OtherLink {
        /// What stands where `join` should be, shortened.
        found: String,
    },
    /// More than [`Invitation::LIMIT`] bytes.
    #[error(
        "This text is too long for an invitation: it has {length} bytes, and at most {} are read.",
        Invitation::LIMIT
    )]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// A part without which nobody can enter.
    #[error("The invitation does not say which {part}.")]
    Missing {
        /// Which.
        part: Part,
    },
    /// A part with two values.
    #[error("The invitation says its {part} twice.")]
    Twice {
        /// Which.
        part: Part,
    },
    /// A part that is not written as links write it.
    #[error(
        "The invitation's {part} is broken: behind each % belong two hexadecimal digits, and all of it makes \
         text in UTF-8."
    )]
    Encoding {
        /// Which.
        part: Part,
    },
    /// A part that is longer than anything of its kind.
    #[error("The invitation's {part} has {length} characters; at most {limit} are allowed.")]
    PartTooLong {
        /// Which.
        part: Part,
        /// How many there are.
        length: usize,
        /// How many may be.
        limit: usize,
    },
    /// The server's address cannot be read, or not together with the fingerprint.
    #[error("The invitation's server cannot be used. {said}")]
    Server {
        /// What is wrong, a sentence.
        said: String,
    },
    /// A fingerprint of another length.
    #[error("The invitation's fingerprint has {digits} of 64 hexadecimal digits.")]
    FingerprintLength {
        /// How many there are.
        digits: usize,
    },
    /// A fingerprint with something else in it.
    #[error(
        "The invitation's fingerprint has the character {character:?} at place {place}, which is no \
         hexadecimal digit."
    )]
    FingerprintCharacter {
        /// The first one that does not belong.
        character: char,
        /// Its place, counted in characters from 1.
        place: usize,
    },
    /// A kind of room that does not exist.
    #[error("The invitation's kind of room is {found:?}; it is number or text.")]
    Kind {
        /// What was given, shortened.
        found: String,
    },
    /// A room that is said to have a number, and has none.
    #[error("The invitation's room {found:?} is no number. A room that has a name needs kind=text.")]
    NoNumber {
        /// What was given, shortened.
        found: String,
    },
    /// A room that cannot be.
    #[error("The invitation's room cannot be entered. {0}")]
    Room(#[from] RoomIdError),
    /// A scene that does not exist.
    #[error("The invitation's scene is unknown. {0}.")]
    Scene(#[from] UnknownScene),
    /// No SDKAppID.
    #[error("The invitation's SDKAppID {found:?} is not possible; it is a number from 1 to 4294967295.")]
    App {
        /// What was given, shortened.
        found: String,
    },
    /// No user id.
    #[error("The invitation's user ID cannot be used. {0}")]
    User(#[from] UserIdError),
    /// No ticket.
    #[error("The invitation's ticket cannot be used. {0}")]
    Ticket(#[from] OneTimeTicketError),
}

impl From<InvitationError> for Fault {
    fn from(error: InvitationError) -> Self {
        Self::new(Code::INVALID_PARAMETER).with_message(error.to_string())
    }
}
