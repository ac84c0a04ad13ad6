//! What is sent when: in order for each room, tried again, and given up, as a value.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_protocol::RoomId;

use crate::happening::Happening;

/// Rooms that are being told about at the same time.
const AT_ONCE: usize = 8;
/// From one try to the next after the first two, which follow each other at once (TRTC).
const AGAIN: Duration = Duration::from_secs(10);
/// From the first failure on (TRTC).
const GIVEN_UP: Duration = Duration::from_secs(60);

/// What one app is to be told. Who is told about a room is told in order; rooms do not wait for each
/// other.
#[derive(Debug)]
pub(super) struct Line {
    capacity: usize,
    rooms: HashMap<RoomId, Waiting>,
    /// The first callback of each room that is not being sent, by when it may be.
    due: BTreeSet<(Instant, u64, RoomId)>,
    /// Every callback that is not being sent, oldest first.
    age: BTreeMap<u64, RoomId>,
    /// Callbacks so far.
    numbers: u64,
    sending: usize,
    /// Something was dropped since nothing waited.
    overflowed: bool,
}

/// The callbacks of a room; never empty.
#[derive(Debug)]
struct Waiting {
    callbacks: VecDeque<(u64, Arc<Happening>)>,
    first: First,
}

/// How it stands with a room's first callback.
#[derive(Debug, Clone, Copy)]
struct First {
    due: Instant,
    sending: bool,
    /// When it was sent last.
    sent: Instant,
    /// When it failed for the first time.
    failed: Option<Instant>,
}

/// What became of a callback that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It is done.
    Delivered,
    /// It will be tried again.
    Again,
    /// It failed for a minute and is done.
    GivenUp,
}

impl First {
    fn new(now: Instant) -> First {
        First { due: now, sending: false, sent: now, failed: None }
    }

    /// The next of the times for another try, in equal steps from `since`: a try that begins a little
    /// late puts off none of the others.
    fn retry(&self, since: Instant) -> Instant {
        let steps = self.sent.saturating_duration_since(since).as_secs() / AGAIN.as_secs();
        since + Duration::from_secs((steps + 1) * AGAIN.as_secs())
    }
}

impl Line {
    /// A line of at most `capacity` callbacks beside those that are being sent.
    pub(super) fn new(capacity: usize) -> Line {
        Line {
            capacity,
            rooms: HashMap::new(),
            due: BTreeSet::new(),
            age: BTreeMap::new(),
            numbers: 0,
            sending: 0,
            overflowed: false,
        }
    }

    /// Puts a callback behind the others. Where that is one too many the oldest that is not being sent
    /// is dropped: true for the first since nothing waited, false for others.
    pub(super) fn push(&mut self, happening: Happening, now: Instant) -> Option<bool> {
        let room = happening.room.clone();
        self.numbers += 1;
        self.age.insert(self.numbers, room.clone());
        let callback = (self.numbers, Arc::new(happening));
        match self.rooms.get_mut(&room) {
            Some(waiting) => waiting.callbacks.push_back(callback),
            None => {
                self.due.insert((now, self.numbers, room.clone()));
                let callbacks = VecDeque::from([callback]);
                self.rooms.insert(room, Waiting { callbacks, first: First::new(now) });
            }
        }
        if self.age.len() <= self.capacity {
            return None;
        }
        self.drop_oldest(now);
        Some(!std::mem::replace(&mut self.overflowed, true))
    }

    /// A callback to send now, if there is one; [`Line::done`] has to be told how that went.
    pub(super) fn next(&mut self, now: Instant) -> Option<Arc<Happening>> {
        if self.sending == AT_ONCE || self.due.first().is_none_or(|(due, ..)| *due > now) {
            return None;
        }
        let (_, number, room) = self.due.pop_first()?;
        self.age.remove(&number);
        let waiting = self.rooms.get_mut(&room)?;
        let (_, happening) = waiting.callbacks.front()?;
        self.sending += 1;
        waiting.first.sending = true;
        waiting.first.sent = now;
        Some(Arc::clone(happening))
    }

    /// What was sent about a room has arrived, or not.
    pub(super) fn done(&mut self, room: &RoomId, arrived: bool, now: Instant) -> Then {
        self.sending = self.sending.saturating_sub(1);
        let Some(waiting) = self.rooms.get_mut(room) else { return Then::Delivered };
        waiting.first.sending = false;
        let again = match (arrived, waiting.first.failed) {
            (true, _) => None,
            (false, None) => Some(now),
            (false, Some(since)) => {
                Some(waiting.first.retry(since).max(now)).filter(|due| *due <= since + GIVEN_UP)
            }
        };
        match again {
            Some(due) => {
                waiting.first.failed.get_or_insert(now);
                waiting.first.due = due;
                if let Some((number, _)) = waiting.callbacks.front() {
                    self.age.insert(*number, room.clone());
                    self.due.insert((due, *number, room.clone()));
                }
                Then::Again
            }
            None => {
                waiting.callbacks.pop_front();
                self.lead(room, now);
                if arrived { Then::Delivered } else { Then::GivenUp }
            }
        }
    }

    /// When [`Line::next`] has something again, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().filter(|_| self.sending < AT_ONCE).map(|(due, ..)| *due)
    }

    /// Whether nothing waits that could be sent now.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.sending == 0 && self.due.first().is_none_or(|(due, ..)| *due > now)
    }

    /// The next callback of a room is its first one.
    fn lead(&mut self, room: &RoomId, now: Instant) {
        let Some(waiting) = self.rooms.get_mut(room) else { return };
        match waiting.callbacks.front() {
            Some((number, _)) => {
                waiting.first = First::new(now);
                self.due.insert((now, *number, room.clone()));
            }
            None => {
                self.rooms.remove(room);
                self.overflowed &= !self.rooms.is_empty();
            }
        }
    }

    fn drop_oldest(&mut self, now: Instant) {
        let Some((number, room)) = self.age.pop_first() else { return };
        let Some(waiting) = self.rooms.get_mut(&room) else { return };
        waiting.callbacks.retain(|(other, _)| *other != number);
        if self.due.remove(&(waiting.first.due, number, room.clone())) {
            self.lead(&room, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::SdkAppId;

    use super::*;
    use crate::happening::What;

    fn about(room: u32, number: u64) -> Happening {
        Happening {
            app: SdkAppId(7),
            room: RoomId::number(room).unwrap(),
            created: 0,
            at_ms: number,
            what: What::RoomClosed { by: None },
        }
    }

    fn room(room: u32) -> RoomId {
        RoomId::number(room).unwrap()
    }

    /// Room and number of what is sent next.
    fn next(line: &mut Line, now: Instant) -> Option<(u32, u64)> {
        line.next(now).map(|sent| (sent.room.as_number().unwrap(), sent.at_ms))
    }

    #[test]
    fn a_room_is_told_in_order_and_rooms_beside_each_other() {
        let now = Instant::now();
        let mut line = Line::new(9);
        for (room, number) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
            assert_eq!(line.push(about(room, number), now), None);
        }
        assert_eq!(next(&mut line, now), Some((1, 1)));
        assert_eq!(next(&mut line, now), Some((2, 3)));
        assert_eq!(next(&mut line, now), None, "both are on their way");
        assert_eq!(line.done(&room(1), true, now), Then::Delivered);
        assert_eq!(next(&mut line, now), Some((1, 2)));
        assert_eq!(line.done(&room(1), false, now), Then::Again);
        assert_eq!(next(&mut line, now), Some((1, 2)), "not the one behind it");
        assert_eq!(line.done(&room(1), true, now), Then::Delivered);
        assert_eq!(line.done(&room(2), true, now), Then::Delivered);
        assert!(!line.is_idle(now));
        assert_eq!(next(&mut line, now), Some((1, 4)));
        assert_eq!(line.done(&room(1), true, now), Then::Delivered);
        assert!(line.is_idle(now) && line.rooms.is_empty() && line.age.is_empty());
    }

    /// When a callback is sent that never arrives, in seconds, where an answer takes `takes` and each try
    /// begins `late`; both in milliseconds.
    fn tries(takes: u64, late: u64) -> Vec<u64> {
        let begin = Instant::now();
        let mut line = Line::new(9);
        line.push(about(1, 1), begin);
        let mut sent = Vec::new();
        loop {
            let due = line.deadline().unwrap();
            if due > begin {
                assert_eq!(next(&mut line, due - Duration::from_millis(1)), None);
            }
            let at = due + Duration::from_millis(late);
            assert_eq!(next(&mut line, at), Some((1, 1)));
            sent.push((at - begin).as_secs());
            if line.done(&room(1), false, at + Duration::from_millis(takes)) == Then::GivenUp {
                return sent;
            }
        }
    }

    #[test]
    fn a_failure_is_tried_again_at_once_and_then_every_ten_seconds_for_a_minute() {
        assert_eq!(tries(0, 0), [0, 0, 10, 20, 30, 40, 50, 60]);
        assert_eq!(tries(7, 3), [0, 0, 10, 20, 30, 40, 50, 60], "in real time");
        assert_eq!(tries(5000, 0), [0, 5, 15, 25, 35, 45, 55, 65], "a minute from the first failure");
    }

    #[test]
    fn who_was_given_up_makes_way_for_the_next_with_all_its_tries() {
        let begin = Instant::now();
        let mut line = Line::new(9);
        line.push(about(1, 1), begin);
        line.push(about(1, 2), begin);
        let mut now = begin;
        loop {
            now = line.deadline().unwrap().max(now);
            assert_eq!(next(&mut line, now), Some((1, 1)));
            if line.done(&room(1), false, now) == Then::GivenUp {
                break;
            }
        }
        assert_eq!(next(&mut line, now), Some((1, 2)));
        assert_eq!(line.done(&room(1), false, now), Then::Again);
        assert_eq!(next(&mut line, now), Some((1, 2)));
    }

    #[test]
    fn a_room_that_waits_for_its_next_try_holds_up_no_other() {
        let now = Instant::now();
        let mut line = Line::new(99);
        line.push(about(1, 1), now);
        for _ in 0..2 {
            line.next(now).unwrap();
            line.done(&room(1), false, now);
        }
        line.push(about(1, 2), now);
        line.push(about(2, 3), now);
        assert_eq!(next(&mut line, now), Some((2, 3)));
        line.done(&room(2), true, now);
        assert_eq!(next(&mut line, now), None);
        assert!(line.is_idle(now), "nothing can be sent before then");
        assert_eq!(line.deadline(), Some(now + AGAIN));
        assert_eq!(next(&mut line, now + AGAIN), Some((1, 1)));
    }

    #[test]
    fn only_so_many_are_on_their_way_at_once() {
        let now = Instant::now();
        let mut line = Line::new(99);
        for number in 1..=20 {
            line.push(about(number, u64::from(number)), now);
        }
        let mut sent = 0;
        while line.next(now).is_some() {
            sent += 1;
        }
        assert_eq!((sent, line.deadline()), (AT_ONCE, None));
        line.done(&room(1), true, now);
        assert_eq!(line.deadline(), Some(now));
        assert_eq!(next(&mut line, now), Some((9, 9)));
    }

    #[test]
    fn the_oldest_is_dropped_that_is_not_on_its_way() {
        let now = Instant::now();
        let mut line = Line::new(3);
        line.push(about(1, 1), now);
        assert_eq!(next(&mut line, now), Some((1, 1)));
        line.push(about(1, 2), now);
        line.push(about(2, 3), now);
        assert_eq!(line.push(about(1, 4), now), None, "what is being sent does not count");
        assert_eq!(line.push(about(1, 5), now), Some(true));
        assert_eq!(line.push(about(1, 6), now), Some(false), "said once");
        line.done(&room(1), true, now);
        assert_eq!(next(&mut line, now), Some((1, 4)), "2 and 3 are gone");
        for number in [5, 6] {
            line.done(&room(1), true, now);
            assert_eq!(next(&mut line, now), Some((1, number)));
        }
        line.done(&room(1), true, now);
        assert!(line.rooms.is_empty() && line.age.is_empty() && line.due.is_empty());
        for number in 7..=9 {
            line.push(about(1, number), now);
        }
        assert_eq!(line.push(about(1, 10), now), Some(true), "said again after all was well");
        assert_eq!(next(&mut line, now), Some((1, 8)), "the one behind the dropped one leads");
    }

    #[test]
    fn what_fails_while_the_line_is_full_is_the_oldest() {
        let now = Instant::now();
        let mut line = Line::new(1);
        line.push(about(1, 1), now);
        line.next(now).unwrap();
        line.push(about(2, 2), now);
        line.done(&room(1), false, now);
        assert_eq!(line.push(about(3, 3), now), Some(true));
        let waiting: Vec<_> = std::iter::from_fn(|| next(&mut line, now)).collect();
        assert_eq!(waiting, [(2, 2), (3, 3)]);
    }
}
