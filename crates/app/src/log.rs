//! The log of the programs around the app, on stderr.

use std::io::IsTerminal;

use confab_server::log::subscriber;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged unless `CONFAB_LOG` says otherwise. The transport's crates complain about every
/// packet that is not what they expect, which anybody may send to a port of ours.
const QUIET: &str = "warn,webrtc=off,rtc=off";

/// Starts the log. `wanted` is the content of `CONFAB_LOG`, as in `info,confab_session=debug`;
/// secrets stay out of it at every level.
pub fn start(wanted: Option<&str>) {
    let color = std::io::stderr().is_terminal();
    let started = match wanted.map(|wanted| subscriber(wanted, color, std::io::stderr)) {
        Some(Ok(asked)) => asked.try_init(),
        Some(Err(error)) => {
            let fallen_back = subscriber(QUIET, color, std::io::stderr).map(SubscriberInitExt::try_init);
            tracing::warn!(%error, "CONFAB_LOG cannot be read");
            fallen_back.unwrap_or(Ok(()))
        }
        None => subscriber(QUIET, color, std::io::stderr).map_or(Ok(()), SubscriberInitExt::try_init),
    };
    if let Err(error) = started {
        // Somebody else logs in this process already.
        tracing::debug!(%error, "the log runs already");
    }
}
