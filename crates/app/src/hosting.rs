//! Rooms opened on this computer: the server, in this process, on threads of its own.

mod doors;
mod networks;
mod outside;
mod plan;
mod public;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use confab_protocol::{Code, Fault, Passcode};
use confab_server::{AppConfig, Config, Door, HistoryError, Hosted, Identity, Server, StartError};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::store::HostKey;
use crate::view::Outside;
use crate::{Hosting, Store, StoreError};
use doors::{Doors, Order, Wish};
pub(crate) use networks::Networks;

/// Where others look for a server first.
const PORT: u16 = 7880;
/// The name of the thread that owns the server.
const THREAD: &str = "hosting";
/// Orders that may wait for it.
const ORDERS: usize = 4;

/// How rooms are to be open; what is left out stays as it is, and is any port and nobody else at first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    pub(crate) port: Option<u16>,
    /// Other computers may come in.
    pub(crate) lan: Option<bool>,
    /// People outside this network may come in too.
    pub(crate) outside: Option<bool>,
    /// What guests have to say, empty for nothing.
    pub(crate) passcode: Option<Passcode>,
    /// Those who come wait for a host.
    pub(crate) waiting_room: Option<bool>,
}

impl Opening {
    /// Who may come in from then on, where it was that door before.
    fn door(&self, before: &Door) -> Door {
        let passcode = match &self.passcode {
            Some(given) => Some(given.0.clone()).filter(|given| !given.is_empty()),
            None => before.passcode.clone(),
        };
        Door { passcode, waiting_room: self.waiting_room.unwrap_or(before.waiting_room) }
    }
}

/// What of the rooms opened here outlives the program.
pub(crate) struct Kept {
    pub(crate) key: HostKey,
    pub(crate) identity: Identity,
    /// The file with what happened in the rooms, and how they stood; none keeps that in memory.
    pub(crate) rooms: Option<PathBuf>,
}

impl Kept {
    /// From that store, made on first use.
    pub(crate) fn of(store: &Store) -> Result<Self, StoreError> {
        let (key, identity) = (store.host_key()?, store.host_identity()?);
        Ok(Self { key, identity, rooms: Some(store.rooms_file()?) })
    }
}

/// A running server, what is told about it, and the key that signs for its application. Dropping it
/// tells everybody that the host stopped and waits for the end, at most 3 s.
pub(crate) struct Running {
    /// As last told by the thread, see [`Running::changed`].
    pub(crate) info: Hosting,
    pub(crate) key: String,
    door: Door,
    http: SocketAddr,
    told: watch::Receiver<Hosting>,
    orders: Option<mpsc::SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a server that only this computer reaches, whose networks are those, with the port and the door
    /// that are asked for. Blocks until it listens and has read its file.
    pub(crate) fn start(kept: Kept, opening: &Opening, networks: Networks) -> Result<Self, Fault> {
        let Kept { key, identity, rooms } = kept;
        let door = opening.door(&Door::default());
        let server = spawn(&key, opening.port, &door, rooms).map_err(|error| refused(&error))?;
        let http = server.http();
        let info = Hosting {
            server: server.url(),
            lan: false,
            addresses: vec![http.to_string()],
            fingerprint: identity.fingerprint().to_string(),
            sdk_app_id: key.sdk_app_id,
            outside: Outside::default(),
            passcode: door.passcode.is_some(),
            waiting_room: door.waiting_room,
        };
        info!(server = %info.server, "hosting");
        let (tell, told) = watch::channel(info.clone());
        let (orders, taken) = mpsc::sync_channel(ORDERS);
        let doors = Doors::new(server, Arc::new(identity), networks, tell);
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || doors.run(&taken));
        let thread = Some(thread.map_err(|error| refused(&StartError::Threads(error)))?);
        Ok(Self { info, key: key.key, door, http, told, orders: Some(orders), thread })
    }

    /// What guests have to say, for invitations.
    pub(crate) fn passcode(&self) -> Option<Passcode> {
        self.door.passcode.clone().map(Passcode)
    }

    /// Opens rooms to whom is asked for; what is left out stays as it is. Whoever lets people in from outside
    /// lets in those of this network. Blocks as the parts of it do.
    pub(crate) fn open(&mut self, opening: &Opening) -> Result<(), Fault> {
        // Nobody comes by a new address past a new passcode.
        self.set_door(opening.door(&self.door))?;
        let lan = opening.lan.unwrap_or(self.info.lan) || opening.outside == Some(true);
        self.set_lan(lan, opening.port.is_some())?;
        opening.outside.filter(|_| lan).map_or(Ok(()), |outside| self.set_outside(outside))
    }

    /// Lets people in by that passcode, or has them wait, from now on; who is in a room stays there. Blocks
    /// until the server has heard it.
    fn set_door(&mut self, door: Door) -> Result<(), Fault> {
        if door != self.door {
            let wanted = door.clone();
            self.order(|reply| Order { change: Wish::Door(wanted), reply })?;
            self.door = door;
        }
        Ok(())
    }

    /// Asks the router to let people in from outside, or no longer; how that goes is told later. Without
    /// other computers of the network nobody comes in. Blocks for as long as the router takes to close its
    /// ports.
    pub(crate) fn set_outside(&mut self, outside: bool) -> Result<(), Fault> {
        self.order(|reply| Order { change: Wish::Outside(outside), reply })
    }

    /// Lets other computers in, or no longer: who is in a room stays there. While they are let in, the
    /// addresses follow those of this computer; asked for again they do so at once. An address where
    /// another program has the port gets a port of its own, unless `exact`. Blocks until the system has
    /// opened or closed them, behind what was ordered before.
    pub(crate) fn set_lan(&mut self, lan: bool, exact: bool) -> Result<(), Fault> {
        self.order(|reply| Order { change: Wish::Lan { lan, exact }, reply })
    }

    fn order(
        &mut self,
        order: impl FnOnce(mpsc::SyncSender<Result<(), Fault>>) -> Order,
    ) -> Result<(), Fault> {
        let (reply, set) = mpsc::sync_channel(1);
        let ended = || Fault::new(Code::FAILED).with_message("Rooms are not open here any more.");
        let orders = self.orders.as_ref().ok_or_else(ended)?;
        orders.send(order(reply)).map_err(|_| ended())?;
        let answer = set.recv().unwrap_or_else(|_| Err(ended()));
        self.info = self.told.borrow_and_update().clone();
        answer
    }

    /// Waits until something changes by itself and gives what is told from then on; nothing when that
    /// cannot happen any more. May be dropped at any time.
    pub(crate) async fn changed(&mut self) -> Option<Hosting> {
        self.told.changed().await.ok()?;
        self.info = self.told.borrow_and_update().clone();
        Some(self.info.clone())
    }

    /// Whether rooms are open on that port; nothing given is any.
    pub(crate) fn is_on(&self, port: Option<u16>) -> bool {
        port.is_none_or(|port| port == self.http.port())
    }

    /// Tells everybody that the host stopped and waits for the end, at most 3 s.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The thread ends when nobody can order anything any more.
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the thread of the rooms opened here had panicked");
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A server for this computer only. What was not asked for gives way: no file where another program keeps it.
fn spawn(
    key: &HostKey,
    port: Option<u16>,
    door: &Door,
    rooms: Option<PathBuf>,
) -> Result<Hosted, StartError> {
    match spawn_at(key, port, door, rooms) {
        Err(StartError::History(HistoryError::Locked { file })) => {
            warn!(
                file = %file.display(),
                "another program keeps its rooms there; these are forgotten when they close"
            );
            spawn_at(key, port, door, None)
        }
        other => other,
    }
}

/// At that port; where none was asked for at the usual one, or at any other if that is taken.
fn spawn_at(
    key: &HostKey,
    port: Option<u16>,
    door: &Door,
    rooms: Option<PathBuf>,
) -> Result<Hosted, StartError> {
    match Server::spawn(config(key, port.unwrap_or(PORT), door, rooms.clone())) {
        Err(StartError::PortInUse { .. }) if port.is_none() => Server::spawn(config(key, 0, door, rooms)),
        other => other,
    }
}

/// The settings of a server without a name of its own.
fn config(key: &HostKey, port: u16, door: &Door, rooms: Option<PathBuf>) -> Config {
    let app = AppConfig {
        guests: true,
        passcode: door.passcode.clone(),
        waiting_room: door.waiting_room,
        ..AppConfig::new(key.sdk_app_id, key.key.clone())
    };
    Config {
        http: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        media: SocketAddr::from((Ipv4Addr::LOCALHOST, if port == PORT { PORT + 1 } else { 0 })),
        workers: Some(1),
        app: vec![app],
        database: rooms,
        nameless: true,
        ..Config::default()
    }
}

/// Says what stands in the way in words of the app, which has no settings of a server.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other causes are said well by the server")]
fn refused(error: &StartError) -> Fault {
    let why = match error {
        StartError::PortInUse { address, .. } => {
            format!("port {} is in use by another program; choose another one", address.port())
        }
        StartError::Listen { address, refusal, .. } => format!("{address} cannot be used: {refusal}"),
        StartError::History(HistoryError::Unusable { file, reason }) => {
            format!("{} cannot be used: {reason}", file.display())
        }
        StartError::History(HistoryError::Foreign { file }) => {
            format!("{} holds something else than rooms; move it away to start anew", file.display())
        }
        StartError::History(HistoryError::Newer { file, .. }) => format!(
            "{} was written by a newer Confab; use that one, or move the file away to start anew",
            file.display()
        ),
        other => other.to_string(),
    };
    Fault::new(Code::FAILED).with_message(format!("No room can be opened here: {why}."))
}
