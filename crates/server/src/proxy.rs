//! Who asks, where proxies stand between: their word counts where the configuration names them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;

/// What each proxy adds the address to that it was asked from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How the proxy was asked, `https` or `http`.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or a single one. An IPv4 address that is written
/// as IPv6 is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    /// Leading bits that count.
    bits: u32,
}

/// A text that is no network. The operator has to write it in another way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as 127.0.0.1, or a network such as 10.0.0.0/8")]
pub struct NetworkError;

impl Network {
    /// Whether an address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let cut = u32::BITS.saturating_sub(self.bits);
                own.to_bits().checked_shr(cut) == other.to_bits().checked_shr(cut)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let cut = u128::BITS.saturating_sub(self.bits);
                own.to_bits().checked_shr(cut) == other.to_bits().checked_shr(cut)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let most = if address.is_ipv4() { u32::BITS } else { u128::BITS };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NetworkError)?;
        if bits > most {
            return Err(NetworkError);
        }
        let canonical = address.to_canonical();
        if address.is_ipv6() && canonical.is_ipv4() {
            let within = bits.checked_sub(u128::BITS - u32::BITS).ok_or(NetworkError)?;
            return Ok(Network { address: canonical, bits: within });
        }
        Ok(Network { address, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Network, NetworkError> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The client's address, never an IPv4 one written as IPv6.
    pub(crate) address: IpAddr,
    /// Whether what the client sends is encrypted.
    pub(crate) encrypted: bool,
}

impl Caller {
    /// Who asks by a connection from `peer`. What the request says of it counts as far as proxies say it.
    pub(crate) fn of(peer: IpAddr, encrypted: bool, headers: &HeaderMap, proxies: &[Network]) -> Caller {
        let is_proxy = |address| proxies.iter().any(|network| network.contains(address));
        let peer = peer.to_canonical();
        if !is_proxy(peer) {
            return Caller { address: peer, encrypted };
        }
        let mut address = peer;
        for said in last_first(headers, &FORWARDED_FOR) {
            // What stands before a text that is no address was said by nobody that is known.
            let Some(next) = address_in(said) else { break };
            address = next;
            if !is_proxy(address) {
                break;
            }
        }
        let https =
            last_first(headers, &FORWARDED_PROTO).next().map(|said| said.eq_ignore_ascii_case("https"));
        Caller { address, encrypted: https.unwrap_or(encrypted) }
    }
}

/// The items of a header that is a list and may stand in a request several times, the last one first.
fn last_first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().rev().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.rsplit(',').map(str::trim))
}

/// An address with or without a port.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok();
    let address: Option<IpAddr> = bare().or_else(|| text.parse::<SocketAddr>().ok().map(|found| found.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
            ("10.9.9.9/8", "10.0.0.1", "9.9.9.9"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("::ffff:127.0.0.1", "127.0.0.1", "::1"),
        ] {
            assert!(network(text).contains(ip(inside)), "{inside} in {text}");
            assert!(!network(text).contains(ip(outside)), "{outside} not in {text}");
        }
        assert!(network("0.0.0.0/0").contains(ip("8.8.8.8")) && !network("0.0.0.0/0").contains(ip("::1")));
        assert!(network("::/0").contains(ip("2001:db8::1")) && !network("::/0").contains(ip("8.8.8.8")));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for odd in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "/8", "10.0.0/8", "::1/129"] {
            assert!(odd.parse::<Network>().is_err(), "{odd}");
        }
        assert!("::ffff:10.0.0.0/8".parse::<Network>().is_err(), "it would hold all of IPv4 and more");
    }

    /// Who asks by a connection in clear text.
    fn caller(peer: &str, proxies: &[&str], lines: &[(&'static str, &str)]) -> (String, bool) {
        let proxies: Vec<Network> = proxies.iter().map(|text| network(text)).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let caller = Caller::of(ip(peer), false, &headers, &proxies);
        (caller.address.to_string(), caller.encrypted)
    }

    #[test]
    fn nobody_but_a_proxy_says_where_a_request_came_from() {
        let lied = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
        assert_eq!(caller("198.51.100.7", &[], &lied), ("198.51.100.7".to_owned(), false));
        assert_eq!(caller("198.51.100.7", &["10.0.0.0/8"], &lied), ("198.51.100.7".to_owned(), false));
        assert_eq!(caller("10.0.0.1", &["10.0.0.0/8"], &lied), ("192.0.2.1".to_owned(), true));
        assert_eq!(caller("::ffff:10.0.0.1", &["10.0.0.0/8"], &lied), ("192.0.2.1".to_owned(), true));
    }

    #[test]
    fn the_client_is_the_last_one_in_the_list_that_is_no_proxy() {
        let proxies = ["10.0.0.0/8", "127.0.0.1"];
        let client = |list: &[(&'static str, &str)]| caller("127.0.0.1", &proxies, list).0;
        let one = |list: &str| client(&[("x-forwarded-for", list)]);
        assert_eq!(one("6.6.6.6, 192.0.2.1, 10.0.0.2"), "192.0.2.1", "what the client claimed itself");
        assert_eq!(one("192.0.2.1,10.0.0.3,10.0.0.2"), "192.0.2.1");
        assert_eq!(one("10.0.0.3, 10.0.0.2"), "10.0.0.3", "all are proxies");
        assert_eq!(client(&[]), "127.0.0.1");
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1, 10.0.0.2")];
        assert_eq!(client(&lines), "192.0.2.1");
        assert_eq!(one("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2", "nobody known said what stands before");
        assert_eq!(one(""), "127.0.0.1");
        for (said, wanted) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(one(said), wanted);
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_the_client_encrypts() {
        let encrypted = |said: &str| caller("10.0.0.1", &["10.0.0.1"], &[("x-forwarded-proto", said)]).1;
        assert!(encrypted("https") && encrypted("http, HTTPS"));
        assert!(!encrypted("http") && !encrypted("https, http") && !encrypted("httpss"));
        let proxies = [network("10.0.0.1")];
        let headers = HeaderMap::from_iter([(FORWARDED_PROTO, "http".parse().unwrap())]);
        let through = |headers: &HeaderMap| Caller::of(ip("10.0.0.1"), true, headers, &proxies).encrypted;
        assert!(!through(&headers), "the proxy alone encrypts");
        assert!(through(&HeaderMap::new()), "it says nothing");
    }

    proptest! {
        #[test]
        fn any_list_leads_to_an_address_without_a_panic(
            list in "[ -~]{0,60}", near in "[0-9a-f:.,\\[\\] ]{0,60}", proto in "[ -~]{0,12}",
        ) {
            for list in [&list, &near] {
                let lines = [("x-forwarded-for", list.as_str()), ("x-forwarded-proto", proto.as_str())];
                let (address, _) = caller("127.0.0.1", &["127.0.0.0/8", "::/0"], &lines);
                prop_assert!(address.parse::<IpAddr>().is_ok());
            }
        }

        #[test]
        fn a_network_that_was_written_reads_back(address in any::<u32>(), bits in 0_u32..=32) {
            let network = Network { address: IpAddr::V4(address.into()), bits };
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            prop_assert!(network.contains(IpAddr::V4(address.into())));
        }
    }
}
