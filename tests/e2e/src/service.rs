//! The server as a program of its own, and what its operator can do.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use confab_protocol::{SdkAppId, user_sig};
use hmac::{Hmac, KeyInit, Mac};
use rooms::Lossy;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use time::OffsetDateTime;

use crate::program::{built, client};
use crate::{LOG, complaints};

/// The application that everybody in the tests belongs to.
pub const APP: u32 = 1_400_000_001;
const KEY: &str = "the secret of the application in the tests";
const CLOUD: (&str, &str) = ("AKIDe2e", "the secret of the operator in the tests");

/// A free port of this computer.
const FREE: &str = "127.0.0.1:0";

/// A server of our own, the program, and its operator. It is ended when dropped.
#[derive(Debug)]
pub struct Service {
    server: Child,
    url: String,
    log: NamedTempFile,
    client: reqwest::Client,
}

impl Service {
    /// Starts a server on free ports of this computer.
    pub async fn start() -> Result<Self> {
        Self::start_with(|command| command).await
    }

    /// The same, with its command changed.
    pub async fn start_with(change: impl FnOnce(Command) -> Command) -> Result<Self> {
        Self::run(change(Self::listening(FREE, FREE)))
    }

    /// Starts a server whose media clients reach over a wire on which packets can be lost.
    pub async fn behind(wire: &Lossy) -> Result<Self> {
        let mut command = Self::listening(FREE, &wire.media().to_string());
        command.arg("--advertise").arg(wire.advertise().to_string());
        Self::run(command)
    }

    /// Starts a server at the address of one that has ended, which believes nobody from before.
    pub async fn stranger(address: &str) -> Result<Self> {
        let mut command = Self::listening(address, FREE);
        command.env("CONFAB_APP", format!("{APP}:the secret of a stranger"));
        Self::run(command)
    }

    fn listening(http: &str, media: &str) -> Command {
        let mut command = Command::new(built("confab-server"));
        // With this flag it says where it listens.
        command.args(["--dev", "--http", http, "--media", media, "--workers", "1"]);
        command.env("CONFAB_APP", format!("{APP}:{KEY}"));
        command.env("CONFAB_CLOUD_KEY", format!("{}:{}", CLOUD.0, CLOUD.1)).env("CONFAB_LOG", LOG);
        command
    }

    fn run(mut command: Command) -> Result<Self> {
        let (log, client) = (NamedTempFile::new()?, client()?);
        let output = File::options().append(true).open(log.path())?;
        let mut server = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(output)
            .spawn()
            .context("cannot start confab-server")?;
        let mut greeting = String::new();
        // It stays open: the rest is still to come, and a program that nobody reads ends.
        BufReader::new(server.stdout.as_mut().context("it says nothing")?).read_line(&mut greeting)?;
        let mut service = Self { server, url: String::new(), log, client };
        let url = greeting.trim().strip_prefix("Confab is at ");
        service.url =
            url.with_context(|| format!("the server did not start: {}", service.said()))?.to_owned();
        Ok(service)
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.server.id()
    }

    /// What its log complains about so far.
    pub fn complaints(&self) -> Result<Vec<String>> {
        complaints(&std::fs::read_to_string(self.log.path())?)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
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
    pub async fn stop(mut self) {
        let id = self.server.id().to_string();
        // Both fail only if it has ended already.
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = tokio::task::spawn_blocking(move || self.server.wait()).await;
    }

    async fn operate(&self, action: &str, parameters: Value) -> Result<()> {
        let body = parameters.to_string();
        let (host, seconds) = (self.address(), now()?);
        let answer: Value = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-tc-action", action)
            .header("x-tc-version", "2019-07-22")
            .header("x-tc-timestamp", seconds)
            .header("authorization", authorization(host, &body, seconds)?)
            .body(body)
            .send()
            .await?
            .json()
            .await?;
        ensure!(answer["Response"]["Error"].is_null(), "{action}: {answer}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
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
