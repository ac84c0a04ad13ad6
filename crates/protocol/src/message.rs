//! Messages of the app's own (TRTC's sendCustomCmdMsg): their form and their limits.

mod rate;

pub use rate::{MessageRate, RateError};

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Event;

/// Topic of the data packets that carry a [`CustomMessage`].
pub const MESSAGE_TOPIC: &str = "confab.cmd";

/// What a message is about, 1 to 10: those of one kind come in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CmdId(u8);

impl CmdId {
    /// All that there are (TRTC).
    const ALL: RangeInclusive<u8> = 1..=10;

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for CmdId {
    type Error = MessageError;

    fn try_from(number: i64) -> Result<Self, MessageError> {
        let known = u8::try_from(number).ok().filter(|number| Self::ALL.contains(number));
        known.map(Self).ok_or(MessageError::CmdId { number })
    }
}

/// Why something is no message that may be sent. The sender mends it by sending something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A number outside 1 to 10.
    #[error(
        "There is no cmdId {number}; a message has one of {} to {}.",
        CmdId::ALL.start(),
        CmdId::ALL.end()
    )]
    CmdId {
        /// What was given.
        number: i64,
    },
    /// More than [`CustomMessage::MAX_DATA`].
    #[error("The message has {length} bytes; at most {} are allowed.", CustomMessage::MAX_DATA)]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// One of the two without the other.
    #[error("A message is reliable and ordered, or neither: one without the other does not exist.")]
    HalfReliable,
    /// No bytes of a message in the form that is known here.
    #[error("These bytes are no message.")]
    Unreadable,
}

/// A message as it travels in a LiveKit user packet of topic [`MESSAGE_TOPIC`]. Bytes: 1 the form (1),
/// 1 cmdId, 4 stay, 4 number (both big-endian), and the rest is data. What it says is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomMessage {
    /// What it is about.
    pub cmd_id: CmdId,
    /// Drawn by the sender at each entry: numbers of another stay are counted anew.
    pub stay: u32,
    /// Counted up from 1 within a stay, for each cmdId, and for reliable messages apart from others.
    pub number: u32,
    /// What the app says, at most [`CustomMessage::MAX_DATA`] bytes.
    pub data: Vec<u8>,
}

impl fmt::Debug for CustomMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomMessage")
            .field("cmd_id", &self.cmd_id)
            .field("stay", &self.stay)
            .field("number", &self.number)
            .field("bytes", &self.data.len())
            .finish()
    }
}

impl CustomMessage {
    /// Most data of one message, bytes (TRTC).
    pub const MAX_DATA: usize = 1000;

    const FORM: u8 = 1;
    const HEAD: usize = 10;

    /// Checks how a message is to be sent (TRTC); true for one that is reliable and ordered.
    pub fn check(data: &[u8], reliable: bool, ordered: bool) -> Result<bool, MessageError> {
        if data.len() > Self::MAX_DATA {
            return Err(MessageError::TooLong { length: data.len() });
        }
        if reliable == ordered { Ok(reliable) } else { Err(MessageError::HalfReliable) }
    }

    /// The event that tells it.
    pub fn event(&self, user_id: &str) -> Event {
        Event::OnRecvCustomCmdMsg {
            user_id: user_id.to_owned(),
            cmd_id: self.cmd_id.number(),
            seq: self.number,
            data: STANDARD.encode(&self.data),
        }
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::HEAD + self.data.len());
        bytes.extend([Self::FORM, self.cmd_id.number()]);
        bytes.extend(self.stay.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(&self.data);
        bytes
    }

    /// Reads what came.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        let (&[form, cmd_id], rest) = bytes.split_first_chunk().ok_or(MessageError::Unreadable)?;
        let (stay, rest) = rest.split_first_chunk().ok_or(MessageError::Unreadable)?;
        let (number, data) = rest.split_first_chunk().ok_or(MessageError::Unreadable)?;
        if form != Self::FORM {
            return Err(MessageError::Unreadable);
        }
        let cmd_id = CmdId::try_from(i64::from(cmd_id))?;
        if data.len() > Self::MAX_DATA {
            return Err(MessageError::TooLong { length: data.len() });
        }
        let (stay, number) = (u32::from_be_bytes(*stay), u32::from_be_bytes(*number));
        Ok(Self { cmd_id, stay, number, data: data.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(data: Vec<u8>) -> CustomMessage {
        CustomMessage { cmd_id: CmdId(7), stay: 0x0102_0304, number: 5, data }
    }

    #[test]
    fn a_message_has_ten_bytes_before_its_data() {
        let bytes = message(b"hi".to_vec()).to_bytes();
        assert_eq!(bytes, [1, 7, 1, 2, 3, 4, 0, 0, 0, 5, b'h', b'i']);
        assert_eq!(CustomMessage::from_bytes(&bytes), Ok(message(b"hi".to_vec())));
        assert_eq!(CustomMessage::from_bytes(&bytes[..10]).map(|read| read.data), Ok(Vec::new()));
        assert_eq!(CustomMessage::from_bytes(&bytes[..9]), Err(MessageError::Unreadable));
    }

    #[test]
    fn another_form_and_numbers_out_of_range_are_no_message() {
        let mut bytes = message(vec![0; 1000]).to_bytes();
        assert!(CustomMessage::from_bytes(&bytes).is_ok());
        bytes.push(0);
        assert_eq!(CustomMessage::from_bytes(&bytes), Err(MessageError::TooLong { length: 1001 }));
        bytes.pop();
        bytes[1] = 11;
        assert_eq!(CustomMessage::from_bytes(&bytes), Err(MessageError::CmdId { number: 11 }));
        bytes[..2].copy_from_slice(&[2, 7]);
        assert_eq!(CustomMessage::from_bytes(&bytes), Err(MessageError::Unreadable));
    }

    #[test]
    fn cmd_ids_are_one_to_ten() {
        let known: Vec<i64> = (-300..300).filter(|number: &i64| CmdId::try_from(*number).is_ok()).collect();
        assert_eq!(known, (1..=10).collect::<Vec<i64>>());
        assert!(CmdId::try_from(257).is_err());
    }

    #[test]
    fn what_is_too_long_or_half_reliable_is_not_sent() {
        assert_eq!(CustomMessage::check(&[0; 1000], true, true), Ok(true));
        assert_eq!(CustomMessage::check(&[], false, false), Ok(false));
        assert_eq!(CustomMessage::check(&[], true, false), Err(MessageError::HalfReliable));
        assert_eq!(CustomMessage::check(&[], false, true), Err(MessageError::HalfReliable));
        let long = CustomMessage::check(&[0; 1001], true, true).unwrap_err();
        assert!(long.to_string().contains("1001") && long.to_string().contains("1000"), "{long}");
        let cmd_id = CmdId::try_from(11).unwrap_err();
        assert_eq!(cmd_id.to_string(), "There is no cmdId 11; a message has one of 1 to 10.");
    }

    #[test]
    fn what_a_message_says_is_not_printed() {
        let printed = format!("{:?}", message(b"planted".to_vec()));
        let bytes = format!("{:?}", b"planted".as_slice());
        assert!(!printed.contains("planted") && !printed.contains(&bytes), "{printed}");
        assert!(printed.contains("bytes: 7"), "{printed}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_back_or_refused(bytes in any::<Vec<u8>>()) {
            if let Ok(read) = CustomMessage::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
