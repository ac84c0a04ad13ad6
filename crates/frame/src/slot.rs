//! A place for one value that is overwritten: the latest picture counts, and no other.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Holds the latest value only. Every reader has a [`Cursor`] of its own, so that several can
/// follow the same slot; one that is slow misses values and never holds the writer up.
pub struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Option<T>,
    /// Values put so far.
    count: u64,
    closed: bool,
}

/// How far one reader has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor(u64);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { value: None, count: 0, closed: false }), changed: Condvar::new() }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Slot({} put, closed: {})", state.count, state.closed)
    }
}

impl<T> Slot<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the value and wakes every waiting reader. Nothing happens once the slot is closed.
    pub fn put(&self, value: T) {
        let mut state = self.state();
        if !state.closed {
            state.value = Some(value);
            state.count += 1;
            self.changed.notify_all();
        }
    }

    /// Takes the value away, as when a camera stops; readers then find nothing.
    pub fn clear(&self) {
        let mut state = self.state();
        state.value = None;
        state.count += 1;
        self.changed.notify_all();
    }

    /// Ends the slot: waiting readers return at once, further values are ignored.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.value = None;
        self.changed.notify_all();
    }

    /// Whether [`Slot::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Values put so far.
    pub fn count(&self) -> u64 {
        self.state().count
    }
}

impl<T: Clone> Slot<T> {
    /// The latest value, if there is one.
    pub fn latest(&self) -> Option<T> {
        self.state().value.clone()
    }

    /// The latest value if it is newer than the cursor, which then moves on.
    pub fn newer(&self, cursor: &mut Cursor) -> Option<T> {
        let state = self.state();
        if state.count == cursor.0 {
            return None;
        }
        cursor.0 = state.count;
        state.value.clone()
    }

    /// Waits up to `patience` for a value newer than the cursor; `None` on time-out and when closed.
    pub fn wait_newer(&self, cursor: &mut Cursor, patience: Duration) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if state.count != cursor.0 {
                cursor.0 = state.count;
                if state.value.is_some() {
                    return state.value.clone();
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_reader_sees_the_latest_value_once() {
        let slot = Slot::default();
        let mut cursor = Cursor::default();
        slot.put(1);
        slot.put(2);
        assert_eq!(slot.newer(&mut cursor), Some(2));
        assert_eq!(slot.newer(&mut cursor), None);
    }

    #[test]
    fn closing_wakes_a_waiting_reader_with_nothing() {
        let slot = Arc::new(Slot::<u8>::default());
        let reader = {
            let slot = slot.clone();
            std::thread::spawn(move || slot.wait_newer(&mut Cursor::default(), Duration::from_secs(60)))
        };
        slot.close();
        assert_eq!(reader.join().unwrap(), None);
        slot.put(1);
        assert_eq!(slot.latest(), None);
    }
}
