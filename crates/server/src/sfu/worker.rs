//! A worker's thread: one UDP socket, one inbox, and the rooms in between.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use tokio::sync::mpsc;

use super::address::{self, Addresses};
use super::command::Command;
use super::directory::Directory;
use super::outbox::{Outbox, Wire};
use super::reports::Reports;
use super::rooms::Rooms;

/// Commands waiting for one worker; who sends more waits.
const INBOX: usize = 1024;
/// Commands done between two looks at the socket, and how long they may take together.
const COMMANDS: usize = 64;
const COMMAND_TIME: Duration = Duration::from_millis(5);
/// Batches of datagrams read between two looks at the commands.
const BATCHES: usize = 8;
/// One datagram, or as many as the kernel joins.
const DATAGRAM: usize = 64 * 1024;
/// Asked of the kernel for each socket; it may give less.
const KERNEL_BUFFER: usize = 4 << 20;
const SOCKET: Token = Token(0);
const INBOX_READY: Token = Token(1);

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
    /// Binds the worker's socket and starts its thread. The thread ends when the worker and every
    /// [`Inbox`] are dropped, or after a shutdown.
    pub(crate) fn start(
        index: usize,
        bind: SocketAddr,
        advertise: &[IpAddr],
        directory: Arc<Directory>,
        reports: Reports,
    ) -> io::Result<(Worker, JoinHandle<()>)> {
        let socket = UdpSocket::bind(bind)?;
        let local = socket.local_addr()?;
        let addresses = Addresses::new(local, advertise, &address::interfaces());
        let mut source = mio::net::UdpSocket::from_std(socket.try_clone()?);
        let state = UdpSocketState::new((&socket).into())?;
        // The kernel's own limits apply; a smaller buffer works, with more loss under load.
        let _ = state.set_recv_buffer_size((&socket).into(), KERNEL_BUFFER);
        let _ = state.set_send_buffer_size((&socket).into(), KERNEL_BUFFER);
        let poll = Poll::new()?;
        poll.registry().register(&mut source, SOCKET, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), INBOX_READY)?);
        let wire = Arc::new(Wire { socket, state });
        let (inbox, commands) = mpsc::channel(INBOX);
        let rooms = Rooms::new(addresses, Outbox::new(Arc::clone(&wire)), directory, reports, Instant::now());
        let runner =
            Runner { poll, source, wire, commands, rooms, buffers: vec![vec![0; DATAGRAM]; BATCH_SIZE] };
        let thread = std::thread::Builder::new().name(format!("sfu-{index}")).spawn(|| runner.run())?;
        Ok((Worker { local, inbox, waker }, thread))
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

struct Runner {
    poll: Poll,
    source: mio::net::UdpSocket,
    wire: Arc<Wire>,
    commands: mpsc::Receiver<Command>,
    rooms: Rooms,
    buffers: Vec<Vec<u8>>,
}

impl Runner {
    fn run(mut self) {
        let mut events = Events::with_capacity(16);
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
            let Some(commands) = self.commands() else { break };
            let datagrams = self.datagrams();
            more = commands || datagrams;
            let now = Instant::now();
            self.rooms.expire(now);
            self.rooms.forward(now);
            self.rooms.settle(now);
            self.rooms.outbox.flush();
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
                Ok(command) => self.rooms.command(command, now),
                Err(mpsc::error::TryRecvError::Empty) => return Some(false),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
            }
        }
        Some(true)
    }

    /// Reads what came; true when there may be more.
    fn datagrams(&mut self) -> bool {
        for _ in 0..BATCHES {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let Runner { source, wire, buffers, rooms, .. } = self;
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
                    rooms.datagram(meta.addr, meta.dst_ip, datagram, now);
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
