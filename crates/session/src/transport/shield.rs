//! Sockets that keep repeated flights of the server's away from the DTLS client.
//!
//! rtc-dtls 0.21.1 stops its timer at any message of the handshake and starts it again only when that
//! one was the next. Where our flight is lost and the server repeats its own before we do, the client
//! would fall silent for ever (measured: 2 % of handshakes at 5 % loss).

use super::detour::{Detours, Doors};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A record's type, version, epoch, number and length (RFC 6347, 4.1).
const HEADER: usize = 13;
const HANDSHAKE: u8 = 22;
/// A message's type, length, number, and offset and length of its part (RFC 6347, 4.2.2).
const MESSAGE_HEADER: usize = 12;
/// Parts that are remembered; a whole handshake has a dozen.
const MOST: usize = 64;

struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

/// The records in a datagram; nothing where it is something else than records.
fn records(mut datagram: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut records = Vec::new();
    while let Some((header, rest)) = datagram.split_first_chunk::<HEADER>() {
        let &[kind @ 20..=25, _, _, epoch_high, epoch_low, .., length_high, length_low] = header else {
            return None;
        };
        let (body, rest) =
            rest.split_at_checked(usize::from(u16::from_be_bytes([length_high, length_low])))?;
        records.push(Record { kind, epoch: u16::from_be_bytes([epoch_high, epoch_low]), body });
        datagram = rest;
    }
    datagram.is_empty().then_some(records)
}

/// The headers of the parts of messages in a datagram that has nothing else, in clear.
fn parts(datagram: &[u8]) -> Option<Vec<[u8; MESSAGE_HEADER]>> {
    if datagram.first() != Some(&HANDSHAKE) {
        return None;
    }
    let mut parts = Vec::new();
    for record in records(datagram)? {
        if (record.kind, record.epoch) != (HANDSHAKE, 0) {
            return None;
        }
        let mut body = record.body;
        while let Some((header, rest)) = body.split_first_chunk::<MESSAGE_HEADER>() {
            let [.., high, middle, low] = *header;
            let length = u32::from_be_bytes([0, high, middle, low]);
            body = rest.get(usize::try_from(length).ok()?..)?;
            parts.push(*header);
        }
        if !body.is_empty() {
            return None;
        }
    }
    Some(parts)
}

/// What one peer connection has sent and heard of its handshake.
#[derive(Debug, Default)]
struct Shield {
    /// Our last flight went out; all that is still to come is encrypted or changes to that.
    finished: AtomicBool,
    /// What was passed on.
    heard: Mutex<Vec<[u8; MESSAGE_HEADER]>>,
}

impl Shield {
    fn sent(&self, datagram: &[u8]) {
        if self.finished.load(Ordering::Relaxed) {
            return;
        }
        let finishes =
            |records: Vec<Record>| records.iter().any(|record| record.kind == HANDSHAKE && record.epoch > 0);
        if records(datagram).is_some_and(finishes) {
            self.finished.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a datagram brings nothing but messages that were passed on already, or such from before
    /// our last flight. It is taken for passed on when not.
    fn repeats(&self, datagram: &[u8]) -> bool {
        let Some(parts) = parts(datagram) else { return false };
        if self.finished.load(Ordering::Relaxed) {
            return true;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut repeats = true;
        for part in parts {
            if !heard.contains(&part) {
                repeats = false;
                if heard.len() < MOST {
                    heard.push(part);
                }
            }
        }
        repeats
    }

    /// Takes such datagrams out of `received`, in which each but the last has `stride` bytes; how many
    /// bytes are left.
    fn sift(&self, received: &mut [u8], stride: usize) -> usize {
        let stride = stride.max(1);
        let mut kept = 0;
        for start in (0..received.len()).step_by(stride) {
            let end = received.len().min(start + stride);
            if !self.repeats(&received[start..end]) {
                received.copy_within(start..end, kept);
                kept += end - start;
            }
        }
        kept
    }
}

#[derive(Debug)]
struct Shielded {
    socket: Arc<dyn AsyncUdpSocket>,
    shield: Arc<Shield>,
    detours: Detours,
}

impl Shielded {
    fn sift(&self, bufs: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta], count: usize) {
        for (buffer, meta) in bufs.iter_mut().zip(meta).take(count) {
            let length = buffer.len().min(meta.len);
            meta.len = self.shield.sift(&mut buffer[..length], meta.stride);
        }
    }
}

impl AsyncUdpSocket for Shielded {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.detours.send(transmit, Instant::now()) {
            self.shield.sent(transmit.contents);
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        let sent = self.socket.poll_send(cx, transmit);
        if sent.is_ready() {
            self.shield.sent(transmit.contents);
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = match self.socket.poll_recv(cx, bufs, meta) {
            Poll::Pending => self.detours.poll_recv(cx, bufs, meta),
            ready => {
                if let Poll::Ready(Ok(count)) = ready {
                    self.detours.heard(meta.iter().take(count).map(|meta| meta.addr));
                }
                ready
            }
        };
        if let Poll::Ready(Ok(count)) = received {
            self.sift(bufs, meta, count);
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}

/// The runtime of one peer connection.
#[derive(Debug)]
pub(super) struct ShieldedRuntime {
    runtime: Arc<dyn Runtime>,
    shield: Arc<Shield>,
    doors: Arc<Doors>,
}

impl ShieldedRuntime {
    pub(super) fn new(runtime: Arc<dyn Runtime>, doors: Arc<Doors>) -> Self {
        Self { runtime, shield: Arc::default(), doors }
    }
}

impl Runtime for ShieldedRuntime {
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = self.runtime.wrap_udp_socket(socket)?;
        self.doors.begin();
        Ok(Arc::new(Shielded {
            socket,
            shield: self.shield.clone(),
            detours: Detours::new(self.doors.clone()),
        }))
    }

    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.runtime.spawn(future)
    }

    fn spawn_reactor(&self, pool_size: usize, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.runtime.spawn_reactor(pool_size, future)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.runtime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, to: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.runtime.connect_tcp(to)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.runtime.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.runtime.now()
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.runtime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.runtime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.runtime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.runtime.yield_now()
    }

    fn name(&self) -> &'static str {
        self.runtime.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHANGE: u8 = 20;

    fn datagram(records: &[(u8, u16)]) -> Vec<u8> {
        let records: Vec<_> = records.iter().map(|&(kind, epoch)| (kind, epoch, 0)).collect();
        numbered(&records)
    }

    /// Records of this type and epoch, with a message of that number.
    fn numbered(records: &[(u8, u16, u8)]) -> Vec<u8> {
        let mut datagram = Vec::new();
        for (kind, epoch, number) in records {
            datagram.extend([*kind, 254, 253]);
            datagram.extend(epoch.to_be_bytes());
            datagram.extend([0, 0, 0, 0, 0, 1, 0, 14]);
            datagram.extend([11, 0, 0, 2, 0, *number, 0, 0, 0, 0, 0, 2, 7, 7]);
        }
        datagram
    }

    fn finished() -> Shield {
        let shield = Shield::default();
        shield.sent(&datagram(&[(HANDSHAKE, 0), (CHANGE, 0), (HANDSHAKE, 1)]));
        shield
    }

    #[test]
    fn a_flight_that_is_repeated_after_ours_is_kept_out_and_the_next_one_is_not() {
        let repeated = datagram(&[(HANDSHAKE, 0), (HANDSHAKE, 0)]);
        let shield = Shield::default();
        shield.sent(&datagram(&[(HANDSHAKE, 0)]));
        assert!(!shield.repeats(&repeated), "our first flight does not finish anything");
        let shield = finished();
        assert!(shield.repeats(&repeated));
        assert!(!shield.repeats(&datagram(&[(CHANGE, 0), (HANDSHAKE, 1)])));
        // Whoever packs both into one datagram has brought something new.
        assert!(!shield.repeats(&datagram(&[(HANDSHAKE, 0), (CHANGE, 0), (HANDSHAKE, 1)])));
        assert!(!shield.repeats(&datagram(&[(23, 1)])));
    }

    #[test]
    fn what_was_passed_on_is_kept_out_also_before_our_flight_has_answered_it() {
        let shield = Shield::default();
        assert!(!shield.repeats(&numbered(&[(HANDSHAKE, 0, 0), (HANDSHAKE, 0, 1)])));
        assert!(shield.repeats(&numbered(&[(HANDSHAKE, 0, 0), (HANDSHAKE, 0, 1)])));
        assert!(shield.repeats(&numbered(&[(HANDSHAKE, 0, 1)])), "in other datagrams than before");
        assert!(!shield.repeats(&numbered(&[(HANDSHAKE, 0, 1), (HANDSHAKE, 0, 2)])), "the last one is new");
        let other = Shield::default();
        assert!(!other.repeats(&numbered(&[(HANDSHAKE, 0, 1)])), "each connection has its own");
    }

    #[test]
    fn when_more_comes_than_is_remembered_it_is_passed_on() {
        let shield = Shield::default();
        for number in 0..200 {
            assert!(!shield.repeats(&numbered(&[(HANDSHAKE, 0, number)])));
        }
        assert!(shield.repeats(&numbered(&[(HANDSHAKE, 0, 0)])));
        assert!(!shield.repeats(&numbered(&[(HANDSHAKE, 0, 199)])));
    }

    #[test]
    fn what_is_no_whole_dtls_is_left_to_the_stack() {
        let shield = finished();
        let mut cut = datagram(&[(HANDSHAKE, 0)]);
        cut.pop();
        for other in [&[][..], &[HANDSHAKE], &cut, &[0, 1, 0, 0], &[128; 40]] {
            assert!(!shield.repeats(other), "{other:?}");
        }
    }

    #[test]
    fn of_datagrams_received_together_only_the_repeated_ones_go() {
        let (repeated, sound) = (datagram(&[(HANDSHAKE, 0)]), [128; HEADER + 14]);
        let mut received = [&sound[..], &repeated, &sound, &repeated[..]].concat();
        let left = finished().sift(&mut received, sound.len());
        assert_eq!(received[..left], [sound, sound].concat());
        let mut alone = repeated;
        let stride = alone.len();
        assert_eq!(finished().sift(&mut alone, stride), 0);
        assert_eq!(finished().sift(&mut [], 0), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>, stride in 0usize..70) {
            let message = numbered(&[(HANDSHAKE, 0, 1)]);
            for begin in [&[][..], &message[..HEADER], &message[..HEADER + MESSAGE_HEADER], &message] {
                let datagram = [begin, &bytes].concat();
                for shield in [Shield::default(), finished()] {
                    shield.repeats(&datagram);
                    shield.sent(&datagram);
                    let left = shield.sift(&mut datagram.clone(), stride);
                    prop_assert!(left <= datagram.len());
                }
            }
        }
    }
}
