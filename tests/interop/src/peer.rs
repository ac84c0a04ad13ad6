//! A LiveKit client in Python: python/peer.py, started and listened to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// The running client. What it says is kept until somebody waits for it; it is ended when dropped.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Everything it has said so far, in order.
    said: Vec<Value>,
}

impl Peer {
    /// Joins `url` with a LiveKit token; pictures that it keeps go to `folder`.
    pub fn start(url: &str, token: &str, folder: &Path) -> Result<Self> {
        let mut child = Command::new(super::python())
            .arg(super::script("peer.py"))
            .args([url, token])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("no Python at {}: run `cargo xtask setup`", super::python().display())
            })?;
        let stdout = child.stdout.take().context("no output")?;
        let stdin = child.stdin.take();
        let (sender, lines) = sync_channel(1024);
        thread::Builder::new().name("peer-lines".to_owned()).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(fact) = serde_json::from_str(&line) else { continue };
                if sender.send(fact).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { child, stdin, lines, said: Vec::new() })
    }

    /// The first fact that `wanted` accepts, said already or within `patience`.
    pub fn wait(&mut self, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(fact) = self.said.iter().find(|fact| wanted(fact)) {
            return Ok(fact.clone());
        }
        let deadline = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(fact) => {
                    self.said.push(fact.clone());
                    if wanted(&fact) {
                        return Ok(fact);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("not said within {patience:?}; it said {}", self.history())
                }
                Err(RecvTimeoutError::Disconnected) => bail!("it ended first; it said {}", self.history()),
            }
        }
    }

    /// Everything it says from now on for `time` and has said before, as far as `wanted` accepts it.
    pub fn all(&mut self, time: Duration, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + time;
        while let Ok(fact) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.said.push(fact);
        }
        self.said.iter().filter(|fact| wanted(fact)).cloned().collect()
    }

    /// Makes it send a data packet, reliably, to everybody in the room.
    pub fn say(&mut self, topic: &str, text: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| anyhow!("it was told to leave before"))?;
        Ok(writeln!(stdin, "say {topic} {text}")?)
    }

    /// Makes it leave the room, and waits until it has ended.
    pub fn leave(&mut self) -> Result<()> {
        let mut stdin = self.stdin.take().ok_or_else(|| anyhow!("it was told to leave before"))?;
        stdin.write_all(b"leave\n")?;
        drop(stdin);
        self.wait(Duration::from_secs(20), |fact| fact["event"] == "done")?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the client ended with {status}");
        }
        Ok(())
    }

    fn history(&self) -> String {
        self.said.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
