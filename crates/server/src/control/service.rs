//! The task that owns the rooms, and the handle to it.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use confab_protocol::RoomId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::effect::Effect;
use super::perform::{self, Performed, Step};
use super::rooms::Rooms;
use crate::clock::unix_ms;
use crate::engine::{Engine, EngineEvent};
use crate::happening::Happening;

/// Requests that may wait; more callers wait to get in.
const QUEUE: usize = 256;
/// Orders that may wait for the engine.
const ORDERS: usize = 1024;
/// With so many orders waiting nobody's request is looked at before some are done.
const BUSY: usize = 4096;

type Job = Box<dyn FnOnce(&mut Rooms, Instant) -> Option<oneshot::Sender<Performed>> + Send>;

/// Hears what the room service tells; it must not wait for anything.
pub(crate) trait Listener: Send + Sync + Debug {
    /// Something has happened.
    fn tell(&self, happening: &Happening);

    /// State of a room is to outlive a restart; None forgets it.
    fn keep(&self, room: String, state: Option<String>);
}

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
        rooms: Rooms,
        engine: Arc<dyn Engine>,
        events: mpsc::Receiver<EngineEvent>,
        listener: Arc<dyn Listener>,
        stop: CancellationToken,
    ) -> (Control, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let task = Task { rooms, listener, waiting: VecDeque::new(), stop };
        (Control { jobs }, tokio::spawn(task.run(engine, queue, events)))
    }

    /// Lets a rule work on the rooms, at the time it is its turn.
    pub(crate) async fn with<T, F>(&self, rule: F) -> Result<T, Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rooms, Instant) -> T + Send + 'static,
    {
        self.ask(rule, None).await
    }

    /// The same, and answers when the engine has done what follows from it.
    pub(crate) async fn have_done<T, F>(&self, rule: F) -> Result<(T, Performed), Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rooms, Instant) -> T + Send + 'static,
    {
        let (done, performed) = oneshot::channel();
        let answer = self.ask(rule, Some(done)).await?;
        Ok((answer, performed.await.map_err(|_| Stopped)?))
    }

    async fn ask<T, F>(&self, rule: F, done: Option<oneshot::Sender<Performed>>) -> Result<T, Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rooms, Instant) -> T + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |rooms, now| {
            // The one who asked may have gone; the rule counts all the same.
            let _ = answer.send(rule(rooms, now));
            done
        });
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        wait.await.map_err(|_| Stopped)
    }
}

/// What the task holds.
struct Task {
    rooms: Rooms,
    listener: Arc<dyn Listener>,
    /// What the engine is to do and there was no room for yet.
    waiting: VecDeque<Step>,
    stop: CancellationToken,
}

impl Task {
    async fn run(
        mut self,
        engine: Arc<dyn Engine>,
        mut jobs: mpsc::Receiver<Job>,
        mut events: mpsc::Receiver<EngineEvent>,
    ) {
        let (orders, steps) = mpsc::channel(ORDERS);
        let performer = tokio::spawn(perform::run(engine, steps));
        let mut engine_runs = true;
        loop {
            let deadline = self.rooms.deadline();
            let expiry = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What has happened comes before what is asked for now.
                biased;
                () = self.stop.cancelled() => break,
                place = orders.reserve(), if !self.waiting.is_empty() => match place {
                    Ok(place) => if let Some(step) = self.waiting.pop_front() { place.send(step) },
                    // The performer ends last.
                    Err(_) => break,
                },
                event = events.recv(), if engine_runs => match event {
                    Some(event) => self.work(|rooms, now| { apply(rooms, event, now); None }),
                    None => engine_runs = false,
                },
                job = jobs.recv(), if self.waiting.len() < BUSY => match job {
                    Some(job) => self.work(job),
                    None => break,
                },
                () = expiry => self.work(|rooms, now| { rooms.expire(now); None }),
            }
        }
        drop(orders);
        // What it was told to do last, it does; a panic in it was logged already.
        let _ = performer.await;
    }

    /// Lets a rule work, then passes on what follows from it.
    fn work(&mut self, rule: impl FnOnce(&mut Rooms, Instant) -> Option<oneshot::Sender<Performed>>) {
        self.rooms.set_time(unix_ms());
        let done = rule(&mut self.rooms, Instant::now());
        if done.is_some() {
            self.waiting.push_back(Step::Begin);
        }
        for effect in self.rooms.effects() {
            match effect {
                Effect::Order { room, order } => self.waiting.push_back(Step::Order(room, order)),
                Effect::Tell(happening) => self.listener.tell(&happening),
                Effect::Keep { room, state } => self.listener.keep(room, state),
            }
        }
        self.waiting.extend(done.map(Step::Report));
    }
}

/// What has happened in the engine, in the books of the rooms.
pub(crate) fn apply(rooms: &mut Rooms, event: EngineEvent, now: Instant) {
    match event {
        EngineEvent::Joined { room, identity, ticket } => {
            info!(room = %shown(&room), user = %identity, "joined");
            rooms.came(&room, &identity, ticket, now);
        }
        EngineEvent::Active { room, identity } => {
            debug!(room = %shown(&room), user = %identity, "media connected");
        }
        EngineEvent::Sends { room, identity, kind, on } => {
            debug!(room = %shown(&room), user = %identity, ?kind, on, "sends");
            rooms.sends(&room, &identity, kind, on);
        }
        EngineEvent::Left { room, identity, reason } => {
            info!(room = %shown(&room), user = %identity, ?reason, "left");
            rooms.left(&room, &identity, reason, now);
        }
        EngineEvent::RoomClosed { room } => {
            info!(room = %shown(&room), "room closed");
            rooms.closed(&room, now);
        }
    }
}

/// A room's name as people know it.
fn shown(key: &str) -> String {
    RoomId::from_key(key).map_or_else(|| format!("{key:?}"), |(app, room)| format!("{room} of app {app}"))
}
