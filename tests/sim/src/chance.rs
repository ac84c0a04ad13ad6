//! Where everything that is drawn comes from.

use std::time::Duration;

/// Numbers that follow from a seed, the same on every machine and in every version (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// Numbers of their own for one part of the world: what others draw does not change them.
    pub fn of(seed: u64, part: u64) -> Chance {
        let mut chance = Chance(seed ^ part.wrapping_mul(0xd1b5_4a32_d192_ed03));
        chance.draw();
        chance
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0.0 up to 1.0.
    pub fn share(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something of that probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// 0 up to `end`, without it.
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }

    /// A part of `longest`.
    pub fn part(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.share())
    }

    /// Puts them in another order, each as likely as any.
    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for last in (1..of.len()).rev() {
            of.swap(last, self.below(last + 1));
        }
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_the_seed_and_parts_do_not_disturb_each_other() {
        let first = |mut chance: Chance| [chance.draw(), chance.draw()];
        assert_eq!(first(Chance::new(0)), [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        assert_eq!(first(Chance::of(1, 2)), first(Chance::of(1, 2)));
        assert_ne!(first(Chance::of(1, 2)), first(Chance::of(1, 3)));
    }

    #[test]
    fn what_is_shuffled_is_the_same_in_another_order() {
        let mut numbers: Vec<usize> = (0..20).collect();
        Chance::new(7).shuffle(&mut numbers);
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn shares_are_spread_over_the_whole_range() {
        let mut chance = Chance::new(7);
        let shares: Vec<f64> = (0..1000).map(|_| chance.share()).collect();
        let mean = shares.iter().sum::<f64>() / 1000.0;
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)) && (mean - 0.5).abs() < 0.05);
    }
}
