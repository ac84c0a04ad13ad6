//! Rooms to measure in, and waiting for what happens there.

use anyhow::Context;
use confab_media::{SpeakerSink, VideoConfig};
use confab_protocol::{Event, ExitCause, RawEnterParams, SdkAppId, user_sig};
use confab_server::{AppConfig, Config, Server};
use confab_session::{Receive, SessionConfig};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// The application of everybody who is measured, and its key.
pub const APP: u32 = 1_400_000_001;
pub const KEY: &str = "benchmark";
/// How long anything may take before a benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A real server on loopback.
#[derive(Debug)]
pub struct Hall(Server);

impl Hall {
    /// Opens it on ports of its own.
    pub async fn open() -> anyhow::Result<Self> {
        let loopback = "127.0.0.1:0".parse()?;
        let app = vec![AppConfig::new(APP, KEY)];
        let config = Config { http: loopback, media: loopback, app, ..Config::default() };
        Ok(Self(Server::start(config).await?))
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// What somebody enters a numbered room with.
    pub fn params(&self, user: &str, room: i64) -> RawEnterParams {
        params(&self.url(), user, room)
    }

    /// Stops it.
    pub async fn stop(self) {
        self.0.stop(ExitCause::ServerStopped).await;
    }
}

/// What somebody enters a numbered room of a [`Hall`] with, wherever it runs.
pub fn params(url: &str, user: &str, room: i64) -> RawEnterParams {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    RawEnterParams {
        server: Some(url.into()),
        sdk_app_id: Some(i64::from(APP)),
        user_id: Some(user.into()),
        user_sig: Some(user_sig::sign(SdkAppId(APP), KEY, user, 3600, now, None)),
        room_id: Some(room),
        ..RawEnterParams::default()
    }
}

/// A client that is heard by nobody and plays to nobody.
pub fn quiet() -> SessionConfig {
    with_video(VideoConfig::default())
}

/// The same with a picture of its own.
pub fn with_video(video: VideoConfig) -> SessionConfig {
    SessionConfig { agent: "bench".into(), receive: Receive::All, video, speaker: SpeakerSink::Null }
}

/// Waits for the next event for which `pick` gives something.
pub async fn event<T>(
    events: &mut mpsc::Receiver<Event>,
    pick: impl Fn(&Event) -> Option<T>,
) -> anyhow::Result<T> {
    let wait = async {
        loop {
            let event = events.recv().await.context("the session ended")?;
            if let Some(found) = pick(&event) {
                return Ok(found);
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.context("an event never came")?
}

/// Waits until the room is entered; the milliseconds that it took.
#[expect(clippy::wildcard_enum_match_arm, reason = "one event is waited for")]
pub async fn entered(events: &mut mpsc::Receiver<Event>) -> anyhow::Result<i64> {
    let result = event(events, |event| match event {
        Event::OnEnterRoom { result } => Some(*result),
        _ => None,
    });
    let result = result.await?;
    anyhow::ensure!(result > 0, "the room was not entered: {result}");
    Ok(result)
}

/// Waits until the room is left.
pub async fn left(events: &mut mpsc::Receiver<Event>) -> anyhow::Result<()> {
    event(events, |event| matches!(event, Event::OnExitRoom { .. }).then_some(())).await
}
