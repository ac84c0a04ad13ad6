//! Why an attempt came to nothing.

use super::Ending;
use confab_protocol::{Code, Fault};
use std::time::Duration;

/// Why an attempt came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Nobody accepted a connection (-3307).
    Unreachable(String),
    /// The connection was accepted and no answer came (-3308).
    Silent(String),
    /// The server answered with a code of its own.
    Refused(Fault),
    /// The server has seen too many attempts fail (-70050) and looks at another one after that time, at
    /// most [`Failure::LONGEST_PAUSE`]. Nothing is wrong with ours.
    TooOften {
        /// What it said.
        fault: Fault,
        /// The time.
        again: Duration,
    },
    /// The server answered that the stay to which we return is over.
    Over(Ending),
    /// The server answered something that is not part of the protocol (-3301).
    Broken(String),
}

impl Failure {
    /// No server keeps anybody waiting for longer.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

    /// The answer of a server that refuses; `retry_after` is in seconds, where it said that.
    pub fn refused(fault: Fault, retry_after: Option<u64>) -> Self {
        if fault.code != Code::FAILED_TOO_OFTEN.0 {
            return Failure::Refused(fault);
        }
        let again = Duration::from_secs(retry_after.unwrap_or_default()).min(Self::LONGEST_PAUSE);
        Failure::TooOften { fault, again }
    }

    /// How long the server does not want to be asked.
    pub(super) fn pause(&self) -> Duration {
        match self {
            Failure::TooOften { again, .. } => *again,
            Failure::Unreachable(_)
            | Failure::Silent(_)
            | Failure::Refused(_)
            | Failure::Over(_)
            | Failure::Broken(_) => Duration::ZERO,
        }
    }

    pub(crate) fn fault(self) -> Fault {
        match self {
            Failure::Unreachable(why) => Fault::new(Code::REQUEST_IP_TIMEOUT).with_message(why),
            Failure::Silent(why) => Fault::new(Code::CONNECT_SERVER_TIMEOUT).with_message(why),
            Failure::Refused(fault) | Failure::TooOften { fault, .. } => fault,
            Failure::Over(ending) => Fault::new(Code::ENTER_ROOM_FAILED).with_message(ending.message),
            Failure::Broken(why) => Fault::new(Code::ENTER_ROOM_FAILED).with_message(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_too_many_attempts_are_worth_another_one_and_no_server_makes_us_wait_for_ever() {
        let wrong = Fault::new(Code::USER_SIG_CHECK_FAILED);
        assert_eq!(Failure::refused(wrong.clone(), Some(9)), Failure::Refused(wrong));
        let often = Fault::new(Code::FAILED_TOO_OFTEN);
        let pause = |seconds| Failure::refused(often.clone(), seconds).pause();
        assert_eq!(pause(Some(60)), Duration::from_secs(60));
        assert_eq!(pause(None), Duration::ZERO);
        assert_eq!(pause(Some(u64::MAX)), Failure::LONGEST_PAUSE);
    }
}
