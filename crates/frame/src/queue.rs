//! A bounded queue that never makes its writer wait: when it is full the oldest entry goes, is
//! counted, and the next entry read carries a flag that says so.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a reader gets: the entry and how many were lost directly before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    pub value: T,
    /// Entries dropped between this one and the one read before it.
    pub dropped: u64,
}

struct State<T> {
    entries: VecDeque<T>,
    /// Dropped since the last read.
    unread: u64,
    /// Dropped since the queue was made.
    dropped: u64,
    closed: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
    /// Called after every push and on close, for readers that do not block a thread.
    wake: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.changed.notify_all();
        if let Some(wake) = &*self.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
    }
}

/// The writing end. Dropping the last one closes the queue.
pub struct Sender<T>(Arc<Writers<T>>);

/// Closes the queue when the last sender that shares it goes.
struct Writers<T>(Arc<Shared<T>>);

impl<T> Drop for Writers<T> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.notify();
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The reading end. Dropping it closes the queue.
pub struct Receiver<T>(Arc<Shared<T>>);

/// A queue of at most `capacity` entries (at least 1).
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            entries: VecDeque::with_capacity(capacity.max(1)),
            unread: 0,
            dropped: 0,
            closed: false,
        }),
        changed: Condvar::new(),
        capacity: capacity.max(1),
        wake: Mutex::new(None),
    });
    (Sender(Arc::new(Writers(shared.clone()))), Receiver(shared))
}

impl<T> Sender<T> {
    /// Appends an entry, dropping the oldest when full. False when nobody reads any more.
    pub fn push(&self, value: T) -> bool {
        {
            let mut state = self.0.0.state();
            if state.closed {
                return false;
            }
            if state.entries.len() == self.0.0.capacity {
                state.entries.pop_front();
                state.unread += 1;
                state.dropped += 1;
            }
            state.entries.push_back(value);
        }
        self.0.0.notify();
        true
    }

    /// Entries dropped since the queue was made.
    pub fn dropped(&self) -> u64 {
        self.0.0.state().dropped
    }

    /// Entries that wait.
    pub fn len(&self) -> usize {
        self.0.0.state().entries.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Receiver<T> {
    /// Calls `wake` after every push and on close, from the writer's thread; it must not block.
    pub fn on_push(&self, wake: impl Fn() + Send + 'static) {
        *self.0.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(wake));
    }

    /// The oldest entry, or nothing.
    pub fn try_pop(&self) -> Option<Entry<T>> {
        Self::take(&mut self.0.state())
    }

    /// Waits up to `patience` for an entry; `None` on time-out and when closed and empty.
    pub fn pop(&self, patience: Duration) -> Option<Entry<T>> {
        let deadline = Instant::now() + patience;
        let mut state = self.0.state();
        loop {
            if let Some(entry) = Self::take(&mut state) {
                return Some(entry);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return None;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether the writers are gone and everything was read.
    pub fn is_finished(&self) -> bool {
        let state = self.0.state();
        state.closed && state.entries.is_empty()
    }

    fn take(state: &mut State<T>) -> Option<Entry<T>> {
        let value = state.entries.pop_front()?;
        Some(Entry { value, dropped: std::mem::take(&mut state.unread) })
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        state.entries.clear();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} of {})", self.len(), self.0.0.capacity)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({} of {})", self.0.state().entries.len(), self.0.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_the_oldest_and_says_how_many() {
        let (sender, receiver) = bounded(2);
        for value in 1..=5 {
            assert!(sender.push(value));
        }
        assert_eq!(receiver.try_pop(), Some(Entry { value: 4, dropped: 3 }));
        assert_eq!(receiver.try_pop(), Some(Entry { value: 5, dropped: 0 }));
        assert_eq!(sender.dropped(), 3);
    }

    #[test]
    fn dropping_every_sender_ends_the_queue_after_the_last_entry() {
        let (sender, receiver) = bounded(2);
        let second = sender.clone();
        second.push(1);
        drop(sender);
        assert!(!receiver.is_finished());
        drop(second);
        assert_eq!(receiver.pop(Duration::from_secs(60)), Some(Entry { value: 1, dropped: 0 }));
        assert_eq!(receiver.pop(Duration::from_secs(60)), None);
        assert!(receiver.is_finished());
    }

    #[test]
    fn a_sender_learns_that_nobody_reads() {
        let (sender, receiver) = bounded(1);
        drop(receiver);
        assert!(!sender.push(1));
    }
}
