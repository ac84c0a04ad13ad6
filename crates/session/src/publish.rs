//! What we send.

pub(crate) mod camera;
pub(crate) mod packetize;
pub(crate) mod voice;

use std::sync::atomic::{AtomicU64, Ordering};

/// What went out of one stream so far.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    bytes: AtomicU64,
    units: AtomicU64,
}

impl Sent {
    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn unit(&self) -> bool {
        self.units.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// RTP payload, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Pictures, or packets of sound.
    pub(crate) fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }
}
