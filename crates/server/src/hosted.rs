//! A server on threads of its own, for a program that is not asynchronous itself.

use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use confab_protocol::ExitCause;
use tokio::sync::oneshot;
use tracing::error;

use crate::config::Config;
use crate::server::{Server, StartError, url_of};

/// The name of every thread of a hosted server but the media workers.
const THREAD: &str = "confab-server";
/// HTTP and the room service are light; media has workers of its own.
const RUNTIME_THREADS: usize = 2;

/// A server that runs in this process on threads of its own. Dropping it stops it with
/// [`ExitCause::HostStopped`] and waits, as [`Hosted::stop`] does.
pub struct Hosted {
    http: SocketAddr,
    stop: Option<oneshot::Sender<ExitCause>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on threads of its own and waits until it listens. Blocks for milliseconds;
    /// may be called inside or outside of an asynchronous runtime.
    pub fn spawn(config: Config) -> Result<Hosted, StartError> {
        let (started, starting) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || host(config, &started, stopped))
            .map_err(StartError::Threads)?;
        let ended = || StartError::Threads(std::io::Error::other("the server's thread ended"));
        match starting.recv().unwrap_or_else(|_| Err(ended())) {
            Ok(http) => Ok(Hosted { http, stop: Some(stop), thread: Some(thread) }),
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
    stopped: oneshot::Receiver<ExitCause>,
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
            Ok(server) => {
                let _ = started.send(Ok(server.http()));
                let cause = stopped.await.unwrap_or(ExitCause::HostStopped);
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
        url_of(self.http)
    }

    /// Tells everybody why and waits until every thread is gone; at most 3 s.
    pub fn stop(mut self, cause: ExitCause) {
        self.end(cause);
    }

    fn end(&mut self, cause: ExitCause) {
        if let Some(stop) = self.stop.take() {
            // A server that has ended by itself needs no word.
            let _ = stop.send(cause);
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
