//! Our own camera, microphone and speaker.

mod sending;

use super::{Actor, Inside, drop_aside};
use crate::fault::media_fault;
use crate::offload::offload;
use crate::publish::camera::{CameraOut, CameraStream};
use crate::publish::voice::{VoiceOut, VoiceStream};
use crate::subscribe::video::Whose;
use confab_frame::{EncodedAudio, Slot, VideoFrame, queue};
use confab_media::audio::AudioEngine;
use confab_media::capture::Camera;
use confab_media::process::Processing;
use confab_media::{CameraSource, DeviceKind, MediaError, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Event, Fault, StreamType};
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

/// Our devices, and what of them is sent.
#[derive(Debug, Default)]
pub(super) struct Local {
    camera: Option<OpenCamera>,
    camera_muted: bool,
    microphone: Option<MicrophoneSource>,
    voice_muted: bool,
    processing: Processing,
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

impl Local {
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
        if self
            .local
            .camera
            .as_ref()
            .is_some_and(|open| open.source == source && open.camera.failure().is_none())
        {
            return Ok(());
        }
        let before = self.local.camera.as_ref().filter(|open| open.camera.failure().is_none());
        let before = before.map(|open| open.source.clone());
        self.local.close_camera().await;
        let opened = self.open_camera(source).await;
        if let (Err(_), Some(before)) = (&opened, before)
            && let Err(error) = self.open_camera(before).await
        {
            self.device_fault(&error);
        }
        self.keep_in_step();
        let goes_on = self.local.camera.is_some();
        opened.map_err(|error| self.start_fault(&error, goes_on))
    }

    async fn open_camera(&mut self, source: CameraSource) -> Result<(), MediaError> {
        let (config, slot, wanted) = (self.config.video, self.shared.local.clone(), source.clone());
        let opened = offload("camera-open", move || Camera::start(&wanted, config, slot)).await;
        let camera = opened.unwrap_or_else(|| Err(no_thread()))?;
        let watch = tokio::spawn(watch(self.shared.local.clone(), self.inside.clone()));
        self.local.camera = Some(OpenCamera { source, camera, watch });
        self.emit(Event::OnCameraDidReady);
        self.warn_audience();
        Ok(())
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
            Err(error) => Err(self.start_fault(&error, self.local.microphone.is_some())),
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
                // Nobody asked for a speaker by itself, so that it is a warning whatever is wrong.
                let code = if fault.code > 0 { fault.code } else { Code::SPEAKER_ABNORMAL.0 };
                self.emit(Event::warning(&Fault { code, ..fault }));
            }
            if let Some(engine) = self.local.engine() {
                engine.set_muted(self.local.voice_muted);
                engine.set_processing(self.local.processing);
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
        match (kind, self.local.engine().cloned()) {
            (DeviceKind::Speaker, Some(engine)) => {
                let silenced = offload("speaker-release", move || engine.set_speaker(&SpeakerSink::Null));
                if let Some(Err(error)) = silenced.await {
                    tracing::warn!(%error, "the speaker did not close in order");
                }
            }
            _ => self.stop_audio().await,
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
