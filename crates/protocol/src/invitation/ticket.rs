//! What lets one person in once.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// A word that a server gave out to let one person in once: 1 to 256 characters that mean something to
/// that server only. Whoever came in by it may return to the same stay. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OneTimeTicket(String);

/// A text that is no ticket. It is not repeated; whoever gave it out has to give another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The ticket has {length} characters; it needs 1 to {}.", OneTimeTicket::MAX_LEN)]
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

/// Answer of `POST /v1/room/invite`: code 0 with what a host gives to one person, or a code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteAnswer {
    /// 0, or one of [`crate::Code`].
    pub code: i32,
    /// For people, when the code is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds until another attempt is looked at, when too many have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Lets one person in once, past passcode and waiting room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<OneTimeTicket>,
}

impl InviteAnswer {
    /// The refusal in it, or None when it brings a ticket.
    pub fn refusal(&self) -> Option<Fault> {
        Fault::of_answer(self.code, None, self.message.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_a_text_on_the_wire_and_no_longer_than_it_may_be() {
        let answer: InviteAnswer = serde_json::from_str(r#"{"code":0,"ticket":"planted"}"#).unwrap();
        assert_eq!(answer.ticket.as_ref().map(OneTimeTicket::as_str), Some("planted"));
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"code":0,"ticket":"planted"}"#);
        assert!(!format!("{answer:?}").contains("planted"));
        for (wrong, length) in [(String::new(), "0"), ("t".repeat(257), "257")] {
            let error = serde_json::from_value::<OneTimeTicket>(wrong.into()).unwrap_err().to_string();
            assert!(error.contains(length), "{error}");
        }
    }
}
