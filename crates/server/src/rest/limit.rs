//! How often a key may ask for an action.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Requests for one action by one key in any second (Tencent's default).
pub(crate) const MOST_A_SECOND: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

/// When each key asked for each action. Holds as many entries as there are keys and actions: names that
/// are not known here never come this far.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    asked: HashMap<(String, &'static str), VecDeque<Instant>>,
}

impl Limit {
    /// Whether the key may ask for the action at `now`; one that may not does not count.
    pub(crate) fn admit(&mut self, id: &str, action: &'static str, now: Instant) -> bool {
        let asked = self.asked.entry((id.to_owned(), action)).or_default();
        while asked.front().is_some_and(|at| now.duration_since(*at) >= SECOND) {
            asked.pop_front();
        }
        let may = asked.len() < MOST_A_SECOND;
        if may {
            asked.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_requests_pass_in_any_second_and_each_key_and_action_counts_alone() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut limit = Limit::default();
        assert!((0..20).all(|n| limit.admit("a", "RemoveUser", at(n * 10))));
        assert!(!limit.admit("a", "RemoveUser", at(500)));
        assert!(limit.admit("a", "DismissRoom", at(500)));
        assert!(limit.admit("b", "RemoveUser", at(500)));
        assert!(!limit.admit("a", "RemoveUser", at(999)));
        assert!(limit.admit("a", "RemoveUser", at(1000)), "the first one is a second ago");
        assert!(!limit.admit("a", "RemoveUser", at(1009)), "the second one is not");
        assert!(limit.admit("a", "RemoveUser", at(1010)));
    }

    #[test]
    fn what_is_refused_does_not_count() {
        let begin = Instant::now();
        let mut limit = Limit::default();
        let passed = (0..3000).filter(|ms| limit.admit("a", "x", begin + Duration::from_millis(*ms))).count();
        assert_eq!(passed, 60);
        assert_eq!(limit.asked.len(), 1);
        assert!(limit.asked.values().all(|asked| asked.len() <= MOST_A_SECOND));
    }
}
