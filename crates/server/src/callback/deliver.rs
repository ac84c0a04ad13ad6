//! The task of one app: sends what its line says, and tells the line how that went.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_protocol::RoomId;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::{Client, StatusCode, Url, header};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::rule::Then;
use super::{Queue, body};
use crate::clock::unix_ms;
use crate::config::CallbackConfig;
use crate::happening::Happening;

/// How long a receiver may take for its answer (TRTC).
const PATIENCE: Duration = Duration::from_secs(5);
/// As much of an answer is read, so that its connection can be used again.
const ANSWER: usize = 4096;

/// Where an app's callbacks go and what they are signed with.
pub(super) struct Receiver {
    client: Client,
    app: u32,
    url: Url,
    key: String,
}

/// Why a callback did not arrive. Holds no address, which may be a secret.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("it answered with status {0} instead of 200")]
    Status(u16),
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
}

impl Receiver {
    /// None, which is logged, where no client can be made.
    pub(super) fn new(app: u32, to: &CallbackConfig) -> Option<Receiver> {
        let url = Url::parse(&to.url).ok()?;
        // No proxy reaches this machine's own loopback.
        let own = url.host_str().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("confab-server/", env!("CARGO_PKG_VERSION")));
        let client = if own { client.no_proxy() } else { client };
        match client.build() {
            Ok(client) => Some(Receiver { client, app, url, key: to.key.clone() }),
            Err(error) => {
                error!(app, error = %reason(error), "there are no callbacks: no HTTP client can be made");
                None
            }
        }
    }

    #[cfg(test)]
    pub(super) fn with(app: u32, to: &CallbackConfig, client: Client) -> Receiver {
        Receiver { client, app, url: Url::parse(&to.url).unwrap(), key: to.key.clone() }
    }

    /// Sends one callback once.
    async fn post(&self, happening: &Happening) -> Result<(), Refusal> {
        let body = body::json(happening, unix_ms());
        let request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("Sign", body::sign(&self.key, &body))
            .header("SdkAppId", self.app)
            .body(body);
        let failed = |error: reqwest::Error| match error.is_timeout() {
            true => Refusal::TooSlow,
            false => Refusal::Unreachable(reason(error)),
        };
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(Refusal::Status(status.as_u16()));
        }
        let mut read = 0;
        // The status was the answer; a connection that breaks now is only not used again.
        while let Ok(Some(part)) = answer.chunk().await {
            read += part.len();
            if read > ANSWER {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.app)
    }
}

/// Delivers until it is dropped, or after `last` until nothing more can be sent at once.
pub(super) async fn run(queue: Arc<Queue>, receiver: Receiver, last: CancellationToken) {
    let mut sent = FuturesUnordered::new();
    let mut failing = false;
    loop {
        let deadline = {
            let mut line = queue.line();
            while let Some(happening) = line.next(Instant::now()) {
                sent.push(send(&receiver, happening));
            }
            if last.is_cancelled() && line.is_idle(Instant::now()) {
                return;
            }
            line.deadline()
        };
        let due = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((room, result)) = sent.next(), if !sent.is_empty() => {
                let then = queue.line().done(&room, result.is_ok(), Instant::now());
                account(&queue, then, result.err(), &mut failing);
            }
            () = queue.told.notified() => {}
            () = due => {}
            () = last.cancelled(), if !last.is_cancelled() => {}
        }
    }
}

async fn send(receiver: &Receiver, happening: Arc<Happening>) -> (RoomId, Result<(), Refusal>) {
    let result = receiver.post(&happening).await;
    (happening.room.clone(), result)
}

/// Counts what became of a callback; the log hears of the first failure and of the end of failing.
fn account(queue: &Queue, then: Then, refusal: Option<Refusal>, failing: &mut bool) {
    let app = queue.app;
    queue.count(match then {
        Then::Delivered => "delivered",
        Then::Again => "failed",
        Then::GivenUp => "given_up",
    });
    match refusal {
        None if *failing => {
            *failing = false;
            info!(%app, "the receiver of callbacks takes them again");
        }
        None => {}
        Some(reason) if then == Then::GivenUp => {
            warn!(%app, %reason, "a callback was given up after a minute")
        }
        Some(reason) if !*failing => {
            *failing = true;
            warn!(%app, %reason, "a callback did not arrive and is tried again");
        }
        Some(reason) => debug!(%app, %reason, "a callback did not arrive"),
    }
}

/// The innermost reason of an error, without the address.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
