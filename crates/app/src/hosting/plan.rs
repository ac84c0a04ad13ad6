//! What has to be opened and closed so that others reach this computer where it is. Pure.

use std::net::{IpAddr, SocketAddr};

/// What to do next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Open doors at addresses that are gone.
    pub(super) close: Vec<SocketAddr>,
    /// Addresses that want a door.
    pub(super) open: Vec<IpAddr>,
}

/// Compares the doors that are open with the addresses that are present. Where a port is asked for,
/// doors on other ports do not count.
pub(super) fn plan(open: &[SocketAddr], present: &[IpAddr], asked: Option<u16>) -> Plan {
    let counts =
        |ip: IpAddr| open.iter().any(|door| door.ip() == ip && asked.is_none_or(|port| port == door.port()));
    Plan {
        close: open.iter().filter(|door| !present.contains(&door.ip())).copied().collect(),
        open: present.iter().filter(|ip| !counts(**ip)).copied().collect(),
    }
}

/// Puts doors into the order of the addresses.
pub(super) fn arrange(open: &mut [SocketAddr], present: &[IpAddr]) {
    open.sort_by_key(|door| present.iter().position(|ip| *ip == door.ip()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn door(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_new_is_opened_and_what_is_gone_is_closed() {
        let open = [door("192.168.1.5:7880"), door("[fd00::2]:40000")];
        let present = [ip("10.0.0.2"), ip("fd00::2")];
        let wanted = Plan { close: vec![open[0]], open: vec![present[0]] };
        assert_eq!(plan(&open, &present, None), wanted);
        assert_eq!(plan(&open[1..], &present[1..], None), Plan::default(), "nothing is to be done");
        let asked = Plan { close: Vec::new(), open: vec![present[1]] };
        assert_eq!(plan(&open[1..], &present[1..], Some(7880)), asked, "on that port only");
    }

    #[test]
    fn doors_stand_in_the_order_of_the_addresses() {
        let mut open = [door("[fd00::2]:7880"), door("10.0.0.2:7880"), door("192.168.1.5:40000")];
        arrange(&mut open, &[ip("192.168.1.5"), ip("10.0.0.2"), ip("fd00::2")]);
        assert_eq!(open, [door("192.168.1.5:40000"), door("10.0.0.2:7880"), door("[fd00::2]:7880")]);
    }
}
