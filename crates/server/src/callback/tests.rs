//! Callbacks over real sockets, to receivers that behave as receivers do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use confab_protocol::{RoomId, SdkAppId};
use serde_json::Value;
use tokio::sync::mpsc;

use super::*;
use crate::config::{AppConfig, CallbackConfig};
use crate::happening::What;

const KEY: &str = "plantedCallbackKey";
const PATIENCE: Duration = Duration::from_secs(20);

/// What arrived at a receiver: headers and body.
type Arrived = mpsc::UnboundedReceiver<(HeaderMap, Bytes)>;

/// A receiver that answers its n-th request, counted from 0, as `answer` says; none never answers.
async fn receiver(
    answer: impl Fn(usize) -> Option<StatusCode> + Clone + Send + Sync + 'static,
) -> (SocketAddr, Arrived) {
    let (note, arrived) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    let handle = move |headers: HeaderMap, body: Bytes| {
        let (note, answer, count) = (note.clone(), answer.clone(), Arc::clone(&count));
        async move {
            note.send((headers, body)).unwrap();
            match answer(count.fetch_add(1, Ordering::Relaxed)) {
                // A redirect that is followed would arrive here again.
                Some(status) => (status, [("location", "/told")], "{\"code\":0}"),
                None => std::future::pending().await,
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/told", any(handle))).await });
    (address, arrived)
}

fn app(id: u32, url: String) -> AppConfig {
    let callback = Some(CallbackConfig { url, key: KEY.to_owned() });
    AppConfig { callback, ..AppConfig::new(id, "key") }
}

fn start(apps: Vec<AppConfig>) -> (Callbacks, CallbackTasks, Counters) {
    let counters = Counters::default();
    let config = Config { app: apps, ..Config::default() };
    let (callbacks, tasks) = Callbacks::start(&config, &counters);
    (callbacks, tasks, counters)
}

fn to(address: SocketAddr) -> String {
    format!("http://{address}/told?secret=planted")
}

fn about(app: u32, room: u32, at: u64) -> Happening {
    Happening {
        app: SdkAppId(app),
        room: RoomId::number(room).unwrap(),
        created: 0,
        at_ms: at * 1000,
        what: What::RoomCreated { by: "ann".parse().unwrap() },
    }
}

/// Room and time of the next callback that arrives.
async fn next(arrived: &mut Arrived) -> (u64, u64) {
    let (_, body) = tokio::time::timeout(PATIENCE, arrived.recv()).await.expect("in time").unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let info = &body["EventInfo"];
    (info["RoomId"].as_u64().unwrap(), info["EventTs"].as_u64().unwrap())
}

fn counted(counters: &Counters, app: u32, outcome: &'static str) -> u64 {
    counters.get_or_create(&Outcome { app, outcome }).get()
}

/// Waits for a count, which follows the answer that the receiver has given.
async fn until_counted(counters: &Counters, app: u32, outcome: &'static str, wanted: u64) {
    let reached = async {
        while counted(counters, app, outcome) < wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("in time");
    assert_eq!(counted(counters, app, outcome), wanted);
}

#[tokio::test]
async fn a_receiver_can_verify_what_arrives() {
    let (address, mut arrived) = receiver(|_| Some(StatusCode::OK)).await;
    let (callbacks, _tasks, counters) = start(vec![app(7, to(address))]);
    callbacks.tell(&about(7, 5, 1_700_000_000));
    let (headers, body) = arrived.recv().await.unwrap();
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["sdkappid"], "7");
    assert_eq!(headers["sign"], body::sign(KEY, &body));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["EventType"], &body["EventInfo"]["RoomId"]), (&101.into(), &5.into()));
    until_counted(&counters, 7, "delivered", 1).await;
    callbacks.tell(&about(8, 5, 1));
    callbacks.tell(&about(7, 5, 2));
    assert_eq!(next(&mut arrived).await, (5, 2), "an app without a callback is told nothing");
}

#[tokio::test]
async fn what_fails_is_sent_again_at_once_before_anything_else_of_its_room() {
    let (address, mut arrived) =
        receiver(|n| Some(if n == 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })).await;
    let (callbacks, _tasks, counters) = start(vec![app(7, to(address))]);
    callbacks.tell(&about(7, 5, 1));
    callbacks.tell(&about(7, 5, 2));
    callbacks.tell(&about(7, 5, 3));
    for wanted in [(5, 1), (5, 1), (5, 2), (5, 3)] {
        assert_eq!(next(&mut arrived).await, wanted);
    }
    until_counted(&counters, 7, "delivered", 3).await;
    assert_eq!(counted(&counters, 7, "failed"), 1);
}

#[tokio::test]
async fn every_other_status_than_200_is_a_failure_and_no_redirect_is_followed() {
    for status in [StatusCode::NO_CONTENT, StatusCode::FOUND, StatusCode::NOT_FOUND] {
        let (address, mut arrived) =
            receiver(move |n| Some(if n == 0 { status } else { StatusCode::OK })).await;
        let (callbacks, _tasks, counters) = start(vec![app(7, to(address))]);
        callbacks.tell(&about(7, 5, 1));
        next(&mut arrived).await;
        next(&mut arrived).await;
        until_counted(&counters, 7, "failed", 1).await;
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_no_other_room_and_no_other_app() {
    let (hung, mut at_hung) = receiver(|n| (n > 0).then_some(StatusCode::OK)).await;
    let (well, mut at_well) = receiver(|_| Some(StatusCode::OK)).await;
    let (callbacks, _tasks, counters) = start(vec![app(7, to(hung)), app(8, to(well))]);
    callbacks.tell(&about(7, 1, 1));
    assert_eq!(next(&mut at_hung).await, (1, 1));
    callbacks.tell(&about(7, 1, 2));
    callbacks.tell(&about(7, 2, 3));
    callbacks.tell(&about(8, 1, 4));
    assert_eq!(next(&mut at_well).await, (1, 4));
    assert_eq!(next(&mut at_hung).await, (2, 3), "1 is not through yet");
    assert_eq!(counted(&counters, 7, "failed"), 0, "and has not been given up");
}

#[tokio::test]
async fn who_is_slower_than_five_seconds_has_failed() {
    let (address, mut arrived) = receiver(|n| (n > 0).then_some(StatusCode::OK)).await;
    let (callbacks, _tasks, counters) = start(vec![app(7, to(address))]);
    let begin = Instant::now();
    callbacks.tell(&about(7, 1, 1));
    callbacks.tell(&about(7, 1, 2));
    for wanted in [(1, 1), (1, 1), (1, 2)] {
        assert_eq!(next(&mut arrived).await, wanted);
    }
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(counted(&counters, 7, "failed"), 1);
}

#[tokio::test]
async fn nobody_who_listens_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let (callbacks, _tasks, counters) = start(vec![app(7, to(address))]);
    callbacks.tell(&about(7, 1, 1));
    until_counted(&counters, 7, "failed", 2).await;
}

#[tokio::test]
async fn what_overflows_is_dropped_and_counted_and_the_newest_arrive() {
    let (callbacks, tasks, counters) = start(vec![app(7, "http://127.0.0.1:9/".to_owned())]);
    drop(tasks);
    for number in 0..5000 {
        callbacks.tell(&about(7, 1, number));
    }
    assert_eq!(counted(&counters, 7, "dropped"), 5000 - WAITING as u64);
    let first = callbacks.queues[&SdkAppId(7)].line().next(Instant::now()).unwrap();
    assert_eq!(first.at_ms / 1000, 5000 - WAITING as u64);
}

#[tokio::test]
async fn closing_delivers_what_can_be_delivered_and_waits_no_longer() {
    let (address, mut arrived) = receiver(|_| Some(StatusCode::OK)).await;
    let (hung, _at_hung) = receiver(|_| None).await;
    let (callbacks, tasks, counters) = start(vec![app(7, to(address))]);
    for number in 0..20 {
        callbacks.tell(&about(7, 1, number));
    }
    tasks.close(PATIENCE).await;
    assert_eq!(counted(&counters, 7, "delivered"), 20);
    for number in 0..20 {
        assert_eq!(next(&mut arrived).await, (1, number));
    }
    let (callbacks, tasks, _) = start(vec![app(7, to(hung))]);
    callbacks.tell(&about(7, 1, 1));
    let begin = Instant::now();
    tasks.close(Duration::from_millis(100)).await;
    assert!(begin.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_certificate_is_demanded_and_an_encrypted_receiver_reached() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let identity = crate::identity::Identity::read(&format!("{certificate}{key}")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/told", listener.local_addr().unwrap().port());
    let (note, mut arrived) = mpsc::unbounded_channel();
    let router = Router::new().route(
        "/told",
        any(move |headers: HeaderMap, body: Bytes| {
            note.send((headers, body)).unwrap();
            async { "ok" }
        }),
    );
    let listener = crate::http::Listener { tcp: listener, tls: Some(identity.acceptor().unwrap()) };
    let connections = tokio_util::task::TaskTracker::new();
    tokio::spawn(crate::http::serve(listener, router, CancellationToken::new(), connections));

    let (callbacks, tasks, counters) = start(vec![app(7, url.clone())]);
    callbacks.tell(&about(7, 1, 1));
    until_counted(&counters, 7, "failed", 2).await;
    assert!(arrived.try_recv().is_err(), "nobody signed the certificate");
    drop(tasks);

    let trusted = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let to = CallbackConfig { url, key: KEY.to_owned() };
    let queue = Arc::new(Queue::new(SdkAppId(7), &counters));
    let task = deliver::run(Arc::clone(&queue), Receiver::with(7, &to, client), CancellationToken::new());
    let task = tokio::spawn(task);
    queue.push(about(7, 1, 2), Instant::now());
    assert_eq!(next(&mut arrived).await, (1, 2));
    task.abort();
}
