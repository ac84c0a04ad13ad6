//! The computers that were found, as many as anybody reads. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use ts_rs::TS;

use super::record::Record;

/// As many are kept: more than that are no computers of people in one network.
const MOST: usize = 32;
/// As many addresses of one are looked at.
const ADDRESSES: usize = 16;

/// A computer in the same network that lets others into its rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NearbyView {
    /// What it calls itself, one line of at most 40 characters. Nobody has checked it.
    pub name: String,
    /// Where it is, `host:port`.
    pub address: String,
    /// The same with the fingerprint of its certificate behind a `#`, for `enter_room`.
    pub server: String,
}

impl NearbyView {
    /// Whether it shows the certificate with that fingerprint.
    pub(super) fn is_of(&self, fingerprint: &str) -> bool {
        self.server.rsplit_once('#').is_some_and(|(_, shown)| shown == fingerprint)
    }
}

/// Who was found, by their names in the network.
#[derive(Debug, Default)]
pub(super) struct List(BTreeMap<String, NearbyView>);

impl List {
    /// Somebody was found, or tells something else than before. Without an address that others can use
    /// nobody is there.
    pub(super) fn found(&mut self, id: String, record: &Record, addresses: &[IpAddr], port: u16) {
        let Some(ip) = best(addresses).filter(|_| port != 0) else {
            self.0.remove(&id);
            return;
        };
        if self.0.len() >= MOST && !self.0.contains_key(&id) {
            return;
        }
        let address = SocketAddr::new(ip, port).to_string();
        let server = format!("{address}#{}", record.fingerprint);
        self.0.insert(id, NearbyView { name: record.name.clone(), address, server });
    }

    /// Somebody is gone.
    pub(super) fn lost(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// The names of all in the network.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// In the order of their names; a server that is told twice counts once.
    pub(super) fn view(&self) -> Vec<NearbyView> {
        let mut view: Vec<NearbyView> = self.0.values().cloned().collect();
        view.sort_by(|one, other| (&one.name, &one.server).cmp(&(&other.name, &other.server)));
        view.dedup_by(|one, other| one.server == other.server);
        view
    }
}

/// The address that is tried: IPv4 first. Those that mean this computer, nobody, or something only beside
/// an interface's name are passed over.
fn best(addresses: &[IpAddr]) -> Option<IpAddr> {
    let mut usable: Vec<IpAddr> = addresses.iter().take(ADDRESSES).copied().filter(is_usable).collect();
    usable.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    usable.first().copied()
}

fn is_usable(ip: &IpAddr) -> bool {
    let linked = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !(linked || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Fingerprint, Trust, server_address};

    use super::*;

    fn record(name: &str, mark: u8) -> Record {
        Record { name: name.to_owned(), fingerprint: Fingerprint([mark; 32]), app: 7 }
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn who_is_found_can_be_entered_and_is_held_to_the_certificate() {
        let mut list = List::default();
        list.found("b".into(), &record("Bo", 2), &ips(&["fd00::2", "192.168.1.9"]), 7880);
        list.found("a".into(), &record("Ada", 1), &ips(&["fd00::3"]), 40_000);
        let view = list.view();
        assert_eq!(view.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Ada", "Bo"]);
        assert_eq!(
            (view[0].address.as_str(), view[1].address.as_str()),
            ("[fd00::3]:40000", "192.168.1.9:7880")
        );
        let address = server_address(Some(&view[1].server)).unwrap();
        assert_eq!(address.trust, Trust::Certificate(Fingerprint([2; 32])));
        assert!(view[1].is_of(&Fingerprint([2; 32]).to_string()) && !view[1].is_of(""));
    }

    #[test]
    fn who_is_gone_or_cannot_be_reached_is_not_shown() {
        let mut list = List::default();
        list.found("a".into(), &record("Ada", 1), &ips(&["192.168.1.9"]), 7880);
        list.lost("a");
        assert!(list.view().is_empty());
        list.found("a".into(), &record("Ada", 1), &ips(&["192.168.1.9"]), 7880);
        let nowhere = ips(&["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "0.0.0.0", "224.0.0.251"]);
        list.found("a".into(), &record("Ada", 1), &nowhere, 7880);
        assert!(list.view().is_empty(), "it moved where nobody reaches it");
        list.found("a".into(), &record("Ada", 1), &ips(&["192.168.1.9"]), 0);
        assert!(list.view().is_empty());
    }

    #[test]
    fn a_network_full_of_names_costs_no_more_than_a_page_of_them() {
        let mut list = List::default();
        for number in 0..1000 {
            let ip = ips(&[&format!("10.0.{}.{}", number / 250, number % 250 + 1)]);
            list.found(format!("{number:04}"), &record("x", 1), &ip, 7880);
        }
        assert_eq!((list.view().len(), list.ids().count()), (MOST, MOST));
        list.found("0000".into(), &record("renamed", 1), &ips(&["10.9.9.9"]), 7880);
        assert!(list.view().iter().any(|one| one.name == "renamed"), "who is known may change");
    }

    #[test]
    fn a_server_that_is_told_by_two_names_is_shown_once() {
        let mut list = List::default();
        for id in ["a", "b"] {
            list.found(id.into(), &record("Ada", 1), &ips(&["192.168.1.9"]), 7880);
        }
        assert_eq!(list.view().len(), 1);
    }
}
