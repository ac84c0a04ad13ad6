//! How often signatures, tokens, tickets and passcodes may be wrong, by address and by person. Time is an
//! argument.
//!
//! A signature, a token and a one-time ticket are looked at however many were wrong before: to check one
//! costs less than to read the request in which it comes, and nobody finds one by trying. So a good one
//! passes whatever a neighbour does, or somebody who fails in its owner's name. What is limited is how often
//! somebody is told what was wrong: a person at an address 10 times a minute, and an address 30 times. A
//! person counts at each address apart, because nobody is to lose the reasons by what is done in their name
//! elsewhere.
//!
//! A passcode may be found by trying, so it is not looked at any more until the minute is over:
//! - after 10 wrong ones of a guest at an address. A guest is known by the secret that they keep; all at an
//!   address who bring none are one guest.
//! - after 30 wrong ones from an address, because a secret can be made up for each try. This does not hold
//!   for guests who have shown that very passcode before.
//!
//! One guest alone does not reach the second, however fast they are, and so keeps out nobody but themselves.
//! Who makes up guests keeps out those at their address whom the server does not know yet, as long as it
//! lasts: nothing tells them apart. These come in by a one-time ticket or a UserSig.
//!
//! A minute begins with the first failure in it. What is refused counts nowhere, so that nothing prolongs a
//! minute, and nobody is told to wait longer than one. Who waits as long as they are told does not come too
//! early: that is until all is over which is in their way, in whole seconds, rounded up.
//!
//! An IPv6 address counts with all that its household has. What is remembered is bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

/// What counts together, from the first failure in it.
const MINUTE: Duration = Duration::from_secs(60);
/// Failures of an address, in a minute.
const MOST_BY_ADDRESS: u32 = 30;
/// Failures of one person at one address, in a minute. Two of their minutes may fall into one of the address:
/// twenty are fewer than thirty.
const MOST_BY_PERSON: u32 = 10;
/// Addresses, and people, that are remembered at once; the oldest are forgotten for others.
const MOST_REMEMBERED: usize = 4096;
/// The part of an IPv6 address that a provider gives to one household, bits.
const HOUSEHOLD: u32 = 64;

/// In whose name something is shown. Two names are the same with the chance of two random 64-bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name(u64);

impl Name {
    /// Somebody of an application, as they say.
    pub(crate) fn person(app: i64, user: &str) -> Name {
        Name::of(("person", app, user))
    }

    /// The holder of a cloud key, as they say.
    pub(crate) fn key(id: &str) -> Name {
        Name::of(("key", id))
    }

    fn of(what: impl Hash) -> Name {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Name(hasher.finish())
    }
}

/// What has failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// The address, whoever asks from it.
    Address,
    /// One person from one address.
    Person,
}

impl Limited {
    /// Its name in the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Limited::Address => "address",
            Limited::Person => "person",
        }
    }
}

/// Too many attempts have failed; another one is looked at later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many attempts have failed; wait {} seconds and try again.", self.seconds())]
pub(crate) struct TooOften {
    /// Whose attempts.
    pub(crate) limited: Limited,
    /// How long it takes until then, a minute at most.
    pub(crate) wait: Duration,
}

impl TooOften {
    /// The time to wait in whole seconds, 1 to 60.
    pub(crate) fn seconds(&self) -> u64 {
        self.wait.as_secs().saturating_add(u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

/// Who has failed how often, by the rules above.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// Signatures, tokens and tickets.
    addresses: Tallies<IpAddr>,
    /// Those of them that bear a name.
    people: Tallies<(IpAddr, Name)>,
    /// Passcodes.
    passcodes: Tallies<IpAddr>,
    /// Passcodes by the guests who said them; those who bring no secret are one.
    guests: Tallies<(IpAddr, Option<Name>)>,
    knowing: Knowing,
}

impl Attempts {
    /// Counts a signature, token or ticket that was wrong, in a name if it bears one. The error replaces the
    /// reason, of which the person or the address has been told often enough.
    pub(crate) fn wrong(&mut self, from: IpAddr, name: Option<Name>, now: Instant) -> Result<(), TooOften> {
        let from = place(from);
        let by_person = name.and_then(|name| self.people.wait(&(from, name), MOST_BY_PERSON, now));
        let by_address = self.addresses.wait(&from, MOST_BY_ADDRESS, now);
        longer(by_person, by_address)?;
        if let Some(name) = name {
            self.people.count((from, name), now);
        }
        self.addresses.count(from, now);
        Ok(())
    }

    /// Whether the passcode that a guest says is the one that is wanted; one that is not counts. The error is
    /// that it is not looked at.
    pub(crate) fn passcode(
        &mut self,
        from: IpAddr,
        guest: Option<Name>,
        said: &str,
        wanted: &str,
        now: Instant,
    ) -> Result<bool, TooOften> {
        let from = place(from);
        let knowing = guest.map(|guest| Name::of((guest, wanted)));
        let has_shown = knowing.is_some_and(|name| self.knowing.has(name));
        let by_guest = self.guests.wait(&(from, guest), MOST_BY_PERSON, now);
        let by_address = self.passcodes.wait(&from, MOST_BY_ADDRESS, now);
        longer(by_guest, by_address.filter(|_| !has_shown))?;
        let right = bool::from(said.as_bytes().ct_eq(wanted.as_bytes()));
        if !right {
            self.guests.count((from, guest), now);
            self.passcodes.count(from, now);
        } else if let Some(name) = knowing {
            self.knowing.add(name);
        }
        Ok(right)
    }
}

/// The longer wait of two, where there is one.
fn longer(by_person: Option<Duration>, by_address: Option<Duration>) -> Result<(), TooOften> {
    let person = by_person.map(|wait| TooOften { limited: Limited::Person, wait });
    let address = by_address.map(|wait| TooOften { limited: Limited::Address, wait });
    person.into_iter().chain(address).max_by_key(|often| often.wait).map_or(Ok(()), Err)
}

/// Guests who have shown a passcode; the oldest are forgotten for others.
#[derive(Debug, Default)]
struct Knowing {
    names: HashSet<Name>,
    /// In the order in which they came to know it.
    order: VecDeque<Name>,
}

impl Knowing {
    fn has(&self, name: Name) -> bool {
        self.names.contains(&name)
    }

    fn add(&mut self, name: Name) {
        if !self.names.insert(name) {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MOST_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
    }
}

/// Where somebody is who may change their address within it.
fn place(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (u128::BITS - HOUSEHOLD))))
        }
    }
}

/// Failures within the minute that began with the first one.
#[derive(Debug)]
struct Tallies<K> {
    failures: HashMap<K, (Instant, u32)>,
    /// The keys in the order in which their minutes began.
    order: VecDeque<K>,
}

impl<K> Default for Tallies<K> {
    fn default() -> Tallies<K> {
        Tallies { failures: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash> Tallies<K> {
    /// How long to wait, where there were `most` failures or more.
    fn wait(&mut self, key: &K, most: u32, now: Instant) -> Option<Duration> {
        self.forget(now);
        let (begun, failures) = self.failures.get(key)?;
        (*failures >= most).then(|| MINUTE.saturating_sub(now.saturating_duration_since(*begun)))
    }

    fn count(&mut self, key: K, now: Instant) {
        self.forget(now);
        if let Some((_, failures)) = self.failures.get_mut(&key) {
            *failures = failures.saturating_add(1);
            return;
        }
        if self.order.len() >= MOST_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.failures.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.failures.insert(key, (now, 1));
    }

    /// Forgets whose minute is over.
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front() {
            let begun = self.failures.get(oldest).map(|(begun, _)| *begun);
            if begun.is_some_and(|begun| now.saturating_duration_since(begun) < MINUTE) {
                return;
            }
            self.failures.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn wait<T>(result: Result<T, TooOften>) -> u64 {
        result.map_or_else(|often| often.seconds(), |_| 0)
    }

    fn guest(name: &str) -> Option<Name> {
        Some(Name::person(1, name))
    }

    impl Attempts {
        /// Whether a wrong passcode is looked at.
        fn guess(&mut self, from: IpAddr, guest: Option<Name>, now: Instant) -> Result<bool, TooOften> {
            self.passcode(from, guest, "guessed", "sesame", now)
        }

        /// Whether the passcode is looked at and taken.
        fn show(&mut self, from: IpAddr, guest: Option<Name>, now: Instant) -> Result<bool, TooOften> {
            self.passcode(from, guest, "sesame", "sesame", now)
        }
    }

    #[test]
    fn a_person_is_told_ten_reasons_a_minute_at_each_address() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        let (ann, bob) = (Name::person(1, "ann"), Name::person(1, "bob"));
        for n in 0..10 {
            assert_eq!(attempts.wrong(HOME, Some(ann), begin + seconds(n)), Ok(()));
        }
        let now = begin + seconds(20);
        let limited = TooOften { limited: Limited::Person, wait: seconds(40) };
        assert_eq!(attempts.wrong(HOME, Some(ann), now), Err(limited));
        assert_eq!(attempts.wrong(HOME, Some(bob), now), Ok(()), "somebody else behind the same address");
        assert_eq!(attempts.wrong(HOME, Some(Name::person(2, "ann")), now), Ok(()), "another application");
        assert_eq!(attempts.wrong(HOME, Some(Name::key("ann")), now), Ok(()));
        assert_eq!(attempts.wrong(AWAY, Some(ann), now), Ok(()), "another place");
        assert_eq!(attempts.wrong(HOME, Some(ann), begin + MINUTE), Ok(()));
    }

    #[test]
    fn an_address_is_told_thirty_reasons_a_minute() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        for n in 0..30 {
            assert_eq!(attempts.wrong(HOME, Some(Name::person(1, &n.to_string())), begin), Ok(()));
        }
        let limited = TooOften { limited: Limited::Address, wait: MINUTE };
        assert_eq!(attempts.wrong(HOME, None, begin), Err(limited));
        assert_eq!(attempts.guess(HOME, None, begin), Ok(false), "a passcode is another matter");
        assert_eq!(attempts.wrong(AWAY, None, begin), Ok(()));
        assert_eq!(attempts.wrong(HOME, None, begin + MINUTE), Ok(()));
    }

    #[test]
    fn a_time_to_wait_is_rounded_up_and_ends_when_all_is_over_that_is_in_the_way() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        for (wait, whole) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (59_001, 60), (60_000, 60)] {
            let often = TooOften { limited: Limited::Person, wait: Duration::from_millis(wait) };
            assert_eq!(often.seconds(), whole, "{wait} ms");
        }
        (0..10).for_each(|_| assert_eq!(attempts.wrong(HOME, guest("ann"), begin), Ok(())));
        assert_eq!(wait(attempts.wrong(HOME, guest("ann"), begin + Duration::from_millis(500))), 60);
        assert_eq!(wait(attempts.wrong(HOME, guest("ann"), begin + Duration::from_millis(59_999))), 1);
        let later = begin + seconds(50);
        (0..10).for_each(|_| assert_eq!(attempts.wrong(HOME, guest("bob"), later), Ok(())));
        (0..10).for_each(|_| assert_eq!(attempts.wrong(HOME, guest("carol"), later), Ok(())));
        let limited = TooOften { limited: Limited::Person, wait: MINUTE };
        assert_eq!(attempts.wrong(HOME, guest("bob"), later), Err(limited), "not the end of the address's");
        let limited = TooOften { limited: Limited::Address, wait: seconds(10) };
        assert_eq!(attempts.wrong(HOME, guest("dan"), later), Err(limited));
        assert_eq!(attempts.wrong(HOME, guest("dan"), later + seconds(10)), Ok(()));
    }

    #[test]
    fn a_passcode_is_not_looked_at_while_its_guest_waits() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.guess(HOME, None, begin), Ok(false));
        }
        let now = begin + seconds(1);
        assert_eq!(wait(attempts.show(HOME, None, now)), 59, "all without a secret are one");
        assert_eq!(attempts.show(HOME, guest("gus"), now), Ok(true));
        assert_eq!(attempts.show(AWAY, None, now), Ok(true));
        assert_eq!(attempts.show(HOME, None, begin + MINUTE), Ok(true));
    }

    #[test]
    fn who_makes_up_guests_keeps_out_those_at_their_address_who_have_not_shown_the_passcode() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        assert_eq!(attempts.show(AWAY, guest("gus"), begin), Ok(true));
        for n in 0..30 {
            assert_eq!(attempts.guess(HOME, guest(&n.to_string()), begin), Ok(false));
        }
        let limited = TooOften { limited: Limited::Address, wait: MINUTE };
        assert_eq!(attempts.guess(HOME, guest("30"), begin), Err(limited));
        assert_eq!(attempts.show(HOME, guest("new"), begin), Err(limited));
        assert_eq!(attempts.show(HOME, guest("gus"), begin), Ok(true), "who has shown it elsewhere");
        let changed = attempts.passcode(HOME, guest("gus"), "sesame", "another", begin);
        assert_eq!(changed, Err(limited), "who knew the one before may not try out the next");
        (0..10).for_each(|_| assert_eq!(attempts.guess(HOME, guest("gus"), begin), Ok(false)));
        assert_eq!(wait(attempts.show(HOME, guest("gus"), begin)), 60, "they have ten of their own");
    }

    #[test]
    fn a_household_is_one_address_and_ipv4_is_itself_however_it_is_written() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for n in 0..10 {
            let mapped = format!("::ffff:192.0.2.{}", if n % 2 == 0 { 1 } else { 9 });
            assert_eq!(attempts.guess(ip(&format!("2001:db8:0:7:{n}::1")), None, now), Ok(false));
            assert_eq!(attempts.guess(ip(&mapped), None, now), Ok(false));
        }
        assert!(attempts.show(ip("2001:db8:0:7::99"), None, now).is_err());
        assert!(attempts.show(ip("2001:db8:0:8::1"), None, now).is_ok());
        assert!(attempts.show(HOME, None, now).is_ok(), "five times each");
        (0..5).for_each(|_| assert_eq!(attempts.guess(HOME, None, now), Ok(false)));
        assert!(attempts.show(HOME, None, now).is_err());
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_limit_and_the_oldest_are_forgotten() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        (0..10).for_each(|_| assert_eq!(attempts.guess(HOME, None, begin), Ok(false)));
        let crowd = |n: u32| IpAddr::V4((0x0a00_0000 + n).into());
        let most = u32::try_from(MOST_REMEMBERED).unwrap();
        (1..most).for_each(|n| assert_eq!(attempts.guess(crowd(n), None, begin), Ok(false)));
        assert!(attempts.show(HOME, None, begin).is_err(), "as many as are remembered");
        assert_eq!(attempts.guess(crowd(most), None, begin), Ok(false));
        assert!(attempts.show(HOME, None, begin).is_ok());
        assert_eq!(attempts.passcodes.failures.len(), MOST_REMEMBERED);
        assert!(attempts.show(AWAY, None, begin + MINUTE).is_ok());
        assert_eq!((attempts.passcodes.failures.len(), attempts.passcodes.order.len()), (0, 0));
        for n in 0..=most {
            assert_eq!(attempts.show(HOME, guest(&n.to_string()), begin + MINUTE), Ok(true));
        }
        assert_eq!(attempts.knowing.names.len(), MOST_REMEMBERED);
        assert_eq!(attempts.knowing.order.len(), MOST_REMEMBERED);
    }

    #[test]
    fn a_guest_who_tries_hundreds_a_second_is_looked_at_ten_times_a_minute_and_keeps_nobody_out() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        let mut looked_at = 0;
        for n in 0..30_000_u64 {
            let now = begin + Duration::from_millis(n * 10);
            looked_at += u32::from(attempts.guess(HOME, guest("eve"), now).is_ok());
            assert_eq!(attempts.show(HOME, guest(&n.to_string()), now), Ok(true), "at {n}");
        }
        assert_eq!(looked_at, 50, "in five minutes");
    }

    /// What is tried at an address after a pause: by whom, and whether it is a passcode.
    fn tries() -> impl Strategy<Value = Vec<(u64, usize, bool)>> {
        prop::collection::vec((0_u64..5_000, 0_usize..6, any::<bool>()), 0..400)
    }

    proptest! {
        #[test]
        fn one_guest_keeps_nobody_else_out_however_they_try(
            pauses in prop::collection::vec(0_u64..20_000, 0..300),
        ) {
            let (mut attempts, mut now) = (Attempts::default(), Instant::now());
            for pause in pauses {
                now += Duration::from_millis(pause);
                let _ = attempts.guess(HOME, guest("eve"), now);
                prop_assert_eq!(attempts.show(HOME, guest("new"), now), Ok(true));
                prop_assert_eq!(attempts.show(HOME, None, now), Ok(true));
            }
        }

        #[test]
        fn who_waits_as_long_as_they_are_told_is_looked_at_then(tries in tries()) {
            let (mut attempts, mut now) = (Attempts::default(), Instant::now());
            for (pause, who, is_passcode) in tries {
                now += Duration::from_millis(pause);
                let name = guest(&who.to_string()).filter(|_| who > 0);
                let mut again = |now| match is_passcode {
                    true => attempts.guess(HOME, name, now).map(drop),
                    false => attempts.wrong(HOME, name, now),
                };
                if let Err(often) = again(now) {
                    prop_assert!((1..=60).contains(&often.seconds()));
                    now += seconds(often.seconds());
                    prop_assert_eq!(again(now), Ok(()));
                }
            }
        }

        #[test]
        fn no_guest_and_no_address_has_more_than_its_share_in_any_minute(tries in tries()) {
            let (mut attempts, begin) = (Attempts::default(), Instant::now());
            let (mut now, mut looked_at) = (begin, Vec::new());
            for (pause, who, _) in tries {
                now += Duration::from_millis(pause / 10);
                if attempts.guess(HOME, guest(&who.to_string()), now).is_ok() {
                    looked_at.push((now, who));
                }
            }
            let within = |of: Instant| move |at: &&(Instant, usize)| at.0 >= of && at.0 < of + MINUTE;
            for (from, _) in &looked_at {
                // A minute that ends and the next one meet in some of these.
                prop_assert!(looked_at.iter().filter(within(*from)).count() < 60);
                for who in 0..6 {
                    let own = looked_at.iter().filter(within(*from)).filter(|at| at.1 == who);
                    prop_assert!(own.count() < 20);
                }
            }
        }
    }
}
