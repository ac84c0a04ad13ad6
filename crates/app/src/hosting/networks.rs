//! The addresses of this computer in its networks.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::outside::Routers;
use super::public::is_public;

/// How often the addresses are looked at while other computers may come in.
const EVERY: Duration = Duration::from_secs(3);

/// Where other computers may reach this one, as can be seen at any moment.
#[derive(Clone)]
pub(crate) struct Networks {
    look: Arc<dyn Fn() -> io::Result<Vec<IpAddr>> + Send + Sync>,
    pub(super) every: Duration,
    /// Whether these networks are told what is open here.
    pub(super) told: bool,
    /// Who may let people in from outside.
    pub(super) routers: Routers,
}

impl Networks {
    /// What the system tells.
    pub(crate) fn of_this_computer() -> Self {
        Self { told: true, ..Self::new(addresses, EVERY) }
    }

    /// What `look` tells, in the order in which others are told; it is asked that often. Nobody else
    /// hears of it.
    pub(crate) fn new(
        look: impl Fn() -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
        every: Duration,
    ) -> Self {
        Self { look: Arc::new(look), every, told: false, routers: Routers::of_this_computer() }
    }

    /// The same with routers that stand for those of the network.
    #[cfg(test)]
    pub(super) fn with_routers(self, routers: Routers) -> Self {
        Self { routers, ..self }
    }

    /// The addresses now. Asks the system.
    pub(crate) fn look(&self) -> io::Result<Vec<IpAddr>> {
        (self.look)()
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Networks").field("every", &self.every).finish_non_exhaustive()
    }
}

fn addresses() -> io::Result<Vec<IpAddr>> {
    let found = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip()).collect();
    // Addresses for documentation: routed like any other of the internet, and nobody's.
    let outward = [
        outward(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        outward(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    Ok(offered(found, &outward))
}

/// The address by which this computer reaches that one. No packet is sent for it.
fn outward(any: IpAddr, there: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((there, 9)).ok()?;
    socket.local_addr().ok().as_ref().map(SocketAddr::ip)
}

/// Those of a computer's addresses that others can use: IPv4 before IPv6, and of each the one by which
/// the computer reaches others first. Otherwise the order stays.
fn offered(found: Vec<IpAddr>, outward: &[Option<IpAddr>]) -> Vec<IpAddr> {
    let mut offered: Vec<IpAddr> = Vec::new();
    for ip in found {
        if is_reachable(ip) && !offered.contains(&ip) {
            offered.push(ip);
        }
    }
    offered.sort_by_key(|ip| (ip.is_ipv6(), !outward.contains(&Some(*ip))));
    offered
}

/// Whether other computers can use an address by its kind: in IPv6 the global and the unique local
/// ones. Link-local ones mean something only beside the name of an interface, which no address says.
fn is_reachable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unique_local() || is_public(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn ipv6_comes_after_ipv4_and_the_way_out_first_of_each() {
        let found = ips(&[
            "127.0.0.1",
            "::1",
            "fe80::1",
            "fd00::2",
            "172.17.0.1",
            "2001:db8::7",
            "2000::7",
            "192.168.1.5",
            "169.254.1.1",
            "fd00::2",
            "::ffff:10.0.0.1",
            "ff02::1",
        ]);
        let outward = [Some("192.168.1.5".parse().unwrap()), Some("2000::7".parse().unwrap())];
        let expected = ips(&["192.168.1.5", "172.17.0.1", "2000::7", "fd00::2"]);
        assert_eq!(offered(found.clone(), &outward), expected);
        let unknown = ips(&["172.17.0.1", "192.168.1.5", "fd00::2", "2000::7"]);
        assert_eq!(offered(found, &[None, None]), unknown);
    }
}
