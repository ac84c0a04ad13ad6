//! What the server has been told to send, and what it is to be told next. Pure.

use super::wishes::Wish;
use std::collections::{HashMap, HashSet};

/// Something to tell the server about tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send no packets for now; nothing is negotiated.
    Pause,
    /// They are not wanted.
    Leave,
    /// Send packets again.
    Resume,
    /// They are wanted.
    Take,
}

/// How a track stands with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    taken: bool,
    paused: bool,
}

/// The tracks of one connection.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Without a word from us the server sends everything, as it was told on joining, or else nothing.
    all: bool,
    tracks: HashMap<String, Standing>,
}

impl Taken {
    /// A new connection, on which everything comes by itself if `all`.
    pub(crate) fn new(all: bool) -> Self {
        Self { all, tracks: HashMap::new() }
    }

    /// What to tell so that what comes is what is wanted, in this order; `wanted` names every track
    /// that there is. A muted track that comes is paused, because going on then costs no negotiation;
    /// one that does not come yet is not asked for.
    pub(crate) fn follow(&mut self, wanted: &[(String, Wish)]) -> Vec<(Step, Vec<String>)> {
        let there: HashSet<&str> = wanted.iter().map(|(sid, _)| sid.as_str()).collect();
        self.tracks.retain(|sid, _| there.contains(sid.as_str()));
        let mut steps = [Step::Pause, Step::Leave, Step::Resume, Step::Take].map(|step| (step, Vec::new()));
        for (sid, wish) in wanted {
            let new = Standing { taken: self.all, paused: false };
            let standing = self.tracks.entry(sid.clone()).or_insert(new);
            let before = *standing;
            *standing = match wish {
                Wish::Take => Standing { taken: true, paused: false },
                Wish::Hold => Standing { paused: before.taken, ..before },
                Wish::Leave => Standing { taken: false, paused: false },
            };
            let changes = [
                !before.paused && standing.paused,
                before.taken && !standing.taken,
                before.paused && !standing.paused,
                !before.taken && standing.taken,
            ];
            for ((_, sids), _) in steps.iter_mut().zip(changes).filter(|(_, changes)| *changes) {
                sids.push(sid.clone());
            }
        }
        steps.into_iter().filter(|(_, sids)| !sids.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Wish::{Hold, Leave, Take};

    /// What is told about the track `a` for one wish after the other.
    fn told(all: bool, wishes: &[Wish]) -> Vec<Vec<Step>> {
        let mut taken = Taken::new(all);
        let mut follow = |wish: &Wish| taken.follow(&[("a".to_owned(), *wish)]);
        wishes
            .iter()
            .map(|wish| {
                follow(wish).into_iter().map(|(step, sids)| (step, assert_eq!(sids, ["a"])).0).collect()
            })
            .collect()
    }

    #[test]
    fn only_differences_are_told() {
        assert_eq!(told(true, &[Take, Take]), [vec![], vec![]]);
        assert_eq!(told(false, &[Take, Take]), [vec![Step::Take], vec![]]);
        assert_eq!(told(true, &[Leave, Leave, Take]), [vec![Step::Leave], vec![], vec![Step::Take]]);
        assert_eq!(told(false, &[Leave]), [vec![]]);
    }

    #[test]
    fn a_mute_and_its_end_cost_no_negotiation() {
        assert_eq!(told(true, &[Hold, Hold, Take]), [vec![Step::Pause], vec![], vec![Step::Resume]]);
    }

    #[test]
    fn what_is_muted_from_the_start_is_asked_for_only_when_it_is_unmuted() {
        assert_eq!(told(false, &[Hold, Take, Hold]), [vec![], vec![Step::Take], vec![Step::Pause]]);
    }

    #[test]
    fn what_is_left_while_paused_is_not_paused_when_it_is_taken_again() {
        let steps = told(true, &[Hold, Leave, Take]);
        assert_eq!(steps, [vec![Step::Pause], vec![Step::Leave, Step::Resume], vec![Step::Take]]);
    }

    #[test]
    fn tracks_that_ended_are_forgotten_and_several_are_told_together() {
        let named = |sid: &str, wish| (sid.to_owned(), wish);
        let mut taken = Taken::new(true);
        let steps = taken.follow(&[named("a", Leave), named("b", Hold), named("c", Leave)]);
        assert_eq!(steps, [(Step::Pause, vec!["b".to_owned()]), (Step::Leave, vec!["a".into(), "c".into()])]);
        assert_eq!(taken.follow(&[named("c", Leave)]), []);
        let steps = taken.follow(&[named("a", Leave), named("c", Leave)]);
        assert_eq!(steps, [(Step::Leave, vec!["a".to_owned()])], "a is a new track that the server sends");
    }
}
