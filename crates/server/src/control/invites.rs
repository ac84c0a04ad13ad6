//! One-time tickets of a room. Time is an argument, Unix seconds: tickets outlive a restart.

use std::collections::BTreeMap;

use confab_protocol::{Code, Fault, OneTimeTicket};
use serde::{Deserialize, Serialize};

/// How long a ticket is good, seconds.
const VALIDITY: u64 = 86_400;
/// Tickets of a room that are good at once and have let nobody in.
const MOST: usize = 200;
/// Tickets of a room that have let somebody in and are kept for them.
const MOST_USED: usize = 200;

/// The tickets that hosts of a room gave out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Invites(BTreeMap<String, Invite>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Invite {
    /// Good until then, Unix seconds.
    until: u64,
    /// Whom it has let in; they may come back by it.
    by: Option<String>,
}

/// Why a ticket lets somebody not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEntrance {
    /// Not given out for this room, or too old.
    Unknown,
    /// It has let somebody else in.
    Used,
}

impl NoEntrance {
    fn sentence(self) -> &'static str {
        match self {
            NoEntrance::Unknown => {
                "The invitation is not good any more, or for another room; ask a host for another."
            }
            NoEntrance::Used => {
                "The invitation was for one person and has let somebody in already; ask a host for another."
            }
        }
    }
}

impl From<NoEntrance> for Fault {
    fn from(why: NoEntrance) -> Fault {
        Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM).with_message(why.sentence())
    }
}

/// So many tickets are good that no more are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{MOST} invitations for one person each are open in this room already; let some be used, or invite \
     without."
)]
pub(crate) struct TooMany;

impl Invites {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a ticket good for a day.
    pub(crate) fn add(&mut self, ticket: &OneTimeTicket, now: u64) -> Result<(), TooMany> {
        self.0.retain(|_, invite| invite.until > now);
        if self.0.values().filter(|invite| invite.by.is_none()).count() >= MOST {
            return Err(TooMany);
        }
        self.0.insert(ticket.as_str().to_owned(), Invite { until: now + VALIDITY, by: None });
        Ok(())
    }

    /// Lets somebody in by a ticket, which is theirs from then on.
    pub(crate) fn take(&mut self, ticket: &OneTimeTicket, user: &str, now: u64) -> Result<(), NoEntrance> {
        let invite = self.0.get_mut(ticket.as_str()).filter(|invite| invite.until > now);
        let invite = invite.ok_or(NoEntrance::Unknown)?;
        match &invite.by {
            Some(by) if by == user => return Ok(()),
            Some(_) => return Err(NoEntrance::Used),
            None => invite.by = Some(user.to_owned()),
        }
        self.drop_used(ticket.as_str());
        Ok(())
    }

    /// Drops the oldest used ticket where they are too many, but not the latest, with which its owner has
    /// yet to enter.
    fn drop_used(&mut self, latest: &str) {
        let used = || self.0.iter().filter(|(_, invite)| invite.by.is_some());
        if used().count() <= MOST_USED {
            return;
        }
        let others = used().filter(|(ticket, _)| ticket.as_str() != latest);
        let oldest = others.min_by_key(|(_, invite)| invite.until).map(|(ticket, _)| ticket.clone());
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(text: &str) -> OneTimeTicket {
        OneTimeTicket::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_ticket_lets_one_person_in_as_often_as_they_come_for_a_day() {
        let mut invites = Invites::default();
        invites.add(&ticket("one"), 1000).unwrap();
        assert_eq!(invites.take(&ticket("two"), "ann", 1000), Err(NoEntrance::Unknown));
        assert_eq!(invites.take(&ticket("one"), "ann", 1000), Ok(()));
        assert_eq!(invites.take(&ticket("one"), "bob", 1000), Err(NoEntrance::Used));
        assert_eq!(invites.take(&ticket("one"), "ann", 1000 + VALIDITY - 1), Ok(()));
        assert_eq!(invites.take(&ticket("one"), "ann", 1000 + VALIDITY), Err(NoEntrance::Unknown));
    }

    #[test]
    fn old_and_used_tickets_make_room_and_others_do_not() {
        let mut invites = Invites::default();
        (0..MOST).for_each(|n| invites.add(&ticket(&n.to_string()), 1000).unwrap());
        assert_eq!(invites.add(&ticket("more"), 1000), Err(TooMany));
        invites.take(&ticket("7"), "ann", 1000).unwrap();
        assert_eq!(invites.add(&ticket("more"), 1000), Ok(()));
        assert_eq!(invites.add(&ticket("most"), 1000), Err(TooMany));
        assert_eq!(invites.take(&ticket("7"), "ann", 1000), Ok(()), "a used one is good still");
        assert_eq!(invites.add(&ticket("most"), 1000 + VALIDITY), Ok(()));
        assert_eq!(invites.0.len(), 1);
    }

    #[test]
    fn of_too_many_used_tickets_the_oldest_is_forgotten_but_not_the_one_just_used() {
        let mut invites = Invites::default();
        invites.add(&ticket("old"), 1000).unwrap();
        for n in 0..=MOST_USED {
            let (one, now) = (ticket(&n.to_string()), 1001 + n as u64);
            invites.add(&one, now).unwrap();
            invites.take(&one, "ann", now).unwrap();
        }
        let mut take = |text: &str| invites.take(&ticket(text), "ann", 2000);
        assert_eq!((take("0"), take("1")), (Err(NoEntrance::Unknown), Ok(())));
        assert_eq!((take("old"), take("old")), (Ok(()), Ok(())));
        assert_eq!((take("1"), take("2")), (Err(NoEntrance::Unknown), Ok(())));
    }

    #[test]
    fn tickets_are_the_same_after_a_restart() {
        let mut invites = Invites::default();
        invites.add(&ticket("one"), 1000).unwrap();
        invites.take(&ticket("one"), "ann", 1000).unwrap();
        let mut again: Invites = serde_json::from_str(&serde_json::to_string(&invites).unwrap()).unwrap();
        assert_eq!(again.take(&ticket("one"), "bob", 1001), Err(NoEntrance::Used));
        assert_eq!(again.take(&ticket("one"), "ann", 1001), Ok(()));
    }
}
