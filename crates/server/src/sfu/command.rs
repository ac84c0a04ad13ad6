//! What other threads ask of a worker.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use confab_protocol::Notice;
use confab_signal::lk;
use tokio::sync::{mpsc, oneshot};

use super::arena::Key;
use super::person::Person;
use crate::engine::{EngineError, Kind, ListenError, MediaPort, Permission, Translated};

/// Somebody who is let into a room.
#[derive(Debug, Clone)]
pub struct Join {
    /// Wire name of the room.
    pub room: String,
    /// Who it is; the same identity again replaces the earlier one.
    pub identity: String,
    /// The number of the entry by which they come, passed on.
    pub ticket: Option<u64>,
    /// The name shown to others.
    pub name: String,
    /// Free text, passed on.
    pub metadata: String,
    /// Passed on.
    pub attributes: HashMap<String, String>,
    /// What they may do.
    pub permission: Permission,
    /// Of tracks they may send only those of these sources, `camera`, `microphone`, ...; all if empty.
    pub sources: Vec<String>,
    /// They may change their own name, metadata and attributes.
    pub may_update_metadata: bool,
    /// How many people may send in a room of the room service, where one at most shares a screen;
    /// nothing for a client with a token of its own, which changes neither.
    pub publishing: Option<u32>,
    /// How long the seat is kept after the connection was lost.
    pub seat: Duration,
    /// Receive every track without asking.
    pub auto_subscribe: bool,
    /// What the client says it can do, passed on.
    pub client_protocol: i32,
}

/// One message to a worker.
#[derive(Debug)]
pub(crate) enum Command {
    Join {
        join: Box<Join>,
        to: mpsc::Sender<Box<lk::signal_response::Message>>,
        reply: oneshot::Sender<Seat>,
    },
    Resume {
        resume: Resume,
        to: mpsc::Sender<Box<lk::signal_response::Message>>,
        reply: oneshot::Sender<Option<Seat>>,
    },
    Signal {
        seat: Seat,
        request: Box<lk::signal_request::Message>,
    },
    /// The websocket is gone.
    Hangup {
        seat: Seat,
    },
    Ask(Ask),
    /// Take media at this address too.
    Listen {
        address: SocketAddr,
        reply: oneshot::Sender<Result<(), ListenError>>,
    },
}

/// A participant's place, as the holder of one websocket knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) person: Key<Person>,
    pub(crate) link: u64,
}

/// A websocket that wants to go on where an earlier one ended.
#[derive(Debug)]
pub(crate) struct Resume {
    pub(crate) room: String,
    pub(crate) identity: String,
    pub(crate) sid: String,
}

type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// The room service's wishes; see [`crate::engine::Engine`].
#[derive(Debug)]
pub(crate) enum Ask {
    Ports { reply: Reply<Vec<MediaPort>> },
    Outside { ports: Vec<Translated>, reply: Reply<()> },
    Rooms { reply: Reply<Vec<lk::Room>> },
    Participants { room: String, reply: Reply<Vec<lk::ParticipantInfo>> },
    Remove { room: String, identity: String, notice: Notice, reply: Reply<()> },
    Dismiss { room: String, notice: Notice, reply: Reply<()> },
    Permission { room: String, identity: String, permission: Permission, reply: Reply<()> },
    Attributes { room: String, identity: String, attributes: HashMap<String, String>, reply: Reply<()> },
    Silence { room: String, identity: String, kind: Kind, reply: Reply<()> },
    Metadata { room: String, metadata: String, reply: Reply<()> },
    Mute { room: String, identity: String, track: String, muted: bool, reply: Reply<()> },
    Data { room: String, packet: Box<lk::DataPacket>, reply: Reply<()> },
    Shutdown { notice: Option<Notice>, reply: Reply<()> },
}
