//! Our own camera, microphone and speaker.

mod follow;
mod refusal;
mod sending;

use super::{Actor, Inside, drop_aside};
use crate::fault::media_fault;
use crate::offload::offload;
use crate::publish::camera::{CameraOut, CameraStream};
use crate::publish::voice::{VoiceOut, VoiceStream};
use crate::subscribe::video::Whose;
use confab_frame::{EncodedAudio, Slot, VideoFrame, queue};
use confab_media::audio::{AudioEngine, Clarity};
use confab_media::capture::Camera;
use confab_media::process::Processing;
use confab_media::{CameraSource, DeviceKind, MediaError, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Event, Fault, Role, Scene, StreamType};
use follow::Followed;
use sending::Sending;
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

/// What the server lets us send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct May {
    pub(super) voice: bool,
    pub(super) camera: bool,
    /// As what; none where it does not say. Our own role may be ahead of that: the answer to a switch and
    /// what the server tells of us come by different ways.
    pub(super) role: Option<Role>,
}

impl May {
    /// Whether somebody in `role` is kept from speaking, and is no mere viewer.
    fn hushes(self, role: Role, scene: Scene) -> bool {
        let watches = scene.is_live() && self.role.unwrap_or(role) == Role::Audience;
        !self.voice && !watches
    }
}

/// Our devices, and what of them is sent.
#[derive(Debug, Default)]
pub(super) struct Local {
    camera: Option<OpenCamera>,
    camera_muted: bool,
    microphone: Option<MicrophoneSource>,
    voice_muted: bool,
    processing: Processing,
    engine: Engine,
    followed: Followed,
    /// What the server lets us send.
    pub(super) may: May,
    /// The connection that carries what we send is up.
    can_send: bool,
    pub(super) video: Sending<CameraStream>,
    pub(super) voice: Sending<VoiceStream>,
    camera_out: Option<CameraOut>,
    voice_out: Option<VoiceOut>,
}

impl Local {
    /// Closes every device.
    pub(super) async fn release(&mut self) {
        self.stop_sending().await;
        self.close_camera().await;
        self.microphone = None;
        self.followed.release();
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

    /// What is done to our own voice from now on.
    pub(super) fn set_processing(&mut self, processing: Processing) {
        self.processing = processing;
        if let Some(engine) = self.engine() {
            engine.set_processing(processing);
        }
    }

    /// A microphone is open.
    pub(super) fn listens(&self) -> bool {
        self.microphone.is_some()
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
    /// Opens a camera in place of the one before, which comes back when the new one cannot be opened.
    pub(super) async fn start_video(&mut self, source: CameraSource) -> Result<(), Fault> {
        let running = self.local.camera.as_ref().filter(|open| open.camera.failure().is_none());
        if running.is_some_and(|open| open.source == source) {
            return Ok(());
        }
        let before = running.map(|open| open.source.clone());
        self.local.close_camera().await;
        let mut opened = self.open_camera(source.clone(), source.clone()).await;
        let away = self.away(&opened, DeviceKind::Camera);
        if away.is_some() {
            opened = self.open_camera(CameraSource::Device(None), source.clone()).await;
        }
        if opened.is_ok() {
            self.local.followed.forget(DeviceKind::Camera);
            self.local.followed.camera = Some(source);
        } else if let Some(before) = before
            && let Err(error) = self.open_camera(before.clone(), before).await
        {
            self.local.followed.camera = None;
            self.device_fault(&error);
        }
        if let (Ok(()), Some(chosen)) = (&opened, away) {
            self.tell_away(DeviceKind::Camera, &chosen);
        }
        self.keep_in_step();
        let goes_on = self.local.camera.is_some();
        opened.map_err(|error| self.start_fault(&error, goes_on))
    }

    /// The name of a device that was asked for, is not there, and was there once.
    fn away(&self, opened: &Result<(), MediaError>, kind: DeviceKind) -> Option<String> {
        let Err(MediaError::UnknownDevice { name, .. }) = opened else { return None };
        self.local.followed.name(kind, name).map(str::to_owned)
    }

    /// Opens a camera; `wish` is what was asked for, and may be another one.
    async fn open_camera(&mut self, source: CameraSource, wish: CameraSource) -> Result<(), MediaError> {
        let (config, slot) = (self.config.video, self.shared.local.clone());
        let opened = offload("camera-open", move || Camera::start(&source, config, slot)).await;
        let camera = opened.unwrap_or_else(|| Err(no_thread()))?;
        let watch = tokio::spawn(watch(self.shared.local.clone(), self.inside.clone()));
        self.local.camera = Some(OpenCamera { source: wish, camera, watch });
        self.emit(Event::OnCameraDidReady);
        self.local.video.may_again();
        self.warn_unsent(true, false);
        Ok(())
    }

    pub(super) async fn stop_video(&mut self) {
        self.local.followed.camera = None;
        self.local.followed.forget(DeviceKind::Camera);
        if let Some(out) = self.local.camera_out.take() {
            out.stop().await;
        }
        self.local.close_camera().await;
        self.keep_in_step();
    }

    pub(super) fn mute_video(&mut self, muted: bool) {
        self.local.camera_muted = muted;
        if !muted {
            self.local.video.may_again();
        }
        self.keep_in_step();
    }

    pub(super) async fn start_audio(&mut self, source: MicrophoneSource) -> Result<(), Fault> {
        if self.local.microphone.as_ref() == Some(&source) {
            return Ok(());
        }
        let engine = self.audio_engine().await?;
        let mut opened = open_microphone(engine.clone(), source.clone()).await;
        let away = self.away(&opened, DeviceKind::Microphone);
        if away.is_some() {
            opened = open_microphone(engine, MicrophoneSource::Device(None)).await;
        }
        match opened {
            Ok(()) => {
                self.local.followed.forget(DeviceKind::Microphone);
                self.local.followed.microphone = Some(source.clone());
                self.local.microphone = Some(source);
                self.emit(Event::OnMicDidReady);
                if let Some(chosen) = away {
                    self.tell_away(DeviceKind::Microphone, &chosen);
                }
                self.local.voice.may_again();
                self.warn_unsent(false, true);
                self.hush();
                self.keep_in_step();
                Ok(())
            }
            Err(error) => Err(self.start_fault(&error, self.local.microphone.is_some())),
        }
    }

    pub(super) async fn stop_audio(&mut self) {
        self.local.followed.forget(DeviceKind::Microphone);
        let wanted = self.local.followed.microphone.take().is_some();
        if self.local.microphone.is_none() && !wanted {
            return;
        }
        self.close_microphone().await;
        self.keep_in_step();
        if self.params.is_none() {
            self.local.close_engine().await;
        }
    }

    /// Closes the microphone and sends no sound from now on.
    async fn close_microphone(&mut self) {
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
    }

    pub(super) fn mute_audio(&mut self, muted: bool) -> Result<(), Fault> {
        if !muted && self.is_hushed() {
            let why = "A host muted you, or you may only listen here; you cannot unmute yourself.";
            return Err(Fault::new(Code::REFUSED).with_message(why));
        }
        self.local.voice_muted = muted;
        if !muted {
            self.local.voice.may_again();
        }
        self.keep_in_step();
        Ok(())
    }

    pub(super) async fn set_speaker(&mut self, sink: SpeakerSink) -> Result<(), Fault> {
        if !matches!(self.local.engine, Engine::Off) {
            let engine = self.audio_engine().await?;
            let wanted = sink.clone();
            let opened = offload("speaker-open", move || engine.set_speaker(&wanted)).await;
            opened.unwrap_or_else(|| Err(no_thread())).map_err(|error| self.device_fault(&error))?;
        }
        self.local.followed.forget(DeviceKind::Speaker);
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

    /// Sends our voice as the scene wants it: in voice scenes as speech (TRTC).
    pub(super) fn fit_clarity(&mut self) {
        let speech = self.params.as_ref().is_some_and(|params| params.scene.is_voice());
        if let Some(engine) = self.local.engine() {
            engine.set_clarity(if speech { Clarity::Speech } else { Clarity::Full });
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
            self.local.followed.forget(DeviceKind::Speaker);
            if let Some(error) = started.complaint {
                self.speaker_away(error);
            }
            if let Some(engine) = self.local.engine() {
                engine.set_muted(self.local.voice_muted);
                engine.set_processing(self.local.processing);
            }
            self.fit_clarity();
        }
        self.local
            .engine()
            .cloned()
            .ok_or_else(|| Fault::new(Code::FAILED).with_message("There is no sound."))
    }

    /// The speaker did not open. Nobody asked for it by itself, so that it is a warning whatever is
    /// wrong.
    fn speaker_away(&mut self, error: MediaError) {
        let known = self.away(&Err(error.clone()), DeviceKind::Speaker).is_some();
        if known {
            // The default takes its place and says so.
            return;
        }
        if !matches!(error, MediaError::NoDevice(_)) {
            self.local.followed.halt(DeviceKind::Speaker);
        }
        let fault = media_fault(&error);
        let code = if fault.code > 0 { fault.code } else { Code::SPEAKER_ABNORMAL.0 };
        self.emit(Event::warning(&Fault { code, ..fault }));
    }

    /// Looks after devices that fail by themselves, and hears of an engine that has started.
    pub(super) async fn care(&mut self) {
        if matches!(&self.local.engine, Engine::Starting(task) if task.is_finished()) {
            // The outcome is told by a warning.
            let _ = self.audio_engine().await;
        }
        let mended = self.mend(DeviceKind::Camera).await;
        let broken = self.local.camera.as_ref().and_then(|open| open.camera.failure());
        if let Some(error) = broken.filter(|_| !mended) {
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
        let mended = [self.mend(DeviceKind::Microphone).await, self.mend(DeviceKind::Speaker).await];
        let broken = self.local.engine().and_then(|engine| engine.failure());
        if let Some(error) = broken.filter(|error| !is_mended(error, mended)) {
            self.sound_failed(&error).await;
        }
    }

    /// Lets go of what failed and of nothing else: the others are heard on without a microphone, and
    /// hear us without a speaker.
    async fn sound_failed(&mut self, error: &MediaError) {
        self.device_fault(error);
        let (MediaError::DeviceLost { kind, .. } | MediaError::File { kind, .. }) = error else {
            self.stop_audio().await;
            return self.local.close_engine().await;
        };
        match kind {
            DeviceKind::Speaker => self.silence_speaker().await,
            DeviceKind::Microphone | DeviceKind::Camera => self.stop_audio().await,
        }
    }

    /// Mixes for nobody from now on.
    async fn silence_speaker(&mut self) {
        let Some(engine) = self.local.engine().cloned() else { return };
        let silenced = offload("speaker-release", move || engine.set_speaker(&SpeakerSink::Null));
        if let Some(Err(error)) = silenced.await {
            tracing::warn!(%error, "the speaker did not close in order");
        }
    }

    /// What is wrong with a device that was asked for. Where the one before goes on, only the answer
    /// says so: nothing has failed that was in use.
    fn start_fault(&mut self, error: &MediaError, goes_on: bool) -> Fault {
        if goes_on { media_fault(error) } else { self.device_fault(error) }
    }

    /// Tells the app what is wrong with a device and makes it an answer.
    fn device_fault(&mut self, error: &MediaError) -> Fault {
        let fault = media_fault(error);
        self.complain(&fault);
        fault
    }
}

/// Whether a failure of the sound is one of a microphone or speaker that is looked after.
fn is_mended(error: &MediaError, [microphone, speaker]: [bool; 2]) -> bool {
    let MediaError::DeviceLost { kind, .. } = error else { return false };
    match kind {
        DeviceKind::Microphone => microphone,
        DeviceKind::Speaker => speaker,
        DeviceKind::Camera => false,
    }
}

async fn open_microphone(engine: Arc<AudioEngine>, source: MicrophoneSource) -> Result<(), MediaError> {
    let opened = offload("microphone-open", move || engine.set_microphone(Some(&source))).await;
    opened.unwrap_or_else(|| Err(no_thread()))
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

fn no_thread() -> MediaError {
    MediaError::Worker { thread: "device".into(), what: "it could not start".into() }
}
