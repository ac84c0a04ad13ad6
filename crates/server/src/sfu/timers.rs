//! When each peer connection wants to be woken, without looking at all of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::arena::Key;
use super::peer::Peer;

/// Nothing further away than this is scheduled: it is how a closed connection says never.
const HORIZON: Duration = Duration::from_secs(24 * 60 * 60);

/// A peer is woken no more often than this.
const PAUSE: Duration = Duration::from_millis(1);

/// A heap of wake-ups. Moving a peer's deadline back leaves its entry where it is, moving it
/// forward adds one; of a peer's entries only the one at its `scheduled` counts.
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
    /// Makes sure that `peer` comes up at its deadline at the latest.
    pub(crate) fn schedule(&mut self, key: Key<Peer>, peer: &mut Peer, now: Instant) {
        // A deadline that stays in the past must not keep the worker from everything else.
        let at = peer.deadline.max(now + PAUSE);
        if peer.scheduled.is_none_or(|known| at < known) && at.saturating_duration_since(now) < HORIZON {
            peer.scheduled = Some(at);
            self.heap.push(Reverse(Entry { at, peer: key }));
        }
    }

    /// The earliest wake-up.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Takes one entry that is due: the peer, and the time it was scheduled for.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Key<Peer>, Instant)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|entry| (entry.0.peer, entry.0.at))
    }
}
