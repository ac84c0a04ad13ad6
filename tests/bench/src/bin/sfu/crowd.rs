//! Clients on a thread of their own.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::LocalSet;

use crate::client::{Access, Client};

/// Subscribers that connect at the same time.
const AT_ONCE: usize = 8;

/// What the clients of a crowd received while it was measured.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) received: u64,
    pub(crate) lost: u64,
    pub(crate) latency_ms: Vec<f64>,
}

#[derive(Debug, Default)]
struct Shared {
    connected: AtomicUsize,
    failed: AtomicBool,
    measuring: AtomicBool,
    over: AtomicBool,
}

/// A thread full of clients.
pub(crate) struct Crowd {
    size: usize,
    shared: Arc<Shared>,
    counts: mpsc::Receiver<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// One client that sends.
    pub(crate) fn publisher(access: Access) -> Result<Crowd> {
        Crowd::start("publisher", vec![access], true)
    }

    /// Clients that receive.
    pub(crate) fn subscribers(name: &str, accesses: Vec<Access>) -> Result<Crowd> {
        Crowd::start(name, accesses, false)
    }

    fn start(name: &str, accesses: Vec<Access>, publishes: bool) -> Result<Crowd> {
        let shared = Arc::new(Shared::default());
        let (to, counts) = mpsc::channel();
        let size = accesses.len();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let state = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let everyone = LocalSet::new();
            let slots = std::rc::Rc::new(tokio::sync::Semaphore::new(AT_ONCE));
            for access in accesses {
                let (state, to, slots) = (Arc::clone(&state), to.clone(), std::rc::Rc::clone(&slots));
                everyone.spawn_local(async move {
                    if let Err(error) = live(access, publishes, &state, &to, &slots).await {
                        state.failed.store(true, Ordering::Relaxed);
                        complain(&error);
                    }
                });
            }
            runtime.block_on(everyone);
        })?;
        Ok(Crowd { size, shared, counts, thread: Some(thread) })
    }

    pub(crate) fn wait_connected(&self, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            let connected = self.shared.connected.load(Ordering::Relaxed);
            if connected == self.size {
                return Ok(());
            }
            if self.shared.failed.load(Ordering::Relaxed) || Instant::now() > end {
                bail!("{connected} of {} clients connected", self.size);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Counts from now on.
    pub(crate) fn start_counting(&self) {
        self.shared.measuring.store(true, Ordering::Relaxed);
    }

    /// What was counted until now.
    pub(crate) fn stop(&self) -> Result<Counts> {
        self.shared.measuring.store(false, Ordering::Relaxed);
        let mut all = Counts::default();
        for _ in 0..self.size {
            let one = self.counts.recv_timeout(Duration::from_secs(10)).context("a client gave no counts")?;
            all.received += one.received;
            all.lost += one.lost;
            all.latency_ms.extend(one.latency_ms);
        }
        Ok(all)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed already.
            let _ = thread.join();
        }
    }
}

async fn live(
    access: Access,
    publishes: bool,
    state: &Shared,
    to: &mpsc::Sender<Counts>,
    slots: &tokio::sync::Semaphore,
) -> Result<()> {
    let slot = slots.acquire().await?;
    let mut client = Client::join(&access).await?;
    if publishes {
        client.publish().await?;
    }
    while !client.is_connected() {
        client.step().await?;
    }
    state.connected.fetch_add(1, Ordering::Relaxed);
    drop(slot);
    let mut measured = false;
    while !state.over.load(Ordering::Relaxed) {
        client.step().await?;
        let measuring = state.measuring.load(Ordering::Relaxed);
        if measuring && !measured {
            client.arrivals.clear();
        } else if !measuring && measured && to.send(count(&client)).is_err() {
            return Ok(());
        } else if !measuring {
            client.arrivals.clear();
        }
        measured = measuring;
    }
    Ok(())
}

/// A packet that came twice counts once; what is missing between the first and the last is lost.
fn count(client: &Client) -> Counts {
    let mut counts = Counts::default();
    for video in [true, false] {
        let arrivals = client.arrivals.iter().filter(|arrival| arrival.video == video);
        let numbers: HashSet<u64> = arrivals.map(|arrival| arrival.sequence).collect();
        let span = match (numbers.iter().min(), numbers.iter().max()) {
            (Some(first), Some(last)) => last - first + 1,
            (None, _) | (_, None) => 0,
        };
        counts.received += numbers.len() as u64;
        counts.lost += span - numbers.len() as u64;
    }
    counts.latency_ms = client.arrivals.iter().map(|arrival| arrival.latency_ms).collect();
    counts
}

#[allow(clippy::print_stderr, reason = "why a run failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("client: {error:#}");
}
