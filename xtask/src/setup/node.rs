//! Packages of the page.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::shell::{command, npm, read, root, run};

/// The oldest Node.js the page's tools run on.
const OLDEST: (u32, u32) = (20, 19);

/// Installs the page's packages if its lock file changed since the last time.
pub(crate) fn packages() -> Result<()> {
    let version = read({
        let mut node = command("node");
        node.arg("--version");
        node
    })
    .context("Node.js is needed to build the page: install version 22 from https://nodejs.org")?;
    if parse(&version).is_none_or(|version| version < OLDEST) {
        bail!("Node.js {} is too old: at least {}.{} is needed", version.trim(), OLDEST.0, OLDEST.1);
    }
    let ui = root().join("ui");
    let lock = changed(&ui.join("package-lock.json"));
    // npm writes this file when it has put everything in place.
    if changed(&ui.join("node_modules/.package-lock.json")) >= lock && lock.is_some() {
        return Ok(());
    }
    println!("Installing the page's packages");
    run(npm(["ci", "--no-audit", "--no-fund"]))
}

/// Builds the page if something in its folder is newer than what was built.
pub(crate) fn page() -> Result<()> {
    let ui = root().join("ui");
    let built = changed(&ui.join("dist/index.html"));
    if built.is_some() && newest(&ui) <= built {
        return Ok(());
    }
    println!("Building the page");
    run(npm(["run", "build"]))
}

/// When the last file in or under `folder` changed, apart from what tools put there.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let own = entries.filter(|entry| !matches!(entry.file_name().to_str(), Some("node_modules" | "dist")));
    own.filter_map(|entry| match entry.path().is_dir() {
        true => newest(&entry.path()),
        false => changed(&entry.path()),
    })
    .max()
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// Major and minor of `v20.19.1`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse("v20.9.0\n"), Some((20, 9)));
        assert!(parse("v20.9.0") < Some(OLDEST) && parse("v22.0.0") > Some(OLDEST));
        assert_eq!(parse("twenty"), None);
    }
}
