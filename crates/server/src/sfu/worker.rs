//! A worker's thread: its sockets, one inbox, and the rooms in between.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use str0m::net::Protocol;
use tokio::sync::{mpsc, oneshot};

use super::address::{self, Addresses, Bound, Came};
use super::command::Command;
use super::directory::Directory;
use super::outbox::{Outbox, Wire};
use super::reports::Reports;
use super::rooms::Rooms;
use super::tcp::Tcp;
use crate::engine::{EngineError, ListenError};

/// Commands waiting for one worker; who sends more waits.
const INBOX: usize = 1024;
/// Commands done between two looks at the socket, and how long they may take together.
const COMMANDS: usize = 64;
const COMMAND_TIME: Duration = Duration::from_millis(5);
/// Batches of datagrams read between two looks at the commands.
const BATCHES: usize = 8;
/// What the system reports between two looks at everything else.
const EVENTS: usize = 256;
/// One datagram, or as many as the kernel joins.
const DATAGRAM: usize = 64 * 1024;
/// Asked of the kernel for each socket; it may give less.
const KERNEL_BUFFER: usize = 4 << 20;
/// UDP sockets count up from the next token, everything of TCP from that one.
const INBOX_READY: Token = Token(0);
const FIRST_OF_TCP: usize = 1 << 16;
/// How often another port is tried that is to be free for both UDP and TCP.
const TRIES: usize = 16;

/// The way to a running worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) local: SocketAddr,
    inbox: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

/// The way to a worker, for a task of its own.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    inbox: mpsc::Sender<Command>,
    waker: Arc<Waker>,
}

impl Worker {
    /// Binds the worker's sockets and starts its thread. The thread ends when the worker and every
    /// [`Inbox`] are dropped, or after a shutdown.
    pub(crate) fn start(
        index: usize,
        bind: Bound,
        advertise: &[IpAddr],
        directory: Arc<Directory>,
        reports: Reports,
    ) -> Result<(Worker, JoinHandle<()>), ListenError> {
        let refused = |refusal| ListenError { tcp: false, address: bind.address, refusal };
        let sockets = Sockets::bind(bind)?;
        let now = Instant::now();
        let addresses = Addresses::new(sockets.bound, advertise, &address::interfaces());
        let local = sockets.bound.address;
        let start = || {
            let poll = Poll::new()?;
            let ear = Ear::new(sockets.udp, &poll, 0)?;
            let mut tcp = Tcp::new(poll.registry().try_clone()?, FIRST_OF_TCP, now);
            if let Some(listener) = sockets.tcp {
                tcp.listen(listener, 0)?;
            }
            let waker = Arc::new(Waker::new(poll.registry(), INBOX_READY)?);
            let (inbox, commands) = mpsc::channel(INBOX);
            let outbox = Outbox::new(Arc::clone(&ear.wire) as _);
            let rooms = Rooms::new(addresses, outbox, directory, reports, now);
            let (ears, buffers) = (vec![ear], vec![vec![0; DATAGRAM]; BATCH_SIZE]);
            let runner = Runner { poll, ears, tcp, takes_tcp: bind.tcp, commands, rooms, buffers };
            let thread = std::thread::Builder::new().name(format!("sfu-{index}")).spawn(|| runner.run())?;
            Ok((Worker { local, inbox, waker }, thread))
        };
        start().map_err(refused)
    }

    /// Takes media at that address too, unless it does; on another port where somebody has that one.
    pub(crate) async fn listen(&self, address: SocketAddr) -> Result<(), ListenError> {
        let (reply, taken) = oneshot::channel();
        self.inbox().send(Command::Listen { address, reply }).await;
        let stopped = || ListenError { tcp: false, address, refusal: io::Error::other(EngineError::Stopped) };
        taken.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(crate) fn inbox(&self) -> Inbox {
        Inbox { inbox: self.inbox.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.inbox().wake();
    }
}

impl Inbox {
    /// Hands a command over, waiting for room; false when the worker has ended.
    pub(crate) async fn send(&self, command: Command) -> bool {
        let sent = self.inbox.send(command).await.is_ok();
        self.wake();
        sent
    }

    /// Hands a command over if there is room.
    pub(crate) fn try_send(&self, command: Command) {
        // Without room the worker notices by itself, a little later.
        let _ = self.inbox.try_send(command);
        self.wake();
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "worker could not be woken");
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // The last one out lets the worker see that nobody can ask any more.
        self.wake();
    }
}

/// A UDP socket, and a listener on the same port.
struct Sockets {
    bound: Bound,
    udp: UdpSocket,
    tcp: Option<TcpListener>,
}

impl Sockets {
    /// Binds both where TCP is wanted; port 0 takes one that is free for both.
    fn bind(Bound { address, tcp }: Bound) -> Result<Sockets, ListenError> {
        let mut tries = if address.port() == 0 { TRIES } else { 1 };
        loop {
            let refused = |tcp, address| move |refusal| ListenError { tcp, address, refusal };
            let udp = UdpSocket::bind(address).map_err(refused(false, address))?;
            let local = udp.local_addr().map_err(refused(false, address))?;
            let bound = Bound { address: local, tcp };
            if !tcp {
                return Ok(Sockets { bound, udp, tcp: None });
            }
            tries -= 1;
            match TcpListener::bind(local) {
                Ok(listener) => return Ok(Sockets { bound, udp, tcp: Some(listener) }),
                Err(taken) if taken.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
                Err(refusal) => return Err(refused(true, local)(refusal)),
            }
        }
    }
}

/// A socket on which the worker waits.
struct Ear {
    source: mio::net::UdpSocket,
    wire: Arc<Wire>,
}

impl Ear {
    fn new(socket: UdpSocket, poll: &Poll, index: usize) -> io::Result<Ear> {
        let mut source = mio::net::UdpSocket::from_std(socket.try_clone()?);
        let state = UdpSocketState::new((&socket).into())?;
        // The kernel's own limits apply; a smaller buffer works, with more loss under load.
        let _ = state.set_recv_buffer_size((&socket).into(), KERNEL_BUFFER);
        let _ = state.set_send_buffer_size((&socket).into(), KERNEL_BUFFER);
        let token = Token(INBOX_READY.0 + 1 + index);
        poll.registry().register(&mut source, token, Interest::READABLE)?;
        Ok(Ear { source, wire: Arc::new(Wire { socket, state }) })
    }
}

struct Runner {
    poll: Poll,
    /// Counted as in [`Addresses`] and [`Outbox`].
    ears: Vec<Ear>,
    tcp: Tcp,
    /// Sockets that are added later take connections too.
    takes_tcp: bool,
    commands: mpsc::Receiver<Command>,
    rooms: Rooms,
    buffers: Vec<Vec<u8>>,
}

impl Runner {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut more = false;
        loop {
            let now = Instant::now();
            let wait =
                if more { Duration::ZERO } else { self.rooms.next_wake().saturating_duration_since(now) };
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "worker cannot wait for packets and ends");
                    return;
                }
            }
            events.iter().for_each(|event| self.tcp.hear(event, &mut self.rooms));
            let Some(commands) = self.commands() else { break };
            let datagrams = self.datagrams();
            let streams = self.tcp.read(&mut self.rooms, Instant::now());
            more = commands || datagrams || streams;
            let now = Instant::now();
            self.rooms.expire(now);
            self.rooms.forward(now);
            self.rooms.settle(now);
            self.rooms.outbox.flush();
            self.tcp.write(&mut self.rooms, now);
            if self.rooms.is_over() {
                break;
            }
        }
    }

    /// Does what was asked; true when there may be more, `None` when nobody can ask any more.
    fn commands(&mut self) -> Option<bool> {
        let began = Instant::now();
        for _ in 0..COMMANDS {
            let now = Instant::now();
            if now.saturating_duration_since(began) > COMMAND_TIME {
                break;
            }
            match self.commands.try_recv() {
                // Who asked has gone, and nothing was lost.
                Ok(Command::Listen { address, reply }) => drop(reply.send(self.listen(address))),
                Ok(command) => self.rooms.command(command, now),
                Err(mpsc::error::TryRecvError::Empty) => return Some(false),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
            }
        }
        Some(true)
    }

    fn listen(&mut self, address: SocketAddr) -> Result<(), ListenError> {
        let is_there = |ear: &Ear| ear.source.local_addr().is_ok_and(|local| local.ip() == address.ip());
        if self.ears.iter().any(is_there) {
            return Ok(());
        }
        let at = |address| Bound { address, tcp: self.takes_tcp };
        let Sockets { bound, udp, tcp } = match Sockets::bind(at(address)) {
            Err(taken) if taken.refusal.kind() == io::ErrorKind::AddrInUse => {
                Sockets::bind(at(SocketAddr::new(address.ip(), 0)))
            }
            bound => bound,
        }?;
        let refused = |tcp| move |refusal| ListenError { tcp, address, refusal };
        let socket = self.ears.len();
        let ear = Ear::new(udp, &self.poll, socket).map_err(refused(false))?;
        if let Some(listener) = tcp {
            self.tcp.listen(listener, socket).map_err(refused(true))?;
        }
        self.rooms.listen(Arc::clone(&ear.wire), bound);
        self.ears.push(ear);
        Ok(())
    }

    /// Reads what came; true when there may be more.
    fn datagrams(&mut self) -> bool {
        let mut more = false;
        for index in 0..self.ears.len() {
            more |= self.datagrams_of(index);
        }
        more
    }

    fn datagrams_of(&mut self, index: usize) -> bool {
        let Runner { ears, buffers, rooms, .. } = self;
        let Some(Ear { source, wire }) = ears.get(index) else { return false };
        for _ in 0..BATCHES {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            let read = source.try_io(|| wire.state.recv((&wire.socket).into(), &mut slices, &mut metas));
            let count = match read {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    // An ICMP answer to an earlier datagram; the socket itself is fine.
                    tracing::trace!(%error, "socket error");
                    continue;
                }
            };
            let now = Instant::now();
            for (meta, buffer) in metas.iter().zip(buffers.iter()).take(count) {
                let bytes = buffer.get(..meta.len).unwrap_or_default();
                for datagram in bytes.chunks(meta.stride.max(1)) {
                    let source = (Protocol::Udp, meta.addr);
                    rooms.datagram(Came { socket: index, source, destination: meta.dst_ip }, datagram, now);
                }
            }
            rooms.settle(now);
            if count < BATCH_SIZE {
                // Fewer than fit: most likely nothing is left, but only an empty read says so.
                rooms.forward(now);
            }
        }
        true
    }
}
