//! What else comes to an open port.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Trial, body};
use crate::Identity;

/// Sends bytes and reads until the server closes; gives what it said.
async fn talk(trial: &Trial, bytes: &[u8]) -> Vec<u8> {
    talk_at(trial.server.http(), bytes).await
}

async fn talk_at(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before everything was written.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut said = Vec::new();
    let reading = stream.read_to_end(&mut said);
    let _ = tokio::time::timeout(Duration::from_secs(5), reading).await.expect("the server closes");
    said
}

#[tokio::test]
async fn garbage_closes_its_own_connection_only() {
    let trial = Trial::start().await;
    let noise: Vec<u8> = (0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let cases: [&[u8]; 6] = [
        &noise,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/enter HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{}",
    ];
    for bytes in cases {
        let said = talk(&trial, bytes).await;
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&said));
    }
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
}

#[tokio::test]
async fn who_does_not_encrypt_in_a_network_is_told_to() {
    let mut trial = Trial::start().await;
    let identity = Identity::read(&Identity::make().unwrap()).unwrap();
    let address = SocketAddr::new("127.0.0.2".parse().unwrap(), trial.server.http().port());
    trial.server.open(address.ip(), &identity).await.unwrap();
    let request = b"POST /v1/enter HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    let said = String::from_utf8(talk_at(address, request).await).unwrap();
    assert!(said.starts_with("HTTP/1.1 426 ") && said.ends_with("write https://..."), "{said}");
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{said}");
    for noise in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"", b"\0"] {
        let said = talk_at(address, noise).await;
        assert!(!said.starts_with(b"HTTP/1.1 2"), "{said:?}");
    }
    let taken = trial.server.open(address.ip(), &identity).await.unwrap_err().to_string();
    assert!(taken.contains("already in use"), "{taken}");
    let beside = trial.server.open_at(SocketAddr::new(address.ip(), 0), &identity).await.unwrap();
    assert!(beside.port() != 0 && beside != address, "{beside}");
    trial.server.close_at(beside).await;
    assert!(TcpStream::connect(beside).await.is_err());
    TcpStream::connect(address).await.expect("the other stays open");
    // Whoever says nothing for ever does not hold the server up.
    let _silent = TcpStream::connect(address).await.unwrap();
    let begin = std::time::Instant::now();
    trial.server.stop(confab_protocol::ExitCause::ServerStopped).await;
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let trial = Trial::start().await;
    let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 400_000]].concat();
    let said = talk(&trial, &endless).await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 431"), "{:?}", String::from_utf8_lossy(&said));
    assert_eq!(trial.people().await, 0);
}

#[tokio::test]
async fn an_entry_without_a_host_cannot_be_told_where_to_signal() {
    let trial = Trial::start().await;
    let body = body("alice").to_string();
    let request = format!("POST /v1/enter HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let said = String::from_utf8(talk(&trial, request.as_bytes()).await).unwrap();
    assert!(said.starts_with("HTTP/1.0 400") && said.contains("Host"), "{said}");
}

#[tokio::test]
async fn many_slow_bodies_do_not_keep_others_waiting_and_end_with_the_server() {
    let trial = Trial::start().await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(trial.server.http()).await.unwrap();
        let head = b"POST /v1/enter HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{";
        stream.write_all(head).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
    let begin = std::time::Instant::now();
    trial.server.stop(confab_protocol::ExitCause::ServerStopped).await;
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn health_and_metrics_are_there() {
    let trial = Trial::start().await;
    trial.enter(&body("alice")).await;
    trial.post("/v1/enter", "{}").await;
    let get = |path: &str| trial.client.get(format!("{}{path}", trial.server.url())).send();
    let health: Value = get("/healthz").await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let answer = get("/metrics").await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text().await.unwrap();
    for line in [
        r#"confab_v1_requests_total{request="enter",code="0"} 1"#,
        r#"confab_v1_requests_total{request="enter",code="-3316"} 1"#,
        "confab_rooms 1",
        r#"confab_people{seat="reserved"} 1"#,
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(get("//healthz").await.unwrap().status(), 200, "double slashes count once");
    assert_eq!(get("/nowhere").await.unwrap().status(), 404);
}
