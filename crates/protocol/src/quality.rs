//! From loss and delay to one of TRTC's grades.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::notice::numbers;

/// How well a connection carries a meeting (TRTCQuality); a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS)]
#[serde(try_from = "u8", into = "u8")]
#[ts(type = "0 | 1 | 2 | 3 | 4 | 5 | 6")]
pub enum Quality {
    /// Nothing is known of it.
    #[default]
    Unknown = 0,
    /// Nothing is missing.
    Excellent = 1,
    /// Hardly anything is.
    Good = 2,
    /// Some of it is noticed.
    Poor = 3,
    /// Talking is tiring.
    Bad = 4,
    /// Hardly anything is understood.
    VeryBad = 5,
    /// Nothing comes through.
    Down = 6,
}
numbers!(Quality, "quality", Unknown = 0, Excellent = 1, Good = 2, Poor = 3, Bad = 4, VeryBad = 5, Down = 6);

/// What the latest seconds of a connection were like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// There and back, where it is known.
    pub round_trip: Option<Duration>,
    /// Lost on the way before anything was sent again, per cent, where anything was sent at all.
    pub loss: Option<u32>,
}

/// The most that each quality may lose, per cent, and take there and back, ms. TRTC names the
/// qualities and no limits. A voice of which 2 % are concealed sounds whole, of which 15 % are does
/// not; people interrupt one another from some 400 ms on (ITU-T G.114 counts one way).
const LIMITS: [(Quality, u32, u64); 4] = [
    (Quality::Excellent, 2, 100),
    (Quality::Good, 5, 200),
    (Quality::Poor, 15, 400),
    (Quality::Bad, 30, 800),
];

impl Quality {
    /// The quality of what was measured, by whichever is worse. Never [`Quality::Down`]: that
    /// nothing comes at all is no measurement.
    pub fn of(measured: Measured) -> Self {
        let row = |fits: &dyn Fn(u32, u64) -> bool| {
            let found = LIMITS.iter().find(|(_, loss, time)| fits(*loss, *time));
            found.map_or(Self::VeryBad, |(quality, ..)| *quality)
        };
        let loss = measured.loss.map(|lost| row(&|limit, _| lost <= limit));
        let time = measured.round_trip.map(|trip| row(&|_, limit| trip <= Duration::from_millis(limit)));
        loss.max(time).unwrap_or_default()
    }
}

/// A quality that does not flap: it moves only once several looks in a row agree on the direction,
/// and no further than the mildest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steady {
    worse: u8,
    better: u8,
    told: Quality,
    /// Looks in a row that differ from what is told in one direction, and the one nearest to it.
    run: Option<(u8, Quality)>,
}

impl Steady {
    /// Unknown at first. It gets worse after so many looks in a row, and better.
    pub fn new(worse: u8, better: u8) -> Self {
        Self { worse, better, told: Quality::Unknown, run: None }
    }

    /// What was told last.
    pub fn told(&self) -> Quality {
        self.told
    }

    /// Takes in the latest look and returns what is to be told. What is no measurement is told at
    /// once: the first look, that nothing comes, and that something comes again.
    pub fn look(&mut self, latest: Quality) -> Quality {
        let at_once = self.told == Quality::Unknown || self.told == Quality::Down || latest == Quality::Down;
        if at_once || latest == self.told {
            (self.told, self.run) = (latest, None);
            return self.told;
        }
        let worse = latest > self.told;
        let (looks, nearest) = match self.run {
            Some((looks, nearest)) if (nearest > self.told) == worse => {
                (looks.saturating_add(1), if worse { nearest.min(latest) } else { nearest.max(latest) })
            }
            Some(_) | None => (1, latest),
        };
        self.run = Some((looks, nearest));
        if looks >= if worse { self.worse } else { self.better } {
            (self.told, self.run) = (nearest, None);
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(loss: impl Into<Option<u32>>, milliseconds: impl Into<Option<u64>>) -> Quality {
        let round_trip = milliseconds.into().map(Duration::from_millis);
        Quality::of(Measured { loss: loss.into(), round_trip })
    }

    #[test]
    fn every_row_of_the_scale_ends_where_it_says() {
        for (quality, loss, time) in [
            (Quality::Excellent, 0..=2, 0..=100),
            (Quality::Good, 3..=5, 101..=200),
            (Quality::Poor, 6..=15, 201..=400),
            (Quality::Bad, 16..=30, 401..=800),
            (Quality::VeryBad, 31..=100, 801..=60_000),
        ] {
            for lost in [*loss.start(), *loss.end()] {
                assert_eq!(of(lost, None), quality, "{lost} % lost");
            }
            for trip in [*time.start(), *time.end()] {
                assert_eq!(of(None, trip), quality, "{trip} ms");
            }
        }
    }

    #[test]
    fn the_worse_of_loss_and_time_counts_and_what_is_not_known_does_not() {
        assert_eq!(of(0, 300), Quality::Poor);
        assert_eq!(of(20, 10), Quality::Bad);
        assert_eq!(of(100, 60_000), Quality::VeryBad, "that nothing comes is known otherwise");
        assert_eq!(of(None, None), Quality::Unknown);
    }

    #[test]
    fn a_single_look_changes_nothing_and_the_mildest_of_several_is_told() {
        use Quality::{Bad, Excellent, Good, Poor};
        let mut steady = Steady::new(2, 3);
        let told = |steady: &mut Steady, looks: &[Quality]| {
            looks.iter().map(|look| steady.look(*look)).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut steady, &[Excellent, Bad, Excellent, Bad]), [Excellent; 4]);
        assert_eq!(told(&mut steady, &[Poor]), [Poor], "of bad and poor");
        assert_eq!(told(&mut steady, &[Excellent, Excellent]), [Poor; 2]);
        assert_eq!(told(&mut steady, &[Good]), [Good], "of excellent twice and good");
        assert_eq!(told(&mut steady, &[Excellent, Poor, Excellent, Excellent]), [Good; 4]);
        assert_eq!(told(&mut steady, &[Excellent]), [Excellent]);
    }

    #[test]
    fn what_is_no_measurement_is_told_at_once() {
        use Quality::{Bad, Down, Excellent, Unknown};
        let mut steady = Steady::new(2, 3);
        for look in [Bad, Down, Excellent, Down, Unknown, Excellent] {
            assert_eq!(steady.look(look), look);
            assert_eq!(steady.told(), look);
        }
        // Nothing known for a moment: what was known stays.
        assert_eq!(steady.look(Unknown), Excellent);
    }

    #[test]
    fn in_json_it_is_trtcs_number() {
        assert_eq!(serde_json::to_string(&Quality::Poor).unwrap(), "3");
        assert_eq!(serde_json::from_str::<Quality>("6").unwrap(), Quality::Down);
        assert!(serde_json::from_str::<Quality>("7").is_err());
    }
}
