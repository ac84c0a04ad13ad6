//! How often a publisher is asked for a key frame.

use std::time::{Duration, Instant};

/// At most one request a track in this time, however many subscribers ask.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);

/// Lets one request through an [`INTERVAL`] and remembers the one it held back.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    last: Option<Instant>,
    waiting: bool,
}

impl Gate {
    /// Somebody needs a key frame. True: ask now. False: [`Gate::due`] says when.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        self.waiting = true;
        self.due(now)
    }

    /// Whether a request that was held back may go now.
    pub(crate) fn due(&mut self, now: Instant) -> bool {
        let open = self.last.is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
        let ask = self.waiting && open;
        if ask {
            self.waiting = false;
            self.last = Some(now);
        }
        ask
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Gate, INTERVAL};

    #[test]
    fn many_wishes_become_one_request_now_and_one_when_the_interval_is_over() {
        let start = Instant::now();
        let mut gate = Gate::default();
        assert!(gate.ask(start));
        assert!(!gate.ask(start + Duration::from_millis(10)));
        assert!(!gate.ask(start + Duration::from_millis(20)));
        assert!(!gate.due(start + Duration::from_millis(499)));
        assert!(gate.due(start + INTERVAL));
        assert!(!gate.due(start + INTERVAL * 3), "nobody asked again");
    }
}
