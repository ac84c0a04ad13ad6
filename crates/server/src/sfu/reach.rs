//! How well somebody reaches the server, from what of theirs arrives. Pure.

use std::time::{Duration, Instant};

use confab_protocol::{Measured, Quality, Steady};

/// How often it is looked at, and changes are told.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);
/// Without any packet for so long nothing comes through: a client that sends nothing else still
/// checks its connection every second or two.
const SILENT: Duration = Duration::from_secs(6);
/// Of fewer packets a single one would be too large a share.
const ENOUGH: u64 = 20;

/// The packets of one track that is never sent again, as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    highest: Option<u64>,
    counted: Counted,
}

/// Packets of an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) arrived: u64,
    pub(crate) sent: u64,
}

impl Arrivals {
    /// Further ahead than this nothing was lost: the sender began anew.
    const AHEAD: u64 = 3_000;

    /// One packet's extended number.
    pub(crate) fn push(&mut self, number: u64) {
        let highest = self.highest.unwrap_or_else(|| number.saturating_sub(1));
        self.counted.arrived += 1;
        if number > highest {
            let ahead = number - highest;
            self.counted.sent += if ahead > Self::AHEAD { 1 } else { ahead };
            self.highest = Some(number);
        }
    }

    /// The packets of the interval; starts the next.
    pub(crate) fn take(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }
}

impl std::ops::AddAssign for Counted {
    fn add_assign(&mut self, other: Counted) {
        self.arrived += other.arrived;
        self.sent += other.sent;
    }
}

/// What is known of somebody's way to the server.
#[derive(Debug)]
pub(crate) struct Reach {
    steady: Steady,
    /// Shares of packets that were lost, as the connection counted them, since the last look.
    losses: Vec<f32>,
    round_trip: Option<Duration>,
}

impl Reach {
    /// Nothing is known.
    pub(crate) fn new() -> Reach {
        // Worse at once: clients take longer to blame their own way for what somebody else loses.
        Reach { steady: Steady::new(1, 2), losses: Vec::new(), round_trip: None }
    }

    /// The share of packets that were lost lately, 0.0 to 1.0, as the connection counts them.
    pub(crate) fn lost(&mut self, share: f32) {
        self.losses.push(share);
    }

    /// How long a ping takes there and back, ms, by the client's own word; 0 where it does not say.
    pub(crate) fn pinged(&mut self, milliseconds: i64) {
        let known = u64::try_from(milliseconds).ok().filter(|&time| time > 0);
        self.round_trip = known.map(Duration::from_millis).or(self.round_trip);
    }

    /// What others are told at the moment.
    pub(crate) fn quality(&self) -> Quality {
        self.steady.told()
    }

    /// Looks at the interval that is over. `heard` is when the last packet came, `None` before the
    /// first; `voice` are the packets that are never sent again. True when others are to be told.
    pub(crate) fn look(&mut self, heard: Option<Instant>, voice: Counted, now: Instant) -> bool {
        let before = self.steady.told();
        let losses = std::mem::take(&mut self.losses);
        let mean = losses.iter().sum::<f32>() / losses.len().max(1) as f32;
        let whole = (!losses.is_empty()).then(|| per_cent(mean));
        let missing = voice.sent.saturating_sub(voice.arrived);
        let voice = (voice.sent >= ENOUGH).then(|| per_cent(missing as f32 / voice.sent as f32));
        let silent = heard.is_some_and(|heard| now.saturating_duration_since(heard) > SILENT);
        let measured = Measured { round_trip: self.round_trip, loss: whole.max(voice) };
        self.steady.look(if silent { Quality::Down } else { Quality::of(measured) }) != before
    }

    /// The connection is known to be lost. True when others are to be told.
    pub(crate) fn cut(&mut self) -> bool {
        let before = self.steady.told();
        self.losses.clear();
        self.steady.look(Quality::Down) != before
    }
}

fn per_cent(share: f32) -> u32 {
    (share * 100.0).round().clamp(0.0, 100.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Counted = Counted { arrived: 0, sent: 0 };

    #[test]
    fn packets_that_never_come_are_counted_and_late_ones_are_not_missed() {
        let mut arrivals = Arrivals::default();
        [10, 11, 14, 13, 15].into_iter().for_each(|number| arrivals.push(number));
        assert_eq!(arrivals.take(), Counted { arrived: 5, sent: 6 }, "only 12 is missing");
        [17, 900_000].into_iter().for_each(|number| arrivals.push(number));
        assert_eq!(arrivals.take(), Counted { arrived: 2, sent: 3 }, "16, and a sender who begins anew");
        assert_eq!(arrivals.take(), NONE);
    }

    #[test]
    fn the_worst_of_loss_and_time_is_told_at_once_and_better_news_later() {
        let now = Instant::now();
        let mut reach = Reach::new();
        assert!(!reach.look(Some(now), NONE, now));
        assert_eq!(reach.quality(), Quality::Unknown);
        reach.pinged(30);
        assert!(reach.look(Some(now), NONE, now));
        assert_eq!(reach.quality(), Quality::Excellent);
        [0.0, 0.24].into_iter().for_each(|share| reach.lost(share));
        assert!(reach.look(Some(now), NONE, now));
        assert_eq!(reach.quality(), Quality::Poor, "12 % over the interval");
        assert!(!reach.look(Some(now), Counted { arrived: 100, sent: 100 }, now));
        assert!(reach.look(Some(now), Counted { arrived: 100, sent: 100 }, now));
        assert_eq!(reach.quality(), Quality::Excellent);
        assert!(reach.look(Some(now), Counted { arrived: 70, sent: 100 }, now));
        assert_eq!(reach.quality(), Quality::Bad);
        assert!(!reach.look(Some(now), Counted { arrived: 1, sent: 19 }, now), "too few to say");
        reach.pinged(0);
        assert!(reach.look(Some(now), NONE, now));
        assert_eq!(reach.quality(), Quality::Excellent, "the round trip is still known");
    }

    #[test]
    fn nobody_is_down_who_was_heard_a_moment_ago() {
        let start = Instant::now();
        let mut reach = Reach::new();
        assert!(!reach.look(None, NONE, start + SILENT * 2), "not there yet");
        reach.pinged(30);
        reach.look(Some(start), NONE, start + SILENT);
        assert_eq!(reach.quality(), Quality::Excellent);
        let later = start + SILENT + Duration::from_millis(1);
        assert!(reach.look(Some(start), NONE, later));
        assert_eq!(reach.quality(), Quality::Down);
        assert!(reach.look(Some(later), NONE, later));
        assert_eq!(reach.quality(), Quality::Excellent);
        assert!(reach.cut() && !reach.cut());
    }
}
