//! What has been in rooms, for fourteen days, and what has to outlive a restart: one SQLite database.
//!
//! One thread owns it. Whoever tells it something never waits; whoever asks waits for the answer. With
//! no file the database is in memory and holds as long as the server runs.

mod query;
mod record;
mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use prometheus_client::metrics::counter::Counter;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::clock::signed_ms;
use crate::happening::Happening;
pub(crate) use query::{Page, RoomQuery, RoomRow, StayQuery, StayRow};

/// How long a room or a stay is remembered after its end, seconds.
pub(crate) const REMEMBERED: u64 = 14 * 86_400;
/// What may wait for the thread; what comes when it is full is lost and counted.
const QUEUE: usize = 4096;
/// The name of the thread.
const THREAD: &str = "history";

/// Why there is no history. The operator has to do something; the server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The system does not let the server have the file.
    #[error(
        "the database {} cannot be used: {reason}; let the server read and write it, or name another file with `database` (flag --database)",
        file.display()
    )]
    Unusable {
        /// The file as it was named.
        file: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// Another program's file is not written over.
    #[error(
        "{} is not a database of this server; move it away, or name another file with `database` (flag --database)",
        file.display()
    )]
    Foreign {
        /// The file as it was named.
        file: PathBuf,
    },
    /// The file is younger than the program.
    #[error(
        "the database {} was written by a newer version of this server (schema {found}, known are those up to {known}); start that version, or name another file with `database` (flag --database)",
        file.display()
    )]
    Newer {
        /// The file as it was named.
        file: PathBuf,
        /// Its schema.
        found: i32,
        /// The newest that this program knows.
        known: i32,
    },
    /// Each server needs a file of its own.
    #[error(
        "the database {} is in use by another server; stop that one, or name another file with `database` (flag --database)",
        file.display()
    )]
    Locked {
        /// The file as it was named.
        file: PathBuf,
    },
    /// The machine has no thread left.
    #[error("the thread of the history could not be started: {0}")]
    Thread(std::io::Error),
}

/// The history does not answer: the disk failed, the server stops, or too much is waiting. It was logged;
/// asking again later may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the history cannot be read at the moment; the server's log says why")]
pub(crate) struct Unanswered;

/// What the thread is told.
enum Order {
    Tell(Box<Happening>),
    Keep { key: String, state: Option<String> },
    Ask(Box<dyn FnOnce(&Connection) + Send>),
    Stop,
}

/// Tells and asks the thread of the history. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct History {
    orders: SyncSender<Order>,
    lost: Lost,
}

/// What found the queue full.
#[derive(Debug, Clone)]
struct Lost {
    counter: Counter,
    /// Whether the log says so already.
    said: Arc<std::sync::atomic::AtomicBool>,
}

/// The thread, which ends when this is dropped: what was told before is on the disk then.
#[derive(Debug)]
pub(crate) struct HistoryThread {
    orders: SyncSender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl History {
    /// Opens the file, or memory where there is none, on a thread of its own, and waits until it is open;
    /// `lost` counts what the thread was too slow for.
    pub(crate) async fn start(
        file: Option<PathBuf>,
        lost: Counter,
    ) -> Result<(History, HistoryThread), HistoryError> {
        let (orders, queue) = sync_channel(QUEUE);
        let (opened, opening) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || own(file.as_deref(), opened, &queue))
            .map_err(HistoryError::Thread)?;
        let owner = HistoryThread { orders: orders.clone(), thread: Some(thread) };
        let ended = || HistoryError::Thread(std::io::Error::other("it ended"));
        opening.await.unwrap_or_else(|_| Err(ended()))?;
        let lost = Lost { counter: lost, said: Arc::default() };
        Ok((History { orders, lost }, owner))
    }

    /// Writes down what has happened: what ended as soon as it can be, all else within half a second. Never
    /// waits.
    pub(crate) fn tell(&self, happening: &Happening) {
        self.order(Order::Tell(Box::new(happening.clone())));
    }

    /// Keeps a text under a key over a restart, also of a server that is killed once it is written, which is
    /// as soon as nothing else waits to be; none forgets it. Never waits: where the disk is so slow that the queue is full, it is lost and counted.
    pub(crate) fn keep(&self, key: String, state: Option<String>) {
        self.order(Order::Keep { key, state });
    }

    /// What is kept, by key. Nothing of a server that had been away for longer than 90 s when this one
    /// started.
    pub(crate) async fn kept(&self) -> Result<Vec<(String, String)>, Unanswered> {
        self.ask(schema::kept).await
    }

    /// One page of the rooms that were open in a span of time, oldest first.
    pub(crate) async fn rooms(&self, query: RoomQuery) -> Result<Vec<RoomRow>, Unanswered> {
        self.ask(move |database| query.rows(database)).await
    }

    /// One page of the stays in a room, oldest first, and how many there are on all pages.
    pub(crate) async fn stays(&self, query: StayQuery) -> Result<(u64, Vec<StayRow>), Unanswered> {
        self.ask(move |database| Ok((query.count(database)?, query.rows(database)?))).await
    }

    /// Ends the thread before its owner does.
    #[cfg(test)]
    pub(crate) fn stop(&self) {
        self.orders.send(Order::Stop).unwrap();
    }

    fn order(&self, order: Order) {
        if self.orders.try_send(order).is_ok() {
            return;
        }
        self.lost.counter.inc();
        if !self.lost.said.swap(true, std::sync::atomic::Ordering::Relaxed) {
            warn!("the history is too slow; what happens now may be missing in it (confab_history_lost)");
        }
    }

    /// Lets a question work on the database, behind all that was told before.
    async fn ask<T, Q>(&self, question: Q) -> Result<T, Unanswered>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let order = Order::Ask(Box::new(move |database| {
            // The one who asked may have gone.
            let _ = answer.send(question(database));
        }));
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => unanswered("too much is waiting for it"),
            TrySendError::Disconnected(_) => unanswered("its thread has ended"),
        })?;
        let answer = wait.await.map_err(|_| unanswered("its thread ended before the question's turn"))?;
        answer.map_err(unanswered)
    }
}

impl Drop for HistoryThread {
    /// Waits milliseconds, for what is in the queue and its way to the disk.
    fn drop(&mut self) {
        // It fails only if the thread has ended.
        let _ = self.orders.send(Order::Stop);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the thread of the history had panicked");
        }
    }
}

/// Logs why a question has no answer.
fn unanswered(reason: impl std::fmt::Display) -> Unanswered {
    error!(%reason, "the history cannot be read");
    Unanswered
}

/// The thread: opens the database, answers whether that went well, and works until it is stopped.
fn own(file: Option<&Path>, opened: oneshot::Sender<Result<(), HistoryError>>, queue: &Receiver<Order>) {
    match schema::open(file, signed_ms()) {
        Ok(database) => {
            // Nobody waits any more if the sending fails; the owner has stopped the thread then.
            let _ = opened.send(Ok(()));
            writer::run(&database, queue);
        }
        Err(error) => {
            let _ = opened.send(Err(error));
        }
    }
}

#[cfg(test)]
mod tests;
