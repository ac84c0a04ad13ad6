//! The thread that owns the server of the rooms opened here, and opens it to other computers where
//! they can reach this one.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};

use confab_protocol::{Code, ExitCause, Fault};
use confab_server::{Door, Hosted, Identity, StartError};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::networks::Networks;
use super::outside::{self, Means, Outside, Target};
use super::{plan, refused};
use crate::nearby::Announcer;
use crate::{Hosting, view};

/// What is to be done, and who is told how it went.
pub(super) struct Order {
    pub(super) change: Wish,
    pub(super) reply: SyncSender<Result<(), Fault>>,
}

/// Who is let in from now on.
pub(super) enum Wish {
    /// Other computers, or none.
    Lan {
        lan: bool,
        /// The port was asked for: no other will do.
        exact: bool,
    },
    /// People outside this network, or none.
    Outside(bool),
    /// Guests by that passcode, and whether those who come wait.
    Door(Door),
}

/// The server, and where others are let in.
pub(super) struct Doors {
    server: Hosted,
    identity: Arc<Identity>,
    networks: Networks,
    /// Others may come in, on the server's port only or on others too.
    lan: Option<Exact>,
    open: Vec<SocketAddr>,
    /// The addresses that could not be opened at the last look.
    refused: BTreeSet<IpAddr>,
    outside: Option<Outside>,
    tell: watch::Sender<Hosting>,
    /// Tells the network, where it is told.
    announcer: Option<Announcer>,
}

type Exact = bool;

impl Doors {
    pub(super) fn new(
        server: Hosted,
        identity: Arc<Identity>,
        networks: Networks,
        tell: watch::Sender<Hosting>,
    ) -> Self {
        let app = tell.borrow().sdk_app_id;
        let announcer = networks.told.then(|| Announcer::new(identity.fingerprint(), app));
        Self {
            server,
            identity,
            networks,
            lan: None,
            open: Vec::new(),
            refused: BTreeSet::new(),
            outside: None,
            tell,
            announcer,
        }
    }

    /// Carries orders out, and follows the addresses while others may come in, until nobody can order
    /// anything any more. Then everybody is told that the host stopped.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let next = match self.lan {
                Some(_) => orders.recv_timeout(self.networks.every),
                None => orders.recv().map_err(RecvTimeoutError::from),
            };
            match next {
                Ok(Order { change, reply }) => {
                    let set = match change {
                        Wish::Lan { lan, exact } => self.set_lan(lan, exact),
                        Wish::Outside(outside) => self.set_outside(outside),
                        Wish::Door(door) => {
                            self.set_door(door);
                            Ok(())
                        }
                    };
                    self.show();
                    // Who asked has gone, and it is done all the same.
                    let _ = reply.send(set);
                }
                Err(RecvTimeoutError::Timeout) => {
                    // Nobody asked; what cannot be opened is logged and tried again.
                    let _ = self.follow();
                    self.show();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Nobody is to come while the others are told to go.
        drop(self.announcer);
        // Those inside are told before the router, which can wait.
        self.server.stop(ExitCause::HostStopped);
    }

    fn set_lan(&mut self, lan: bool, exact: Exact) -> Result<(), Fault> {
        let before = self.lan;
        self.lan = lan.then_some(exact);
        if !lan {
            self.set_outside(false)?;
            self.server.close();
            self.open.clear();
            return Ok(());
        }
        self.refused.clear();
        let followed = self.follow();
        let port = self.asked();
        if self.open.iter().any(|door| port.is_none_or(|port| port == door.port())) {
            return Ok(());
        }
        if before.is_some() && !exact {
            // Others may come in as before, as soon as there is a network again.
            return Ok(());
        }
        self.lan = before;
        Err(followed.err().unwrap_or_else(no_network))
    }

    /// Changes who may come into the rooms, by whatever way.
    fn set_door(&self, door: Door) {
        let (passcode, waiting_room) = (door.passcode.is_some(), door.waiting_room);
        self.server.set_door(door);
        self.tell.send_if_modified(|shown| {
            let before = (shown.passcode, shown.waiting_room);
            (shown.passcode, shown.waiting_room) = (passcode, waiting_room);
            before != (passcode, waiting_room)
        });
    }

    /// Begins to lead people here from outside, or ends it.
    fn set_outside(&mut self, wanted: bool) -> Result<(), Fault> {
        if !wanted {
            self.outside = None;
            let door = self.target().map(|target| target.http);
            self.tell.send_if_modified(|shown| outside::tell(shown, view::Outside::default(), door));
            return Ok(());
        }
        if self.outside.is_some() {
            return Ok(());
        }
        let (routers, identity) = (self.networks.routers.clone(), Arc::clone(&self.identity));
        let (translator, tell) = (self.server.translator(), self.tell.clone());
        let means = Means { routers, identity, translator, tell };
        let started = Outside::start(means, self.target());
        self.outside = Some(started.map_err(|error| refused(&StartError::Threads(error)))?);
        Ok(())
    }

    fn target(&self) -> Option<Target> {
        Target::among(&self.open, &self.server.media_ports())
    }

    /// The only port that will do.
    fn asked(&self) -> Option<u16> {
        self.lan.filter(|exact| *exact).map(|_| self.server.http().port())
    }

    /// Opens doors at new addresses and closes those that are gone; the failure is the first of those
    /// that could not be opened.
    fn follow(&mut self) -> Result<(), Fault> {
        let present = match self.networks.look() {
            Ok(present) => present,
            Err(error) => {
                debug!(%error, "the addresses of this computer are not told");
                return Err(Fault::new(Code::FAILED).with_message(format!(
                    "The system does not tell the addresses of this computer: {error}. Try again."
                )));
            }
        };
        let plan = plan::plan(&self.open, &present, self.asked());
        for door in plan.close {
            self.close(door);
            info!(%door, "the address is gone");
        }
        let mut why = Ok(());
        self.refused.retain(|ip| plan.open.contains(ip));
        for ip in plan.open {
            match self.open(ip) {
                Ok(door) => {
                    let other = self.open.iter().find(|open| open.ip() == ip).copied();
                    other.into_iter().for_each(|other| self.close(other));
                    self.refused.remove(&ip);
                    self.open.push(door);
                }
                Err(error) => {
                    if self.refused.insert(ip) {
                        warn!(%ip, %error, "cannot be opened to the network");
                    }
                    why = why.and_then(|()| Err(refused(&error)));
                }
            }
        }
        plan::arrange(&mut self.open, &present);
        why
    }

    fn open(&self, ip: IpAddr) -> Result<SocketAddr, StartError> {
        let wanted = SocketAddr::new(ip, self.server.http().port());
        match self.server.open_at(wanted, &self.identity) {
            // Nobody asked for this port at this address: any other will do.
            Err(StartError::PortInUse { .. }) if self.asked().is_none() => {
                self.server.open_at(SocketAddr::new(ip, 0), &self.identity)
            }
            other => other,
        }
    }

    fn close(&mut self, door: SocketAddr) {
        self.server.close_at(door);
        self.open.retain(|open| *open != door);
    }

    /// Tells what has changed.
    fn show(&mut self) {
        if self.outside.is_some() {
            let target = self.target();
            self.outside.iter_mut().for_each(|outside| outside.lead(target.clone()));
        }
        let lan = self.lan.is_some();
        if let Some(announcer) = &mut self.announcer {
            announcer.tell(if lan { &self.open } else { &[] });
        }
        let doors = if lan { self.open.clone() } else { vec![self.server.http()] };
        let doors: Vec<String> = doors.iter().map(SocketAddr::to_string).collect();
        self.tell.send_if_modified(|shown| {
            let outside = shown.outside.address.iter().filter(|outside| !doors.contains(outside));
            let addresses: Vec<String> = outside.chain(&doors).cloned().collect();
            let changed = shown.lan != lan || shown.addresses != addresses;
            shown.lan = lan;
            shown.addresses = addresses;
            changed
        });
    }
}

fn no_network() -> Fault {
    Fault::new(Code::FAILED).with_message(
        "This computer is in no network, so nobody else can reach it. Connect it to one and try again.",
    )
}
