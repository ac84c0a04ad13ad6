//! Datagrams on their way out, sent in runs.
//!
//! A video frame to one subscriber is several packets of one size and a smaller last one: the
//! kernel takes such a run in one call (UDP segmentation offload) at a third of the price.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{Transmit, UdpSocketState};

/// Collected datagrams are sent when there are this many.
pub(crate) const FLUSH: usize = 64;
/// The largest run in bytes that a kernel takes.
const MAX_RUN: usize = 60_000;

/// A UDP socket and what the platform can do with it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) socket: UdpSocket,
    pub(crate) state: UdpSocketState,
}

/// Datagrams that wait for [`Outbox::flush`], their bytes in one piece.
#[derive(Debug)]
pub(crate) struct Outbox {
    wire: Arc<Wire>,
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// Datagrams the kernel did not take, for the log.
    pub(crate) dropped: u64,
    /// Datagrams sent.
    pub(crate) sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    to: SocketAddr,
    from: Option<IpAddr>,
    length: usize,
}

impl Outbox {
    pub(crate) fn new(wire: Arc<Wire>) -> Outbox {
        Outbox {
            wire,
            bytes: Vec::with_capacity(FLUSH * 1500),
            items: Vec::with_capacity(FLUSH),
            dropped: 0,
            sent: 0,
        }
    }

    /// Takes a copy of one datagram; `from` picks the address it leaves from.
    pub(crate) fn push(&mut self, to: SocketAddr, from: Option<IpAddr>, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.items.push(Item { to, from, length: datagram.len() });
        if self.items.len() >= FLUSH {
            self.flush();
        }
    }

    /// Sends everything. What the kernel has no room for is dropped, as a full router would.
    pub(crate) fn flush(&mut self) {
        let most = self.wire.state.max_gso_segments();
        let (mut first, mut start) = (0, 0);
        while first < self.items.len() {
            let (count, length) = run(&self.items[first..], most);
            let item = self.items[first];
            let transmit = Transmit {
                destination: item.to,
                ecn: None,
                contents: &self.bytes[start..start + length],
                segment_size: (count > 1).then_some(item.length),
                src_ip: item.from,
            };
            match self.wire.state.try_send((&self.wire.socket).into(), &transmit) {
                Ok(()) => self.sent += count as u64,
                Err(_) => self.dropped += count as u64,
            }
            first += count;
            start += length;
        }
        self.items.clear();
        self.bytes.clear();
    }
}

/// How many items from the front go out in one call, and their bytes together.
fn run(items: &[Item], most: usize) -> (usize, usize) {
    let Some(first) = items.first() else { return (0, 0) };
    let (mut count, mut length) = (1, first.length);
    for item in items.iter().skip(1) {
        let alike = item.to == first.to && item.from == first.from && item.length <= first.length;
        if !alike || item.length == 0 || count >= most || length + item.length > MAX_RUN {
            break;
        }
        count += 1;
        length += item.length;
        if item.length < first.length {
            break;
        }
    }
    (count, length)
}

#[cfg(test)]
mod tests {
    use super::{Item, run};

    fn item(port: u16, length: usize) -> Item {
        Item { to: ([127, 0, 0, 1], port).into(), from: None, length }
    }

    #[test]
    fn a_run_is_one_receiver_one_size_and_a_smaller_end() {
        let frame = [item(1, 1200), item(1, 1200), item(1, 300), item(1, 300), item(2, 300)];
        assert_eq!(run(&frame, 64), (3, 2700));
        assert_eq!(run(&frame[3..], 64), (1, 300));
        assert_eq!(run(&frame, 1), (1, 1200), "a platform without offload");
        assert_eq!(run(&[item(1, 100), item(1, 200)], 64), (1, 100), "a larger one starts anew");
        assert_eq!(run(&[item(1, 1200); 64], 64), (50, 60_000));
    }
}
