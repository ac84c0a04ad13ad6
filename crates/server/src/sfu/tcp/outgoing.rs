//! What waits for those who came by TCP. Pure: the worker writes it, and says what went.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::net::Protocol;

use super::framing;
use crate::sfu::address::Place;

/// Bytes that may wait for one connection: a second of a meeting. What does not fit is dropped, as a full
/// router would; the sender notices by the reports and sends less.
const MOST: usize = 512 << 10;
/// Who has not read half of that after so long is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last words to somebody may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The streams out of one worker, by the far end.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    streams: HashMap<SocketAddr, Stream>,
    /// Those with something new.
    ready: Vec<SocketAddr>,
}

#[derive(Debug, Default)]
struct Stream {
    bytes: VecDeque<u8>,
    /// It is among those with something new.
    ready: bool,
    /// Since when there is no room.
    full: Option<Instant>,
    /// When it is closed, whatever still waits.
    ends: Option<Instant>,
}

impl Outgoing {
    /// A connection is there.
    pub(crate) fn open(&mut self, to: SocketAddr) {
        self.streams.insert(to, Stream::default());
    }

    /// A connection is gone, and with it what waited.
    pub(crate) fn close(&mut self, to: SocketAddr) {
        self.streams.remove(&to);
    }

    /// Nobody speaks that way any more: a connection is closed once everything has been said.
    pub(crate) fn end(&mut self, place: Place, now: Instant) {
        if let (Protocol::Tcp, to) = place
            && let Some(stream) = self.streams.get_mut(&to)
        {
            stream.ends.get_or_insert(now + LAST_WORDS);
        }
    }

    /// Takes a copy of one datagram, whole or not at all.
    pub(crate) fn push(&mut self, to: SocketAddr, datagram: &[u8], now: Instant) {
        let (Some(stream), Some(head)) = (self.streams.get_mut(&to), framing::head(datagram)) else { return };
        if stream.bytes.len() + head.len() + datagram.len() > MOST {
            stream.full.get_or_insert(now);
            return;
        }
        stream.bytes.extend(head);
        stream.bytes.extend(datagram);
        if !std::mem::replace(&mut stream.ready, true) {
            self.ready.push(to);
        }
    }

    /// Those for whom something new waits, each once.
    pub(crate) fn take_ready(&mut self) -> Vec<SocketAddr> {
        let ready = std::mem::take(&mut self.ready);
        for to in &ready {
            if let Some(stream) = self.streams.get_mut(to) {
                stream.ready = false;
            }
        }
        ready
    }

    /// The next bytes for somebody, empty when none wait.
    pub(crate) fn next(&self, to: SocketAddr) -> &[u8] {
        self.streams.get(&to).map_or(&[][..], |stream| stream.bytes.as_slices().0)
    }

    /// So many of them were written.
    pub(crate) fn wrote(&mut self, to: SocketAddr, count: usize) {
        let Some(stream) = self.streams.get_mut(&to) else { return };
        stream.bytes.drain(..count.min(stream.bytes.len()));
        if stream.bytes.len() <= MOST / 2 {
            stream.full = None;
        }
    }

    /// Whether a connection is to be closed from here: who reads too slowly, and who was told everything.
    pub(crate) fn is_over(&self, to: SocketAddr, now: Instant) -> bool {
        let Some(stream) = self.streams.get(&to) else { return true };
        let slow = stream.full.is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE);
        slow || stream.ends.is_some_and(|end| now >= end || stream.bytes.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn waiting(outgoing: &mut Outgoing, to: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !outgoing.next(to).is_empty() {
            let part = outgoing.next(to).to_vec();
            outgoing.wrote(to, part.len());
            bytes.extend(part);
        }
        bytes
    }

    #[test]
    fn datagrams_leave_framed_and_in_order_for_those_who_are_there() {
        let (mut outgoing, now) = (Outgoing::default(), Instant::now());
        outgoing.open(peer(1));
        outgoing.push(peer(1), b"ab", now);
        outgoing.push(peer(1), b"c", now);
        outgoing.push(peer(2), b"nobody", now);
        assert_eq!(outgoing.take_ready(), [peer(1)]);
        assert_eq!(outgoing.take_ready(), []);
        assert_eq!(waiting(&mut outgoing, peer(1)), b"\0\x02ab\0\x01c");
    }

    #[test]
    fn what_does_not_fit_is_dropped_whole_and_who_does_not_read_is_closed() {
        let (mut outgoing, start) = (Outgoing::default(), Instant::now());
        outgoing.open(peer(1));
        let datagram = [5; 1000];
        for _ in 0..1000 {
            outgoing.push(peer(1), &datagram, start);
        }
        let held = outgoing.streams[&peer(1)].bytes.len();
        assert!(held <= MOST && held.is_multiple_of(1002), "{held}");
        assert!(!outgoing.is_over(peer(1), start + PATIENCE - Duration::from_millis(1)));
        assert!(outgoing.is_over(peer(1), start + PATIENCE));
        outgoing.wrote(peer(1), held - MOST / 2);
        assert!(!outgoing.is_over(peer(1), start + PATIENCE), "it reads again");
    }

    #[test]
    fn who_is_out_still_gets_the_last_words_for_a_moment() {
        let (mut outgoing, now) = (Outgoing::default(), Instant::now());
        outgoing.open(peer(1));
        outgoing.push(peer(1), b"bye", now);
        outgoing.end((Protocol::Udp, peer(1)), now);
        assert!(!outgoing.is_over(peer(1), now + LAST_WORDS), "another way of theirs");
        outgoing.end((Protocol::Tcp, peer(1)), now);
        assert!(!outgoing.is_over(peer(1), now));
        assert!(outgoing.is_over(peer(1), now + LAST_WORDS));
        waiting(&mut outgoing, peer(1));
        assert!(outgoing.is_over(peer(1), now));
        assert!(outgoing.is_over(peer(2), now), "never seen");
    }
}
