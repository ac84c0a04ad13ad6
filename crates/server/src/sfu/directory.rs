//! Which worker has which room, shared by everybody who starts something.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pins rooms to workers by least load. Touched when people come and go, never for a packet.
#[derive(Debug)]
pub(crate) struct Directory {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Worker and number of people of each room, those on their way in included.
    rooms: HashMap<String, (usize, usize)>,
    /// People on each worker.
    load: Vec<usize>,
}

impl Directory {
    pub(crate) fn new(workers: usize) -> Directory {
        Directory { inner: Mutex::new(Inner { rooms: HashMap::new(), load: vec![0; workers] }) }
    }

    /// The worker of a room that is open or being entered.
    pub(crate) fn find(&self, room: &str) -> Option<usize> {
        self.lock().rooms.get(room).map(|(worker, _)| *worker)
    }

    /// Counts somebody in, opening the room on the least loaded worker if need be.
    pub(crate) fn enter(&self, room: &str) -> usize {
        let inner = &mut *self.lock();
        let least = || {
            let loads = inner.load.iter().enumerate();
            loads.min_by_key(|(_, people)| **people).map_or(0, |(worker, _)| worker)
        };
        let worker = match inner.rooms.get_mut(room) {
            Some((worker, people)) => {
                *people += 1;
                *worker
            }
            None => {
                let worker = least();
                inner.rooms.insert(room.to_owned(), (worker, 1));
                worker
            }
        };
        if let Some(load) = inner.load.get_mut(worker) {
            *load += 1;
        }
        worker
    }

    /// Counts somebody out; an empty room is forgotten.
    pub(crate) fn leave(&self, room: &str) {
        let inner = &mut *self.lock();
        let Some((worker, people)) = inner.rooms.get_mut(room) else { return };
        *people = people.saturating_sub(1);
        let (worker, empty) = (*worker, *people == 0);
        if let Some(load) = inner.load.get_mut(worker) {
            *load = load.saturating_sub(1);
        }
        if empty {
            inner.rooms.remove(room);
        }
    }

    /// The counts stay right even if a holder panicked: every change is a single step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Directory;

    #[test]
    fn a_room_stays_on_its_worker_and_new_rooms_go_where_fewest_people_are() {
        let directory = Directory::new(2);
        let first = directory.enter("a");
        assert_eq!(directory.enter("a"), first);
        let second = directory.enter("b");
        assert_ne!(second, first);
        assert_eq!(directory.enter("c"), second, "one against two");
        directory.leave("a");
        assert_eq!(directory.find("a"), Some(first));
        directory.leave("a");
        assert_eq!(directory.find("a"), None);
        directory.leave("a");
        assert_eq!(directory.enter("d"), first, "now empty");
    }
}
