//! The one HTTP port: what answers where.

mod admit;
mod body;
mod serve;
mod ticket;
mod v1;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::json;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tracing::debug;

use crate::config::Config;
use crate::control::{Control, Issuer};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::rest;

pub(crate) use body::{BodyError, read};
pub(crate) use serve::serve;

/// What every request may need.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) control: Control,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) issuer: Issuer,
    pub(crate) metrics: Metrics,
}

/// Everything on the port; `ws` is the signalling.
pub(crate) fn router(shared: Arc<Shared>, ws: Router) -> Router {
    // Browsers of any origin may come: what lets somebody in is a signature, never a cookie. Tickets for
    // guests, which need none, are kept from other pages where they are given.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request());
    Router::new()
        .route("/", any(rest::answer))
        .route("/v1/enter", post(v1::enter))
        .route("/v1/role", post(v1::role))
        .route("/v1/ticket", post(ticket::ticket))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(shared)
        .merge(ws)
        .layer(middleware::from_fn(log))
        .layer(cors)
}

/// Unix time in seconds.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    match shared.control.with(|rooms, _| rooms.census()).await {
        Ok(census) => {
            Json(json!({ "status": "ok", "rooms": census.rooms, "people": census.present })).into_response()
        }
        Err(stopped) => (axum::http::StatusCode::SERVICE_UNAVAILABLE, stopped.to_string()).into_response(),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let census = shared.control.with(|rooms, _| rooms.census()).await.unwrap_or_default();
    let mut response = Response::new(shared.metrics.text(census).into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Metrics::CONTENT_TYPE));
    response
}

/// The query stays out: LiveKit's JavaScript client puts its token there.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begin = Instant::now();
    let response = next.run(request).await;
    debug!(%method, path, status = response.status().as_u16(), took = ?begin.elapsed(), "answered");
    response
}
