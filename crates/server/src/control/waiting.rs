//! The waiting room: who wants in, and what a host said. Time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_protocol::Waiting;

/// People who may wait at once.
const MOST: usize = 200;
/// A client that has not asked for so long has gone away.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer of a host waits for the client to ask for it.
const ANSWER: Duration = Duration::from_secs(60);

/// People in front of the door.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom {
    /// In the order in which they came.
    people: Vec<Knock>,
    /// What a host said about somebody, until then.
    answers: HashMap<String, (bool, Instant)>,
    /// Hosts have not been told yet.
    changed: bool,
}

#[derive(Debug)]
struct Knock {
    person: Waiting,
    until: Instant,
}

/// What somebody gets who knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// In.
    Admitted,
    /// A host did not want them.
    Denied,
    /// They wait.
    Wait,
    /// Too many wait already.
    Full,
}

impl WaitingRoom {
    /// Somebody wants in, for the first time or still.
    pub(crate) fn knock(&mut self, user: &str, name: &str, now: Instant) -> Answer {
        if let Some((admitted, _)) = self.answers.remove(user) {
            return if admitted { Answer::Admitted } else { Answer::Denied };
        }
        let until = now + PATIENCE;
        if let Some(knock) = self.people.iter_mut().find(|knock| knock.person.user_id == user) {
            knock.until = until;
            return Answer::Wait;
        }
        if self.people.len() >= MOST {
            return Answer::Full;
        }
        let person = Waiting { user_id: user.to_owned(), name: name.to_owned() };
        self.people.push(Knock { person, until });
        self.changed = true;
        Answer::Wait
    }

    /// A host lets somebody in or not; false where nobody of that id waits.
    pub(crate) fn answer(&mut self, user: &str, admitted: bool, now: Instant) -> bool {
        let before = self.people.len();
        self.people.retain(|knock| knock.person.user_id != user);
        if self.people.len() == before {
            return false;
        }
        self.answers.insert(user.to_owned(), (admitted, now + ANSWER));
        self.changed = true;
        true
    }

    /// A host lets everybody in.
    pub(crate) fn admit_all(&mut self, now: Instant) {
        for knock in std::mem::take(&mut self.people) {
            self.answers.insert(knock.person.user_id, (true, now + ANSWER));
            self.changed = true;
        }
    }

    /// Forgets those who went away and answers nobody asked for.
    pub(crate) fn expire(&mut self, now: Instant) {
        let before = self.people.len();
        self.people.retain(|knock| knock.until > now);
        self.changed |= self.people.len() != before;
        self.answers.retain(|_, (_, until)| *until > now);
    }

    /// When [`WaitingRoom::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let answers = self.answers.values().map(|(_, until)| *until);
        self.people.iter().map(|knock| knock.until).chain(answers).min()
    }

    /// Who waits, in the order in which they came.
    pub(crate) fn people(&self) -> Vec<Waiting> {
        self.people.iter().map(|knock| knock.person.clone()).collect()
    }

    /// Whether hosts have to be told; they are told now.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(room: &WaitingRoom) -> Vec<String> {
        room.people().into_iter().map(|person| person.user_id).collect()
    }

    #[test]
    fn who_knocks_waits_until_a_host_answers() {
        let now = Instant::now();
        let mut room = WaitingRoom::default();
        assert_eq!(room.knock("a", "Ada", now), Answer::Wait);
        assert_eq!(room.knock("b", "", now), Answer::Wait);
        assert_eq!(room.knock("c", "", now), Answer::Wait);
        assert!(room.take_changed() && !room.take_changed());
        assert_eq!(ids(&room), ["a", "b", "c"]);
        assert!(room.answer("a", true, now) && room.answer("b", false, now));
        assert!(!room.answer("nobody", true, now));
        assert_eq!(room.knock("a", "Ada", now), Answer::Admitted);
        assert_eq!(room.knock("b", "", now), Answer::Denied);
        assert_eq!(room.knock("b", "", now), Answer::Wait, "they may knock again");
        room.admit_all(now);
        assert_eq!(room.knock("c", "", now), Answer::Admitted);
        assert!(room.take_changed() && ids(&room).is_empty());
    }

    #[test]
    fn who_asks_no_more_is_forgotten_and_so_is_an_answer_nobody_wants() {
        let now = Instant::now();
        let mut room = WaitingRoom::default();
        room.knock("a", "", now);
        room.knock("b", "", now);
        room.take_changed();
        assert_eq!(room.deadline(), Some(now + PATIENCE));
        room.knock("b", "", now + PATIENCE / 2);
        room.expire(now + PATIENCE);
        assert_eq!(ids(&room), ["b"]);
        assert!(room.take_changed());
        room.answer("b", true, now);
        room.expire(now + ANSWER);
        assert_eq!((room.deadline(), room.knock("b", "", now + ANSWER)), (None, Answer::Wait));
    }

    #[test]
    fn no_more_than_two_hundred_wait() {
        let now = Instant::now();
        let mut room = WaitingRoom::default();
        for n in 0..MOST {
            assert_eq!(room.knock(&n.to_string(), "", now), Answer::Wait);
        }
        assert_eq!(room.knock("late", "", now), Answer::Full);
        assert_eq!(room.knock("0", "", now), Answer::Wait, "who waits already goes on waiting");
    }
}
