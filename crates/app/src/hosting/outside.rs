//! A way in for people outside this network: ports of the router that lead here.

mod http;
mod pmp;
mod router;
mod rule;
#[cfg(test)]
mod tests;
mod upnp;

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use confab_server::engine::{MediaPort, Translated};
use confab_server::{Answers, Identity, Translator};
use tokio::sync::watch;
use tracing::{error, info};

use crate::{Hosting, view};
use pmp::Wanted;
use router::Router;
pub(crate) use router::Routers;
use rule::{LEASE, Obstacle, Opened, Proof, Rule, is_public};

/// The name of the thread that speaks with the router.
const THREAD: &str = "outside";
/// Moves that may wait for it.
const MOVES: usize = 4;
/// How long this computer may take to reach itself from outside.
const LOOK: Duration = Duration::from_secs(3);

/// What is to be reached from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Where people enter, in this computer's network.
    pub(super) http: SocketAddrV4,
    /// Where their media comes in, at the same address.
    pub(super) media: Vec<MediaPort>,
}

impl Target {
    /// The first of the doors that a router can lead to, and the ports for media beside it.
    pub(super) fn among(doors: &[SocketAddr], media: &[MediaPort]) -> Option<Target> {
        let http = doors.iter().find_map(|door| match door {
            SocketAddr::V4(door) => Some(*door),
            SocketAddr::V6(_) => None,
        })?;
        let beside = media.iter().filter(|port| port.address.ip() == *http.ip()).copied();
        Some(Target { http, media: beside.collect() })
    }
}

/// What the thread works with.
pub(super) struct Means {
    pub(super) routers: Routers,
    pub(super) identity: Arc<Identity>,
    pub(super) translator: Translator,
    /// Where it is told, see [`tell`].
    pub(super) tell: watch::Sender<Hosting>,
}

/// The way in, and the thread that keeps it open. Dropping it gives the ports back and waits for that, a
/// few seconds at most.
#[derive(Debug)]
pub(super) struct Outside {
    target: Option<Target>,
    moves: Option<SyncSender<Option<Target>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Outside {
    /// Begins to open a way to that target.
    pub(super) fn start(means: Means, target: Option<Target>) -> io::Result<Outside> {
        let (moves, taken) = sync_channel(MOVES);
        let over = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            means,
            target: target.clone(),
            router: None,
            held: Vec::new(),
            rule: Rule::new(Instant::now()),
            over: Arc::clone(&over),
        };
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || keeper.run(&taken))?;
        Ok(Outside { target, moves: Some(moves), over, thread: Some(thread) })
    }

    /// Leads it to that target, where it is another one. Never waits.
    pub(super) fn lead(&mut self, target: Option<Target>) {
        if self.target == target {
            return;
        }
        let Some(moves) = &self.moves else { return };
        match moves.try_send(target.clone()) {
            // Where the thread is busy the next look says it again.
            Err(TrySendError::Full(_)) => {}
            Ok(()) | Err(TrySendError::Disconnected(_)) => self.target = target,
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.moves = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the thread that speaks with the router had panicked");
        }
    }
}

/// A port of the router that leads here.
#[derive(Debug, Clone, Copy)]
struct Held {
    tcp: bool,
    internal: u16,
    external: u16,
}

/// The thread's own.
struct Keeper {
    means: Means,
    target: Option<Target>,
    /// The one that has what is held.
    router: Option<Arc<Router>>,
    held: Vec<Held>,
    rule: Rule,
    over: Arc<AtomicBool>,
}

/// Whoever waits for a try has gone.
struct Over;

impl Keeper {
    fn run(mut self, moves: &Receiver<Option<Target>>) {
        self.show();
        loop {
            let wait = self.rule.due().saturating_duration_since(Instant::now());
            match moves.recv_timeout(wait) {
                Ok(target) => {
                    self.give_back();
                    self.router = None;
                    self.target = target;
                    self.rule.moved(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => match self.open() {
                    Ok(Ok(opened)) => self.rule.opened(opened, Instant::now()),
                    Ok(Err(obstacle)) => {
                        info!(%obstacle, "no way in from outside");
                        self.rule.failed(obstacle, Instant::now());
                    }
                    Err(Over) => break,
                },
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.show();
        }
        self.give_back();
    }

    /// Opens the ports, or keeps them open, and looks where they lead.
    fn open(&mut self) -> Result<Result<Opened, Obstacle>, Over> {
        let Some(target) = self.target.clone() else { return Ok(Err(Obstacle::NoNetwork)) };
        let ip = *target.http.ip();
        if is_public(ip) {
            return Ok(Ok(Opened { address: target.http, proof: Proof::Direct, lease: None }));
        }
        let known = self.router.clone().map(|router| (router.address(), router));
        self.go_on()?;
        let (address, router) = match known {
            Some((Ok(address), router)) => (Ok(address), router),
            Some(_) | None => match Router::find(&self.means.routers, ip).map(Arc::new) {
                Some(router) => (router.address(), router),
                None => return Ok(Err(Obstacle::NoRouter)),
            },
        };
        self.go_on()?;
        let address = match address {
            Ok(address) if is_public(address) => address,
            Ok(inside) => return Ok(Err(Obstacle::Inside(inside))),
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        self.router = Some(Arc::clone(&router));
        let (http, media, lease) = match self.ports(&router, &target)? {
            Ok(ports) => ports,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        let outside = |(local, external): (MediaPort, u16)| Translated {
            local,
            outside: SocketAddrV4::new(address, external).into(),
        };
        self.means.translator.set(media.into_iter().map(outside).collect());
        let address = SocketAddrV4::new(address, http);
        self.go_on()?;
        let seen = (self.means.routers.reach)(address);
        Ok(match self.means.identity.look_for_itself(seen.into(), LOOK) {
            Answers::Itself => Ok(Opened { address, proof: Proof::Seen, lease }),
            Answers::Nobody => Ok(Opened { address, proof: Proof::Hidden, lease }),
            Answers::SomebodyElse => Err(Obstacle::Foreign(address)),
        })
    }

    /// Asks for all ports: that for HTTP outside, those for media, and how long they stay open.
    #[expect(clippy::type_complexity, reason = "three values that are used at once")]
    fn ports(
        &mut self,
        router: &Router,
        target: &Target,
    ) -> Result<Result<(u16, Vec<(MediaPort, u16)>, Option<Duration>), Obstacle>, Over> {
        let http = MediaPort { tcp: true, address: target.http.into() };
        let (mut found, mut lease) = (Vec::new(), LEASE);
        for port in std::iter::once(&http).chain(&target.media) {
            self.go_on()?;
            let internal = port.address.port();
            let same = |held: &&Held| (held.tcp, held.internal) == (port.tcp, internal);
            let external = self.held.iter().find(same).map_or(internal, |held| held.external);
            let granted = match router.open(Wanted { tcp: port.tcp, internal, external, lease: LEASE }) {
                Ok(granted) => granted,
                Err(obstacle) => return Ok(Err(obstacle)),
            };
            self.held.retain(|held| (held.tcp, held.internal) != (port.tcp, internal));
            self.held.push(Held { tcp: port.tcp, internal, external: granted.external });
            lease = lease.min(granted.lease);
            found.push((*port, granted.external));
        }
        let (_, entrance) = found.remove(0);
        Ok(Ok((entrance, found, (!lease.is_zero()).then_some(lease))))
    }

    fn go_on(&self) -> Result<(), Over> {
        if self.over.load(Ordering::Relaxed) { Err(Over) } else { Ok(()) }
    }

    /// Gives the ports back, and lets clients be told of none.
    fn give_back(&mut self) {
        self.means.translator.set(Vec::new());
        let held = std::mem::take(&mut self.held);
        let Some(router) = &self.router else { return };
        for Held { tcp, internal, external } in held {
            router.close(tcp, internal, external);
        }
    }

    fn show(&self) {
        let shown = self.rule.shown();
        self.means.tell.send_if_modified(|hosting| tell(hosting, shown));
    }
}

/// Tells how the way in stands; while it is open its address is the first of all, because it works for
/// most people. True when that changes anything.
pub(super) fn tell(hosting: &mut Hosting, outside: view::Outside) -> bool {
    if hosting.outside == outside {
        return false;
    }
    let before = std::mem::replace(&mut hosting.outside, outside).address;
    hosting.addresses.retain(|address| Some(address) != before.as_ref());
    if let Some(address) = &hosting.outside.address {
        hosting.addresses.insert(0, address.clone());
    }
    true
}
