//! Our picture on its way from the encoder to the network.

use super::Sent;
use super::packetize::{BURST, BURST_PAUSE, Packetizer};
use crate::actor::Inside;
use crate::offload::offload;
use crate::transport::{H264, LocalTrack};
use confab_frame::{EncodedVideo, Slot, VideoFrame, queue};
use confab_media::encode::VideoEncoderThread;
use confab_media::{MediaError, VideoConfig};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Encoded pictures that may wait for the network.
const WAITING: usize = 4;
/// Key frames are not made more often than this, whoever asks.
const KEY_INTERVAL: Duration = Duration::from_millis(100);

/// Our camera as it is published: it outlives an encoder that is stopped and started again.
#[derive(Debug)]
pub(crate) struct CameraStream {
    track: LocalTrack,
    packetizer: Mutex<Packetizer>,
    pub(crate) sent: Sent,
}

impl CameraStream {
    pub(crate) fn new(track: LocalTrack) -> Self {
        let packetizer = Mutex::new(Packetizer::new(track.ssrc, H264));
        Self { track, packetizer, sent: Sent::default() }
    }

    /// Sends one picture; the packets of a large one in bursts.
    async fn send(&self, picture: &EncodedVideo) -> bool {
        let packets = self.packetizer.lock().unwrap_or_else(PoisonError::into_inner).packets(picture);
        for (number, packet) in packets.into_iter().enumerate() {
            if number > 0 && number.is_multiple_of(BURST) {
                sleep(BURST_PAUSE).await;
            }
            self.sent.add(packet.payload.len());
            if let Err(error) = self.track.write(packet).await {
                tracing::debug!(%error, "a picture was not sent");
                return false;
            }
        }
        true
    }
}

/// The encoder of our camera and the task that sends what it makes.
#[derive(Debug)]
pub(crate) struct CameraOut {
    encoder: Arc<VideoEncoderThread>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl CameraOut {
    /// Encodes the latest picture of `frames` and sends it as `stream`.
    pub(crate) fn start(
        config: VideoConfig,
        frames: Arc<Slot<VideoFrame>>,
        stream: Arc<CameraStream>,
        inside: mpsc::Sender<Inside>,
    ) -> Result<Self, MediaError> {
        let (sender, encoded) = queue::bounded(WAITING);
        let encoder = Arc::new(VideoEncoderThread::start(config, frames, sender)?);
        let stop = CancellationToken::new();
        let sending = Sending { encoder: encoder.clone(), encoded, stream, inside, last_key: None };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let _ = stopped.run_until_cancelled(sending.run()).await;
        });
        Ok(Self { encoder, stop, task })
    }

    /// Encodes nothing while paused.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.encoder.set_paused(paused);
    }

    /// Why the encoder stopped by itself, if it did.
    pub(crate) fn failure(&self) -> Option<MediaError> {
        self.encoder.failure()
    }

    /// Ends the task and the encoder's thread.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that sends the camera failed");
        }
        let encoder = self.encoder;
        offload("camera-release", move || drop(encoder)).await;
    }
}

/// The task's state.
struct Sending {
    encoder: Arc<VideoEncoderThread>,
    encoded: queue::Receiver<EncodedVideo>,
    stream: Arc<CameraStream>,
    inside: mpsc::Sender<Inside>,
    last_key: Option<Instant>,
}

impl Sending {
    async fn run(mut self) {
        let wake = Arc::new(Notify::new());
        let waker = wake.clone();
        self.encoded.on_push(move || waker.notify_one());
        let mut key_due: Option<Instant> = None;
        loop {
            tokio::select! {
                () = self.stream.track.wish.notified() => {
                    tracing::debug!("a key frame is wished for");
                    let earliest = self.last_key.map(|last| last + KEY_INTERVAL);
                    key_due = Some(earliest.unwrap_or_else(Instant::now));
                }
                () = sleep_until(key_due.unwrap_or_else(Instant::now)), if key_due.is_some() => {
                    key_due = None;
                    self.encoder.request_key_frame();
                }
                () = wake.notified() => self.send_waiting().await,
            }
        }
    }

    async fn send_waiting(&mut self) {
        while let Some(entry) = self.encoded.try_pop() {
            if entry.dropped > 0 {
                // Later pictures build on the dropped ones.
                self.encoder.request_key_frame();
            }
            if entry.value.key {
                tracing::debug!(bytes = entry.value.data.len(), "a key frame goes out");
                self.last_key = Some(Instant::now());
            }
            if self.stream.send(&entry.value).await && self.stream.sent.unit() {
                let _ = self.inside.send(Inside::CameraSent).await;
            }
        }
    }
}
