//! Media over TCP, for people whose network lets no UDP out: a worker's listeners and the connections
//! that came in by them (RFC 6544, passive), with the worker's own waiting.

mod framing;
pub(crate) mod outgoing;
mod stranger;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Interest, Registry, Token};
use str0m::net::Protocol;

use self::framing::Frames;
use self::stranger::Stranger;
use super::address::Came;
use super::rooms::Rooms;

/// Connections of one worker; further ones are closed at once.
const MOST: usize = 512;
/// Connections of one worker that have not shown yet whose they are; the oldest goes for another one.
const STRANGERS: usize = 64;
/// Connections taken between two looks at everything else.
const ACCEPTS: usize = 32;
/// Read at once, and how often of one connection between two looks at everything else.
const READ: usize = 16 << 10;
const READS: usize = 4;
/// How often it is looked who is to be closed.
const SWEEP: Duration = Duration::from_millis(250);

/// A worker's listeners and connections.
pub(crate) struct Tcp {
    registry: Registry,
    listeners: Vec<Listener>,
    /// In the order in which they came.
    calls: BTreeMap<usize, Call>,
    by_source: HashMap<SocketAddr, usize>,
    /// Where more may be read.
    readable: Vec<usize>,
    next: usize,
    swept: Instant,
    buffer: Vec<u8>,
}

struct Listener {
    source: mio::net::TcpListener,
    token: Token,
    /// Which of the worker's sockets has the same port.
    socket: usize,
    /// Somebody may wait there.
    waiting: bool,
}

/// One connection.
struct Call {
    stream: mio::net::TcpStream,
    came: Came,
    frames: Frames,
    /// Nobody has shown yet whose it is.
    stranger: Option<Stranger>,
    /// It is among those where more may be read.
    readable: bool,
}

/// The connection is to be closed.
struct Over;

impl Tcp {
    /// No listener yet; connections get tokens from `first` on.
    pub(crate) fn new(registry: Registry, first: usize, now: Instant) -> Tcp {
        Tcp {
            registry,
            listeners: Vec::new(),
            calls: BTreeMap::new(),
            by_source: HashMap::new(),
            readable: Vec::new(),
            next: first,
            swept: now,
            buffer: vec![0; READ],
        }
    }

    /// Takes connections there too, as the worker's socket of that number has the port.
    pub(crate) fn listen(&mut self, listener: std::net::TcpListener, socket: usize) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let mut source = mio::net::TcpListener::from_std(listener);
        let token = self.token();
        self.registry.register(&mut source, Token(token), Interest::READABLE)?;
        self.listeners.push(Listener { source, token: Token(token), socket, waiting: true });
        Ok(())
    }

    fn token(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// Remembers what the system reports.
    pub(crate) fn hear(&mut self, event: &Event, rooms: &mut Rooms) {
        let Token(token) = event.token();
        if let Some(listener) = self.listeners.iter_mut().find(|listener| listener.token.0 == token) {
            listener.waiting = true;
            return;
        }
        let Some(call) = self.calls.get_mut(&token) else { return };
        if event.is_readable() && !std::mem::replace(&mut call.readable, true) {
            self.readable.push(token);
        }
        if event.is_writable() && write(call, rooms).is_err() {
            self.close(token, rooms);
        }
    }

    /// Takes who comes and reads what came; true when there may be more.
    pub(crate) fn read(&mut self, rooms: &mut Rooms, now: Instant) -> bool {
        let mut more = self.accept(rooms, now);
        for token in std::mem::take(&mut self.readable) {
            let Some(call) = self.calls.get_mut(&token) else { continue };
            match read(call, &mut self.buffer, rooms, now) {
                Ok(false) => call.readable = false,
                Ok(true) => {
                    self.readable.push(token);
                    more = true;
                }
                Err(Over) => self.close(token, rooms),
            }
        }
        more
    }

    /// Writes what waits and closes who is to be closed.
    pub(crate) fn write(&mut self, rooms: &mut Rooms, now: Instant) {
        for to in rooms.outbox.streams.take_ready() {
            let Some(token) = self.by_source.get(&to).copied() else { continue };
            if self.calls.get_mut(&token).is_some_and(|call| write(call, rooms).is_err()) {
                self.close(token, rooms);
            }
        }
        if now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            let over = |(token, call): (&usize, &Call)| {
                let stranger = call.stranger.as_ref().is_some_and(|stranger| stranger.is_over(now));
                let (_, source) = call.came.source;
                (stranger || rooms.outbox.streams.is_over(source, now)).then_some(*token)
            };
            let over: Vec<usize> = self.calls.iter().filter_map(over).collect();
            over.into_iter().for_each(|token| self.close(token, rooms));
        }
    }

    fn accept(&mut self, rooms: &mut Rooms, now: Instant) -> bool {
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS {
                let Some(listener) = self.listeners.get_mut(index).filter(|listener| listener.waiting) else {
                    break;
                };
                match listener.source.accept() {
                    Ok((stream, source)) => {
                        let socket = listener.socket;
                        self.take(stream, source, socket, rooms, now);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => listener.waiting = false,
                    // Whoever it was has gone, or the system has nothing left for one more: the next look
                    // is at the next tick.
                    Err(error) => {
                        tracing::debug!(%error, "a connection for media was not taken");
                        return false;
                    }
                }
            }
        }
        self.listeners.iter().any(|listener| listener.waiting)
    }

    fn take(
        &mut self,
        mut stream: mio::net::TcpStream,
        source: SocketAddr,
        socket: usize,
        rooms: &mut Rooms,
        now: Instant,
    ) {
        // Packets find their connection by where they go: one for each.
        if self.calls.len() >= MOST || self.by_source.contains_key(&source) {
            tracing::debug!("a connection for media was refused: there are too many");
            return;
        }
        let strangers = || self.calls.iter().filter(|(_, call)| call.stranger.is_some());
        let oldest = (strangers().count() >= STRANGERS).then(|| strangers().next()).flatten();
        if let Some(oldest) = oldest.map(|(token, _)| *token) {
            self.close(oldest, rooms);
        }
        let token = self.token();
        // Packets wait for nothing; and a connection that is gone already says so when it is read.
        let _ = stream.set_nodelay(true);
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.registry.register(&mut stream, Token(token), both) {
            tracing::debug!(%error, "a connection for media was not taken");
            return;
        }
        let destination: Option<IpAddr> = stream.local_addr().ok().map(|local| local.ip());
        let came = Came { socket, source: (Protocol::Tcp, source), destination };
        let (frames, stranger) = (Frames::default(), Some(Stranger::new(now)));
        self.calls.insert(token, Call { stream, came, frames, stranger, readable: false });
        self.by_source.insert(source, token);
        rooms.outbox.streams.open(source);
    }

    fn close(&mut self, token: usize, rooms: &mut Rooms) {
        let Some(Call { mut stream, came, .. }) = self.calls.remove(&token) else { return };
        // Dropping it closes it, and what is closed is not waited for any more.
        let _ = self.registry.deregister(&mut stream);
        let (_, source) = came.source;
        self.by_source.remove(&source);
        rooms.outbox.streams.close(source);
        rooms.unplugged(came.source);
    }
}

/// Reads what came by one connection; true when there may be more.
fn read(call: &mut Call, buffer: &mut [u8], rooms: &mut Rooms, now: Instant) -> Result<bool, Over> {
    for _ in 0..READS {
        let count = match call.stream.read(buffer) {
            Ok(0) => return Err(Over),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Err(Over),
        };
        call.frames.push(buffer.get(..count).unwrap_or_default());
        while let Some(frame) = call.frames.take().map_err(|_| Over)? {
            if rooms.datagram(call.came, frame, now) {
                call.stranger = None;
            } else if let Some(stranger) = &mut call.stranger
                && !stranger.may_say(frame)
            {
                return Err(Over);
            }
        }
        rooms.settle(now);
    }
    Ok(true)
}

/// Writes what waits for one connection, as much as the system takes.
fn write(call: &mut Call, rooms: &mut Rooms) -> Result<(), Over> {
    let (_, to) = call.came.source;
    loop {
        let bytes = rooms.outbox.streams.next(to);
        if bytes.is_empty() {
            return Ok(());
        }
        match call.stream.write(bytes) {
            Ok(0) => return Err(Over),
            Ok(count) => rooms.outbox.streams.wrote(to, count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Over),
        }
    }
}
