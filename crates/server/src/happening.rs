//! What the room service tells its listeners: history and callbacks. Values; nobody waits for them.

use std::net::IpAddr;

use confab_protocol::{LeaveReason, Role, RoomId, SdkAppId, UserId};

/// Something that has happened in a room of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    /// Whose room.
    pub(crate) app: SdkAppId,
    /// Which room.
    pub(crate) room: RoomId,
    /// When this room was created, Unix seconds: together they are TRTC's CommId.
    pub(crate) created: u64,
    /// When it happened, Unix milliseconds.
    pub(crate) at_ms: u64,
    /// What.
    pub(crate) what: What,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The first one is in.
    RoomCreated {
        /// Who that is.
        by: UserId,
    },
    /// The room is no more.
    RoomClosed {
        /// Who dismissed it, where it was a person.
        by: Option<UserId>,
    },
    /// Somebody is in.
    Entered {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
        /// They came back to a stay that was cut off.
        again: bool,
        /// With what.
        client: ClientInfo,
    },
    /// Somebody is out.
    Left {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
        /// Why.
        reason: LeaveReason,
        /// With what they were there.
        client: ClientInfo,
    },
    /// Somebody is in another role now.
    RoleChanged {
        /// Who.
        user: UserId,
        /// The new one.
        role: Role,
    },
    /// Somebody began or stopped sending something; leaving stops everything without a word.
    Media {
        /// Who.
        user: UserId,
        /// What they send.
        stream: Stream,
        /// Whether they send it now.
        on: bool,
    },
}

impl What {
    /// Whether somebody's stay, or the room, is over.
    pub(crate) fn ends(&self) -> bool {
        match self {
            What::RoomClosed { .. } => true,
            What::Left { reason, .. } => *reason != LeaveReason::BecameAudience,
            What::RoomCreated { .. }
            | What::Entered { .. }
            | What::RoleChanged { .. }
            | What::Media { .. } => false,
        }
    }
}

/// What somebody sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The camera.
    Main,
    /// The voice.
    Audio,
    /// The shared screen.
    Sub,
}

/// The client of a stay, as far as it told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientInfo {
    /// Its operating system in lower case, `linux`; empty when not told.
    pub os: String,
    /// Kind of device, free text.
    pub device: String,
    /// Name and version of its library.
    pub sdk: String,
    /// Whether it runs in a browser.
    pub browser: bool,
    /// Where it came from.
    pub address: Option<IpAddr>,
}
