//! Which addresses of ours clients are told, and which one a datagram belongs to.

use std::net::{IpAddr, SocketAddr};

/// The candidates of one worker's socket.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    candidates: Vec<SocketAddr>,
    /// The candidates are addresses of this machine, so datagrams can leave from them.
    own: bool,
}

impl Addresses {
    /// `advertise` if there is any, else the bound address, else (bound to all) every address of
    /// this machine in `interfaces`, loopback only when there is nothing else.
    pub(crate) fn new(bound: SocketAddr, advertise: &[IpAddr], interfaces: &[IpAddr]) -> Addresses {
        let with_port = |ip: &IpAddr| SocketAddr::new(*ip, bound.port());
        if !advertise.is_empty() {
            return Addresses { candidates: advertise.iter().map(with_port).collect(), own: false };
        }
        if !bound.ip().is_unspecified() {
            return Addresses { candidates: vec![bound], own: false };
        }
        let usable = |ip: &&IpAddr| match ip {
            IpAddr::V4(v4) => !v4.is_link_local(),
            IpAddr::V6(v6) => bound.is_ipv6() && !v6.is_unicast_link_local(),
        };
        let (loopback, real): (Vec<IpAddr>, Vec<IpAddr>) =
            interfaces.iter().filter(usable).partition(|ip| ip.is_loopback());
        let chosen = if real.is_empty() { loopback } else { real };
        Addresses { candidates: chosen.iter().map(with_port).collect(), own: true }
    }

    /// The addresses for candidates.
    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// The candidate that a datagram sent to `destination` was meant for.
    pub(crate) fn local(&self, destination: Option<IpAddr>, source: SocketAddr) -> SocketAddr {
        let exact = |candidate: &&SocketAddr| Some(candidate.ip()) == destination;
        let family = |candidate: &&SocketAddr| candidate.is_ipv4() == source.is_ipv4();
        let candidates = &self.candidates;
        let found = candidates.iter().find(exact).or_else(|| candidates.iter().find(family));
        found.or(candidates.first()).copied().unwrap_or(source)
    }

    /// The address a datagram of the candidate `local` leaves from; `None` lets the system choose.
    pub(crate) fn source(&self, local: SocketAddr) -> Option<IpAddr> {
        self.own.then_some(local.ip())
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

    use super::Addresses;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn advertised_addresses_come_first_then_the_bound_one_then_the_machines_own() {
        let machine = [ip("127.0.0.1"), ip("192.168.1.5"), ip("fe80::1"), ip("169.254.1.1")];
        let all = socket("0.0.0.0:7881");
        let named = Addresses::new(all, &[ip("203.0.113.9")], &machine);
        assert_eq!(named.candidates(), [socket("203.0.113.9:7881")]);
        assert_eq!(named.source(named.candidates()[0]), None);
        let bound = Addresses::new(socket("10.0.0.1:7881"), &[], &machine);
        assert_eq!(bound.candidates(), [socket("10.0.0.1:7881")]);
        let every = Addresses::new(all, &[], &machine);
        assert_eq!(every.candidates(), [socket("192.168.1.5:7881")]);
        let alone = Addresses::new(all, &[], &machine[..1]);
        assert_eq!(alone.candidates(), [socket("127.0.0.1:7881")]);
    }

    #[test]
    fn a_datagram_through_a_translator_belongs_to_the_advertised_candidate() {
        let named = Addresses::new(socket("0.0.0.0:1"), &[ip("203.0.113.9")], &[]);
        let local = named.local(Some(ip("10.0.0.7")), socket("198.51.100.1:5000"));
        assert_eq!(local, socket("203.0.113.9:1"));
    }
}
