//! One attempt's connection to a room: signalling and both peer connections, driven by one task.
//! It takes orders and tells news; the rules are elsewhere.

mod driver;
pub(crate) mod farewell;
mod negotiate;
mod outlets;

pub(crate) use outlets::Outbound;

use crate::room::{Attempt, Ending, Failure};
use crate::signalling::{Admission, Route, Token};
use crate::transport::{Asks, LocalTrack, Path};
use confab_protocol::{EnterParams, Notice, Stay};
use confab_signal::lk;
use confab_signal::message::Received;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_remote::TrackRemote;

/// Orders that may wait for the task.
const ORDERS: usize = 64;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Publication {
    pub(crate) kind: Kind,
    pub(crate) muted: bool,
}

/// Which of our media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Voice,
    Camera { width: u32, height: u32, bitrate: u32 },
}

impl Kind {
    /// Our own id of the track, which the server gives back with its id.
    pub(crate) fn cid(self) -> &'static str {
        match self {
            Kind::Voice => "confab-voice",
            Kind::Camera { .. } => "confab-camera",
        }
    }
}

/// What the task is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Announce a track and send it.
    Publish(Publication),
    /// Send a track no longer.
    Unpublish { cid: &'static str },
    /// Say that a published track is muted, or no longer.
    Mute { sid: String, muted: bool },
    /// Take tracks, or no longer.
    Subscribe { sids: Vec<String>, on: bool },
    /// Let taken tracks rest, or go on; nothing is negotiated.
    Pause { sids: Vec<String>, paused: bool },
    /// Send a message to everybody in the room.
    Send(Outbound),
    /// How packets fare on the way to the server.
    Path(oneshot::Sender<Path>),
}

/// What the task tells.
pub(crate) enum News {
    Failed(Failure),
    /// A host has to let us in.
    Waiting,
    /// The room service lets us in; what we show it from now on.
    Admitted(Token),
    /// The server gave us a seat.
    Seated(Box<lk::JoinResponse>),
    /// The first peer connection is up.
    Connected,
    /// What we send gets through from now on.
    CanSend,
    /// Changes of participants, ourselves among them.
    People(Vec<lk::ParticipantInfo>),
    Speakers(Vec<lk::SpeakerInfo>),
    /// How well people reach the server.
    Qualities(Vec<lk::ConnectionQualityInfo>),
    /// Our track has the server's id.
    Published {
        cid: String,
        sid: String,
        track: LocalTrack,
    },
    /// The room's metadata.
    Room(String),
    /// The server does not take our track; `cid` is our own id of it.
    NotPublished {
        cid: String,
        reason: lk::request_response::Reason,
        message: String,
    },
    /// The server took our track away.
    Withdrawn {
        sid: String,
    },
    /// Somebody muted our track.
    Muted {
        sid: String,
        muted: bool,
    },
    /// A track of somebody else arrives; `sid` is the server's id of it,
    /// `asks` takes requests for its key frames.
    Track {
        sid: String,
        track: Arc<dyn TrackRemote>,
        asks: Asks,
    },
    /// Whether we may have a track of somebody else; `sid` is the server's id of it.
    Allowed {
        sid: String,
        allowed: bool,
    },
    /// What the server tells beyond LiveKit's messages.
    Notice(Notice),
    Lost,
    Ended(Ending),
}

impl From<farewell::End> for News {
    fn from(end: farewell::End) -> News {
        match end {
            farewell::End::Ended(ending) => News::Ended(ending),
            farewell::End::Lost => News::Lost,
        }
    }
}

/// What an attempt needs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) attempt: Attempt,
    pub(crate) stay: Stay,
    pub(crate) params: Arc<EnterParams>,
    /// The way to the server, the same for a whole stay.
    pub(crate) route: Arc<Route>,
    /// Who we are, for the server's log.
    pub(crate) agent: String,
    /// Sent from the start.
    pub(crate) publications: Vec<Publication>,
    /// May we send at all, as far as we know?
    pub(crate) publishes: bool,
    /// Take every track without being told.
    pub(crate) subscribes: bool,
    /// Where messages of others go; they are no news, so that they crowd nothing out.
    pub(crate) messages: mpsc::Sender<(Attempt, Received)>,
    /// The seat, where the room service gave it to this stay already.
    pub(crate) admission: Option<Admission>,
}

/// The task's handle. It must be closed.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) attempt: Attempt,
    orders: mpsc::Sender<Order>,
    stop: CancellationToken,
    farewell: oneshot::Sender<bool>,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to connect; how it goes comes as news.
    pub(crate) fn start(setup: Setup, news: mpsc::Sender<(Attempt, Instant, News)>) -> Link {
        let attempt = setup.attempt;
        let (orders, taken) = mpsc::channel(ORDERS);
        let (farewell, tell) = oneshot::channel();
        let stop = CancellationToken::new();
        let task = tokio::spawn(driver::run(setup, news, taken, stop.clone(), tell));
        Link { attempt, orders, stop, farewell, task }
    }

    /// Gives an order; it is dropped, and that is logged, when the task does not keep up.
    pub(crate) fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            tracing::warn!(%error, "an order to the connection was lost");
        }
    }

    /// Ends everything the task holds; `tell` when the server does not know yet.
    pub(crate) async fn close(self, tell: bool) {
        let _ = self.farewell.send(tell);
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the connection's task failed");
        }
    }
}
