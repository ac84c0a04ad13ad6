//! Our voice on its way from the encoder to the network.

use super::Sent;
use super::packetize::VoicePacketizer;
use crate::actor::Inside;
use crate::transport::{LocalTrack, OPUS};
use confab_frame::{EncodedAudio, queue};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Our voice as it is published.
#[derive(Debug)]
pub(crate) struct VoiceStream {
    track: LocalTrack,
    packetizer: Mutex<VoicePacketizer>,
    pub(crate) sent: Sent,
}

impl VoiceStream {
    pub(crate) fn new(track: LocalTrack) -> Self {
        let packetizer = Mutex::new(VoicePacketizer::new(track.ssrc, OPUS));
        Self { track, packetizer, sent: Sent::default() }
    }

    /// Sends one packet; true when it went out, false for silence, which does not.
    async fn send(&self, sound: &EncodedAudio) -> bool {
        let packet = self.packetizer.lock().unwrap_or_else(PoisonError::into_inner).packet(sound);
        let Some(packet) = packet else { return false };
        self.sent.add(packet.payload.len());
        match self.track.write_voice(packet, sound.level).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "a packet of sound was not sent");
                false
            }
        }
    }
}

/// The task that sends what the microphone's encoder makes.
#[derive(Debug)]
pub(crate) struct VoiceOut {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl VoiceOut {
    /// Sends what comes out of `encoded`; what waited there from before is old and dropped.
    pub(crate) fn start(
        encoded: Arc<queue::Receiver<EncodedAudio>>,
        stream: Arc<VoiceStream>,
        inside: mpsc::Sender<Inside>,
    ) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let wake = Arc::new(Notify::new());
            let waker = wake.clone();
            while encoded.try_pop().is_some() {}
            encoded.on_push(move || waker.notify_one());
            while stopped.run_until_cancelled(wake.notified()).await.is_some() {
                while let Some(entry) = encoded.try_pop() {
                    let Some(sent) = stopped.run_until_cancelled(stream.send(&entry.value)).await else {
                        return;
                    };
                    if sent && stream.sent.unit() {
                        let _ = inside.send(Inside::VoiceSent).await;
                    }
                }
            }
        });
        Self { stop, task }
    }

    /// Ends the task.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that sends the voice failed");
        }
    }
}
