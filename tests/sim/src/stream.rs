//! What a network does to one direction of a TCP connection: everything arrives, in order, later. A
//! segment that is lost is sent again after a growing pause, and what is behind it waits.

use crate::link::Way;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The first pause before something is sent again; each further one is twice as long.
const AGAIN: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// One direction.
#[derive(Debug)]
pub(crate) struct Stream<T> {
    waiting: VecDeque<T>,
    /// When the first of `waiting` is tried next, and the pause after that.
    attempt: Option<(Instant, Duration)>,
    /// Nothing arrives before what arrived last.
    last: Option<Instant>,
}

impl<T> Default for Stream<T> {
    fn default() -> Self {
        Stream { waiting: VecDeque::new(), attempt: None, last: None }
    }
}

impl<T> Stream<T> {
    /// Puts something in.
    pub(crate) fn send(&mut self, item: T, now: Instant) {
        self.waiting.push_back(item);
        self.attempt.get_or_insert((now, AGAIN));
    }

    /// When [`Stream::go`] has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.attempt.map(|(at, _)| at)
    }

    /// What gets through at `now`, and when it arrives.
    pub(crate) fn go(&mut self, way: &mut Way, now: Instant) -> Vec<(Instant, T)> {
        let mut through = Vec::new();
        while let Some((at, pause)) = self.attempt
            && at <= now
        {
            let [Some(arrives), _] = way.arrivals(60, now) else {
                self.attempt = Some((now + pause, (pause * 2).min(LONGEST)));
                break;
            };
            let arrives = self.last.map_or(arrives, |last| last.max(arrives));
            self.last = Some(arrives);
            through.extend(self.waiting.pop_front().map(|item| (arrives, item)));
            self.attempt = (!self.waiting.is_empty()).then_some((now, AGAIN));
        }
        through
    }

    /// Forgets what has not got through.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.attempt = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chance, Weather};

    #[test]
    fn everything_arrives_in_order_however_bad_the_line() {
        let start = Instant::now();
        let mut way = Way::new(Weather::bad(0.3, 50, 40), Chance::new(5));
        let mut stream = Stream::default();
        (0..100).for_each(|n| stream.send(n, start));
        let mut arrived = Vec::new();
        while let Some(due) = stream.due() {
            arrived.extend(stream.go(&mut way, due));
        }
        assert_eq!(arrived.iter().map(|(_, n)| *n).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert!(arrived.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn what_is_sent_into_a_cut_arrives_after_it_and_the_later_the_longer_it_was() {
        let start = Instant::now();
        let mut way = Way::new(Weather::CLEAR, Chance::new(5));
        let mut stream = Stream::default();
        way.cut = true;
        stream.send((), start);
        let healed = start + Duration::from_secs(10);
        let arrived = loop {
            let due = stream.due().unwrap();
            way.cut = due < healed;
            if let Some((at, ())) = stream.go(&mut way, due).pop() {
                break at;
            }
        };
        assert_eq!(arrived - start, Duration::from_millis(12_600) + Weather::CLEAR.delay);
    }
}
