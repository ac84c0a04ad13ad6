//! The lock-free rings between a device's callback and the audio thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a ring holds: half a second at the highest rate in use.
const RING: usize = 96_000;

/// Samples on their way to a speaker.
pub(in crate::audio) struct SpeakerRing {
    pub(in crate::audio) rate: u32,
    ring: rtrb::Producer<f32>,
    shared: Arc<SpeakerShared>,
}

/// Written by the callback, read by the audio thread.
struct SpeakerShared {
    /// Frames of the largest callback.
    appetite: AtomicUsize,
    /// Callbacks that found too little.
    hungry: AtomicU64,
}

/// The callback's end of a speaker's ring.
pub(super) struct SpeakerFeed {
    ring: rtrb::Consumer<f32>,
    shared: Arc<SpeakerShared>,
    begun: bool,
}

/// A ring at `rate` for a device that is expected to take `appetite` frames at once.
pub(super) fn speaker(rate: u32, appetite: usize) -> (SpeakerRing, SpeakerFeed) {
    let (producer, consumer) = rtrb::RingBuffer::new(RING);
    let shared = Arc::new(SpeakerShared { appetite: AtomicUsize::new(appetite), hungry: AtomicU64::new(0) });
    let feed = SpeakerFeed { ring: consumer, shared: shared.clone(), begun: false };
    (SpeakerRing { rate, ring: producer, shared }, feed)
}

impl SpeakerFeed {
    /// The next `wanted` frames; fewer when they are not there.
    pub(super) fn take(&mut self, wanted: usize) -> impl Iterator<Item = f32> {
        self.shared.appetite.fetch_max(wanted, Ordering::Relaxed);
        let count = wanted.min(self.ring.slots());
        self.begun |= count > 0;
        if self.begun && count < wanted {
            self.shared.hungry.fetch_add(1, Ordering::Relaxed);
        }
        self.ring.read_chunk(count).into_iter().flatten()
    }
}

impl SpeakerRing {
    /// Frames that the device takes at once.
    pub(in crate::audio) fn appetite(&self) -> usize {
        self.shared.appetite.load(Ordering::Relaxed)
    }

    /// Times that the device found too little.
    pub(in crate::audio) fn hungry(&self) -> u64 {
        self.shared.hungry.load(Ordering::Relaxed)
    }

    /// Frames that wait.
    pub(in crate::audio) fn waiting(&self) -> usize {
        RING - self.ring.slots()
    }

    /// Adds silence.
    pub(in crate::audio) fn fill(&mut self, samples: usize) {
        self.put(samples, std::iter::repeat(0.0));
    }

    /// Adds samples at the device's rate; what does not fit is lost.
    pub(in crate::audio) fn write(&mut self, samples: &[f32]) {
        self.put(samples.len(), samples.iter().copied());
    }

    fn put(&mut self, count: usize, samples: impl Iterator<Item = f32>) {
        let count = count.min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(count) {
            chunk.fill_from_iter(samples.take(count));
        }
    }
}

/// Samples on their way from a microphone.
pub(in crate::audio) struct MicrophoneRing {
    pub(in crate::audio) rate: u32,
    ring: rtrb::Consumer<f32>,
}

/// The callback's end of a microphone's ring.
pub(super) struct MicrophoneFeed {
    ring: rtrb::Producer<f32>,
}

/// A ring at `rate`.
pub(super) fn microphone(rate: u32) -> (MicrophoneFeed, MicrophoneRing) {
    let (producer, consumer) = rtrb::RingBuffer::new(RING);
    (MicrophoneFeed { ring: producer }, MicrophoneRing { rate, ring: consumer })
}

impl MicrophoneFeed {
    /// Adds `frames` samples; what does not fit is lost.
    pub(super) fn put(&mut self, frames: usize, samples: impl Iterator<Item = f32>) {
        let frames = frames.min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(frames) {
            chunk.fill_from_iter(samples.take(frames));
        }
    }
}

impl MicrophoneRing {
    /// Appends everything that came.
    pub(in crate::audio) fn read(&mut self, out: &mut Vec<f32>) {
        let count = self.ring.slots();
        if let Ok(chunk) = self.ring.read_chunk(count) {
            out.extend(chunk);
        }
    }
}
