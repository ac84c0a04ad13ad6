//! Milliseconds from the call of enter_room until the first picture of somebody who is there
//! already is decoded.

use anyhow::Context;
use bench::{Hall, Samples, entered, event, left, quiet, report};
use clap::Parser;
use confab_frame::Cursor;
use confab_media::CameraSource;
use confab_protocol::Event;
use confab_session::Session;
use serde_json::json;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(600);

#[derive(Parser)]
struct Flags {
    /// Entries that are measured.
    #[arg(long, default_value_t = 20)]
    entries: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let hall = Hall::open().await?;
    let (sender, mut sent) = Session::start(quiet());
    sender.start_local_video(CameraSource::Test).await?;
    sender.enter_room(hall.params("sender", 1)).await?;
    entered(&mut sent).await?;
    event(&mut sent, |event| matches!(event, Event::OnSendFirstLocalVideoFrame { .. }).then_some(())).await?;
    let (viewer, mut seen) = Session::start(quiet());
    let (mut first, mut told) = (Samples::default(), Samples::default());
    for number in 0..flags.entries {
        let began = Instant::now();
        viewer.enter_room(hall.params(&format!("viewer{number}"), 1)).await?;
        entered(&mut seen).await?;
        let slot = viewer.remote_video("sender").context("the sender is not there")?;
        let wait = move || slot.wait_newer(&mut Cursor::default(), PATIENCE).map(|_| began.elapsed());
        let took = tokio::task::spawn_blocking(wait).await?.context("no picture came")?;
        first.push(took.as_secs_f64() * 1e3);
        event(&mut seen, |event| matches!(event, Event::OnFirstVideoFrame { .. }).then_some(())).await?;
        told.push(began.elapsed().as_secs_f64() * 1e3);
        viewer.exit_room().await?;
        left(&mut seen).await?;
        // People come one by one: the next key frame is not held back because of this one.
        tokio::time::sleep(PAUSE).await;
    }
    viewer.close().await;
    sender.close().await;
    hall.stop().await;
    report("first-frame", &json!({ "ms": first.summary(), "told_ms": told.summary() }));
    Ok(())
}
