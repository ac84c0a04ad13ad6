//! Milliseconds from the call of enter_room until onEnterRoom: room service, signalling and the
//! first peer connection, server and client in one process.

use bench::{Hall, Samples, entered, left, quiet, report};
use clap::Parser;
use confab_session::Session;
use serde_json::json;
use std::time::Instant;

#[derive(Parser)]
struct Flags {
    /// Entries that are measured.
    #[arg(long, default_value_t = 50)]
    entries: u32,
    /// Entries before them that are not.
    #[arg(long, default_value_t = 3)]
    warm_up: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let hall = Hall::open().await?;
    let (session, mut events) = Session::start(quiet());
    let (mut took, mut told) = (Samples::default(), Samples::default());
    for number in 0..flags.warm_up + flags.entries {
        let params = hall.params(&format!("user{number}"), 1);
        let began = Instant::now();
        session.enter_room(params).await?;
        let result = entered(&mut events).await?;
        if number >= flags.warm_up {
            took.push(began.elapsed().as_secs_f64() * 1e3);
            told.push(result as f64);
        }
        session.exit_room().await?;
        left(&mut events).await?;
    }
    session.close().await;
    hall.stop().await;
    report("enter", &json!({ "ms": took.summary(), "told_ms": told.summary() }));
    Ok(())
}
