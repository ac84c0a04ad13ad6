//! What a network does to datagrams, from a seed.

use crate::Chance;
use std::time::{Duration, Instant};

/// How a network behaves, each way by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Share of the datagrams that never arrive.
    pub loss: f64,
    /// How long each takes at least.
    pub delay: Duration,
    /// How much longer it may take; datagrams that overtake others are out of order.
    pub jitter: Duration,
    /// Share of the datagrams that arrive twice.
    pub twice: f64,
    /// Bits a second; more wait in a queue, and what would wait too long is lost.
    pub rate: Option<u64>,
}

/// What waits longer than this for the line to be free is lost.
const QUEUE: Duration = Duration::from_millis(300);

impl Weather {
    /// A local network.
    pub const CLEAR: Weather = Weather {
        loss: 0.0,
        delay: Duration::from_millis(2),
        jitter: Duration::ZERO,
        twice: 0.0,
        rate: None,
    };

    /// A network with these troubles.
    pub fn bad(loss: f64, delay: u64, jitter: u64) -> Weather {
        let (delay, jitter) = (Duration::from_millis(delay), Duration::from_millis(jitter));
        Weather { loss, delay, jitter, twice: loss / 10.0, rate: None }
    }
}

/// One way of one client's line.
#[derive(Debug)]
pub(crate) struct Way {
    chance: Chance,
    pub(crate) weather: Weather,
    /// Nothing gets through.
    pub(crate) cut: bool,
    free: Option<Instant>,
}

impl Way {
    pub(crate) fn new(weather: Weather, chance: Chance) -> Way {
        Way { chance, weather, cut: false, free: None }
    }

    /// When a datagram of so many bytes arrives; never, once or twice.
    pub(crate) fn arrivals(&mut self, bytes: usize, now: Instant) -> [Option<Instant>; 2] {
        let Weather { loss, delay, jitter, twice, rate } = self.weather;
        // As many numbers for every datagram, whatever becomes of it.
        let (lost, again) = (self.chance.happens(loss), self.chance.happens(twice));
        let (first, second) = (self.chance.part(jitter), self.chance.part(jitter));
        let sent = match rate {
            None => now,
            Some(rate) => {
                let begin = self.free.map_or(now, |free| free.max(now));
                let end = begin + Duration::from_secs_f64(bytes as f64 * 8.0 / rate as f64);
                if begin > now + QUEUE {
                    return [None, None];
                }
                self.free = Some(end);
                end
            }
        };
        if self.cut || lost {
            return [None, None];
        }
        [Some(sent + delay + first), again.then(|| sent + delay + second)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(weather: Weather, seed: u64) -> Vec<[Option<Instant>; 2]> {
        let start = Instant::now();
        let mut way = Way::new(weather, Chance::new(seed));
        (0..2000).map(|n| way.arrivals(1200, start + Duration::from_millis(n))).collect()
    }

    #[test]
    fn a_link_loses_delays_and_repeats_as_often_as_it_is_told() {
        let weather = Weather { twice: 0.05, ..Weather::bad(0.2, 50, 30) };
        let arrivals = many(weather, 3);
        let share = |count: usize| count as f64 / 2000.0;
        let lost = share(arrivals.iter().filter(|both| both[0].is_none()).count());
        let twice = share(arrivals.iter().filter(|both| both[1].is_some()).count());
        assert!((0.17..0.23).contains(&lost) && (0.025..0.055).contains(&twice), "{lost} {twice}");
        let order: Vec<Instant> = arrivals.iter().filter_map(|both| both[0]).collect();
        assert!(order.windows(2).any(|pair| pair[0] > pair[1]), "some overtake others");
    }

    #[test]
    fn a_narrow_line_takes_no_more_than_its_rate_and_a_cut_one_nothing() {
        let narrow = Weather { rate: Some(500_000), ..Weather::CLEAR };
        let passed = many(narrow, 3).iter().filter(|both| both[0].is_some()).count();
        // 2 s of 500 kbit/s are 104 packets, and a queue of 0.3 s 16 more.
        assert!((100..=122).contains(&passed), "{passed}");
        let mut way = Way::new(Weather::CLEAR, Chance::new(1));
        way.cut = true;
        assert_eq!(way.arrivals(100, Instant::now()), [None, None]);
    }
}
