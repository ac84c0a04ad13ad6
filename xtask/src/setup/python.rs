//! A Python environment of our own for other people's clients.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::{command, root, run, succeeds, target};

/// The interpreter of the environment.
pub(crate) fn interpreter() -> PathBuf {
    let environment = target().join("python");
    if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python3") }
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
    environment()?;
    let list = root().join("tests/interop/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    // Lies inside, so that it goes when the environment goes.
    let stamp = target().join("python/installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("Installing Python packages for the tests");
    let mut install = command(interpreter());
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&list);
    run(install)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
