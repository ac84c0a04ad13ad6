//! What hosts do in a room, and how a room stands because of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::UserId;

/// What a host does. In JSON: `{"action": "mute", "userId": "bob", "allowUnmute": false}`; over HTTP the
/// action is the last part of the path, `POST /v1/room/mute`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum HostAction {
    /// Mutes somebody's microphone, or everybody's but the hosts'.
    Mute {
        /// Whose; everybody's when left out, and without `allowUnmute` also that of those who come later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        user_id: Option<UserId>,
        /// Whether they may unmute themselves; yes when left out.
        #[serde(default = "yes")]
        #[ts(optional, as = "Option<bool>")]
        allow_unmute: bool,
    },
    /// Lets somebody, or everybody, unmute again. Nobody is unmuted by it.
    AllowUnmute {
        /// Who; everybody when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        user_id: Option<UserId>,
    },
    /// Turns somebody's camera off; they may turn it on again.
    StopVideo {
        /// Whose.
        user_id: UserId,
    },
    /// Ends somebody's sharing of a screen; they may begin again.
    StopShare {
        /// Whose.
        user_id: UserId,
    },
    /// Puts somebody out.
    Remove {
        /// Whom.
        user_id: UserId,
        /// Whether they stay out for the life of the room.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        ban: bool,
    },
    /// Lets somebody who was banned enter again.
    Unban {
        /// Whom.
        user_id: UserId,
    },
    /// Lets nobody else in, or opens the room again.
    Lock {
        /// Whether it is locked.
        on: bool,
    },
    /// Lets those who come wait until a host admits them, or ends that.
    WaitingRoom {
        /// Whether they wait.
        on: bool,
    },
    /// Lets somebody who waits in.
    Admit {
        /// Whom; everybody who waits when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        user_id: Option<UserId>,
    },
    /// Sends somebody who waits away.
    Deny {
        /// Whom.
        user_id: UserId,
    },
    /// Makes somebody else the owner; who was it becomes a co-host.
    HandOver {
        /// To whom.
        user_id: UserId,
    },
    /// Makes somebody a co-host, or one of many again.
    CoHost {
        /// Whom.
        user_id: UserId,
        /// Whether they are a co-host.
        on: bool,
    },
    /// Ends the room for everybody.
    Dismiss,
}

fn yes() -> bool {
    true
}

impl HostAction {
    /// The names of all actions, as they stand in a path.
    pub const NAMES: [&str; 13] = [
        "mute",
        "allowUnmute",
        "stopVideo",
        "stopShare",
        "remove",
        "unban",
        "lock",
        "waitingRoom",
        "admit",
        "deny",
        "handOver",
        "coHost",
        "dismiss",
    ];

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mute { .. } => "mute",
            Self::AllowUnmute { .. } => "allowUnmute",
            Self::StopVideo { .. } => "stopVideo",
            Self::StopShare { .. } => "stopShare",
            Self::Remove { .. } => "remove",
            Self::Unban { .. } => "unban",
            Self::Lock { .. } => "lock",
            Self::WaitingRoom { .. } => "waitingRoom",
            Self::Admit { .. } => "admit",
            Self::Deny { .. } => "deny",
            Self::HandOver { .. } => "handOver",
            Self::CoHost { .. } => "coHost",
            Self::Dismiss => "dismiss",
        }
    }

    /// The person it is about, where it is about one.
    pub fn target(&self) -> Option<&UserId> {
        match self {
            Self::Mute { user_id, .. } | Self::AllowUnmute { user_id } | Self::Admit { user_id } => {
                user_id.as_ref()
            }
            Self::StopVideo { user_id }
            | Self::StopShare { user_id }
            | Self::Remove { user_id, .. }
            | Self::Unban { user_id }
            | Self::Deny { user_id }
            | Self::HandOver { user_id }
            | Self::CoHost { user_id, .. } => Some(user_id),
            Self::Lock { .. } | Self::WaitingRoom { .. } | Self::Dismiss => None,
        }
    }
}

/// How a room stands, as everybody in it is told: JSON in LiveKit's room metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomState {
    /// Who may do everything; nobody where no anchor is in the room.
    pub owner: Option<String>,
    /// Who may help the owner.
    pub co_hosts: Vec<String>,
    /// Nobody else is let in.
    pub locked: bool,
    /// Who comes waits until a host admits them.
    pub waiting_room: bool,
    /// Only hosts, and those whom a host allowed it since, may unmute.
    pub muted_all: bool,
    /// Who may not unmute.
    pub forbidden: Vec<String>,
    /// Who is kept out. Hosts are told apart from the metadata; to others it is empty.
    pub banned: Vec<String>,
    /// How many people watch unannounced.
    pub audience: u32,
}

impl RoomState {
    /// Whether somebody is the owner or a co-host.
    pub fn is_host(&self, user: &str) -> bool {
        self.owner.as_deref() == Some(user) || self.co_hosts.iter().any(|one| one == user)
    }

    /// Reads a room's metadata; None where it is that of another server.
    pub fn from_metadata(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of the room's metadata.
    pub fn to_metadata(&self) -> String {
        // Texts and small numbers only, so writing it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Somebody who waits to be admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Who.
    pub user_id: String,
    /// The name to show; empty where they gave none.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<HostAction, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn actions_are_read_with_their_defaults() {
        let bob: UserId = "bob".parse().unwrap();
        assert_eq!(read(r#"{"action":"mute"}"#), Ok(HostAction::Mute { user_id: None, allow_unmute: true }));
        assert_eq!(
            read(r#"{"action":"remove","userId":"bob"}"#),
            Ok(HostAction::Remove { user_id: bob.clone(), ban: false })
        );
        assert_eq!(read(r#"{"action":"dismiss"}"#), Ok(HostAction::Dismiss));
        assert_eq!(
            read(r#"{"action":"coHost","userId":"bob","on":true}"#),
            Ok(HostAction::CoHost { user_id: bob, on: true })
        );
        assert!(read(r#"{"action":"lock"}"#).unwrap_err().contains("on"));
        assert!(read(r#"{"action":"lock","on":true,"of":1}"#).unwrap_err().contains("of"));
        assert!(read(r#"{"action":"remove","userId":"b b"}"#).unwrap_err().contains("user id"));
    }

    #[test]
    fn every_action_is_known_by_its_name() {
        for name in HostAction::NAMES {
            let json = format!(r#"{{"action":"{name}","userId":"bob","on":true}}"#);
            let strict: Vec<String> =
                ["", ",\"userId\":\"bob\"", ",\"on\":true", ",\"userId\":\"bob\",\"on\":true"]
                    .iter()
                    .map(|more| format!(r#"{{"action":"{name}"{more}}}"#))
                    .collect();
            let action = strict.iter().find_map(|json| read(json).ok());
            assert_eq!(action.map(|action| action.name()), Some(name), "{json}");
        }
    }

    #[test]
    fn a_room_says_who_its_hosts_are() {
        let state = RoomState { owner: Some("a".into()), co_hosts: vec!["b".into()], ..RoomState::default() };
        assert!(state.is_host("a") && state.is_host("b") && !state.is_host("c"));
        assert_eq!(RoomState::from_metadata(&state.to_metadata()), Some(state));
        assert_eq!(RoomState::from_metadata("some text of an application"), None);
        assert_eq!(RoomState::from_metadata("{\"newer\":1}"), Some(RoomState::default()));
    }
}
