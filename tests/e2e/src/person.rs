//! Somebody at a program, by lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::process::ExitStatus;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::PATIENCE;

/// A program of ours that is driven by lines: somebody without a window, or the window itself with
/// `--script -`. Everything it says is kept; it is ended when dropped.
#[derive(Debug)]
pub struct Person {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    said: Vec<Value>,
    requests: u64,
}

impl Person {
    /// Starts the program.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("it gives no answers")?;
        let (sender, lines) = sync_channel(4096);
        std::thread::Builder::new().name("person".to_owned()).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { child, stdin, lines, said: Vec::new(), requests: 0 })
    }

    /// Sends a request and waits for its result.
    pub fn request(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        let stdin = self.stdin.as_mut().context("nothing more can be asked")?;
        writeln!(stdin, "{}", json!({ "id": id, "command": command, "args": arguments }))?;
        let answer = self.wait(command, |line| line["id"] == id)?;
        if let Some(error) = answer.get("error") {
            bail!("{command}: {error}");
        }
        Ok(answer["result"].clone())
    }

    /// The data of an event, heard already or soon.
    pub fn event(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let line = self.wait(name, |line| line["event"] == name && wanted(&line["data"]))?;
        Ok(line["data"].clone())
    }

    /// Only what is said from now on counts as heard.
    pub fn forget(&mut self) {
        self.said.clear();
        while self.lines.try_recv().is_ok() {}
    }

    /// The program's process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Enters a room and sends picture and sound.
    pub fn join(&mut self, entry: &Value) -> Result<()> {
        self.enter(entry)?;
        self.request("start_local_video", &json!({}))?;
        self.request("start_local_audio", &json!({}))?;
        Ok(())
    }

    /// Enters a room.
    pub fn enter(&mut self, entry: &Value) -> Result<()> {
        self.request("enter_room", entry)?;
        let entered = self.event("onEnterRoom", |_| true)?;
        ensure!(entered["result"].as_i64().is_some_and(|result| result >= 0), "not let in: {entered}");
        Ok(())
    }

    /// Ends its input and waits until it has ended.
    pub fn end(&mut self) -> Result<ExitStatus> {
        drop(self.stdin.take());
        self.ended()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        bail!("it did not end within {PATIENCE:?}")
    }

    fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(line) = self.said.iter().find(|line| wanted(line)) {
            return Ok(line.clone());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if wanted(&line) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("no {what} within {PATIENCE:?}: {:#?}", self.said),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended before {what}: {:#?}", self.said),
            }
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
