//! The app without a window: one JSON request a line on stdin, answers and events on stdout.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use confab_app::lines::{self, Output};
use confab_app::log;
use confab_app::{Code, Controller, Event, Fault, Flags, Host, Options, ReceiveFlag, Stage};
use confab_render::Compositor;

/// The app without a window: one JSON request a line on stdin, for example
/// {"id":1,"command":"enter_room","args":{...}}, answers and events on stdout, the log on stderr.
#[derive(Debug, Parser)]
#[command(name = "confab-headless", version)]
struct Arguments {
    #[command(flatten)]
    app: Flags,
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program says why it fails")]
            {
                eprintln!("confab-headless: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let arguments = Arguments::parse();
    log::start(std::env::var("CONFAB_LOG").ok().as_deref());
    let agent = concat!("confab-headless/", env!("CARGO_PKG_VERSION"));
    let options = arguments.app.options(agent, ReceiveFlag::All)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("confab")
        .enable_all()
        .build()
        .context("no threads can be started")?;
    let result = runtime.block_on(run(options));
    // A read of stdin that is still waiting ends with the process.
    runtime.shutdown_background();
    result
}

async fn run(options: Options) -> Result<()> {
    let output = Arc::new(Output::new(std::io::stdout()).context("no threads can be started")?);
    let host = Headless { output: Arc::clone(&output) };
    let (controller, ended) = Controller::start(options, host);
    let input = tokio::io::BufReader::new(tokio::io::stdin());
    let read = tokio::select! {
        read = lines::serve(&controller, input, &output) => read,
        () = asked_to_stop() => Ok(()),
    };
    controller.close().await;
    drop(controller);
    ended.await.context("the app broke off")?;
    Ok(read?)
}

/// Ends when the system asks the program to stop.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without signals the end of stdin is the only end.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Two pipes instead of a window.
#[derive(Debug)]
struct Headless {
    output: Arc<Output>,
}

impl Host for Headless {
    fn emit(&self, event: Event) {
        lines::emit(&self.output, &event);
    }

    /// Nothing draws by itself here, so the stage is drawn when asked for.
    fn stage_snapshot(&self, stage: &Stage) -> Result<Vec<u8>, Fault> {
        let failed = |error: confab_render::RenderError| {
            Fault::new(Code::VIDEO_RENDER_FAILED).with_message(format!("The stage cannot be drawn: {error}."))
        };
        let mut compositor = Compositor::new().map_err(failed)?;
        let picture = compositor.draw(&stage.scene(), &|id| stage.frame(id)).map_err(failed)?;
        picture.png().map_err(failed)
    }
}
