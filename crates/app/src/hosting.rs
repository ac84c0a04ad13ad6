//! Rooms opened on this computer: the server, in this process, on threads of its own.

mod doors;
mod networks;
mod outside;
mod plan;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use confab_protocol::{Code, Fault};
use confab_server::{AppConfig, Config, Identity, Server, StartError};
use tokio::sync::watch;
use tracing::{error, info};

use crate::Hosting;
use crate::store::HostKey;
use crate::view::Outside;
use doors::{Doors, Order, Wish};
pub(crate) use networks::Networks;

/// Where others look for a server first.
const PORT: u16 = 7880;
/// The name of the thread that owns the server.
const THREAD: &str = "hosting";
/// Orders that may wait for it.
const ORDERS: usize = 4;

/// How rooms are to be open; what is left out stays as it is, and is any port and nobody else at first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opening {
    pub(crate) port: Option<u16>,
    /// Other computers may come in.
    pub(crate) lan: Option<bool>,
    /// People outside this network may come in too.
    pub(crate) outside: Option<bool>,
}

/// A running server, what is told about it, and the key that signs for its application. Dropping it
/// tells everybody that the host stopped and waits for the end, at most 3 s.
pub(crate) struct Running {
    /// As last told by the thread, see [`Running::changed`].
    pub(crate) info: Hosting,
    pub(crate) key: String,
    http: SocketAddr,
    told: watch::Receiver<Hosting>,
    orders: Option<mpsc::SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a server that only this computer reaches, whose networks are those. Blocks for
    /// milliseconds.
    pub(crate) fn start(
        key: &HostKey,
        identity: Identity,
        port: Option<u16>,
        networks: Networks,
    ) -> Result<Self, Fault> {
        let started = match Server::spawn(config(key, port.unwrap_or(PORT))) {
            // Nobody asked for this port: any other will do.
            Err(StartError::PortInUse { .. }) if port.is_none() => Server::spawn(config(key, 0)),
            other => other,
        };
        let server = started.map_err(|error| refused(&error))?;
        let http = server.http();
        let info = Hosting {
            server: server.url(),
            lan: false,
            addresses: vec![http.to_string()],
            fingerprint: identity.fingerprint().to_string(),
            sdk_app_id: key.sdk_app_id,
            outside: Outside::default(),
        };
        info!(server = %info.server, "hosting");
        let (tell, told) = watch::channel(info.clone());
        let (orders, taken) = mpsc::sync_channel(ORDERS);
        let doors = Doors::new(server, Arc::new(identity), networks, tell);
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || doors.run(&taken));
        let thread = Some(thread.map_err(|error| refused(&StartError::Threads(error)))?);
        Ok(Self { info, key: key.key.clone(), http, told, orders: Some(orders), thread })
    }

    /// Opens rooms to whom is asked for; what is left out stays as it is. Whoever lets people in from outside
    /// lets in those of this network. Blocks for milliseconds.
    pub(crate) fn open(&mut self, Opening { port, lan, outside }: Opening) -> Result<(), Fault> {
        let lan = lan.unwrap_or(self.info.lan) || outside == Some(true);
        self.set_lan(lan, port.is_some())?;
        outside.filter(|_| lan).map_or(Ok(()), |outside| self.set_outside(outside))
    }

    /// Asks the router to let people in from outside, or no longer; how that goes is told later. Without
    /// other computers of the network nobody comes in. Blocks for as long as the router takes to close its
    /// ports.
    pub(crate) fn set_outside(&mut self, outside: bool) -> Result<(), Fault> {
        self.order(|reply| Order { change: Wish::Outside(outside), reply })
    }

    /// Lets other computers in, or no longer: who is in a room stays there. While they are let in, the
    /// addresses follow those of this computer; asked for again they do so at once. An address where
    /// another program has the port gets a port of its own, unless `exact`. Blocks for milliseconds.
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

/// A server for this computer only, without a name of its own.
fn config(key: &HostKey, port: u16) -> Config {
    Config {
        http: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        media: SocketAddr::from((Ipv4Addr::LOCALHOST, if port == PORT { PORT + 1 } else { 0 })),
        workers: Some(1),
        app: vec![AppConfig { guests: true, ..AppConfig::new(key.sdk_app_id, key.key.clone()) }],
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
        other => other.to_string(),
    };
    Fault::new(Code::FAILED).with_message(format!("No room can be opened here: {why}."))
}
