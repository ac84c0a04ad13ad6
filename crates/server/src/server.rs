//! A running server: the port, the tasks behind it, and their end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use confab_protocol::{ExitCause, Notice};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::{Config, ConfigError};
use crate::control::{Control, Issuer};
use crate::engine::{Engine, EngineEvent};
use crate::http::{self, Shared};
use crate::metrics::Metrics;
use crate::sfu::{Embedded, EmbeddedConfig};
use crate::ws;

/// Engine events that may wait for the room service.
const EVENTS: usize = 1024;
/// How long everybody is told that the server stops.
const FAREWELL: Duration = Duration::from_millis(1500);
/// How long requests in flight may take after that.
const LAST_REQUESTS: Duration = Duration::from_millis(500);
/// How long [`Server::stop`] waits for all of it.
const STOP: Duration = Duration::from_millis(2500);

/// A running server. Dropping it stops it without waiting; [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    http: SocketAddr,
    stop: oneshot::Sender<ExitCause>,
    done: JoinHandle<()>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The operator has to change the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another program has the port; stop it or take another port, then start again.
    #[error(
        "{what} port {} on {} is already in use; stop the program that has it, or choose another port with `{setting}` (flag --{setting})",
        address.port(), address.ip()
    )]
    PortInUse {
        /// `HTTP` or `media`.
        what: &'static str,
        /// The port that was asked for.
        address: SocketAddr,
        /// The field of the configuration.
        setting: &'static str,
    },
    /// The address is not this machine's, or may not be used.
    #[error(
        "{what} cannot listen on {address}: {refusal}; choose another address with `{setting}` (flag --{setting})"
    )]
    Listen {
        /// `HTTP` or `media`.
        what: &'static str,
        /// The address that was asked for.
        address: SocketAddr,
        /// The field of the configuration.
        setting: &'static str,
        /// What the system said.
        refusal: io::Error,
    },
    /// The machine has no thread left for the server.
    #[error("the server's threads could not be started: {0}")]
    Threads(io::Error),
}

impl StartError {
    /// Workers have a port each; the SFU's error names the one that it could not have.
    fn media(first: SocketAddr, source: io::Error) -> StartError {
        let text = source.to_string();
        let named = text.split_whitespace().find_map(|word| word.trim_end_matches(':').parse().ok());
        StartError::listen("media", "media", named.unwrap_or(first), source)
    }

    pub(crate) fn listen(
        what: &'static str,
        setting: &'static str,
        address: SocketAddr,
        source: io::Error,
    ) -> StartError {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::PortInUse { what, address, setting }
        } else {
            StartError::Listen { what, address, setting, refusal: source }
        }
    }
}

impl Server {
    /// Starts a server with the embedded SFU on the current tokio runtime.
    pub async fn start(config: Config) -> Result<Server, StartError> {
        Server::assemble(config, |config, events| {
            let embedded = EmbeddedConfig {
                media: config.media,
                workers: config.workers,
                advertise: config.advertise.clone(),
            };
            let started = Embedded::start(&embedded, &events);
            let engine = Arc::new(started.map_err(|error| StartError::media(config.media, error))?);
            let of_signalling = Arc::clone(&engine);
            let routes = move |shared: &Arc<Shared>| {
                let keys: Arc<dyn ws::TokenKeys> = Arc::clone(shared) as _;
                let admit: Arc<dyn ws::Admit> = Arc::clone(shared) as _;
                ws::routes(ws::State { engine: of_signalling, keys, admit })
            };
            Ok((engine as Arc<dyn Engine>, routes))
        })
        .await
    }

    /// Where HTTP listens; the real port where the configuration had port 0.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The address that a client on this machine uses.
    pub fn url(&self) -> String {
        url_of(self.http)
    }

    /// Tells everybody, finishes requests in flight and ends; at most 2.5 s. People are out of their
    /// rooms with that cause, unless it is [`ExitCause::ServerStopped`]: then their clients look for the
    /// server until it is back.
    pub async fn stop(self, cause: ExitCause) {
        // A server that has ended by itself needs no word.
        let _ = self.stop.send(cause);
        if tokio::time::timeout(STOP, self.done).await.is_err() {
            warn!("the server did not stop in time");
        }
    }

    /// Binds the port, then puts a server together around an engine; `engine` makes it and says
    /// which routes signalling has.
    pub(crate) async fn assemble<E, R>(config: Config, engine: E) -> Result<Server, StartError>
    where
        E: FnOnce(&Config, mpsc::Sender<EngineEvent>) -> Result<(Arc<dyn Engine>, R), StartError>,
        R: FnOnce(&Arc<Shared>) -> Router,
    {
        config.check()?;
        let wanted = config.http;
        let refused = |source| StartError::listen("HTTP", "http", wanted, source);
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let http = listener.local_addr().map_err(refused)?;
        let (events_in, events) = mpsc::channel(EVENTS);
        let (engine, routes) = engine(&config, events_in)?;
        let rooms = CancellationToken::new();
        let (control, control_task) = Control::start(events, rooms.clone());
        let (issuer, metrics) = (Issuer::random(), Metrics::new());
        let shared = Arc::new(Shared { config, control, engine: Arc::clone(&engine), issuer, metrics });
        let router = http::router(Arc::clone(&shared), routes(&shared));
        info!(%http, apps = shared.config.app.len(), "server started");
        let (stop, stopped) = oneshot::channel();
        let done = tokio::spawn(async move {
            run(listener, router, engine, stopped).await;
            rooms.cancel();
            // The task holds no lock and ends on the token; a panic in it was logged already.
            let _ = control_task.await;
        });
        Ok(Server { http, stop, done })
    }
}

/// Serves until told to stop, then lets people and requests go in that order.
async fn run(
    listener: TcpListener,
    router: Router,
    engine: Arc<dyn Engine>,
    stopped: oneshot::Receiver<ExitCause>,
) {
    let (accepting, connections) = (CancellationToken::new(), TaskTracker::new());
    let accept = tokio::spawn(http::serve(listener, router, accepting.clone(), connections.clone()));
    // A dropped server was not stopped by anybody in particular.
    let cause = stopped.await.unwrap_or(ExitCause::ServerStopped);
    info!(?cause, "server stops");
    // A server that stops may come back, a host who stops does not: only the latter ends the stay.
    let notice = (cause != ExitCause::ServerStopped).then(|| Notice::exit(cause, None));
    match tokio::time::timeout(FAREWELL, engine.shutdown(notice)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "the engine did not stop cleanly"),
        Err(_) => warn!("not everybody could be told that the server stops"),
    }
    accepting.cancel();
    if accept.await.is_err() {
        warn!("the task that accepts connections had failed");
    }
    connections.close();
    if tokio::time::timeout(LAST_REQUESTS, connections.wait()).await.is_err() {
        warn!(open = connections.len(), "connections were still busy");
    }
}

/// An address as a client on this machine names it.
pub(crate) fn url_of(http: SocketAddr) -> String {
    let mut address = http;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}
