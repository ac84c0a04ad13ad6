//! A server on threads of its own, for a program that is not asynchronous itself.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use confab_protocol::ExitCause;
use tokio::sync::mpsc::error::TrySendError;
use tracing::{error, warn};

use crate::config::{Config, Door};
use crate::engine::{MediaPort, Translated};
use crate::identity::Identity;
use crate::server::{Server, StartError, url_of};

/// The name of every thread of a hosted server but the media workers.
const THREAD: &str = "confab-server";
/// Orders that may wait for the server's thread.
const ORDERS: usize = 8;
/// HTTP and the room service are light; media has workers of its own.
const RUNTIME_THREADS: usize = 2;

/// A server that runs in this process on threads of its own. Dropping it stops it with
/// [`ExitCause::HostStopped`] and waits, as [`Hosted::stop`] does.
pub struct Hosted {
    http: SocketAddr,
    orders: Option<tokio::sync::mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// Where other computers are let in, or why not.
type Opened = Result<SocketAddr, StartError>;

/// What the server's thread is told.
enum Order {
    Open {
        http: SocketAddr,
        identity: Arc<Identity>,
        reply: mpsc::SyncSender<Opened>,
    },
    /// At one address, or at all.
    Close {
        http: Option<SocketAddr>,
        reply: mpsc::SyncSender<()>,
    },
    Ports {
        reply: mpsc::SyncSender<Vec<MediaPort>>,
    },
    Outside(Vec<Translated>),
    Door {
        door: Door,
        reply: mpsc::SyncSender<()>,
    },
    Stop(ExitCause),
}

/// Tells a hosted server where it is reached from outside. It holds no server: one that has ended hears
/// nothing.
#[derive(Debug, Clone)]
pub struct Translator(Option<tokio::sync::mpsc::WeakSender<Order>>);

impl Translator {
    /// Media comes in there from now on, and nowhere else from outside; see [`Server::set_outside`].
    pub fn set(&self, ports: Vec<Translated>) {
        let Some(orders) = self.0.as_ref().and_then(tokio::sync::mpsc::WeakSender::upgrade) else { return };
        if let Err(TrySendError::Full(_)) = orders.try_send(Order::Outside(ports)) {
            warn!("the server was not told where it is reached from outside: it is too busy");
        }
    }
}

impl Server {
    /// Starts a server on threads of its own and waits until it listens.
    /// May be called inside or outside of an asynchronous runtime.
    pub fn spawn(config: Config) -> Result<Hosted, StartError> {
        let (started, starting) = mpsc::sync_channel(1);
        let (orders, taken) = tokio::sync::mpsc::channel(ORDERS);
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || host(config, &started, taken))
            .map_err(StartError::Threads)?;
        let ended = || StartError::Threads(std::io::Error::other("the server's thread ended"));
        match starting.recv().unwrap_or_else(|_| Err(ended())) {
            Ok(http) => Ok(Hosted { http, orders: Some(orders), thread: Some(thread) }),
            Err(error) => {
                // It ends by itself after an error.
                let _ = thread.join();
                Err(error)
            }
        }
    }
}

fn host(
    config: Config,
    started: &mpsc::SyncSender<Result<SocketAddr, StartError>>,
    mut orders: tokio::sync::mpsc::Receiver<Order>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name(THREAD)
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits any more if the sending fails.
            let _ = started.send(Err(StartError::Threads(error)));
            return;
        }
    };
    runtime.block_on(async {
        match Server::start(config).await {
            Ok(mut server) => {
                let _ = started.send(Ok(server.http()));
                let cause = loop {
                    match orders.recv().await {
                        Some(Order::Open { http, identity, reply }) => {
                            // Who asked has gone; what was opened stays so until it is closed.
                            let _ = reply.send(server.open_at(http, &identity).await);
                        }
                        Some(Order::Close { http, reply }) => {
                            match http {
                                Some(http) => server.close_at(http).await,
                                None => server.close().await,
                            }
                            // Who asked has gone, and it is closed all the same.
                            let _ = reply.send(());
                        }
                        Some(Order::Ports { reply }) => {
                            // Who asked has gone.
                            let _ = reply.send(server.media_ports().await);
                        }
                        Some(Order::Outside(ports)) => server.set_outside(ports).await,
                        Some(Order::Door { door, reply }) => {
                            server.set_door(&door);
                            // Who asked has gone, and it holds all the same.
                            let _ = reply.send(());
                        }
                        Some(Order::Stop(cause)) => break cause,
                        None => break ExitCause::HostStopped,
                    }
                };
                server.stop(cause).await;
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
}

impl Hosted {
    /// Where HTTP listens.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The address that a client on this machine uses.
    pub fn url(&self) -> String {
        url_of(self.http, false)
    }

    /// Lets other computers in at one of this machine's addresses; see [`Server::open_at`]. Waits until
    /// it listens there; not to be called on a thread of an asynchronous runtime.
    pub fn open_at(&self, http: SocketAddr, identity: &Arc<Identity>) -> Result<SocketAddr, StartError> {
        let ended = || StartError::Threads(std::io::Error::other("the server has ended"));
        self.ask(|reply| Order::Open { http, identity: Arc::clone(identity), reply })
            .unwrap_or_else(|| Err(ended()))
    }

    /// Where media comes in at addresses of this machine's own; none when the server has ended. Waits for
    /// its answer; not to be called on a thread of an asynchronous runtime.
    pub fn media_ports(&self) -> Vec<MediaPort> {
        self.ask(|reply| Order::Ports { reply }).unwrap_or_default()
    }

    /// What tells it where it is reached from outside.
    pub fn translator(&self) -> Translator {
        Translator(self.orders.as_ref().map(tokio::sync::mpsc::Sender::downgrade))
    }

    /// What guests have to say, and whether those who come wait; see [`Server::set_door`]. Waits until it
    /// holds; not to be called on a thread of an asynchronous runtime.
    pub fn set_door(&self, door: Door) {
        // A server that has ended lets nobody in.
        let _ = self.ask(|reply| Order::Door { door, reply });
    }

    /// Lets nobody else in from other computers; see [`Server::close`]. Waits until it is done; not to
    /// be called on a thread of an asynchronous runtime.
    pub fn close(&self) {
        self.shut(None);
    }

    /// The same at one address; see [`Server::close_at`].
    pub fn close_at(&self, http: SocketAddr) {
        self.shut(Some(http));
    }

    fn shut(&self, http: Option<SocketAddr>) {
        // A server that has ended lets nobody in.
        let _ = self.ask(|reply| Order::Close { http, reply });
    }

    /// Tells the server's thread something and waits for its reply; none where it has ended.
    fn ask<T>(&self, order: impl FnOnce(mpsc::SyncSender<T>) -> Order) -> Option<T> {
        let (reply, replied) = mpsc::sync_channel(1);
        self.orders.as_ref()?.blocking_send(order(reply)).ok()?;
        replied.recv().ok()
    }

    /// Tells everybody why and waits until every thread is gone; at most 3 s.
    pub fn stop(mut self, cause: ExitCause) {
        self.end(cause);
    }

    fn end(&mut self, cause: ExitCause) {
        if let Some(orders) = self.orders.take() {
            // One that finds no room is told by the end of the queue, and takes it for a host who stops; one
            // that has ended needs no word.
            let _ = orders.try_send(Order::Stop(cause));
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the server's thread had panicked");
        }
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.end(ExitCause::HostStopped);
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted").field("http", &self.http).finish_non_exhaustive()
    }
}
