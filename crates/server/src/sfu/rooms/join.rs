//! Coming in: the first join, the same identity again, and a websocket that resumes.

use std::time::Instant;

use confab_protocol::{ExitCause, Notice};
use confab_signal::lk;
use lk::DisconnectReason;
use lk::participant_info::State;
use lk::signal_response::Message;
use tokio::sync::mpsc;

use super::Rooms;
use super::leave::Departure;
use super::message::Messages;
use crate::clock::signed_ms;
use crate::engine::{EngineEvent, Kinds};
use crate::sfu::arena::Key;
use crate::sfu::command::{Join, Resume, Seat};
use crate::sfu::ids;
use crate::sfu::peer::{Peer, Side};
use crate::sfu::person::{Link, Negotiation, Person};
use crate::sfu::reach::Reach;
use crate::sfu::room::{Room, codecs};

/// Seconds between a client's pings, and until it gives up on ours.
const PING: (i32, i32) = (5, 15);
/// 18 would promise data channels with fixed ids, which need a single connection.
const PROTOCOL: i32 = 17;
/// Clients switch features by LiveKit's version numbers; this is whose behaviour we match.
const LIVEKIT_VERSION: &str = "1.11.0";

impl Rooms {
    /// Seats somebody and tells them, and the room, everything that follows from it.
    pub(super) fn join(
        &mut self,
        join: Join,
        to: mpsc::Sender<Box<lk::signal_response::Message>>,
        now: Instant,
    ) -> Seat {
        let earlier = self.find(&join.room, &join.identity);
        let room = self.open(&join.room, now);
        if let (Some(most), Some(room)) = (join.publishing, self.rooms.get_mut(room)) {
            room.publishing = Some(most);
        }
        let (key, link) = self.seat(room, join, to, now);
        let again = earlier.is_ok();
        let replaced = earlier.ok().and_then(|earlier| {
            let departure = Departure {
                reason: DisconnectReason::DuplicateIdentity,
                notice: Some(Notice::exit(ExitCause::EnteredElsewhere, None)),
                left: None,
            };
            self.take_out(earlier, departure, now)
        });
        // Only now, so that the join is the first thing they hear.
        if let Some(room) = self.rooms.get_mut(room) {
            room.people.push(key);
        }
        if again {
            self.unseat(room);
        }
        self.welcome(key, now);
        self.report_joined(key);
        self.tell_speakers(key, now);
        self.tell_all_reaches(key, now);
        self.announce_to_others(key, replaced, now);
        self.subscribe_to_all(key, now);
        // The offer goes out even without tracks: the client is connected once it is answered.
        self.negotiate(key, now);
        Seat { person: key, link }
    }

    /// Gives a person a new websocket and fresh ICE; `None` when there is nothing to go on with.
    pub(super) fn resume(
        &mut self,
        resume: &Resume,
        to: mpsc::Sender<Box<lk::signal_response::Message>>,
        now: Instant,
    ) -> Option<Seat> {
        let key = self.find(&resume.room, &resume.identity).ok()?;
        let link = self.link_id();
        let person = self.people.get_mut(key)?;
        let alive = |key| self.peers.get(key).is_some_and(|peer| peer.connected && peer.rtc.is_alive());
        if person.sid != resume.sid || !alive(person.primary()) {
            return None;
        }
        person.link = Link { id: link, to: Some(to), lost: None };
        person.lost = None;
        let room = person.room;
        for side in [person.publisher, person.subscriber] {
            if let Some(peer) = self.peers.get_mut(side) {
                // The silence that made them come back is over as far as we know.
                peer.heard = now;
            }
        }
        let reconnect =
            lk::ReconnectResponse { server_info: Some(server_info()), ..lk::ReconnectResponse::default() };
        self.tell(key, Message::Reconnect(reconnect), now);
        let mut participants = self.others(key);
        participants.extend(self.info(key));
        self.tell(key, Message::Update(lk::ParticipantUpdate { participants }), now);
        let room = self.rooms.get(room).map(Room::info);
        self.tell(key, Message::RoomUpdate(lk::RoomUpdate { room }), now);
        self.tell_speakers(key, now);
        self.tell_all_reaches(key, now);
        self.restart(key, now);
        Some(Seat { person: key, link })
    }

    fn open(&mut self, name: &str, now: Instant) -> Key<Room> {
        if let Some(room) = self.by_name.get(name) {
            return *room;
        }
        let room = self.rooms.insert_with(|_| Room::new(name.to_owned(), now, signed_ms()));
        self.by_name.insert(name.to_owned(), room);
        tracing::info!(room = name, "room opened");
        room
    }

    fn seat(
        &mut self,
        room: Key<Room>,
        join: Join,
        to: mpsc::Sender<Box<lk::signal_response::Message>>,
        now: Instant,
    ) -> (Key<Person>, u64) {
        let link = self.link_id();
        let Rooms { people, peers, addresses, .. } = self;
        let key = people.insert_with(|key| {
            let mut peer = |side| peers.insert_with(|_| Peer::new(side, key, addresses, now));
            Person {
                room,
                sid: ids::participant(),
                identity: join.identity,
                ticket: join.ticket,
                name: join.name,
                metadata: join.metadata,
                attributes: join.attributes,
                may_update_metadata: join.may_update_metadata,
                permission: join.permission,
                sources: join.sources,
                client_protocol: join.client_protocol,
                auto_subscribe: join.auto_subscribe,
                seat: join.seat,
                state: State::Joined,
                version: 1,
                joined_ms: signed_ms(),
                joined: now,
                publisher: peer(Side::Publisher),
                subscriber: peer(Side::Subscriber),
                subscriber_primary: join.permission.subscribe.any(),
                announced: Vec::new(),
                unclaimed: Vec::new(),
                tracks: Vec::new(),
                sends: Kinds::NONE,
                wanted: Vec::new(),
                denied: Vec::new(),
                paused: Vec::new(),
                negotiation: Negotiation::default(),
                link: Link { id: link, to: Some(to), lost: None },
                lost: None,
                reach: Reach::new(),
                messages: Messages::new(),
                leaving: None,
            }
        });
        if let Some(person) = self.people.get(key) {
            for side in [person.publisher, person.subscriber] {
                self.register(side);
            }
        }
        (key, link)
    }

    /// Makes a connection findable by its present ICE user fragment.
    pub(super) fn register(&mut self, key: Key<Peer>) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        for old in peer.forget_fragments() {
            self.by_fragment.remove(&old);
        }
        if let Some(fragment) = peer.fragments.last() {
            self.by_fragment.insert(fragment.clone(), key);
        }
    }

    fn welcome(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let room = self.rooms.get(person.room);
        tracing::info!(
            room = room.map(|room| room.name.as_str()),
            identity = person.identity,
            sid = person.sid,
            "joined"
        );
        let join = lk::JoinResponse {
            room: room.map(Room::info),
            participant: self.info(key),
            other_participants: self.others(key),
            server_version: LIVEKIT_VERSION.to_owned(),
            subscriber_primary: person.subscriber_primary,
            ping_interval: PING.0,
            ping_timeout: PING.1,
            server_info: Some(server_info()),
            enabled_publish_codecs: codecs(),
            fast_publish: person.permission.publish.any(),
            ..lk::JoinResponse::default()
        };
        self.tell(key, Message::Join(join), now);
    }

    /// Everybody `key` may know of, without themselves.
    fn others(&self, key: Key<Person>) -> Vec<lk::ParticipantInfo> {
        let visible = |other: &Key<Person>| self.people.get(*other).is_some_and(Person::is_visible);
        let others = self.everybody_but(key).into_iter().filter(visible);
        others.filter_map(|other| self.info(other)).collect()
    }

    fn report_joined(&mut self, key: Key<Person>) {
        let ticket = self.people.get(key).and_then(|person| person.ticket);
        self.report(key, |room, identity| EngineEvent::Joined { room, identity, ticket });
    }

    /// Tells the others about somebody new, who knows it from the join. An earlier stay of theirs that
    /// ends with it is told in the same breath, so that nobody has to take it for a leave.
    pub(super) fn announce_to_others(
        &mut self,
        key: Key<Person>,
        replaced: Option<lk::ParticipantInfo>,
        now: Instant,
    ) {
        let Some(person) = self.people.get(key) else { return };
        let new = person.is_visible().then(|| self.info(key)).flatten();
        let participants: Vec<_> = replaced.into_iter().chain(new).collect();
        if participants.is_empty() {
            return;
        }
        self.tell_others(key, &Message::Update(lk::ParticipantUpdate { participants }), now);
    }

    fn link_id(&mut self) -> u64 {
        self.next_link += 1;
        self.next_link
    }
}

fn server_info() -> lk::ServerInfo {
    lk::ServerInfo {
        edition: lk::server_info::Edition::Standard.into(),
        version: LIVEKIT_VERSION.to_owned(),
        protocol: PROTOCOL,
        ..lk::ServerInfo::default()
    }
}
