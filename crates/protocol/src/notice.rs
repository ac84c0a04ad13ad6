//! What the server has to say beside LiveKit's messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{HostAction, Waiting};

/// Topic of the data packets in which the server tells what LiveKit's messages cannot carry.
pub const NOTICE_TOPIC: &str = "confab";

/// The participant attribute that tells everybody's role.
pub const ROLE_ATTRIBUTE: &str = "confab.role";

/// What the server tells a client, as JSON in a data packet of topic [`NOTICE_TOPIC`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// You are out; a `leave` follows.
    Exit {
        /// TRTC's value for onExitRoom.
        reason: ExitReason,
        /// What brought it about.
        cause: ExitCause,
        /// The user id of the person who did it, where it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        by: Option<String>,
        /// A sentence for people.
        message: String,
    },
    /// Why somebody else left; an `update` follows.
    UserLeft {
        /// Who.
        user_id: String,
        /// TRTC's value for onRemoteUserLeaveRoom.
        reason: LeaveReason,
    },
    /// A host did something; a changed room, or a mute, follows where it belongs to it.
    Host {
        /// What.
        what: HostAction,
        /// The user id of who did it; an administrator where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        by: Option<String>,
    },
    /// Who waits to be admitted, all of them. Told to hosts only.
    Waiting {
        /// In the order in which they came.
        people: Vec<Waiting>,
    },
    /// Who is kept out, all of them. Told to hosts only.
    Banned {
        /// User ids, in their order.
        people: Vec<String>,
    },
}

/// Numbers in JSON as TRTC has them.
macro_rules! numbers {
    ($type:ident, $what:literal, $($variant:ident = $number:literal),+) => {
        impl From<$type> for u8 {
            fn from(value: $type) -> u8 {
                value as u8
            }
        }

        impl TryFrom<u8> for $type {
            type Error = String;

            fn try_from(number: u8) -> Result<Self, String> {
                match number {
                    $($number => Ok(Self::$variant),)+
                    _ => Err(format!("{} {number} does not exist", $what)),
                }
            }
        }
    };
}
pub(crate) use numbers;

/// Why I am out of the room, TRTC's value for onExitRoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "u8", into = "u8")]
#[ts(type = "0 | 1 | 2")]
pub enum ExitReason {
    /// I left.
    Left = 0,
    /// The server or a host put me out.
    Removed = 1,
    /// The room is no more.
    Dismissed = 2,
}
numbers!(ExitReason, "exit reason", Left = 0, Removed = 1, Dismissed = 2);

/// Why somebody else is gone, TRTC's value for onRemoteUserLeaveRoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "u8", into = "u8")]
#[ts(type = "0 | 1 | 2 | 3")]
pub enum LeaveReason {
    /// They left.
    Left = 0,
    /// Their connection was lost for too long.
    TimedOut = 1,
    /// They were put out.
    Removed = 2,
    /// They watch on as audience.
    BecameAudience = 3,
}
numbers!(LeaveReason, "leave reason", Left = 0, TimedOut = 1, Removed = 2, BecameAudience = 3);

/// What brought an exit about, closer than [`ExitReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExitCause {
    /// I asked to leave.
    Left,
    /// The same user id entered from another place.
    EnteredElsewhere,
    /// An administrator or host put me out.
    Removed,
    /// An administrator or host closed the room.
    Dismissed,
    /// The room closed because nobody was left who keeps it open.
    RoomClosed,
    /// The person hosting the room stopped.
    HostStopped,
    /// The server was shut down.
    ServerStopped,
    /// The connection was lost and could not be had again.
    ConnectionLost,
    /// A newer server's cause that this client does not know.
    #[serde(other)]
    Unknown,
}

impl ExitCause {
    /// The TRTC value that goes with it.
    pub fn reason(self) -> ExitReason {
        match self {
            Self::Left => ExitReason::Left,
            Self::EnteredElsewhere | Self::Removed | Self::ConnectionLost | Self::Unknown => {
                ExitReason::Removed
            }
            Self::Dismissed | Self::RoomClosed | Self::HostStopped | Self::ServerStopped => {
                ExitReason::Dismissed
            }
        }
    }

    /// What happened, in plain words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Left => "You left the room.",
            Self::EnteredElsewhere => "You entered this room from another place, so this one left it.",
            Self::Removed => "You were removed from the room.",
            Self::Dismissed => "The room was dismissed.",
            Self::RoomClosed => "The room was closed because nobody was left to keep it open.",
            Self::HostStopped => "The person hosting the room stopped it.",
            Self::ServerStopped => "The server was stopped.",
            Self::ConnectionLost => "The connection to the room was lost and could not be restored.",
            Self::Unknown => "You are no longer in the room.",
        }
    }
}

impl Notice {
    /// The exit that goes with a cause, in its own words.
    pub fn exit(cause: ExitCause, by: Option<String>) -> Self {
        Self::Exit { reason: cause.reason(), cause, by, message: cause.sentence().to_owned() }
    }

    /// The JSON that travels in the data packet.
    pub fn to_json(&self) -> Vec<u8> {
        // A notice holds only texts and small numbers, so writing it cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a data packet's payload; None when it is no notice that we know.
    pub fn from_json(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_exit_is_written_with_trtc_numbers_and_snake_case_causes() {
        let json = String::from_utf8(Notice::exit(ExitCause::EnteredElsewhere, None).to_json()).unwrap();
        assert!(
            json.starts_with(r#"{"type":"exit","reason":1,"cause":"entered_elsewhere","message":"#),
            "{json}"
        );
        let left = Notice::UserLeft { user_id: "bob".into(), reason: LeaveReason::BecameAudience };
        assert_eq!(left.to_json(), br#"{"type":"userLeft","userId":"bob","reason":3}"#);
        assert_eq!(Notice::from_json(&left.to_json()), Some(left));
    }

    #[test]
    fn a_cause_from_a_newer_server_is_still_an_exit() {
        let json = br#"{"type":"exit","reason":1,"cause":"voted_out","message":"x"}"#;
        let Some(Notice::Exit { cause, .. }) = Notice::from_json(json) else { panic!("not read") };
        assert_eq!(cause, ExitCause::Unknown);
    }

    proptest! {
        #[test]
        fn any_payload_is_read_or_left_alone(bytes in any::<Vec<u8>>()) {
            let _ = Notice::from_json(&bytes);
        }
    }
}
