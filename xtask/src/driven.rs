//! A program that is driven by lines: ours by JSON, others by whatever they read and say.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Lines kept for a later question; older ones are forgotten.
const KEPT: usize = 1024;
/// Lines that an error shows, the last ones.
const SHOWN: usize = 12;
/// Between two looks at whether a program has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A running program; ended when dropped.
pub(crate) struct Driven {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Lines that came while another one was waited for.
    passed: VecDeque<Value>,
    requests: u64,
    /// How long it may take for anything.
    patience: Duration,
}

impl Driven {
    /// Starts it; a line that is no JSON counts as a text.
    pub(crate) fn start(mut command: Command, patience: Duration) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start it")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("it gives no answers")?;
        let (sender, lines) = sync_channel(256);
        thread::Builder::new().name("driven-lines".to_owned()).spawn(move || {
            let mut heard = true;
            // Read to the end even when nobody listens any more, or it would wait for us.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if heard {
                    let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                    heard = sender.send(line).is_ok();
                }
            }
        })?;
        Ok(Self { child, stdin, lines, passed: VecDeque::new(), requests: 0, patience })
    }

    /// Sends one line.
    pub(crate) fn send(&mut self, line: &Value) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its input is closed")?;
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).context("it reads no more")
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn request(&mut self, command: &str, args: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "id": id, "command": command, "args": args }))?;
        let answer = self.wait(|line| line["id"] == id).with_context(|| format!("no answer to {command}"))?;
        if let Some(error) = answer.get("error") {
            bail!("{command} failed: {}", error["message"].as_str().unwrap_or("no reason given"));
        }
        Ok(answer["result"].clone())
    }

    /// The data of the next event of that name that is wanted.
    pub(crate) fn event(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let line = self.wait(|line| line["event"] == name && wanted(&line["data"]));
        Ok(line.with_context(|| format!("no {name}"))?["data"].take())
    }

    /// The first line that is wanted, once; others stay for later questions.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(found) = self.passed.iter().position(&wanted).and_then(|at| self.passed.remove(at)) {
            return Ok(found);
        }
        let deadline = Instant::now() + self.patience;
        loop {
            let line = match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("it did not come within {:?}; came: {}", self.patience, self.tail())
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the program ended; came: {}", self.tail()),
            };
            if wanted(&line) {
                return Ok(line);
            }
            if self.passed.len() == KEPT {
                self.passed.pop_front();
            }
            self.passed.push_back(line);
        }
    }

    /// Asks it to end as ctrl-c does, and waits until it has.
    pub(crate) fn interrupt(self) -> Result<ExitStatus> {
        let process = self.child.id().to_string();
        // The shell has this command built in, the system perhaps not.
        let asked = Command::new("sh").args(["-c", "kill -INT \"$0\"", &process]).status();
        asked.context("no signal can be sent")?;
        self.ended()
    }

    /// Ends its input, and waits until it has ended.
    pub(crate) fn end(mut self) -> Result<ExitStatus> {
        drop(self.stdin.take());
        self.ended()
    }

    /// Listens no more, and waits until it ends by itself, however long that takes.
    pub(crate) fn finish(mut self) -> Result<ExitStatus> {
        drop(std::mem::replace(&mut self.lines, sync_channel(0).1));
        // Its standard input stays open: the end of it would be taken for the end of the script.
        Ok(self.child.wait()?)
    }

    fn ended(mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + self.patience;
        // What it still says is thrown away, or it would wait for us.
        drop(std::mem::replace(&mut self.lines, sync_channel(0).1));
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("it did not end within {:?}", self.patience);
            }
            thread::sleep(LOOK);
        }
    }

    /// The last lines that came.
    fn tail(&self) -> String {
        let last = self.passed.iter().skip(self.passed.len().saturating_sub(SHOWN));
        last.map(Value::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Driven {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Driven::start(command, patience).unwrap()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_line_that_was_passed_over_is_found_once() {
        let mut program =
            shell("echo hello; echo '{\"event\":\"one\",\"data\":{\"n\":1}}'; echo last; cat", LONG);
        assert_eq!(program.wait(|line| line == "last").unwrap(), "last");
        assert_eq!(program.event("one", |data| data["n"] == 1).unwrap(), json!({ "n": 1 }));
        assert_eq!(program.wait(|line| line == "hello").unwrap(), "hello");
        program.send(&json!({ "id": 7 })).unwrap();
        assert_eq!(program.wait(|line| line.is_object()).unwrap(), json!({ "id": 7 }));
        assert!(program.end().unwrap().success());
    }

    #[test]
    fn what_does_not_come_is_told_with_what_came() {
        let mut program = shell("echo hello; cat", Duration::from_millis(300));
        let error = format!("{:#}", program.event("two", |_| true).unwrap_err());
        assert!(
            error.starts_with("no two: it did not come within 300ms") && error.contains("hello"),
            "{error}"
        );
        let mut program = shell("echo bye", LONG);
        let error = format!("{:#}", program.event("two", |_| true).unwrap_err());
        assert!(error.contains("the program ended") && error.contains("bye"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interrupted_program_tells_how_it_ended() {
        // A shell waits for its own command before it looks at a signal: `read` is no command. And it
        // cannot trap what was ignored when it started, as in whatever runs in the background.
        let mut command = Command::new("env");
        let script = "trap 'exit 3' INT; echo ready; while true; do read x; done";
        command.args(["--default-signal=INT", "sh", "-c", script]);
        let mut program = Driven::start(command, LONG).unwrap();
        program.wait(|line| line == "ready").unwrap();
        assert_eq!(program.interrupt().unwrap().code(), Some(3));
    }

    #[test]
    fn a_program_that_does_not_end_is_told() {
        let program = shell("exec sleep 60", Duration::from_millis(100));
        let error = program.end().unwrap_err().to_string();
        assert_eq!(error, "it did not end within 100ms");
    }
}
