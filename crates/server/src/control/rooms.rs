//! Rooms and seats as a value: no clock, no socket, no engine. What is to be done about a change is
//! collected as effects.

mod host;
mod invite;
mod role;
mod tell;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use confab_protocol::{Code, ExitCause, Fault, LeaveReason, Limits, Notice, Role, UserId};

use super::Entry;
use super::effect::{Agenda, Effect, Order};
use super::ended::Ended;
use super::invites::NoEntrance;
use super::put_out::PutOut;
use super::room::{Refused, Room};
use super::seat::{Admitted, RESERVATION, Reservation};
use crate::config::SceneLimits;
use crate::engine::{Kind, Permission};
use crate::happening::{ClientInfo, Stream, What};

pub(crate) use host::By;
pub(crate) use role::RoleError;

/// How long a live room stays open after its last viewer left (TRTC's rule).
const LINGER: Duration = Duration::from_secs(600);

/// Every room with somebody in it or expected in it, by wire name.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    limits: SceneLimits,
    rooms: HashMap<String, Room>,
    ended: Ended,
    put_out: PutOut,
    agenda: Agenda,
    /// Entries that were let in so far.
    tickets: u64,
    /// People who came so far.
    arrivals: u64,
    /// When time changes something.
    due: BinaryHeap<Reverse<Due>>,
}

/// A room, or one seat of it, that has to be looked at then; it may have changed since.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    room: String,
    user: Option<String>,
}

/// A seat that is being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The role by now; the token may have another.
    pub(crate) role: Role,
    /// What they may do; None for somebody with a LiveKit token of their own.
    pub(crate) permission: Option<Permission>,
    /// How many people may send in the room.
    pub(crate) publishing: u32,
}

/// How much is going on, for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Census {
    pub(crate) rooms: usize,
    pub(crate) present: usize,
    pub(crate) reserved: usize,
}

/// Nobody is in that room or expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the room does not exist")]
pub(crate) struct NoSuchRoom;

impl Rooms {
    /// No rooms yet, with those limits.
    pub(crate) fn new(limits: SceneLimits) -> Rooms {
        Rooms { limits, ..Rooms::default() }
    }

    /// From now on it is that time, Unix milliseconds.
    pub(crate) fn set_time(&mut self, unix_ms: u64) {
        self.agenda.set_time(unix_ms);
    }

    /// From now on what is kept stays as it is, because the server stops and people are expected back.
    pub(crate) fn freeze(&mut self) {
        self.agenda.freeze();
    }

    /// What is to be done since the last call.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        self.agenda.take()
    }

    /// Takes up rooms that outlived a restart; their people are expected back.
    pub(crate) fn restore(&mut self, kept: Vec<(String, String)>, now: Instant) {
        for (key, text) in kept {
            if let Some(room) = Room::restore(&text, now) {
                self.rooms.insert(key.clone(), room);
                self.schedule(&key);
            } else {
                self.agenda.keep(&key, None);
            }
        }
    }

    /// How the stay ended to which somebody wants to return; nothing when they may.
    pub(crate) fn ended(&mut self, entry: &Entry, now: Instant) -> Option<ExitCause> {
        let stay = entry.stay.as_ref().filter(|stay| stay.returning)?;
        self.expire(now);
        self.ended.forget(now);
        let (key, user) = (entry.room.key(entry.app), entry.user.as_str());
        let seat = self.rooms.get(&key).and_then(|room| room.seats.get(user));
        let taken = seat
            .is_some_and(|seat| (seat.present || seat.reserved.is_some()) && seat.is_taken_from(&stay.id));
        self.ended.cause(&stay.id, &key, user).or(taken.then_some(ExitCause::EnteredElsewhere))
    }

    /// Keeps a seat for somebody who may enter: room and scene, then what hosts forbid, then capacity
    /// are checked.
    pub(crate) fn reserve(&mut self, entry: &Entry, now: Instant) -> Result<Limits, Refused> {
        self.expire(now);
        let (key, limits) = (entry.room.key(entry.app), self.limits.of(entry.scene));
        match self.rooms.get_mut(&key) {
            None if entry.invite.is_some() => return Err(NoEntrance::Unknown.into()),
            None if !entry.may_create() => return Err(Fault::new(Code::NO_PRIVILEGE_CREATE_ROOM).into()),
            None => {}
            Some(room) => {
                let admitted = room.admit(entry, limits, self.agenda.unix(), now);
                self.settle(&key, now);
                admitted?;
            }
        }
        self.tickets += 1;
        let room =
            self.rooms.entry(key.clone()).or_insert_with(|| Room { waits: entry.waits, ..Room::default() });
        room.scene = Some(entry.scene);
        let seat = room.seat(entry.user.as_str());
        seat.expect(entry, self.tickets, now);
        self.expects(&key, entry.user.as_str(), now);
        self.host_expected(&key, entry.user.as_str(), now);
        Ok(limits)
    }

    /// A host who is out is one only by what they are expected as.
    fn host_expected(&mut self, key: &str, user: &str, now: Instant) {
        if let Some(room) = self.rooms.get_mut(key).filter(|room| room.is_host(user)) {
            room.touched = true;
            self.settle(key, now);
        }
    }

    /// The latest entry of somebody who is expected.
    pub(crate) fn ticket(&self, entry: &Entry) -> Option<u64> {
        let seat = self.rooms.get(&entry.room.key(entry.app))?.seats.get(entry.user.as_str())?;
        seat.reserved.as_ref()?.ticket
    }

    /// Takes a seat by the entry that it was given for, or looks at that of somebody who is present and
    /// comes back after a lost connection. None where there is no such seat, and for an entry that is
    /// older than the one by which the person is there: over a bad line it may arrive last, and must not
    /// put the later one out. Nor for one whose person was put out on the way.
    pub(crate) fn claim(
        &mut self,
        key: &str,
        identity: &str,
        ticket: Option<u64>,
        client: ClientInfo,
        now: Instant,
    ) -> Option<Taken> {
        self.expire(now);
        if ticket.is_some_and(|ticket| self.put_out.has(ticket, now)) {
            return None;
        }
        let room = self.rooms.get_mut(key)?;
        let scene = room.scene;
        let seat = room.seats.get_mut(identity).filter(|seat| seat.is_for(ticket))?;
        let (role, permission) = seat.admission(scene);
        match &mut seat.reserved {
            Some(reservation) => {
                // Somebody with a plain token takes the place of whoever entered.
                reservation.ticket?;
                reservation.until = now + RESERVATION;
                reservation.client = client;
            }
            None => seat.reserved = Some(seat.back(client, now)?),
        }
        seat.admitted = Some(Admitted { ticket, role, permission });
        let publishing = self.limits.of(scene.unwrap_or_default()).publishing;
        let taken = Taken { role, permission, publishing };
        self.expects(key, identity, now);
        Some(taken)
    }

    /// Somebody with a plain LiveKit token, who needs no seat, is about to come. Whoever of that name
    /// came by the room service makes way for them.
    pub(crate) fn visits(&mut self, key: &str, identity: &str, now: Instant) {
        self.expire(now);
        let seat = self.rooms.get_mut(key).and_then(|room| room.seats.get_mut(identity));
        let Some(seat) = seat.filter(|seat| seat.is_entered()) else { return };
        seat.reserved = Some(Reservation {
            until: now + RESERVATION,
            stay: None,
            returning: false,
            ticket: None,
            role: Some(Role::default()),
            granted: None,
            client: ClientInfo::default(),
        });
        self.expects(key, identity, now);
    }

    /// Somebody has come, by that entry where they came by one: they are in, unless they were put out on
    /// their way from the door.
    pub(crate) fn came(&mut self, key: &str, identity: &str, ticket: Option<u64>, now: Instant) {
        match ticket.and_then(|ticket| self.put_out.take(ticket, now)) {
            Some(notice) => self.agenda.order(key, Order::Remove(identity.to_owned(), notice)),
            None => self.joined(key, identity, now),
        }
    }

    /// Somebody's signalling is up. People with plain LiveKit tokens had no seat before.
    fn joined(&mut self, key: &str, identity: &str, now: Instant) {
        let Rooms { rooms, ended, agenda, arrivals, .. } = self;
        let room = rooms.entry(key.to_owned()).or_default();
        room.lingers = None;
        room.touched |= !room.has_listeners();
        room.told.hosts.retain(|host| host != identity);
        room.is_back(identity);
        let scene = room.scene;
        let seat = room.seats.entry(identity.to_owned()).or_default();
        let before = std::mem::replace(&mut seat.present, true);
        if !before {
            *arrivals += 1;
            seat.arrival = *arrivals;
        }
        let watched = before && seat.is_viewer(scene);
        let (mut again, mut replaced) = (before, None);
        if let Some(reservation) = seat.reserved.take() {
            again = reservation.returning;
            if before && !again {
                replaced = seat.farewell(identity, scene, LeaveReason::Removed);
            }
            let earlier = seat.stay.take();
            seat.take(reservation);
            if let Some(earlier) = earlier.filter(|earlier| seat.stay.as_ref() != Some(earlier)) {
                ended.note(earlier, key, identity, ExitCause::EnteredElsewhere, now);
            }
        }
        for order in seat.correct(identity, scene) {
            agenda.order(key, order);
        }
        let (viewer, role, client) = (seat.is_viewer(scene), seat.role_in(scene), seat.client.clone());
        room.moved(identity, viewer);
        room.audience_changed |= watched;
        if let Ok(user) = identity.parse::<UserId>() {
            let first = room.created.is_none();
            let created = *room.created.get_or_insert(agenda.unix());
            if first {
                agenda.happened(key, created, What::RoomCreated { by: user.clone() });
            }
            if let Some(left) = replaced {
                agenda.happened(key, created, left);
            }
            agenda.happened(key, created, What::Entered { user, role, again, client });
        }
        self.settle(key, now);
    }

    /// A seat is free again; a newer reservation of the same person stays.
    pub(crate) fn left(&mut self, key: &str, identity: &str, reason: LeaveReason, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let scene = room.scene;
        let Some(seat) = room.seats.get_mut(identity).filter(|seat| seat.present) else { return };
        let viewer = seat.is_viewer(scene);
        if let (Some(created), Some(left)) = (room.created, seat.farewell(identity, scene, reason)) {
            self.agenda.happened(key, created, left);
        }
        if let (LeaveReason::TimedOut, Some(stay)) = (reason, seat.stay.take()) {
            self.ended.lose(stay, key, identity, now);
        }
        if seat.reserved.is_some() {
            seat.vacate();
        } else {
            room.drop_seat(identity);
        }
        room.moved(identity, viewer);
        if viewer && reason == LeaveReason::Left && !room.has_listeners() {
            room.lingers = Some(now + LINGER);
        }
        self.settle(key, now);
    }

    /// Somebody began or stopped sending something.
    pub(crate) fn sends(&mut self, key: &str, identity: &str, kind: Kind, on: bool) {
        let created = self.rooms.get(key).and_then(|room| room.created);
        if let (Some(created), Ok(user)) = (created, identity.parse()) {
            let stream = match kind {
                Kind::Audio => Stream::Audio,
                Kind::Video => Stream::Main,
                Kind::Screen => Stream::Sub,
            };
            self.agenda.happened(key, created, What::Media { user, stream, on });
        }
    }

    /// The engine closed a room: whoever was present is gone.
    pub(crate) fn closed(&mut self, key: &str, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        for (user, seat) in room.seats.iter_mut().filter(|(_, seat)| seat.present) {
            if let (Some(created), Some(left)) =
                (room.created, seat.farewell(user, room.scene, LeaveReason::Removed))
            {
                self.agenda.happened(key, created, left);
            }
            seat.vacate();
        }
        let empty = room.seats.iter().filter(|(_, seat)| seat.reserved.is_none());
        for user in empty.map(|(user, _)| user.clone()).collect::<Vec<_>>() {
            room.drop_seat(&user);
        }
        // The next one of that name in the engine has heard nothing yet.
        room.told.state = None;
        room.touched = true;
        self.settle(key, now);
    }

    /// Frees the seats of people who are being removed, reserved ones too.
    pub(crate) fn remove(
        &mut self,
        key: &str,
        users: &[String],
        by: Option<&str>,
        now: Instant,
    ) -> Result<(), NoSuchRoom> {
        self.expire(now);
        let notice = Notice::exit(ExitCause::Removed, by.map(str::to_owned));
        for user in users {
            // The engine may know a room that is not in the books.
            self.agenda.order(key, Order::Remove(user.clone(), notice.clone()));
        }
        let room = self.rooms.get_mut(key).ok_or(NoSuchRoom)?;
        let scene = room.scene;
        for user in users {
            room.is_back(user);
            if let Some(seat) = room.drop_seat(user) {
                if let Some(entry) = seat.at_door() {
                    self.put_out.note(entry, notice.clone(), now);
                }
                room.moved(user, seat.is_viewer(scene));
                let left = seat.farewell(user, scene, LeaveReason::Removed).filter(|_| seat.present);
                if let (Some(created), Some(left)) = (room.created, left) {
                    self.agenda.happened(key, created, left);
                }
                seat.end(&mut self.ended, key, user, ExitCause::Removed, now);
            }
            self.ended.end_lost(key, Some(user), ExitCause::Removed);
        }
        self.settle(key, now);
        Ok(())
    }

    /// Forgets a room that is being dismissed; entering again makes a new one.
    pub(crate) fn dismiss(&mut self, key: &str, by: Option<&str>, now: Instant) -> Result<(), NoSuchRoom> {
        self.expire(now);
        let notice = Notice::exit(ExitCause::Dismissed, by.map(str::to_owned));
        self.agenda.order(key, Order::Dismiss(notice.clone()));
        let room = self.rooms.remove(key).ok_or(NoSuchRoom)?;
        for (user, seat) in room.seats {
            if let Some(entry) = seat.at_door() {
                self.put_out.note(entry, notice.clone(), now);
            }
            let left = seat.farewell(&user, room.scene, LeaveReason::Removed).filter(|_| seat.present);
            if let (Some(created), Some(left)) = (room.created, left) {
                self.agenda.happened(key, created, left);
            }
            seat.end(&mut self.ended, key, &user, ExitCause::Dismissed, now);
        }
        self.ended.end_lost(key, None, ExitCause::Dismissed);
        self.agenda.over(key, room.created, room.told.kept.is_some(), by);
        Ok(())
    }

    /// Lets time pass: reservations nobody took, empty rooms that have lingered enough, and the like.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.due.peek().is_some_and(|Reverse(due)| due.at <= now) {
            let Some(Reverse(due)) = self.due.pop() else { return };
            let Some(room) = self.rooms.get_mut(&due.room) else { continue };
            match due.user {
                Some(user) => room.expire_seat(&user, now),
                None => {
                    room.scheduled.take_if(|at| *at == due.at);
                    room.expire(now);
                }
            }
            self.settle(&due.room, now);
        }
    }

    /// When [`Rooms::expire`] may next have something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse(due)| due.at)
    }

    fn schedule(&mut self, key: &str) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if let Some(at) = room.deadline().filter(|at| room.scheduled.is_none_or(|before| *at < before)) {
            room.scheduled = Some(at);
            self.due.push(Reverse(Due { at, room: key.to_owned(), user: None }));
        }
    }

    /// Looks at a seat again when its reservation is over.
    fn expects(&mut self, key: &str, user: &str, now: Instant) {
        let (room, user) = (key.to_owned(), Some(user.to_owned()));
        self.due.push(Reverse(Due { at: now + RESERVATION, room, user }));
    }

    /// After a change: a room that is over goes, hosts that are gone are followed by others, and whoever
    /// has to know is told.
    fn settle(&mut self, key: &str, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.is_over() {
            self.agenda.over(key, room.created, room.told.kept.is_some(), None);
            self.rooms.remove(key);
            return;
        }
        if room.touched
            && let Some(order) = room.succeed()
        {
            self.agenda.order(key, order);
        }
        tell::hosts(room, key, &mut self.agenda);
        tell::state(room, key, &mut self.agenda, now);
        self.schedule(key);
    }

    /// Counts what is there.
    pub(crate) fn census(&self) -> Census {
        let seats = || self.rooms.values().flat_map(|room| room.seats.values());
        Census {
            rooms: self.rooms.len(),
            present: seats().filter(|seat| seat.present).count(),
            reserved: seats().filter(|seat| !seat.present).count(),
        }
    }
}

#[cfg(test)]
mod tests;
