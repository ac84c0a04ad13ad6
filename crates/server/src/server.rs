//! A running server: the port, the tasks behind it, and their end.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use confab_protocol::{ExitCause, Notice};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::{Config, ConfigError, Door};
use crate::control::{Control, Issuer, Rooms};
use crate::engine::{Engine, EngineEvent, ListenError, MediaPort, Translated};
use crate::history::HistoryError;
use crate::http::{self, Listener, Shared};
use crate::identity::{Identity, IdentityError};
use crate::listeners::Listeners;
use crate::metrics::Metrics;
use crate::sfu::{Embedded, EmbeddedConfig};
use crate::tls::{Certificates, TlsError};
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
    encrypted: bool,
    shared: Arc<Shared>,
    engine: Arc<dyn Engine>,
    router: Router,
    connections: TaskTracker,
    /// Cancelled when no connection comes in any more.
    accepting: CancellationToken,
    /// What lets other computers in, by where it listens.
    open: HashMap<SocketAddr, Open>,
    stop: oneshot::Sender<ExitCause>,
    done: JoinHandle<()>,
}

/// A listener for other computers.
#[derive(Debug)]
struct Open {
    /// Cancelled when it is to end.
    accepting: CancellationToken,
    listener: JoinHandle<()>,
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
        /// `HTTP`, `media` or `TCP media`.
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
        /// `HTTP`, `media` or `TCP media`.
        what: &'static str,
        /// The address that was asked for.
        address: SocketAddr,
        /// The field of the configuration.
        setting: &'static str,
        /// What the system said.
        refusal: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The files with the certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The machine has no thread left for the server.
    #[error("the server's threads could not be started: {0}")]
    Threads(io::Error),
}

impl StartError {
    /// Workers have a port each; the error names the one that could not be had.
    fn media(error: ListenError) -> StartError {
        let what = if error.tcp { "TCP media" } else { "media" };
        StartError::listen(what, "media", error.address, error.refusal)
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
                tcp: config.media_tcp,
            };
            let started = Embedded::start(&embedded, &events);
            let engine = Arc::new(started.map_err(StartError::media)?);
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
        url_of(self.http, self.encrypted)
    }

    /// Lets other computers in at one of this machine's addresses, by encrypted connections only, on
    /// the port that the server has. May be called for several addresses; answers where it listens.
    pub async fn open(&mut self, address: IpAddr, identity: &Identity) -> Result<SocketAddr, StartError> {
        self.open_at(SocketAddr::new(address, self.http.port()), identity).await
    }

    /// The same on a port of the address's own; port 0 takes a free one. Media takes any port, because
    /// clients are told which.
    pub async fn open_at(
        &mut self,
        wanted: SocketAddr,
        identity: &Identity,
    ) -> Result<SocketAddr, StartError> {
        let refused = |source| StartError::listen("HTTP", "http", wanted, source);
        let tcp = TcpListener::bind(wanted).await.map_err(refused)?;
        let http = tcp.local_addr().map_err(refused)?;
        let media = self.engine.listen(wanted.ip()).await;
        media.map_err(StartError::media)?;
        let listener = Listener { tcp, tls: Some(identity.acceptor()?) };
        let (accepting, connections) = (self.accepting.child_token(), self.connections.clone());
        let serve = http::serve(listener, self.router.clone(), accepting.clone(), connections);
        self.open.insert(http, Open { accepting, listener: tokio::spawn(serve) });
        info!(%http, "open to other computers");
        Ok(http)
    }

    /// Lets nobody else in from other computers; answers when the addresses are free again for HTTP.
    /// Media sockets stay until the server stops, and those who are in a room stay there until they
    /// leave or lose their connection.
    pub async fn close(&mut self) {
        let places: Vec<SocketAddr> = self.open.keys().copied().collect();
        for http in places {
            self.close_at(http).await;
        }
    }

    /// The same at one address, as [`Server::open_at`] answered it; nothing where it is not open.
    pub async fn close_at(&mut self, http: SocketAddr) {
        let Some(Open { accepting, listener }) = self.open.remove(&http) else { return };
        accepting.cancel();
        if listener.await.is_err() {
            warn!(%http, "the task that accepts connections had failed");
        }
        info!(%http, "closed to other computers");
    }

    /// What guests have to say for a signature, and whether those wait who come to a room that is opened
    /// from now on; the same for all applications. Who is in stays in.
    pub fn set_door(&self, door: &Door) {
        self.shared.set_door(door);
    }

    /// Where media comes in at addresses of this machine's own.
    pub async fn media_ports(&self) -> Vec<MediaPort> {
        self.engine.ports().await
    }

    /// Where a translator lets media in from outside; see [`Engine::set_outside`].
    pub async fn set_outside(&self, ports: Vec<Translated>) {
        self.engine.set_outside(ports).await;
    }

    /// Tells everybody, finishes requests in flight and ends; at most 2.5 s. People are out of their
    /// rooms with that cause, unless it is [`ExitCause::ServerStopped`]: then their clients look for the
    /// server until it is back.
    pub async fn stop(mut self, cause: ExitCause) {
        self.close().await;
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
        let certificates = config.tls.as_ref().map(Certificates::read).transpose()?;
        let wanted = config.http;
        let refused = |source| StartError::listen("HTTP", "http", wanted, source);
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let http = listener.local_addr().map_err(refused)?;
        let (issuer, metrics) = (Issuer::random(), Metrics::new());
        let (listeners, listening) = Listeners::start(&config, &metrics).await?;
        let (events_in, events) = mpsc::channel(EVENTS);
        let (engine, routes) = engine(&config, events_in)?;
        let rooms = CancellationToken::new();
        let mut books = Rooms::new(config.limits);
        let kept = listeners.history.kept().await.unwrap_or_default();
        books.restore(kept, Instant::now());
        let (control, control_task) =
            Control::start(books, Arc::clone(&engine), events, Arc::new(listeners.clone()), rooms.clone());
        let apps = config.app.len();
        let shared = Arc::new(Shared::new(config, control, issuer, metrics, listeners));
        let router = http::router(Arc::clone(&shared), routes(&shared));
        info!(%http, apps, "server started");
        let (stop, stopped) = oneshot::channel();
        let (accepting, connections) = (CancellationToken::new(), TaskTracker::new());
        let (encrypted, tls) = (certificates.is_some(), certificates.as_ref().map(Certificates::acceptor));
        let run = Run {
            listener: Listener { tcp: listener, tls },
            certificates,
            router: router.clone(),
            engine: Arc::clone(&engine),
            control: shared.control.clone(),
            accepting: accepting.clone(),
            connections: connections.clone(),
        };
        let done = tokio::spawn(async move {
            run.until(stopped).await;
            rooms.cancel();
            // The task holds no lock and ends on the token; a panic in it was logged already.
            let _ = control_task.await;
            // Nobody is left who tells them anything.
            listening.close().await;
        });
        Ok(Server {
            http,
            encrypted,
            shared,
            engine,
            router,
            connections,
            accepting,
            open: HashMap::new(),
            stop,
            done,
        })
    }
}

/// What the task of a server holds.
struct Run {
    listener: Listener,
    certificates: Option<Certificates>,
    router: Router,
    engine: Arc<dyn Engine>,
    control: Control,
    accepting: CancellationToken,
    connections: TaskTracker,
}

impl Run {
    /// Serves until told to stop, then lets people and requests go in that order.
    async fn until(self, stopped: oneshot::Receiver<ExitCause>) {
        let Run { listener, certificates, router, engine, control, accepting, connections } = self;
        let accept = tokio::spawn(http::serve(listener, router, accepting.clone(), connections.clone()));
        let followed = certificates.map(|files| tokio::spawn(files.follow(accepting.clone())));
        // A dropped server was not stopped by anybody in particular.
        let cause = stopped.await.unwrap_or(ExitCause::ServerStopped);
        info!(?cause, "server stops");
        // A server that stops may come back, a host who stops does not: only the latter ends the stay.
        let notice = (cause != ExitCause::ServerStopped).then(|| Notice::exit(cause, None));
        if notice.is_none() && control.with(|rooms, _| rooms.freeze()).await.is_err() {
            warn!("the room service had ended before the server");
        }
        match tokio::time::timeout(FAREWELL, engine.shutdown(notice)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the engine did not stop cleanly"),
            Err(_) => warn!("not everybody could be told that the server stops"),
        }
        accepting.cancel();
        if accept.await.is_err() {
            warn!("the task that accepts connections had failed");
        }
        if let Some(followed) = followed
            && followed.await.is_err()
        {
            warn!("the task that looks after the certificate had failed");
        }
        connections.close();
        if tokio::time::timeout(LAST_REQUESTS, connections.wait()).await.is_err() {
            warn!(open = connections.len(), "connections were still busy");
        }
    }
}

/// An address as a client on this machine names it.
pub(crate) fn url_of(http: SocketAddr, encrypted: bool) -> String {
    let mut address = http;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{}://{address}", if encrypted { "https" } else { "http" })
}
