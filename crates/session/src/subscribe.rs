//! What others send us.

pub(crate) mod assemble;
mod decoding;
pub(crate) mod people;
pub(crate) mod reorder;
pub(crate) mod taken;
pub(crate) mod video;
pub(crate) mod voice;
pub(crate) mod wishes;

use std::sync::atomic::{AtomicU64, Ordering};

/// What came of one stream so far.
#[derive(Debug, Default)]
pub(crate) struct Received {
    bytes: AtomicU64,
    packets: AtomicU64,
    missed: AtomicU64,
}

impl Received {
    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn arrived(&self, arrived: Arrived) {
        if let Arrived::Next { missed } = arrived {
            self.packets.fetch_add(1, Ordering::Relaxed);
            self.missed.fetch_add(missed, Ordering::Relaxed);
        }
    }

    /// RTP payload, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Packets that came when it was their turn, and packets that did not: they were lost on the way,
    /// even if they came after all because they were asked for again.
    pub(crate) fn packets(&self) -> (u64, u64) {
        (self.packets.load(Ordering::Relaxed), self.missed.load(Ordering::Relaxed))
    }
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrived {
    /// Behind all others, of which so many in between have not come.
    Next { missed: u64 },
    /// Behind its turn.
    Late,
}

/// The numbers of a stream's packets as they come.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    highest: Option<u16>,
}

impl Numbers {
    /// Further ahead than this nothing was lost: the sender began anew.
    const AHEAD: u16 = 3_000;

    fn push(&mut self, number: u16) -> Arrived {
        let Some(highest) = self.highest else {
            self.highest = Some(number);
            return Arrived::Next { missed: 0 };
        };
        let ahead = number.wrapping_sub(highest);
        if ahead == 0 || ahead > u16::MAX - Self::AHEAD {
            return Arrived::Late;
        }
        self.highest = Some(number);
        Arrived::Next { missed: if ahead > Self::AHEAD { 0 } else { u64::from(ahead) - 1 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_when_something_later_comes_was_lost_even_if_it_comes_after_all() {
        let (received, mut numbers) = (Received::default(), Numbers::default());
        for number in [65_534, 65_535, 2, 0, 3, 3, 1] {
            received.arrived(numbers.push(number));
        }
        assert_eq!(received.packets(), (4, 2), "0 and 1 came late, 3 twice");
    }

    #[test]
    fn a_sender_who_begins_anew_has_lost_nothing() {
        let mut numbers = Numbers::default();
        for number in [7, 40_000, 40_001] {
            assert_eq!(numbers.push(number), Arrived::Next { missed: 0 }, "{number}");
        }
    }
}
