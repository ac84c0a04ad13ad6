//! A server with known keys, and what its operator can do.

use crate::Lossy;
use confab_protocol::{RawEnterParams, SdkAppId, user_sig};
use confab_server::clock::unix_now;
use confab_server::{AppConfig, CloudKey, Config, Identity, Server};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};

/// Two applications of the server, and their keys.
pub const APP: u32 = 1_400_000_001;
pub const KEY: &str = "key-of-the-first-app";
pub const OTHER_APP: u32 = 1_400_000_002;
pub const OTHER_KEY: &str = "key-of-the-second-app";

const CLOUD_ID: &str = "AKIDEXAMPLE";
const CLOUD_KEY: &str = "secretEXAMPLE";

/// A real server on ports of its own.
#[derive(Debug)]
pub struct Hall {
    server: Server,
}

impl Hall {
    /// Opens a server on loopback.
    pub async fn open() -> Hall {
        Hall::open_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// Opens a server at this address, as after a restart.
    pub async fn open_at(http: SocketAddr) -> Hall {
        Hall::start(Config { http, ..config() }).await
    }

    /// Opens a server that clients reach over a wire on which packets can be lost.
    pub async fn lossy() -> (Hall, Lossy) {
        let wire = Lossy::open().await;
        let (media, advertise) = (wire.media(), vec![wire.advertise()]);
        let hall = Hall::start(Config { media, advertise, workers: Some(1), ..config() }).await;
        (hall, wire)
    }

    /// Opens a server with one media worker at `media`, whose clients are told to send to `front`.
    pub async fn open_behind(media: SocketAddr, front: IpAddr) -> Hall {
        Hall::start(Config { media, workers: Some(1), advertise: vec![front], ..config() }).await
    }

    /// Opens a server whose configuration is changed first.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Hall {
        let mut config = config();
        change(&mut config);
        Hall::start(config).await
    }

    async fn start(config: Config) -> Hall {
        // RUST_LOG shows what happens inside; the second test to come finds it set already.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        Hall { server: Server::start(config).await.unwrap() }
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.http()
    }

    /// Lets others in at one more address.
    pub async fn let_in(&mut self, address: IpAddr, identity: &Identity) {
        self.server.open(address, identity).await.unwrap();
    }

    /// Lets nobody else in there.
    pub async fn shut_out(&mut self) {
        self.server.close().await;
    }

    /// Stops it.
    pub async fn stop(self, cause: confab_protocol::ExitCause) {
        self.server.stop(cause).await;
    }

    /// What somebody enters a numbered room with.
    pub fn params(&self, user: &str, room: i64) -> RawEnterParams {
        RawEnterParams {
            server: Some(self.url()),
            sdk_app_id: Some(i64::from(APP)),
            user_id: Some(user.into()),
            user_sig: Some(sign(APP, KEY, user)),
            room_id: Some(room),
            ..RawEnterParams::default()
        }
    }

    /// What somebody enters a named room with.
    pub fn text_params(&self, user: &str, room: &str) -> RawEnterParams {
        RawEnterParams { room_id: None, str_room_id: Some(room.into()), ..self.params(user, 0) }
    }

    /// Puts somebody out, as an operator's program does.
    pub async fn remove(&self, room: u32, user: &str) -> Value {
        self.ask("RemoveUser", &json!({"SdkAppId": APP, "RoomId": room, "UserIds": [user]})).await
    }

    /// Ends a room, as an operator's program does.
    pub async fn dismiss(&self, room: u32) -> Value {
        self.ask("DismissRoom", &json!({"SdkAppId": APP, "RoomId": room})).await
    }

    /// A signed request of Tencent's API 3.0.
    async fn ask(&self, action: &str, body: &Value) -> Value {
        let (body, now) = (body.to_string(), unix_now());
        let host = self.server.http().to_string();
        let date = time::OffsetDateTime::from_unix_timestamp(now as i64).unwrap().date().to_string();
        let canonical = format!(
            "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
            hex(&Sha256::digest(&body))
        );
        let scope = format!("{date}/trtc/tc3_request");
        let to_sign =
            format!("TC3-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let key = ["trtc", "tc3_request"]
            .iter()
            .fold(mac(format!("TC3{CLOUD_KEY}").as_bytes(), &date), |key, part| mac(&key, part));
        let signature = hex(&mac(&key, &to_sign));
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={CLOUD_ID}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
        );
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(self.url())
            .header("Content-Type", "application/json")
            .header("X-TC-Action", action)
            .header("X-TC-Version", "2019-07-22")
            .header("X-TC-Timestamp", now)
            .header("Authorization", authorization)
            .body(body);
        let answer = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()["Response"].take()
    }
}

/// Free ports on loopback.
fn config() -> Config {
    Config {
        http: "127.0.0.1:0".parse().unwrap(),
        media: "127.0.0.1:0".parse().unwrap(),
        app: vec![AppConfig::new(APP, KEY), AppConfig::new(OTHER_APP, OTHER_KEY)],
        cloud_key: vec![CloudKey { id: CLOUD_ID.into(), key: CLOUD_KEY.into() }],
        ..Config::default()
    }
}

/// A UserSig that is good for an hour.
pub fn sign(app: u32, key: &str, user: &str) -> String {
    user_sig::sign(SdkAppId(app), key, user, 3600, unix_now(), None)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
