//! The way in from outside, with routers made of software on loopback.

mod fake;
mod pcp;
mod upnp;
mod ways;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use self::fake::{Gateway, Says, Script, Upnp, Voice, all_closed};
use super::Routers;
use super::pcp::WAITS;
use crate::hosting::public::is_public;
use crate::hosting::tests::kept;
use crate::hosting::{Networks, Opening, Running};
use crate::view::{Outside, OutsideState};

/// Stands for this computer's address in its network.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Stands for an address of the internet. It is one for documentation, which nobody has, and what is
/// looked for there is looked for elsewhere, see [`routers`].
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const PATIENCE: Duration = Duration::from_secs(30);

/// Routers at those places; what is asked for outside is looked for at `reach`.
fn routers(search: Option<&Upnp>, gateway: Option<&Gateway>, reach: SocketAddr) -> Routers {
    let (reach, gateway) = (v4(reach), gateway.map(|gateway| gateway.address));
    Routers {
        gateways: Arc::new(move |_| gateway.into_iter().collect()),
        waits: WAITS,
        // Nobody listens at the discard port.
        search: search.map_or(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9), |router| v4(router.address)),
        searched: search.map_or(Duration::from_millis(100), |_| Duration::from_secs(4)),
        trusted: vec![Ipv4Addr::LOCALHOST.into()],
        public: |ip| ip == OUTSIDE || is_public(ip.into()),
        reach: Arc::new(move |_| reach),
    }
}

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("{address} is not of this network"),
    }
}

/// One whose address outside is that.
fn upnp(outside: Ipv4Addr) -> Script {
    Script { outside: outside.to_string(), ..Script::default() }
}

fn start(routers: Routers, door: &SocketAddr) -> Running {
    let networks = Networks::new(|| Ok(vec![HERE.into()]), Duration::from_secs(3600)).with_routers(routers);
    let opening = Opening { port: Some(door.port()), ..Opening::default() };
    Running::start(kept(None), &opening, networks).unwrap()
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
    Opening { port: Some(door.port()), outside: Some(outside), ..Opening::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_in_by_the_ports_that_a_router_opens_and_closes_again() {
    for voice in [Voice::pcp(OUTSIDE), Voice::nat_pmp(OUTSIDE)] {
        let (door, router) = (door(), Gateway::start(voice));
        let mut running = start(routers(None, Some(&router), door), &door);
        running.open(&wish(true, door)).unwrap();
        assert!(running.info.lan, "whoever comes from outside comes by this network");
        let open = until(&mut running, OutsideState::Open).await;
        assert_eq!(open.address, Some(format!("{OUTSIDE}:{}", router.external(door.port()))));
        assert_eq!(open.message, None, "it has been seen from here");
        assert_eq!(
            running.info.addresses,
            [open.address.unwrap(), door.to_string()],
            "invitations offer the first"
        );
        let granted = router.asked().into_iter().filter(|asked| asked.granted);
        let mut kinds: Vec<bool> = granted.map(|asked| asked.tcp).collect();
        // A question may be asked again.
        kinds.dedup();
        assert_eq!(kinds, [true, false, true], "HTTP, then media by UDP and TCP");
        running.open(&wish(false, door)).unwrap();
        assert_eq!(running.info.outside, Outside::default());
        assert!(running.info.lan && running.info.addresses == [door.to_string()], "this network stays");
        router.until(all_closed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_speaks_upnp_only_is_found_and_its_ports_go_with_the_server() {
    let (door, router) = (door(), Upnp::start(upnp(OUTSIDE)));
    let mut running = start(routers(Some(&router), None, door), &door);
    running.open(&wish(true, door)).unwrap();
    let open = until(&mut running, OutsideState::Open).await;
    assert_eq!(open.address, Some(format!("{OUTSIDE}:{}", door.port())));
    assert_eq!(router.asked().iter().filter(|asked| asked.granted).count(), 3);
    running.stop();
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_said() {
    let door = door();
    let said = async |routers: Routers| {
        let mut running = start(routers, &door);
        running.open(&wish(true, door)).unwrap();
        until(&mut running, OutsideState::Failed).await.message.unwrap()
    };
    let nobody = said(routers(None, None, door)).await;
    assert!(nobody.contains("No router answered"), "{nobody}");
    let shared = Gateway::start(Voice::pcp(Ipv4Addr::new(100, 64, 1, 2)));
    let inside = said(routers(None, Some(&shared), door)).await;
    assert!(inside.contains("100.64.1.2") && inside.contains("provider"), "{inside}");
    shared.until(all_closed);
    let strict = Gateway::start(Voice { nat_pmp: Says::Result(2), ..Voice::nat_pmp(OUTSIDE) });
    let refused = said(routers(None, Some(&strict), door)).await;
    assert!(refused.contains("does not allow"), "{refused}");
    let strict = Upnp::start(Script { refusal: Some((501, "Action failed")), ..upnp(OUTSIDE) });
    let refused = said(routers(Some(&strict), None, door)).await;
    assert!(refused.contains("refuses") && refused.contains("Action failed"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_from_here_is_open_and_said_to_be_unproven() {
    let (door, router) = (door(), Gateway::start(Voice::pcp(OUTSIDE)));
    let closed = SocketAddr::from((HERE, 9));
    let mut running = start(routers(None, Some(&router), closed), &door);
    running.open(&wish(true, door)).unwrap();
    let open = until(&mut running, OutsideState::Open).await;
    assert!(open.message.unwrap().contains("Ask a friend"), "not proven");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_internet_is_open_where_a_router_says_so_and_else_said_to_be_untried() {
    let (door, router) = (door(), Upnp::start(upnp(HERE)));
    let of_the_internet = |search: Option<&Upnp>| Routers { public: |_| true, ..routers(search, None, door) };
    let mut alone = start(of_the_internet(None), &door);
    alone.open(&wish(true, door)).unwrap();
    let untried = until(&mut alone, OutsideState::Failed).await;
    let said = untried.message.unwrap();
    assert!(said.contains(&door.to_string()) && said.contains("firewall"), "{said}");
    assert_eq!(untried.address, None, "nobody knows whether it works");
    assert_eq!(alone.info.addresses, [door.to_string()], "invitations offer it all the same");
    alone.stop();

    let mut running = start(of_the_internet(Some(&router)), &door);
    running.open(&wish(true, door)).unwrap();
    let open = until(&mut running, OutsideState::Open).await;
    assert_eq!(open.address, Some(door.to_string()));
    assert!(open.message.unwrap().contains("Ask a friend"), "not proven");
    assert_eq!(running.info.addresses, [door.to_string()], "it is told once");
    running.open(&wish(false, door)).unwrap();
    assert_eq!(running.info.addresses, [door.to_string()], "this network stays");
    running.stop();
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_at_the_address_is_noticed() {
    let (door, router) = (door(), Gateway::start(Voice::pcp(OUTSIDE)));
    let other = Upnp::start(Script::default());
    let mut running = start(routers(None, Some(&router), other.http), &door);
    running.open(&wish(true, door)).unwrap();
    let failed = until(&mut running, OutsideState::Failed).await;
    assert!(failed.message.unwrap().contains("something else answers"), "it is not ours");
}
