//! The window as a process: milliseconds from its start until it can be used, and the memory that it
//! and the webview's processes take while nobody does anything and in a meeting of two.
//!
//! It can be used once the page has said where its tiles are and the stage was drawn: from then on
//! the window answers with a picture of the stage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bench::{Samples, report};
use clap::Parser;
use e2e::{Person, Screen, Usage, descendants, environment};
use serde_json::json;
use tempfile::TempDir;

/// How long a window may take to open.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two questions whether it can be used.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Parser)]
struct Flags {
    /// Starts that are measured.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// The window; the one beside this program when left out. `confab-headless` has to be beside it.
    #[arg(long)]
    program: Option<PathBuf>,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let program = match flags.program {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("confab"),
    };
    let screen = Screen::start()?;
    let mut took = Samples::default();
    // The first one fills the system's caches and does not count.
    for number in 0..=flags.starts {
        let (mut window, time) = Window::open(&program, &screen)?;
        window.person.end()?;
        if number > 0 {
            took.push(time.as_secs_f64() * 1e3);
        }
    }
    let (mut window, _) = Window::open(&program, &screen)?;
    let idle = window.memory()?;
    let headless = program.with_file_name("confab-headless");
    let home = tempfile::tempdir()?;
    let mut other = Person::start(&mut command(&headless, home.path()))?;
    let hosting = other.request("host_room", &json!({}))?;
    other.join(&json!({ "userId": "other", "roomId": 1 }))?;
    let person = &mut window.person;
    person.join(&json!({ "server": hosting["server"], "name": "Me", "roomId": 1 }))?;
    person.event("onFirstVideoFrame", |data| data["userId"] == "other")?;
    person.event("onFirstAudioFrame", |data| data["userId"] == "other")?;
    let meeting = window.memory()?;
    ensure!(window.person.end()?.success(), "the window did not end in order");
    report("idle", &json!({ "start_ms": took.summary(), "idle_mb": idle, "meeting_mb": meeting }));
    Ok(())
}

/// The window with nothing kept from before.
struct Window {
    person: Person,
    _home: TempDir,
}

impl Window {
    /// Opens it, and tells how long it took until it could be used.
    fn open(program: &Path, screen: &Screen) -> Result<(Self, Duration)> {
        let home = tempfile::tempdir()?;
        let mut command = command(program, home.path());
        command.args(["--script", "-"]);
        screen.carry(&mut command);
        let began = Instant::now();
        let mut window = Self { person: Person::start(&mut command)?, _home: home };
        // Refused until there is one.
        while window.person.request("stage_snapshot", &json!({})).is_err() {
            ensure!(began.elapsed() < PATIENCE, "the window cannot be used after {PATIENCE:?}");
            std::thread::sleep(LOOK);
        }
        Ok((window, began.elapsed()))
    }

    /// MB of the program and of the webview's processes, by their names, once they have come to rest;
    /// what several share is shared out.
    fn memory(&self) -> Result<BTreeMap<String, f64>> {
        let mut processes = descendants(self.person.process())?;
        processes.push((self.person.process(), "confab".to_owned()));
        let ids: Vec<u32> = processes.iter().map(|(id, _)| *id).collect();
        let mut kibibytes = BTreeMap::<String, u64>::new();
        for (usage, (_, name)) in Usage::at_rest(&ids)?.iter().zip(&processes) {
            for name in [name.as_str(), "all"] {
                *kibibytes.entry(name.to_owned()).or_default() += usage.share;
            }
        }
        let megabytes = |of: u64| (of as f64 / 102.4).round() / 10.0;
        Ok(kibibytes.into_iter().map(|(name, of)| (name, megabytes(of))).collect())
    }
}

/// One of our programs with test devices, in a folder of its own.
fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--camera", "test", "--microphone", "tone", "--speaker", "null"]);
    command.envs(environment(home));
    command
}
