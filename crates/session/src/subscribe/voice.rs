//! One voice on its way from the network to the speaker.

use super::{Numbers, Received};
use crate::actor::Inside;
use confab_media::MediaError;
use confab_media::audio::{AudioEngine, RemoteAudio};
use confab_media::jitter::{AudioPacket, JitterStats};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// How often it is looked whether the first sound was played.
const FIRST_SOUND: Duration = Duration::from_millis(10);

/// Somebody's voice: the task that takes their packets and hands them to the audio engine.
#[derive(Debug)]
pub(crate) struct VoiceIn {
    pub(crate) user_id: String,
    pub(crate) received: Arc<Received>,
    remote: Arc<RemoteAudio>,
    muted: Arc<AtomicBool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl VoiceIn {
    /// Plays `track`.
    pub(crate) fn start(
        track: Arc<dyn TrackRemote>,
        user_id: String,
        engine: &AudioEngine,
        inside: mpsc::Sender<Inside>,
    ) -> Result<Self, MediaError> {
        let remote = Arc::new(engine.add_remote(user_id.clone())?);
        let received = Arc::new(Received::default());
        let muted = Arc::new(AtomicBool::new(false));
        let is_muted = muted.clone();
        let stop = CancellationToken::new();
        let (player, counts, name) = (remote.clone(), received.clone(), user_id.clone());
        let receive = async move {
            let mut look = tokio::time::interval(FIRST_SOUND);
            look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let (mut heard, mut source, mut numbers) = (false, None, Numbers::default());
            loop {
                tokio::select! {
                    event = track.poll() => match event {
                        Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                            let header = &packet.header;
                            if source.replace(header.ssrc) != Some(header.ssrc) {
                                numbers = Numbers::default();
                            }
                            counts.add(packet.payload.len());
                            if is_muted.load(Ordering::Relaxed) {
                                // It is still on its way; what follows the mute continues nothing.
                                source = None;
                                continue;
                            }
                            counts.arrived(numbers.push(header.sequence_number));
                            player.push(AudioPacket {
                                seq: packet.header.sequence_number,
                                timestamp: packet.header.timestamp,
                                payload: packet.payload,
                                at: Instant::now(),
                            });
                        }
                        // A track that has "ended" goes on when it is subscribed to again.
                        Some(_) => {}
                        None => return,
                    },
                    _ = look.tick(), if !heard => {
                        heard = player.heard();
                        if heard {
                            let _ = inside.send(Inside::FirstSound { user_id: name.clone() }).await;
                        }
                    }
                }
            }
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let _ = stopped.run_until_cancelled(receive).await;
        });
        Ok(Self { user_id, received, remote, muted, stop, task })
    }

    /// Plays nothing while muted.
    pub(crate) fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    /// How the voice does.
    pub(crate) fn stats(&self) -> JitterStats {
        self.remote.stats()
    }

    /// Loudness, 0 to 100.
    pub(crate) fn level(&self) -> u8 {
        self.remote.level()
    }

    /// Ends the task and silences the voice.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that receives a voice failed");
        }
    }
}
