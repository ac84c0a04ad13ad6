//! Lines on stdin that drive the window, as they drive the headless program.

use std::sync::Arc;

use confab_app::Controller;
use confab_app::lines::{self, Output};
use tauri::AppHandle;
use tokio::io::{BufReader, stdin};

use crate::host::Window;
use crate::shell;

/// Answers the lines of stdin until it ends, then closes the window.
pub(crate) async fn follow(app: AppHandle, controller: Controller<Window>, output: Arc<Output>) {
    if let Err(error) = lines::serve(&controller, BufReader::new(stdin()), &output).await {
        tracing::error!(%error, "the script cannot be read any further");
    }
    shell::close(&app);
}
