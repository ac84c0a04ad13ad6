//! When the way in from outside is tried, renewed and given up, and what is told of it. Pure.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::obstacle::Obstacle;
use crate::view::{Outside, OutsideState};

/// How long a port is asked for; routers may give less.
pub(super) const LEASE: Duration = Duration::from_secs(3600);
/// Nothing is renewed more often, however short a router's lease is.
const SOONEST: Duration = Duration::from_secs(30);
/// The pause after a first failure; it doubles up to the last one.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// What others reach from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// Where they enter.
    pub(super) address: SocketAddrV4,
    pub(super) proof: Proof,
    /// How long the router keeps it open; `None` needs no renewal.
    pub(super) lease: Option<Duration>,
}

/// What is known of an address outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It has been seen from here that it leads to this computer.
    Seen,
    /// The router does not let its own network look from outside.
    Hidden,
    /// It is this computer's own, and who stands before it says that it lets others through.
    Granted,
}

impl Proof {
    /// What a person should know of it.
    fn message(self) -> Option<&'static str> {
        match self {
            Proof::Seen => None,
            Proof::Hidden => Some(
                "The router has opened it, but does not let this computer look from outside. Ask a friend to \
                 try the invitation.",
            ),
            Proof::Granted => Some(
                "The router says that it lets others through to this computer, which cannot be tried from \
                 here. Ask a friend to try the invitation.",
            ),
        }
    }
}

/// Decides over the way in from outside.
#[derive(Debug)]
pub(super) struct Rule {
    due: Instant,
    failures: u32,
    /// What is open, and until when where the router forgets it.
    open: Option<(Opened, Option<Instant>)>,
    why: Option<Obstacle>,
}

impl Rule {
    /// It is tried at once.
    pub(super) fn new(now: Instant) -> Rule {
        Rule { due: now, failures: 0, open: None, why: None }
    }

    /// What was to be reached has moved: nothing is open any more, and it is tried at once.
    pub(super) fn moved(&mut self, now: Instant) {
        *self = Rule::new(now);
    }

    /// When the next try is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// A try went well.
    pub(super) fn opened(&mut self, opened: Opened, now: Instant) {
        self.failures = 0;
        self.why = None;
        let lease = opened.lease.map(|lease| lease.min(LEASE));
        // Half of it, so that a second try is left before the router forgets.
        self.due = now + lease.map_or(LEASE / 2, |lease| (lease / 2).max(SOONEST));
        let until = lease.map(|lease| now + lease.max(SOONEST));
        self.open = Some((opened, until));
    }

    /// A try failed. What was open stays so until the router forgets it, unless the try has shown that it
    /// leads elsewhere.
    pub(super) fn failed(&mut self, why: Obstacle, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LAST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.due = now + pause;
        let passing = why.is_passing();
        let kept =
            |(_, until): &mut (Opened, Option<Instant>)| passing && until.is_none_or(|until| now < until);
        let open = self.open.take();
        self.open = open.and_then(|mut open| kept(&mut open).then_some(open));
        self.why = Some(why);
    }

    /// Whether others come in.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What is told.
    pub(super) fn shown(&self) -> Outside {
        match (&self.open, &self.why) {
            (Some((opened, _)), _) => Outside {
                state: OutsideState::Open,
                address: Some(opened.address.to_string()),
                message: opened.proof.message().map(str::to_owned),
            },
            (None, Some(why)) => {
                Outside { state: OutsideState::Failed, address: None, message: Some(why.to_string()) }
            }
            (None, None) => Outside { state: OutsideState::Trying, address: None, message: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(lease: Option<u64>, proof: Proof) -> Opened {
        let address = "203.0.113.9:7880".parse().unwrap();
        Opened { address, proof, lease: lease.map(Duration::from_secs) }
    }

    #[test]
    fn it_is_tried_at_once_and_then_less_and_less_often() {
        let mut now = Instant::now();
        let mut rule = Rule::new(now);
        assert_eq!(rule.shown().state, OutsideState::Trying);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            now = rule.due();
            rule.failed(Obstacle::NoRouter, now);
            pauses.push((rule.due() - now).as_secs());
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(rule.shown().state, OutsideState::Failed);
        assert!(rule.shown().message.unwrap().contains("UPnP"));
        rule.moved(now);
        assert_eq!((rule.due(), rule.shown().state), (now, OutsideState::Trying));
    }

    #[test]
    fn a_lease_is_renewed_at_half_its_time_whatever_a_router_gives() {
        for (lease, pause) in
            [(Some(3600), 1800), (Some(120), 60), (Some(1), 30), (Some(1 << 40), 1800), (None, 1800)]
        {
            let now = Instant::now();
            let mut rule = Rule::new(now);
            rule.opened(opened(lease, Proof::Seen), now);
            assert_eq!((rule.due() - now).as_secs(), pause, "{lease:?}");
            assert_eq!(rule.shown().message, None);
            assert_eq!(rule.shown().address.as_deref(), Some("203.0.113.9:7880"));
        }
    }

    #[test]
    fn what_is_open_outlives_a_silent_router_until_its_lease_is_over() {
        let start = Instant::now();
        let mut rule = Rule::new(start);
        for (proof, silence) in [
            (Proof::Hidden, Obstacle::NoRouter),
            (Proof::Granted, Obstacle::Untried("203.0.113.9:7880".parse().unwrap())),
        ] {
            rule.opened(opened(Some(100), proof), start);
            assert!(rule.shown().message.unwrap().contains("friend"), "not proven");
            rule.failed(silence.clone(), start + Duration::from_secs(50));
            assert_eq!(rule.shown().state, OutsideState::Open);
            rule.failed(silence, start + Duration::from_secs(100));
            assert_eq!(rule.shown().state, OutsideState::Failed);
        }
        rule.opened(opened(Some(100), Proof::Seen), start);
        rule.failed(Obstacle::Foreign("203.0.113.9:7880".parse().unwrap()), start);
        assert_eq!(rule.shown().state, OutsideState::Failed, "it leads to somebody else");
    }
}
