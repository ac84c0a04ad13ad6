//! Custom messages as data packets.

use confab_protocol::{CustomMessage, MESSAGE_TOPIC};
use livekit_protocol as lk;
use livekit_protocol::data_packet::Value;

use crate::data;

/// A message and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The sender's identity, as the server wrote it.
    pub user_id: String,
    /// Whether it came on the reliable way.
    pub reliable: bool,
    /// What it says.
    pub message: CustomMessage,
}

/// A message on its way to everybody in the room.
pub fn packet(message: &CustomMessage, reliable: bool) -> lk::DataPacket {
    let mut packet = data::user_packet(MESSAGE_TOPIC, message.to_bytes(), Vec::new());
    packet.set_kind(if reliable { lk::data_packet::Kind::Reliable } else { lk::data_packet::Kind::Lossy });
    packet
}

/// The bytes that a client sends as a message, readable or not; nothing of any other packet.
pub fn payload(packet: &lk::DataPacket) -> Option<&[u8]> {
    match &packet.value {
        Some(Value::User(user)) if user.topic.as_deref() == Some(MESSAGE_TOPIC) => Some(&user.payload),
        Some(_) | None => None,
    }
}

/// The message in a packet, if it is a readable one of somebody in the room.
pub fn read(packet: &lk::DataPacket) -> Option<Received> {
    if packet.participant_identity.is_empty() {
        return None;
    }
    let message = CustomMessage::from_bytes(payload(packet)?).ok()?;
    let reliable = packet.kind() == lk::data_packet::Kind::Reliable;
    Some(Received { user_id: packet.participant_identity.clone(), reliable, message })
}

#[cfg(test)]
mod tests {
    use confab_protocol::CmdId;

    use super::*;

    fn message() -> CustomMessage {
        let cmd_id = CmdId::try_from(3).unwrap();
        CustomMessage { cmd_id, stay: 1, number: 2, data: b"hi".to_vec() }
    }

    #[test]
    fn a_message_survives_its_packet_with_its_senders_name_and_way() {
        for reliable in [true, false] {
            let mut sent = packet(&message(), reliable);
            sent.participant_identity = "ann".into();
            let came = read(&data::decode(&data::encode(&sent)).unwrap()).unwrap();
            assert_eq!(came, Received { user_id: "ann".into(), reliable, message: message() });
        }
    }

    #[test]
    fn packets_of_nobody_or_another_topic_or_form_are_no_messages() {
        let unsigned = packet(&message(), true);
        assert_eq!(read(&unsigned), None);
        let mut other = data::user_packet("chat", message().to_bytes(), Vec::new());
        other.participant_identity = "ann".into();
        assert_eq!((read(&other), payload(&other)), (None, None));
        let mut broken = data::user_packet(MESSAGE_TOPIC, b"broken".to_vec(), Vec::new());
        broken.participant_identity = "ann".into();
        assert_eq!((read(&broken), payload(&broken)), (None, Some(&b"broken"[..])));
    }
}
