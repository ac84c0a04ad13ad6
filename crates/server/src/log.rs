//! What may stand in a log.
//!
//! Our own types print secrets as `***`. Libraries below us do not know what is secret, so those
//! that print what passes through them are kept from doing so, whatever level is asked for.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, FilterFn, LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

/// Libraries, the client's too, whose debug and trace output holds message bodies, request lines or
/// ICE passwords.
const TALKATIVE: [&str; 18] = [
    "tungstenite",
    "tokio_tungstenite",
    "hyper",
    "hyper_util",
    "axum",
    "reqwest",
    "str0m",
    "is",
    "sctp_proto",
    "webrtc",
    "rtc",
    "rtc_ice",
    "rtc_dtls",
    "rtc_stun",
    "rtc_sdp",
    "rtc_sctp",
    "rtc_datachannel",
    "rustls",
];

/// A subscriber that writes lines to `writer`; `directives` as in `info,confab_server=debug`.
pub fn subscriber<W>(
    directives: &str,
    color: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, ParseError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(directives)?;
    let lines = tracing_subscriber::fmt::layer().with_ansi(color).with_writer(writer);
    Ok(Registry::default().with(lines.with_filter(filter.and(FilterFn::new(may_show)))))
}

/// Whether an event's source may write at its level.
fn may_show(metadata: &Metadata<'_>) -> bool {
    let source = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !TALKATIVE.contains(&source)
}
