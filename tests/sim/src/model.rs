//! What a room has to look like: who sits in it, who was put out and why. No packet, no server, and
//! time only where seats are kept for those who are away.

use crate::client::Phase;
use crate::command::Command;
use crate::world::World;
use confab_protocol::{ExitCause, LeaveReason};
use confab_session::sim::Other;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A cut shorter than this is noticed by nobody, and one longer than that by everybody.
const UNNOTICED: Duration = Duration::from_secs(6);
const NOTICED: Duration = Duration::from_secs(24);
/// A seat whose person is not heard any more is kept at least, and at most, so long.
const KEPT: Duration = Duration::from_secs(93);
const GONE: Duration = Duration::from_secs(108);
/// How long somebody who is back may take to notice that they were away.
pub(crate) const NOTICE: Duration = Duration::from_secs(17);
const LAST: Duration = Duration::from_secs(1);
/// The rooms that commands name.
pub const ROOMS: [u32; 2] = [1, 2];

/// Whether a camera or a microphone is open, and whether it is muted.
#[derive(Clone, Copy, Debug, Default)]
struct Medium {
    open: bool,
    muted: bool,
}

impl Medium {
    fn goes(self) -> bool {
        self.open && !self.muted
    }
}

#[derive(Clone, Debug, Default)]
struct Place {
    user: String,
    /// The room that its app believes to be in.
    room: Option<u32>,
    voice: Medium,
    camera: Medium,
    cut: Option<Duration>,
    /// How its stay ended while it was cut off.
    doomed: Option<ExitCause>,
}

impl Place {
    fn out(&mut self) {
        self.room = None;
        self.doomed = None;
        (self.voice, self.camera) = (Medium::default(), Medium::default());
    }
}

#[derive(Clone, Debug)]
struct Seat {
    /// None for somebody whose program has ended.
    holder: Option<usize>,
    audio: bool,
    video: bool,
    /// It may be gone from the first time on and is gone at the second.
    fades: Option<(Duration, Duration)>,
}

/// What a command brings about.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The answer of an entry.
    pub refused: Option<i32>,
    /// Entries that succeed, and entries that fail.
    pub entries: Vec<usize>,
    pub failures: Vec<usize>,
    pub exits: Vec<(usize, ExitCause)>,
    /// Why somebody is gone for the others.
    pub reasons: BTreeMap<(u32, String), LeaveReason>,
    /// People who come anew to their seat: their tracks may go and come.
    pub again: BTreeSet<(u32, String)>,
    /// Places that may tell about their connection.
    pub shaken: BTreeSet<usize>,
    /// How long somebody who is back may take to notice that they were away, and to hear what was said
    /// meanwhile: TCP tries again as late as twice the cut.
    pub slow: Duration,
}

/// The model.
#[derive(Clone, Debug)]
pub struct Model {
    places: Vec<Place>,
    seats: BTreeMap<(u32, String), Seat>,
}

impl Model {
    /// Nobody is anywhere.
    pub fn new(world: &World, places: usize) -> Model {
        let place = |at| Place { user: world.client(at).user().to_owned(), ..Place::default() };
        Model { places: (0..places).map(place).collect(), seats: BTreeMap::new() }
    }

    /// How long until no seat is between "may be gone" and "is gone".
    pub fn until_certain(&self, now: Duration) -> Option<Duration> {
        let vague = self.seats.values().filter_map(|seat| seat.fades);
        vague
            .filter(|(from, _)| *from <= now + Duration::from_secs(1))
            .map(|(_, to)| to.saturating_sub(now))
            .max()
    }

    /// Time has passed: seats whose time is over are gone.
    pub fn age(&mut self, now: Duration, expected: &mut Expected) {
        self.seats.retain(|key, seat| {
            let over = seat.fades.is_some_and(|(_, to)| to <= now);
            if over {
                expected.reasons.insert(key.clone(), LeaveReason::TimedOut);
            }
            !over
        });
    }

    /// A command is done.
    pub fn apply(&mut self, command: Command, now: Duration) -> Expected {
        let mut expected = Expected::default();
        self.age(now, &mut expected);
        match command {
            Command::Enter { at, room } => self.enter(at, room, &mut expected),
            Command::Exit { at } => self.exit(at, &mut expected),
            Command::Kill { at } => self.kill(at, now, &mut expected),
            Command::Cut { at } => self.cut(at, now, &mut expected),
            Command::Heal { at } => self.heal(at, now, &mut expected),
            Command::Voice { at, open } => self.devices(at, |place| place.voice.open = open),
            Command::MuteVoice { at, muted } => self.devices(at, |place| place.voice.muted = muted),
            Command::Camera { at, open } => self.devices(at, |place| place.camera.open = open),
            Command::MuteCamera { at, muted } => self.devices(at, |place| place.camera.muted = muted),
            Command::Remove { at, room } => {
                let user = self.places[at].user.clone();
                if self.exists(room) {
                    self.end(room, Some(&user), ExitCause::Removed, &mut expected);
                }
            }
            Command::Dismiss { room } => {
                if self.exists(room) {
                    self.end(room, None, ExitCause::Dismissed, &mut expected);
                }
            }
            Command::Wait { .. } => {}
        }
        expected.shaken.extend((0..self.places.len()).filter(|at| self.places[*at].cut.is_some()));
        expected
    }

    fn exists(&self, room: u32) -> bool {
        self.seats.keys().any(|(other, _)| *other == room)
    }

    fn enter(&mut self, at: usize, room: u32, expected: &mut Expected) {
        let place = &self.places[at];
        if place.room.is_some() {
            expected.refused = Some(-3340);
            return;
        }
        if place.cut.is_some() {
            return expected.failures.push(at);
        }
        expected.entries.push(at);
        self.take_seat(at, room, expected);
    }

    /// A place comes to the seat of its user, whoever had it.
    fn take_seat(&mut self, at: usize, room: u32, expected: &mut Expected) {
        let place = &mut self.places[at];
        place.room = Some(room);
        let key = (room, place.user.clone());
        let seat =
            Seat { holder: Some(at), audio: place.voice.goes(), video: place.camera.goes(), fades: None };
        let Some(before) = self.seats.insert(key.clone(), seat) else { return };
        expected.again.insert(key);
        if let Some(other) = before.holder.filter(|other| *other != at) {
            self.put_out(other, ExitCause::EnteredElsewhere, expected);
        }
    }

    /// The stay of a place is over; who is cut off learns it later.
    fn put_out(&mut self, at: usize, cause: ExitCause, expected: &mut Expected) {
        let place = &mut self.places[at];
        if place.cut.is_some() {
            place.doomed.get_or_insert(cause);
        } else {
            place.out();
            expected.exits.push((at, cause));
        }
    }

    fn exit(&mut self, at: usize, expected: &mut Expected) {
        let Some(room) = self.places[at].room else { return };
        let cut = self.places[at].cut.is_some();
        let key = (room, self.places[at].user.clone());
        self.places[at].out();
        expected.exits.push((at, ExitCause::Left));
        let Some(seat) = self.seats.get_mut(&key).filter(|seat| seat.holder == Some(at)) else { return };
        if cut {
            seat.holder = None;
        } else {
            self.seats.remove(&key);
            expected.reasons.insert(key, LeaveReason::Left);
        }
    }

    fn kill(&mut self, at: usize, now: Duration, expected: &mut Expected) {
        expected.shaken.insert(at);
        let place = &mut self.places[at];
        let (room, cut) = (place.room, place.cut.is_some());
        place.out();
        let Some(seat) = room.and_then(|room| self.seats.get_mut(&(room, place.user.clone()))) else {
            return;
        };
        if seat.holder == Some(at) {
            seat.holder = None;
            if !cut {
                seat.fades = Some((now + KEPT, now + GONE));
            }
        }
    }

    fn cut(&mut self, at: usize, now: Duration, expected: &mut Expected) {
        expected.shaken.insert(at);
        let place = &mut self.places[at];
        if place.cut.is_some() {
            return;
        }
        place.cut = Some(now);
        let Some(seat) = place.room.and_then(|room| self.seats.get_mut(&(room, place.user.clone()))) else {
            return;
        };
        if seat.holder == Some(at) {
            seat.fades = Some((now + KEPT, now + GONE));
        }
    }

    fn heal(&mut self, at: usize, now: Duration, expected: &mut Expected) {
        let place = &mut self.places[at];
        let Some(since) = place.cut.take() else { return };
        expected.shaken.insert(at);
        let away = now.saturating_sub(since);
        expected.slow = if away < UNNOTICED { away * 2 + LAST } else { NOTICE };
        // Who left while they were cut off may be heard to say so now.
        for (_, seat) in self.seats.iter_mut().filter(|((_, user), _)| *user == place.user) {
            if let (None, Some((from, _))) = (seat.holder, &mut seat.fades) {
                *from = now.min(*from);
            }
        }
        let Some(room) = place.room else { return };
        if let Some(cause) = place.doomed.take() {
            place.out();
            return expected.exits.push((at, cause));
        }
        match self.seats.get(&(room, place.user.clone())).map(|seat| seat.holder) {
            Some(Some(other)) if other != at => {
                place.out();
                expected.exits.push((at, ExitCause::EnteredElsewhere));
            }
            // Nobody has the seat any more, or it is still theirs.
            _ => self.take_seat(at, room, expected),
        }
    }

    fn devices(&mut self, at: usize, change: impl FnOnce(&mut Place)) {
        let place = &mut self.places[at];
        change(place);
        let (audio, video) = (place.voice.goes(), place.camera.goes());
        let Some(seat) = place.room.and_then(|room| self.seats.get_mut(&(room, place.user.clone()))) else {
            return;
        };
        if place.cut.is_none() && seat.holder == Some(at) {
            (seat.audio, seat.video) = (audio, video);
        }
    }

    /// Ends the stays of one user in a room, or of everybody.
    fn end(&mut self, room: u32, user: Option<&str>, cause: ExitCause, expected: &mut Expected) {
        let meant = |other: &str| user.is_none_or(|user| user == other);
        let seats: Vec<(u32, String)> =
            self.seats.keys().filter(|(one, user)| *one == room && meant(user)).cloned().collect();
        for key in seats {
            let holder = self.seats.remove(&key).and_then(|seat| seat.holder);
            expected.reasons.insert(key, LeaveReason::Removed);
            if let Some(at) = holder {
                self.put_out(at, cause, expected);
            }
        }
        // Those whose seat was not kept any longer and who still look for the server.
        for at in 0..self.places.len() {
            let place = &mut self.places[at];
            if place.room == Some(room) && place.cut.is_some() && meant(&place.user) {
                place.doomed.get_or_insert(cause);
            }
        }
    }

    /// The list that a place has to have: everybody certain, and who may be there besides.
    fn list(&self, room: u32, own: &str, now: Duration) -> (Vec<Other>, BTreeSet<String>) {
        let mut vague = BTreeSet::new();
        let mut list = Vec::new();
        for ((_, user), seat) in self.seats.iter().filter(|((one, user), _)| *one == room && user != own) {
            if seat.fades.is_some_and(|(from, _)| from <= now) {
                vague.insert(user.clone());
            } else {
                list.push(Other { user_id: user.clone(), video: seat.video, audio: seat.audio });
            }
        }
        (list, vague)
    }

    /// Places that are in a room and connected.
    pub fn present(&self) -> Vec<(usize, u32)> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, place)| place.cut.is_none())
            .filter_map(|(at, place)| Some((at, place.room?)))
            .collect()
    }

    /// Whether the world is as it has to be; the failure says where it is not.
    pub fn check(&self, world: &mut World) -> Result<(), String> {
        let now = world.elapsed();
        for (at, place) in self.places.iter().enumerate() {
            let (phase, name) = (world.client(at).phase(), world.name(at));
            let away = place.cut.map(|since| now.saturating_sub(since));
            let good = match (place.room, away) {
                (None, _) => phase == Phase::Idle,
                (Some(_), None) => phase == Phase::In,
                (Some(_), Some(away)) if away < UNNOTICED => phase == Phase::In,
                (Some(_), Some(away)) if away > NOTICED => phase == Phase::Reconnecting,
                (Some(_), Some(_)) => matches!(phase, Phase::In | Phase::Reconnecting),
            };
            if !good {
                return Err(format!("{name} is {phase:?}, which does not fit {place:?}"));
            }
            if let (Some(room), None) = (place.room, place.cut) {
                let (wanted, vague) = self.list(room, &place.user, now);
                let mut seen = world.client(at).others();
                seen.retain(|other| !vague.contains(&other.user_id));
                if seen != wanted {
                    return Err(format!("{name} sees {seen:?}, and there are {wanted:?}"));
                }
            }
        }
        self.check_server(world, now)
    }

    fn check_server(&self, world: &mut World, now: Duration) -> Result<(), String> {
        let (mut total, mut certain) = (0, true);
        for room in ROOMS {
            let (wanted, vague) = self.list(room, "", now);
            let mut seen: Vec<Other> = world
                .present(room)
                .into_iter()
                .map(|(user_id, audio, video)| Other { user_id, video, audio })
                .collect();
            seen.retain(|other| !vague.contains(&other.user_id));
            if seen != wanted {
                return Err(format!("the server has {seen:?} in room {room}, and there are {wanted:?}"));
            }
            total += wanted.len();
            certain &= vague.is_empty();
        }
        let (_, present, _) = world.census();
        if certain && present != total {
            return Err(format!("the room service counts {present} people, and there are {total}"));
        }
        Ok(())
    }

    /// Whether somebody may be there or not.
    pub fn is_vague(&self, room: u32, user: &str, now: Duration) -> bool {
        let seat = self.seats.get(&(room, user.to_owned()));
        seat.is_some_and(|seat| seat.fades.is_some_and(|(from, _)| from <= now))
    }
}
