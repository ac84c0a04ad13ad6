//! Data packets: what travels on the data channels.

use confab_protocol::{NOTICE_TOPIC, Notice};
use livekit_protocol as lk;
use livekit_protocol::data_packet::Value;
use prost::Message as _;

use crate::limit;

/// Why bytes are no data packet. The sender is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// More than [`limit::DATA`].
    #[error("a data packet of {length} bytes is too long; {} are allowed", limit::DATA)]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// No protobuf of a data packet.
    #[error("no data packet can be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
}

/// Reads a data packet.
pub fn decode(bytes: &[u8]) -> Result<lk::DataPacket, DataError> {
    match bytes.len() {
        length if length > limit::DATA => Err(DataError::TooLong { length }),
        _ => Ok(lk::DataPacket::decode(bytes)?),
    }
}

/// Writes a data packet.
pub fn encode(packet: &lk::DataPacket) -> Vec<u8> {
    packet.encode_to_vec()
}

/// A packet with a payload under a topic, for the identities named or, with none, for everybody.
pub fn user_packet(topic: &str, payload: Vec<u8>, destinations: Vec<String>) -> lk::DataPacket {
    let user = lk::UserPacket { payload, topic: Some(topic.to_owned()), ..lk::UserPacket::default() };
    lk::DataPacket {
        destination_identities: destinations,
        value: Some(Value::User(user)),
        ..lk::DataPacket::default()
    }
}

/// A notice as the server sends it.
pub fn notice_packet(notice: &Notice) -> lk::DataPacket {
    user_packet(NOTICE_TOPIC, notice.to_json(), Vec::new())
}

/// The notice in a packet. Only the server has no participant's name on its packets; somebody in
/// the room who sends under the same topic is not heard.
pub fn notice(packet: &lk::DataPacket) -> Option<Notice> {
    if !packet.participant_identity.is_empty() || !packet.participant_sid.is_empty() {
        return None;
    }
    match &packet.value {
        Some(Value::User(user)) if user.topic.as_deref() == Some(NOTICE_TOPIC) => {
            Notice::from_json(&user.payload)
        }
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::ExitCause;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_notice_survives_its_packet() {
        let told = Notice::exit(ExitCause::Removed, Some("host".into()));
        let bytes = encode(&notice_packet(&told));
        assert_eq!(notice(&decode(&bytes).unwrap()), Some(told));
    }

    #[test]
    fn a_notice_under_a_participants_name_is_not_heard() {
        let mut packet = notice_packet(&Notice::exit(ExitCause::Removed, None));
        packet.participant_identity = "mallory".into();
        assert_eq!(notice(&packet), None);
        let other = user_packet("chat", b"{}".to_vec(), Vec::new());
        assert_eq!(notice(&other), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            if let Ok(packet) = decode(&bytes) {
                let _ = notice(&packet);
            }
        }
    }
}
