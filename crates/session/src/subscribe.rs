//! What others send us.

pub(crate) mod assemble;
pub(crate) mod people;
pub(crate) mod reorder;
pub(crate) mod video;
pub(crate) mod voice;

use std::sync::atomic::{AtomicU64, Ordering};

/// What came of one stream so far.
#[derive(Debug, Default)]
pub(crate) struct Received {
    bytes: AtomicU64,
    packets: AtomicU64,
    lost: AtomicU64,
}

impl Received {
    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    fn set_lost(&self, lost: u64) {
        self.lost.store(lost, Ordering::Relaxed);
    }

    /// RTP payload, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Packets that came, and packets given up.
    pub(crate) fn packets(&self) -> (u64, u64) {
        (self.packets.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}
