//! Telling an app's own server what happens in its rooms, as TRTC's room and media callbacks do.
//!
//! [`rule::Line`] decides what is sent when, as a value; [`deliver`] sends it, one task an app; the room
//! service hands over what has happened and never waits.

mod body;
mod deliver;
mod rule;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use confab_protocol::SdkAppId;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Config;
use crate::happening::Happening;
use deliver::Receiver;
use rule::Line;

/// Callbacks that may wait for one app; then the oldest go.
const WAITING: usize = 4096;

/// Callbacks by app and what became of them, for `/metrics`.
pub(crate) type Counters = Family<Outcome, Counter>;

/// What became of a callback.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    app: u32,
    outcome: &'static str,
}

/// Hands over what has happened. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Callbacks {
    queues: Arc<HashMap<SdkAppId, Arc<Queue>>>,
}

/// The tasks that deliver; dropping this ends them at once.
#[derive(Debug)]
pub(crate) struct CallbackTasks {
    tasks: JoinSet<()>,
    last: CancellationToken,
}

/// What one app is to be told, shared by who tells and the task that delivers.
#[derive(Debug)]
struct Queue {
    app: SdkAppId,
    line: Mutex<Line>,
    told: Notify,
    counters: Counters,
}

impl Callbacks {
    /// One queue and task for each app that has a callback. Has to be called on a tokio runtime.
    pub(crate) fn start(config: &Config, counters: &Counters) -> (Callbacks, CallbackTasks) {
        let (mut queues, mut tasks) = (HashMap::new(), JoinSet::new());
        let last = CancellationToken::new();
        for app in &config.app {
            let Some(receiver) = app.callback.as_ref().and_then(|to| Receiver::new(app.id, to)) else {
                continue;
            };
            let queue = Arc::new(Queue::new(SdkAppId(app.id), counters));
            queues.insert(queue.app, Arc::clone(&queue));
            tasks.spawn(deliver::run(queue, receiver, last.clone()));
        }
        (Callbacks { queues: Arc::new(queues) }, CallbackTasks { tasks, last })
    }

    /// Puts what has happened behind what the app is still to be told. Never waits.
    pub(crate) fn tell(&self, happening: &Happening) {
        let Some(queue) = self.queues.get(&happening.app) else { return };
        if body::number(&happening.what).is_some() {
            queue.push(happening.clone(), Instant::now());
        }
    }
}

impl CallbackTasks {
    /// Delivers what can be delivered within `grace`, then ends.
    pub(crate) async fn close(mut self, grace: Duration) {
        self.last.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            warn!("not all callbacks could be delivered before the server stopped");
        }
    }
}

impl Queue {
    fn new(app: SdkAppId, counters: &Counters) -> Queue {
        Queue { app, line: Mutex::new(Line::new(WAITING)), told: Notify::new(), counters: counters.clone() }
    }

    fn push(&self, happening: Happening, now: Instant) {
        let dropped = self.line().push(happening, now);
        if let Some(first) = dropped {
            self.count("dropped");
            if first {
                warn!(app = %self.app, "too many callbacks wait for their receiver; the oldest are dropped");
            }
        }
        self.told.notify_one();
    }

    /// Held for moments only, never over an `.await`.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, outcome: &'static str) {
        self.counters.get_or_create(&Outcome { app: self.app.0, outcome }).inc();
    }
}

#[cfg(test)]
mod tests;
