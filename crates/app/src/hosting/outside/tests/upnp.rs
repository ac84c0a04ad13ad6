//! Routers that speak UPnP, and what says that it does.

use std::num::NonZeroU16;

use super::fake::{Script, Upnp, all_closed};
use super::{HERE, OUTSIDE, routers, upnp};
use crate::hosting::outside::obstacle::Obstacle;
use crate::hosting::outside::router::{Mapping, Wanted};
use crate::hosting::outside::upnp::Gateway;

const PORT: NonZeroU16 = NonZeroU16::new(7880).unwrap();
const WANTED: Wanted = Wanted { tcp: false, internal: PORT, external: PORT };

async fn ask(script: Script) -> (Upnp, Result<Mapping, Obstacle>) {
    let router = Upnp::start(script);
    let gateway = Gateway::search(&routers(Some(&router), None, router.http), HERE).await.unwrap();
    let answer = gateway.open(WANTED).await;
    (router, answer)
}

async fn obstacle(script: Script) -> Obstacle {
    ask(script).await.1.unwrap_err()
}

#[tokio::test]
async fn a_router_that_knows_no_leases_keeps_a_port_until_it_is_closed() {
    let (router, mapping) = ask(upnp(OUTSIDE)).await;
    let mapping = mapping.unwrap();
    assert_eq!((mapping.external.to_string(), mapping.lease), (format!("{OUTSIDE}:7880"), None));
    mapping.close().await;
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test]
async fn each_refusal_is_said() {
    for (code, words) in [
        (401, "does not know how"),
        (402, "Invalid args"),
        (606, "does not allow"),
        (718, "Other computers have the ports"),
        (724, "Other computers have the ports"),
        (725, "does not know how"),
        (728, "no room"),
    ] {
        let said = obstacle(Script { refusal: Some((code, "Invalid args")), ..upnp(OUTSIDE) }).await;
        assert!(said.to_string().contains(words), "{code}: {said}");
    }
}

#[tokio::test]
async fn another_port_is_asked_for_where_the_best_is_taken() {
    let (router, answer) = ask(Script { refusal: Some((718, "Conflict")), ..upnp(OUTSIDE) }).await;
    assert!(answer.is_err());
    let mut keys: Vec<u16> = router.asked().iter().map(|asked| asked.key).collect();
    keys.dedup();
    assert!(keys[0] == 7880 && keys.len() > 2 && keys.len() <= 5, "{keys:?}");
}

#[tokio::test]
async fn an_answer_that_ends_early_or_is_none_is_said_to_be_unclear() {
    let long = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{body}").into_bytes();
    let page = |body: &[u8]| [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body].concat();
    let deep = "<a>".repeat(50_000);
    for raw in [
        Vec::new(),
        b"HTTP/1.1 2".to_vec(),
        b"SSH-2.0-router\r\n".to_vec(),
        vec![0xff; 300],
        long("<?xml version=\"1.0\"?><s:Envelope"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx".to_vec(),
        page(b""),
        page(b"<s:Envelope"),
        page(&[0xff; 64]),
        page(deep.as_bytes()),
        page(&vec![b' '; 3 << 20]),
        page(b"<e><Body><Fault/></Body></e>"),
    ] {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(80)]).into_owned();
        let said = obstacle(Script { raw: Some(raw), ..upnp(OUTSIDE) }).await;
        assert_eq!(said, Obstacle::Unclear, "{shown}");
    }
}

#[tokio::test]
async fn a_router_that_tells_no_address_is_said_to_tell_none() {
    for outside in ["not an address", "999.1.1.1", "<NewExternalIPAddress>", "::1", ""] {
        let said = obstacle(Script { outside: outside.to_owned(), ..Script::default() }).await;
        assert_eq!(said, Obstacle::NoAddress, "{outside}");
    }
}

#[tokio::test]
async fn a_description_that_is_none_or_leads_elsewhere_is_that_of_no_router() {
    let page = |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes();
    let elsewhere = page(
        "<root><device><serviceList><service>\
         <serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>\
         <SCPDURL>/actions.xml</SCPDURL><controlURL>http://127.0.0.3:1/ctl</controlURL>\
         </service></serviceList></device></root>",
    );
    for description in [Vec::new(), page("<root>"), page("<<<>>>"), page(&"<a>".repeat(9_999)), elsewhere] {
        let router = Upnp::start(Script { description: Some(description), ..upnp(OUTSIDE) });
        let mut routers = routers(Some(&router), None, router.http);
        routers.searched = std::time::Duration::from_millis(300);
        assert_eq!(Gateway::search(&routers, HERE).await.unwrap_err(), Obstacle::NoRouter);
    }
}
