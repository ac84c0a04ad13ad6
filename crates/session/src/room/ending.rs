//! The server's ways to say that a stay is over, in one form.

use confab_protocol::{Event, ExitCause, ExitReason, Fault, Notice};
use confab_signal::lk;
use lk::DisconnectReason as Reason;
use lk::leave_request::Action;

/// How a stay in a room ended: what `onExitRoom` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// TRTC's value.
    pub reason: ExitReason,
    /// What brought it about.
    pub cause: ExitCause,
    /// User id of the person who did it, when somebody did.
    pub by: Option<String>,
    /// A sentence for people.
    pub message: String,
}

impl From<ExitCause> for Ending {
    fn from(cause: ExitCause) -> Self {
        Self { reason: cause.reason(), cause, by: None, message: cause.sentence().to_owned() }
    }
}

impl Ending {
    /// The server does not let us back in after the connection was lost.
    pub fn refused(fault: &Fault) -> Self {
        Self { message: fault.message.clone(), ..ExitCause::ConnectionLost.into() }
    }

    /// What the server's notice says; nothing for a notice about somebody else.
    pub fn from_notice(notice: Notice) -> Option<Self> {
        match notice {
            Notice::Exit { reason, cause, by, message } => Some(Self { reason, cause, by, message }),
            Notice::UserLeft { .. }
            | Notice::Host { .. }
            | Notice::Waiting { .. }
            | Notice::Banned { .. } => None,
        }
    }

    /// What a LiveKit `leave` means when no notice came with it. Nothing when the client is
    /// expected to come back: resume, reconnect, a server that restarts.
    #[expect(clippy::wildcard_enum_match_arm, reason = "LiveKit's further reasons say nothing to people")]
    pub fn from_leave(leave: &lk::LeaveRequest) -> Option<Self> {
        if leave.action() != Action::Disconnect {
            return None;
        }
        let cause = match leave.reason() {
            Reason::ServerShutdown => return None,
            Reason::ClientInitiated => ExitCause::Left,
            Reason::DuplicateIdentity => ExitCause::EnteredElsewhere,
            Reason::ParticipantRemoved => ExitCause::Removed,
            Reason::RoomDeleted => ExitCause::Dismissed,
            Reason::RoomClosed => ExitCause::RoomClosed,
            _ => ExitCause::Unknown,
        };
        Some(cause.into())
    }

    /// The event that tells the app.
    pub fn event(self) -> Event {
        Event::OnExitRoom { reason: self.reason, cause: self.cause, by: self.by, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave(reason: Reason, action: Action) -> lk::LeaveRequest {
        lk::LeaveRequest { reason: reason as i32, action: action as i32, ..Default::default() }
    }

    #[test]
    fn a_leave_without_notice_still_says_why() {
        for (reason, exit, cause) in [
            (Reason::DuplicateIdentity, ExitReason::Removed, ExitCause::EnteredElsewhere),
            (Reason::ParticipantRemoved, ExitReason::Removed, ExitCause::Removed),
            (Reason::RoomDeleted, ExitReason::Dismissed, ExitCause::Dismissed),
        ] {
            let ending = Ending::from_leave(&leave(reason, Action::Disconnect)).unwrap();
            assert_eq!((ending.reason, ending.cause), (exit, cause));
            assert!(!ending.message.is_empty());
        }
    }

    #[test]
    fn a_leave_that_asks_to_come_back_is_no_ending() {
        assert_eq!(Ending::from_leave(&leave(Reason::StateMismatch, Action::Reconnect)), None);
        assert_eq!(Ending::from_leave(&leave(Reason::ConnectionTimeout, Action::Resume)), None);
        assert_eq!(Ending::from_leave(&leave(Reason::ServerShutdown, Action::Disconnect)), None);
    }
}
