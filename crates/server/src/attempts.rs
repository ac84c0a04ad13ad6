//! How often signatures, tokens and passcodes may be wrong, by address and by person. Time is an argument.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// A minute counts from the first failure in it. Nobody has to wait longer than to its end, because what
/// is refused meanwhile begins no other.
const MINUTE: Duration = Duration::from_secs(60);
/// Wrong signatures and tokens that an address is told the reason of, in a minute.
const MOST_BY_ADDRESS: u32 = 30;
/// Wrong signatures in the name of one person from one address that are told the reason of, in a minute.
const MOST_BY_PERSON: u32 = 10;
/// Wrong passcodes from one address, in a minute.
const MOST_PASSCODES: u32 = 10;
/// Addresses, and people, that are remembered at once; the oldest are forgotten for others.
const MOST_REMEMBERED: usize = 4096;
/// The part of an IPv6 address that a provider gives to one household, bits.
const HOUSEHOLD: u32 = 64;

/// In whose name a signature is shown. Two names are the same with the chance of two random 64-bit numbers.
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

/// Who has failed how often. What it remembers is bounded.
///
/// A good signature passes however often others fail behind its address or in its name: to check one costs
/// less than to read the request in which it comes, and nobody finds one by trying. What is limited is how
/// often reasons are told. A passcode may be found by trying, so it is not looked at while its address waits.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    addresses: Tallies<IpAddr>,
    people: Tallies<(IpAddr, Name)>,
    passcodes: Tallies<IpAddr>,
}

impl Attempts {
    /// Counts a signature or token that was wrong, in a name if it bears one. The error replaces the reason,
    /// of which the person or the address has been told often enough.
    pub(crate) fn wrong(&mut self, from: IpAddr, name: Option<Name>, now: Instant) -> Result<(), TooOften> {
        let from = place(from);
        if let Some(name) = name {
            if let Some(wait) = self.people.wait(&(from, name), MOST_BY_PERSON, now) {
                return Err(TooOften { limited: Limited::Person, wait });
            }
            self.people.count((from, name), now);
        }
        if let Some(wait) = self.addresses.wait(&from, MOST_BY_ADDRESS, now) {
            return Err(TooOften { limited: Limited::Address, wait });
        }
        self.addresses.count(from, now);
        Ok(())
    }

    /// Whether a passcode is looked at.
    pub(crate) fn admit_passcode(&mut self, from: IpAddr, now: Instant) -> Result<(), TooOften> {
        let wait = self.passcodes.wait(&place(from), MOST_PASSCODES, now);
        wait.map_or(Ok(()), |wait| Err(TooOften { limited: Limited::Address, wait }))
    }

    /// Counts a passcode that was wrong.
    pub(crate) fn wrong_passcode(&mut self, from: IpAddr, now: Instant) {
        self.passcodes.count(place(from), now);
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

    fn wait(result: Result<(), TooOften>) -> u64 {
        result.map_or_else(|often| often.seconds(), |()| 0)
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
        assert_eq!(wait(attempts.wrong(HOME, Some(ann), begin + Duration::from_millis(59_001))), 1);
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
        assert_eq!(attempts.admit_passcode(HOME, begin), Ok(()), "a ticket is another matter");
        assert_eq!(attempts.wrong(AWAY, None, begin), Ok(()));
        assert_eq!(attempts.wrong(HOME, None, begin + MINUTE), Ok(()));
    }

    #[test]
    fn a_passcode_is_not_looked_at_while_its_address_waits() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.admit_passcode(HOME, begin), Ok(()));
            attempts.wrong_passcode(HOME, begin);
        }
        assert_eq!(wait(attempts.admit_passcode(HOME, begin + seconds(1))), 59);
        assert_eq!(attempts.admit_passcode(AWAY, begin + seconds(1)), Ok(()));
        assert_eq!(attempts.admit_passcode(HOME, begin + MINUTE), Ok(()));
    }

    #[test]
    fn a_household_is_one_address_and_ipv4_is_itself_however_it_is_written() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for n in 0..10 {
            attempts.wrong_passcode(ip(&format!("2001:db8:0:7:{n}::1")), now);
            attempts.wrong_passcode(ip(&format!("::ffff:192.0.2.{}", if n % 2 == 0 { 1 } else { 9 })), now);
        }
        assert!(attempts.admit_passcode(ip("2001:db8:0:7::99"), now).is_err());
        assert!(attempts.admit_passcode(ip("2001:db8:0:8::1"), now).is_ok());
        assert!(attempts.admit_passcode(HOME, now).is_ok(), "five times each");
        (0..5).for_each(|_| attempts.wrong_passcode(HOME, now));
        assert!(attempts.admit_passcode(HOME, now).is_err());
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_limit_and_the_oldest_are_forgotten() {
        let (mut attempts, begin) = (Attempts::default(), Instant::now());
        (0..10).for_each(|_| attempts.wrong_passcode(HOME, begin));
        let crowd = |n: u32| IpAddr::V4((0x0a00_0000 + n).into());
        let most = u32::try_from(MOST_REMEMBERED).unwrap();
        (1..most).for_each(|n| attempts.wrong_passcode(crowd(n), begin));
        assert!(attempts.admit_passcode(HOME, begin).is_err(), "as many as are remembered");
        attempts.wrong_passcode(crowd(most), begin);
        assert!(attempts.admit_passcode(HOME, begin).is_ok());
        assert_eq!(attempts.passcodes.failures.len(), MOST_REMEMBERED);
        assert!(attempts.admit_passcode(AWAY, begin + MINUTE).is_ok());
        assert_eq!((attempts.passcodes.failures.len(), attempts.passcodes.order.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn nobody_ever_waits_longer_than_a_minute_whatever_else_fails(
            failures in prop::collection::vec((0_u64..5_000, 0_u8..3), 0..400),
        ) {
            let (mut attempts, begin) = (Attempts::default(), Instant::now());
            let ann = Some(Name::person(1, "ann"));
            let mut now = begin;
            let mut since: Option<Instant> = None;
            for (pause, what) in failures {
                now += Duration::from_millis(pause);
                let limited = match what {
                    0 => attempts.wrong(HOME, ann, now),
                    1 => { attempts.wrong_passcode(HOME, now); Ok(()) }
                    _ => Ok(()),
                };
                for limited in [limited, attempts.admit_passcode(HOME, now)] {
                    prop_assert!(wait(limited) <= 60);
                }
                since = match attempts.admit_passcode(HOME, now) {
                    Ok(()) => None,
                    Err(_) => since.or(Some(now)),
                };
                prop_assert!(since.is_none_or(|since| now - since < MINUTE));
            }
        }
    }
}
