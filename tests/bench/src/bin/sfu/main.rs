//! What forwarding costs: one publisher of 2.5 Mbit/s video and Opus to 10, 50 and 200 subscribers.
//!
//! The server is a process of its own, so its CPU time (the kernel's sending included) and memory
//! are counted apart from the clients'. Latency is taken at a few subscribers on a thread of their
//! own, from the publisher's write to their decrypted packet; the crowd has another thread.

mod client;
mod crowd;
mod server;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::{CpuTime, Samples, report};
use clap::Parser;
use serde_json::{Map, Value, json};

use crate::crowd::{Counts, Crowd};
use crate::server::Server;

/// Subscribers whose latency is taken.
const EARS: usize = 4;
/// After the last subscriber is connected, before measuring.
const SETTLE: Duration = Duration::from_secs(2);

/// Packets forwarded to how many, at which price.
#[derive(Debug, Parser)]
struct Options {
    /// Numbers of subscribers, one run each.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 50, 200])]
    subscribers: Vec<usize>,
    /// Seconds measured in each run.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The server's program; the one built beside this when not given.
    #[arg(long)]
    server: Option<std::path::PathBuf>,
    /// Media workers of the server.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut facts = Map::new();
    for subscribers in &options.subscribers {
        let measured = run(*subscribers, &options).with_context(|| format!("{subscribers} subscribers"))?;
        facts.insert(subscribers.to_string(), measured);
    }
    report("sfu", &Value::Object(facts));
    Ok(())
}

fn run(subscribers: usize, options: &Options) -> Result<Value> {
    let server = Server::start(options.server.as_deref(), options.workers)?;
    let publisher = Crowd::publisher(server.access("publisher"))?;
    publisher.wait_connected(Duration::from_secs(20))?;
    std::thread::sleep(Duration::from_millis(500));
    let empty = server.resident()?;
    let ears = EARS.min(subscribers);
    let names = |count: usize, kind: &str| -> Vec<client::Access> {
        (0..count).map(|n| server.access(&format!("{kind}-{n}"))).collect()
    };
    let listening = Crowd::subscribers("ears", names(ears, "ear"))?;
    let others = Crowd::subscribers("crowd", names(subscribers - ears, "seat"))?;
    let crowds = [&listening, &others];
    for crowd in crowds {
        crowd.wait_connected(Duration::from_secs(90))?;
    }
    std::thread::sleep(SETTLE);

    crowds.iter().for_each(|crowd| crowd.start_counting());
    let before = cpu(&server)?;
    let started = std::time::Instant::now();
    std::thread::sleep(Duration::from_secs(options.seconds));
    let used = cpu(&server)? - before;
    let took = started.elapsed();
    let full = server.resident()?;
    let counts: Vec<Counts> = crowds.iter().map(|crowd| crowd.stop()).collect::<Result<_>>()?;
    drop((listening, others, publisher));

    let received: u64 = counts.iter().map(|counts| counts.received).sum();
    let lost: u64 = counts.iter().map(|counts| counts.lost).sum();
    ensure!(received > 0, "nothing was received");
    let mut latency = Samples::default();
    // The ears are the first; the crowd's own thread is too busy to tell the time.
    counts.iter().take(1).flat_map(|counts| &counts.latency_ms).for_each(|ms| latency.push(*ms));
    let used = used.as_secs_f64();
    Ok(json!({
        "cpu_us_per_packet": round(used * 1e6 / received as f64),
        "core_percent": round(used / took.as_secs_f64() * 100.0),
        "packets_per_s": (received as f64 / took.as_secs_f64()).round(),
        "loss_percent": round(lost as f64 * 100.0 / (received + lost) as f64),
        "p50_ms": round(latency.percentile(50.0)),
        "p99_ms": round(latency.percentile(99.0)),
        "kib_per_receiver": full.saturating_sub(empty) / subscribers as u64,
    }))
}

fn cpu(server: &Server) -> Result<Duration> {
    Ok(CpuTime::of(server.process()).context("the server's CPU time cannot be read")?.total())
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
