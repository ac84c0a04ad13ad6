//! Secrets are planted in a real server, people come and go, and the whole log is searched.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use confab_protocol::{ExitCause, SdkAppId, user_sig};
use confab_server::clock::unix_now;
use confab_server::{ApiKey, AppConfig, CallbackConfig, CloudKey, Config, Server};
use confab_signal::lk::signal_request::Message as Request;
use confab_signal::{Claims, VideoGrant, encode_request, lk};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tracing_subscriber::fmt::MakeWriter;

const APP: u32 = 1_400_000_001;
const APP_KEY: &str = "planted-app-key";
const API_SECRET: &str = "planted-api-secret";

/// The log, kept.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Captured;

    fn make_writer(&'w self) -> Captured {
        self.clone()
    }
}

/// Nobody is there, which is logged.
fn callback() -> CallbackConfig {
    let url = "http://127.0.0.1:9/planted-callback?token=planted".to_owned();
    CallbackConfig { url, key: "plantedCallbackKey".to_owned() }
}

fn config() -> Config {
    Config {
        http: "127.0.0.1:0".parse().unwrap(),
        media: "127.0.0.1:0".parse().unwrap(),
        app: vec![AppConfig { callback: Some(callback()), ..AppConfig::new(APP, APP_KEY) }],
        api_key: vec![ApiKey { key: "devkey".to_owned(), secret: API_SECRET.to_owned() }],
        cloud_key: vec![CloudKey { id: "AKID".to_owned(), key: "planted-cloud-key".to_owned() }],
        ..Config::default()
    }
}

/// Opens signalling with the token in the query, as LiveKit's JavaScript client does; says
/// something understandable and something not, and waits for the first answer.
async fn signal(url: &str, token: &str) {
    let url = format!("{url}/rtc?protocol=16&access_token={token}");
    let Ok((mut socket, _)) = connect_async(url).await else { return };
    let first = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
    assert!(first.is_some_and(|message| message.is_ok()));
    let update = lk::UpdateParticipantMetadata { metadata: "planted-chat".to_owned(), ..Default::default() };
    socket.send(Message::Binary(encode_request(Request::UpdateMetadata(update)).into())).await.unwrap();
    socket.send(Message::Text("planted-garbage".into())).await.unwrap();
    socket.send(Message::Binary(b"planted-garbage".as_slice().into())).await.unwrap();
    let leave = lk::LeaveRequest::default();
    socket.send(Message::Binary(encode_request(Request::Leave(leave)).into())).await.unwrap();
    while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_secs(5), socket.next()).await {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_reaches_the_log_at_any_level_on_any_thread() {
    let captured = Captured::default();
    let subscriber = confab_server::log::subscriber("trace", false, captured.clone()).unwrap();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    tracing::debug!(config = ?config(), "configured");
    let server = Server::start(config()).await.unwrap();
    let url = server.url();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, body: Value| -> Value {
        let request = client.post(format!("{url}{path}")).body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    };
    let sig = user_sig::sign(SdkAppId(APP), APP_KEY, "alice", 600, unix_now(), None);
    let mut entry =
        json!({ "sdkAppId": APP, "userId": "alice", "userSig": sig, "roomId": 5, "scene": 1, "role": 20 });
    let granted = post("/v1/enter", entry.clone()).await;
    let token = granted["token"].as_str().unwrap().to_owned();
    let signalling = granted["url"].as_str().unwrap();
    signal(signalling, &token).await;
    signal(signalling, "planted-token").await;
    let video = VideoGrant { room_join: true, room: "lobby".to_owned(), ..VideoGrant::default() };
    let claims = Claims {
        iss: "devkey".to_owned(),
        sub: "bot".to_owned(),
        exp: unix_now() + 60,
        video,
        ..Claims::default()
    };
    let plain = claims.sign(API_SECRET).unwrap();
    signal(signalling, &plain).await;
    signal(signalling, &claims.sign("another secret").unwrap()).await;
    post("/v1/role", entry.clone()).await;
    entry["privateMapKey"] = json!("planted-ticket");
    post("/v1/enter", entry.clone()).await;
    entry["userSig"] = json!("planted-signature");
    post("/v1/enter", entry.clone()).await;
    entry["sdkAppId"] = json!("planted-in-the-wrong-field");
    post("/v1/enter", entry).await;
    post("/v1/enter", json!("planted-garbage")).await;
    let rest = client.post(&url).header("x-tc-action", "RemoveUser").header("x-tc-timestamp", unix_now());
    let rest = rest.header("authorization", "TC3-HMAC-SHA256 Credential=AKID/planted, Signature=planted");
    rest.body("planted-body").send().await.unwrap();
    let older = "Action=RemoveUser&SecretId=AKID&Signature=planted&Timestamp=";
    client.get(format!("{url}/?{older}{}", unix_now())).send().await.unwrap();
    server.stop(ExitCause::ServerStopped).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for said in ["1400000001:***", "entry granted", "joined", "room closed", "refused", "server stops"] {
        assert!(log.contains(said), "{said:?} is missing in {log}");
    }
    for secret in ["planted", &sig, &token, &plain, token.rsplit('.').next().unwrap()] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret:?} is in {line:?}");
    }
}
