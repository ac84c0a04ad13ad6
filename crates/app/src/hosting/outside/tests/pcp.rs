//! Routers that speak PCP or NAT-PMP, and what says that it does.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, UdpSocket};
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use crab_nat::TimeoutConfig;

use super::fake::{By, Gateway, Says, Voice, all_closed};
use super::{HERE, OUTSIDE, WAITS};
use crate::hosting::outside::obstacle::Obstacle;
use crate::hosting::outside::pcp::{self, Protocol};
use crate::hosting::outside::router::{Mapping, Router, Wanted};

const PORT: NonZeroU16 = NonZeroU16::new(7880).unwrap();
const WANTED: Wanted = Wanted { tcp: true, internal: PORT, external: PORT };
/// For routers that need not be heard.
const SHORT: TimeoutConfig = TimeoutConfig { initial_timeout: Duration::from_millis(20), ..WAITS };

async fn ask(router: &Gateway, waits: TimeoutConfig) -> Result<(pcp::Gateway, Mapping), Obstacle> {
    pcp::Gateway::at(router.address, HERE, waits, WANTED).await
}

async fn refusal(voice: Voice) -> String {
    ask(&Gateway::start(voice), WAITS).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_port_is_opened_by_pcp_renewed_by_the_same_number_and_closed() {
    let router = Gateway::start(Voice { lease: 120, ..Voice::pcp(OUTSIDE) });
    let (gateway, mapping) = ask(&router, WAITS).await.unwrap();
    assert_eq!(gateway.protocol, Protocol::Pcp);
    assert_eq!(mapping.external.to_string(), format!("{OUTSIDE}:{}", router.external(7880)));
    assert_eq!(mapping.lease, Some(Duration::from_secs(120)));
    let again = Router::Pcp(gateway).open(WANTED, Some(&mapping)).await.unwrap();
    assert_eq!(again.external, mapping.external);
    again.close().await;
    let asked = router.asked();
    let [first, .., last] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(asked.iter().all(|a| (a.by, a.nonce) == (By::Pcp, first.nonce)), "{asked:?}");
    assert_ne!(first.nonce, [0; 12]);
    assert!(!first.close && last.close && all_closed(&asked), "{asked:?}");
}

#[tokio::test]
async fn who_says_that_it_knows_no_pcp_is_asked_by_nat_pmp_at_once() {
    let router = Gateway::start(Voice { lease: 60, ..Voice::nat_pmp(OUTSIDE) });
    let (gateway, mapping) = ask(&router, WAITS).await.unwrap();
    assert_eq!(gateway.protocol, Protocol::NatPmp);
    assert_eq!(mapping.external.to_string(), format!("{OUTSIDE}:{}", router.external(7880)));
    assert_eq!(mapping.lease, Some(Duration::from_secs(60)));
    assert_eq!(router.asked().iter().map(|asked| asked.by).collect::<Vec<_>>(), [By::Pcp, By::NatPmp]);
    mapping.close().await;
    assert!(all_closed(&router.asked()), "{:?}", router.asked());
}

#[tokio::test]
async fn an_older_router_says_so_in_one_of_three_lengths() {
    for length in [4, 8, 24] {
        let mut answer = vec![0, 129, 0, 1];
        answer.resize(length, 0);
        let pcp = Says::First([answer].into());
        let router = Gateway::start(Voice { pcp, ..Voice::nat_pmp(OUTSIDE) });
        let (gateway, _) = ask(&router, WAITS).await.unwrap();
        assert_eq!(gateway.protocol, Protocol::NatPmp, "{length} bytes");
        assert_eq!(router.asked().len(), 2, "{length} bytes");
    }
}

#[tokio::test]
async fn who_does_not_hear_pcp_or_refuses_by_it_is_asked_by_nat_pmp() {
    for pcp in [Says::Nothing, Says::Result(2), Says::Result(13)] {
        let questions = if matches!(pcp, Says::Nothing) { 3 } else { 1 };
        let router = Gateway::start(Voice { pcp, ..Voice::nat_pmp(OUTSIDE) });
        let (gateway, _) = ask(&router, WAITS).await.unwrap();
        assert_eq!(gateway.protocol, Protocol::NatPmp);
        let asked = router.asked();
        assert_eq!(asked.iter().filter(|asked| asked.by == By::Pcp).count(), questions, "{asked:?}");
    }
}

#[tokio::test]
async fn a_silent_router_is_asked_three_times_by_each_with_pauses_that_double() {
    let router = Gateway::start(Voice { pcp: Says::Nothing, nat_pmp: Says::Nothing, ..Voice::pcp(OUTSIDE) });
    let waits = TimeoutConfig { initial_timeout: Duration::from_millis(40), ..WAITS };
    let start = Instant::now();
    assert_eq!(ask(&router, waits).await.unwrap_err(), Obstacle::NoRouter);
    // 40, 80 and 160 ms by each; PCP draws its own up to an eighth shorter.
    assert!(start.elapsed() >= Duration::from_millis(280 - 35 + 280), "{:?}", start.elapsed());
    assert_eq!(router.asked().len(), 3, "NAT-PMP asks for the address first");
    assert_eq!((WAITS.initial_timeout, WAITS.max_retries), (Duration::from_millis(250), 2));
}

#[tokio::test]
async fn nobody_is_waited_for_where_nobody_is() {
    let free = Ipv4Addr::new(127, 254, 254, 254);
    drop(UdpSocket::bind((free, crab_nat::GATEWAY_PORT)).unwrap());
    let start = Instant::now();
    let answer = pcp::Gateway::among(&[free], HERE, WAITS, WANTED).await;
    assert_eq!(answer.unwrap_err(), Obstacle::NoRouter);
    assert!(start.elapsed() < Duration::from_millis(1750), "less than one silence takes");
    assert_eq!(pcp::Gateway::among(&[], HERE, WAITS, WANTED).await.unwrap_err(), Obstacle::NoRouter);
}

#[tokio::test]
async fn the_router_among_guesses_is_found_though_others_are_silent() {
    let silence = Voice { pcp: Says::Nothing, nat_pmp: Says::Nothing, ..Voice::pcp(OUTSIDE) };
    let (silent, router) = (Gateway::start(silence), Gateway::start(Voice::pcp(OUTSIDE)));
    let guesses = [silent.address, router.address];
    let (_, mapping) = pcp::Gateway::among(&guesses, HERE, WAITS, WANTED).await.unwrap();
    assert_eq!(*mapping.external.ip(), OUTSIDE);
}

#[tokio::test]
async fn each_refusal_by_pcp_is_said() {
    for (code, words) in [
        (2, "does not allow"),
        (3, "does not know how"),
        (4, "does not know how"),
        (5, "does not know how"),
        (6, "does not know how"),
        (7, "lost its own connection"),
        (8, "no room"),
        (9, "does not know how"),
        (10, "no more ports for this computer"),
        (11, "Other computers have the ports"),
        (12, "Another router stands between"),
        (13, "does not know how"),
    ] {
        let said = refusal(Voice { pcp: Says::Result(code), ..Voice::pcp(OUTSIDE) }).await;
        assert!(said.contains(words), "{code}: {said}");
    }
}

#[tokio::test]
async fn each_refusal_by_nat_pmp_is_said() {
    for (code, words) in [
        (1, "No router answered"),
        (2, "does not allow"),
        (3, "lost its own connection"),
        (4, "no room"),
        (5, "does not know how"),
        (6, "not in a way that can be understood"),
    ] {
        let said = refusal(Voice { nat_pmp: Says::Result(code), ..Voice::nat_pmp(OUTSIDE) }).await;
        assert!(said.contains(words), "{code}: {said}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_asked_for_again() {
    for garbage in [&[][..], &[9; 16], &[0, 129], &[2, 129, 0, 0], &[2; 60]] {
        let first = VecDeque::from([garbage.to_vec(), garbage.to_vec()]);
        let router = Gateway::start(Voice { pcp: Says::First(first.clone()), ..Voice::pcp(OUTSIDE) });
        let (gateway, _) = ask(&router, WAITS).await.unwrap();
        assert_eq!(gateway.protocol, Protocol::Pcp, "{garbage:?}");
        let router = Gateway::start(Voice { nat_pmp: Says::First(first), ..Voice::nat_pmp(OUTSIDE) });
        let (gateway, _) = ask(&router, WAITS).await.unwrap();
        assert_eq!(gateway.protocol, Protocol::NatPmp, "{garbage:?}");
    }
}

/// Packets that are nearly answers: cut, with a byte of them changed, and drawn, always the same.
fn nearly(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let changed = (0..whole.len()).map(|at| {
        let mut packet = whole.to_vec();
        packet[at] ^= draw() | 1;
        packet
    });
    let mut packets: Vec<Vec<u8>> = cut.chain(changed).collect();
    packets.push(whole.repeat(40));
    packets.extend([16, 24, 60, 1100].map(|length| vec![0xff; length]));
    packets
}

#[tokio::test]
async fn packets_of_any_kind_break_nothing() {
    let mut pcp = vec![2, 129, 0, 0, 0, 0, 0, 60, 0, 0, 0, 9];
    pcp.extend([0; 24]);
    pcp.splice(36.., [6, 0, 0, 0, 30, 200, 30, 201]);
    pcp.extend(OUTSIDE.to_ipv6_mapped().octets());
    assert_eq!(pcp.len(), 60);
    let nat_pmp = [0, 130, 0, 0, 0, 0, 0, 9, 30, 200, 30, 201, 0, 0, 0, 60];
    let address = [0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 9];
    let packets = [nearly(&pcp), nearly(&nat_pmp), nearly(&address)].concat();
    for some in packets.chunks(3) {
        let alone = VecDeque::from(some.to_vec());
        // NAT-PMP asks for the address before it asks for a port.
        let behind = some.iter().flat_map(|packet| [address.to_vec(), packet.clone()]).collect();
        for (pcp, nat_pmp) in [(alone.clone(), alone.clone()), (alone, behind)] {
            let (pcp, nat_pmp) = (Says::First(pcp), Says::First(nat_pmp));
            let router = Gateway::start(Voice { pcp, nat_pmp, ..Voice::pcp(OUTSIDE) });
            // Whatever comes of it is a port or an obstacle, and no panic.
            if let Ok((gateway, mapping)) = ask(&router, SHORT).await {
                assert_ne!(mapping.external.port(), 0, "{gateway:?}");
            }
        }
    }
}
