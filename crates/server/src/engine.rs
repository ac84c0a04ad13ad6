//! What the room service asks of whatever carries the media: the embedded SFU here, a LiveKit
//! cluster elsewhere. Rooms are named by their wire name, people by their identity.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};

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

    /// Mutes everything of that kind that a person sends, until they unmute it themselves, and tells
    /// them. Who sends nothing of it is left alone.
    async fn silence(&self, room: &str, identity: &str, kind: Kind) -> Result<(), EngineError>;

    /// Sets the room's metadata (LiveKit's free text) and tells the room.
    async fn set_metadata(&self, room: &str, metadata: String) -> Result<(), EngineError>;

    /// Sends a user data packet from the server, reliably; no destinations means everybody.
    async fn send_data(
        &self,
        room: &str,
        topic: &str,
        payload: Vec<u8>,
        destinations: Vec<String>,
    ) -> Result<(), EngineError>;

    /// Takes media at one more of this machine's addresses, on the ports that it has, or on free ones
    /// where others have those; connections made from then on are offered it. Where it listens already
    /// nothing is done.
    async fn listen(&self, address: IpAddr) -> Result<(), ListenError>;

    /// Where media comes in at addresses of this machine's own, as far as the engine knows.
    async fn ports(&self) -> Vec<MediaPort> {
        Vec::new()
    }

    /// Where a translator lets media in from outside; connections made from then on are offered it, and
    /// what was said before holds no longer. An engine elsewhere knows by itself.
    async fn set_outside(&self, _: Vec<Translated>) {}

    /// Tells everybody (`notice`, then `leave{ROOM_DELETED}`), then stops carrying media. Without a notice
    /// it is `leave{SERVER_SHUTDOWN}`, and our clients look for the server until it is back. Nothing can be
    /// asked of the engine afterwards.
    async fn shutdown(&self, notice: Option<Notice>) -> Result<(), EngineError>;
}

/// A port at which media comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MediaPort {
    /// By connections, not by UDP.
    pub tcp: bool,
    /// Where it is.
    pub address: SocketAddr,
}

/// A port of ours that others reach at another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translated {
    /// Where it is.
    pub local: MediaPort,
    /// Where they reach it.
    pub outside: SocketAddr,
}

/// What a track carries, as far as permissions tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A voice, TRTC's audio.
    Audio,
    /// A camera, TRTC's main stream.
    Video,
    /// A shared screen with its sound, TRTC's sub stream.
    Screen,
}

impl Kind {
    /// What a track of that type and source carries.
    pub fn of(kind: lk::TrackType, source: lk::TrackSource) -> Kind {
        match (kind, source) {
            (_, lk::TrackSource::ScreenShare | lk::TrackSource::ScreenShareAudio) => Kind::Screen,
            (lk::TrackType::Audio, _) => Kind::Audio,
            (lk::TrackType::Video | lk::TrackType::Data, _) => Kind::Video,
        }
    }

    /// What that track carries.
    pub fn of_track(info: &lk::TrackInfo) -> Kind {
        Kind::of(info.r#type(), info.source())
    }
}

/// Kinds of media, each allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Voices.
    pub audio: bool,
    /// Cameras.
    pub video: bool,
    /// Shared screens with their sound.
    pub screen: bool,
}

impl Kinds {
    /// Everything.
    pub const ALL: Kinds = Kinds { audio: true, video: true, screen: true };
    /// Nothing.
    pub const NONE: Kinds = Kinds { audio: false, video: false, screen: false };

    /// All or nothing.
    pub fn all_if(allowed: bool) -> Kinds {
        if allowed { Kinds::ALL } else { Kinds::NONE }
    }

    /// Whether that kind is allowed.
    pub fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video,
            Kind::Screen => self.screen,
        }
    }

    /// Whether a track of that type and source is allowed; the sound of a screen needs both kinds, or a
    /// voice could hide behind a screen.
    pub fn allow(self, kind: lk::TrackType, source: lk::TrackSource) -> bool {
        let sound = kind == lk::TrackType::Audio;
        self.has(Kind::of(kind, source)) && (!sound || self.audio)
    }

    /// Whether anything is allowed.
    pub fn any(self) -> bool {
        self.audio || self.video || self.screen
    }
}

/// What a person in a room may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What they may send.
    pub publish: Kinds,
    /// What they may receive.
    pub subscribe: Kinds,
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
        /// The number of the entry of the room service by which they came, if they came by one.
        ticket: Option<u64>,
    },
    /// A person began or stopped sending media of that kind; a muted track is not sent.
    Sends {
        /// Wire name of the room.
        room: String,
        /// Who it is.
        identity: String,
        /// What.
        kind: Kind,
        /// Whether they send it from now on.
        on: bool,
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

/// An address at which an engine cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be used for {}: {refusal}", if *.tcp { "TCP" } else { "UDP" })]
pub struct ListenError {
    /// Connections were to be taken there.
    pub tcp: bool,
    /// The address and port.
    pub address: SocketAddr,
    /// What the system said.
    pub refusal: io::Error,
}
