//! A way over TCP for datagrams that nobody answers over UDP.
//!
//! rtc-ice 0.21.1 tells candidates of the far end apart by their address only: it takes an answer over
//! TCP for one over UDP where both have the same port, as LiveKit's servers and ours have it. So the
//! stack is left with its UDP, and its sockets take the detour: framed as in RFC 4571, to the port that
//! the server offers beside.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use webrtc::runtime::{RecvMeta, Transmit};

/// So long answers over UDP are waited for alone: where it works one comes within a round trip.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(4);
/// Datagrams that wait for a connection, and of all connections for the stack. Those that do not fit are
/// lost, as on any network.
const WAITING: usize = 256;
/// Ways kept for one socket, and ports remembered of one server.
const MOST: usize = 8;

/// What all sockets of one peer connection know.
#[derive(Debug, Default)]
pub(super) struct Doors {
    known: Mutex<Vec<SocketAddr>>,
    /// Something came over UDP: no detour is needed.
    answered: AtomicBool,
}

impl Doors {
    /// Remembers where the server takes connections, by its description.
    pub(super) fn learn(&self, sdp: &str) {
        sdp.lines()
            .filter_map(|line| line.strip_prefix("a="))
            .filter_map(door)
            .for_each(|door| self.add(door));
    }

    /// Remembers the candidate, where it is of this kind; whether it is.
    pub(super) fn learn_candidate(&self, candidate: &str) -> bool {
        let door = door(candidate);
        door.into_iter().for_each(|door| self.add(door));
        door.is_some()
    }

    /// New sockets know nothing yet of the way over UDP.
    pub(super) fn begin(&self) {
        self.answered.store(false, Ordering::Relaxed);
    }

    fn add(&self, door: SocketAddr) {
        let mut known = lock(&self.known);
        if known.len() < MOST && !known.contains(&door) {
            known.push(door);
        }
    }

    fn beside(&self, ip: IpAddr) -> Option<SocketAddr> {
        lock(&self.known).iter().copied().find(|door| door.ip() == ip)
    }
}

/// Where a candidate takes connections (RFC 6544, passive).
fn door(candidate: &str) -> Option<SocketAddr> {
    let mut words = candidate.strip_prefix("candidate:")?.split_whitespace().skip(2);
    let tcp = words.next()?.eq_ignore_ascii_case("tcp");
    let (ip, port) = (words.nth(1)?.parse().ok()?, words.next()?.parse().ok()?);
    let mut rest = words.skip_while(|word| *word != "tcptype");
    (tcp && rest.nth(1) == Some("passive")).then_some(SocketAddr::new(ip, port))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is a single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The detours of one socket. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Detours {
    doors: Arc<Doors>,
    ways: Mutex<HashMap<SocketAddr, Way>>,
    arrived: Mutex<mpsc::Receiver<(SocketAddr, Vec<u8>)>>,
    arrive: mpsc::Sender<(SocketAddr, Vec<u8>)>,
}

/// What is done for one far end.
#[derive(Debug)]
struct Way {
    /// Since when answers are waited for.
    since: Instant,
    lane: Option<Lane>,
}

/// A connection and the task that has it.
#[derive(Debug)]
struct Lane {
    out: mpsc::Sender<Vec<u8>>,
    /// An answer came by it.
    answered: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Detours {
    pub(super) fn new(doors: Arc<Doors>) -> Detours {
        let (arrive, arrived) = mpsc::channel(WAITING);
        Detours { doors, ways: Mutex::default(), arrived: Mutex::new(arrived), arrive }
    }

    /// Takes datagrams that leave; whether they need not go over UDP any more.
    pub(super) fn send(&self, transmit: &Transmit<'_>, now: Instant) -> bool {
        if self.doors.answered.load(Ordering::Relaxed) {
            return false;
        }
        let mut ways = lock(&self.ways);
        let to = transmit.destination;
        if !ways.contains_key(&to) && ways.len() >= MOST {
            return false;
        }
        let way = ways.entry(to).or_insert(Way { since: now, lane: None });
        if way.lane.as_ref().is_some_and(|lane| lane.task.is_finished()) {
            // The connection was cut: UDP gets its chance again.
            *way = Way { since: now, lane: None };
        }
        if way.lane.is_none() && now.saturating_duration_since(way.since) >= PATIENCE {
            way.lane = self.doors.beside(to.ip()).map(|door| Lane::open(door, to, self.arrive.clone()));
        }
        let Some(lane) = &way.lane else { return false };
        let size = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for datagram in transmit.contents.chunks(size) {
            // One that does not fit is lost.
            let _ = lane.out.try_send(datagram.to_vec());
        }
        lane.answered.load(Ordering::Relaxed)
    }

    /// Datagrams came over UDP from there: connections are not needed.
    pub(super) fn heard(&self, from: impl Iterator<Item = SocketAddr>) {
        if self.doors.answered.load(Ordering::Relaxed) {
            return;
        }
        let mut ways = lock(&self.ways);
        let chosen = |way: &Way| way.lane.as_ref().is_some_and(|lane| lane.answered.load(Ordering::Relaxed));
        let asked = from.into_iter().any(|from| ways.get(&from).is_some_and(|way| !chosen(way)));
        if asked && !ways.values().any(chosen) {
            self.doors.answered.store(true, Ordering::Relaxed);
            ways.clear();
        }
    }

    /// The next datagram that came by a connection, as if over UDP.
    pub(super) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Pending };
        loop {
            // It cannot end while its sender is here.
            let Poll::Ready(Some((from, datagram))) = lock(&self.arrived).poll_recv(cx) else {
                return Poll::Pending;
            };
            if let Some(place) = buffer.get_mut(..datagram.len())
                && !datagram.is_empty()
            {
                place.copy_from_slice(&datagram);
                *meta = RecvMeta::default();
                (meta.addr, meta.len, meta.stride) = (from, datagram.len(), datagram.len());
                return Poll::Ready(Ok(1));
            }
        }
    }
}

impl Lane {
    /// Connects to `door`; what comes counts as from `far`.
    fn open(door: SocketAddr, far: SocketAddr, arrive: mpsc::Sender<(SocketAddr, Vec<u8>)>) -> Lane {
        let (out, leaving) = mpsc::channel(WAITING);
        let answered = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&answered);
        let task = tokio::spawn(async move {
            tracing::debug!(%door, "nobody answers over UDP: connecting");
            if let Err(error) = carry(door, far, leaving, &arrive, &heard).await {
                tracing::debug!(%door, %error, "a connection for media ended");
            }
        });
        Lane { out, answered, task }
    }
}

async fn carry(
    door: SocketAddr,
    far: SocketAddr,
    mut leaving: mpsc::Receiver<Vec<u8>>,
    arrive: &mpsc::Sender<(SocketAddr, Vec<u8>)>,
    answered: &AtomicBool,
) -> io::Result<()> {
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(door)).await??;
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.into_split();
    let away = async {
        while let Some(datagram) = leaving.recv().await {
            let Ok(length) = u16::try_from(datagram.len()) else { continue };
            write.write_all(&[&length.to_be_bytes()[..], &datagram].concat()).await?;
        }
        Ok::<(), io::Error>(())
    };
    let here = async {
        loop {
            let mut datagram = vec![0; usize::from(read.read_u16().await?)];
            read.read_exact(&mut datagram).await?;
            if !answered.swap(true, Ordering::Relaxed) {
                tracing::info!(%door, "media goes over TCP: the network lets no UDP through");
            }
            if arrive.send((far, datagram)).await.is_err() {
                return Ok::<(), io::Error>(());
            }
        }
    };
    tokio::select! {
        ended = away => ended,
        ended = here => ended,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const FAR: &str = "127.0.0.1:9";

    fn transmit(contents: &[u8], segment_size: Option<usize>) -> Transmit<'_> {
        Transmit { destination: FAR.parse().unwrap(), ecn: None, contents, segment_size, src_ip: None }
    }

    async fn next(detours: &Detours) -> (SocketAddr, Vec<u8>) {
        let (mut bytes, mut meta) = ([0; 2000], [RecvMeta::default()]);
        let came =
            std::future::poll_fn(|cx| detours.poll_recv(cx, &mut [IoSliceMut::new(&mut bytes)], &mut meta));
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), came).await.unwrap().unwrap(), 1);
        (meta[0].addr, bytes[..meta[0].len].to_vec())
    }

    async fn listening() -> (TcpListener, Arc<Doors>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let doors = Arc::new(Doors::default());
        doors.learn(&format!("v=0\r\na=candidate:1 1 tcp 5 127.0.0.1 {port} typ host tcptype passive\r\n"));
        (listener, doors)
    }

    #[test]
    fn only_candidates_that_wait_for_connections_are_doors() {
        let at = |text: &str| door(text).map(|door| door.to_string());
        let passive = "candidate:1 1 TCP 5 192.0.2.1 7881 typ host tcptype passive generation 0";
        assert_eq!(at(passive).as_deref(), Some("192.0.2.1:7881"));
        for other in [
            "candidate:1 1 udp 5 192.0.2.1 7881 typ host",
            "candidate:1 1 tcp 5 192.0.2.1 9 typ host tcptype active",
            "candidate:1 1 tcp 5 host.local 7881 typ host tcptype passive",
            "candidate:1 1 tcp 5 192.0.2.1 99999 typ host tcptype passive",
            "candidate:1 1 tcp",
            "",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn datagrams_without_an_answer_take_the_detour_after_a_while_and_answers_come_back() {
        let (listener, doors) = listening().await;
        let (detours, start) = (Detours::new(doors), Instant::now());
        assert!(!detours.send(&transmit(b"early", None), start));
        let early = start + PATIENCE - Duration::from_millis(1);
        assert!(!detours.send(&transmit(b"early", None), early));
        assert!(lock(&detours.ways).values().all(|way| way.lane.is_none()), "nobody connects yet");
        assert!(!detours.send(&transmit(b"abcde", Some(2)), start + PATIENCE), "UDP may still answer");
        let (mut server, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 11];
        server.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"\0\x02ab\0\x02cd\0\x01e");
        server.write_all(b"\0\x02hi").await.unwrap();
        assert_eq!(next(&detours).await, (FAR.parse().unwrap(), b"hi".to_vec()));
        assert!(detours.send(&transmit(b"x", None), start + PATIENCE), "the detour is the way");
        detours.heard([FAR.parse().unwrap()].into_iter());
        assert!(detours.send(&transmit(b"x", None), start + PATIENCE), "and stays it");
    }

    #[tokio::test]
    async fn an_answer_over_udp_ends_all_detours() {
        let (listener, doors) = listening().await;
        let (detours, start) = (Detours::new(doors), Instant::now());
        detours.send(&transmit(b"a", None), start);
        detours.send(&transmit(b"a", None), start + PATIENCE);
        let (mut server, _) = listener.accept().await.unwrap();
        detours.heard(["192.0.2.1:1".parse().unwrap()].into_iter());
        assert!(!lock(&detours.ways).is_empty(), "nobody had asked them");
        detours.heard([FAR.parse().unwrap()].into_iter());
        // Whatever was on the way already, then the end.
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(10), server.read_to_end(&mut rest)).await.unwrap();
        assert!(!detours.send(&transmit(b"a", None), start + PATIENCE * 9));
        assert!(lock(&detours.ways).is_empty());
    }

    #[tokio::test]
    async fn after_a_cut_udp_gets_its_chance_and_then_the_detour_again() {
        let (listener, doors) = listening().await;
        let (detours, start) = (Detours::new(doors), Instant::now());
        detours.send(&transmit(b"a", None), start);
        detours.send(&transmit(b"a", None), start + PATIENCE);
        drop(listener.accept().await.unwrap());
        let ended = async {
            while lock(&detours.ways)
                .values()
                .any(|way| way.lane.as_ref().is_some_and(|l| !l.task.is_finished()))
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
        assert!(!detours.send(&transmit(b"a", None), start + PATIENCE));
        assert!(!detours.send(&transmit(b"b", None), start + PATIENCE * 2));
        let again = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await.unwrap();
        assert!(again.is_ok());
    }
}
