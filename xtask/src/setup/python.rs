//! A Python environment of our own for other people's clients and tools.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::{command, root, run, succeeds, target};

/// The interpreter of the environment.
pub(crate) fn interpreter() -> PathBuf {
    programs().join(if cfg!(windows) { "python.exe" } else { "python3" })
}

/// The folder of the environment's programs.
pub(crate) fn programs() -> PathBuf {
    target().join("python").join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// Makes the environment, without any packages, if it is not there yet.
pub(crate) fn environment() -> Result<()> {
    let mut version = command(interpreter());
    version.arg("--version");
    if succeeds(version) {
        return Ok(());
    }
    let mut make = command(if cfg!(windows) { "python" } else { "python3" });
    make.args(["-m", "venv", "--clear"]).arg(target().join("python"));
    run(make)
}

/// Brings the environment to what tests/interop/requirements.txt names.
pub(crate) fn packages() -> Result<()> {
    let list = root().join("tests/interop/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let lines: Vec<&str> = wanted.lines().filter(|line| !line.is_empty()).collect();
    install("the tests", "installed.txt", &lines)
}

/// Brings these packages, `NAME==VERSION` each, into the environment for `purpose`; `stamp` is the file
/// that remembers it.
pub(crate) fn install(purpose: &str, stamp: &str, packages: &[&str]) -> Result<()> {
    environment()?;
    let wanted = packages.join("\n");
    // Lies inside, so that it goes when the environment goes.
    let stamp = target().join("python").join(stamp);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed.trim_end() == wanted) {
        return Ok(());
    }
    println!("Installing Python packages for {purpose}");
    let mut install = command(interpreter());
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    run(install)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
