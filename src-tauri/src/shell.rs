//! The window from its opening to the end of the program.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use confab_app::lines::Output;
use confab_app::{
    Controller, Event, Host as _, InvitationText, Options, PresenterKind, ReceiveFlag, Request, ViewEvent,
};
use tauri::{AppHandle, Manager as _, RunEvent, WebviewWindowBuilder, WindowEvent};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::command_line::CommandLine;
use crate::host::Window;
use crate::stage::canvas::{self, Feed};
use crate::stage::{self, probe};
use crate::{commands, context, door, script};

/// Longest that leaving the room and letting everything go may hold the program up.
const FAREWELL: Duration = Duration::from_secs(10);
/// Two wishes to close the window within this are one.
const TWITCH: Duration = Duration::from_secs(3);
/// Invitations that may wait for the page.
const INVITATIONS: usize = 4;
/// Longest wait for the runtime's own threads.
const THREADS: Duration = Duration::from_millis(500);

/// Opens the window and stays until it is closed and everything is let go.
pub(crate) fn run(line: CommandLine) -> Result<ExitCode> {
    confab_app::log::start(std::env::var("CONFAB_LOG").ok().as_deref());
    let wish = probe::wish(std::env::var_os(probe::VARIABLE).as_deref(), probe::System::HERE)?;
    let options = line.app.options(concat!("confab/", env!("CARGO_PKG_VERSION")), ReceiveFlag::Shown)?;
    let runtime = runtime()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let invitation = line.invitation;
    // A script speaks with the window that it opens.
    if let (Some(link), None) = (&invitation, &line.script)
        && runtime.block_on(door::hand_over(&options.data, &link.0))
    {
        return Ok(ExitCode::SUCCESS);
    }
    let output = match line.script {
        Some(_) => Some(Arc::new(Output::new(std::io::stdout()).context("no threads can be started")?)),
        None => None,
    };
    let adapter = stage::Adapter::look().context("no threads can be started")?;
    let feed = Feed::default();
    let pulled = feed.clone();
    let app = tauri::Builder::default()
        .register_asynchronous_uri_scheme_protocol(canvas::SCHEME, move |_, request, responder| {
            pulled.answer(request.uri().path(), responder);
        })
        .invoke_handler(tauri::generate_handler![commands::call, commands::close_window])
        .manage(Closing::default())
        .setup(move |app| {
            Ok(open(app.handle(), options, output, invitation, Showing { wish, adapter, feed })?)
        })
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

/// What is known of how pictures will be shown, before there is a window.
struct Showing {
    wish: Option<PresenterKind>,
    adapter: stage::Adapter,
    feed: Feed,
}

/// Opens the window and puts the app and the stage behind it.
fn open(
    app: &AppHandle,
    options: Options,
    output: Option<Arc<Output>>,
    invitation: Option<InvitationText>,
    showing: Showing,
) -> Result<()> {
    let config = app.config().app.windows.first().context("no window is configured")?;
    // Invitations are copied; WebKitGTK refuses that otherwise.
    let window = WebviewWindowBuilder::from_config(app, config)?.enable_clipboard_access().build()?;
    let host = Window::new(app.clone(), output.clone());
    let runtime = tauri::async_runtime::handle();
    let _inside = runtime.inner().enter();
    let folder = options.data.clone();
    let (controller, ended) = Controller::start(options, host);
    let Showing { wish, adapter, feed } = showing;
    let (source, told) = (controller.stage().clone(), tell(controller.clone()));
    let stage = stage::open(&window, wish, adapter, &feed, source, told)?;
    controller.host().set_stage(Some(stage));
    app.manage(controller.clone());
    app.state::<Closing>().begin(ended);
    if let Some(output) = output {
        tauri::async_runtime::spawn(script::follow(app.clone(), controller, output));
    }
    let (sender, invited) = mpsc::channel(INVITATIONS);
    tauri::async_runtime::spawn(welcome(app.clone(), invitation, invited));
    tauri::async_runtime::spawn(door::keep(folder, sender));
    tauri::async_runtime::spawn(close_when_told(app.clone()));
    Ok(())
}

/// Opens the invitation that the program was started with, then those that other starts hand over.
async fn welcome(app: AppHandle, first: Option<InvitationText>, mut invited: mpsc::Receiver<String>) {
    if let Some(text) = first {
        open_invitation(&app, text).await;
    }
    while let Some(text) = invited.recv().await {
        open_invitation(&app, InvitationText(text)).await;
        for window in app.webview_windows().values() {
            // A window manager may refuse; what was opened is seen when somebody comes back.
            let _ = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        }
    }
}

/// The page hears of it, also of what is wrong with it.
async fn open_invitation(app: &AppHandle, text: InvitationText) {
    if let Some(controller) = app.try_state::<Controller<Window>>()
        && let Err(fault) = controller.call(Request::OpenInvitation { text }).await
    {
        tracing::info!(code = fault.code, "an invitation cannot be read");
    }
}

/// Lets the app know how pictures are shown. From any thread; what is told first arrives first.
fn tell(controller: Controller<Window>) -> stage::Told {
    // The stage tells what it begins with, and once more if that fails.
    let (sender, mut told) = mpsc::channel(2);
    tauri::async_runtime::spawn(async move {
        while let Some((view, warning)) = told.recv().await {
            controller.presented_by(view, warning).await;
        }
    });
    // The other side is gone when the app has ended.
    Box::new(move |view, warning| drop(sender.try_send((view, warning))))
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
            api.prevent_close();
            close_or_ask(app);
        }
        // What macOS opens the program for, also while it runs.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                for url in urls {
                    open_invitation(&app, InvitationText(url.into())).await;
                }
            });
        }
        // Asked by the desktop; ours has a code.
        RunEvent::ExitRequested { api, code: None, .. } => {
            api.prevent_exit();
            close(app);
        }
        _ => {}
    }
}

/// Closes, or asks first where others would lose their rooms.
fn close_or_ask(app: &AppHandle) {
    if app.state::<Closing>().meant(Instant::now()) {
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
    /// When somebody wanted to close the window first, and the page was told to ask.
    asked: Mutex<Option<Instant>>,
    ended: Mutex<Option<JoinHandle<()>>>,
}

impl Closing {
    fn begin(&self, ended: JoinHandle<()>) {
        *lock(&self.ended) = Some(ended);
    }

    /// Whether a wish at `now` is one to obey: somebody has been asked, and means it, or the page
    /// cannot ask them. All others are asked about, as an answer to the last may be on its way.
    fn meant(&self, now: Instant) -> bool {
        let first = *lock(&self.asked).get_or_insert(now);
        now.saturating_duration_since(first) >= TWITCH
    }

    /// The window stays: the next wish to close it is asked about again.
    pub(crate) fn stay(&self) {
        *lock(&self.asked) = None;
    }

    fn ended(&self) -> Option<JoinHandle<()>> {
        lock(&self.ended).take()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_click_is_one_wish_and_who_still_wishes_later_means_it() {
        let (closing, begun) = (Closing::default(), Instant::now());
        let at = |milliseconds| closing.meant(begun + Duration::from_millis(milliseconds));
        assert_eq!([0, 5, 2_900, 3_100].map(at), [false, false, false, true]);
        closing.stay();
        assert!(!at(3_200));
    }
}
