//! Who hears what happens in rooms: the history, and the apps' own servers.

use std::time::Duration;

use tracing::error;

use crate::callback::{CallbackTasks, Callbacks};
use crate::config::Config;
use crate::control::Listener;
use crate::happening::Happening;
use crate::history::{History, HistoryError, HistoryThread};
use crate::metrics::Metrics;

/// How long callbacks may take to be delivered when the server stops.
const LAST_CALLBACKS: Duration = Duration::from_millis(300);

/// Passes on what has happened. Cheap to clone; nothing here makes who tells wait.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    /// What has been, and what has to outlive a restart.
    pub(crate) history: History,
    callbacks: Callbacks,
}

/// The thread and the tasks of the listeners, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct ListenerTasks {
    callbacks: CallbackTasks,
    history: HistoryThread,
}

impl Listeners {
    /// Opens the history and begins to deliver callbacks.
    pub(crate) async fn start(
        config: &Config,
        metrics: &Metrics,
    ) -> Result<(Listeners, ListenerTasks), HistoryError> {
        let lost = metrics.history_lost();
        let (history, thread) = History::start(config.database.clone(), lost).await?;
        let (callbacks, tasks) = Callbacks::start(config, &metrics.callbacks());
        Ok((Listeners { history, callbacks }, ListenerTasks { callbacks: tasks, history: thread }))
    }
}

impl Listener for Listeners {
    /// Tells everybody. Never waits; what somebody is too slow for is lost to them, counted and logged.
    fn tell(&self, happening: &Happening) {
        self.history.tell(happening);
        self.callbacks.tell(happening);
    }

    fn keep(&self, room: String, state: Option<String>) {
        self.history.keep(room, state);
    }
}

impl ListenerTasks {
    /// Ends them: what was told before is on the disk then, and with its receivers where they took it
    /// in time.
    pub(crate) async fn close(self) {
        let ListenerTasks { callbacks, history } = self;
        let written = tokio::task::spawn_blocking(move || drop(history));
        callbacks.close(LAST_CALLBACKS).await;
        if written.await.is_err() {
            error!("the history could not be closed");
        }
    }
}
