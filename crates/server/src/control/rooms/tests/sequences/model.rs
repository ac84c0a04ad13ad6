//! What a room has to be, said once more and in another way: by who is in, who is on the way and what
//! hosts have said.

mod enter;
mod host;

use std::collections::{BTreeMap, BTreeSet};

use confab_protocol::{ExitCause, LeaveReason, Role, RoomState, Scene};

use super::command::{KEYS, NAMES};
use crate::engine::{Kinds, Permission};

pub(super) use enter::Entering;
pub(super) use host::Done;

/// How long, ms: a given seat waits, an empty live room stays, people are expected back after a restart,
/// somebody who does not ask again waits, an answer waits for them, viewers are not counted anew.
pub(super) const SEAT: u64 = 30_000;
const EMPTY: u64 = 600_000;
const BACK: u64 = 90_000;
const PATIENCE: u64 = 10_000;
const ANSWER: u64 = 60_000;
const COUNT: u64 = 2_000;

/// Rooms as they have to be.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Virtual time, ms.
    pub(super) now: u64,
    /// By their place in [`KEYS`].
    pub(super) rooms: BTreeMap<usize, Room>,
    /// Stays that are over or were lost, by room, person and name; None for a lost one.
    stays: BTreeMap<(usize, usize, String), Option<ExitCause>>,
    online: usize,
    tickets: u64,
    arrivals: u64,
}

/// One room.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    pub(super) scene: Option<Scene>,
    /// Somebody was in.
    opened: bool,
    pub(super) here: BTreeMap<usize, Here>,
    pub(super) coming: BTreeMap<usize, Coming>,
    pub(super) hushed: BTreeSet<usize>,
    pub(super) owner: Option<usize>,
    pub(super) co_hosts: Vec<usize>,
    pub(super) banned: BTreeSet<usize>,
    pub(super) locked: bool,
    pub(super) waits: bool,
    pub(super) muted_all: bool,
    /// Who waits, and until when without asking again.
    pub(super) waiting: Vec<(usize, u64)>,
    /// What they were answered, and until when it is remembered.
    answers: BTreeMap<usize, (bool, u64)>,
    /// The last one was a viewer who left: the room stays until then.
    empty_until: Option<u64>,
    /// After a restart: until when people are expected back.
    back_until: Option<u64>,
    /// Hosts, and people who had been let in, as far as they are not back.
    hosts_away: BTreeSet<usize>,
    members_away: BTreeSet<usize>,
    /// People who are out and may not unmute when they come back.
    hushed_away: BTreeSet<usize>,
    /// Who may unmute though all were muted.
    allowed: BTreeSet<usize>,
    /// Tickets for one person, and whom they let in.
    pub(super) invites: BTreeMap<String, Option<usize>>,
    /// Viewers came or went, who need not be counted before then.
    pub(super) uncounted_until: u64,
}

/// Somebody who is in.
#[derive(Debug, Clone)]
pub(super) struct Here {
    since: u64,
    pub(super) role: Role,
    /// None where a LiveKit token says it.
    pub(super) rights: Option<u32>,
    /// Was an anchor before, so that the others go on seeing them.
    stepped_down: bool,
    stay: Option<String>,
    ticket: Option<u64>,
}

/// Somebody who is on the way.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    until: u64,
    /// None for one who comes back as what they are.
    role: Option<Role>,
    rights: Option<u32>,
    stay: Option<String>,
    ticket: Option<u64>,
}

impl Room {
    pub(super) fn is_viewer(&self, role: Role) -> bool {
        matches!(self.scene, Some(Scene::Live | Scene::VoiceChatRoom)) && role == Role::Audience
    }

    fn watches(&self, who: usize) -> bool {
        self.here.get(&who).is_some_and(|here| self.is_viewer(here.role))
    }

    pub(super) fn is_host(&self, who: usize) -> bool {
        self.owner == Some(who) || self.co_hosts.contains(&who)
    }

    /// Hosts who are in, the owner first.
    pub(super) fn hosts_here(&self) -> Vec<usize> {
        let all = self.owner.iter().chain(&self.co_hosts).copied();
        all.filter(|who| self.here.contains_key(who)).collect()
    }

    /// Whether they have a place, taken or kept.
    pub(super) fn has_place(&self, who: usize) -> bool {
        self.here.contains_key(&who) || self.coming.contains_key(&who)
    }

    /// What somebody may do, sent and received.
    pub(super) fn permission(&self, who: usize) -> Option<Permission> {
        let here = self.here.get(&who)?;
        Some(self.allowed(who, here.role, here.rights?, here.stepped_down))
    }

    fn allowed(&self, who: usize, role: Role, rights: u32, stepped_down: bool) -> Permission {
        let watches = self.is_viewer(role);
        let pictures = matches!(self.scene, None | Some(Scene::VideoCall | Scene::Live));
        let has = |bit: u32| rights & bit != 0;
        let sends = |bit: u32, fits: bool| has(bit) && fits && !watches;
        Permission {
            publish: Kinds {
                audio: sends(4, !self.hushed.contains(&who)),
                video: sends(16, pictures),
                screen: sends(64, pictures),
            },
            subscribe: Kinds { audio: has(8), video: has(32), screen: has(128) },
            can_publish_data: !watches,
            hidden: watches && !stepped_down,
        }
    }

    /// What everybody is to know.
    pub(super) fn state(&self) -> RoomState {
        let name = |who: &usize| NAMES[*who].to_owned();
        RoomState {
            owner: self.owner.as_ref().map(name),
            co_hosts: self.co_hosts.iter().map(name).collect(),
            locked: self.locked,
            waiting_room: self.waits,
            muted_all: self.muted_all,
            forbidden: self
                .here
                .keys()
                .filter(|who| self.hushed.contains(who) && !self.watches(**who))
                .map(name)
                .collect(),
            banned: Vec::new(),
            audience: self.here.keys().filter(|who| self.watches(**who)).count() as u32,
        }
    }

    /// Lets hosts go who are gone for good, and finds an owner.
    fn succeed(&mut self) {
        let kept = |room: &Room, who: usize| room.leads(who) || room.hosts_away.contains(&who);
        if self.owner.is_some_and(|who| !kept(self, who)) {
            self.owner = None;
        }
        let stay: Vec<usize> = self.co_hosts.iter().copied().filter(|who| kept(self, *who)).collect();
        self.co_hosts = stay;
        if self.owner.is_some() {
            return;
        }
        let oldest = |fits: &dyn Fn(usize, &Here) -> bool| {
            let some = self.here.iter().filter(|(who, here)| fits(**who, here));
            some.min_by_key(|(_, here)| here.since).map(|(who, _)| *who)
        };
        let next = oldest(&|who, _| self.co_hosts.contains(&who))
            .or_else(|| oldest(&|_, here| here.rights.is_some() && !self.is_viewer(here.role)));
        if let Some(next) = next {
            self.owner = Some(next);
            self.co_hosts.retain(|who| *who != next);
            // A host is not kept from unmuting.
            self.hushed.remove(&next);
        }
    }

    /// Whether somebody can be a host: they have a place by the room service, and do more than watch, or
    /// are about to.
    fn leads(&self, who: usize) -> bool {
        let (here, coming) = (self.here.get(&who), self.coming.get(&who));
        let entered = here.is_some_and(|here| here.ticket.is_some())
            || coming.is_some_and(|coming| coming.ticket.is_some());
        let acts = here.is_some_and(|here| !self.is_viewer(here.role));
        let role = coming.and_then(|coming| coming.role);
        entered && (acts || role.is_some_and(|role| !self.is_viewer(role)))
    }

    /// Whether a restart does not make it another one.
    pub(super) fn outlives(&self) -> bool {
        let told = self.locked || self.waits || self.muted_all;
        let named = [&self.banned, &self.hushed, &self.hushed_away].iter().any(|who| !who.is_empty());
        self.opened && (told || named || self.owner.is_some() || !self.invites.is_empty())
    }

    /// Nobody holds the place of somebody any more, who finds themselves kept from unmuting as before.
    fn give_up(&mut self, who: usize) {
        if self.hushed.remove(&who) && !self.muted_all {
            self.hushed_away.insert(who);
        }
    }

    fn is_over(&self) -> bool {
        self.here.is_empty()
            && self.coming.is_empty()
            && self.empty_until.is_none()
            && self.back_until.is_none()
    }

    /// Gives up the place of somebody, with what was noted about it.
    fn forget(&mut self, who: usize) {
        self.here.remove(&who);
        self.coming.remove(&who);
        self.give_up(who);
        self.back(who);
    }

    /// Nobody waits for them to be back from a restart any more.
    fn back(&mut self, who: usize) {
        self.hosts_away.remove(&who);
        self.members_away.remove(&who);
    }

    /// The next moment at which time changes something.
    fn next(&self) -> Option<u64> {
        let coming = self.coming.values().map(|coming| coming.until);
        let knocks = self.waiting.iter().map(|(_, until)| *until);
        let answers = self.answers.values().map(|(_, until)| *until);
        let all = coming.chain(knocks).chain(answers).chain(self.empty_until).chain(self.back_until);
        all.min()
    }

    fn pass(&mut self, now: u64) {
        let late: Vec<usize> =
            self.coming.iter().filter(|(_, coming)| coming.until <= now).map(|(who, _)| *who).collect();
        for who in late {
            self.coming.remove(&who);
            if !self.here.contains_key(&who) {
                self.give_up(who);
            }
        }
        self.waiting.retain(|(_, until)| *until > now);
        self.answers.retain(|_, (_, until)| *until > now);
        self.empty_until.take_if(|until| *until <= now);
        if self.back_until.take_if(|until| *until <= now).is_some() {
            self.hosts_away.clear();
            self.members_away.clear();
        }
    }
}

impl Model {
    pub(super) fn new(online: u32) -> Model {
        Model { online: online as usize, ..Model::default() }
    }

    /// After anything: rooms that are over go, hosts that are gone are followed.
    pub(super) fn settle(&mut self) {
        self.rooms.retain(|_, room| !room.is_over());
        self.rooms.values_mut().for_each(Room::succeed);
    }

    /// Lets time pass until then.
    pub(super) fn pass(&mut self, until: u64) {
        while let Some(at) = self.rooms.values().filter_map(Room::next).min().filter(|at| *at <= until) {
            self.rooms.values_mut().for_each(|room| room.pass(at));
            self.settle();
        }
        self.now = until;
    }

    /// Somebody is in.
    pub(super) fn arrive(&mut self, who: usize, at: usize) {
        self.arrivals += 1;
        let (since, now) = (self.arrivals, self.now);
        let room = self.rooms.entry(at).or_default();
        room.opened = true;
        room.empty_until = None;
        room.back(who);
        let before = room.here.get(&who).cloned();
        let watched = room.watches(who);
        let coming = room.coming.remove(&who);
        let mut here = before.clone().unwrap_or(Here {
            since,
            role: Role::Anchor,
            rights: None,
            stepped_down: false,
            stay: None,
            ticket: None,
        });
        if let Some(coming) = coming {
            if let Some(role) = coming.role {
                (here.role, here.stepped_down) = (role, false);
            }
            (here.rights, here.stay, here.ticket) = (coming.rights, coming.stay, coming.ticket);
        }
        let over = before.and_then(|before| before.stay).filter(|stay| here.stay.as_ref() != Some(stay));
        room.here.insert(who, here);
        if watched || room.watches(who) {
            room.uncounted_until = now + COUNT;
        }
        if let Some(stay) = over {
            self.stays.insert((at, who, stay), Some(ExitCause::EnteredElsewhere));
        }
        self.settle();
    }

    /// Somebody is out.
    pub(super) fn gone(&mut self, who: usize, at: usize, reason: LeaveReason) {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&at) else { return };
        let watched = room.watches(who);
        let Some(here) = room.here.remove(&who) else { return };
        if watched {
            room.uncounted_until = now + COUNT;
        }
        match room.coming.get_mut(&who) {
            Some(coming) => drop(coming.role.get_or_insert(here.role)),
            None => room.give_up(who),
        }
        if room.here.is_empty() && watched && reason == LeaveReason::Left {
            room.empty_until = Some(now + EMPTY);
        }
        if let (LeaveReason::TimedOut, Some(stay)) = (reason, here.stay) {
            self.stays.insert((at, who, stay), None);
        }
        self.settle();
    }

    /// Somebody changes their role, if they may: whether there is nothing against it.
    pub(super) fn role(&mut self, who: usize, at: usize, role: Role, fresh: Option<u32>) -> bool {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&at) else { return false };
        let live = matches!(room.scene, Some(Scene::Live | Scene::VoiceChatRoom));
        let Some(here) = room.here.get_mut(&who).filter(|_| live) else { return false };
        let rights = fresh.or(here.rights);
        if role == Role::Anchor && rights.is_some_and(|rights| rights & (4 | 16 | 64) == 0) {
            return false;
        }
        let was = std::mem::replace(&mut here.role, role);
        here.rights = rights;
        here.stepped_down = role == Role::Audience && (here.stepped_down || was == Role::Anchor);
        room.uncounted_until = now + COUNT;
        self.settle();
        true
    }

    /// Somebody's place is taken away for that cause.
    fn put_out(&mut self, who: usize, at: usize, cause: ExitCause) {
        let Some(room) = self.rooms.get_mut(&at) else { return };
        let here = room.here.get(&who).and_then(|here| here.stay.clone());
        let coming = room.coming.get(&who).and_then(|coming| coming.stay.clone());
        room.forget(who);
        for stay in here.into_iter().chain(coming) {
            self.stays.insert((at, who, stay), Some(cause));
        }
        for ((room, person, _), found) in &mut self.stays {
            if (*room, *person) == (at, who) {
                found.get_or_insert(cause);
            }
        }
    }

    /// People are put out; false where there is no such room.
    pub(super) fn remove(&mut self, who: &[usize], at: usize) -> bool {
        if !self.rooms.contains_key(&at) {
            return false;
        }
        for who in who {
            self.put_out(*who, at, ExitCause::Removed);
        }
        if let Some(room) = self.rooms.get_mut(&at) {
            room.uncounted_until = self.now + COUNT;
        }
        self.settle();
        true
    }

    /// A room is ended; false where there is none.
    pub(super) fn dismiss(&mut self, at: usize) -> bool {
        if !self.rooms.contains_key(&at) {
            return false;
        }
        for who in 0..NAMES.len() {
            self.put_out(who, at, ExitCause::Dismissed);
        }
        self.rooms.remove(&at);
        true
    }

    /// The server is there again: rooms that are not as any other are, too, without their people.
    pub(super) fn restart(&mut self) {
        self.stays.clear();
        self.tickets = 0;
        for at in 0..KEYS.len() {
            let Some(room) = self.rooms.remove(&at).filter(Room::outlives) else { continue };
            let guarded = room.locked || room.waits;
            let members = room.here.keys().chain(&room.members_away).copied().filter(|_| guarded);
            let anew = Room {
                back_until: Some(self.now + BACK),
                hosts_away: room.owner.iter().chain(&room.co_hosts).copied().collect(),
                members_away: members.collect(),
                hushed_away: room.hushed.union(&room.hushed_away).copied().collect(),
                hushed: BTreeSet::new(),
                here: BTreeMap::new(),
                coming: BTreeMap::new(),
                waiting: Vec::new(),
                answers: BTreeMap::new(),
                empty_until: None,
                uncounted_until: 0,
                ..room
            };
            self.rooms.insert(at, anew);
        }
    }
}
