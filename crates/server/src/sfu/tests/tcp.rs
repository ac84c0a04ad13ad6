//! People whose network lets no UDP out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use confab_protocol::LeaveReason;
use confab_signal::{data, lk};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use str0m::media::MediaKind;
use tokio::sync::mpsc;

use super::client::{Client, join};
use super::{event, removed};
use crate::engine::{Engine, EngineEvent, MediaPort, Translated};
use crate::sfu::{Embedded, EmbeddedConfig};

fn engine(tcp: bool) -> (Embedded, SocketAddr, mpsc::Receiver<EngineEvent>) {
    let (to, events) = mpsc::channel(256);
    let media = "127.0.0.1:0".parse().unwrap();
    let config = EmbeddedConfig { media, workers: Some(1), advertise: Vec::new(), tcp };
    let engine = Embedded::start(&config, &to).unwrap();
    let media = engine.media()[0];
    (engine, media, events)
}

async fn connected(engine: &Embedded, whom: &str, media: SocketAddr) -> Client {
    let mut client = Client::by_tcp(engine, join("r", whom), media).await;
    client.until("connected", |c| c.subscriber.connected && c.subscriber.channels.len() == 2).await;
    client
}

/// A stranger's connection, which waits for an answer at most as long as anything takes that works.
fn stranger(media: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(media).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Waits until the server closes a connection; true when it does so before it says anything.
fn is_closed(mut stream: &TcpStream) -> bool {
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[tokio::test]
async fn media_and_data_pass_both_ways_between_a_connection_and_a_socket() {
    let (engine, media, _events) = engine(true);
    let mut ann = connected(&engine, "ann", media).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let sent = [ann.publishing(MediaKind::Video, "cam").await, bob.publishing(MediaKind::Video, "cam").await];
    let offered =
        |c: &Client| c.sent(|s| matches!(s, Response::Offer(o) if o.mid_to_track_id.len() == 1)) > 0;
    ann.until("bob's track", offered).await;
    bob.until("ann's track", offered).await;
    tokio::join!(ann.run(Duration::from_millis(100)), bob.run(Duration::from_millis(100)));
    let payloads: Vec<Vec<u8>> = (0..20u8).map(|n| vec![n; 1000]).collect();
    for (number, payload) in (1..).zip(&payloads) {
        ann.publisher.send(sent[0], number, payload, None);
        bob.publisher.send(sent[1], number, payload, None);
        tokio::join!(ann.run(Duration::from_millis(5)), bob.run(Duration::from_millis(5)));
    }
    for client in [&mut ann, &mut bob] {
        client.until("20 packets", |c| c.subscriber.packets.len() >= 20).await;
        assert_eq!(client.subscriber.payloads(), payloads);
        client.until("channel", |c| !c.publisher.channels.is_empty()).await;
        client.publisher.send_data(&data::user_packet("chat", b"hello".to_vec(), Vec::new()));
        client.run(Duration::from_millis(50)).await;
    }
    ann.until("bob's word", |c| c.subscriber.data.len() == 1).await;
    bob.until("ann's word", |c| c.subscriber.data.len() == 1).await;
}

#[tokio::test]
async fn who_leaves_or_is_removed_is_told_and_their_connections_are_closed() {
    let (engine, media, mut events) = engine(true);
    let mut ann = connected(&engine, "ann", media).await;
    let bob = connected(&engine, "bob", media).await;
    engine.remove("r", "ann", removed()).await.unwrap();
    ann.until("ended", |c| c.ended).await;
    assert_eq!(data::notice(&ann.subscriber.data[0]), Some(removed()), "the last words come through");
    bob.say(Request::Leave(lk::LeaveRequest::default())).await;
    while event(&mut events).await != (EngineEvent::RoomClosed { room: "r".into() }) {}
    for wire in [&ann.subscriber.wire, &bob.subscriber.wire] {
        assert!(tokio::time::timeout(Duration::from_secs(10), wire.is_closed()).await.unwrap());
    }
}

#[tokio::test]
async fn who_is_cut_off_is_missed_like_others_who_fall_silent() {
    let (engine, media, mut events) = engine(true);
    let mut ann = join("r", "ann");
    ann.seat = Duration::from_secs(1);
    let mut ann = Client::by_tcp(&engine, ann, media).await;
    ann.until("connected", |c| c.subscriber.connected).await;
    ann.publisher.wire.cut();
    ann.subscriber.wire.cut();
    let gone = EngineEvent::Left { room: "r".into(), identity: "ann".into(), reason: LeaveReason::TimedOut };
    let missed = async {
        let wait = Duration::from_secs(20);
        while tokio::time::timeout(wait, events.recv()).await.unwrap().unwrap() != gone {}
    };
    tokio::join!(missed, ann.run(Duration::from_secs(12)));
}

#[tokio::test]
async fn strangers_are_closed_and_the_others_notice_nothing() {
    let (engine, media, _events) = engine(true);
    let mut ann = connected(&engine, "ann", media).await;
    let question = [
        &[0, 32, 0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42][..],
        &[0; 12],
        &[0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0],
    ]
    .concat();
    for bytes in [&b"\0\x05hello"[..], b"GET / HTTP/1.1\r\n\r\n", &[0, 0], &[255, 255]] {
        let mut stream = stranger(media);
        stream.write_all(bytes).unwrap();
        assert!(is_closed(&stream), "{bytes:?}");
    }
    // Who asks for somebody who is not here may go on asking; of many such, the oldest goes.
    let asking: Vec<TcpStream> = (0..70).map(|_| stranger(media)).collect();
    for mut stream in &asking {
        let _ = stream.write_all(&question);
    }
    assert!(is_closed(&asking[0]));
    let last = &asking[asking.len() - 1];
    last.set_nonblocking(true).unwrap();
    ann.run(Duration::from_millis(100)).await;
    let open = (&*last).read(&mut [0]);
    assert_eq!(open.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the newest is still there");
    let mut bob = connected(&engine, "bob", media).await;
    tokio::join!(ann.until("bob", |c| c.knows("bob").is_some()), bob.run(Duration::from_millis(100)));
}

#[tokio::test]
async fn where_it_is_switched_off_nothing_is_offered_and_nobody_listens() {
    let offers = |client: &Client| {
        client.sent(|said| matches!(said, Response::Offer(offer) if offer.sdp.contains(" tcptype passive")))
    };
    for (tcp, offered) in [(true, 1), (false, 0)] {
        let (engine, media, _events) = engine(tcp);
        let mut ann = Client::connected(&engine, join("r", "ann")).await;
        ann.run(Duration::from_millis(50)).await;
        assert_eq!(offers(&ann), offered, "TCP is {tcp}");
        assert_eq!(TcpStream::connect(media).is_ok(), tcp);
    }
}

#[tokio::test]
async fn where_a_translator_leads_here_is_offered_to_who_comes_then() {
    let (engine, media, _events) = engine(true);
    let ports = engine.ports().await;
    let of = |tcp| MediaPort { tcp, address: media };
    assert_eq!(ports, [of(false), of(true)]);
    let leads = |local, port| Translated { local, outside: SocketAddr::from(([203, 0, 113, 9], port)) };
    let elsewhere = MediaPort { tcp: true, address: "192.0.2.1:1".parse().unwrap() };
    engine.set_outside(vec![leads(of(false), 1001), leads(of(true), 1002), leads(elsewhere, 1003)]).await;
    let offered = async |whom: &str| -> Vec<String> {
        let mut client = Client::connected(&engine, join("r", whom)).await;
        client.until("offer", |c| c.sent(|said| matches!(said, Response::Offer(_))) > 0).await;
        let said = client.said.iter().find_map(|said| match said {
            Response::Offer(offer) => Some(offer.sdp.clone()),
            _ => None,
        });
        said.unwrap().lines().filter(|line| line.contains(" 203.0.113.9 ")).map(str::to_owned).collect()
    };
    let lines = offered("ann").await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(" udp ") && lines[0].contains(" 1001 "), "{lines:?}");
    assert!(lines[1].contains(" tcp ") && lines[1].contains(" 1002 typ host tcptype passive"), "{lines:?}");
    engine.set_outside(Vec::new()).await;
    assert_eq!(offered("bob").await, Vec::<String>::new());
}

#[test]
fn a_port_that_somebody_has_for_tcp_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (to, _events) = mpsc::channel(1);
    let media = taken.local_addr().unwrap();
    let config = EmbeddedConfig { media, workers: Some(1), advertise: Vec::new(), tcp: true };
    let refused = Embedded::start(&config, &to).unwrap_err();
    assert!(refused.tcp && refused.address == media, "{refused}");
    let config = EmbeddedConfig { tcp: false, ..config };
    assert!(Embedded::start(&config, &to).is_ok(), "without TCP the port is free");
}
