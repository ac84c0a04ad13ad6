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

/// Makes the environment and brings it to what tests/interop/requirements.txt names.
pub(crate) fn packages() -> Result<()> {
    let list = root().join("tests/interop/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let stamp = target().join("python/installed.txt");
    let usable = || {
        let mut python = command(interpreter());
        python.arg("--version");
        succeeds(python)
    };
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && usable() {
        return Ok(());
    }
    println!("Installing Python packages for the tests");
    let mut make = command(if cfg!(windows) { "python" } else { "python3" });
    make.args(["-m", "venv", "--clear"]).arg(target().join("python"));
    run(make)?;
    let mut install = command(interpreter());
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&list);
    run(install)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
