//! `confab-server`: rooms, media and their interfaces in one program.

mod cli;
mod dev;
mod sign;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use confab_protocol::ExitCause;
use confab_server::clock::unix_now;
use confab_server::{Config, Server};
use tracing::info;

use cli::{Cli, Command};

/// What is logged unless --log or `CONFAB_LOG` says otherwise: str0m warns of harmless offers.
const QUIET: &str = "info,str0m=error";
/// What is left of the runtime after the server has stopped may take this long.
const LEFTOVERS: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be said if the standard error is closed.
            let _ = writeln!(std::io::stderr(), "confab-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let env = |name: &str| std::env::var(name).ok();
    let mut config = cli.config(env)?;
    if cli.dev {
        dev::fill(&mut config);
    }
    config.check()?;
    match &cli.command {
        Some(Command::Usersig(ask)) => say(&sign::user_sig(&config, ask, unix_now())?),
        Some(Command::Token(ask)) => say(&sign::token(&config, ask, unix_now())?),
        None => serve(cli, config),
    }
}

fn serve(cli: &Cli, config: Config) -> Result<()> {
    let color = std::io::stderr().is_terminal();
    let directives = cli.log.clone().or_else(|| std::env::var("CONFAB_LOG").ok());
    let subscriber =
        confab_server::log::subscriber(directives.as_deref().unwrap_or(QUIET), color, std::io::stderr)
            .context("--log (CONFAB_LOG)")?;
    tracing::subscriber::set_global_default(subscriber).context("the log")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("confab-server")
        .enable_all()
        .build()
        .context("no threads to run on")?;
    let result = runtime.block_on(until_told(cli, config));
    runtime.shutdown_timeout(LEFTOVERS);
    result
}

/// Serves until SIGTERM or ctrl-c.
async fn until_told(cli: &Cli, config: Config) -> Result<()> {
    let mut told = Told::listen()?;
    let greeting = config.clone();
    if config.app.is_empty() && config.api_key.is_empty() {
        tracing::warn!("nobody can enter: no app and no api_key is configured; --dev makes them for a try");
    }
    let server = Server::start(config).await?;
    if cli.dev {
        say(&dev::greeting(&greeting, &server.url()))?;
    }
    let signal = told.wait().await;
    info!(signal, "told to stop");
    server.stop(ExitCause::ServerStopped).await;
    Ok(())
}

/// The signals that end the server; listened to before it starts, so that none is lost.
struct Told {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Told {
    fn listen() -> Result<Told> {
        #[cfg(unix)]
        let terminate = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::terminate()).context("SIGTERM cannot be listened to")?
        };
        Ok(Told {
            #[cfg(unix)]
            terminate,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => "ctrl-c",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) -> &'static str {
        // An error means that ctrl-c cannot be caught; the system then ends the program itself.
        let _ = tokio::signal::ctrl_c().await;
        "ctrl-c"
    }
}

/// Writes to the standard output what the program was asked for.
fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("the standard output is closed")
}
