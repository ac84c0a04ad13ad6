//! The app as one actor: it owns the session, the devices chosen, the rooms opened here and the
//! state that a page renders.

mod actor;
mod chosen;
mod command;
mod devices;
mod invite;
mod jobs;
mod keys;
mod local;
mod open;
mod remote;

use std::path::PathBuf;
use std::sync::Arc;

use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{Code, Fault};
use confab_session::{Receive, Session, SessionConfig};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument;

pub use keys::AppKey;

use crate::hosting::Networks;
use crate::{Host, PresenterView, Request, Stage, Store};
use actor::{Actor, Order};

/// Requests that may wait for the actor.
const REQUESTS: usize = 64;

/// What a request is answered with.
pub type Answer = Result<Value, Fault>;

/// How the app starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// What this client calls itself, `confab/0.1.0`.
    pub agent: String,
    /// The folder where the app keeps what is its own.
    pub data: PathBuf,
    /// The camera selected at first; None for none.
    pub camera: Option<CameraSource>,
    /// The microphone selected at first; None for none.
    pub microphone: Option<MicrophoneSource>,
    /// The speaker selected at first.
    pub speaker: SpeakerSink,
    /// Which videos are received.
    pub receive: Receive,
    /// How the camera is sent.
    pub video: VideoConfig,
    /// The server that is meant where a request names none.
    pub server: Option<String>,
    /// Applications that this app may sign for, beside the one of the rooms opened here.
    pub keys: Vec<AppKey>,
    /// Where other computers may reach the rooms opened here.
    pub(crate) networks: Networks,
}

impl Options {
    /// Everything as a person's computer has it, with that folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            agent: concat!("confab/", env!("CARGO_PKG_VERSION")).to_owned(),
            data: data.into(),
            camera: Some(CameraSource::Device(None)),
            microphone: Some(MicrophoneSource::Device(None)),
            speaker: SpeakerSink::Device(None),
            receive: Receive::All,
            video: VideoConfig::default(),
            server: None,
            keys: Vec::new(),
            networks: Networks::of_this_computer(),
        }
    }
}

/// The app. Cheap to clone; when the last clone goes, the app ends without a word to others, so
/// call [`Controller::close`].
#[derive(Debug)]
pub struct Controller<H: Host> {
    orders: mpsc::Sender<Order>,
    stage: Stage,
    host: Arc<H>,
}

impl<H: Host> Clone for Controller<H> {
    fn clone(&self) -> Self {
        Self { orders: self.orders.clone(), stage: self.stage.clone(), host: Arc::clone(&self.host) }
    }
}

impl<H: Host> Controller<H> {
    /// Starts the app on the current tokio runtime. The handle ends when the app has ended.
    pub fn start(options: Options, host: H) -> (Self, JoinHandle<()>) {
        let config = SessionConfig {
            agent: options.agent.clone(),
            receive: options.receive,
            video: options.video,
            speaker: options.speaker.clone(),
        };
        let (session, events) = Session::start(config);
        let (orders, inbox) = mpsc::channel(REQUESTS);
        let (host, stage) = (Arc::new(host), Stage::new(session.clone()));
        let store = Store::new(&options.data);
        let actor = Actor::new(options, session, stage.clone(), Arc::clone(&host), store);
        let span = tracing::info_span!("controller");
        let around = devices::Around::watch();
        let ended = tokio::spawn(actor.run(inbox, events, around).instrument(span));
        (Self { orders, stage, host }, ended)
    }

    /// Carries a request out and answers it.
    pub async fn call(&self, request: Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        let over = || Fault::new(Code::REFUSED).with_message("The app is closing.");
        self.orders.send(Order::Call { request: Box::new(request), reply }).await.map_err(|_| over())?;
        answer.await.unwrap_or_else(|_| Err(over()))
    }

    /// Takes in how the window shows pictures from now on; `warning` says why not as before, for
    /// people, and becomes onWarning. The host calls it.
    pub async fn presented_by(&self, presenter: PresenterView, warning: Option<String>) {
        // An error means that the app has ended.
        let _ = self.orders.send(Order::Presented { presenter, warning }).await;
    }

    /// Leaves the room, lets devices go, closes the rooms opened here and ends; within 10 s.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close { done }).await.is_ok() {
            // An error means that the actor is gone, which is what was asked for.
            let _ = closed.await;
        }
    }

    /// What is to be drawn.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What stands around it.
    pub fn host(&self) -> &Arc<H> {
        &self.host
    }
}
