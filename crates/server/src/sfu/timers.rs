//! When each peer connection wants to be woken, without looking at all of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::arena::Key;
use super::peer::Peer;

/// A heap of wake-ups. An entry may be early or for a peer that is gone: whoever pops it looks at
/// the peer's own deadline and schedules again, so that moving a deadline back costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    peer: Key<Peer>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Timers {
    pub(crate) fn push(&mut self, at: Instant, peer: Key<Peer>) {
        self.heap.push(Reverse(Entry { at, peer }));
    }

    /// The earliest wake-up.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Takes one entry that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Key<Peer>> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.0.peer)
    }
}
