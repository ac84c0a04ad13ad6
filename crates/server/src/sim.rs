//! The server without its sockets, threads and clock: the room service's rules and one worker's
//! rooms, called one after the other. For simulations of whole rooms in virtual time; nothing of the
//! running server goes through here.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use confab_protocol::{EnterAnswer, NOTICE_TOPIC, RawEnterParams, RoomId, SdkAppId, Stay};
use confab_signal::{Claims, JoinQuery, data, lk};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use quinn_udp::Transmit;
use str0m::net::Protocol;
use tokio::sync::{mpsc, oneshot};

use crate::config::Config;
use crate::control::{Effect, Issuer, Order, Rooms as Seats, apply, check};
use crate::engine::EngineEvent;
use crate::happening::ClientInfo;
use crate::http::admit::{no_seat, seated};
use crate::http::v1;
use crate::sfu::address::{Addresses, Bound, Came};
use crate::sfu::command::{Ask, Command, Seat};
use crate::sfu::directory::Directory;
use crate::sfu::outbox::{Carrier, Outbox};
use crate::sfu::reports::Reports;
use crate::sfu::rooms::Rooms;
use crate::ws::gate::entrance;

/// Responses that may wait for one client, as for a websocket.
const UNREAD: usize = 256;
/// Events between two looks at them.
const EVENTS: usize = 1024;

/// A server as a value. The caller brings time, requests and datagrams.
#[derive(Debug)]
pub struct Bare {
    config: Config,
    issuer: Issuer,
    seats: Seats,
    rooms: Rooms,
    directory: Arc<Directory>,
    events: mpsc::Receiver<EngineEvent>,
    basket: Arc<Basket>,
    /// What Unix time `began` has, seconds.
    unix: u64,
    began: Instant,
}

/// One client's signalling.
#[derive(Debug)]
pub struct BareLine {
    seat: Seat,
    responses: mpsc::Receiver<Box<Response>>,
}

/// What comes next on a [`BareLine`].
#[derive(Debug)]
pub enum Told {
    /// A message.
    Response(Box<Response>),
    /// Nothing for now.
    Nothing,
    /// Nothing any more: the server closes the connection.
    Closed,
}

/// Collects datagrams instead of sending them.
#[derive(Debug, Default)]
struct Basket(Mutex<Vec<(SocketAddr, Vec<u8>)>>);

impl Carrier for Basket {
    fn longest_run(&self) -> usize {
        1
    }

    fn send(&self, run: &Transmit<'_>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.push((run.destination, run.contents.to_vec()));
    }
}

impl Bare {
    /// A server whose candidates name `media`; `unix` is the Unix time of `now`, seconds.
    pub fn new(config: Config, media: SocketAddr, unix: u64, now: Instant) -> Bare {
        let (to, events) = mpsc::channel(EVENTS);
        let (basket, directory) = (Arc::new(Basket::default()), Arc::new(Directory::new(1)));
        let rooms = Rooms::new(
            Addresses::new(Bound { address: media, tcp: false }, &[], &[]),
            Outbox::new(Arc::clone(&basket) as _),
            Arc::clone(&directory),
            Reports::new(to),
            now,
        );
        let (issuer, seats) = (Issuer::random(), Seats::new(config.limits));
        Bare { config, issuer, seats, rooms, directory, events, basket, unix, began: now }
    }

    /// `POST /v1/enter`.
    pub fn enter(&mut self, raw: RawEnterParams, stay: Option<Stay>, now: Instant) -> EnterAnswer {
        let unix = self.unix_at(now);
        let granted = check(raw, stay, &self.config, unix)
            .map_err(Into::into)
            .and_then(|entry| v1::admit(&mut self.seats, &entry, now).map(|granted| (entry, granted)));
        match granted {
            Ok((entry, (limits, ticket))) => EnterAnswer {
                url: Some("ws://simulated".to_owned()),
                token: self.issuer.token(&entry, ticket, unix).ok(),
                room: Some(entry.room.key(entry.app)),
                ice_servers: Some(Vec::new()),
                limits: Some(limits),
                ..EnterAnswer::default()
            },
            Err(refusal) => refusal.answer("enter").1,
        }
    }

    /// The signalling's upgrade with that token; the failure is what the client reads.
    pub fn open(&mut self, token: &str, now: Instant) -> Result<BareLine, String> {
        let secret = |issuer: &str| self.issuer.secret(issuer).map(str::to_owned);
        let claims = Claims::verify(token, secret, self.unix_at(now)).map_err(|error| error.to_string())?;
        let identity = claims.sub.clone();
        let ticket = claims.jti.parse().ok();
        let client = ClientInfo::default();
        let taken = self.seats.claim(&claims.video.room, &identity, ticket, client, now);
        let taken = taken.ok_or_else(|| no_seat().message)?;
        let admission = seated(taken, ticket);
        let query = JoinQuery { auto_subscribe: true, ..JoinQuery::default() };
        let join = entrance(query, claims, identity, admission).join;
        self.directory.enter(&join.room);
        let (to, responses) = mpsc::channel(UNREAD);
        let (reply, mut seat) = oneshot::channel();
        self.command(Command::Join { join: Box::new(join), to, reply }, now);
        seat.try_recv().map(|seat| BareLine { seat, responses }).map_err(|_| "nobody was seated".to_owned())
    }

    /// What a client asks over its signalling.
    pub fn request(&mut self, line: &BareLine, request: Request, now: Instant) {
        self.command(Command::Signal { seat: line.seat, request: Box::new(request) }, now);
    }

    /// A client's signalling is gone.
    pub fn hang_up(&mut self, line: BareLine, now: Instant) {
        let seat = line.seat;
        drop(line);
        self.command(Command::Hangup { seat }, now);
    }

    /// RemoveUser, done as the REST interface does it.
    pub fn remove(&mut self, app: SdkAppId, room: &RoomId, user: &str, now: Instant) {
        // The engine is told whether the books know the room or not.
        let _ = self.seats.remove(&room.key(app), &[user.to_owned()], None, now);
        self.perform(now);
    }

    /// DismissRoom, done as the REST interface does it.
    pub fn dismiss(&mut self, app: SdkAppId, room: &RoomId, now: Instant) {
        let _ = self.seats.dismiss(&room.key(app), None, now);
        self.perform(now);
    }

    /// A datagram came to the media port.
    pub fn datagram(&mut self, source: SocketAddr, bytes: &[u8], now: Instant) {
        let came = Came { socket: 0, source: (Protocol::Udp, source), destination: None };
        self.rooms.datagram(came, bytes, now);
        self.rooms.settle(now);
        self.rooms.forward(now);
        self.look(now);
    }

    /// Lets time pass.
    pub fn wake(&mut self, now: Instant) {
        self.rooms.expire(now);
        self.rooms.forward(now);
        self.rooms.settle(now);
        self.seats.expire(now);
        self.look(now);
    }

    /// When [`Bare::wake`] has something to do, at the latest.
    pub fn next_wake(&self) -> Instant {
        let rooms = self.rooms.next_wake();
        self.seats.deadline().map_or(rooms, |seats| rooms.min(seats))
    }

    /// The datagrams that left since the last call.
    pub fn outgoing(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.rooms.outbox.flush();
        std::mem::take(&mut *self.basket.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everybody whom the engine has in a room: identity and published tracks.
    pub fn present(&mut self, app: SdkAppId, room: &RoomId, now: Instant) -> Vec<lk::ParticipantInfo> {
        let (reply, mut answer) = oneshot::channel();
        self.command(Command::Ask(Ask::Participants { room: room.key(app), reply }), now);
        answer.try_recv().ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Rooms, people present and people expected, as `/metrics` counts them.
    pub fn census(&self) -> (usize, usize, usize) {
        let census = self.seats.census();
        (census.rooms, census.present, census.reserved)
    }

    fn command(&mut self, command: Command, now: Instant) {
        self.rooms.command(command, now);
        self.look(now);
    }

    /// Passes on what happened in the engine.
    fn look(&mut self, now: Instant) {
        while let Ok(event) = self.events.try_recv() {
            self.seats.set_time(self.unix_at(now) * 1000);
            apply(&mut self.seats, event, now);
        }
        self.perform(now);
    }

    /// Has the engine do what the rules want.
    fn perform(&mut self, now: Instant) {
        for effect in self.seats.effects() {
            let Effect::Order { room, order } = effect else { continue };
            let (reply, _) = oneshot::channel();
            let ask = match order {
                Order::Permission(identity, permission) => {
                    Ask::Permission { room, identity, permission, reply }
                }
                Order::Attributes(identity, attributes) => {
                    Ask::Attributes { room, identity, attributes, reply }
                }
                Order::Silence(identity, kind) => Ask::Silence { room, identity, kind, reply },
                Order::Remove(identity, notice) => Ask::Remove { room, identity, notice, reply },
                Order::Dismiss(notice) => Ask::Dismiss { room, notice, reply },
                Order::Notice(notice, to) => {
                    let packet = data::user_packet(NOTICE_TOPIC, notice.to_json(), to);
                    Ask::Data { room, packet: Box::new(packet), reply }
                }
                Order::Metadata(metadata) => Ask::Metadata { room, metadata, reply },
            };
            self.rooms.command(Command::Ask(ask), now);
        }
    }

    fn unix_at(&self, now: Instant) -> u64 {
        self.unix + now.saturating_duration_since(self.began).as_secs()
    }
}

impl BareLine {
    /// What the client is told next.
    pub fn hear(&mut self) -> Told {
        match self.responses.try_recv() {
            Ok(response) => Told::Response(response),
            Err(mpsc::error::TryRecvError::Empty) => Told::Nothing,
            Err(mpsc::error::TryRecvError::Disconnected) => Told::Closed,
        }
    }
}
