//! Our own camera, microphone and speaker, and what of them is sent.

use super::{Actor, Inside, drop_aside};
use crate::link::{Kind, Order, Publication};
use crate::offload::offload;
use crate::publish::camera::{CameraOut, CameraStream};
use crate::publish::voice::{VoiceOut, VoiceStream};
use crate::session::SessionConfig;
use crate::subscribe::video::Whose;
use crate::transport::LocalTrack;
use confab_frame::{EncodedAudio, Slot, VideoFrame, queue};
use confab_media::audio::AudioEngine;
use confab_media::capture::Camera;
use confab_media::{CameraSource, MediaError, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Event, Fault, StreamType};
use confab_signal::lk;
use lk::request_response::Reason;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often it is looked whether our own first picture is there.
const FIRST_PICTURE: Duration = Duration::from_millis(10);

/// The sound of the room.
#[derive(Debug, Default)]
enum Engine {
    #[default]
    Off,
    /// Devices take their time; nobody waits until it is needed.
    Starting(JoinHandle<Started>),
    On {
        engine: Arc<AudioEngine>,
        encoded: Arc<queue::Receiver<EncodedAudio>>,
    },
}

/// An engine that has started, and what was wrong with the speaker that was asked for.
#[derive(Debug)]
pub(crate) struct Started {
    engine: Option<(AudioEngine, queue::Receiver<EncodedAudio>)>,
    complaint: Option<MediaError>,
}

/// A camera that is open.
#[derive(Debug)]
struct OpenCamera {
    source: CameraSource,
    camera: Camera,
    /// Tells the first picture.
    watch: JoinHandle<()>,
}

/// How one of our streams stands with the server.
#[derive(Debug)]
pub(super) struct Sending<S> {
    /// Told to the link.
    asked: bool,
    /// The server's id and the stream, once it is taken.
    stream: Option<(String, Arc<S>)>,
    /// What the server believes.
    announced_muted: bool,
}

impl<S> Default for Sending<S> {
    fn default() -> Self {
        Self { asked: false, stream: None, announced_muted: false }
    }
}

#[derive(Debug, Default)]
pub(super) struct Local {
    camera: Option<OpenCamera>,
    camera_muted: bool,
    microphone: Option<MicrophoneSource>,
    voice_muted: bool,
    engine: Engine,
    /// The server lets us send.
    pub(super) may_publish: bool,
    /// The connection that carries what we send is up.
    can_send: bool,
    pub(super) video: Sending<CameraStream>,
    pub(super) voice: Sending<VoiceStream>,
    camera_out: Option<CameraOut>,
    voice_out: Option<VoiceOut>,
}

impl<S> Sending<S> {
    /// The stream, once the server has taken it.
    pub(super) fn stream(&self) -> Option<&Arc<S>> {
        self.stream.as_ref().map(|(_, stream)| stream)
    }

    fn is(&self, sid: &str) -> bool {
        self.stream.as_ref().is_some_and(|(known, _)| known == sid)
    }
}

impl Local {
    /// What is sent from the start of a connection.
    pub(super) fn publications(&mut self, config: &SessionConfig) -> Vec<Publication> {
        let mut publications = Vec::new();
        if self.microphone.is_some() {
            self.voice = Sending { asked: true, announced_muted: self.voice_muted, ..Sending::default() };
            publications.push(Publication { kind: Kind::Voice, muted: self.voice_muted });
        }
        if self.camera.is_some() {
            self.video = Sending { asked: true, announced_muted: self.camera_muted, ..Sending::default() };
            publications.push(Publication { kind: camera_kind(config), muted: self.camera_muted });
        }
        publications
    }

    /// Ends what is sent; devices stay open.
    pub(super) async fn stop_sending(&mut self) {
        self.can_send = false;
        if let Some(out) = self.camera_out.take() {
            out.stop().await;
        }
        if let Some(out) = self.voice_out.take() {
            out.stop().await;
        }
        self.video = Sending::default();
        self.voice = Sending::default();
    }

    /// Closes every device.
    pub(super) async fn release(&mut self) {
        self.stop_sending().await;
        self.close_camera().await;
        self.microphone = None;
        (self.camera_muted, self.voice_muted) = (false, false);
        self.close_engine().await;
    }

    /// Closes what only a room needs: the speaker, unless the microphone is open.
    pub(super) async fn leave_room(&mut self) {
        if self.microphone.is_none() {
            self.close_engine().await;
        }
    }

    async fn close_camera(&mut self) {
        if let Some(open) = self.camera.take() {
            open.watch.abort();
            let _ = open.watch.await;
            drop_aside("camera-release", open.camera).await;
        }
    }

    async fn close_engine(&mut self) {
        match std::mem::take(&mut self.engine) {
            Engine::Off => {}
            Engine::Starting(task) => {
                if let Ok(started) = task.await {
                    drop_aside("audio-release", started).await;
                }
            }
            Engine::On { engine, encoded } => drop_aside("audio-release", (engine, encoded)).await,
        }
    }

    /// How loud everybody is, with our own voice first.
    pub(super) fn engine(&self) -> Option<&Arc<AudioEngine>> {
        match &self.engine {
            Engine::On { engine, .. } => Some(engine),
            Engine::Off | Engine::Starting(_) => None,
        }
    }
}

impl Actor {
    pub(super) async fn start_video(&mut self, source: CameraSource) -> Result<(), Fault> {
        if self
            .local
            .camera
            .as_ref()
            .is_some_and(|open| open.source == source && open.camera.failure().is_none())
        {
            return Ok(());
        }
        self.local.close_camera().await;
        let (config, slot, wanted) = (self.config.video, self.shared.local.clone(), source.clone());
        let opened = offload("camera-open", move || Camera::start(&wanted, config, slot)).await;
        let opened = opened.unwrap_or_else(|| Err(no_thread()));
        match opened {
            Ok(camera) => {
                let watch = tokio::spawn(watch(self.shared.local.clone(), self.inside.clone()));
                self.local.camera = Some(OpenCamera { source, camera, watch });
                self.emit(Event::OnCameraDidReady);
                self.warn_audience();
                self.keep_in_step();
                Ok(())
            }
            Err(error) => {
                self.keep_in_step();
                Err(self.device_fault(&error))
            }
        }
    }

    pub(super) async fn stop_video(&mut self) {
        if let Some(out) = self.local.camera_out.take() {
            out.stop().await;
        }
        self.local.close_camera().await;
        self.keep_in_step();
    }

    pub(super) fn mute_video(&mut self, muted: bool) {
        self.local.camera_muted = muted;
        self.keep_in_step();
    }

    pub(super) async fn start_audio(&mut self, source: MicrophoneSource) -> Result<(), Fault> {
        if self.local.microphone.as_ref() == Some(&source) {
            return Ok(());
        }
        let engine = self.audio_engine().await?;
        let wanted = source.clone();
        let opened = offload("microphone-open", move || engine.set_microphone(Some(&wanted))).await;
        match opened.unwrap_or_else(|| Err(no_thread())) {
            Ok(()) => {
                self.local.microphone = Some(source);
                self.emit(Event::OnMicDidReady);
                self.warn_audience();
                self.keep_in_step();
                Ok(())
            }
            Err(error) => Err(self.device_fault(&error)),
        }
    }

    pub(super) async fn stop_audio(&mut self) {
        if self.local.microphone.take().is_none() {
            return;
        }
        if let Some(out) = self.local.voice_out.take() {
            out.stop().await;
        }
        if let Some(engine) = self.local.engine().cloned() {
            let closed = offload("microphone-release", move || engine.set_microphone(None)).await;
            if let Some(Err(error)) = closed {
                tracing::warn!(%error, "the microphone did not close in order");
            }
        }
        self.keep_in_step();
        if self.params.is_none() {
            self.local.close_engine().await;
        }
    }

    pub(super) fn mute_audio(&mut self, muted: bool) {
        self.local.voice_muted = muted;
        self.keep_in_step();
    }

    pub(super) async fn set_speaker(&mut self, sink: SpeakerSink) -> Result<(), Fault> {
        if !matches!(self.local.engine, Engine::Off) {
            let engine = self.audio_engine().await?;
            let wanted = sink.clone();
            let opened = offload("speaker-open", move || engine.set_speaker(&wanted)).await;
            opened.unwrap_or_else(|| Err(no_thread())).map_err(|error| self.device_fault(&error))?;
        }
        self.config.speaker = sink;
        Ok(())
    }

    /// Starts the audio engine without waiting for it.
    pub(super) fn start_engine(&mut self) {
        if matches!(self.local.engine, Engine::Off) {
            let sink = self.config.speaker.clone();
            self.local.engine = Engine::Starting(tokio::spawn(start_engine(sink)));
        }
    }

    /// The audio engine, started if need be.
    pub(super) async fn audio_engine(&mut self) -> Result<Arc<AudioEngine>, Fault> {
        self.start_engine();
        if let Engine::Starting(task) = &mut self.local.engine {
            let started = task.await.unwrap_or(Started { engine: None, complaint: None });
            self.local.engine = match started.engine {
                Some((engine, encoded)) => {
                    Engine::On { engine: Arc::new(engine), encoded: Arc::new(encoded) }
                }
                None => Engine::Off,
            };
            if let Some(error) = &started.complaint {
                let fault = media_fault(error);
                self.emit(Event::warning(&fault));
            }
            if let Some(engine) = self.local.engine() {
                engine.set_muted(self.local.voice_muted);
            }
        }
        self.local
            .engine()
            .cloned()
            .ok_or_else(|| Fault::new(Code::FAILED).with_message("There is no sound."))
    }

    /// Looks after devices that fail by themselves, and hears of an engine that has started.
    pub(super) async fn care(&mut self) {
        if matches!(&self.local.engine, Engine::Starting(task) if task.is_finished()) {
            // The outcome is told by a warning.
            let _ = self.audio_engine().await;
        }
        let broken = self.local.camera.as_ref().and_then(|open| open.camera.failure());
        if let Some(error) = broken {
            self.stop_video().await;
            self.device_fault(&error);
        }
        let broken = self.local.camera_out.as_ref().and_then(CameraOut::failure);
        if let Some(error) = broken {
            if let Some(out) = self.local.camera_out.take() {
                out.stop().await;
            }
            self.device_fault(&error);
        }
        let broken = self.local.engine().and_then(|engine| engine.failure());
        if let Some(error) = broken {
            self.device_fault(&error);
            self.stop_audio().await;
            self.local.close_engine().await;
        }
    }

    /// What we send goes through from now on.
    pub(super) fn can_send(&mut self) {
        self.local.can_send = true;
        self.keep_in_step();
    }

    /// The server has taken one of our tracks.
    pub(super) fn published(&mut self, cid: &str, sid: String, track: LocalTrack) {
        if cid == Kind::Voice.cid() {
            self.local.voice.stream = Some((sid, Arc::new(VoiceStream::new(track))));
        } else {
            self.local.video.stream = Some((sid, Arc::new(CameraStream::new(track))));
        }
        self.keep_in_step();
    }

    /// The server does not take one of our tracks; we stay in the room.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other reasons have no code of their own")]
    pub(super) fn not_published(&mut self, reason: Reason, message: String) {
        let fault = match reason {
            Reason::NotAllowed => Fault::new(Code::AUDIENCE_CANNOT_PUBLISH),
            Reason::LimitExceeded => Fault::new(Code::ROOM_FULL).with_message(
                "Too many people send picture or sound in this room already; you can watch and listen.",
            ),
            _ => Fault::new(Code::SERVER_PROCESS_FAILED).with_message(message),
        };
        self.complain(&fault);
    }

    /// The server took one of our tracks away: it leaves the next offer too.
    pub(super) async fn withdrawn(&mut self, sid: &str) {
        if self.local.video.is(sid) {
            if let Some(out) = self.local.camera_out.take() {
                out.stop().await;
            }
            self.local.video = Sending::default();
            self.order(Order::Unpublish { cid: camera_kind(&self.config).cid() });
        } else if self.local.voice.is(sid) {
            if let Some(out) = self.local.voice_out.take() {
                out.stop().await;
            }
            self.local.voice = Sending::default();
            self.order(Order::Unpublish { cid: Kind::Voice.cid() });
        }
    }

    /// An administrator muted one of our tracks, or gave it back.
    pub(super) fn muted_by_server(&mut self, sid: &str, muted: bool) {
        if self.local.video.is(sid) {
            self.local.camera_muted = muted;
            self.local.video.announced_muted = muted;
        } else if self.local.voice.is(sid) {
            self.local.voice_muted = muted;
            self.local.voice.announced_muted = muted;
        }
        self.keep_in_step();
    }

    /// The server says what we may do.
    pub(super) fn own_permission(&mut self, own: &lk::ParticipantInfo) {
        let may = own.permission.as_ref().is_none_or(|permission| permission.can_publish);
        let before = std::mem::replace(&mut self.local.may_publish, may);
        if before && !may {
            self.warn_audience();
        }
        self.keep_in_step();
    }

    /// Somebody in the audience who opens a camera or a microphone learns that it is not sent.
    pub(super) fn warn_audience(&mut self) {
        let in_room = matches!(self.room.phase(), crate::room::Phase::In);
        let open = self.local.camera.is_some() || self.local.microphone.is_some();
        if in_room && open && !self.local.may_publish {
            self.complain(&Fault::new(Code::AUDIENCE_CANNOT_PUBLISH));
        }
    }

    /// Publishes, starts, pauses and mutes so that what is sent fits what is open.
    fn keep_in_step(&mut self) {
        let local = &mut self.local;
        if let Some(engine) = local.engine() {
            engine.set_muted(local.voice_muted);
        }
        if self.link.is_none() || !local.may_publish {
            return;
        }
        let mut orders = Vec::new();
        let video = (local.camera.is_some(), local.camera_muted);
        announce(&mut local.video, camera_kind(&self.config), video, &mut orders);
        let voice = (local.microphone.is_some(), local.voice_muted);
        announce(&mut local.voice, Kind::Voice, voice, &mut orders);
        for order in orders {
            self.order(order);
        }
        self.start_camera_out();
        self.start_voice_out();
    }

    fn start_camera_out(&mut self) {
        let local = &mut self.local;
        if let Some(out) = &local.camera_out {
            out.set_paused(local.camera_muted);
            return;
        }
        let (Some(stream), true, true) = (local.video.stream(), local.can_send, local.camera.is_some())
        else {
            return;
        };
        let frames = self.shared.local.clone();
        match CameraOut::start(self.config.video, frames, stream.clone(), self.inside.clone()) {
            Ok(out) => {
                out.set_paused(local.camera_muted);
                local.camera_out = Some(out);
            }
            Err(error) => {
                self.device_fault(&error);
            }
        }
    }

    fn start_voice_out(&mut self) {
        let local = &mut self.local;
        if let (None, Some(stream), true, true, Engine::On { encoded, .. }) = (
            &local.voice_out,
            local.voice.stream(),
            local.can_send,
            local.microphone.is_some(),
            &local.engine,
        ) {
            local.voice_out = Some(VoiceOut::start(encoded.clone(), stream.clone(), self.inside.clone()));
        }
    }

    /// Tells the app what is wrong with a device and makes it an answer.
    fn device_fault(&mut self, error: &MediaError) -> Fault {
        let fault = media_fault(error);
        self.complain(&fault);
        fault
    }
}

/// Publishes a stream that is open, and tells the server when it is muted or closed.
fn announce<S>(sending: &mut Sending<S>, kind: Kind, (open, muted): (bool, bool), orders: &mut Vec<Order>) {
    let muted = muted || !open;
    if !sending.asked {
        if open {
            (sending.asked, sending.announced_muted) = (true, muted);
            orders.push(Order::Publish(Publication { kind, muted }));
        }
    } else if let Some((sid, _)) = &sending.stream
        && sending.announced_muted != muted
    {
        sending.announced_muted = muted;
        orders.push(Order::Mute { sid: sid.clone(), muted });
    }
}

fn camera_kind(config: &SessionConfig) -> Kind {
    let video = config.video;
    Kind::Camera { width: video.width, height: video.height, bitrate: video.bitrate }
}

/// Opens the speaker, or mixes for nobody when it cannot be opened.
async fn start_engine(sink: SpeakerSink) -> Started {
    let started = offload("audio-start", move || match AudioEngine::start(&sink) {
        Ok(engine) => Started { engine: Some(engine), complaint: None },
        Err(error) => Started { engine: AudioEngine::start(&SpeakerSink::Null).ok(), complaint: Some(error) },
    });
    started.await.unwrap_or_else(|| Started { engine: None, complaint: Some(no_thread()) })
}

/// Waits for the first picture of our own camera.
async fn watch(slot: Arc<Slot<VideoFrame>>, inside: mpsc::Sender<Inside>) {
    let mut look = tokio::time::interval(FIRST_PICTURE);
    loop {
        look.tick().await;
        if let Some(frame) = slot.latest() {
            let whose = Whose { user_id: String::new(), stream: StreamType::Big };
            let (width, height) = (frame.buffer.width(), frame.buffer.height());
            let _ = inside.send(Inside::FirstPicture { whose, width, height }).await;
            return;
        }
    }
}

fn media_fault(error: &MediaError) -> Fault {
    let mut message = error.to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    message.push('.');
    Fault { code: error.code(), detail: None, message }
}

fn no_thread() -> MediaError {
    MediaError::Worker { thread: "device".into(), what: "it could not start".into() }
}
