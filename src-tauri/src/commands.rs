//! What the page may call.

use confab_app::{Controller, Fault, Request};
use serde_json::Value;
use tauri::{AppHandle, State};

use crate::host::Window;
use crate::shell::{self, Closing};

/// Carries one request out: the same list as for scripts and for `confab-headless`.
#[tauri::command]
pub(crate) async fn call(request: Value, app: State<'_, Controller<Window>>) -> Result<Value, Fault> {
    app.call(Request::read(request)?).await
}

/// Answers the question whether the window may close: it closes, or stays.
#[tauri::command]
pub(crate) fn close_window(close: bool, app: AppHandle, closing: State<'_, Closing>) {
    if close {
        shell::close(&app);
    } else {
        closing.stay();
    }
}
