//! How many messages one client may send.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Messages in a second (TRTC).
const MESSAGES: usize = 30;
/// Bytes of data in a second (TRTC).
const BYTES: usize = 8192;

/// Why a message has to wait. The sender mends it by waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Too many messages.
    #[error(
        "The message was not sent: at most {} messages may be sent in a second. Wait a little.",
        MESSAGES
    )]
    Messages,
    /// Too much data.
    #[error("The message was not sent: at most {} bytes may be sent in a second. Wait a little.", BYTES)]
    Bytes,
}

/// The limits of one client: in any span so many messages and bytes, and no more.
#[derive(Debug, Clone)]
pub struct MessageRate {
    span: Duration,
    messages: usize,
    bytes: usize,
    /// When messages were let through within the latest span, and their bytes.
    passed: VecDeque<(Instant, usize)>,
}

impl MessageRate {
    /// What a client holds itself to: TRTC's limits in any second.
    pub fn of_sender() -> Self {
        Self::over(1, 1)
    }

    /// What a server holds a client to: in any four seconds no more than a good client sends in five.
    /// On the way messages wait for lost ones and come in a bunch; a good client is not cut as long as
    /// none waits over a second longer than another.
    pub fn of_receiver() -> Self {
        Self::over(4, 5)
    }

    fn over(seconds: u64, worth: usize) -> Self {
        Self {
            span: Duration::from_secs(seconds),
            messages: MESSAGES * worth,
            bytes: BYTES * worth,
            passed: VecDeque::new(),
        }
    }

    /// Lets a message with so many bytes of data through at `now`, or says why not; one that does not
    /// get through does not count.
    pub fn pass(&mut self, bytes: usize, now: Instant) -> Result<(), RateError> {
        let over = |at: Instant| now.saturating_duration_since(at) >= self.span;
        while self.passed.front().is_some_and(|(at, _)| over(*at)) {
            self.passed.pop_front();
        }
        if self.passed.len() >= self.messages {
            return Err(RateError::Messages);
        }
        let before: usize = self.passed.iter().map(|(_, bytes)| bytes).sum();
        if before.saturating_add(bytes) > self.bytes {
            return Err(RateError::Bytes);
        }
        self.passed.push_back((now, bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test needs any time to count from")]
    fn begin() -> Instant {
        Instant::now()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_thirty_first_message_in_a_second_does_not_pass_and_does_not_count() {
        let (mut rate, begin) = (MessageRate::of_sender(), begin());
        for number in 0..30 {
            assert_eq!(rate.pass(1, begin + ms(number * 10)), Ok(()), "{number}");
        }
        assert_eq!(rate.pass(1, begin + ms(400)), Err(RateError::Messages));
        assert_eq!(rate.pass(1, begin + ms(999)), Err(RateError::Messages));
        assert_eq!(rate.pass(1, begin + ms(1000)), Ok(()), "the first is a second old");
        assert_eq!(rate.pass(1, begin + ms(1005)), Err(RateError::Messages), "the second is not");
        assert_eq!(rate.pass(1, begin + ms(1010)), Ok(()));
    }

    #[test]
    fn more_than_8192_bytes_in_a_second_do_not_pass() {
        let (mut rate, begin) = (MessageRate::of_sender(), begin());
        for _ in 0..8 {
            assert_eq!(rate.pass(1000, begin), Ok(()));
        }
        assert_eq!(rate.pass(193, begin), Err(RateError::Bytes));
        assert_eq!(rate.pass(192, begin), Ok(()), "8192 in all");
        assert_eq!(rate.pass(1, begin + ms(999)), Err(RateError::Bytes));
        assert_eq!(rate.pass(1000, begin + ms(1000)), Ok(()));
    }

    /// Messages of a client that sends all it may, and each comes up to a second late.
    #[test]
    fn a_good_client_whose_messages_come_in_bunches_is_not_cut() {
        let (mut sender, mut receiver) = (MessageRate::of_sender(), MessageRate::of_receiver());
        let begin = begin();
        for step in 0..2_000u64 {
            let sent = begin + ms(step * 10);
            if sender.pass(273, sent).is_ok() {
                // Everything that is sent within a second comes at its end.
                let came = begin + ms((step * 10).next_multiple_of(1000));
                assert_eq!(receiver.pass(273, came), Ok(()), "{step}");
            }
        }
    }

    #[test]
    fn a_bad_client_gets_no_more_through_than_a_quarter_above_the_limit() {
        let (mut receiver, begin) = (MessageRate::of_receiver(), begin());
        let passed = (0..40_000u64).filter(|step| receiver.pass(0, begin + ms(*step)).is_ok()).count();
        assert_eq!(passed, 40 * 30 * 5 / 4);
    }

    #[test]
    fn what_is_refused_names_its_limit() {
        assert!(RateError::Messages.to_string().contains("30 messages"));
        assert!(RateError::Bytes.to_string().contains("8192 bytes"));
    }
}
