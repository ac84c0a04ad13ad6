//! Which way is taken, and what becomes of the ports of another one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use confab_server::engine::MediaPort;
use confab_server::{Door, Hosted, Server};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::fake::{By, Gateway, Says, Upnp, Voice, all_closed};
use super::{HERE, OUTSIDE, routers, upnp};
use crate::hosting::outside::obstacle::{Obstacle, Refusal};
use crate::hosting::outside::rule::{Opened, Proof};
use crate::hosting::outside::{Ended, Keeper, Means, Target};
use crate::hosting::tests::kept;
use crate::hosting::{Hosting, config};
use crate::view::Outside;

/// One that leads to ports that nobody has, and the server that it tells.
fn keeper(search: Option<&Upnp>, gateway: Option<&Gateway>) -> (Keeper, Hosted) {
    let kept = kept(None);
    let server = Server::spawn(config(&kept.key, 0, &Door::default(), None)).unwrap();
    let told = Hosting {
        server: server.url(),
        lan: true,
        addresses: Vec::new(),
        fingerprint: String::new(),
        sdk_app_id: kept.key.sdk_app_id,
        outside: Outside::default(),
        passcode: false,
        waiting_room: false,
    };
    let means = Means {
        routers: routers(search, gateway, SocketAddr::from((HERE, 9))),
        identity: Arc::new(kept.identity),
        translator: server.translator(),
        tell: watch::channel(told).0,
    };
    let media = MediaPort { tcp: false, address: SocketAddr::from((HERE, 7882)) };
    let target = Target { http: "127.0.0.2:7880".parse().unwrap(), media: vec![media] };
    (Keeper::new(means, Some(target), CancellationToken::new()), server)
}

async fn open(keeper: &mut Keeper) -> Result<Opened, Obstacle> {
    keeper.open().await.map_err(|ended| match ended {
        Ended::Obstacle(obstacle) => obstacle,
        Ended::Over => panic!("it is not over"),
    })
}

fn refusing(code: u8) -> Voice {
    Voice { pcp: Says::Result(code), nat_pmp: Says::Result(2), ..Voice::pcp(OUTSIDE) }
}

#[tokio::test]
async fn ports_are_renewed_where_they_are_and_given_back() {
    let router = Gateway::start(Voice { lease: 90, ..Voice::pcp(OUTSIDE) });
    let (mut keeper, _server) = keeper(None, Some(&router));
    let first = open(&mut keeper).await.unwrap();
    let expected = format!("{OUTSIDE}:{}", router.external(7880));
    assert_eq!(first.address.to_string(), expected);
    assert_eq!((first.proof, first.lease), (Proof::Hidden, Some(Duration::from_secs(90))));
    let before = router.asked().len();
    assert_eq!(open(&mut keeper).await.unwrap(), first);
    let asked = router.asked();
    let (old, new) = asked.split_at(before);
    assert_eq!(new.len(), 2, "one question for each port");
    assert!(new.iter().all(|new| old.contains(new) && new.granted), "{asked:?}");
    keeper.give_back().await;
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test]
async fn a_router_that_refuses_by_pcp_and_nat_pmp_may_open_by_upnp() {
    let (strict, router) = (Gateway::start(refusing(2)), Upnp::start(upnp(OUTSIDE)));
    let (mut keeper, _server) = keeper(Some(&router), Some(&strict));
    let opened = open(&mut keeper).await.unwrap();
    assert_eq!(opened.address.to_string(), format!("{OUTSIDE}:7880"));
    let by: Vec<By> = strict.asked().iter().map(|asked| asked.by).collect();
    assert_eq!(by, [By::Pcp, By::NatPmp], "each is asked once");
    keeper.give_back().await;
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test]
async fn the_first_refusal_is_said_where_no_way_opens() {
    let strict = Gateway::start(refusing(10));
    let (mut keeper, _server) = keeper(None, Some(&strict));
    assert_eq!(open(&mut keeper).await.unwrap_err(), Refusal::Quota.into());
}

#[tokio::test]
async fn what_was_opened_is_given_back_where_a_later_port_is_refused() {
    let full = Gateway::start(Voice { room: 1, ..Voice::pcp(OUTSIDE) });
    let (mut keeper, _server) = keeper(None, Some(&full));
    assert_eq!(open(&mut keeper).await.unwrap_err(), Refusal::Full.into());
    assert!(all_closed(&full.asked()), "{:?}", full.asked());
}

#[tokio::test]
async fn people_find_the_port_that_they_know_when_the_router_speaks_otherwise() {
    let (old, new) = (Gateway::start(Voice::nat_pmp(OUTSIDE)), Upnp::start(upnp(OUTSIDE)));
    let (mut keeper, _server) = keeper(Some(&new), Some(&old));
    let first = open(&mut keeper).await.unwrap();
    assert!(new.asked().is_empty(), "the first way is enough");
    drop(old);
    assert_eq!(open(&mut keeper).await.unwrap().address, first.address);
    assert!(new.asked().iter().any(|asked| asked.granted && asked.key == first.address.port()));
}

#[tokio::test]
async fn no_other_way_is_tried_where_the_router_itself_is_inside() {
    let (outer, router) = (Ipv4Addr::new(192, 168, 7, 1), Upnp::start(upnp(OUTSIDE)));
    let inner = Gateway::start(Voice::pcp(outer));
    let (mut keeper, _server) = keeper(Some(&router), Some(&inner));
    assert_eq!(open(&mut keeper).await.unwrap_err(), Obstacle::Inside(outer));
    assert!(router.asked().is_empty() && all_closed(&inner.asked()));
}

#[tokio::test]
async fn people_are_let_through_to_an_address_of_the_internet_and_media_is_where_it_was() {
    let router = Upnp::start(upnp(HERE));
    let (mut keeper, _server) = keeper(Some(&router), None);
    keeper.means.routers.public = |_| true;
    let opened = open(&mut keeper).await.unwrap();
    let target = keeper.target.clone().unwrap();
    assert_eq!((opened.address, opened.proof), (target.http, Proof::Granted));
    let ports = keeper.lead_to(&target).await.unwrap();
    assert!(ports.entrance == target.http && ports.media.is_empty(), "{ports:?}");
    keeper.give_back().await;
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test]
async fn what_a_router_refuses_is_said_at_an_address_of_the_internet_too() {
    let strict = Gateway::start(refusing(2));
    let (mut keeper, _server) = keeper(None, Some(&strict));
    keeper.means.routers.public = |_| true;
    assert_eq!(open(&mut keeper).await.unwrap_err(), Refusal::Forbidden.into());
}

#[tokio::test]
async fn nothing_is_asked_once_it_is_over() {
    let router = Gateway::start(Voice::pcp(OUTSIDE));
    let (mut keeper, _server) = keeper(None, Some(&router));
    keeper.over.cancel();
    assert!(matches!(keeper.open().await, Err(Ended::Over)));
    assert!(router.asked().is_empty());
}
