//! What a client may send as custom messages: what holds itself to the limits is never touched, and of
//! anything else only as much is passed on as the limits allow. Pure.

use std::time::Instant;

use confab_protocol::{CustomMessage, MessageError, MessageRate, RateError};
use confab_signal::{lk, message};

/// Why a custom message is not passed on. Its sender is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Form(#[from] MessageError),
    #[error(transparent)]
    Rate(#[from] RateError),
}

/// The custom messages of one client.
#[derive(Debug)]
pub(crate) struct Messages(MessageRate);

impl Messages {
    /// None yet.
    pub(crate) fn new() -> Messages {
        Messages(MessageRate::of_receiver())
    }

    /// Whether a packet may be passed on at `now`; what is no custom message always may.
    pub(crate) fn pass(&mut self, packet: &lk::DataPacket, now: Instant) -> Result<(), Refused> {
        let Some(payload) = message::payload(packet) else { return Ok(()) };
        let message = CustomMessage::from_bytes(payload)?;
        Ok(self.0.pass(message.data.len(), now)?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use confab_protocol::{CmdId, MESSAGE_TOPIC};
    use confab_signal::data;

    use super::*;

    fn packet(length: usize) -> lk::DataPacket {
        let cmd_id = CmdId::try_from(1).unwrap();
        message::packet(&CustomMessage { cmd_id, stay: 1, number: 1, data: vec![0; length] }, true)
    }

    #[test]
    fn what_exceeds_the_limits_is_held_back_and_what_comes_later_is_not() {
        let (mut messages, now) = (Messages::new(), Instant::now());
        let passed = (0..400).filter(|_| messages.pass(&packet(10), now).is_ok()).count();
        assert_eq!(passed, 150);
        assert_eq!(messages.pass(&packet(10), now), Err(Refused::Rate(RateError::Messages)));
        assert_eq!(messages.pass(&packet(10), now + Duration::from_secs(4)), Ok(()));
    }

    #[test]
    fn messages_in_no_known_form_are_held_back_and_do_not_count() {
        let (mut messages, now) = (Messages::new(), Instant::now());
        for _ in 0..400 {
            let broken = data::user_packet(MESSAGE_TOPIC, b"no form".to_vec(), Vec::new());
            assert_eq!(messages.pass(&broken, now), Err(Refused::Form(MessageError::Unreadable)));
        }
        let long = messages.pass(&packet(1001), now);
        assert_eq!(long, Err(Refused::Form(MessageError::TooLong { length: 1001 })));
        assert_eq!(messages.pass(&packet(1000), now), Ok(()));
    }

    #[test]
    fn packets_of_other_topics_are_not_counted() {
        let (mut messages, now) = (Messages::new(), Instant::now());
        let other = data::user_packet("chat", vec![0; 10_000], Vec::new());
        assert!((0..1000).all(|_| messages.pass(&other, now) == Ok(())));
        assert!((0..150).all(|_| messages.pass(&packet(1), now) == Ok(())));
        assert!(messages.pass(&packet(1), now).is_err());
        assert_eq!(messages.pass(&other, now), Ok(()));
    }
}
