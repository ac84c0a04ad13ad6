//! What lets one person in once.

use std::fmt;

/// A word that a server gave out to let one person in once: 1 to 256 characters that mean something to
/// that server only. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeTicket(String);

/// A text that is no ticket. It is not repeated; whoever gave it out has to give another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The ticket has {length} characters; it needs 1 to 256.")]
pub struct OneTimeTicketError {
    /// How many there are.
    pub length: usize,
}

impl OneTimeTicket {
    /// Most characters.
    pub const MAX_LEN: usize = 256;

    /// The ticket, for the server.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OneTimeTicket {
    type Error = OneTimeTicketError;

    fn try_from(text: String) -> Result<Self, OneTimeTicketError> {
        let length = text.chars().count();
        if (1..=Self::MAX_LEN).contains(&length) {
            Ok(Self(text))
        } else {
            Err(OneTimeTicketError { length })
        }
    }
}

impl From<OneTimeTicket> for String {
    fn from(ticket: OneTimeTicket) -> Self {
        ticket.0
    }
}

impl fmt::Debug for OneTimeTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
