//! What the app reaches of the window.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use confab_app::lines::{self, Output};
use confab_app::{Code, Event, Fault, Host};
use tauri::{AppHandle, Emitter as _};

use crate::stage::Stage;

/// The event by which the page hears everything.
const CHANNEL: &str = "confab://event";

/// The window around the app: events go to the page, and to the script where there is one.
pub(crate) struct Window {
    app: AppHandle,
    script: Option<Arc<Output>>,
    stage: Mutex<Option<Stage>>,
}

impl Window {
    /// A window without a stage yet.
    pub(crate) fn new(app: AppHandle, script: Option<Arc<Output>>) -> Self {
        Self { app, script, stage: Mutex::default() }
    }

    /// From now on this stage draws; the one before ends. `None` ends drawing.
    pub(crate) fn set_stage(&self, stage: Option<Stage>) {
        // The one before is dropped, and its thread joined, after the lock is let go.
        let _before = {
            let mut current = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, stage)
        };
    }
}

impl Host for Window {
    fn emit(&self, event: Event) {
        if let Some(script) = &self.script {
            lines::emit(script, &event);
        }
        if let Err(error) = self.app.emit(CHANNEL, &event) {
            tracing::warn!(%error, "the page did not get an event");
        }
    }

    /// What the window's stage last drew.
    fn stage_snapshot(&self, _: &confab_app::Stage) -> Result<Vec<u8>, Fault> {
        let failed = |why: String| Fault::new(Code::VIDEO_RENDER_FAILED).with_message(why);
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let stage = stage.as_ref().ok_or_else(|| failed("The window is closing.".to_owned()))?;
        stage.snapshot().map_err(|error| failed(format!("There is no picture of the stage: {error}.")))
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("script", &self.script.is_some()).finish_non_exhaustive()
    }
}
