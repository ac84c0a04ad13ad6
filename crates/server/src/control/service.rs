//! The task that owns the rooms, and the handle to it.

use std::time::Instant;

use confab_protocol::RoomId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::rooms::Rooms;
use crate::engine::EngineEvent;

/// Requests that may wait; more callers wait to get in.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Rooms, Instant) + Send>;

/// Asks the rooms. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    jobs: mpsc::Sender<Job>,
}

/// The server is shutting down; asking again does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server is shutting down")]
pub(crate) struct Stopped;

impl Control {
    /// Starts the task. It ends with `stop`, after which every question is [`Stopped`].
    ///
    /// It never waits for the engine: the engine may be waiting to tell it an event.
    pub(crate) fn start(
        events: mpsc::Receiver<EngineEvent>,
        stop: CancellationToken,
    ) -> (Control, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(queue, events, stop));
        (Control { jobs }, task)
    }

    /// Lets a rule work on the rooms, at the time it is its turn.
    pub(crate) async fn with<T, F>(&self, rule: F) -> Result<T, Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rooms, Instant) -> T + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |rooms, now| {
            // The one who asked may have gone; the rule counts all the same.
            let _ = answer.send(rule(rooms, now));
        });
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        wait.await.map_err(|_| Stopped)
    }
}

async fn run(
    mut jobs: mpsc::Receiver<Job>,
    mut events: mpsc::Receiver<EngineEvent>,
    stop: CancellationToken,
) {
    let mut rooms = Rooms::default();
    let mut engine = true;
    loop {
        let deadline = rooms.deadline();
        let expiry = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // What has happened comes before what is asked for now.
            biased;
            () = stop.cancelled() => return,
            event = events.recv(), if engine => match event {
                Some(event) => apply(&mut rooms, event, Instant::now()),
                None => engine = false,
            },
            job = jobs.recv() => match job {
                Some(job) => job(&mut rooms, Instant::now()),
                None => return,
            },
            () = expiry => rooms.expire(Instant::now()),
        }
    }
}

fn apply(rooms: &mut Rooms, event: EngineEvent, now: Instant) {
    match event {
        EngineEvent::Joined { room, identity, .. } => {
            info!(room = %shown(&room), user = %identity, "joined");
            rooms.joined(&room, &identity, now);
        }
        EngineEvent::Active { room, identity } => {
            debug!(room = %shown(&room), user = %identity, "media connected");
        }
        EngineEvent::Left { room, identity, reason } => {
            info!(room = %shown(&room), user = %identity, ?reason, "left");
            rooms.left(&room, &identity, reason, now);
        }
        EngineEvent::RoomClosed { room } => {
            info!(room = %shown(&room), "room closed");
            rooms.closed(&room);
        }
    }
}

/// A room's name as people know it.
fn shown(key: &str) -> String {
    RoomId::from_key(key).map_or_else(|| format!("{key:?}"), |(app, room)| format!("{room} of app {app}"))
}
