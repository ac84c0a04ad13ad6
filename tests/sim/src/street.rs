//! A seeded bad network before a real server: a UDP address and a TCP port of its own in front of the
//! server's, on loopback and in real time.

use crate::chance::Chance;
use crate::link::{Way, Weather};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A segment that is lost is sent again after this.
const AGAIN: Duration = Duration::from_millis(200);
/// Pieces of one TCP connection on their way.
const PIECES: usize = 256;

/// Picks datagrams.
type Pick = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// How the whole street is, and what its links draw.
struct Shared {
    weather: Weather,
    unlucky: Option<(usize, Pick)>,
    seed: u64,
    ways: u64,
    cut: bool,
    counts: (u64, u64),
}

/// The network. Dropping it ends its tasks.
#[allow(missing_debug_implementations, reason = "what picks datagrams cannot be shown")]
pub struct Street {
    shared: Arc<Mutex<Shared>>,
    tcp: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Street {
    /// A street to the server whose HTTP is at `http` and whose one media worker is at `media`; clients
    /// reach them at [`Street::url`] and at `front`.
    pub async fn open(
        seed: u64,
        weather: Weather,
        http: SocketAddr,
        media: SocketAddr,
        front: SocketAddr,
    ) -> std::io::Result<Street> {
        let shared = Arc::new(Mutex::new(Shared {
            weather,
            unlucky: None,
            seed,
            ways: 0,
            cut: false,
            counts: (0, 0),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let tcp = listener.local_addr()?;
        let udp = Arc::new(UdpSocket::bind(front).await?);
        let mut tasks = JoinSet::new();
        tasks.spawn(relay_tcp(shared.clone(), listener, http));
        tasks.spawn(relay_udp(shared.clone(), udp, media));
        Ok(Street { shared, tcp, _tasks: tasks })
    }

    /// Where clients reach HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.tcp)
    }

    /// Nothing gets through any more, or everything again.
    pub fn set_cut(&self, cut: bool) {
        lock(&self.shared).cut = cut;
    }

    /// Of the datagrams from each address that is yet to come the first `count` are lost that `pick` picks.
    pub fn lose_first(&self, count: usize, pick: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        lock(&self.shared).unlucky = Some((count, Arc::new(pick)));
    }

    /// Datagrams that came, and those that were lost.
    pub fn datagrams(&self) -> (u64, u64) {
        lock(&self.shared).counts
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn way(&mut self) -> Way {
        self.ways += 1;
        Way::new(self.weather, Chance::of(self.seed, self.ways))
    }

    fn arrivals(&mut self, way: &mut Way, bytes: usize) -> [Option<Instant>; 2] {
        (way.weather, way.cut) = (self.weather, self.cut);
        let arrivals = way.arrivals(bytes, Instant::now());
        self.counts.0 += 1;
        self.counts.1 += u64::from(arrivals[0].is_none());
        arrivals
    }
}

/// What comes from one address.
struct Flow {
    back: Arc<UdpSocket>,
    way: Way,
    unlucky: Option<(usize, Pick)>,
}

/// Datagrams, with a socket of its own towards the server for every address that they come from.
async fn relay_udp(shared: Arc<Mutex<Shared>>, front: Arc<UdpSocket>, media: SocketAddr) {
    let mut flows: HashMap<SocketAddr, Flow> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; 2048];
    loop {
        let Ok((length, from)) = front.recv_from(&mut buffer).await else { continue };
        if let std::collections::hash_map::Entry::Vacant(place) = flows.entry(from) {
            let Ok(back) = UdpSocket::bind("127.0.0.1:0").await else { continue };
            if back.connect(media).await.is_err() {
                continue;
            }
            let back = Arc::new(back);
            tasks.spawn(answers(shared.clone(), front.clone(), back.clone(), from));
            let mut shared = lock(&shared);
            place.insert(Flow { back, way: shared.way(), unlucky: shared.unlucky.clone() });
        }
        let Some(Flow { back, way, unlucky }) = flows.get_mut(&from) else { continue };
        if let Some((left @ 1.., pick)) = unlucky
            && pick(&buffer[..length])
        {
            *left -= 1;
            let mut shared = lock(&shared);
            shared.counts = (shared.counts.0 + 1, shared.counts.1 + 1);
            continue;
        }
        let arrivals = lock(&shared).arrivals(way, length);
        for at in arrivals.into_iter().flatten() {
            let (back, bytes) = (back.clone(), buffer[..length].to_vec());
            tasks.spawn(async move {
                tokio::time::sleep_until(at.into()).await;
                // What does not fit is lost like anything else.
                let _ = back.send(&bytes).await;
            });
        }
        while tasks.try_join_next().is_some() {}
    }
}

async fn answers(shared: Arc<Mutex<Shared>>, front: Arc<UdpSocket>, back: Arc<UdpSocket>, to: SocketAddr) {
    let mut way = lock(&shared).way();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; 2048];
    loop {
        let Ok(length) = back.recv(&mut buffer).await else { continue };
        let arrivals = lock(&shared).arrivals(&mut way, length);
        for at in arrivals.into_iter().flatten() {
            let (front, bytes) = (front.clone(), buffer[..length].to_vec());
            tasks.spawn(async move {
                tokio::time::sleep_until(at.into()).await;
                let _ = front.send_to(&bytes, to).await;
            });
        }
        while tasks.try_join_next().is_some() {}
    }
}

async fn relay_tcp(shared: Arc<Mutex<Shared>>, listener: TcpListener, http: SocketAddr) {
    let mut tasks = JoinSet::new();
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tasks.spawn(async move {
            let Ok(far) = TcpStream::connect(http).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::join!(one_way(shared.clone(), near_in, far_out), one_way(shared, far_in, near_out));
        });
        while tasks.try_join_next().is_some() {}
    }
}

/// One direction of a connection: pieces arrive in order, those that are lost later than they should.
async fn one_way(shared: Arc<Mutex<Shared>>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let take = async move {
        let mut way = lock(&shared).way();
        let mut buffer = vec![0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let mut pause = AGAIN;
            let at = loop {
                let arrivals = lock(&shared).arrivals(&mut way, 60);
                match arrivals[0] {
                    Some(at) => break at,
                    None => tokio::time::sleep(pause).await,
                }
                pause *= 2;
            };
            if pieces.send((at, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some((at, bytes)) = arriving.recv().await {
            tokio::time::sleep_until(at.into()).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The other side has closed, which is said in its order too.
        let _ = to.shutdown().await;
    };
    tokio::join!(take, give);
}
