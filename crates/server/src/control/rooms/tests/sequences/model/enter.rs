//! Coming in: what an entry shows, what a room says to it, and the seat at the door.

use confab_protocol::{ExitCause, Role};

use super::{Coming, Model, PATIENCE, Room, SEAT};
use crate::control::rooms::tests::sequences::command::{How, NAMES, Staying};
use crate::engine::Permission;

/// What an entry comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control::rooms::tests::sequences) enum Entering {
    Let,
    Waits,
    Code(i32),
    Over(ExitCause),
}

impl Model {
    /// Somebody asks for a seat.
    pub(in crate::control::rooms::tests::sequences) fn ask(
        &mut self,
        who: usize,
        at: usize,
        how: How,
        stay: Option<&str>,
        invite: Option<&str>,
    ) -> Entering {
        if how.stay == Staying::Back
            && let Some(cause) = stay.and_then(|stay| self.ended(who, at, stay))
        {
            return Entering::Over(cause);
        }
        let now = self.now;
        let full = self.online;
        match self.rooms.get_mut(&at) {
            None if invite.is_some() => return KEPT_OUT,
            None if how.rights & 1 == 0 => return Entering::Code(-102_010),
            None => {
                self.rooms.insert(at, Room { waits: how.waits, ..Room::default() });
            }
            Some(room) => {
                let found = door(room, who, how, invite, full, now);
                self.settle();
                if found != Entering::Let {
                    return found;
                }
            }
        }
        self.tickets += 1;
        let Some(room) = self.rooms.get_mut(&at) else { return Entering::Let };
        room.scene = Some(how.scene);
        let muted = room.muted_all && !room.is_host(who) && !room.allowed.contains(&who);
        let forbidden = muted || room.hushed_away.contains(&who);
        if !room.has_place(who) {
            room.hushed.extend(forbidden.then_some(who));
            room.hushed_away.remove(&who);
        }
        let same =
            room.here.get(&who).is_some_and(|here| here.stay.is_some() && here.stay.as_deref() == stay);
        let role = (!(same && how.stay == Staying::Back)).then_some(how.role);
        let coming = Coming {
            until: now + SEAT,
            role,
            rights: Some(how.rights),
            stay: stay.map(str::to_owned),
            ticket: Some(self.tickets),
        };
        room.coming.insert(who, coming);
        self.settle();
        Entering::Let
    }

    /// How the stay ended that somebody wants to come back to.
    fn ended(&self, who: usize, at: usize, stay: &str) -> Option<ExitCause> {
        if let Some(cause) = self.stays.get(&(at, who, stay.to_owned())).copied().flatten() {
            return Some(cause);
        }
        let room = self.rooms.get(&at)?;
        let other = room.here.get(&who).is_some_and(|here| here.stay.as_deref() != Some(stay));
        let next = room.coming.get(&who).and_then(|coming| coming.stay.as_deref());
        (other || next.is_some_and(|next| next != stay)).then_some(ExitCause::EnteredElsewhere)
    }

    /// The number of the last entry of somebody who is expected.
    pub(in crate::control::rooms::tests::sequences) fn ticket(&self, who: usize, at: usize) -> Option<u64> {
        self.rooms.get(&at)?.coming.get(&who)?.ticket
    }

    /// Somebody opens signalling: what they are and may do, where they have a seat.
    pub(in crate::control::rooms::tests::sequences) fn knock(
        &mut self,
        who: usize,
        at: usize,
        ticket: u64,
    ) -> Option<(Role, Option<Permission>)> {
        let (now, room) = (self.now, self.rooms.get_mut(&at)?);
        let here = room.here.get(&who);
        if here.is_some_and(|here| here.ticket.is_some_and(|newer| newer > ticket)) {
            return None;
        }
        // Whoever comes with a plain token takes the seats that were given to that name.
        let (role, rights, stepped_down) = match (room.coming.get(&who), here) {
            (Some(coming), Some(here)) if coming.role.is_none() => {
                (here.role, coming.rights?, here.stepped_down)
            }
            (Some(coming), _) => (coming.role.unwrap_or_default(), coming.rights?, false),
            (None, Some(here)) => (here.role, here.rights?, here.stepped_down),
            (None, None) => return None,
        };
        match room.coming.get_mut(&who) {
            Some(coming) => coming.until = now + SEAT,
            None => {
                let (stay, ticket) = room.here.get(&who).map(|here| (here.stay.clone(), here.ticket))?;
                let coming = Coming { until: now + SEAT, role: None, rights: Some(rights), stay, ticket };
                room.coming.insert(who, coming);
            }
        }
        Some((role, Some(room.allowed(who, role, rights, stepped_down))))
    }

    /// Somebody with a plain token is about to come.
    pub(in crate::control::rooms::tests::sequences) fn visit(&mut self, who: usize, at: usize) {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&at) else { return };
        let here = room.here.get(&who).is_some_and(|here| here.ticket.is_some());
        if here || room.coming.get(&who).is_some_and(|coming| coming.ticket.is_some()) {
            let role = Some(Role::Anchor);
            let coming = Coming { until: now + SEAT, role, rights: None, stay: None, ticket: None };
            room.coming.insert(who, coming);
        }
    }
}

/// What hosts do not want, or an invitation that is not good.
const KEPT_OUT: Entering = Entering::Code(-102_011);

/// Whether somebody gets into a room that is there: scene, then what hosts said, then capacity.
fn door(room: &mut Room, who: usize, how: How, invite: Option<&str>, full: usize, now: u64) -> Entering {
    if room.scene.is_some_and(|scene| scene != how.scene) {
        return Entering::Code(-100_011);
    }
    if room.banned.contains(&who) {
        return KEPT_OUT;
    }
    if !room.has_place(who) && !room.members_away.contains(&who) {
        if room.locked {
            return KEPT_OUT;
        }
        // Somebody has to be there, or on the way, who can open.
        let opens = room.owner.is_some()
            || room.here.values().any(|here| !room.is_viewer(here.role))
            || room.coming.values().any(|coming| coming.role.is_some_and(|role| !room.is_viewer(role)));
        if let Some(ticket) = invite {
            match room.invites.get_mut(ticket) {
                Some(by) if by.is_none_or(|one| one == who) => *by = Some(who),
                _ => return KEPT_OUT,
            }
        } else if room.waits && opens {
            match room.answers.remove(&who) {
                Some((true, _)) => {}
                Some((false, _)) => return KEPT_OUT,
                None => {
                    match room.waiting.iter_mut().find(|(one, _)| *one == who) {
                        Some((_, until)) => *until = now + PATIENCE,
                        None => room.waiting.push((who, now + PATIENCE)),
                    }
                    return Entering::Waits;
                }
            }
        }
    }
    let others = (0..NAMES.len()).filter(|one| *one != who && room.has_place(*one)).count();
    if others >= full { Entering::Code(-102_052) } else { Entering::Let }
}
