//! What hosts do, by the words of [`HostAction`].

use confab_protocol::HostAction;

use super::{Model, Room};
use crate::control::rooms::tests::sequences::command::NAMES;
use crate::engine::Kind;

/// Why an action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control::rooms::tests::sequences) enum Refusal {
    NoRoom,
    /// Not by them, not to these, or not on those who are no hosts.
    NoRight,
    /// It is about somebody who is not there.
    NotThere,
}

impl Refusal {
    /// What the client gets.
    pub(in crate::control::rooms::tests::sequences) fn code(self) -> i32 {
        match self {
            Refusal::NoRoom => -102_005,
            Refusal::NoRight => -3,
            Refusal::NotThere => -102_007,
        }
    }
}

/// What an action comes to that was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::control::rooms::tests::sequences) struct Done {
    /// Whose sending ends, by name and kind, sorted.
    pub(in crate::control::rooms::tests::sequences) silenced: Vec<(String, Kind)>,
    /// Only these are told, where not everybody is.
    pub(in crate::control::rooms::tests::sequences) told: Option<Vec<String>>,
}

fn place(user: &str) -> usize {
    NAMES.iter().position(|name| *name == user).unwrap()
}

impl Model {
    /// Somebody, or an administrator, wants a ticket for one person: whether they get it.
    pub(in crate::control::rooms::tests::sequences) fn invite(
        &mut self,
        by: Option<usize>,
        at: usize,
        ticket: &str,
    ) -> Result<(), Refusal> {
        let room = self.rooms.get_mut(&at).ok_or(Refusal::NoRoom)?;
        if by.is_some_and(|by| !room.here.contains_key(&by) || !room.is_host(by)) {
            return Err(Refusal::NoRight);
        }
        room.invites.insert(ticket.to_owned(), None);
        Ok(())
    }

    /// Somebody, or an administrator, does what hosts do.
    pub(in crate::control::rooms::tests::sequences) fn act(
        &mut self,
        by: Option<usize>,
        at: usize,
        action: &HostAction,
    ) -> Result<Done, Refusal> {
        let room = self.rooms.get_mut(&at).ok_or(Refusal::NoRoom)?;
        let target = action.target().map(|user| place(user.as_str()));
        may(room, by, target, action)?;
        let unseen = target.filter(|one| room.watches(*one) || !room.here.contains_key(one));
        let insiders = room.hosts_here().into_iter().chain(target.filter(|one| room.watches(*one)));
        let insiders: Vec<String> = insiders.map(|who| NAMES[who].to_owned()).collect();
        let mut done = Done::default();
        match action {
            HostAction::Mute { allow_unmute, .. } => {
                let whom: Vec<usize> = match target {
                    Some(one) => vec![one],
                    None => {
                        (0..NAMES.len()).filter(|one| room.has_place(*one) && !room.is_host(*one)).collect()
                    }
                };
                room.muted_all |= target.is_none() && !allow_unmute;
                let heard = whom.iter().filter(|who| !room.watches(**who));
                done.silenced = heard.map(|who| (NAMES[*who].to_owned(), Kind::Audio)).collect();
                if !allow_unmute {
                    match target {
                        Some(one) => drop(room.allowed.remove(&one)),
                        None => room.allowed.clear(),
                    }
                    room.hushed.extend(whom);
                }
            }
            HostAction::AllowUnmute { .. } => match target {
                Some(one) => {
                    room.hushed.remove(&one);
                    room.allowed.extend(room.muted_all.then_some(one));
                }
                None => {
                    room.hushed.clear();
                    room.allowed.clear();
                    room.hushed_away.clear();
                    room.muted_all = false;
                }
            },
            HostAction::StopVideo { user_id } => done.silenced = vec![(user_id.to_string(), Kind::Video)],
            HostAction::StopShare { user_id } => done.silenced = vec![(user_id.to_string(), Kind::Screen)],
            HostAction::Remove { ban, .. } => {
                if *ban {
                    room.banned.extend(target);
                }
                self.remove(target.as_slice(), at);
            }
            HostAction::Unban { .. } => room.banned.retain(|one| Some(*one) != target),
            HostAction::Lock { on } => room.locked = *on,
            HostAction::WaitingRoom { on } => {
                room.waits = *on;
                if !on {
                    room.answer(self.now, None, true);
                }
            }
            HostAction::Admit { .. } | HostAction::Deny { .. } => {
                room.answer(self.now, target, matches!(action, HostAction::Admit { .. }));
                done.told = Some(room.hosts_here().into_iter().map(|who| NAMES[who].to_owned()).collect());
            }
            HostAction::HandOver { .. } => {
                if room.owner != target {
                    room.co_hosts.retain(|one| Some(*one) != target);
                    room.co_hosts.extend(std::mem::replace(&mut room.owner, target));
                    room.hushed.retain(|one| Some(*one) != target);
                }
            }
            HostAction::CoHost { on, .. } => {
                room.co_hosts.retain(|one| Some(*one) != target);
                if *on {
                    room.co_hosts.extend(target);
                    room.hushed.retain(|one| Some(*one) != target);
                }
            }
            HostAction::Dismiss => drop(self.dismiss(at)),
        }
        if unseen.is_some() && !matches!(action, HostAction::Admit { .. } | HostAction::Deny { .. }) {
            done.told = Some(insiders);
        }
        self.settle();
        Ok(done)
    }
}

impl Room {
    /// A host answers one who waits, or all.
    fn answer(&mut self, now: u64, whom: Option<usize>, admitted: bool) {
        let (meant, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(who, _)| whom.is_none_or(|one| one == *who));
        self.waiting = rest;
        for (who, _) in meant {
            self.answers.insert(who, (admitted, now + super::ANSWER));
        }
    }
}

/// Who may do what to whom, and to whom it can be done at all.
fn may(room: &Room, by: Option<usize>, target: Option<usize>, action: &HostAction) -> Result<(), Refusal> {
    let own = by.is_some() && by == target;
    if let Some(by) = by {
        let owners = matches!(action.name(), "handOver" | "coHost" | "dismiss");
        let fits = room.here.contains_key(&by)
            && room.is_host(by)
            && (room.owner == Some(by) || !owners && (own || !target.is_some_and(|one| room.is_host(one))));
        let to_oneself = matches!(action.name(), "mute" | "allowUnmute" | "stopVideo" | "stopShare");
        if !fits || own && !to_oneself {
            return Err(Refusal::NoRight);
        }
    }
    let Some(target) = target else { return Ok(()) };
    let here = room.here.get(&target);
    let there = match action.name() {
        "remove" => matches!(action, HostAction::Remove { ban: true, .. }) || room.has_place(target),
        "unban" => room.banned.contains(&target),
        "admit" | "deny" => room.waiting.iter().any(|(who, _)| *who == target),
        _ => here.is_some(),
    };
    if !there {
        return Err(Refusal::NotThere);
    }
    let leads = match action.name() {
        "handOver" => room.leads(target),
        "coHost" => {
            let off = matches!(action, HostAction::CoHost { on: false, .. });
            room.owner != Some(target) && (off || room.leads(target))
        }
        _ => true,
    };
    if leads { Ok(()) } else { Err(Refusal::NoRight) }
}
