//! Which addresses of ours clients are told, and which one a datagram belongs to.

use std::net::{IpAddr, SocketAddr};

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};

use crate::engine::{MediaPort, Translated};

/// The candidates of one worker: those of its socket, and of sockets that were added to it later.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    sockets: Vec<Socket>,
    outside: Vec<Place>,
}

/// An address and what is spoken there.
pub(crate) type Place = (Protocol, SocketAddr);

/// Where one of the worker's sockets listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) address: SocketAddr,
    /// It takes connections at the same port too.
    pub(crate) tcp: bool,
}

/// The candidates of one socket.
#[derive(Debug, Clone)]
struct Socket {
    candidates: Vec<SocketAddr>,
    /// The candidates are addresses of this machine, so datagrams can leave from them.
    own: bool,
    tcp: bool,
}

/// Where something came from, and by which of the worker's sockets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Came {
    pub(crate) socket: usize,
    pub(crate) source: Place,
    /// The address of ours that it was sent to, where the system tells.
    pub(crate) destination: Option<IpAddr>,
}

/// The way out of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Out {
    /// Which of the worker's sockets.
    pub(crate) socket: usize,
    /// The address to leave from; `None` lets the system choose.
    pub(crate) from: Option<IpAddr>,
}

impl Addresses {
    /// `advertise` if there is any, else the bound address, else (bound to all) every address of
    /// this machine in `interfaces`, loopback only when there is nothing else.
    pub(crate) fn new(bound: Bound, advertise: &[IpAddr], interfaces: &[IpAddr]) -> Addresses {
        let Bound { address: bound, tcp } = bound;
        let with_port = |ip: &IpAddr| SocketAddr::new(*ip, bound.port());
        let one = |candidates, own| Addresses {
            sockets: vec![Socket { candidates, own, tcp }],
            outside: Vec::new(),
        };
        if !advertise.is_empty() {
            return one(advertise.iter().map(with_port).collect(), false);
        }
        if !bound.ip().is_unspecified() {
            return one(vec![bound], false);
        }
        let usable = |ip: &&IpAddr| match ip {
            IpAddr::V4(v4) => !v4.is_link_local(),
            IpAddr::V6(v6) => bound.is_ipv6() && !v6.is_unicast_link_local(),
        };
        let (loopback, real): (Vec<IpAddr>, Vec<IpAddr>) =
            interfaces.iter().filter(usable).partition(|ip| ip.is_loopback());
        let chosen = if real.is_empty() { loopback } else { real };
        one(chosen.iter().map(with_port).collect(), true)
    }

    /// One more socket, bound to one address.
    pub(crate) fn add(&mut self, bound: Bound) {
        self.sockets.push(Socket { candidates: vec![bound.address], own: false, tcp: bound.tcp });
    }

    /// Where a translator lets people in from outside, of which those count that lead here. What comes in
    /// there belongs to the socket that it leads to, which has candidates of its own.
    pub(crate) fn set_outside(&mut self, ports: &[Translated]) {
        let ours: Vec<MediaPort> = self.ports().collect();
        let here = ports.iter().filter(|port| ours.contains(&port.local));
        let protocol = |tcp| if tcp { Protocol::Tcp } else { Protocol::Udp };
        self.outside = here.map(|port| (protocol(port.local.tcp), port.outside)).collect();
    }

    /// Where this worker's sockets are reached without a translator.
    pub(crate) fn ports(&self) -> impl Iterator<Item = MediaPort> {
        let own = self.places().take(self.places().count() - self.outside.len());
        own.map(|(protocol, address)| MediaPort { tcp: protocol == Protocol::Tcp, address })
    }

    /// What clients are told, one candidate for each way in. Those for TCP come after those for UDP,
    /// by their priority too: what is lost there holds up all that follows.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.places().filter_map(|place| match place {
            (Protocol::Tcp, at) => Candidate::builder().tcp().host(at).tcptype(TcpType::Passive).build().ok(),
            (_, at) => Candidate::host(at, Protocol::Udp).ok(),
        })
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let of = |socket: &Socket, protocol| {
            socket.candidates.iter().map(|at| (protocol, *at)).collect::<Vec<_>>()
        };
        let udp = self.sockets.iter().flat_map(move |socket| of(socket, Protocol::Udp));
        let tcp = self.sockets.iter().filter(|socket| socket.tcp);
        let tcp = tcp.flat_map(move |socket| of(socket, Protocol::Tcp));
        udp.chain(tcp).chain(self.outside.iter().copied())
    }

    /// The candidate that something was meant for.
    pub(crate) fn local(&self, came: &Came) -> SocketAddr {
        let Came { socket, source: (_, source), destination } = *came;
        let exact = |candidate: &&SocketAddr| Some(candidate.ip()) == destination;
        let family = |candidate: &&SocketAddr| candidate.is_ipv4() == source.is_ipv4();
        let candidates = self.sockets.get(socket).map_or(&[][..], |socket| &socket.candidates);
        let found = candidates.iter().find(exact).or_else(|| candidates.iter().find(family));
        found.or(candidates.first()).copied().unwrap_or(source)
    }

    /// How a datagram of the candidate `local` leaves.
    pub(crate) fn out(&self, local: SocketAddr) -> Out {
        let socket = self.sockets.iter().position(|socket| socket.candidates.contains(&local)).unwrap_or(0);
        let own = self.sockets.get(socket).is_some_and(|socket| socket.own);
        Out { socket, from: own.then_some(local.ip()) }
    }
}

/// The addresses of this machine's interfaces; empty when the system does not tell.
pub(crate) fn interfaces() -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found.into_iter().map(|interface| interface.ip()).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use str0m::net::Protocol;

    use super::{Addresses, Bound, Came, Out};
    use crate::engine::{MediaPort, Translated};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn udp(text: &str) -> Bound {
        Bound { address: socket(text), tcp: false }
    }

    fn came(index: usize, destination: Option<IpAddr>, source: &str) -> Came {
        Came { socket: index, source: (Protocol::Udp, socket(source)), destination }
    }

    fn candidates(addresses: &Addresses) -> Vec<SocketAddr> {
        addresses.candidates().map(|candidate| candidate.addr()).collect()
    }

    #[test]
    fn advertised_addresses_come_first_then_the_bound_one_then_the_machines_own() {
        let machine = [ip("127.0.0.1"), ip("192.168.1.5"), ip("fe80::1"), ip("169.254.1.1")];
        let all = udp("0.0.0.0:7881");
        let named = Addresses::new(all, &[ip("203.0.113.9")], &machine);
        assert_eq!(candidates(&named), [socket("203.0.113.9:7881")]);
        assert_eq!(named.out(socket("203.0.113.9:7881")), Out { socket: 0, from: None });
        let bound = Addresses::new(udp("10.0.0.1:7881"), &[], &machine);
        assert_eq!(candidates(&bound), [socket("10.0.0.1:7881")]);
        let every = Addresses::new(all, &[], &machine);
        assert_eq!(candidates(&every), [socket("192.168.1.5:7881")]);
        let leaves = every.out(socket("192.168.1.5:7881"));
        assert_eq!(leaves, Out { socket: 0, from: Some(ip("192.168.1.5")) });
        let alone = Addresses::new(all, &[], &machine[..1]);
        assert_eq!(candidates(&alone), [socket("127.0.0.1:7881")]);
    }

    #[test]
    fn a_datagram_through_a_translator_belongs_to_the_advertised_candidate() {
        let named = Addresses::new(udp("0.0.0.0:1"), &[ip("203.0.113.9")], &[]);
        let local = named.local(&came(0, Some(ip("10.0.0.7")), "198.51.100.1:5000"));
        assert_eq!(local, socket("203.0.113.9:1"));
    }

    #[test]
    fn what_comes_in_by_an_added_socket_leaves_by_it() {
        let mut both = Addresses::new(udp("127.0.0.1:7881"), &[], &[]);
        both.add(udp("192.168.1.5:7881"));
        assert_eq!(candidates(&both), [socket("127.0.0.1:7881"), socket("192.168.1.5:7881")]);
        let local = both.local(&came(1, None, "192.168.1.9:5000"));
        assert_eq!(local, socket("192.168.1.5:7881"));
        assert_eq!(both.out(local), Out { socket: 1, from: None });
        assert_eq!(both.out(socket("127.0.0.1:7881")).socket, 0);
    }

    #[test]
    fn connections_are_offered_last_and_so_is_the_way_in_from_outside() {
        let mut both = Addresses::new(Bound { address: socket("127.0.0.1:7881"), tcp: true }, &[], &[]);
        both.add(udp("192.168.1.5:7881"));
        let leads = |local: &str, port: u16| Translated {
            local: MediaPort { tcp: false, address: socket(local) },
            outside: SocketAddr::new(ip("203.0.113.9"), port),
        };
        both.set_outside(&[leads("192.168.1.5:7881", 40_000), leads("192.168.1.5:7882", 40_001)]);
        let lines: Vec<String> = both.candidates().map(|candidate| candidate.to_sdp_string()).collect();
        let [near, added, tcp, outside] = &lines[..] else { panic!("{lines:?}") };
        assert!(near.contains(" udp ") && near.contains(" 127.0.0.1 7881 typ host"), "{near}");
        assert!(added.contains(" 192.168.1.5 7881 "), "{added}");
        assert!(tcp.contains(" tcp ") && tcp.contains(" 127.0.0.1 7881 typ host tcptype passive"), "{tcp}");
        assert!(outside.contains(" udp ") && outside.contains(" 203.0.113.9 40000 "), "{outside}");
        let priorities: Vec<u32> = both.candidates().map(|candidate| candidate.prio()).collect();
        assert!(priorities[2] < priorities[0].min(priorities[1]), "{priorities:?}");
        let local = both.local(&came(1, Some(ip("192.168.1.5")), "198.51.100.1:5000"));
        assert_eq!(local, socket("192.168.1.5:7881"), "what comes from outside comes in by a socket");
    }
}
