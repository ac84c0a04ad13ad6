//! A router that may speak PCP and NAT-PMP.

use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::Ordering;

use super::{Asked, By, Inside, LOOK};

/// What it says when it is asked for a port.
#[derive(Debug, Clone)]
pub(in super::super) enum Says {
    Nothing,
    /// That it speaks the other one.
    Version,
    /// The result with that number; 0 opens the port.
    Result(u8),
    /// Those packets, one to each question, and then what opens the port.
    First(VecDeque<Vec<u8>>),
}

/// How it speaks.
#[derive(Debug, Clone)]
pub(in super::super) struct Voice {
    pub(in super::super) outside: Ipv4Addr,
    pub(in super::super) pcp: Says,
    pub(in super::super) nat_pmp: Says,
    /// Longer leases are not given, seconds.
    pub(in super::super) lease: u32,
    /// As many ports may be open.
    pub(in super::super) room: usize,
}

impl Voice {
    /// One that speaks PCP only.
    pub(in super::super) fn pcp(outside: Ipv4Addr) -> Voice {
        Voice { outside, pcp: Says::Result(0), nat_pmp: Says::Version, lease: 7200, room: usize::MAX }
    }

    /// One that speaks NAT-PMP only.
    pub(in super::super) fn nat_pmp(outside: Ipv4Addr) -> Voice {
        Voice { pcp: Says::Version, nat_pmp: Says::Result(0), ..Voice::pcp(outside) }
    }
}

pub(in super::super) struct Gateway {
    pub(in super::super) address: Ipv4Addr,
    inside: Inside,
}

impl Gateway {
    pub(in super::super) fn start(voice: Voice) -> Gateway {
        // Routers listen at one port, so each has an address of its own.
        let (socket, address) = (0..100)
            .find_map(|_| {
                let [a, b] = rand::random();
                let address = Ipv4Addr::new(127, a | 1, b, 9);
                UdpSocket::bind((address, crab_nat::GATEWAY_PORT)).ok().zip(Some(address))
            })
            .unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let mut inside = Inside::default();
        inside.spawn(move |note, over| {
            let (mut router, mut question) = (Router { voice, open: BTreeSet::new() }, [0; 1100]);
            while !over.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut question) else { continue };
                if let Some(answer) = router.answer(&question[..count], note) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        Gateway { address, inside }
    }

    /// The port that it gives for one of ours.
    pub(in super::super) fn external(&self, internal: u16) -> u16 {
        external(internal)
    }

    pub(in super::super) fn asked(&self) -> Vec<Asked> {
        self.inside.asked()
    }

    pub(in super::super) fn until(&self, done: impl Fn(&[Asked]) -> bool) {
        self.inside.until(done);
    }
}

fn external(internal: u16) -> u16 {
    internal ^ 1
}

struct Router {
    voice: Voice,
    open: BTreeSet<(bool, u16)>,
}

impl Router {
    fn answer(&mut self, question: &[u8], note: &dyn Fn(Asked)) -> Option<Vec<u8>> {
        match question {
            [2, 1, _, _, rest @ ..] if rest.len() == 56 => self.by_pcp(rest, note),
            [0, 0] => self.address(),
            [0, kind @ 1..=2, _, _, rest @ ..] if rest.len() == 8 => self.by_nat_pmp(*kind, rest, note),
            other => panic!("{other:?} is no question"),
        }
    }

    fn by_pcp(&mut self, rest: &[u8], note: &dyn Fn(Asked)) -> Option<Vec<u8>> {
        let (lifetime, nonce, protocol) = (number(rest), &rest[20..32], rest[32]);
        let key = u16::from_be_bytes([rest[36], rest[37]]);
        let asked = Asked {
            by: By::Pcp,
            tcp: protocol == 6,
            key,
            nonce: nonce.try_into().unwrap(),
            close: lifetime == 0,
            granted: false,
        };
        let said = match &mut self.voice.pcp {
            Says::Nothing => None,
            Says::Version => Some(Err(vec![0, 129, 0, 1, 0, 0, 0, 9])),
            Says::Result(code) => Some(Ok(*code)),
            Says::First(packets) => Some(packets.pop_front().map_or(Ok(0), Err)),
        };
        let code = match said {
            Some(Ok(code)) => code,
            other => {
                note(asked);
                return other.and_then(Result::err);
            }
        };
        // NO_RESOURCES, where the room is full.
        let code = if code == 0 && !self.take(&asked) { 8 } else { code };
        note(Asked { granted: code == 0, ..asked });
        let lease = lifetime.min(self.voice.lease).to_be_bytes();
        let external = if asked.close { 0 } else { external(key) };
        let head = [&[2, 129, 0, code][..], &lease, &[0, 0, 0, 9], &[0; 12], nonce, &[protocol, 0, 0, 0]];
        let ports = [key.to_be_bytes(), external.to_be_bytes()].concat();
        Some([head.concat(), ports, self.voice.outside.to_ipv6_mapped().octets().to_vec()].concat())
    }

    fn address(&mut self) -> Option<Vec<u8>> {
        match &mut self.voice.nat_pmp {
            Says::Nothing => None,
            Says::Version => Some([&[2, 128, 0, 1][..], &[0; 20]].concat()),
            Says::Result(_) => Some([&[0, 128, 0, 0, 0, 0, 0, 9][..], &self.voice.outside.octets()].concat()),
            Says::First(packets) => packets.pop_front().or_else(|| {
                self.voice.nat_pmp = Says::Result(0);
                self.address()
            }),
        }
    }

    fn by_nat_pmp(&mut self, kind: u8, rest: &[u8], note: &dyn Fn(Asked)) -> Option<Vec<u8>> {
        let (key, lifetime) = (u16::from_be_bytes([rest[0], rest[1]]), number(&rest[4..]));
        let close = lifetime == 0;
        let asked = Asked { by: By::NatPmp, tcp: kind == 2, key, nonce: [0; 12], close, granted: false };
        let code = match &mut self.voice.nat_pmp {
            Says::Nothing | Says::Version => panic!("it has told no address"),
            Says::Result(code) => *code,
            Says::First(packets) => match packets.pop_front() {
                Some(packet) => {
                    note(asked);
                    return Some(packet);
                }
                None => 0,
            },
        };
        // Out of resources, where the room is full.
        let code = if code == 0 && !self.take(&asked) { 4 } else { code };
        note(Asked { granted: code == 0, ..asked });
        let external = if close { 0 } else { external(key) };
        let lease = lifetime.min(self.voice.lease).to_be_bytes();
        let head = [0, kind + 128, 0, code, 0, 0, 0, 9];
        Some([&head[..], &key.to_be_bytes(), &external.to_be_bytes(), &lease].concat())
    }

    /// Opens or closes a port where there is room.
    fn take(&mut self, asked: &Asked) -> bool {
        let port = (asked.tcp, asked.key);
        if asked.close {
            self.open.remove(&port);
        } else if self.open.contains(&port) || self.open.len() < self.voice.room {
            self.open.insert(port);
        } else {
            return false;
        }
        true
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}
