//! The one HTTP port: what answers where.

pub(crate) mod admit;
mod body;
mod guard;
mod invite;
mod join_page;
mod object;
pub(crate) mod openapi;
mod origin;
mod role;
mod room;
mod serve;
mod session;
mod ticket;
pub(crate) mod v1;
mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};
use serde_json::json;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tracing::debug;

use crate::attempts::Attempts;
use crate::config::{Config, Door};
use crate::control::{Control, Issuer};
use crate::listeners::Listeners;
use crate::metrics::Metrics;
use crate::proxy::{Caller, Network};
use crate::rest;

pub(crate) use body::{BodyError, read};
pub(crate) use guard::Guard;
pub(crate) use object::{ObjectError, object};
pub(crate) use serve::{Encrypted, Listener, serve};

/// What every request may need.
#[derive(Debug)]
pub(crate) struct Shared {
    config: RwLock<Arc<Config>>,
    pub(crate) control: Control,
    pub(crate) issuer: Issuer,
    pub(crate) metrics: Metrics,
    /// How often cloud keys ask.
    pub(crate) limit: Mutex<rest::Limit>,
    /// Who has shown wrong signatures, tokens and passcodes.
    pub(crate) attempts: Mutex<Attempts>,
    /// The room service tells them; handlers ask the history.
    pub(crate) listeners: Listeners,
}

impl Shared {
    /// What may be asked of a server with that configuration.
    pub(crate) fn new(
        config: Config,
        control: Control,
        issuer: Issuer,
        metrics: Metrics,
        listeners: Listeners,
    ) -> Shared {
        let (config, limit, attempts) = (RwLock::new(Arc::new(config)), Mutex::default(), Mutex::default());
        Shared { config, control, issuer, metrics, limit, attempts, listeners }
    }

    /// What the server was told, as it holds now.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What guests have to say, and whether those who come wait, from now on.
    pub(crate) fn set_door(&self, door: &Door) {
        let mut config = self.config.write().unwrap_or_else(PoisonError::into_inner);
        for app in &mut Arc::make_mut(&mut config).app {
            app.passcode.clone_from(&door.passcode);
            app.waiting_room = door.waiting_room;
        }
    }
}

/// Everything on the port; `ws` is the signalling.
pub(crate) fn router(shared: Arc<Shared>, ws: Router) -> Router {
    // Browsers of any origin may come: what lets somebody in is a signature or token, never a cookie.
    // `/v1`, which gives these out, looks itself whose page asks; see `origin`. A server without a name
    // is a person's computer, about which other pages learn nothing.
    let nameless = shared.config().nameless;
    let proxies: Arc<[Network]> = shared.config().proxies.as_slice().into();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request());
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .with_state(shared)
        .merge(ws)
        .layer(middleware::from_fn_with_state(proxies, introduce))
        .layer(middleware::from_fn(log));
    if nameless { router } else { router.layer(cors) }
}

/// What answers where beside signalling; `openapi` describes each.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<Shared>>); 10] {
    [
        ("/", any(rest::answer)),
        ("/v1/enter", post(v1::enter)),
        ("/v1/role", post(role::role)),
        ("/v1/room/invite", post(invite::invite)),
        ("/v1/room/{action}", post(room::act)),
        ("/v1/ticket", post(ticket::ticket)),
        ("/v1/openapi.json", get(openapi::describe)),
        ("/healthz", get(health)),
        ("/join", get(join_page::page)),
        ("/metrics", get(metrics)),
    ]
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

/// Says who asks, for everything behind. A connection without an address is none from a network.
async fn introduce(State(proxies): State<Arc<[Network]>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let encrypted = request.extensions().get::<Encrypted>().is_some();
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let caller = Caller::of(peer, encrypted, request.headers(), &proxies);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The query stays out: LiveKit's JavaScript client puts its token there.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begin = Instant::now();
    let response = next.run(request).await;
    debug!(%method, path, status = response.status().as_u16(), took = ?begin.elapsed(), "answered");
    response
}
