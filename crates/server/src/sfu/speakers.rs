//! Who is speaking, from the audio levels that clients put on their packets (RFC 6464).

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often changes are told.
pub(crate) const INTERVAL: Duration = Duration::from_millis(400);
/// Louder than this (dBov) is speech.
const THRESHOLD: i8 = -35;
/// An interval with fewer loud packets is silence: a click is no word.
const ENOUGH: u32 = 3;
/// A level has to move this much to be told again.
const STEP: f32 = 0.1;

/// Collects the levels of one audio track over an interval.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    loud: u32,
    sum: i64,
}

impl Meter {
    /// One packet's level in dBov, 0 the loudest and -127 silence.
    pub(crate) fn push(&mut self, level: i8) {
        if level > THRESHOLD {
            self.loud += 1;
            self.sum += i64::from(level);
        }
    }

    /// The level of the interval as 0 to 1, 0 when nobody spoke; starts the next interval.
    pub(crate) fn take(&mut self) -> f32 {
        let Meter { loud, sum } = std::mem::take(self);
        if loud < ENOUGH {
            return 0.0;
        }
        10f32.powf(sum as f32 / loud as f32 / 20.0).clamp(0.0, 1.0)
    }
}

/// One change to tell: `level` 0 to 1, not `active` means they fell silent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) sid: String,
    pub(crate) level: f32,
    pub(crate) active: bool,
}

/// The speakers of a room as last told, and when to tell again.
#[derive(Debug)]
pub(crate) struct Speakers {
    next: Instant,
    told: HashMap<String, f32>,
}

impl Speakers {
    pub(crate) fn new(now: Instant) -> Speakers {
        Speakers { next: now + INTERVAL, told: HashMap::new() }
    }

    /// Everybody who speaks, as last told.
    pub(crate) fn present(&self) -> Vec<Change> {
        let told = self.told.iter();
        told.map(|(sid, level)| Change { sid: sid.clone(), level: *level, active: true }).collect()
    }

    /// Whether the interval is over.
    pub(crate) fn due(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + INTERVAL;
        true
    }

    /// What changed since the last call; `levels` has every participant's level by sid.
    pub(crate) fn update(&mut self, levels: HashMap<String, f32>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (sid, level) in &levels {
            let before = self.told.get(sid).copied().unwrap_or(0.0);
            let active = *level > 0.0;
            if active != (before > 0.0) || (active && (level - before).abs() >= STEP) {
                changes.push(Change { sid: sid.clone(), level: *level, active });
            }
        }
        for change in &changes {
            self.told.insert(change.sid.clone(), change.level);
        }
        self.told.retain(|sid, level| *level > 0.0 && levels.contains_key(sid));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::{Meter, Speakers};
    use std::collections::HashMap;
    use std::time::{Duration, Instant};

    #[test]
    fn speech_counts_and_a_click_or_quiet_noise_does_not() {
        let mut meter = Meter::default();
        (0..20).for_each(|_| meter.push(-20));
        assert!((meter.take() - 0.1).abs() < 0.001);
        meter.push(-5);
        assert_eq!(meter.take(), 0.0, "one loud packet");
        (0..20).for_each(|_| meter.push(-50));
        assert_eq!(meter.take(), 0.0, "room noise");
    }

    #[test]
    fn only_changes_are_told() {
        let mut speakers = Speakers::new(Instant::now());
        let levels = |level: f32| HashMap::from([("PA_a".to_owned(), level)]);
        let first = speakers.update(levels(0.5));
        assert_eq!((first.len(), first[0].active), (1, true));
        assert_eq!(speakers.present(), first);
        assert_eq!(speakers.update(levels(0.52)), vec![]);
        assert_eq!(speakers.update(levels(0.9)).len(), 1);
        let last = speakers.update(levels(0.0));
        assert_eq!((last.len(), last[0].active), (1, false));
        assert_eq!(speakers.update(levels(0.0)), vec![]);
        assert_eq!(speakers.present(), vec![]);
    }

    #[test]
    fn an_interval_is_due_once() {
        let start = Instant::now();
        let mut speakers = Speakers::new(start);
        assert!(!speakers.due(start + Duration::from_millis(399)));
        assert!(speakers.due(start + Duration::from_millis(400)));
        assert!(!speakers.due(start + Duration::from_millis(401)));
    }
}
