//! The way in from outside, with routers made of software on loopback.

mod fake;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use confab_server::Identity;

use self::fake::{Asked, Pmp, Upnp};
use super::Routers;
use crate::hosting::{Networks, Opening, Running};
use crate::store::HostKey;
use crate::view::{Outside, OutsideState};

/// Stands for this computer's address in its network.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const PATIENCE: Duration = Duration::from_secs(30);

/// Routers at those places; what is asked for outside is looked for at `reach`.
fn routers(search: Option<SocketAddr>, pmp: Option<SocketAddr>, reach: SocketAddr) -> Routers {
    let v4 = |address: SocketAddr| match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("{address} is not of this network"),
    };
    // Nobody listens at the discard port.
    let (nobody, reach) = ("127.0.0.1:9".parse().unwrap(), v4(reach));
    let pmp = pmp.map(v4);
    Routers {
        search: search.map_or(nobody, v4),
        pmp: Arc::new(move |_| pmp.into_iter().collect()),
        reach: Arc::new(move |_| reach),
    }
}

fn start(routers: Routers, door: &SocketAddr) -> Running {
    let key = HostKey { sdk_app_id: 1_600_000_001, key: "k".repeat(64) };
    let identity = Identity::read(&Identity::make().unwrap()).unwrap();
    let networks = Networks::new(|| Ok(vec![HERE.into()]), Duration::from_secs(3600)).with_routers(routers);
    Running::start(&key, identity, Some(door.port()), networks).unwrap()
}

/// A port that is free for a server.
fn door() -> SocketAddr {
    let free = std::net::TcpListener::bind(SocketAddr::from((HERE, 0))).unwrap();
    free.local_addr().unwrap()
}

async fn until(running: &mut Running, state: OutsideState) -> Outside {
    let wait = async {
        while running.info.outside.state != state {
            running.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not {state:?}"));
    running.info.outside.clone()
}

fn wish(outside: bool, door: SocketAddr) -> Opening {
    Opening { port: Some(door.port()), lan: None, outside: Some(outside) }
}

/// Whether every port that was opened was closed again.
fn all_closed(asked: &[Asked]) -> bool {
    let opened = asked.iter().filter(|asked| !asked.close);
    opened.clone().count() > 0
        && opened.clone().all(|open| asked.iter().any(|a| a.close && (a.tcp, a.key) == (open.tcp, open.key)))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_in_by_the_ports_that_a_router_opens_and_closes_again() {
    let (door, router) = (door(), Pmp::start(OUTSIDE, None));
    let mut running = start(routers(None, Some(router.address), door), &door);
    running.open(wish(true, door)).unwrap();
    assert!(running.info.lan, "whoever comes from outside comes by this network");
    let open = until(&mut running, OutsideState::Open).await;
    assert_eq!(open.address, Some(format!("{OUTSIDE}:{}", router.external(door.port()))));
    assert_eq!(open.message, None, "it has been seen from here");
    assert_eq!(
        running.info.addresses,
        [open.address.unwrap(), door.to_string()],
        "invitations offer the first"
    );
    let mut kinds: Vec<bool> = router.asked().iter().map(|asked| asked.tcp).collect();
    // A question may be asked again where the machine is busy.
    kinds.dedup();
    assert_eq!(kinds, [true, false, true], "HTTP, then media by UDP and TCP");
    running.open(wish(false, door)).unwrap();
    assert_eq!(running.info.outside, Outside::default());
    assert!(running.info.lan && running.info.addresses == [door.to_string()], "this network stays");
    router.until(all_closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_speaks_upnp_only_is_found_and_its_ports_go_with_the_server() {
    let door = door();
    let router = Upnp::start(&OUTSIDE.to_string(), None);
    let mut running = start(routers(Some(router.address), None, door), &door);
    running.open(wish(true, door)).unwrap();
    let open = until(&mut running, OutsideState::Open).await;
    assert_eq!(open.address, Some(format!("{OUTSIDE}:{}", door.port())));
    assert_eq!(router.asked().len(), 3);
    running.stop();
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_said() {
    let door = door();
    let said = async |routers: Routers| {
        let mut running = start(routers, &door);
        running.open(wish(true, door)).unwrap();
        until(&mut running, OutsideState::Failed).await.message.unwrap()
    };
    let nobody = said(routers(None, None, door)).await;
    assert!(nobody.contains("No router answered"), "{nobody}");
    let shared = Pmp::start(Ipv4Addr::new(100, 64, 1, 2), None);
    let inside = said(routers(None, Some(shared.address), door)).await;
    assert!(inside.contains("100.64.1.2") && inside.contains("provider"), "{inside}");
    let strict = Pmp::start(OUTSIDE, Some(2));
    let refused = said(routers(None, Some(strict.address), door)).await;
    assert!(refused.contains("refuses") && refused.contains("NAT-PMP 2"), "{refused}");
    let strict = Upnp::start(&OUTSIDE.to_string(), Some((606, "Action not authorized")));
    let refused = said(routers(Some(strict.address), None, door)).await;
    assert!(refused.contains("Action not authorized"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_from_here_is_open_and_said_to_be_unproven() {
    let (door, router) = (door(), Pmp::start(OUTSIDE, None));
    let closed = SocketAddr::from((HERE, 9));
    let mut running = start(routers(None, Some(router.address), closed), &door);
    running.open(wish(true, door)).unwrap();
    let open = until(&mut running, OutsideState::Open).await;
    assert!(open.message.unwrap().contains("Ask a friend"), "not proven");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_at_the_address_is_noticed() {
    let (door, router) = (door(), Pmp::start(OUTSIDE, None));
    let other = Upnp::start("", None);
    let mut running = start(routers(None, Some(router.address), other.http), &door);
    running.open(wish(true, door)).unwrap();
    let failed = until(&mut running, OutsideState::Failed).await;
    assert!(failed.message.unwrap().contains("something else answers"), "it is not ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_answers_nonsense_is_none() {
    let door = door();
    for said in ["not an address", "999.1.1.1", "<NewExternalIPAddress>", "::1"] {
        let router = Upnp::start(said, None);
        let mut running = start(routers(Some(router.address), None, door), &door);
        running.open(wish(true, door)).unwrap();
        let failed = until(&mut running, OutsideState::Failed).await;
        assert!(failed.message.unwrap().contains("does not tell its address"), "{said}");
    }
}
