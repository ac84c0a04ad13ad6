//! What became of stays while their client was away.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use confab_protocol::ExitCause;

/// How long a stay is remembered for a client that returns to it: no signature of ours holds longer.
pub(crate) const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// Stays remembered at once; the oldest make room.
const MOST: usize = 65_536;

/// Stays that ended against the will of the one who had them, and stays that were lost.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    by_id: HashMap<String, Record>,
    /// The ids in the order in which they are forgotten.
    order: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
struct Record {
    room: String,
    identity: String,
    /// None for a stay whose seat was kept as long as seats are: its client may return.
    cause: Option<ExitCause>,
}

impl Ended {
    /// Remembers how stay `id` of `identity` in `room` ended.
    pub(crate) fn note(&mut self, id: String, room: &str, identity: &str, cause: ExitCause, now: Instant) {
        self.keep(
            id,
            Record { room: room.to_owned(), identity: identity.to_owned(), cause: Some(cause) },
            now,
        );
    }

    /// Remembers that stay `id` of `identity` in `room` was lost.
    pub(crate) fn lose(&mut self, id: String, room: &str, identity: &str, now: Instant) {
        self.keep(id, Record { room: room.to_owned(), identity: identity.to_owned(), cause: None }, now);
    }

    /// Ends the lost stays of one person in `room`, or of everybody.
    pub(crate) fn end_lost(&mut self, room: &str, identity: Option<&str>, cause: ExitCause) {
        for record in self.by_id.values_mut() {
            let meant = record.room == room && identity.is_none_or(|identity| record.identity == identity);
            if meant && record.cause.is_none() {
                record.cause = Some(cause);
            }
        }
    }

    fn keep(&mut self, id: String, record: Record, now: Instant) {
        self.forget(now);
        if self.by_id.insert(id.clone(), record).is_some() {
            self.order.retain(|(_, known)| *known != id);
        }
        self.order.push_back((now + MEMORY, id));
        if self.order.len() > MOST
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    /// How that stay ended, if it did not long ago.
    pub(crate) fn cause(&self, id: &str, room: &str, identity: &str) -> Option<ExitCause> {
        let record = self.by_id.get(id)?;
        record.cause.filter(|_| record.room == room && record.identity == identity)
    }

    /// Drops what is old.
    pub(crate) fn forget(&mut self, now: Instant) {
        while let Some((_, id)) = self.order.pop_front_if(|(until, _)| *until <= now) {
            self.by_id.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stay_is_remembered_for_its_own_person_and_room_for_a_day() {
        let now = Instant::now();
        let mut ended = Ended::default();
        ended.note("one".to_owned(), "1/n:5", "ann", ExitCause::Removed, now);
        assert_eq!(ended.cause("one", "1/n:5", "ann"), Some(ExitCause::Removed));
        assert_eq!(ended.cause("one", "1/n:5", "bob"), None);
        assert_eq!(ended.cause("one", "1/s:5", "ann"), None);
        assert_eq!(ended.cause("two", "1/n:5", "ann"), None);
        ended.forget(now + MEMORY - Duration::from_secs(1));
        assert_eq!(ended.cause("one", "1/n:5", "ann"), Some(ExitCause::Removed));
        ended.forget(now + MEMORY);
        assert_eq!(ended.cause("one", "1/n:5", "ann"), None);
    }

    #[test]
    fn a_stay_that_ends_again_is_remembered_from_the_second_time_on() {
        let now = Instant::now();
        let mut ended = Ended::default();
        ended.note("one".to_owned(), "1/n:5", "ann", ExitCause::Removed, now);
        ended.note("one".to_owned(), "1/n:5", "ann", ExitCause::Dismissed, now + MEMORY / 2);
        ended.forget(now + MEMORY);
        assert_eq!(ended.cause("one", "1/n:5", "ann"), Some(ExitCause::Dismissed));
    }

    #[test]
    fn a_lost_stay_may_be_returned_to_until_its_person_or_room_is_ended() {
        let now = Instant::now();
        let mut ended = Ended::default();
        for user in ["ann", "bob"] {
            ended.lose(user.to_owned(), "1/n:5", user, now);
        }
        assert_eq!(ended.cause("ann", "1/n:5", "ann"), None);
        ended.end_lost("1/n:6", None, ExitCause::Dismissed);
        ended.end_lost("1/n:5", Some("ann"), ExitCause::Removed);
        assert_eq!(ended.cause("ann", "1/n:5", "ann"), Some(ExitCause::Removed));
        assert_eq!(ended.cause("bob", "1/n:5", "bob"), None);
        ended.end_lost("1/n:5", None, ExitCause::Dismissed);
        assert_eq!(ended.cause("ann", "1/n:5", "ann"), Some(ExitCause::Removed));
        assert_eq!(ended.cause("bob", "1/n:5", "bob"), Some(ExitCause::Dismissed));
    }

    #[test]
    fn the_oldest_make_room() {
        let now = Instant::now();
        let mut ended = Ended::default();
        for n in 0..=MOST {
            ended.note(n.to_string(), "1/n:5", "ann", ExitCause::Removed, now);
        }
        assert_eq!((ended.by_id.len(), ended.order.len()), (MOST, MOST));
        assert_eq!(ended.cause("0", "1/n:5", "ann"), None);
        assert_eq!(ended.cause("1", "1/n:5", "ann"), Some(ExitCause::Removed));
    }
}
