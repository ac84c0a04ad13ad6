//! Real announcements and a real look around, at a port of their own so that nobody else hears of it.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use confab_protocol::Fingerprint;

use super::{Announcer, Browser, NearbyView};
use crate::hosting::Networks;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// This computer's address in a network.
fn address() -> SocketAddr {
    let addresses = Networks::of_this_computer().look().unwrap();
    let ip = addresses.into_iter().find(IpAddr::is_ipv4);
    SocketAddr::new(ip.expect("nobody finds a computer in no network: connect this one for the test"), 7880)
}

fn free_port() -> u16 {
    UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}

async fn until(browser: &mut Browser, wanted: impl Fn(&[NearbyView]) -> bool) -> Vec<NearbyView> {
    let news = async {
        loop {
            let found = browser.changed().await.expect("the look around goes on");
            if wanted(&found) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, news).await.expect("it is found, or gone")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_where_it_is_open_and_gone_when_it_is_closed() {
    let (door, port) = (address(), free_port());
    let (ada, bo) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let mut host = Announcer::on(port, "Ada's laptop".into(), ada, 7);
    host.tell(&[door]);
    let mut browser = Browser::on(port);
    let found = until(&mut browser, |found| !found.is_empty()).await;
    let expected = NearbyView {
        name: "Ada's laptop".into(),
        address: door.to_string(),
        server: format!("{door}#{ada}"),
    };
    assert_eq!(found, std::slice::from_ref(&expected));

    let mut other = Announcer::on(port, "Ada's laptop".into(), bo, 8);
    other.tell(&[door]);
    let both = until(&mut browser, |found| found.len() == 2).await;
    assert!(both.iter().all(|one| one.name == "Ada's laptop"), "two of one name are two: {both:?}");
    drop(other);
    assert_eq!(until(&mut browser, |found| found.len() == 1).await, [expected]);

    let moved = SocketAddr::new(door.ip(), 40_000);
    host.tell(&[moved]);
    let found = until(&mut browser, |found| found.iter().all(|one| one.address == moved.to_string())).await;
    assert!(found.len() <= 1, "{found:?}");
    host.tell(&[]);
    until(&mut browser, <[NearbyView]>::is_empty).await;
}
