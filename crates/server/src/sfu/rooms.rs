//! Everything one worker owns: its rooms, the people in them, their connections and tracks.
//!
//! No thread, no timer: the worker's loop hands in datagrams, commands and the time; datagrams go to
//! the outbox, signalling to each person's link. The wall clock is read only for what is shown.

mod ask;
mod data;
mod forward;
mod join;
mod leave;
mod message;
mod publish;
mod reach;
mod signal;
mod subscribe;
mod tick;

pub(crate) use leave::leave;
pub(crate) use message::Messages;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use confab_signal::lk;
use lk::signal_response::Message;
use str0m::net::Protocol;
use str0m::{Event, IceConnectionState, Output as Polled};
use tokio::sync::oneshot;

use super::address::{Addresses, Bound, Place};
use super::arena::{Arena, Key};
use super::command::{Command, Seat};
use super::directory::Directory;
use super::outbox::{Outbox, Wire};
use super::peer::{Failed, Peer, Side};
use super::person::Person;
use super::reports::Reports;
use super::room::Room;
use super::timers::Timers;
use super::track::Track;
use crate::engine::{EngineError, EngineEvent, Kind, Kinds};

/// A worker's state.
#[derive(Debug)]
pub(crate) struct Rooms {
    addresses: Addresses,
    directory: Arc<Directory>,
    reports: Reports,
    pub(crate) outbox: Outbox,
    peers: Arena<Peer>,
    people: Arena<Person>,
    tracks: Arena<Track>,
    rooms: Arena<Room>,
    by_name: HashMap<String, Key<Room>>,
    by_address: HashMap<Place, Key<Peer>>,
    by_fragment: HashMap<String, Key<Peer>>,
    timers: Timers,
    /// What connections reported and nobody has looked at yet.
    events: VecDeque<(Key<Peer>, Event)>,
    forward: forward::Forward,
    /// Tracks whose key frame request was held back.
    asking: Vec<Key<Track>>,
    /// People who are out and still have to be told, or whose connections are closing.
    departing: Vec<Key<Person>>,
    next_tick: Instant,
    next_link: u64,
    /// Set when the worker is to end once everybody was told.
    stopping: Option<oneshot::Sender<Result<(), EngineError>>>,
}

impl Rooms {
    pub(crate) fn new(
        addresses: Addresses,
        outbox: Outbox,
        directory: Arc<Directory>,
        reports: Reports,
        now: Instant,
    ) -> Rooms {
        Rooms {
            addresses,
            directory,
            reports,
            outbox,
            peers: Arena::default(),
            people: Arena::default(),
            tracks: Arena::default(),
            rooms: Arena::default(),
            by_name: HashMap::new(),
            by_address: HashMap::new(),
            by_fragment: HashMap::new(),
            timers: Timers::default(),
            events: VecDeque::new(),
            forward: forward::Forward::default(),
            asking: Vec::new(),
            departing: Vec::new(),
            next_tick: now,
            next_link: 1,
            stopping: None,
        }
    }

    /// Connections from now on are offered this socket too, which is counted on from the others.
    pub(crate) fn listen(&mut self, wire: Arc<Wire>, bound: Bound) {
        self.outbox.add(wire);
        self.addresses.add(bound);
    }

    /// Does what another thread asked.
    pub(crate) fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join { join, to, reply } => {
                let seat = self.join(*join, to, now);
                // Nobody waits for the seat any more: the websocket went away meanwhile.
                if reply.send(seat).is_err() {
                    self.hang_up(seat, now);
                }
            }
            Command::Resume { resume, to, reply } => {
                let seat = self.resume(&resume, to, now);
                if let (Err(_), Some(seat)) = (reply.send(seat), seat) {
                    self.hang_up(seat, now);
                }
            }
            Command::Signal { seat, request } => {
                let linked = self.people.get(seat.person).is_some_and(|p| p.link.id == seat.link);
                if linked {
                    self.signal(seat.person, *request, now);
                }
            }
            Command::Hangup { seat } => self.hang_up(seat, now),
            Command::Ask(ask) => self.ask(ask, now),
            // Done by the worker, which has the sockets.
            Command::Listen { .. } => {}
        }
        self.settle(now);
    }

    /// Handles what connections reported until nothing is left.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some((peer, event)) = self.events.pop_front() {
            self.event(peer, event, now);
        }
    }

    /// Whether the worker is done after a shutdown.
    pub(crate) fn is_over(&mut self) -> bool {
        if self.stopping.is_none() || !self.departing.is_empty() {
            return false;
        }
        if let Some(reply) = self.stopping.take() {
            // Who asked may have stopped waiting.
            let _ = reply.send(Ok(()));
        }
        true
    }

    /// Takes everything a connection has to say.
    fn pump(&mut self, key: Key<Peer>, now: Instant) {
        let Rooms { peers, tracks, outbox, events, forward, timers, addresses, .. } = self;
        let Some(peer) = peers.get_mut(key) else { return };
        loop {
            match peer.poll() {
                Ok(Polled::Timeout(at)) => {
                    peer.deadline = at;
                    break;
                }
                Ok(Polled::Transmit(out)) if out.proto == Protocol::Tcp => {
                    outbox.streams.push(out.destination, &out.contents, now);
                }
                Ok(Polled::Transmit(out)) => {
                    outbox.push(out.destination, addresses.out(out.source), &out.contents);
                }
                Ok(Polled::Event(Event::RtpPacket(packet))) => forward.take(peer, tracks, packet),
                Ok(Polled::Event(event)) => events.push_back((key, event)),
                Err(Failed) => {
                    events.push_back((key, Event::Closed));
                    peer.deadline = now;
                    break;
                }
            }
        }
        timers.schedule(key, peer, now);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most reports are statistics")]
    fn event(&mut self, key: Key<Peer>, event: Event, now: Instant) {
        match event {
            Event::Connected => self.connected(key, now),
            Event::Closed => self.lost(key, now),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.lost(key, now),
            Event::ChannelOpen(channel, label) => {
                let Some(peer) = self.peers.get_mut(key) else { return };
                match label.as_str() {
                    "_reliable" => {
                        peer.open_reliable(channel);
                        peer.wake(now);
                        self.pump(key, now);
                    }
                    "_lossy" => peer.lossy = Some(channel),
                    _ => tracing::debug!("data channel of an unknown label is not forwarded"),
                }
            }
            Event::ChannelData(data) => self.data(key, data.id, &data.data, now),
            Event::ChannelClose(channel) => {
                let Some(peer) = self.peers.get_mut(key) else { return };
                peer.reliable.take_if(|open| *open == channel);
                peer.lossy.take_if(|open| *open == channel);
            }
            Event::PeerStats(stats) => {
                let owner = self.peers.get(key).map(|peer| peer.owner);
                if let (Some(person), Some(lost)) =
                    (owner.and_then(|owner| self.people.get_mut(owner)), stats.ingress_loss_fraction)
                {
                    person.reach.lost(lost);
                }
            }
            Event::KeyframeRequest(request) => self.key_frame_wanted(key, &request, now),
            _ => {}
        }
    }

    /// ICE and DTLS of one connection are up.
    fn connected(&mut self, key: Key<Peer>, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.connected = true;
        let (owner, side) = (peer.owner, peer.side);
        let Some(person) = self.people.get_mut(owner) else { return };
        if person.primary() == key {
            person.lost = None;
            if person.state == lk::participant_info::State::Joined {
                person.state = lk::participant_info::State::Active;
                self.report(owner, |room, identity| EngineEvent::Active { room, identity });
                self.announce(owner, now);
            }
        }
        if side == Side::Subscriber {
            let wanted = self.people.get(owner).map(|p| p.wanted.clone()).unwrap_or_default();
            for track in wanted {
                self.ask_key_frame(track, now);
            }
        }
    }

    /// Sends one message to one person.
    fn tell(&mut self, person: Key<Person>, message: Message, now: Instant) {
        if let Some(person) = self.people.get_mut(person) {
            person.link.send(message, now);
        }
    }

    /// Sends a message to everybody in a room.
    fn tell_room(&mut self, room: Key<Room>, message: &Message, now: Instant) {
        for person in self.people_of(room) {
            self.tell(person, message.clone(), now);
        }
    }

    /// Sends a message to everybody in somebody's room but them.
    fn tell_others(&mut self, key: Key<Person>, message: &Message, now: Instant) {
        for other in self.everybody_but(key) {
            self.tell(other, message.clone(), now);
        }
    }

    /// Who is in a room, in the order of joining.
    fn people_of(&self, room: Key<Room>) -> Vec<Key<Person>> {
        self.rooms.get(room).map(|room| room.people.clone()).unwrap_or_default()
    }

    /// Who else is in somebody's room.
    fn everybody_but(&self, key: Key<Person>) -> Vec<Key<Person>> {
        let Some(person) = self.people.get(key) else { return Vec::new() };
        let mut people = self.people_of(person.room);
        people.retain(|other| *other != key);
        people
    }

    /// Tells the room about a person's present state; of a hidden one, only themselves.
    fn announce(&mut self, key: Key<Person>, now: Instant) {
        self.report_sending(key);
        let Some(person) = self.people.get_mut(key) else { return };
        person.version += 1;
        let (room, visible) = (person.room, person.is_visible());
        let Some(info) = self.info(key) else { return };
        let update = Message::Update(lk::ParticipantUpdate { participants: vec![info] });
        if visible {
            self.tell_room(room, &update, now);
        } else {
            self.tell(key, update, now);
        }
    }

    /// What clients know of a person.
    fn info(&self, key: Key<Person>) -> Option<lk::ParticipantInfo> {
        let person = self.people.get(key)?;
        let tracks = person.tracks.iter().filter_map(|track| self.tracks.get(*track));
        Some(person.info(tracks.map(|track| track.info.clone()).collect()))
    }

    /// Tells the room service what somebody began or stopped sending.
    fn report_sending(&mut self, key: Key<Person>) {
        let Some(person) = self.people.get_mut(key) else { return };
        let tracks =
            person.tracks.iter().filter_map(|track| self.tracks.get(*track)).map(|track| &track.info);
        let live: Vec<Kind> = tracks.filter(|info| !info.muted).map(Kind::of_track).collect();
        let has = |kind| live.contains(&kind);
        let now = Kinds { audio: has(Kind::Audio), video: has(Kind::Video), screen: has(Kind::Screen) };
        let before = std::mem::replace(&mut person.sends, now);
        for kind in [Kind::Audio, Kind::Video, Kind::Screen] {
            let on = now.has(kind);
            if on != before.has(kind) {
                self.report(key, |room, identity| EngineEvent::Sends { room, identity, kind, on });
            }
        }
    }

    fn report(&mut self, person: Key<Person>, event: impl FnOnce(String, String) -> EngineEvent) {
        let Some(person) = self.people.get(person) else { return };
        let Some(room) = self.rooms.get(person.room) else { return };
        self.reports.push(event(room.name.clone(), person.identity.clone()));
    }

    /// Finds somebody who is in a room and not on their way out.
    fn find(&self, room: &str, identity: &str) -> Result<Key<Person>, EngineError> {
        let room = self.by_name.get(room).and_then(|key| self.rooms.get(*key));
        let people = &room.ok_or(EngineError::NoRoom)?.people;
        let same = |key: &&Key<Person>| self.people.get(**key).is_some_and(|p| p.identity == identity);
        people.iter().find(same).copied().ok_or(EngineError::NoParticipant)
    }

    fn hang_up(&mut self, seat: Seat, now: Instant) {
        if let Some(person) = self.people.get_mut(seat.person)
            && person.link.id == seat.link
        {
            person.link.drop_now(now);
        }
    }
}
