//! What the end of a connection means: the server's words for it, its closing of the media and its
//! closing of the signalling travel on different connections and overtake each other. Pure.

use crate::room::Ending;
use confab_signal::lk;
use std::time::{Duration, Instant};

/// A `leave` may overtake the notice that says why.
const NOTICE_GRACE: Duration = Duration::from_millis(150);
/// The end of the media may overtake the `leave`, which is sent again when it is lost.
const LEAVE_GRACE: Duration = Duration::from_millis(1500);

/// How a connection ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The server ended our time in the room.
    Ended(Ending),
    /// It went away, or wants us back.
    Lost,
}

/// What was heard of the end so far.
#[derive(Clone, Debug, Default)]
pub struct Farewell {
    /// What it means unless something better is heard by then; no ending is a loss.
    heard: Option<(Option<Ending>, Instant)>,
}

impl Farewell {
    /// The server says `leave`: the end at once when it wants us back, else after the grace.
    pub fn leave(&mut self, leave: &lk::LeaveRequest, now: Instant) -> Option<End> {
        if leave.action() != lk::leave_request::Action::Disconnect {
            return Some(End::Lost);
        }
        self.heard = Some((Ending::from_leave(leave), now + NOTICE_GRACE));
        None
    }

    /// The server closed a peer connection: it may have said why, on the other way.
    pub fn media_closed(&mut self, now: Instant) {
        self.heard.get_or_insert((None, now + LEAVE_GRACE));
    }

    /// Whether a failed peer connection is a loss: nothing of an end was heard.
    pub fn is_unheard(&self) -> bool {
        self.heard.is_none()
    }

    /// When the grace is over and [`Farewell::end`] counts.
    pub fn until(&self) -> Option<Instant> {
        self.heard.as_ref().map(|(_, until)| *until)
    }

    /// What it comes to, with what was heard.
    pub fn end(&mut self) -> End {
        match self.heard.take() {
            Some((Some(ending), _)) => End::Ended(ending),
            Some((None, _)) | None => End::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::ExitCause;
    use lk::DisconnectReason as Reason;
    use lk::leave_request::Action;

    fn leave(reason: Reason, action: Action) -> lk::LeaveRequest {
        lk::LeaveRequest { reason: reason as i32, action: action as i32, ..Default::default() }
    }

    #[test]
    fn media_that_ends_before_the_leave_arrives_is_no_loss() {
        let (mut farewell, now) = (Farewell::default(), Instant::now());
        farewell.media_closed(now);
        let later = now + Duration::from_millis(400);
        assert!(farewell.until().is_some_and(|until| until > later) && !farewell.is_unheard());
        assert_eq!(farewell.leave(&leave(Reason::ParticipantRemoved, Action::Disconnect), later), None);
        assert_eq!(farewell.until(), Some(later + NOTICE_GRACE));
        farewell.media_closed(later);
        assert_eq!(farewell.end(), End::Ended(ExitCause::Removed.into()));
    }

    #[test]
    fn media_that_ends_without_a_word_is_a_loss_after_the_grace() {
        let (mut farewell, now) = (Farewell::default(), Instant::now());
        assert!(farewell.is_unheard());
        farewell.media_closed(now);
        assert_eq!(farewell.until(), Some(now + LEAVE_GRACE));
        assert_eq!(farewell.end(), End::Lost);
    }

    #[test]
    fn a_leave_that_wants_us_back_is_a_loss_at_once() {
        let resume = leave(Reason::ConnectionTimeout, Action::Resume);
        assert_eq!(Farewell::default().leave(&resume, Instant::now()), Some(End::Lost));
    }
}
