//! The router between this computer and the internet, by whichever way it can be asked.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crab_nat::{PortMapping, TimeoutConfig};

use super::obstacle::Obstacle;
use super::{pcp, upnp};
use crate::hosting::public::is_public;

type Guess = dyn Fn(Ipv4Addr) -> Vec<Ipv4Addr> + Send + Sync;
type Reach = dyn Fn(SocketAddrV4) -> SocketAddrV4 + Send + Sync;

/// Where routers are looked for, and for how long.
#[derive(Clone)]
pub(crate) struct Routers {
    /// Who may speak PCP or NAT-PMP, of the network in which this computer has that address.
    pub(crate) gateways: Arc<Guess>,
    /// How long they are waited for.
    pub(crate) waits: TimeoutConfig,
    /// Where the search of UPnP goes.
    pub(crate) search: SocketAddrV4,
    /// How long it takes.
    pub(crate) searched: Duration,
    /// Who is taken for a router, though no router has such an address; nobody but in tests.
    pub(crate) trusted: Vec<IpAddr>,
    /// Which addresses the internet reaches, see [`is_public`]; more of them in tests.
    pub(crate) public: fn(Ipv4Addr) -> bool,
    /// Where an address outside is reached from here: at itself, but in tests.
    pub(crate) reach: Arc<Reach>,
}

impl Routers {
    /// Those of the networks of this computer.
    pub(crate) fn of_this_computer() -> Self {
        Self {
            gateways: Arc::new(gateways),
            waits: pcp::WAITS,
            search: upnp::SEARCH,
            searched: upnp::SEARCHED,
            trusted: Vec::new(),
            public: |ip| is_public(ip.into()),
            reach: Arc::new(|address| address),
        }
    }
}

impl std::fmt::Debug for Routers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routers").field("search", &self.search).finish_non_exhaustive()
    }
}

/// A port of this computer that is to be reached from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tcp: bool,
    pub(super) internal: NonZeroU16,
    /// The port outside that is best; the router may give another.
    pub(super) external: NonZeroU16,
}

/// A port of a router that leads here.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Where others reach it.
    pub(super) external: SocketAddrV4,
    /// How long the router keeps it open; `None` is for ever.
    pub(super) lease: Option<Duration>,
    pub(super) by: By,
}

/// What closes it again.
#[derive(Debug)]
pub(super) enum By {
    /// PCP or NAT-PMP.
    Pcp(PortMapping),
    Upnp {
        gateway: upnp::Gateway,
        tcp: bool,
    },
}

impl Mapping {
    /// Closes the port.
    pub(super) async fn close(self) {
        match self.by {
            By::Pcp(mapping) => pcp::close(mapping).await,
            By::Upnp { gateway, tcp } => gateway.close(tcp, self.external.port()).await,
        }
    }
}

/// A router that has answered.
#[derive(Debug, Clone)]
pub(super) enum Router {
    /// It speaks PCP or NAT-PMP.
    Pcp(pcp::Gateway),
    Upnp(upnp::Gateway),
}

impl Router {
    /// Opens a port, or keeps open what is held.
    pub(super) async fn open(&self, wanted: Wanted, held: Option<&Mapping>) -> Result<Mapping, Obstacle> {
        match (self, held.map(|held| &held.by)) {
            (Router::Pcp(gateway), Some(By::Pcp(held))) => gateway.open(wanted, Some(held)).await,
            (Router::Pcp(gateway), _) => gateway.open(wanted, None).await,
            (Router::Upnp(gateway), _) => gateway.open(wanted).await,
        }
    }
}

/// Who may be the router of the network in which this computer has that address.
fn gateways(local: Ipv4Addr) -> Vec<Ipv4Addr> {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let masks =
        if_addrs::get_if_addrs().unwrap_or_default().into_iter().filter_map(|found| match found.addr {
            if_addrs::IfAddr::V4(v4) if v4.ip == local => Some(v4.netmask),
            if_addrs::IfAddr::V4(_) | if_addrs::IfAddr::V6(_) => None,
        });
    guesses(local, &routes, masks)
}

/// What Linux's table of routes says, and the first and the last address of the network by its mask, one of
/// which nearly every router has. Who is none does not answer. In a network of the internet itself these are
/// strangers, who are left alone.
fn guesses(local: Ipv4Addr, routes: &str, masks: impl Iterator<Item = Ipv4Addr>) -> Vec<Ipv4Addr> {
    let mut guesses: Vec<Ipv4Addr> = routes.lines().filter_map(default_route).collect();
    for mask in masks.filter(|_| !is_public(local.into())) {
        let (ip, mask) = (u32::from(local), u32::from(mask));
        guesses.extend([(ip & mask) | 1, (ip | !mask) & !1].map(Ipv4Addr::from));
    }
    guesses.retain(|guess| *guess != local && !guess.is_unspecified());
    let mut seen = BTreeSet::new();
    guesses.retain(|guess| seen.insert(*guess));
    guesses
}

/// The gateway in a line of Linux's table of routes, where it is that of a default route.
fn default_route(line: &str) -> Option<Ipv4Addr> {
    let mut words = line.split_whitespace().skip(1);
    let (to, by) = (words.next()?, words.next()?);
    let number = u32::from_str_radix(by, 16).ok()?;
    (to == "00000000").then(|| Ipv4Addr::from(number.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_read_from_the_table_of_routes() {
        let bytes = u32::from_ne_bytes([192, 168, 1, 1]);
        let line = format!("eth0\t00000000\t{bytes:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0");
        assert_eq!(default_route(&line), Some(Ipv4Addr::new(192, 168, 1, 1)));
        for other in ["Iface Destination Gateway", "eth0 0001A8C0 00000000", "eth0", "", "eth0 00000000 xyz"]
        {
            assert_eq!(default_route(other), None, "{other}");
        }
    }

    #[test]
    fn the_ends_of_a_network_are_guessed_unless_strangers_have_them() {
        let ips = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Ipv4Addr>>();
        let guess = |local: &str, router: &str| {
            let [local, router] = [local, router].map(|text| text.parse::<Ipv4Addr>().unwrap());
            let number = u32::from_ne_bytes(router.octets());
            let routes = format!("Iface Destination Gateway\neth0 00000000 {number:08X}\n");
            guesses(local, &routes, [Ipv4Addr::new(255, 255, 255, 0)].into_iter())
        };
        assert_eq!(guess("192.168.1.20", "192.168.1.254"), ips(&["192.168.1.254", "192.168.1.1"]));
        assert_eq!(
            guess("192.168.1.20", "192.168.1.7"),
            ips(&["192.168.1.7", "192.168.1.1", "192.168.1.254"])
        );
        assert_eq!(guess("198.20.0.20", "198.20.0.7"), ips(&["198.20.0.7"]));
    }
}
