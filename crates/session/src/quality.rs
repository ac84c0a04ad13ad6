//! How well the connections of a room do, from what is measured here and what the server tells. Pure.

use confab_protocol::{Measured, Quality, Steady, UserQuality};
use std::collections::BTreeMap;

/// Looks in a row until a worse quality is told, and until a better one is.
const WORSE: u8 = 2;
const BETTER: u8 = 3;
/// Of fewer packets a single one would be too large a share.
const ENOUGH: u64 = 20;

/// What was seen of somebody else over the latest seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) user_id: String,
    /// How well they reach the server, as it told.
    pub(crate) reach: Quality,
    /// Packets of theirs that came when it was their turn.
    pub(crate) came: u64,
    /// Packets of theirs that did not, wherever on the way from them to here they were lost.
    pub(crate) missed: u64,
}

impl Seen {
    /// Lost on the way, per cent, if enough was sent to say.
    fn loss(&self) -> Option<u32> {
        let all = self.came + self.missed;
        (all >= ENOUGH).then(|| u32::try_from(self.missed * 100 / all).unwrap_or(100))
    }
}

/// Lost between the server and here, per cent. The server sends on whatever reached it, so what
/// somebody lost on their way to it is missing here too: who fares best tells of the way that all
/// share, and who the server says does badly does not count.
pub(crate) fn down_loss(seen: &[Seen]) -> Option<u32> {
    seen.iter().filter(|one| one.reach <= Quality::Good).filter_map(Seen::loss).min()
}

/// Makes qualities of what was seen.
#[derive(Debug)]
pub(crate) struct Judge {
    own: Steady,
    others: BTreeMap<String, Steady>,
}

impl Default for Judge {
    fn default() -> Self {
        Self { own: Steady::new(WORSE, BETTER), others: BTreeMap::new() }
    }
}

impl Judge {
    /// My quality, and that of everybody in `seen`.
    pub(crate) fn look(&mut self, own: Measured, seen: &[Seen]) -> (UserQuality, Vec<UserQuality>) {
        self.others.retain(|user_id, _| seen.iter().any(|one| one.user_id == *user_id));
        let others = seen.iter().map(|one| {
            let steady = self.others.entry(one.user_id.clone()).or_insert_with(|| Steady::new(WORSE, BETTER));
            let here = steady.look(Quality::of(Measured { loss: one.loss(), round_trip: None }));
            UserQuality { user_id: one.user_id.clone(), quality: here.max(reach(one)) }
        });
        let others = others.collect();
        (of_me(self.own.look(Quality::of(own))), others)
    }

    /// The same while the server cannot be reached: nothing is known of the others.
    pub(crate) fn down(&mut self, others: impl Iterator<Item = String>) -> (UserQuality, Vec<UserQuality>) {
        self.others.clear();
        let own = of_me(self.own.look(Quality::Down));
        (own, others.map(|user_id| UserQuality { user_id, quality: Quality::Unknown }).collect())
    }
}

fn of_me(quality: Quality) -> UserQuality {
    UserQuality { user_id: String::new(), quality }
}

/// What the server told. Nobody whose packets come is lost, whatever it says.
fn reach(one: &Seen) -> Quality {
    if one.reach == Quality::Down && one.came > 0 { Quality::VeryBad } else { one.reach }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seen(user_id: &str, reach: Quality, came: u64, missed: u64) -> Seen {
        Seen { user_id: user_id.into(), reach, came, missed }
    }

    fn near(loss: impl Into<Option<u32>>) -> Measured {
        Measured { round_trip: Some(Duration::from_millis(1)), loss: loss.into() }
    }

    fn of(judge: &mut Judge, one: Seen) -> Quality {
        judge.look(near(0), &[one]).1[0].quality
    }

    #[test]
    fn a_quality_is_the_worse_of_what_the_server_tells_and_what_is_missing_here() {
        let mut judge = Judge::default();
        assert_eq!(of(&mut judge, seen("bob", Quality::Unknown, 100, 0)), Quality::Excellent);
        assert_eq!(of(&mut judge, seen("bob", Quality::Bad, 100, 0)), Quality::Bad);
        for told in [Quality::Excellent, Quality::Poor] {
            assert_eq!(of(&mut judge, seen("bob", Quality::Excellent, 88, 12)), told);
        }
        // Nothing was sent: only the server can tell.
        assert_eq!(of(&mut judge, seen("eve", Quality::Good, 0, 0)), Quality::Good);
        assert_eq!(of(&mut judge, seen("kim", Quality::Unknown, 0, 0)), Quality::Unknown);
    }

    #[test]
    fn nobody_is_lost_whose_packets_come() {
        let mut judge = Judge::default();
        assert_eq!(of(&mut judge, seen("bob", Quality::Down, 1, 0)), Quality::VeryBad);
        assert_eq!(of(&mut judge, seen("bob", Quality::Down, 0, 0)), Quality::Down);
        assert_eq!(of(&mut judge, seen("bob", Quality::Excellent, 100, 0)), Quality::Excellent);
    }

    #[test]
    fn too_few_packets_say_nothing() {
        let mut judge = Judge::default();
        assert_eq!(of(&mut judge, seen("bob", Quality::Excellent, 2, 2)), Quality::Excellent);
        assert_eq!(down_loss(&[seen("bob", Quality::Excellent, 2, 2)]), None);
    }

    #[test]
    fn what_others_lose_on_their_way_to_the_server_is_not_lost_here() {
        let bob = seen("bob", Quality::Good, 80, 20);
        assert_eq!(down_loss(std::slice::from_ref(&bob)), Some(20));
        assert_eq!(down_loss(&[bob.clone(), seen("eve", Quality::Excellent, 99, 1)]), Some(1));
        assert_eq!(down_loss(&[seen("bob", Quality::Bad, 80, 20)]), None, "the server says that it is bob");
    }

    #[test]
    fn without_a_server_i_am_down_at_once_and_nothing_is_known_of_the_others() {
        let mut judge = Judge::default();
        judge.look(near(0), &[seen("bob", Quality::Excellent, 100, 0)]);
        let (own, others) = judge.down(["bob".to_owned()].into_iter());
        assert_eq!((own.quality, others[0].quality), (Quality::Down, Quality::Unknown));
        let (own, others) = judge.look(near(0), &[seen("bob", Quality::Unknown, 88, 12)]);
        assert_eq!((own.quality, others[0].quality), (Quality::Excellent, Quality::Poor), "all begins anew");
    }
}
