//! The embedded SFU: rooms on worker threads, each with a port of its own for UDP and TCP.
//!
//! A room lives on one worker, and its candidates name that worker's port: no packet changes
//! threads and nothing is locked on its path. The workers also do all signalling of their people.

pub(crate) mod address;
mod arena;
mod codec;
pub(crate) mod command;
pub(crate) mod directory;
mod dtls;
mod ids;
mod keyframe;
pub(crate) mod outbox;
mod peer;
mod person;
mod reach;
mod rebase;
pub(crate) mod reports;
mod room;
pub(crate) mod rooms;
mod sdp;
mod speakers;
mod stun;
mod tcp;
mod timers;
mod track;
mod worker;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use confab_protocol::Notice;
use confab_signal::lk;
use tokio::sync::{mpsc, oneshot};

use address::Bound;
pub use command::Join;
use command::{Ask, Command, Resume, Seat};
use directory::Directory;
use reports::Reports;
pub(crate) use rooms::leave;
use worker::{Inbox, Worker};

use crate::engine::{Engine, EngineError, EngineEvent, Kind, ListenError, MediaPort, Permission, Translated};

/// Responses that may wait for one websocket; who has more unread is closed.
const UNREAD: usize = 256;

/// How to start the SFU.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// The first worker's address; the others count the port up. Port 0: any port for each.
    pub media: SocketAddr,
    /// Number of workers; two, or one on a machine with one core, when not given.
    pub workers: Option<usize>,
    /// Addresses that candidates name, for a server behind a translator.
    pub advertise: Vec<IpAddr>,
    /// Whether the workers take TCP connections on the same ports too.
    pub tcp: bool,
}

/// The SFU in this process. Dropping it ends its threads, without telling anybody; see
/// [`Engine::shutdown`].
#[derive(Debug)]
pub struct Embedded {
    workers: Vec<Worker>,
    directory: Arc<Directory>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A participant's signalling, the websocket's end of it.
#[derive(Debug)]
pub struct Line {
    seat: Seat,
    inbox: Inbox,
    /// What the participant is told; ends when the session ends. In boxes, because a queue has room for
    /// many and holds few.
    pub responses: mpsc::Receiver<Box<lk::signal_response::Message>>,
}

impl Line {
    /// Hands over what the participant asks, waiting for room; false when the worker has ended.
    pub async fn send(&self, request: lk::signal_request::Message) -> bool {
        self.inbox.send(Command::Signal { seat: self.seat, request: Box::new(request) }).await
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.inbox.try_send(Command::Hangup { seat: self.seat });
    }
}

impl Embedded {
    /// Binds the sockets and starts the workers, each a thread `sfu-<n>`. What happens in the rooms
    /// is told to `events`. The error names the address that a worker could not have.
    pub fn start(
        config: &EmbeddedConfig,
        events: &mpsc::Sender<EngineEvent>,
    ) -> Result<Embedded, ListenError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = config.workers.unwrap_or_else(|| cores.min(2)).max(1);
        let directory = Arc::new(Directory::new(count));
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for index in 0..count {
            let address = nth_port(config.media, index).map_err(|refusal| ListenError {
                tcp: false,
                address: config.media,
                refusal,
            })?;
            let (reports, bind) = (Reports::new(events.clone()), Bound { address, tcp: config.tcp });
            let (worker, thread) =
                Worker::start(index, bind, &config.advertise, Arc::clone(&directory), reports)?;
            workers.push(worker);
            threads.push(thread);
        }
        Ok(Embedded { workers, directory, threads: Mutex::new(threads) })
    }

    /// Where the workers listen.
    #[cfg(test)]
    fn media(&self) -> Vec<SocketAddr> {
        self.workers.iter().map(|worker| worker.local).collect()
    }

    /// Seats somebody; their first message is already on the way.
    pub async fn join(&self, join: Join) -> Result<Line, EngineError> {
        let room = join.room.clone();
        let worker = self.directory.enter(&room);
        let (to, responses) = mpsc::channel(UNREAD);
        let (reply, seat) = oneshot::channel();
        let inbox = self.inbox(worker)?;
        inbox.send(Command::Join { join: Box::new(join), to, reply }).await;
        match seat.await {
            Ok(seat) => Ok(Line { seat, inbox, responses }),
            Err(_) => {
                self.directory.leave(&room);
                Err(EngineError::Stopped)
            }
        }
    }

    /// Goes on with the session `sid` over a new websocket; `None` when it is over.
    pub async fn resume(&self, room: &str, identity: &str, sid: &str) -> Result<Option<Line>, EngineError> {
        let Some(worker) = self.directory.find(room) else { return Ok(None) };
        let (to, responses) = mpsc::channel(UNREAD);
        let (reply, seat) = oneshot::channel();
        let inbox = self.inbox(worker)?;
        let resume = Resume { room: room.to_owned(), identity: identity.to_owned(), sid: sid.to_owned() };
        inbox.send(Command::Resume { resume, to, reply }).await;
        let seat = seat.await.map_err(|_| EngineError::Stopped)?;
        Ok(seat.map(|seat| Line { seat, inbox, responses }))
    }

    fn inbox(&self, worker: usize) -> Result<Inbox, EngineError> {
        self.workers.get(worker).map(Worker::inbox).ok_or(EngineError::Stopped)
    }

    async fn ask<T>(
        &self,
        worker: usize,
        ask: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Ask,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.inbox(worker)?.send(Command::Ask(ask(reply))).await;
        answer.await.map_err(|_| EngineError::Stopped)?
    }

    async fn ask_room<T>(
        &self,
        room: &str,
        ask: impl FnOnce(String, oneshot::Sender<Result<T, EngineError>>) -> Ask,
    ) -> Result<T, EngineError> {
        let worker = self.directory.find(room).ok_or(EngineError::NoRoom)?;
        let room = room.to_owned();
        self.ask(worker, |reply| ask(room, reply)).await
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn listen(&self, address: IpAddr) -> Result<(), ListenError> {
        for worker in &self.workers {
            let address = SocketAddr::new(address, worker.local.port());
            worker.listen(address).await?;
        }
        Ok(())
    }

    async fn ports(&self) -> Vec<MediaPort> {
        let mut ports = Vec::new();
        for worker in 0..self.workers.len() {
            // One that has ended has none.
            ports.extend(self.ask(worker, |reply| Ask::Ports { reply }).await.unwrap_or_default());
        }
        ports
    }

    async fn set_outside(&self, ports: Vec<Translated>) {
        for worker in 0..self.workers.len() {
            let ports = ports.clone();
            if self.ask(worker, |reply| Ask::Outside { ports, reply }).await.is_err() {
                tracing::debug!(worker, "worker had already ended");
            }
        }
    }

    async fn rooms(&self) -> Result<Vec<lk::Room>, EngineError> {
        let mut rooms = Vec::new();
        for worker in 0..self.workers.len() {
            rooms.extend(self.ask(worker, |reply| Ask::Rooms { reply }).await?);
        }
        Ok(rooms)
    }

    async fn participants(&self, room: &str) -> Result<Vec<lk::ParticipantInfo>, EngineError> {
        self.ask_room(room, |room, reply| Ask::Participants { room, reply }).await
    }

    async fn remove(&self, room: &str, identity: &str, notice: Notice) -> Result<(), EngineError> {
        let identity = identity.to_owned();
        self.ask_room(room, |room, reply| Ask::Remove { room, identity, notice, reply }).await
    }

    async fn dismiss(&self, room: &str, notice: Notice) -> Result<(), EngineError> {
        self.ask_room(room, |room, reply| Ask::Dismiss { room, notice, reply }).await
    }

    async fn set_permission(
        &self,
        room: &str,
        identity: &str,
        permission: Permission,
    ) -> Result<(), EngineError> {
        let identity = identity.to_owned();
        self.ask_room(room, |room, reply| Ask::Permission { room, identity, permission, reply }).await
    }

    async fn set_attributes(
        &self,
        room: &str,
        identity: &str,
        attributes: HashMap<String, String>,
    ) -> Result<(), EngineError> {
        let identity = identity.to_owned();
        self.ask_room(room, |room, reply| Ask::Attributes { room, identity, attributes, reply }).await
    }

    async fn mute(
        &self,
        room: &str,
        identity: &str,
        track_sid: &str,
        muted: bool,
    ) -> Result<(), EngineError> {
        let (identity, track) = (identity.to_owned(), track_sid.to_owned());
        self.ask_room(room, |room, reply| Ask::Mute { room, identity, track, muted, reply }).await
    }

    async fn silence(&self, room: &str, identity: &str, kind: Kind) -> Result<(), EngineError> {
        let identity = identity.to_owned();
        self.ask_room(room, |room, reply| Ask::Silence { room, identity, kind, reply }).await
    }

    async fn set_metadata(&self, room: &str, metadata: String) -> Result<(), EngineError> {
        self.ask_room(room, |room, reply| Ask::Metadata { room, metadata, reply }).await
    }

    async fn send_data(
        &self,
        room: &str,
        topic: &str,
        payload: Vec<u8>,
        destinations: Vec<String>,
    ) -> Result<(), EngineError> {
        let packet = Box::new(confab_signal::data::user_packet(topic, payload, destinations));
        self.ask_room(room, |room, reply| Ask::Data { room, packet, reply }).await
    }

    async fn shutdown(&self, notice: Option<Notice>) -> Result<(), EngineError> {
        // All at once: each takes the time that its slowest client needs.
        let told = (0..self.workers.len()).map(|worker| {
            let notice = notice.clone();
            async move { (worker, self.ask(worker, |reply| Ask::Shutdown { notice, reply }).await) }
        });
        for (worker, told) in futures_util::future::join_all(told).await {
            if told == Err(EngineError::Stopped) {
                tracing::debug!(worker, "worker had already ended");
            }
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // Joining blocks, though only for moments: the workers have said that they are done.
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().filter_map(|thread| thread.join().err()).count()
        });
        match joined.await {
            Ok(0) => {}
            Ok(panicked) => tracing::error!(panicked, "media workers had panicked"),
            Err(error) => tracing::warn!(%error, "media workers could not be waited for"),
        }
        Ok(())
    }
}

fn nth_port(media: SocketAddr, index: usize) -> io::Result<SocketAddr> {
    if media.port() == 0 {
        return Ok(media);
    }
    let port = u16::try_from(usize::from(media.port()) + index);
    let port = port.map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "media ports end at 65535"))?;
    Ok(SocketAddr::new(media.ip(), port))
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test looks for the messages it is about")]
mod tests;
