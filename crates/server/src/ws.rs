//! LiveKit's signalling endpoint: `/rtc`, `/rtc/validate`, and a plain 404 for `/rtc/v1`.
//!
//! A connection's task carries messages between the websocket and the participant's worker and
//! knows nothing of rooms. Both directions are bounded: who does not read is closed.

mod carry;
pub(crate) mod gate;

pub(crate) use gate::bearer;

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use confab_signal::{Claims, limit};

use crate::engine::Permission;
use crate::happening::ClientInfo;
use crate::proxy::Caller;
use crate::sfu::Embedded;

/// What is read at once, bytes. Most messages are smaller, and the buffer grows for one that is not; the
/// library's own size of 128 KiB would be most of what somebody costs who is in.
const READ_BUFFER: usize = 4 * 1024;

/// Finds the secret that belongs to a token's issuer.
pub trait TokenKeys: Send + Sync + Debug {
    /// The secret of API key `issuer`, if there is such a key.
    fn secret(&self, issuer: &str) -> Option<String>;
}

/// Decides about somebody whose token is good, before the websocket is accepted.
#[async_trait]
pub trait Admit: Send + Sync + Debug {
    /// Whether `identity` may join `room` now, and on which terms; it is not the token's own for a
    /// second connection that only sends. Also asked when a websocket resumes.
    async fn admit(
        &self,
        room: &str,
        identity: &str,
        claims: &Claims,
        client: ClientInfo,
    ) -> Result<Admission, Refusal>;

    /// Somebody at that address has shown a token that is not good; what to answer in place of the reason
    /// where that has been told often enough.
    fn wrong_token(&self, from: Option<IpAddr>) -> Option<Refusal>;
}

/// The terms on which somebody joins.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// The number of the entry by which they come, if the room service let them in.
    pub ticket: Option<u64>,
    /// How long the seat is kept after the connection was lost.
    pub seat: Duration,
    /// How many people may send in the room, where the room service has rules for it.
    pub publishing: Option<u32>,
    /// Replaces what the token allows.
    pub permission: Option<Permission>,
    /// Attributes on top of the token's.
    pub attributes: HashMap<String, String>,
}

impl Admission {
    /// A seat of somebody who came by `/v1/enter` is kept this long.
    pub const ENTERED_SEAT: Duration = Duration::from_secs(90);
    /// The seat of any other LiveKit client is kept this long.
    pub const PLAIN_SEAT: Duration = Duration::from_secs(5);

    /// A client that came with nothing but a LiveKit token.
    pub fn plain() -> Admission {
        Admission {
            ticket: None,
            seat: Self::PLAIN_SEAT,
            publishing: None,
            permission: None,
            attributes: HashMap::new(),
        }
    }
}

/// Why somebody may not join; they get it as the answer to their request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Plain text; LiveKit's clients show it, and expect that of a 401 to begin "unauthorized".
    pub message: String,
}

impl Refusal {
    /// No good token.
    pub fn unauthorized(why: impl std::fmt::Display) -> Refusal {
        Refusal { status: 401, message: format!("unauthorized: {why}") }
    }

    fn bad_request(why: impl std::fmt::Display) -> Refusal {
        Refusal { status: 400, message: why.to_string() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], self.message).into_response()
    }
}

/// What the routes need.
#[derive(Debug, Clone)]
pub struct State {
    /// Where participants go.
    pub engine: Arc<Embedded>,
    /// Verifies tokens.
    pub keys: Arc<dyn TokenKeys>,
    /// Decides who comes in.
    pub admit: Arc<dyn Admit>,
}

/// The signalling routes. Cross-origin headers are the caller's: they are the same for every route.
pub fn routes(state: State) -> Router {
    Router::new()
        .route("/rtc", any(rtc))
        .route("/rtc/", any(rtc))
        .route("/rtc/validate", any(validate))
        .route("/rtc/v1", any(not_here))
        .route("/rtc/v1/{*rest}", any(not_here))
        .with_state(state)
}

/// Clients try the single-connection protocol first and fall back on a plain 404. The text must not
/// say that a room does not exist: browsers take that for a refusal.
async fn not_here() -> Response {
    (StatusCode::NOT_FOUND, "not found").into_response()
}

async fn validate(
    Shared(state): Shared<State>,
    from: Option<Extension<Caller>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<&'static str, Refusal> {
    gate::pass(&state, &headers, query.as_deref().unwrap_or_default(), address(from)).await?;
    Ok("success")
}

fn address(from: Option<Extension<Caller>>) -> Option<IpAddr> {
    from.map(|Extension(caller)| caller.address)
}

async fn rtc(
    Shared(state): Shared<State>,
    from: Option<Extension<Caller>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // Without an upgrade there is nothing here; LiveKit's servers answer the same.
    let Ok(upgrade) = upgrade else { return not_here().await };
    match gate::pass(&state, &headers, query.as_deref().unwrap_or_default(), address(from)).await {
        Ok(entrance) => upgrade
            .read_buffer_size(READ_BUFFER)
            .max_message_size(limit::MESSAGE)
            .max_frame_size(limit::MESSAGE)
            .on_upgrade(move |socket| carry::serve(socket, state.engine, entrance)),
        Err(refusal) => {
            tracing::info!(status = refusal.status, reason = refusal.message, "join refused");
            refusal.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
