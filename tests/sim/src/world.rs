//! The server, its clients and the network between them, with one clock that is nobody's.

mod carry;

use crate::chance::Chance;
use crate::client::Client;
use crate::link::{Way, Weather};
use crate::stream::Stream;
use crate::trace::Trace;
use crate::wire::{Down, Up};
use confab_protocol::{Event, RawEnterParams, RoomId, SdkAppId, user_sig};
use confab_server::sim::{Bare, BareLine};
use confab_server::{AppConfig, Config};
use confab_signal::lk::TrackType;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const APP: u32 = 1_400_000_001;
const KEY: &str = "key-of-the-simulated-app";
/// Unix time of the beginning.
const UNIX: u64 = 1_700_000_000;
/// A websocket that says nothing for this long is closed, as the server's carrier does.
const SILENCE: Duration = Duration::from_secs(30);

/// One TCP connection.
#[derive(Debug)]
struct Wire {
    client: usize,
    up: Stream<Up>,
    down: Stream<Down>,
    line: Option<BareLine>,
    /// The signalling is open: it is watched for silence.
    heard: Option<Instant>,
    /// The server has closed its end.
    closed: bool,
}

/// Something on its way.
#[derive(Debug)]
enum Arrival {
    Up(u64, Up),
    Down(u64, Down),
    ToServer(SocketAddr, Vec<u8>),
    ToClient(SocketAddr, SocketAddr, Vec<u8>),
}

#[derive(Debug)]
struct Due {
    at: Instant,
    number: u64,
    arrival: Arrival,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// A place with a client and a line to the server.
#[derive(Debug)]
struct Place {
    client: Client,
    name: String,
    up: Way,
    down: Way,
    /// The TCP connection that the client has now.
    wire: Option<u64>,
    /// Clients that were started here.
    started: u64,
    /// Events told and not taken yet.
    told: Vec<Event>,
}

/// Everything.
#[derive(Debug)]
pub struct World {
    now: Instant,
    began: Instant,
    server: Bare,
    media: SocketAddr,
    places: Vec<Place>,
    wires: BTreeMap<u64, Wire>,
    next_wire: u64,
    due: BinaryHeap<Reverse<Due>>,
    next_due: u64,
    plays: bool,
    /// In which order datagrams of one moment leave, where it is another than that of their making.
    order: Option<Chance>,
    sigs: BTreeMap<String, String>,
    trace: Trace,
}

impl World {
    /// A server and a client at every place, each with its line; the names of the places begin with
    /// the user's, and what is behind a `/` tells the places of one user apart.
    pub fn new(seed: u64, places: &[(&str, Weather)]) -> World {
        World::build(seed, places, false, false)
    }

    /// The same, where sound and pictures are really sent.
    pub fn with_media(seed: u64, places: &[(&str, Weather)]) -> World {
        World::build(seed, places, true, false)
    }

    /// The same as [`World::new`], with a trace that is only a hash.
    pub fn silent(seed: u64, places: &[(&str, Weather)]) -> World {
        World::build(seed, places, false, true)
    }

    /// The same world, where the datagrams of one moment leave in an order that follows from `order`.
    pub fn shuffled(self, order: u64) -> World {
        World { order: Some(Chance::of(order, 3_000)), ..self }
    }

    fn build(seed: u64, places: &[(&str, Weather)], plays: bool, silent: bool) -> World {
        crate::dtls::install();
        // Ids, ports and retransmissions of the stack follow from it; it is this thread's own.
        fastrand::seed(seed);
        let now = Instant::now();
        let media: SocketAddr = "10.255.0.1:7881".parse().unwrap();
        let config = Config { app: vec![AppConfig::new(APP, KEY)], ..Config::default() };
        let places = places.iter().enumerate().map(|(number, (name, weather))| {
            let user = name.split('/').next().unwrap_or_default();
            let way = |part| Way::new(*weather, Chance::of(seed, 2 * number as u64 + part));
            Place {
                client: Client::new(user, number as u8, format!("client-{number}-0"), plays),
                name: (*name).to_owned(),
                up: way(1),
                down: way(2),
                wire: None,
                started: 0,
                told: Vec::new(),
            }
        });
        World {
            now,
            began: now,
            server: Bare::new(config, media, UNIX, now),
            media,
            places: places.collect(),
            wires: BTreeMap::new(),
            next_wire: 0,
            due: BinaryHeap::new(),
            next_due: 0,
            plays,
            order: None,
            sigs: BTreeMap::new(),
            trace: Trace::new(now, silent),
        }
    }

    /// What happened so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// How long it has run.
    pub fn elapsed(&self) -> Duration {
        self.now - self.began
    }

    /// The client at a place.
    pub fn client(&self, at: usize) -> &Client {
        &self.places[at].client
    }

    /// The name of a place.
    pub fn name(&self, at: usize) -> &str {
        &self.places[at].name
    }

    /// What the client at a place told since the last call.
    pub fn take_told(&mut self, at: usize) -> Vec<Event> {
        std::mem::take(&mut self.places[at].told)
    }

    /// What no client may be given, where one was: a picture that cannot be shown.
    pub fn fault(&self) -> Option<String> {
        let mut faults = self.places.iter().filter_map(|place| Some((&place.name, place.client.fault()?)));
        faults.next().map(|(name, what)| format!("{name} got {what}"))
    }

    /// Everybody whom the server has in a room: identity, and whether voice and camera are there and
    /// not muted.
    pub fn present(&mut self, room: u32) -> Vec<(String, bool, bool)> {
        let infos = self.server.present(SdkAppId(APP), &number(room), self.now);
        let sends = |info: &confab_signal::lk::ParticipantInfo, kind| {
            info.tracks.iter().any(|track| track.r#type() == kind && !track.muted)
        };
        let mut present: Vec<_> = infos
            .iter()
            .map(|info| (info.identity.clone(), sends(info, TrackType::Audio), sends(info, TrackType::Video)))
            .collect();
        present.sort();
        present
    }

    /// Rooms, people present and people expected in the room service's books.
    pub fn census(&self) -> (usize, usize, usize) {
        self.server.census()
    }

    /// The client at a place enters a room.
    pub fn enter(&mut self, at: usize, room: u32) -> Result<(), i32> {
        let user = self.places[at].client.user().to_owned();
        let sign = || user_sig::sign(SdkAppId(APP), KEY, &user, 30 * 24 * 3600, UNIX, None);
        let sig = self.sigs.entry(user.clone()).or_insert_with(sign).clone();
        let raw = RawEnterParams {
            sdk_app_id: Some(i64::from(APP)),
            user_id: Some(user),
            user_sig: Some(sig),
            room_id: Some(i64::from(room)),
            ..RawEnterParams::default()
        };
        self.note(at, &format!("enters {room}"));
        let entered = self.places[at].client.enter(raw, self.now);
        self.flush(at);
        entered.map_err(|fault| fault.code)
    }

    /// The client at a place leaves.
    pub fn exit(&mut self, at: usize) {
        self.act(at, "leaves", |client, now| client.exit(now));
    }

    /// Opens or closes the microphone.
    pub fn set_voice(&mut self, at: usize, open: bool) {
        self.act(at, if open { "opens mic" } else { "closes mic" }, |client, now| {
            client.set_voice(open, now)
        });
    }

    /// Mutes or unmutes the microphone.
    pub fn mute_voice(&mut self, at: usize, muted: bool) {
        let what = if muted { "mutes mic" } else { "unmutes mic" };
        self.act(at, what, |client, now| client.mute_voice(muted, now));
    }

    /// Opens or closes the camera.
    pub fn set_camera(&mut self, at: usize, open: bool) {
        let what = if open { "opens camera" } else { "closes camera" };
        self.act(at, what, |client, now| client.set_camera(open, now));
    }

    /// Mutes or unmutes the camera.
    pub fn mute_camera(&mut self, at: usize, muted: bool) {
        let what = if muted { "mutes camera" } else { "unmutes camera" };
        self.act(at, what, |client, now| client.mute_camera(muted, now));
    }

    /// The program at a place ends without a word; another one is started there.
    pub fn kill(&mut self, at: usize) {
        self.note(at, "is killed");
        let place = &mut self.places[at];
        place.started += 1;
        let id = format!("client-{at}-{}", place.started);
        let user = place.client.user().to_owned();
        place.client = Client::new(&user, at as u8, id, self.plays).after(&place.client);
        // The system closes what the program had open.
        if let Some(wire) = place.wire.take() {
            self.say(wire, Up::Close);
            self.try_wires();
        }
    }

    /// Nothing gets through to a place, or from it.
    pub fn cut(&mut self, at: usize) {
        self.note(at, "is cut off");
        self.places[at].up.cut = true;
        self.places[at].down.cut = true;
    }

    /// It does again.
    pub fn heal(&mut self, at: usize) {
        self.note(at, "is back on the network");
        self.places[at].up.cut = false;
        self.places[at].down.cut = false;
    }

    /// An operator puts somebody out.
    pub fn remove(&mut self, room: u32, user: &str) {
        self.trace.note(self.now, "server", &format_args!("removes {user} from {room}"));
        self.server.remove(SdkAppId(APP), &number(room), user, self.now);
        self.serve();
    }

    /// An operator ends a room.
    pub fn dismiss(&mut self, room: u32) {
        self.trace.note(self.now, "server", &format_args!("dismisses {room}"));
        self.server.dismiss(SdkAppId(APP), &number(room), self.now);
        self.serve();
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until `done`, at most so much; false when it was not done by then.
    pub fn run_until(&mut self, longest: Duration, done: impl Fn(&World) -> bool) -> bool {
        let end = self.now + longest;
        while !done(self) {
            let Some(next) = self.next().filter(|next| *next <= end) else {
                self.now = end;
                return done(self);
            };
            self.now = self.now.max(next);
            self.step();
        }
        true
    }

    fn act(&mut self, at: usize, what: &str, act: impl FnOnce(&mut Client, Instant)) {
        self.note(at, what);
        act(&mut self.places[at].client, self.now);
        self.flush(at);
    }

    fn note(&mut self, at: usize, what: &str) {
        self.trace.note(self.now, &self.places[at].name, &what);
    }

    fn next(&self) -> Option<Instant> {
        let due = self.due.peek().map(|due| due.0.at);
        let wires = self.wires.values().flat_map(|wire| {
            let silent = wire.heard.filter(|_| !wire.closed).map(|heard| heard + SILENCE);
            [wire.up.due(), wire.down.due(), silent]
        });
        let clients = self.places.iter().filter_map(|place| place.client.deadline());
        let server = Some(self.server.next_wake());
        due.into_iter().chain(wires.flatten()).chain(clients).chain(server).min()
    }

    fn step(&mut self) {
        let now = self.now;
        while self.due.peek().is_some_and(|due| due.0.at <= now) {
            if let Some(Reverse(due)) = self.due.pop() {
                self.arrive(due.arrival);
            }
        }
        self.try_wires();
        if self.server.next_wake() <= now {
            self.server.wake(now);
            self.serve();
        }
        for at in 0..self.places.len() {
            if self.places[at].client.deadline().is_some_and(|due| due <= now) {
                self.places[at].client.wake(now);
                self.flush(at);
            }
        }
    }
}

fn number(room: u32) -> RoomId {
    RoomId::number(room).unwrap()
}
