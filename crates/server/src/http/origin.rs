//! Whose pages may ask `/v1`: a browser says where a page came from, and the page cannot change that.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, header};
use confab_protocol::{Code, Fault};

/// Refuses pages of other servers; what is no page says no origin and may ask. Nothing but the address
/// lets a guest in, so somebody else's page must not come in the name of whoever looks at it, least of
/// all to rooms that only this computer can reach.
///
/// An origin that agrees with the host is no proof where the server is `nameless`: whoever owns a name
/// can lead it to any address once their page is there (DNS rebinding). An IP address cannot be led
/// elsewhere, and neither can `localhost`.
pub(crate) fn check(headers: &HeaderMap, nameless: bool) -> Result<(), Fault> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    match (origin, text(header::HOST)) {
        (Some(origin), Some(host)) if origin == host && !(nameless && is_name(host)) => Ok(()),
        _ => Err(foreign()),
    }
}

/// The same for those who bring a signature: from any page, as those of an application's owner are,
/// unless the server is `nameless` and hosts this computer's people only.
pub(crate) fn check_signed(headers: &HeaderMap, nameless: bool) -> Result<(), Fault> {
    if nameless { check(headers, true) } else { Ok(()) }
}

fn foreign() -> Fault {
    Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM)
        .with_message("Pages of other servers get no tickets and no entry here. Open the room in the app.")
}

/// Whether a `Host` is neither an IP address nor `localhost`; a port does not matter.
fn is_name(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    };
    let v6 = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_address = bare.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok());
    !is_address && !bare.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(host: &str, origin: Option<&str>, nameless: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&headers, nameless).is_err()
    }

    #[test]
    fn only_pages_of_this_server_may_ask() {
        let host = "127.0.0.1:7880";
        assert!(!is_refused(host, None, false), "no browser");
        assert!(!is_refused(host, Some("http://127.0.0.1:7880"), false));
        for other in ["https://evil.example", "null", "http://127.0.0.1:7881", "", "http://localhost:7880"] {
            assert!(is_refused(host, Some(other), false), "{other}");
        }
    }

    #[test]
    fn a_server_without_a_name_believes_no_page_that_came_by_one() {
        for name in ["evil.example:7880", "evil.example", "localhost.evil.example", "1.2.3.4.evil.example:1"]
        {
            let origin = format!("http://{name}");
            assert!(is_refused(name, Some(&origin), true), "{name}");
            assert!(!is_refused(name, Some(&origin), false), "a server behind a name has {name}");
            assert!(!is_refused(name, None, true), "no browser");
        }
        for odd in ["::1", "[evil]:1", "localhost.", "", "127.1:80", "0x7f000001"] {
            assert!(is_name(odd), "{odd:?}");
        }
        for own in ["127.0.0.1:7880", "192.168.1.5", "[fd00::2]:7880", "[::1]", "localhost:7880", "LocalHost"]
        {
            assert!(!is_refused(own, Some(&format!("http://{own}")), true), "{own}");
        }
    }
}
