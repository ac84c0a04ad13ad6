use crate::actor::{Actor, Command, Reply, Shared};
use confab_frame::{Slot, VideoFrame};
use confab_media::process::Processing;
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{Code, Event, Fault, Participant, RawEnterParams, Statistics, StreamType};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for the actor.
const COMMANDS: usize = 64;
/// Events that may wait for the app, which is expected to take them at once.
const EVENTS: usize = 4096;

/// What of the others is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receive {
    /// Every voice, and every picture until [`Session::stop_remote_view`].
    #[default]
    All,
    /// Nothing but the pictures asked for with [`Session::start_remote_view`].
    None,
    /// Every voice, and the pictures asked for.
    OnDemand,
}

/// How a session behaves, whatever room it enters.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Name and version of the program, for the server's log.
    pub agent: String,
    pub receive: Receive,
    /// Size, rate and cost of our own picture.
    pub video: VideoConfig,
    /// Where the others are heard.
    pub speaker: SpeakerSink,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            agent: concat!("confab-", env!("CARGO_PKG_VERSION")).to_owned(),
            receive: Receive::default(),
            video: VideoConfig::default(),
            speaker: SpeakerSink::Device(None),
        }
    }
}

/// A handle to one client: a camera, a microphone, a speaker, and one room at a time. Clones share
/// the client; when the last one goes, it leaves its room and lets everything go.
#[derive(Clone, Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl Session {
    /// A client that is in no room. Its events come out of the receiver, in order. Needs a tokio
    /// runtime.
    pub fn start(config: SessionConfig) -> (Session, mpsc::Receiver<Event>) {
        let (commands, taken) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::channel(EVENTS);
        let shared = Arc::new(Shared::default());
        tokio::spawn(Actor::new(config, events, shared.clone()).run(taken));
        (Session { commands, shared }, receiver)
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let closed = || Fault::new(Code::FAILED).with_message("This client was closed.");
        self.commands.send(command(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())
    }

    /// Enters a room. The only error is -3340, while in or entering one; everything else is told by
    /// `onEnterRoom`, once.
    pub async fn enter_room(&self, params: RawEnterParams) -> Result<(), Fault> {
        self.ask(|reply| Command::Enter(Box::new(params), reply)).await?
    }

    /// Leaves the room or abandons the entry; `onExitRoom` follows when everything is let go, and
    /// nothing when there is nothing to leave.
    pub async fn exit_room(&self) -> Result<(), Fault> {
        self.ask(Command::Exit).await
    }

    /// Opens a camera for the preview, and for the others while in a room.
    pub async fn start_local_video(&self, source: CameraSource) -> Result<(), Fault> {
        self.ask(|reply| Command::StartVideo(source, reply)).await?
    }

    /// Closes the camera.
    pub async fn stop_local_video(&self) -> Result<(), Fault> {
        self.ask(Command::StopVideo).await
    }

    /// Sends no picture while muted; the preview goes on.
    pub async fn mute_local_video(&self, muted: bool) -> Result<(), Fault> {
        self.ask(|reply| Command::MuteVideo(muted, reply)).await
    }

    /// Opens a microphone.
    pub async fn start_local_audio(&self, source: MicrophoneSource) -> Result<(), Fault> {
        self.ask(|reply| Command::StartAudio(source, reply)).await?
    }

    /// Closes the microphone.
    pub async fn stop_local_audio(&self) -> Result<(), Fault> {
        self.ask(Command::StopAudio).await
    }

    /// Sends no sound while muted.
    pub async fn mute_local_audio(&self, muted: bool) -> Result<(), Fault> {
        self.ask(|reply| Command::MuteAudio(muted, reply)).await
    }

    /// Takes echo, noise and uneven levels out of our own voice, or no longer; at first all of them.
    pub async fn set_processing(&self, processing: Processing) -> Result<(), Fault> {
        self.ask(|reply| Command::SetProcessing(processing, reply)).await
    }

    /// Plays the others through another speaker, from now on.
    pub async fn set_speaker(&self, sink: SpeakerSink) -> Result<(), Fault> {
        self.ask(|reply| Command::SetSpeaker(sink, reply)).await?
    }

    /// Takes somebody's picture, 0 or 1 the camera's, 2 the shared screen's.
    pub async fn start_remote_view(&self, user: &str, stream_type: u8) -> Result<(), Fault> {
        let stream = stream_of(stream_type)?;
        self.ask(|reply| Command::View { user: user.to_owned(), stream, on: true, reply }).await
    }

    /// Takes it no longer.
    pub async fn stop_remote_view(&self, user: &str, stream_type: u8) -> Result<(), Fault> {
        let stream = stream_of(stream_type)?;
        self.ask(|reply| Command::View { user: user.to_owned(), stream, on: false, reply }).await
    }

    /// Our own picture.
    pub fn local_video(&self) -> Arc<Slot<VideoFrame>> {
        self.shared.local.clone()
    }

    /// Somebody's camera; nothing when they are not there. The slot stays the same while they stay.
    pub fn remote_video(&self, user: &str) -> Option<Arc<Slot<VideoFrame>>> {
        self.shared.slot(user, StreamType::Big)
    }

    /// Somebody's shared screen.
    pub fn remote_screen(&self, user: &str) -> Option<Arc<Slot<VideoFrame>>> {
        self.shared.slot(user, StreamType::Sub)
    }

    /// Everybody else in the room, by user id.
    pub async fn participants(&self) -> Vec<Participant> {
        self.ask(Command::Participants).await.unwrap_or_default()
    }

    /// The figures of the latest second or two.
    pub async fn statistics(&self) -> Statistics {
        self.ask(Command::Statistics).await.unwrap_or_default()
    }

    /// Leaves the room, if there is one, and returns when everything is let go.
    pub async fn close(self) {
        let _ = self.ask(Command::Close).await;
    }
}

fn stream_of(number: u8) -> Result<StreamType, Fault> {
    StreamType::from_number(number).ok_or_else(|| {
        Fault::new(Code::INVALID_PARAMETER).with_message(format!(
            "There is no stream type {number}; 0 is the camera, 1 its small picture, 2 the shared screen."
        ))
    })
}
