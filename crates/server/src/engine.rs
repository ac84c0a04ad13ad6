//! What the room service asks of whatever carries the media: the embedded SFU here, a LiveKit
//! cluster elsewhere. Rooms are named by their wire name, people by their identity.

use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;
use confab_protocol::{LeaveReason, Notice};
use confab_signal::lk;

/// Carries the media of rooms. Every call answers when the engine has done it.
#[async_trait]
pub trait Engine: Send + Sync + Debug {
    /// The open rooms, in no order.
    async fn rooms(&self) -> Result<Vec<lk::Room>, EngineError>;

    /// Everybody in `room`, hidden participants included.
    async fn participants(&self, room: &str) -> Result<Vec<lk::ParticipantInfo>, EngineError>;

    /// Takes one person out: they get `notice`, then `leave{PARTICIPANT_REMOVED}`.
    async fn remove(&self, room: &str, identity: &str, notice: Notice) -> Result<(), EngineError>;

    /// Ends a room: everybody gets `notice`, then `leave{ROOM_DELETED}`.
    async fn dismiss(&self, room: &str, notice: Notice) -> Result<(), EngineError>;

    /// Changes what a person may do from now on; tracks they may no longer send are withdrawn.
    async fn set_permission(
        &self,
        room: &str,
        identity: &str,
        permission: Permission,
    ) -> Result<(), EngineError>;

    /// Sets attributes of a person (an empty value removes one) and tells the room.
    async fn set_attributes(
        &self,
        room: &str,
        identity: &str,
        attributes: HashMap<String, String>,
    ) -> Result<(), EngineError>;

    /// Mutes or unmutes a published track and tells its publisher.
    async fn mute(&self, room: &str, identity: &str, track_sid: &str, muted: bool)
    -> Result<(), EngineError>;

    /// Sends a user data packet from the server, reliably; no destinations means everybody.
    async fn send_data(
        &self,
        room: &str,
        topic: &str,
        payload: Vec<u8>,
        destinations: Vec<String>,
    ) -> Result<(), EngineError>;

    /// Tells everybody (`notice`, then `leave{SERVER_SHUTDOWN}`), then stops carrying media. Without a
    /// notice our clients look for the server until it is back. Nothing can be asked of the engine
    /// afterwards.
    async fn shutdown(&self, notice: Option<Notice>) -> Result<(), EngineError>;
}

/// What a person in a room may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// May send audio and video.
    pub can_publish: bool,
    /// May receive audio and video.
    pub can_subscribe: bool,
    /// May send data packets.
    pub can_publish_data: bool,
    /// Is never announced to the others.
    pub hidden: bool,
}

/// What happened in the engine without being asked, in order for each room.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineEvent {
    /// Signalling is up and the person is seated; the media is not connected yet.
    Joined {
        /// Wire name of the room.
        room: String,
        /// Who it is.
        identity: String,
        /// The name shown, empty when none was given.
        name: String,
    },
    /// The first peer connection is up.
    Active {
        /// Wire name of the room.
        room: String,
        /// Who it is.
        identity: String,
    },
    /// The seat is free again. Somebody who enters twice is only `Joined` again, not `Left`.
    Left {
        /// Wire name of the room.
        room: String,
        /// Who it is.
        identity: String,
        /// Why.
        reason: LeaveReason,
    },
    /// The last one left or the room was dismissed.
    RoomClosed {
        /// Wire name of the room.
        room: String,
    },
}

/// Why an engine could not do what it was asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// The room is not open; it may be later.
    #[error("requested room does not exist")]
    NoRoom,
    /// Nobody of that identity is in the room.
    #[error("participant does not exist")]
    NoParticipant,
    /// The person publishes no such track.
    #[error("track does not exist")]
    NoTrack,
    /// The engine was shut down or its thread ended; retrying does not help.
    #[error("the media engine has stopped")]
    Stopped,
}
