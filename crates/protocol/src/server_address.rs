//! What people type and paste to name a server, and how it proves to be that one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Code, Fault};

/// The server that is asked when none is named: the one on this computer.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7880";

/// Longest address of a server, bytes.
const LIMIT: usize = 512;

/// Longest host name and its port, bytes.
const AUTHORITY_LIMIT: usize = 253 + ":65535".len();

/// Port of a server named without scheme and port.
const DEFAULT_PORT: u16 = 7880;

/// The SHA-256 of a certificate in DER, as text in base64url without padding: 43 letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 43 letters, digits, - or _")]
pub struct FingerprintError;

impl Fingerprint {
    /// As certificates are compared everywhere: 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| FingerprintError)?;
        bytes.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

/// How a server shows that it is the one that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Not at all, and nothing is encrypted: written with `http://`, or on this computer.
    Plain,
    /// By a certificate that the system trusts: written with `https://`.
    Authorities,
    /// By this certificate and no other: the address has its fingerprint behind a `#`.
    Certificate(Fingerprint),
    /// Not at all; encrypted where the server can, which keeps out who only listens. What a person
    /// types from a screen.
    Whoever,
}

/// Where a server is and how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Host, perhaps a port and a path; no slash at the end.
    place: String,
    /// How it is recognised.
    pub trust: Trust,
}

impl ServerAddress {
    /// The base of all requests; `encrypted` decides where the address itself leaves it open.
    pub fn url(&self, encrypted: bool) -> String {
        let encrypted = match self.trust {
            Trust::Plain => false,
            Trust::Authorities | Trust::Certificate(_) => true,
            Trust::Whoever => encrypted,
        };
        format!("{}://{}", if encrypted { "https" } else { "http" }, self.place)
    }

    /// Host and port, for a connection.
    pub fn endpoint(&self) -> (&str, u16) {
        let authority = self.place.split('/').next().unwrap_or_default();
        let default = match self.trust {
            Trust::Plain => 80,
            Trust::Authorities => 443,
            Trust::Certificate(_) | Trust::Whoever => DEFAULT_PORT,
        };
        let (host, port) = split(authority).unwrap_or((authority, None));
        (host, port.unwrap_or(default))
    }
}

/// As a person reads it: without the fingerprint, and without a scheme where none was typed.
impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trust {
            Trust::Plain => write!(f, "http://{}", self.place),
            Trust::Authorities => write!(f, "https://{}", self.place),
            Trust::Certificate(_) | Trust::Whoever => f.write_str(&self.place),
        }
    }
}

/// Reads `host`, `host:port`, `host:port#fingerprint`, `http(s)://...` or `ws(s)://...`; the server
/// on this computer where nothing is given. What cannot be read is -2.
pub fn server_address(given: Option<&str>) -> Result<ServerAddress, Fault> {
    let given = given.map(str::trim).unwrap_or_default();
    let text = if given.trim_end_matches('/').is_empty() { DEFAULT_SERVER } else { given };
    let wrong = || cannot_be_read(given);
    if text.len() > LIMIT {
        return Err(wrong());
    }
    let (text, fingerprint) = match text.split_once('#') {
        Some((text, fingerprint)) => (text, Some(fingerprint)),
        None => (text, None),
    };
    let (scheme, rest) = match text.split_once("://") {
        Some(("http" | "ws", rest)) => (Scheme::Plain, rest),
        Some(("https" | "wss", rest)) => (Scheme::Encrypted, rest),
        Some(_) => return Err(wrong()),
        None => (Scheme::None, text),
    };
    let rest = rest.trim_end_matches('/');
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let printable = rest.chars().all(|c| c.is_ascii_graphic() && !"?#@\\\"<>".contains(c));
    if !printable || authority.len() > AUTHORITY_LIMIT {
        return Err(wrong());
    }
    let (host, port) = split(authority).ok_or_else(wrong)?;
    let fingerprint = fingerprint.map(str::parse).transpose().map_err(|error: FingerprintError| {
        invalid(format!("The server address ends in a fingerprint that cannot be read: {error}."))
    })?;
    let trust = match (scheme, fingerprint) {
        (Scheme::Plain, Some(_)) => {
            return Err(invalid("An address with http:// has no fingerprint; leave out http://.".to_owned()));
        }
        (Scheme::None | Scheme::Encrypted, Some(fingerprint)) => Trust::Certificate(fingerprint),
        (Scheme::Encrypted, None) => Trust::Authorities,
        (Scheme::Plain, None) => Trust::Plain,
        (Scheme::None, None) if is_this_computer(host) => Trust::Plain,
        (Scheme::None, None) => Trust::Whoever,
    };
    let place = match (scheme, port) {
        (Scheme::None, None) => format!("{authority}:{DEFAULT_PORT}{path}"),
        // Where the scheme goes without saying, its port does not.
        (Scheme::Encrypted, None) if fingerprint.is_some() => format!("{authority}:443{path}"),
        _ => rest.to_owned(),
    };
    Ok(ServerAddress { place, trust })
}

#[derive(Clone, Copy)]
enum Scheme {
    None,
    Plain,
    Encrypted,
}

fn invalid(message: String) -> Fault {
    Fault::new(Code::INVALID_PARAMETER).with_message(message)
}

fn cannot_be_read(given: &str) -> Fault {
    let shown: String = given.chars().take(80).collect();
    let more = if shown.len() < given.len() { "…" } else { "" };
    invalid(format!(
        "The server address \"{}{more}\" cannot be read; write it like 192.168.1.20:7880.",
        shown.escape_debug()
    ))
}

fn is_this_computer(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The halves of `host`, `host:port` or `[v6]:port`; None when it is none of these. The host keeps
/// its brackets.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (address, after) = bracketed.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
            (authority.get(..address.len() + 2)?, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return None;
    }
    match port {
        None => Some((host, None)),
        Some(port) => port.parse().ok().filter(|port| *port != 0).map(|port| (host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> ServerAddress {
        server_address(Some(text)).unwrap()
    }

    fn said(text: &str) -> String {
        server_address(Some(text)).unwrap_err().message
    }

    #[test]
    fn addresses_come_into_one_form() {
        let same = |text: &str, form: &str, trust: Trust| {
            let address = read(text);
            assert_eq!((address.to_string().as_str(), address.trust), (form, trust), "{text}");
        };
        same("", DEFAULT_SERVER, Trust::Plain);
        same("localhost", "http://localhost:7880", Trust::Plain);
        same("[::1]", "http://[::1]:7880", Trust::Plain);
        same("http://host", "http://host", Trust::Plain);
        same("ws://host/base/", "http://host/base", Trust::Plain);
        same("192.168.1.20", "192.168.1.20:7880", Trust::Whoever);
        same("host:99/", "host:99", Trust::Whoever);
        same("wss://meet.example", "https://meet.example", Trust::Authorities);
        for wrong in
            ["http://", "a b", "host:0", "host:99999", "host:x", "[::1", "u@h", "h?x=1", "::1", "ftp://host"]
        {
            assert_eq!(server_address(Some(wrong)).unwrap_err().code, -2, "{wrong}");
        }
    }

    #[test]
    fn a_fingerprint_pins_the_certificate() {
        let fingerprint = Fingerprint([7; 32]);
        let text = format!("192.168.1.20:7880#{fingerprint}");
        let place = "192.168.1.20:7880".to_owned();
        assert_eq!(read(&text), ServerAddress { place, trust: Trust::Certificate(fingerprint) });
        assert_eq!(read(&text).url(false), "https://192.168.1.20:7880");
        let secure = read(&format!("https://meet.example#{fingerprint}"));
        assert_eq!(
            (secure.trust, secure.endpoint()),
            (Trust::Certificate(fingerprint), ("meet.example", 443))
        );
        assert!(said("host#short").contains("fingerprint"));
        assert!(said(&format!("http://host#{fingerprint}")).contains("leave out http://"));
    }

    #[test]
    fn an_address_knows_where_to_connect() {
        let of = |text: &str| {
            let address = read(text);
            let (host, port) = address.endpoint();
            (host.to_owned(), port)
        };
        assert_eq!(of("192.168.1.20"), ("192.168.1.20".into(), 7880));
        assert_eq!(of("http://host"), ("host".into(), 80));
        assert_eq!(of("https://host/base"), ("host".into(), 443));
        assert_eq!(of("[::1]:99"), ("[::1]".into(), 99));
    }

    #[test]
    fn a_wrong_address_is_repeated_as_given_and_shortened() {
        assert!(said("http://").contains("\"http://\""), "{}", said("http://"));
        assert!(said("a\nb").contains("\"a\\nb\""), "{}", said("a\nb"));
        for long in ["h".repeat(100_000), format!("https://{}", "h".repeat(600)), "é".repeat(300)] {
            assert!(said(&long).contains('…') && said(&long).len() < 300, "{}", said(&long));
        }
        assert!(said(&format!("{}.example", "h".repeat(260))).contains("cannot be read"));
    }

    proptest! {
        #[test]
        fn an_address_once_read_stays_as_it_is(text in "[a-z0-9.:/#\\[\\]]{0,20}") {
            if let Ok(address) = server_address(Some(&text)) {
                prop_assert_eq!(server_address(Some(&address.to_string())).unwrap(), address);
            }
        }
    }
}
