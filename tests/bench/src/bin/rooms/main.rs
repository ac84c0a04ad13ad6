//! What the room service costs: entries and joins a second, and the memory of those who are in.
//!
//! For the speed the server is a process of its own, on one core where `taskset` can see to that, and
//! its processor time is told beside: on a busy machine only that means something. For the memory it
//! runs in this process, whose allocator counts by the thread that asked for it; what the threads of
//! the media engine asked for is told apart.

mod clients;
mod count;
mod memory;
mod server;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::{CpuTime, report};
use clap::Parser;
use serde_json::{Map, json};
use server::Server;
use tokio::runtime::Builder;

#[global_allocator]
static COUNTING: count::Counting = count::Counting;

#[derive(Parser)]
struct Flags {
    /// Entries that are measured.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
    /// Joins that are measured.
    #[arg(long, default_value_t = 400)]
    joins: usize,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// People in rooms of two whose memory is counted.
    #[arg(long, default_value_t = 400)]
    people: usize,
    /// The server's program; the one built beside this when not given.
    #[arg(long)]
    server: Option<std::path::PathBuf>,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let mut facts = Map::new();
    let server = Server::start(flags.server.as_deref())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let warm = clients::bodies("warm", flags.connections * 20);
    runtime.block_on(clients::enter_all(server.http(), warm, flags.connections))?;

    let bodies = clients::bodies("user", flags.entries);
    let measured = Measured::begin(&server)?;
    runtime.block_on(clients::enter_all(server.http(), bodies, flags.connections))?;
    facts.insert("enter".to_owned(), measured.end(&server, flags.entries)?);

    let bodies = clients::bodies("guest", flags.joins);
    let measured = Measured::begin(&server)?;
    let inside = runtime.block_on(clients::join_all(server.http(), bodies, flags.connections))?;
    facts.insert("join".to_owned(), measured.end(&server, flags.joins)?);
    facts.insert("pinned".to_owned(), server.is_pinned().into());
    facts.insert("cores".to_owned(), std::thread::available_parallelism().map_or(1, usize::from).into());
    drop(inside);
    drop(server);

    facts.insert("memory".to_owned(), memory::measure(flags.people, flags.connections)?);
    report("rooms", &facts.into());
    Ok(())
}

/// A measurement that has begun.
struct Measured {
    began: Instant,
    used: CpuTime,
}

impl Measured {
    fn begin(server: &Server) -> Result<Self> {
        Ok(Self { began: Instant::now(), used: used(server)? })
    }

    /// How many of `count` a second of time, and of the server's processor time.
    fn end(self, server: &Server, count: usize) -> Result<serde_json::Value> {
        let (took, cpu) = (self.began.elapsed(), used(server)?.total() - self.used.total());
        let each = |time: Duration| (count as f64 / time.as_secs_f64().max(0.01)).round();
        Ok(json!({ "count": count, "per_s": each(took), "per_cpu_s": each(cpu) }))
    }
}

fn used(server: &Server) -> Result<CpuTime> {
    CpuTime::of(server.process()).context("processor time is read from /proc")
}
