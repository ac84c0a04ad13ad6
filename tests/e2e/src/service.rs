use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use confab_protocol::{ExitCause, SdkAppId, user_sig};
use confab_server::{AppConfig, CloudKey, Config, Server};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// The application that everybody in the tests belongs to.
pub const APP: u32 = 1_400_000_001;
const KEY: &str = "the secret of the application in the tests";
const CLOUD: (&str, &str) = ("AKIDe2e", "the secret of the operator in the tests");

/// A server of our own and its operator.
#[derive(Debug)]
pub struct Service {
    server: Server,
    client: reqwest::Client,
}

impl Service {
    /// Starts a server on free ports of this computer.
    pub async fn start() -> Result<Self> {
        let config = Config {
            http: ([127, 0, 0, 1], 0).into(),
            media: ([127, 0, 0, 1], 0).into(),
            workers: Some(1),
            app: vec![AppConfig::new(APP, KEY)],
            cloud_key: vec![CloudKey { id: CLOUD.0.to_owned(), key: CLOUD.1.to_owned() }],
            ..Config::default()
        };
        let server = Server::start(config).await?;
        Ok(Self { server, client: reqwest::Client::builder().no_proxy().build()? })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A signature for somebody, good for an hour.
    pub fn user_sig(user: &str) -> Result<String> {
        Ok(user_sig::sign(SdkAppId(APP), KEY, user, 3600, now()?, None))
    }

    /// A signature for somebody that has been over for an hour.
    pub fn expired_sig(user: &str) -> Result<String> {
        Ok(user_sig::sign(SdkAppId(APP), KEY, user, 3600, now()? - 7200, None))
    }

    /// A signature for somebody, made with another key.
    pub fn forged_sig(user: &str) -> Result<String> {
        Ok(user_sig::sign(SdkAppId(APP), "the secret of somebody else", user, 3600, now()?, None))
    }

    /// What somebody enters a room with; `room` is a number or a text.
    pub fn entry(&self, user: &str, room: &Value) -> Result<Value> {
        let field = if room.is_number() { "roomId" } else { "strRoomId" };
        Ok(json!({
            "server": self.url(), "sdkAppId": APP, "userId": user, "userSig": Self::user_sig(user)?,
            "name": user, "scene": "videoCall", (field): room,
        }))
    }

    /// Takes somebody out of a room, as the operator.
    pub async fn remove(&self, room: &Value, user: &str) -> Result<()> {
        let action = if room.is_number() { "RemoveUser" } else { "RemoveUserByStrRoomId" };
        self.operate(action, json!({ "SdkAppId": APP, "RoomId": room, "UserIds": [user] })).await
    }

    /// Ends a room, as the operator.
    pub async fn dismiss(&self, room: &Value) -> Result<()> {
        let action = if room.is_number() { "DismissRoom" } else { "DismissRoomByStrRoomId" };
        self.operate(action, json!({ "SdkAppId": APP, "RoomId": room })).await
    }

    /// Tells everybody and ends.
    pub async fn stop(self) {
        self.server.stop(ExitCause::ServerStopped).await;
    }

    async fn operate(&self, action: &str, parameters: Value) -> Result<()> {
        let body = parameters.to_string();
        let (host, seconds) = (self.server.http().to_string(), now()?);
        let answer: Value = self
            .client
            .post(self.url())
            .header("content-type", "application/json")
            .header("x-tc-action", action)
            .header("x-tc-version", "2019-07-22")
            .header("x-tc-timestamp", seconds)
            .header("authorization", authorization(&host, &body, seconds)?)
            .body(body)
            .send()
            .await?
            .json()
            .await?;
        ensure!(answer["Response"]["Error"].is_null(), "{action}: {answer}");
        Ok(())
    }
}

/// TC3-HMAC-SHA256 over a POST to `/`, as Tencent Cloud's SDKs sign it.
fn authorization(host: &str, body: &str, seconds: u64) -> Result<String> {
    let date = OffsetDateTime::from_unix_timestamp(seconds.try_into()?)?.date().to_string();
    let scope = format!("{date}/trtc/tc3_request");
    let request = format!(
        "POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{}",
        hex(&Sha256::digest(body))
    );
    let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", hex(&Sha256::digest(request)));
    let secret = hmac(format!("TC3{}", CLOUD.1).as_bytes(), &date)?;
    let key = hmac(&hmac(&secret, "trtc")?, "tc3_request")?;
    let signature = hex(&hmac(&key, &text)?);
    Ok(format!(
        "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
        CLOUD.0
    ))
}

fn hmac(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).context("a key of this length")?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
