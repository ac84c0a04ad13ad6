//! UPnP's internet gateway as text: what a router is asked, and what its answers say. Answers come from
//! whoever is in the network; whatever they say, nothing but their own address is spoken with.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::pmp::Wanted;

/// Where routers listen for who searches them.
pub(super) const SEARCH: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);
/// The services that open ports, the better first.
const SERVICES: [&str; 3] = [
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
];
/// Longer words of a router are not shown.
const WORDS: usize = 80;
/// What routers say that keep ports open for ever only.
pub(super) const ONLY_PERMANENT: u16 = 725;
/// What routers say where another computer has the port.
pub(super) const CONFLICT: u16 = 718;

/// Where a page lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: SocketAddrV4,
    pub(super) path: String,
}

/// What opens ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) place: Place,
    pub(super) kind: &'static str,
}

/// A router's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// UPnP's number, 0 where it does not say.
    pub(super) code: u16,
    pub(super) words: String,
}

/// The search for routers.
pub(super) fn search() -> String {
    format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {SEARCH}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
         ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
    )
}

/// Where the description of the router lies that answered from `from`; nothing where it names another.
pub(super) fn found(answer: &[u8], from: Ipv4Addr) -> Option<Place> {
    let text = std::str::from_utf8(answer).ok()?;
    let mut lines = text.lines();
    lines.next().filter(|line| line.starts_with("HTTP/1.1 200"))?;
    let location = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("location").then_some(value.trim())
    })?;
    place(location, None).filter(|place| *place.host.ip() == from)
}

/// The service in a router's description, which lies at `at`.
pub(super) fn service(description: &str, at: &Place) -> Option<Service> {
    SERVICES.into_iter().find_map(|kind| {
        let of_kind = |part: &&str| element(part, "serviceType") == Some(kind);
        let part = description.split("<service>").skip(1).find(of_kind)?;
        let place = place(element(part, "controlURL")?, Some(at.host))?;
        (place.host.ip() == at.host.ip()).then_some(Service { place, kind })
    })
}

/// Reads an address; a path alone lies at `base`.
fn place(text: &str, base: Option<SocketAddrV4>) -> Option<Place> {
    let text = text.trim();
    if text.len() > 512 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let Some(rest) = text.strip_prefix("http://") else {
        let path = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
        return (!text.contains("://")).then_some(Place { host: base?, path });
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.parse().or_else(|_| host.parse().map(|ip| SocketAddrV4::new(ip, 80))).ok()?;
    Some(Place { host, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } })
}

/// Asks for the router's address outside: the action and its arguments.
pub(super) fn address_question() -> (&'static str, String) {
    ("GetExternalIPAddress", String::new())
}

/// Asks for a port to `ip`.
pub(super) fn port_question(wanted: Wanted, ip: Ipv4Addr) -> (&'static str, String) {
    let arguments = format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{}</NewExternalPort><NewProtocol>{}</NewProtocol>\
         <NewInternalPort>{}</NewInternalPort><NewInternalClient>{ip}</NewInternalClient>\
         <NewEnabled>1</NewEnabled><NewPortMappingDescription>Confab</NewPortMappingDescription>\
         <NewLeaseDuration>{}</NewLeaseDuration>",
        wanted.external,
        protocol(wanted.tcp),
        wanted.internal,
        wanted.lease.as_secs()
    );
    ("AddPortMapping", arguments)
}

/// Gives a port back.
pub(super) fn return_question(tcp: bool, external: u16) -> (&'static str, String) {
    let arguments = format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort>\
         <NewProtocol>{}</NewProtocol>",
        protocol(tcp)
    );
    ("DeletePortMapping", arguments)
}

fn protocol(tcp: bool) -> &'static str {
    if tcp { "TCP" } else { "UDP" }
}

/// The body of a question, and its `SOAPAction`.
pub(super) fn envelope(service: &Service, (action, arguments): &(&str, String)) -> (String, String) {
    let kind = service.kind;
    let body = format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:{action} xmlns:u=\"{kind}\">\
         {arguments}</u:{action}></s:Body></s:Envelope>"
    );
    (body, format!("\"{kind}#{action}\""))
}

/// The address outside in an answer.
pub(super) fn address_answer(body: &str) -> Option<Ipv4Addr> {
    element(body, "NewExternalIPAddress")?.parse().ok()
}

/// What a router says that refuses, in words that can be shown.
pub(super) fn refusal(body: &str) -> Refusal {
    let code = element(body, "errorCode").and_then(|code| code.parse().ok()).unwrap_or_default();
    let words = element(body, "errorDescription").unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || " .,-_".contains(*c);
    let words: String = words.chars().filter(plain).take(WORDS).collect();
    Refusal { code, words: if words.is_empty() { format!("error {code}") } else { words } }
}

/// The text of the first element of that name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let (_, behind) = rest.split_once('<')?;
        rest = behind;
        let Some(inside) = behind.strip_prefix(name) else { continue };
        if !inside.starts_with(['>', ' ']) {
            continue;
        }
        let (_, inside) = inside.split_once('>')?;
        return inside.split_once("</").map(|(value, _)| value.trim());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FROM: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn answer(location: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nST: x\r\nLocation: {location}\r\n\r\n").into_bytes()
    }

    #[test]
    fn a_router_is_found_at_its_own_address_only() {
        let place = found(&answer("http://192.168.1.1:5000/root.xml"), FROM).unwrap();
        assert_eq!((place.host.to_string().as_str(), place.path.as_str()), ("192.168.1.1:5000", "/root.xml"));
        for elsewhere in [
            "http://192.168.1.2:5000/x",
            "http://example.org/x",
            "https://192.168.1.1/x",
            "ftp://192.168.1.1/",
            "",
            "http://192.168.1.1:5000/a b",
        ] {
            assert_eq!(found(&answer(elsewhere), FROM), None, "{elsewhere}");
        }
        assert_eq!(found(b"HTTP/1.1 404 x\r\nLocation: http://192.168.1.1/\r\n", FROM), None);
        assert_eq!(found(&[0xff, 0xfe, 0], FROM), None);
    }

    #[test]
    fn the_best_service_is_taken_and_none_that_leads_elsewhere() {
        let at = Place { host: SocketAddrV4::new(FROM, 5000), path: "/root.xml".into() };
        let of = |kind: &str, url: &str| {
            format!("<service><serviceType>{kind}</serviceType><controlURL>{url}</controlURL></service>")
        };
        let both = [of("urn:other", "/o"), of(SERVICES[2], "/ppp"), of(SERVICES[1], "ctl/ip")].concat();
        let service_of = |text: &str| service(text, &at);
        let found = service_of(&both).unwrap();
        assert_eq!((found.kind, found.place.path.as_str()), (SERVICES[1], "/ctl/ip"));
        assert_eq!(service_of(&of(SERVICES[1], "http://10.0.0.9/ctl")), None);
        for broken in ["", "<service>", "<service><serviceType>", "<service><serviceType>urn", "<<<>>>"] {
            assert_eq!(service_of(broken), None, "{broken}");
        }
    }

    #[test]
    fn questions_name_the_port_and_answers_are_read() {
        let wanted = Wanted { tcp: false, internal: 7881, external: 40_000, lease: Duration::from_secs(60) };
        let service = Service {
            place: Place { host: SocketAddrV4::new(FROM, 1), path: "/c".into() },
            kind: SERVICES[1],
        };
        let (body, action) = envelope(&service, &port_question(wanted, Ipv4Addr::new(192, 168, 1, 20)));
        assert_eq!(action, format!("\"{}#AddPortMapping\"", SERVICES[1]));
        for part in [
            "<NewExternalPort>40000<",
            "<NewInternalPort>7881<",
            "<NewProtocol>UDP<",
            "<NewInternalClient>192.168.1.20<",
            "<NewLeaseDuration>60<",
        ] {
            assert!(body.contains(part), "{body}");
        }
        let said = "<s:Body><NewExternalIPAddress>203.0.113.9</NewExternalIPAddress></s:Body>";
        assert_eq!(address_answer(said), Some([203, 0, 113, 9].into()));
        assert_eq!(address_answer("<NewExternalIPAddress></NewExternalIPAddress>"), None);
        let no = refusal("<errorCode>718</errorCode><errorDescription>Conflict<b>\u{7}</errorDescription>");
        assert_eq!((no.code, no.words.as_str()), (CONFLICT, "Conflictb"));
        assert_eq!(refusal("nonsense").words, "error 0");
    }
}
