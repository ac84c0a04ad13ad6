//! The window from its opening to the end of the program.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use confab_app::lines::Output;
use confab_app::{Controller, Event, Host as _, Options, ReceiveFlag, Request, ViewEvent};
use tauri::{AppHandle, Manager as _, RunEvent, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::command_line::CommandLine;
use crate::host::Window;
use crate::stage::{self, Stage};
use crate::{commands, context, script};

/// Longest that leaving the room and letting everything go may hold the program up.
const FAREWELL: Duration = Duration::from_secs(10);
/// Longest wait for the runtime's own threads.
const THREADS: Duration = Duration::from_millis(500);

/// Opens the window and stays until it is closed and everything is let go.
pub(crate) fn run(line: CommandLine) -> Result<ExitCode> {
    start_log();
    let options = line.app.options(concat!("confab/", env!("CARGO_PKG_VERSION")), ReceiveFlag::Shown)?;
    let runtime = runtime()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let output = match line.script {
        Some(_) => Some(Arc::new(Output::new(std::io::stdout()).context("no threads can be started")?)),
        None => None,
    };
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![commands::call, commands::close_window])
        .manage(Closing::default())
        .setup(move |app| Ok(open(app.handle(), options, output)?))
        .build(context::context())
        .context("the window cannot be opened")?;
    let code = app.run_return(on_event);
    // A read of stdin that still waits ends with the process.
    runtime.shutdown_timeout(THREADS);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.thread_name("confab").enable_all().build().context("no threads can be started")
}

fn start_log() {
    confab_app::log::start(std::env::var("CONFAB_LOG").ok().as_deref());
    #[cfg(target_os = "linux")]
    if std::env::var_os("WEBKIT_DISABLE_COMPOSITING_MODE").is_some() {
        tracing::warn!(
            "WEBKIT_DISABLE_COMPOSITING_MODE is set: the webview is opaque and hides every picture"
        );
    }
}

/// Opens the window and puts the app and the stage behind it.
fn open(app: &AppHandle, options: Options, output: Option<Arc<Output>>) -> Result<()> {
    let config = app.config().app.windows.first().context("no window is configured")?;
    // Invitations are copied; WebKitGTK refuses that otherwise.
    let window = WebviewWindowBuilder::from_config(app, config)?.enable_clipboard_access().build()?;
    let host = Window::new(app.clone(), output.clone());
    let runtime = tauri::async_runtime::handle();
    let _inside = runtime.inner().enter();
    let (controller, ended) = Controller::start(options, host);
    controller.host().set_stage(Some(start_stage(&window, controller.stage().clone())?));
    app.manage(controller.clone());
    app.state::<Closing>().begin(ended);
    if let Some(output) = output {
        tauri::async_runtime::spawn(script::follow(app.clone(), controller, output));
    }
    tauri::async_runtime::spawn(close_when_told(app.clone()));
    Ok(())
}

fn start_stage(window: &WebviewWindow, source: confab_app::Stage) -> Result<Stage> {
    let presenter = stage::install(window).unwrap_or_else(|error| {
        tracing::error!(%error, "no pictures are shown");
        Box::new(stage::Unseen)
    });
    let scenes = source.scenes();
    let frames = Box::new(move |id: &confab_scene::TileId| source.frame(id));
    Stage::start(scenes, frames, presenter).context("no threads can be started")
}

fn on_event(app: &AppHandle, event: RunEvent) {
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is Tauri's own business")]
    match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
            api.prevent_close();
            close_or_ask(app);
        }
        // Asked by the desktop; ours has a code.
        RunEvent::ExitRequested { api, code: None, .. } => {
            api.prevent_exit();
            close(app);
        }
        _ => {}
    }
}

/// Closes, or asks first where others would lose their rooms. Who asks twice means it.
fn close_or_ask(app: &AppHandle) {
    if app.state::<Closing>().asked.swap(true, Ordering::AcqRel) {
        return close(app);
    }
    let Some(controller) = app.try_state::<Controller<Window>>() else { return close(app) };
    let (app, controller) = (app.clone(), controller.inner().clone());
    tauri::async_runtime::spawn(async move {
        let state = controller.call(Request::GetState {}).await;
        if state.is_ok_and(|state| state["hosting"].is_object()) {
            controller.host().emit(Event::View(ViewEvent::CloseAsked {}));
        } else {
            close(&app);
        }
    });
}

/// Whether the program is on its way out, and how the app says that it has ended.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    begun: AtomicBool,
    /// The page has been told that somebody wants to close the window.
    asked: AtomicBool,
    ended: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Closing {
    fn begin(&self, ended: JoinHandle<()>) {
        *self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(ended);
    }

    /// The window stays: the next wish to close it is asked about again.
    pub(crate) fn stay(&self) {
        self.asked.store(false, Ordering::Release);
    }

    fn ended(&self) -> Option<JoinHandle<()>> {
        self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// Leaves the room, lets devices go and ends the program. The window disappears at once.
pub(crate) fn close(app: &AppHandle) {
    let closing = app.state::<Closing>();
    if closing.begun.swap(true, Ordering::AcqRel) {
        return;
    }
    for window in app.webview_windows().values() {
        // A window that cannot be hidden stays for the moment that leaving takes.
        let _ = window.hide();
    }
    let (app, ended) = (app.clone(), closing.ended());
    tauri::async_runtime::spawn(async move {
        if tokio::time::timeout(FAREWELL, farewell(&app, ended)).await.is_err() {
            tracing::warn!("leaving took too long");
        }
        app.exit(0);
    });
}

async fn farewell(app: &AppHandle, ended: Option<JoinHandle<()>>) {
    let controller = app.state::<Controller<Window>>().inner().clone();
    controller.close().await;
    if let Some(ended) = ended
        && ended.await.is_err()
    {
        tracing::error!("the app broke off");
    }
    let stop = move || controller.host().set_stage(None);
    if tokio::task::spawn_blocking(stop).await.is_err() {
        tracing::error!("the stage broke off");
    }
}

/// Closes when the system asks the program to stop.
async fn close_when_told(app: AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            close(&app);
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        close(&app);
    }
}
