//! Somebody else's voice, from both sides: who hands packets over, and the thread that plays them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use confab_frame::{AudioBlock, BLOCK_SAMPLES, queue};

use super::level::Meter;
use crate::MediaError;
use crate::decode::opus::{Decoder, LONGEST};
use crate::jitter::{AudioPacket, Config, JitterBuffer, JitterStats, Output, Pace};
use crate::stretch;

/// Packets that may wait for the thread, which takes them every 10 ms: over a second's burst.
const PACKETS: usize = 64;

/// What a voice's two ends share.
#[derive(Debug)]
pub(super) struct RemoteShared {
    key: String,
    level: AtomicU8,
    heard: AtomicBool,
    stats: Mutex<JitterStats>,
}

impl RemoteShared {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn level(&self) -> u8 {
        self.level.load(Ordering::Relaxed)
    }
}

/// Our end of somebody's voice. Dropping it silences and forgets them.
pub struct RemoteAudio {
    shared: Arc<RemoteShared>,
    packets: queue::Sender<AudioPacket>,
}

impl RemoteAudio {
    pub(super) fn shared(&self) -> &Arc<RemoteShared> {
        &self.shared
    }

    /// Hands a packet over, in any order, from any thread; never waits.
    pub fn push(&self, packet: AudioPacket) {
        self.packets.push(packet);
    }

    /// Delay, loss and concealment so far.
    pub fn stats(&self) -> JitterStats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a first packet was decoded and played.
    pub fn heard(&self) -> bool {
        self.shared.heard.load(Ordering::Relaxed)
    }

    /// How loud they are, 0 to 100.
    pub fn level(&self) -> u8 {
        self.shared.level()
    }
}

impl fmt::Debug for RemoteAudio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteAudio({})", self.shared.key)
    }
}

/// The thread's end: packets become blocks.
pub(super) struct Voice {
    shared: Arc<RemoteShared>,
    packets: queue::Receiver<AudioPacket>,
    jitter: JitterBuffer,
    decoder: Decoder,
    decoded: Box<[f32; LONGEST]>,
    /// Decoded and not played yet.
    pending: VecDeque<f32>,
    meter: Meter,
}

/// Both ends of a new voice.
pub(super) fn pair(key: String) -> Result<(RemoteAudio, Voice), MediaError> {
    let shared = Arc::new(RemoteShared {
        key,
        level: AtomicU8::new(0),
        heard: AtomicBool::new(false),
        stats: Mutex::default(),
    });
    let (sender, packets) = queue::bounded(PACKETS);
    let voice = Voice {
        shared: shared.clone(),
        packets,
        jitter: JitterBuffer::new(Config::default()),
        decoder: Decoder::new()?,
        decoded: Box::new([0.0; LONGEST]),
        pending: VecDeque::with_capacity(LONGEST),
        meter: Meter::default(),
    };
    Ok((RemoteAudio { shared, packets: sender }, voice))
}

impl Voice {
    /// Whether the other end was dropped.
    pub(super) fn is_gone(&self) -> bool {
        self.packets.is_finished()
    }

    /// The block to be played at `now`, or nothing while the person is silent.
    pub(super) fn pull(&mut self, now: Instant) -> Option<AudioBlock> {
        while let Some(entry) = self.packets.try_pop() {
            self.jitter.push(entry.value);
        }
        let mut silent = self.pending.is_empty();
        while self.pending.len() < BLOCK_SAMPLES {
            let output = self.jitter.poll(now, self.pending.len());
            silent &= output == Output::Silence;
            self.decode(&output);
        }
        let block = AudioBlock(std::array::from_fn(|_| self.pending.pop_front().unwrap_or(0.0)));
        self.shared.level.store(self.meter.measure(&block), Ordering::Relaxed);
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = self.jitter.stats();
        (!silent).then_some(block)
    }

    fn decode(&mut self, output: &Output) {
        let out = &mut self.decoded;
        let (made, pace) = match output {
            Output::Packet { payload, pace } => (self.decoder.decode(payload, out), *pace),
            Output::Recover { following, samples } => {
                (self.decoder.recover(following, *samples, out), Pace::Steady)
            }
            Output::Conceal { samples } | Output::Comfort { samples } => {
                (self.decoder.conceal(*samples, out), Pace::Steady)
            }
            Output::Silence => return self.pending.resize(BLOCK_SAMPLES, 0.0),
        };
        let samples = match made {
            Ok(samples) => {
                if matches!(output, Output::Packet { .. }) {
                    self.shared.heard.store(true, Ordering::Relaxed);
                }
                samples.min(LONGEST)
            }
            Err(error) => {
                tracing::debug!(%error, "a packet of sound was not decoded");
                out[..2 * BLOCK_SAMPLES].fill(0.0);
                2 * BLOCK_SAMPLES
            }
        };
        let samples = match pace {
            Pace::Steady => samples,
            Pace::Faster => stretch::shorten(&mut out[..], samples),
            Pace::Slower => stretch::lengthen(&mut out[..], samples),
        };
        // No samples would make the caller ask for ever.
        if samples == 0 {
            self.pending.resize(BLOCK_SAMPLES, 0.0);
        } else {
            self.pending.extend(&out[..samples]);
        }
    }
}
