//! The app's own messages as values: which may be sent, how they are numbered, and which never came. Pure.

use confab_protocol::{CmdId, Code, CustomMessage, Event, Fault, MessageRate};
use confab_signal::message::Received;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

/// How long after a gap was seen the missing messages are told (TRTC: about every 5 s).
const LOOK: Duration = Duration::from_secs(5);
/// People and kinds of messages of which gaps are looked for; a room has at most a few hundred people.
const FOLLOWED: usize = 10_000;

/// A message as the app wants it sent. What it says is never printed.
pub(crate) struct Wanted {
    /// 1 to 10.
    pub(crate) cmd_id: i64,
    pub(crate) data: Vec<u8>,
    pub(crate) reliable: bool,
    pub(crate) ordered: bool,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted")
            .field("cmd_id", &self.cmd_id)
            .field("bytes", &self.data.len())
            .field("reliable", &self.reliable)
            .field("ordered", &self.ordered)
            .finish()
    }
}

/// What we send: limits and numbers.
#[derive(Debug)]
pub(crate) struct Outgoing {
    rate: MessageRate,
    stay: u32,
    /// The latest of each kind, reliable ones apart.
    numbers: HashMap<(CmdId, bool), u32>,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { rate: MessageRate::of_sender(), stay: 0, numbers: HashMap::new() }
    }
}

impl Outgoing {
    /// A room is entered: numbers begin anew, under a name drawn for this stay. Limits go on.
    pub(crate) fn enter(&mut self, stay: u32) {
        self.stay = stay;
        self.numbers.clear();
    }

    /// Whether a message has a form that may be sent at all: what it is about, and whether reliably.
    pub(crate) fn check(wanted: &Wanted) -> Result<(CmdId, bool), Fault> {
        let checked = CmdId::try_from(wanted.cmd_id).and_then(|cmd_id| {
            Ok((cmd_id, CustomMessage::check(&wanted.data, wanted.reliable, wanted.ordered)?))
        });
        checked.map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))
    }

    /// The message that goes out at `now`, and whether reliably; or the limit that it breaks.
    pub(crate) fn next(&mut self, wanted: Wanted, now: Instant) -> Result<(CustomMessage, bool), Fault> {
        let (cmd_id, reliable) = Self::check(&wanted)?;
        self.rate
            .pass(wanted.data.len(), now)
            .map_err(|error| Fault::new(Code::REFUSED).with_message(error.to_string()))?;
        let number = self.numbers.entry((cmd_id, reliable)).or_default();
        *number = number.saturating_add(1);
        Ok((CustomMessage { cmd_id, stay: self.stay, number: *number, data: wanted.data }, reliable))
    }
}

/// What others send: which reliable messages never came.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    followed: BTreeMap<(String, CmdId), Followed>,
    /// When what is missing is told.
    look: Option<Instant>,
}

/// One kind of messages of one person.
#[derive(Debug)]
struct Followed {
    stay: u32,
    /// The number that is expected.
    next: u32,
    missed: u32,
}

impl Incoming {
    /// A message came at `now`. The first of a stay is where counting begins: what was sent before we
    /// were there is not missed.
    pub(crate) fn push(&mut self, received: &Received, now: Instant) {
        let Received { user_id, reliable, message } = received;
        let key = (user_id.clone(), message.cmd_id);
        if !reliable || (self.followed.len() >= FOLLOWED && !self.followed.contains_key(&key)) {
            return;
        }
        let (stay, number) = (message.stay, message.number);
        let followed = self.followed.entry(key).or_insert(Followed { stay, next: number, missed: 0 });
        if followed.stay != stay {
            (followed.stay, followed.next) = (stay, number);
        }
        // What comes once more, or late, is no gap.
        if let Some(gap) = number.checked_sub(followed.next) {
            followed.missed = followed.missed.saturating_add(gap);
            followed.next = number.saturating_add(1);
        }
        if followed.missed > 0 {
            self.look.get_or_insert(now + LOOK);
        }
    }

    /// What is to be told of missing messages at `now`, once.
    pub(crate) fn missed(&mut self, now: Instant) -> Vec<Event> {
        if self.look.is_none_or(|look| now < look) {
            return Vec::new();
        }
        self.look = None;
        let gaps = self.followed.iter_mut().filter(|(_, followed)| followed.missed > 0);
        gaps.map(|((user_id, cmd_id), followed)| Event::OnMissCustomCmdMsg {
            user_id: user_id.clone(),
            cmd_id: cmd_id.number(),
            code: Code::FAILED.0,
            missed: std::mem::take(&mut followed.missed),
        })
        .collect()
    }

    /// Somebody has left.
    pub(crate) fn forget(&mut self, user_id: &str) {
        self.followed.retain(|(user, _), _| user != user_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(cmd_id: i64, reliable: bool) -> Wanted {
        Wanted { cmd_id, data: b"hi".to_vec(), reliable, ordered: reliable }
    }

    fn came(user: &str, stay: u32, number: u32) -> Received {
        let cmd_id = CmdId::try_from(4).unwrap();
        let message = CustomMessage { cmd_id, stay, number, data: Vec::new() };
        Received { user_id: user.into(), reliable: true, message }
    }

    fn missed(user: &str, missed: u32) -> Event {
        Event::OnMissCustomCmdMsg { user_id: user.into(), cmd_id: 4, code: -1, missed }
    }

    #[test]
    fn messages_are_numbered_by_kind_and_way_and_anew_in_another_stay() {
        let (mut outgoing, now) = (Outgoing::default(), Instant::now());
        outgoing.enter(9);
        let mut next = |cmd_id, reliable| outgoing.next(wanted(cmd_id, reliable), now).unwrap().0.number;
        assert_eq!([next(1, true), next(1, true), next(1, false), next(2, true)], [1, 2, 1, 1]);
        outgoing.enter(10);
        let (message, reliable) = outgoing.next(wanted(1, true), now).unwrap();
        assert_eq!((message.stay, message.number, reliable), (10, 1, true));
    }

    #[test]
    fn what_may_not_be_sent_is_refused_with_the_limit_and_takes_no_number() {
        let (mut outgoing, now) = (Outgoing::default(), Instant::now());
        let mut refused = |wanted| {
            let fault = outgoing.next(wanted, now).unwrap_err();
            (fault.code, fault.message)
        };
        for (wanted, says) in [
            (wanted(0, true), "cmdId 0"),
            (wanted(11, true), "1 to 10"),
            (Wanted { data: vec![0; 1001], ..wanted(1, true) }, "at most 1000"),
            (Wanted { ordered: false, ..wanted(1, true) }, "reliable and ordered"),
        ] {
            let (code, message) = refused(wanted);
            assert!(code == -2 && message.contains(says), "{code} {message}");
        }
        for number in 1..=30 {
            assert_eq!(outgoing.next(wanted(1, true), now).unwrap().0.number, number);
        }
        let fault = outgoing.next(wanted(1, true), now).unwrap_err();
        assert!(fault.code == -3 && fault.message.contains("30 messages"), "{fault}");
        let later = now + Duration::from_secs(1);
        assert_eq!(outgoing.next(wanted(1, true), later).unwrap().0.number, 31);
    }

    #[test]
    fn what_a_message_says_is_not_printed() {
        let printed = format!("{:?}", Wanted { data: b"planted".to_vec(), ..wanted(1, true) });
        assert_eq!(printed, "Wanted { cmd_id: 1, bytes: 7, reliable: true, ordered: true }");
    }

    #[test]
    fn a_gap_is_told_once_and_five_seconds_later() {
        let (mut incoming, now) = (Incoming::default(), Instant::now());
        for number in [5, 6, 9, 11] {
            incoming.push(&came("ann", 1, number), now);
        }
        assert_eq!(incoming.missed(now + LOOK - Duration::from_millis(1)), []);
        assert_eq!(incoming.missed(now + LOOK), [missed("ann", 3)], "7, 8 and 10, not what was before");
        assert_eq!(incoming.missed(now + LOOK * 2), []);
        incoming.push(&came("ann", 1, 13), now + LOOK * 3);
        assert_eq!(incoming.missed(now + LOOK * 4), [missed("ann", 1)]);
    }

    #[test]
    fn another_stay_somebody_gone_and_what_is_not_reliable_leave_no_gap() {
        let (mut incoming, now) = (Incoming::default(), Instant::now());
        incoming.push(&came("ann", 1, 50), now);
        incoming.push(&came("ann", 2, 3), now);
        incoming.push(&came("bob", 1, 1), now);
        incoming.push(&came("bob", 1, 7), now);
        incoming.forget("bob");
        incoming.push(&came("bob", 1, 9), now);
        incoming.push(&Received { reliable: false, ..came("eve", 1, 1) }, now);
        incoming.push(&Received { reliable: false, ..came("eve", 1, 5) }, now);
        assert_eq!(incoming.missed(now + LOOK), []);
        incoming.push(&came("ann", 2, 4), now);
        incoming.push(&came("ann", 2, 6), now);
        assert_eq!(incoming.missed(now + LOOK * 3), [missed("ann", 1)]);
    }

    #[test]
    fn a_number_at_the_end_of_the_range_is_taken() {
        let (mut incoming, now) = (Incoming::default(), Instant::now());
        for number in [0, u32::MAX, u32::MAX, 1, u32::MAX] {
            incoming.push(&came("ann", 1, number), now);
        }
        assert_eq!(incoming.missed(now + LOOK), [missed("ann", u32::MAX - 1)]);
    }
}
