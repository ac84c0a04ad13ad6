//! The handle that an app holds, and what it may wish for.

use crate::actor::{Actor, Command, Reply, Shared};
use crate::message::Wanted;
use crate::subscribe::wishes::{Change, Mode};
use confab_frame::{Slot, VideoFrame};
use confab_media::process::Processing;
use confab_media::{CameraSource, Device, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{
    Code, Event, Fault, HostAction, OneTimeTicket, OtherRoom, Participant, RawEnterParams, Role, Statistics,
    StreamType, UserSigText,
};
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

    /// Becomes an anchor or one of the audience without leaving; with a fresh permission where the
    /// application asks for one. The error is one that is known at once (not in a live room);
    /// everything else is told by `onSwitchRole`.
    pub async fn switch_role(&self, role: Role, permission: Option<UserSigText>) -> Result<(), Fault> {
        self.ask(|reply| Command::SwitchRole(role, permission, reply)).await?
    }

    /// Goes to another room in one step, with devices as they are. The error is one that is known at
    /// once (-3 where we are on such a way already); everything else is told by `onSwitchRoom`, and a server
    /// that refuses leaves us where we are. Where a host there has to let us in, `onWaiting` says so and we
    /// stay here until then.
    pub async fn switch_room(&self, to: OtherRoom) -> Result<(), Fault> {
        self.ask(|reply| Command::SwitchRoom(to, reply)).await?
    }

    /// Stays in this room while the other one has not let us in yet; `onSwitchRoom` with -3 follows, and
    /// nothing where we were not on the way.
    pub async fn cancel_switch_room(&self) -> Result<(), Fault> {
        self.ask(Command::CancelSwitch).await
    }

    /// Makes what lets one person into this room, once, past its passcode and waiting room. For hosts and
    /// co-hosts; the error is the server's, or -3 where we are in no room.
    pub async fn invite_ticket(&self) -> Result<OneTimeTicket, Fault> {
        self.ask(Command::InviteTicket).await?
    }

    /// Does what a host does; the server answers whether it may be done and is done.
    pub async fn act(&self, action: HostAction) -> Result<(), Fault> {
        self.ask(|reply| Command::Act(action, reply)).await?
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

    /// Sends no sound while muted. Who is not let speak by a host cannot unmute (-3).
    pub async fn mute_local_audio(&self, muted: bool) -> Result<(), Fault> {
        self.ask(|reply| Command::MuteAudio(muted, reply)).await?
    }

    /// Takes echo, noise and uneven levels out of our own voice, or no longer; at first all of them.
    pub async fn set_processing(&self, processing: Processing) -> Result<(), Fault> {
        self.ask(|reply| Command::SetProcessing(processing, reply)).await
    }

    /// Plays the others through another speaker, from now on.
    pub async fn set_speaker(&self, sink: SpeakerSink) -> Result<(), Fault> {
        self.ask(|reply| Command::SetSpeaker(sink, reply)).await?
    }

    /// Tells which devices of all kinds there are now. Where one in use is gone, the system's default
    /// takes over; where a chosen one is back or the default is another, that one does. Returns when
    /// it is done, which may take seconds; what was done is told by events.
    pub async fn follow_devices(&self, devices: Vec<Device>) -> Result<(), Fault> {
        self.ask(|reply| Command::Devices(devices, reply)).await
    }

    /// Takes somebody's picture, 0 or 1 the camera's, 2 the shared screen's.
    pub async fn start_remote_view(&self, user: &str, stream_type: u8) -> Result<(), Fault> {
        let (user, stream) = (user.to_owned(), stream_of(stream_type)?);
        self.wish(Change::View { user, stream, on: true }).await
    }

    /// Takes it no longer.
    pub async fn stop_remote_view(&self, user: &str, stream_type: u8) -> Result<(), Fault> {
        let (user, stream) = (user.to_owned(), stream_of(stream_type)?);
        self.wish(Change::View { user, stream, on: false }).await
    }

    /// Whether voices and pictures come without being asked for, from the next entry on. Where voices do
    /// not, those come that are unmuted; where pictures do not, those of [`Session::start_remote_view`].
    pub async fn set_default_stream_recv_mode(&self, audio: bool, video: bool) -> Result<(), Fault> {
        self.wish(Change::Mode(Mode { voices: audio, pictures: video })).await
    }

    /// Receives somebody's picture no longer, and the last one stays; or again. Holds, as all mutes of
    /// others do, from before an entry until the exit, and over a lost connection.
    pub async fn mute_remote_video_stream(
        &self,
        user: &str,
        stream_type: u8,
        muted: bool,
    ) -> Result<(), Fault> {
        let (user, stream) = (user.to_owned(), stream_of(stream_type)?);
        self.wish(Change::MutePicture { user, stream, muted }).await
    }

    /// The same for everybody's pictures, also of those who come later, until something else is said
    /// about one of them.
    pub async fn mute_all_remote_video_streams(&self, muted: bool) -> Result<(), Fault> {
        self.wish(Change::MutePictures { muted }).await
    }

    /// Receives and plays somebody's voice no longer, or again.
    pub async fn mute_remote_audio(&self, user: &str, muted: bool) -> Result<(), Fault> {
        self.wish(Change::MuteVoice { user: user.to_owned(), muted }).await
    }

    /// The same for everybody's voices, also of those who come later, until something else is said about
    /// one of them.
    pub async fn mute_all_remote_audio(&self, muted: bool) -> Result<(), Fault> {
        self.wish(Change::MuteVoices { muted }).await
    }

    async fn wish(&self, change: Change) -> Result<(), Fault> {
        self.ask(|reply| Command::Wish(change, reply)).await
    }

    /// Sends a message of the app's own to everybody in the room: `cmd_id` 1 to 10, at most 1000 bytes,
    /// 30 messages and 8192 bytes a second; reliable and ordered, or neither. Returns when it is on its
    /// way. An error, with the limit in its sentence, means that it is not.
    pub async fn send_custom_cmd_msg(
        &self,
        cmd_id: i64,
        data: Vec<u8>,
        reliable: bool,
        ordered: bool,
    ) -> Result<(), Fault> {
        let wanted = Wanted { cmd_id, data, reliable, ordered };
        let sent = self.ask(|reply| Command::SendMessage(wanted, reply)).await??;
        sent.await.map_err(|_| {
            Fault::new(Code::DISCONNECTED).with_message(
                "The message was not sent, because the connection to the room does not carry it. Send it \
                 again.",
            )
        })
    }

    /// Our own picture.
    pub fn local_video(&self) -> Arc<Slot<VideoFrame>> {
        self.shared.local.clone()
    }

    /// Somebody's camera; nothing when they are not there. The slot stays the same while they stay.
    pub fn remote_video(&self, user: &str) -> Option<Arc<Slot<VideoFrame>>> {
        self.shared.slot(user, StreamType::Big)
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
