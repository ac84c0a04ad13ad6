//! Benchmarks: release builds, one JSON line each.

use std::fs;

use anyhow::{Result, bail};

use crate::setup::{self, For};
use crate::shell::{built, cargo, command, root, run};

/// Those that open the window, on a screen of their own.
const WINDOWS: [&str; 1] = ["idle"];

/// Runs one benchmark, or all in the order of their names.
pub(crate) fn bench(name: Option<&str>) -> Result<()> {
    let known = known()?;
    let chosen: Vec<&String> = known.iter().filter(|known| name.is_none_or(|name| name == *known)).collect();
    if chosen.is_empty() {
        bail!("no benchmark `{}`, known: {}", name.unwrap_or_default(), known.join(" "));
    }
    setup::system::packages(For::Run)?;
    let mut build = cargo(["build", "--release", "--package", "bench", "--bins"]);
    // Those that look at a whole process start our programs.
    build.args(["--package", "confab-server", "--package", "confab-app"]);
    if chosen.iter().any(|name| WINDOWS.contains(&name.as_str())) {
        setup::system::packages(For::Test)?;
        setup::node::packages()?;
        setup::node::page()?;
        build.args(["--package", "confab"]);
    }
    run(build)?;
    for name in chosen {
        run(command(built("release", name)))?;
    }
    Ok(())
}

/// Every program in tests/bench/src/bin.
fn known() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("tests/bench/src/bin"))? {
        let path = entry?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
