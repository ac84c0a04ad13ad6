//! Datagrams on their way out, sent in runs.
//!
//! A video frame to one subscriber is several packets of one size and a smaller last one: the
//! kernel takes such a run in one call (UDP segmentation offload) at a third of the price.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{Transmit, UdpSocketState};

use super::address::Out;
use super::tcp::outgoing::Outgoing;

/// Collected datagrams are sent when there are this many.
pub(crate) const FLUSH: usize = 64;
/// The largest run in bytes that a kernel takes.
const MAX_RUN: usize = 60_000;

/// Takes datagrams away.
pub(crate) trait Carrier: std::fmt::Debug + Send + Sync {
    /// Datagrams that one [`Carrier::send`] takes at most.
    fn longest_run(&self) -> usize;

    /// Takes one run; without room for it, it is lost.
    fn send(&self, run: &Transmit<'_>);
}

/// A UDP socket and what the platform can do with it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) socket: UdpSocket,
    pub(crate) state: UdpSocketState,
}

impl Carrier for Wire {
    fn longest_run(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn send(&self, run: &Transmit<'_>) {
        // What the kernel has no room for is dropped, as a full router would.
        let _ = self.state.try_send((&self.socket).into(), run);
    }
}

/// Datagrams that wait for [`Outbox::flush`], their bytes in one piece.
#[derive(Debug)]
pub(crate) struct Outbox {
    wires: Vec<Arc<dyn Carrier>>,
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// What goes to those who came by TCP.
    pub(crate) streams: Outgoing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    to: SocketAddr,
    by: Out,
    length: usize,
}

impl Outbox {
    pub(crate) fn new(carrier: Arc<dyn Carrier>) -> Outbox {
        Outbox {
            wires: vec![carrier],
            bytes: Vec::with_capacity(FLUSH * 1500),
            items: Vec::with_capacity(FLUSH),
            streams: Outgoing::default(),
        }
    }

    /// One more socket, counted on from the others.
    pub(crate) fn add(&mut self, wire: Arc<Wire>) {
        self.wires.push(wire);
    }

    /// Takes a copy of one datagram.
    pub(crate) fn push(&mut self, to: SocketAddr, by: Out, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.items.push(Item { to, by, length: datagram.len() });
        if self.items.len() >= FLUSH {
            self.flush();
        }
    }

    /// Sends everything.
    pub(crate) fn flush(&mut self) {
        let (mut first, mut start) = (0, 0);
        while let Some(item) = self.items.get(first).copied() {
            // A socket is added before anything leaves by it.
            let Some(wire) = self.wires.get(item.by.socket) else { break };
            let (count, length) = run(&self.items[first..], wire.longest_run());
            let transmit = Transmit {
                destination: item.to,
                ecn: None,
                contents: &self.bytes[start..start + length],
                segment_size: (count > 1).then_some(item.length),
                src_ip: item.by.from,
            };
            wire.send(&transmit);
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
        let alike = item.to == first.to && item.by == first.by && item.length <= first.length;
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
    use crate::sfu::address::Out;

    fn item(port: u16, length: usize) -> Item {
        Item { to: ([127, 0, 0, 1], port).into(), by: Out { socket: 0, from: None }, length }
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
