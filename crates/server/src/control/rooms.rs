//! Rooms and seats as a value: no clock, no socket, no engine.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_protocol::{Code, ExitCause, Fault, LeaveReason, Limits, Role, Scene};

use super::Entry;
use super::ended::Ended;

/// How long a seat waits for signalling after `/v1/enter` gave it out.
pub(crate) const RESERVATION: Duration = Duration::from_secs(30);
/// How long a live room stays open after its last viewer left (TRTC's rule).
const LINGER: Duration = Duration::from_secs(600);
/// A meeting: TRTC's limits of the call scenes.
const CALL: Limits = Limits { online: 300, publishing: 50 };
/// A broadcast: TRTC's limits of the live scenes.
const LIVE: Limits = Limits { online: 100_000, publishing: 50 };

/// What a room of this scene holds.
pub(crate) fn limits(scene: Scene) -> Limits {
    if scene.is_live() { LIVE } else { CALL }
}

/// Every room with somebody in it or expected in it, by wire name.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    rooms: HashMap<String, Room>,
    ended: Ended,
    /// Nothing expires before that.
    next: Option<Instant>,
}

#[derive(Debug, Default)]
struct Room {
    /// None where only people with plain LiveKit tokens came.
    scene: Option<Scene>,
    seats: HashMap<String, Seat>,
    /// An empty live room is kept until then.
    lingers: Option<Instant>,
}

#[derive(Debug, Default)]
struct Seat {
    role: Role,
    /// The role is no longer the one that the token was made for.
    role_changed: bool,
    /// Somebody is expected on it.
    reserved: Option<Reservation>,
    /// Signalling is up, or the engine keeps the seat after a lost connection.
    present: bool,
    /// The stay of the client that is present, if it named one.
    stay: Option<String>,
}

#[derive(Debug)]
struct Reservation {
    /// Signalling is expected until then.
    until: Instant,
    /// The stay of the client that is expected, if it named one.
    stay: Option<String>,
}

/// A seat that is being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The role, if it is no longer the one in the token.
    pub(crate) new_role: Option<Role>,
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

/// Why a role stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoleError {
    NoRoom,
    NotInRoom,
    /// Roles exist in live scenes only.
    Scene(Option<Scene>),
}

impl Rooms {
    /// How the stay ended to which somebody wants to return; nothing when they may.
    pub(crate) fn ended(&mut self, entry: &Entry, now: Instant) -> Option<ExitCause> {
        let stay = entry.stay.as_ref().filter(|stay| stay.returning)?;
        self.expire(now);
        self.ended.forget(now);
        let (key, user) = (entry.room.key(entry.app), entry.user.as_str());
        let seat = self.rooms.get(&key).and_then(|room| room.seats.get(user));
        let taken = seat.is_some_and(|seat| seat.is_taken_from(&stay.id));
        self.ended.cause(&stay.id, &key, user).or(taken.then_some(ExitCause::EnteredElsewhere))
    }

    /// Keeps a seat for somebody who may enter: room and scene, then capacity are checked.
    pub(crate) fn reserve(&mut self, entry: &Entry, now: Instant) -> Result<Limits, Fault> {
        self.expire(now);
        let key = entry.room.key(entry.app);
        match self.rooms.get(&key) {
            None if !entry.may_create => return Err(Fault::new(Code::NO_PRIVILEGE_CREATE_ROOM)),
            None => {}
            Some(room) => room.admits(entry)?,
        }
        let room = self.rooms.entry(key).or_default();
        room.scene = Some(entry.scene);
        room.lingers = None;
        let seat = room.seats.entry(entry.user.as_str().to_owned()).or_default();
        if !seat.is_returned_to(entry) {
            seat.role = entry.role;
            seat.role_changed = false;
        }
        let stay = entry.stay.as_ref().map(|stay| stay.id.clone());
        seat.reserved = Some(Reservation { until: now + RESERVATION, stay });
        self.expects(now + RESERVATION);
        Ok(limits(entry.scene))
    }

    /// Takes a seat that `/v1/enter` gave out, which is kept until signalling is up, or looks at that
    /// of somebody who is present and comes back after a lost connection. None when there is no such
    /// seat.
    pub(crate) fn take(&mut self, key: &str, identity: &str, now: Instant) -> Option<Taken> {
        self.expire(now);
        let seat = self.rooms.get_mut(key)?.seats.get_mut(identity)?;
        let taken = Taken { new_role: seat.role_changed.then_some(seat.role) };
        if let Some(reservation) = &mut seat.reserved {
            reservation.until = now + RESERVATION;
            self.expects(now + RESERVATION);
        }
        Some(taken)
    }

    /// Somebody with a plain LiveKit token, who needs no seat, is about to come. Whoever of that name
    /// came by the room service makes way for them.
    pub(crate) fn visits(&mut self, key: &str, identity: &str, now: Instant) {
        self.expire(now);
        let seat = self.rooms.get_mut(key).and_then(|room| room.seats.get_mut(identity));
        let Some(seat) = seat.filter(|seat| seat.stay.is_some()) else { return };
        seat.reserved = Some(Reservation { until: now + RESERVATION, stay: None });
        self.expects(now + RESERVATION);
    }

    /// Somebody's signalling is up. People with plain LiveKit tokens had no seat before.
    pub(crate) fn joined(&mut self, key: &str, identity: &str, now: Instant) {
        let room = self.rooms.entry(key.to_owned()).or_default();
        room.lingers = None;
        let seat = room.seats.entry(identity.to_owned()).or_default();
        seat.present = true;
        let Some(reservation) = seat.reserved.take() else { return };
        let before = std::mem::replace(&mut seat.stay, reservation.stay);
        if let Some(before) = before.filter(|before| seat.stay.as_ref() != Some(before)) {
            self.ended.note(before, key, identity, ExitCause::EnteredElsewhere, now);
        }
    }

    /// A seat is free again; a newer reservation of the same person stays.
    pub(crate) fn left(&mut self, key: &str, identity: &str, reason: LeaveReason, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let Some(seat) = room.seats.get_mut(identity) else { return };
        seat.present = false;
        if let (LeaveReason::TimedOut, Some(stay)) = (reason, seat.stay.take()) {
            self.ended.lose(stay, key, identity, now);
        }
        if seat.reserved.is_some() {
            return;
        }
        let viewer = seat.role == Role::Audience && room.scene.is_some_and(Scene::is_live);
        room.seats.remove(identity);
        if room.seats.is_empty() {
            if viewer && reason == LeaveReason::Left {
                room.lingers = Some(now + LINGER);
                self.expects(now + LINGER);
            } else {
                self.rooms.remove(key);
            }
        }
    }

    /// The engine closed a room: whoever was present is gone.
    pub(crate) fn closed(&mut self, key: &str) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        for seat in room.seats.values_mut() {
            seat.present = false;
            seat.stay = None;
        }
        room.seats.retain(|_, seat| seat.reserved.is_some());
        if room.seats.is_empty() && room.lingers.is_none() {
            self.rooms.remove(key);
        }
    }

    /// Frees the seats of people who are being removed, reserved ones too.
    pub(crate) fn remove(&mut self, key: &str, users: &[String], now: Instant) -> Result<(), NoSuchRoom> {
        self.expire(now);
        let room = self.rooms.get_mut(key).ok_or(NoSuchRoom)?;
        for user in users {
            if let Some(seat) = room.seats.remove(user) {
                seat.end(&mut self.ended, key, user, ExitCause::Removed, now);
            }
            self.ended.end_lost(key, Some(user), ExitCause::Removed);
        }
        if room.seats.is_empty() && room.lingers.is_none() {
            self.rooms.remove(key);
        }
        Ok(())
    }

    /// Forgets a room that is being dismissed; entering again makes a new one.
    pub(crate) fn dismiss(&mut self, key: &str, now: Instant) -> Result<(), NoSuchRoom> {
        self.expire(now);
        let room = self.rooms.remove(key).ok_or(NoSuchRoom)?;
        for (user, seat) in room.seats {
            seat.end(&mut self.ended, key, &user, ExitCause::Dismissed, now);
        }
        self.ended.end_lost(key, None, ExitCause::Dismissed);
        Ok(())
    }

    /// Changes somebody's role; answers the one before.
    pub(crate) fn set_role(&mut self, key: &str, identity: &str, role: Role) -> Result<Role, RoleError> {
        let room = self.rooms.get_mut(key).ok_or(RoleError::NoRoom)?;
        if !room.scene.is_some_and(Scene::is_live) {
            return Err(RoleError::Scene(room.scene));
        }
        let seat = room.seats.get_mut(identity).filter(|seat| seat.present).ok_or(RoleError::NotInRoom)?;
        seat.role_changed |= seat.role != role;
        Ok(std::mem::replace(&mut seat.role, role))
    }

    /// Drops reservations that nobody took and empty rooms that have lingered enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.rooms.retain(|_, room| {
            for seat in room.seats.values_mut() {
                seat.reserved.take_if(|reservation| reservation.until <= now);
            }
            room.seats.retain(|_, seat| seat.present || seat.reserved.is_some());
            room.lingers = room.lingers.filter(|until| *until > now);
            !room.seats.is_empty() || room.lingers.is_some()
        });
        let of_room =
            |room: &Room| room.seats.values().filter_map(Seat::expected_until).chain(room.lingers).min();
        self.next = self.rooms.values().filter_map(of_room).min();
    }

    /// When [`Rooms::expire`] may next have something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    fn expects(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
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

impl Seat {
    /// Whether this is the seat of a client that comes back to it: it finds the role that it had.
    fn is_returned_to(&self, entry: &Entry) -> bool {
        let returning = entry.stay.as_ref().filter(|stay| stay.returning);
        self.present && returning.is_some_and(|stay| self.stay.as_ref() == Some(&stay.id))
    }

    /// Whether another stay has this seat, or is about to take it.
    fn is_taken_from(&self, stay: &str) -> bool {
        let expected = self.reserved.as_ref().and_then(|reservation| reservation.stay.as_deref());
        (self.present && self.stay.as_deref() != Some(stay)) || expected.is_some_and(|other| other != stay)
    }

    fn expected_until(&self) -> Option<Instant> {
        self.reserved.as_ref().map(|reservation| reservation.until)
    }

    /// The seat is taken away: its stays, the present and the expected one, are over.
    fn end(self, ended: &mut Ended, key: &str, user: &str, cause: ExitCause, now: Instant) {
        let expected = self.reserved.and_then(|reservation| reservation.stay);
        for stay in self.stay.into_iter().chain(expected) {
            ended.note(stay, key, user, cause, now);
        }
    }
}

impl Room {
    fn admits(&self, entry: &Entry) -> Result<(), Fault> {
        if let Some(scene) = self.scene.filter(|scene| *scene != entry.scene) {
            let room = &entry.room;
            let (has, asked) = (scene.name(), entry.scene.name());
            return Err(Fault::new(Code::BAD_SCENE_OR_ROLE).with_message(format!(
                "Room {room} is open with the scene {has} and you asked for {asked}; enter it as {has}."
            )));
        }
        let others = self.seats.keys().filter(|user| *user != entry.user.as_str()).count();
        let online = limits(entry.scene).online;
        if others >= online as usize {
            return Err(Fault::new(Code::ROOM_FULL)
                .with_message(format!("Room {} is full: {online} people are in it.", entry.room)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{RoomId, SdkAppId, Stay};

    use super::*;

    const KEY: &str = "1/n:5";

    fn entry(user: &str, scene: Scene, role: Role) -> Entry {
        Entry {
            app: SdkAppId(1),
            user: user.parse().unwrap(),
            name: None,
            room: RoomId::number(5_u32).unwrap(),
            scene,
            role,
            may_create: true,
            may_publish: true,
            may_subscribe: true,
            stay: None,
        }
    }

    fn caller(user: &str) -> Entry {
        entry(user, Scene::VideoCall, Role::Anchor)
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Rooms with these people present in a room of that scene.
    fn with_present(entries: &[Entry], now: Instant) -> Rooms {
        let mut rooms = Rooms::default();
        for entry in entries {
            rooms.reserve(entry, now).unwrap();
            rooms.joined(KEY, entry.user.as_str(), now);
        }
        rooms
    }

    #[test]
    fn a_seat_waits_thirty_seconds_and_no_longer() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        assert_eq!(rooms.reserve(&caller("a"), now), Ok(Limits { online: 300, publishing: 50 }));
        assert_eq!(rooms.deadline(), Some(now + seconds(30)));
        assert!(rooms.take(KEY, "b", now).is_none(), "nobody else's");
        assert!(rooms.take("1/s:5", "a", now).is_none(), "no other room");
        rooms.expire(now + seconds(29));
        assert_eq!(rooms.census(), Census { rooms: 1, present: 0, reserved: 1 });
        assert!(rooms.take(KEY, "a", now + seconds(30)).is_none());
        assert_eq!(rooms.census(), Census::default(), "the room went with its last seat");
    }

    #[test]
    fn somebody_present_needs_no_reservation_to_stay_or_come_back() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a")], now);
        rooms.expire(now + seconds(3600));
        assert!(rooms.take(KEY, "a", now + seconds(3600)).is_some());
        rooms.joined(KEY, "a", now);
        rooms.left(KEY, "a", LeaveReason::TimedOut, now + seconds(3700));
        assert!(rooms.take(KEY, "a", now + seconds(3700)).is_none());
    }

    #[test]
    fn the_first_reservation_gives_the_room_its_scene_until_it_is_gone() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        rooms.reserve(&caller("a"), now).unwrap();
        let fault = rooms.reserve(&entry("b", Scene::Live, Role::Anchor), now).unwrap_err();
        assert_eq!(fault.code, -100_011);
        assert!(fault.message.contains("videoCall") && fault.message.contains("live"), "{}", fault.message);
        rooms.reserve(&entry("b", Scene::Live, Role::Anchor), now + seconds(30)).unwrap();
    }

    #[test]
    fn the_three_hundred_first_is_refused_and_reservations_count() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        for n in 0..300 {
            rooms.reserve(&caller(&format!("u{n}")), now).unwrap();
            if n % 2 == 0 {
                rooms.joined(KEY, &format!("u{n}"), now);
            }
        }
        assert_eq!(rooms.reserve(&caller("late"), now).unwrap_err().code, -102_052);
        rooms.reserve(&caller("u7"), now).expect("somebody inside takes no second seat");
        rooms.left(KEY, "u0", LeaveReason::Left, now);
        rooms.reserve(&caller("late"), now).unwrap();
    }

    #[test]
    fn room_and_scene_are_checked_before_capacity() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        for n in 0..300 {
            rooms.reserve(&caller(&format!("u{n}")), now).unwrap();
        }
        let fault = rooms.reserve(&entry("late", Scene::Live, Role::Anchor), now).unwrap_err();
        assert_eq!(fault.code, -100_011);
    }

    #[test]
    fn a_live_room_takes_more_than_a_call() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        for n in 0..400 {
            rooms.reserve(&entry(&format!("u{n}"), Scene::Live, Role::Audience), now).unwrap();
        }
    }

    #[test]
    fn who_may_not_create_enters_only_what_is_there() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        let guest = Entry { may_create: false, ..caller("b") };
        assert_eq!(rooms.reserve(&guest, now).unwrap_err().code, -102_010);
        rooms.reserve(&caller("a"), now).unwrap();
        rooms.reserve(&guest, now).unwrap();
    }

    #[test]
    fn entering_twice_keeps_the_later_seat() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a")], now);
        rooms.reserve(&caller("a"), now).unwrap();
        rooms.left(KEY, "a", LeaveReason::Left, now);
        assert!(rooms.take(KEY, "a", now).is_some(), "the newer reservation stays");
        rooms.joined(KEY, "a", now);
        rooms.joined(KEY, "a", now);
        assert_eq!(rooms.census().present, 1);
    }

    #[test]
    fn a_call_ends_with_the_last_one_and_a_live_room_with_the_last_anchor() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a")], now);
        rooms.left(KEY, "a", LeaveReason::Left, now);
        assert_eq!(rooms.census().rooms, 0);
        let mut rooms = with_present(&[entry("a", Scene::Live, Role::Anchor)], now);
        rooms.left(KEY, "a", LeaveReason::Left, now);
        assert_eq!(rooms.census().rooms, 0);
    }

    #[test]
    fn a_live_room_stays_ten_minutes_after_its_last_viewer() {
        let now = Instant::now();
        let mut rooms = with_present(&[entry("v", Scene::Live, Role::Audience)], now);
        rooms.left(KEY, "v", LeaveReason::Left, now);
        rooms.closed(KEY);
        rooms.expire(now + seconds(31));
        assert_eq!(rooms.deadline(), Some(now + seconds(600)));
        assert_eq!(rooms.reserve(&caller("a"), now + seconds(599)).unwrap_err().code, -100_011);
        rooms.reserve(&caller("a"), now + seconds(600)).unwrap();
        let mut rooms = with_present(&[entry("v", Scene::Live, Role::Audience)], now);
        rooms.left(KEY, "v", LeaveReason::TimedOut, now);
        assert_eq!(rooms.census().rooms, 0, "a lost viewer has had 90 s already");
    }

    #[test]
    fn the_removed_lose_seat_and_reservation_and_may_enter_again() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a"), caller("b")], now);
        rooms.reserve(&caller("c"), now).unwrap();
        let gone = ["a".to_owned(), "c".to_owned(), "nobody".to_owned()];
        assert_eq!(rooms.remove(KEY, &gone, now), Ok(()));
        assert!(rooms.take(KEY, "a", now).is_none());
        assert!(rooms.take(KEY, "c", now).is_none());
        assert!(rooms.take(KEY, "b", now).is_some());
        rooms.left(KEY, "a", LeaveReason::Removed, now);
        rooms.reserve(&caller("a"), now).unwrap();
        assert_eq!(rooms.remove("1/n:6", &gone, now), Err(NoSuchRoom));
    }

    #[test]
    fn a_dismissed_room_is_gone_and_may_be_made_again() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a")], now);
        assert_eq!(rooms.dismiss(KEY, now), Ok(()));
        assert_eq!(rooms.dismiss(KEY, now), Err(NoSuchRoom));
        rooms.left(KEY, "a", LeaveReason::Removed, now);
        rooms.closed(KEY);
        rooms.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
    }

    /// Somebody in a stay of that name, who wants to return to it or enters.
    fn staying(user: &str, id: &str, returning: bool) -> Entry {
        Entry { stay: Some(Stay { id: id.to_owned(), returning }), ..caller(user) }
    }

    #[test]
    fn who_was_removed_while_away_does_not_come_back_by_itself_but_by_a_new_entry() {
        let now = Instant::now();
        let mut rooms = with_present(&[staying("a", "one", false), staying("b", "two", false)], now);
        let back = staying("a", "one", true);
        assert_eq!(rooms.ended(&back, now), None, "only away");
        rooms.remove(KEY, &["a".to_owned()], now).unwrap();
        rooms.left(KEY, "a", LeaveReason::Removed, now);
        assert_eq!(rooms.ended(&back, now), Some(ExitCause::Removed));
        assert_eq!(rooms.ended(&staying("b", "two", true), now), None, "somebody else");
        assert_eq!(rooms.ended(&staying("a", "three", false), now), None, "a new entry");
        rooms.reserve(&staying("a", "three", false), now).unwrap();
        rooms.joined(KEY, "a", now);
        assert_eq!(rooms.ended(&staying("a", "three", true), now), None);
        assert_eq!(rooms.ended(&back, now + seconds(86_400)), Some(ExitCause::EnteredElsewhere));
    }

    #[test]
    fn a_removal_or_dismissal_counts_for_those_whose_seat_has_expired_too() {
        let now = Instant::now();
        let people = ["a", "b", "c"].map(|user| staying(user, user, false));
        let mut rooms = with_present(&people, now);
        for away in ["a", "b"] {
            rooms.left(KEY, away, LeaveReason::TimedOut, now);
            assert_eq!(rooms.ended(&staying(away, away, true), now), None);
        }
        rooms.remove(KEY, &["a".to_owned()], now).unwrap();
        assert_eq!(rooms.ended(&staying("a", "a", true), now), Some(ExitCause::Removed));
        assert_eq!(rooms.ended(&staying("b", "b", true), now), None);
        rooms.dismiss(KEY, now).unwrap();
        assert_eq!(rooms.ended(&staying("b", "b", true), now), Some(ExitCause::Dismissed));
    }

    #[test]
    fn a_room_dismissed_meanwhile_is_not_made_again_by_those_who_return() {
        let now = Instant::now();
        let mut rooms = with_present(&[staying("a", "one", false)], now);
        rooms.reserve(&staying("b", "two", false), now).unwrap();
        rooms.dismiss(KEY, now).unwrap();
        assert_eq!(rooms.ended(&staying("a", "one", true), now), Some(ExitCause::Dismissed));
        assert_eq!(rooms.ended(&staying("b", "two", true), now), Some(ExitCause::Dismissed), "expected");
    }

    #[test]
    fn who_returns_finds_their_seat_taken_by_their_later_stay() {
        let now = Instant::now();
        let mut rooms = with_present(&[staying("a", "old", false)], now);
        rooms.reserve(&staying("a", "new", false), now).unwrap();
        assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
        rooms.joined(KEY, "a", now);
        let old = || staying("a", "old", true);
        assert_eq!(rooms.ended(&old(), now), Some(ExitCause::EnteredElsewhere));
        assert_eq!(rooms.ended(&staying("a", "new", true), now), None);
        rooms.left(KEY, "a", LeaveReason::Left, now);
        assert_eq!(rooms.ended(&old(), now), Some(ExitCause::EnteredElsewhere), "remembered");
    }

    #[test]
    fn who_returns_after_their_seat_expired_makes_way_for_a_later_stay_or_a_plain_client() {
        let now = Instant::now();
        let mut rooms = with_present(&[staying("a", "old", false)], now);
        rooms.left(KEY, "a", LeaveReason::TimedOut, now);
        assert_eq!(rooms.ended(&staying("a", "old", true), now), None);
        rooms.joined(KEY, "a", now);
        assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
        let mut rooms = with_present(&[staying("a", "old", false)], now);
        rooms.visits(KEY, "a", now);
        rooms.joined(KEY, "a", now);
        assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
        rooms.visits(KEY, "a", now);
        rooms.left(KEY, "a", LeaveReason::Left, now);
        assert_eq!(rooms.census(), Census::default(), "a plain client keeps no reservation");
    }

    #[test]
    fn who_returns_keeps_the_role_that_was_given_meanwhile() {
        let now = Instant::now();
        let staying = |returning| Entry {
            stay: Some(Stay { id: "one".to_owned(), returning }),
            ..entry("a", Scene::Live, Role::Anchor)
        };
        let mut rooms = with_present(&[staying(false)], now);
        rooms.set_role(KEY, "a", Role::Audience).unwrap();
        rooms.reserve(&staying(true), now).unwrap();
        assert_eq!(rooms.take(KEY, "a", now).unwrap().new_role, Some(Role::Audience));
        rooms.joined(KEY, "a", now);
        rooms.reserve(&staying(false), now).unwrap();
        assert_eq!(rooms.take(KEY, "a", now).unwrap().new_role, None, "an entry of their own");
    }

    #[test]
    fn a_server_that_was_started_anew_lets_everybody_return() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        let back = staying("a", "one", true);
        assert_eq!(rooms.ended(&back, now), None);
        rooms.reserve(&back, now).unwrap();
        rooms.joined(KEY, "a", now);
        assert_eq!(rooms.ended(&back, now), None);
    }

    #[test]
    fn a_room_that_only_expired_does_not_exist() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        rooms.reserve(&caller("a"), now).unwrap();
        assert_eq!(rooms.dismiss(KEY, now + seconds(31)), Err(NoSuchRoom));
    }

    #[test]
    fn a_closed_room_keeps_those_who_are_still_expected() {
        let now = Instant::now();
        let mut rooms = with_present(&[caller("a")], now);
        rooms.reserve(&caller("b"), now).unwrap();
        rooms.closed(KEY);
        assert_eq!(rooms.census(), Census { rooms: 1, present: 0, reserved: 1 });
        rooms.closed("1/n:77");
    }

    #[test]
    fn people_with_plain_tokens_count_and_leave_the_scene_open() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        rooms.joined(KEY, "bot", now);
        assert_eq!(rooms.census().present, 1);
        rooms.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
        assert_eq!(rooms.reserve(&caller("b"), now).unwrap_err().code, -100_011);
    }

    #[test]
    fn roles_change_in_live_rooms_only_and_for_those_inside() {
        let now = Instant::now();
        let mut rooms = with_present(&[entry("a", Scene::Live, Role::Anchor)], now);
        rooms.reserve(&entry("late", Scene::Live, Role::Audience), now).unwrap();
        assert_eq!(rooms.take(KEY, "a", now).unwrap().new_role, None);
        assert_eq!(rooms.set_role(KEY, "a", Role::Audience), Ok(Role::Anchor));
        assert_eq!(rooms.set_role(KEY, "a", Role::Audience), Ok(Role::Audience));
        assert_eq!(rooms.take(KEY, "a", now).unwrap().new_role, Some(Role::Audience));
        assert_eq!(rooms.set_role(KEY, "late", Role::Anchor), Err(RoleError::NotInRoom));
        assert_eq!(rooms.set_role("1/n:6", "a", Role::Anchor), Err(RoleError::NoRoom));
        let mut call = with_present(&[caller("a")], now);
        assert_eq!(call.set_role(KEY, "a", Role::Audience), Err(RoleError::Scene(Some(Scene::VideoCall))));
        let mut again = rooms;
        again.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
        assert_eq!(again.take(KEY, "a", now).unwrap().new_role, None, "a new token has the new role");
    }
}
