//! Installs what was made as a person would, starts it, removes it, and looks at what is left.

pub(super) mod deb;
pub(super) mod portable;
pub(super) mod rpm;
mod screen;
pub(super) mod windows;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::VERSION;
use crate::shell::{is_root, read};

/// A program that runs beside us; ended when dropped.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        Ok(Self(
            command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?,
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until it is so, or until there is no more time; an error of `asked` ends it.
fn until(time: Duration, what: &str, mut asked: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + time;
    while !asked()? {
        ensure!(Instant::now() < deadline, "not so after {} seconds: {what}", time.as_secs());
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// A program says that it has the version of the package.
fn says_version(mut program: Command) -> Result<()> {
    program.arg("--version");
    let said = read(program)?;
    ensure!(said.trim().ends_with(VERSION), "this is not version {VERSION}: {said}");
    Ok(())
}

/// Every file and folder below one, without those that `leave` refuses, in order.
fn all_below(folder: &Path, leave: &impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let entry = entry?;
            let path = entry.path();
            if leave(&path) {
                continue;
            }
            // A link to a folder may lead out.
            if entry.file_type()?.is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file or folder has our name.
fn is_ours(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("confab"))
}

/// Other systems' roots and mounts need root.
pub(super) fn root_needed() -> Result<()> {
    ensure!(is_root(), "this test installs into a root of its own: start it as root");
    Ok(())
}
