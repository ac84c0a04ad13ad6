//! A way in for people outside this network: ports of the router that lead here.

mod obstacle;
mod pcp;
mod router;
mod rule;
#[cfg(test)]
mod tests;
mod upnp;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use confab_server::engine::{MediaPort, Translated};
use confab_server::{Answers, Identity, Translator};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::{Hosting, view};
use obstacle::Obstacle;
pub(crate) use router::Routers;
use router::{Mapping, Router, Wanted};
use rule::{Opened, Proof, Rule};

/// The name of the thread that speaks with the router.
const THREAD: &str = "outside";
/// Moves that may wait for it.
const MOVES: usize = 4;
/// How long this computer may take to reach itself from outside.
const LOOK: Duration = Duration::from_secs(3);
/// How long giving all ports back may take.
const GIVE_BACK: Duration = Duration::from_secs(4);

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

    fn entrance(&self) -> MediaPort {
        MediaPort { tcp: true, address: self.http.into() }
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
    moves: Option<mpsc::Sender<Option<Target>>>,
    over: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Outside {
    /// Begins to open a way to that target.
    pub(super) fn start(means: Means, target: Option<Target>) -> io::Result<Outside> {
        let (moves, taken) = mpsc::channel(MOVES);
        let over = CancellationToken::new();
        let keeper = Keeper::new(means, target.clone(), over.clone());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().thread_name(THREAD).build()?;
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || runtime.block_on(keeper.run(taken)))?;
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
            Ok(()) | Err(TrySendError::Closed(_)) => self.target = target,
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.over.cancel();
        self.moves = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the thread that speaks with the router had panicked");
        }
    }
}

/// A port of this computer: whether it is one for TCP, and its number.
type Inside = (bool, u16);

/// The ports of a router that lead to a target.
#[derive(Debug)]
struct Ports {
    /// Where people enter.
    entrance: SocketAddrV4,
    media: Vec<Translated>,
    /// The shortest time for which one is kept open; `None` needs no renewal.
    lease: Option<Duration>,
}

/// How a router is found.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// It is the one of the last try.
    Known,
    /// By PCP, and by NAT-PMP where that fails.
    Pcp,
    Upnp,
}

/// Why a try opens nothing.
#[derive(Debug)]
enum Ended {
    Obstacle(Obstacle),
    /// Whoever waits for it has gone.
    Over,
}

impl From<Obstacle> for Ended {
    fn from(obstacle: Obstacle) -> Self {
        Ended::Obstacle(obstacle)
    }
}

/// The thread's own.
struct Keeper {
    means: Means,
    target: Option<Target>,
    /// The one that has what is held.
    router: Option<Router>,
    held: BTreeMap<Inside, Mapping>,
    /// The ports outside that people may have been told; they are asked for again.
    told: BTreeMap<Inside, NonZeroU16>,
    rule: Rule,
    over: CancellationToken,
}

impl Keeper {
    fn new(means: Means, target: Option<Target>, over: CancellationToken) -> Self {
        let (held, told) = (BTreeMap::new(), BTreeMap::new());
        Self { means, target, router: None, held, told, rule: Rule::new(Instant::now()), over }
    }

    async fn run(mut self, mut moves: mpsc::Receiver<Option<Target>>) {
        self.show();
        loop {
            tokio::select! {
                moved = moves.recv() => {
                    let Some(target) = moved else { break };
                    self.means.translator.set(Vec::new());
                    self.give_back().await;
                    self.router = None;
                    self.target = target;
                    self.rule.moved(Instant::now());
                }
                () = tokio::time::sleep_until(self.rule.due().into()) => match self.open().await {
                    Ok(opened) => self.rule.opened(opened, Instant::now()),
                    Err(Ended::Obstacle(obstacle)) => self.failed(obstacle),
                    Err(Ended::Over) => break,
                },
            }
            self.show();
        }
        self.means.translator.set(Vec::new());
        self.give_back().await;
    }

    /// Opens the ports, or keeps them open, and looks where they lead.
    async fn open(&mut self) -> Result<Opened, Ended> {
        let target = self.target.clone().ok_or(Obstacle::NoNetwork)?;
        let Ports { entrance, media, lease } = self.lead_to(&target).await?;
        self.means.translator.set(media);
        self.go_on()?;
        if entrance.ip() == target.http.ip() {
            // What this computer sends to itself meets no firewall, so a look would show nothing.
            return Ok(Opened { address: entrance, proof: Proof::Granted, lease });
        }
        let (identity, seen) = (Arc::clone(&self.means.identity), (self.means.routers.reach)(entrance));
        let look = tokio::task::spawn_blocking(move || identity.look_for_itself(seen.into(), LOOK));
        match look.await.unwrap_or(Answers::Nobody) {
            Answers::Itself => Ok(Opened { address: entrance, proof: Proof::Seen, lease }),
            Answers::Nobody => Ok(Opened { address: entrance, proof: Proof::Hidden, lease }),
            Answers::SomebodyElse => Err(Obstacle::Foreign(entrance).into()),
        }
    }

    /// The ports of the router that is known, or of the first way that opens them all.
    async fn lead_to(&mut self, target: &Target) -> Result<Ports, Ended> {
        // An address of the internet may be reached without anybody who opens ports.
        let mut why = match (self.means.routers.public)(*target.http.ip()) {
            true => Obstacle::Untried(target.http),
            false => Obstacle::NoRouter,
        };
        for way in [Way::Known, Way::Pcp, Way::Upnp] {
            match self.lead_by(way, target).await {
                Ok(ports) => return Ok(ports),
                Err(Ended::Obstacle(obstacle)) => why = why.or(obstacle),
                Err(Ended::Over) => return Err(Ended::Over),
            }
            // The next way is not to find its ports taken.
            self.give_back().await;
            if why.is_final() {
                break;
            }
        }
        Err(why.into())
    }

    async fn lead_by(&mut self, way: Way, target: &Target) -> Result<Ports, Ended> {
        self.go_on()?;
        let (routers, local) = (&self.means.routers, *target.http.ip());
        let router = match way {
            Way::Known => self.router.take().ok_or(Obstacle::NoRouter)?,
            Way::Pcp => {
                let inside = inside(target.entrance());
                let (addresses, wanted) = ((routers.gateways)(local), self.wanted(inside)?);
                let (gateway, mapping) =
                    pcp::Gateway::among(&addresses, local, routers.waits, wanted).await?;
                self.held.insert(inside, mapping);
                Router::Pcp(gateway)
            }
            Way::Upnp => {
                let search = upnp::Gateway::search(routers, local);
                Router::Upnp(self.over.run_until_cancelled(search).await.ok_or(Ended::Over)??)
            }
        };
        let ports = self.ports(&router, target).await?;
        self.router = Some(router);
        Ok(ports)
    }

    /// Asks a router for all ports.
    async fn ports(&mut self, router: &Router, target: &Target) -> Result<Ports, Ended> {
        let (entrance, mut lease) = self.port(router, target.entrance()).await?;
        let mut media = Vec::new();
        for local in &target.media {
            let (outside, kept) = self.port(router, *local).await?;
            let outside = SocketAddr::from(outside);
            // What is reached where it is has been told already.
            if outside != local.address {
                media.push(Translated { local: *local, outside });
            }
            lease = lease.into_iter().chain(kept).min();
        }
        Ok(Ports { entrance, media, lease })
    }

    /// Asks a router for one port: where it is outside, and how long it is kept open.
    async fn port(
        &mut self,
        router: &Router,
        port: MediaPort,
    ) -> Result<(SocketAddrV4, Option<Duration>), Ended> {
        self.go_on()?;
        let inside = inside(port);
        let mapping = router.open(self.wanted(inside)?, self.held.get(&inside)).await?;
        let (external, lease) = (mapping.external, mapping.lease);
        self.held.insert(inside, mapping);
        if external.ip().is_unspecified() {
            return Err(Obstacle::NoAddress.into());
        }
        if !(self.means.routers.public)(*external.ip()) {
            return Err(Obstacle::Inside(*external.ip()).into());
        }
        self.told.extend(NonZeroU16::new(external.port()).map(|told| (inside, told)));
        Ok((external, lease))
    }

    fn wanted(&self, (tcp, port): Inside) -> Result<Wanted, Obstacle> {
        // What is listened at has a number.
        let internal = NonZeroU16::new(port).ok_or(Obstacle::NoNetwork)?;
        let external = self.told.get(&(tcp, port)).copied().unwrap_or(internal);
        Ok(Wanted { tcp, internal, external })
    }

    fn go_on(&self) -> Result<(), Ended> {
        if self.over.is_cancelled() { Err(Ended::Over) } else { Ok(()) }
    }

    fn failed(&mut self, obstacle: Obstacle) {
        info!(%obstacle, "no way in from outside");
        self.rule.failed(obstacle, Instant::now());
        if !self.rule.is_open() {
            self.means.translator.set(Vec::new());
        }
    }

    /// Gives the ports back, as far as the router takes them in time.
    async fn give_back(&mut self) {
        let held = std::mem::take(&mut self.held);
        let all = async {
            for mapping in held.into_values() {
                mapping.close().await;
            }
        };
        // Who is silent forgets them with their leases.
        let _ = tokio::time::timeout(GIVE_BACK, all).await;
    }

    fn show(&self) {
        let (shown, door) = (self.rule.shown(), self.target.as_ref().map(|target| target.http));
        self.means.tell.send_if_modified(|hosting| tell(hosting, shown, door));
    }
}

fn inside(port: MediaPort) -> Inside {
    (port.tcp, port.address.port())
}

/// Tells how the way in stands; while it is open its address is the first of all, because it works for
/// most people. That of the door it leads to is among them anyway. True when that changes anything.
pub(super) fn tell(hosting: &mut Hosting, outside: view::Outside, door: Option<SocketAddrV4>) -> bool {
    if hosting.outside == outside {
        return false;
    }
    let door = door.map(|door| door.to_string());
    let another = |address: &String| Some(address) != door.as_ref();
    let before = std::mem::replace(&mut hosting.outside, outside).address.filter(another);
    hosting.addresses.retain(|address| Some(address) != before.as_ref());
    if let Some(address) = hosting.outside.address.clone().filter(another) {
        hosting.addresses.insert(0, address);
    }
    true
}
