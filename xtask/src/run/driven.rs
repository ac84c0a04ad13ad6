//! One of our programs, driven by JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// How long a request may take: a room that cannot be entered answers sooner.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running program; ended when dropped.
pub(super) struct Driven {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Value>,
    requests: u64,
}

impl Driven {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start it")?;
        let stdin = child.stdin.take().context("it takes no requests")?;
        let stdout = child.stdout.take().context("it gives no answers")?;
        let (sender, lines) = sync_channel(256);
        thread::Builder::new().name("driven-lines".to_owned()).spawn(move || {
            let mut heard = true;
            // Read to the end even when nobody listens any more, or it would wait for us.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let (true, Ok(value)) = (heard, serde_json::from_str(&line)) {
                    heard = sender.send(value).is_ok();
                }
            }
        })?;
        Ok(Self { child, stdin, lines, requests: 0 })
    }

    /// Sends one request and waits for its answer.
    pub(super) fn request(&mut self, command: &str, args: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        writeln!(self.stdin, "{}", json!({ "id": id, "command": command, "args": args }))?;
        let answer = self.wait(|line| line["id"] == id).with_context(|| format!("no answer to {command}"))?;
        if let Some(error) = answer.get("error") {
            bail!("{command} failed: {}", error["message"].as_str().unwrap_or("no reason given"));
        }
        Ok(answer["result"].clone())
    }

    /// The next line that is wanted; others before it are passed over.
    pub(super) fn wait(&self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))?;
            if wanted(&line) {
                return Ok(line);
            }
        }
    }

    /// Listens no more, and waits until it ends by itself.
    pub(super) fn finish(mut self) -> Result<ExitStatus> {
        drop(std::mem::replace(&mut self.lines, sync_channel(0).1));
        // Its standard input stays open: the end of it would be taken for the end of the script.
        Ok(self.child.wait()?)
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
