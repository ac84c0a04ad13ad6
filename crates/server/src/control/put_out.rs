//! People who were put out between the door and their seat.

use std::collections::HashMap;
use std::time::Instant;

use confab_protocol::Notice;

use super::seat::RESERVATION;

/// Entries whose people are on their way from the door into a room that they were put out of meanwhile, and
/// what they are told. Kept as long as a seat waits.
#[derive(Debug, Default)]
pub(crate) struct PutOut(HashMap<u64, (Notice, Instant)>);

impl PutOut {
    /// Whoever comes by that entry is told so and put out.
    pub(crate) fn note(&mut self, entry: u64, notice: Notice, now: Instant) {
        self.0.retain(|_, (_, until)| *until > now);
        self.0.insert(entry, (notice, now + RESERVATION));
    }

    /// Whether whoever comes by that entry is put out.
    pub(crate) fn has(&self, entry: u64, now: Instant) -> bool {
        self.0.get(&entry).is_some_and(|(_, until)| *until > now)
    }

    /// What to tell somebody who has come by that entry, where they were put out.
    pub(crate) fn take(&mut self, entry: u64, now: Instant) -> Option<Notice> {
        self.0.remove(&entry).filter(|(_, until)| *until > now).map(|(notice, _)| notice)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use confab_protocol::ExitCause;

    use super::*;

    #[test]
    fn who_was_put_out_at_the_door_is_put_out_once_when_they_come() {
        let (mut out, now) = (PutOut::default(), Instant::now());
        let removed = Notice::exit(ExitCause::Removed, None);
        out.note(7, removed.clone(), now);
        assert_eq!((out.has(7, now), out.has(8, now), out.has(7, now + RESERVATION)), (true, false, false));
        assert_eq!(out.take(8, now), None);
        assert_eq!((out.take(7, now), out.take(7, now)), (Some(removed), None));
    }

    #[test]
    fn nothing_is_kept_longer_than_a_seat_waits() {
        let (mut out, now) = (PutOut::default(), Instant::now());
        let notice = || Notice::exit(ExitCause::Dismissed, None);
        out.note(1, notice(), now);
        out.note(2, notice(), now + RESERVATION - Duration::from_millis(1));
        out.note(3, notice(), now + RESERVATION);
        assert_eq!((out.0.contains_key(&1), out.0.len()), (false, 2));
    }
}
