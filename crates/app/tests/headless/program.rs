//! `confab-headless` as a process that a test writes lines to and reads lines from.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest wait for a line that is wanted: far more than it takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines that may come before they are looked at: more than any test leaves unread.
const LINES: usize = 4096;

/// The program, driven by lines.
pub(crate) struct Headless {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Value>,
    /// Lines that came while another one was waited for.
    passed: VecDeque<Value>,
    _data: tempfile::TempDir,
}

impl Headless {
    /// With that camera, microphone and speaker.
    pub(crate) fn with_devices(
        [camera, microphone, speaker]: [&str; 3],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_confab-headless"));
        command.args(["--camera", camera, "--microphone", microphone, "--speaker", speaker]);
        command.env("CONFAB_DATA", data.path());
        change(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (send, stdout) = sync_channel(LINES);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // The test has ended when nobody listens.
                let _ = send.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, stdin, stdout, passed: VecDeque::new(), _data: data }
    }

    pub(crate) fn write(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line).unwrap();
        stdin.write_all(b"\n").unwrap();
        stdin.flush().unwrap();
    }

    /// The first line that `wanted` takes; the others wait for their turn.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.passed.iter().position(&wanted) {
            return self.passed.remove(at).unwrap();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = match self.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(why) => panic!("{why}; came: {:#?}", self.passed),
            };
            if wanted(&line) {
                return line;
            }
            self.passed.push_back(line);
        }
    }

    pub(crate) fn call(&mut self, id: u32, command: &str, args: &Value) -> Value {
        self.write(json!({ "id": id, "command": command, "args": args }).to_string().as_bytes());
        self.until(|line| line["id"] == id)
    }

    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.until(|line| line["event"] == name)["data"].clone()
    }

    /// Ends the input and tells how the program ended.
    pub(crate) fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().unwrap().code()
    }
}
