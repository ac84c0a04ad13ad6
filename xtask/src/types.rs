//! The page's TypeScript types, generated from the Rust ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{built, cargo, command, root, run, target};

/// Writes the types into the page's sources, or with `check` only says whether they are as they should be.
pub(crate) fn types(check: bool) -> Result<()> {
    run(cargo(["build", "--package", "confab-app", "--bin", "confab-types"]))?;
    if check { drift() } else { generate(&committed()) }
}

/// An error that names every file which differs from what Rust says. Needs `confab-types` to be built.
pub(crate) fn drift() -> Result<()> {
    let fresh = target().join("types");
    generate(&fresh)?;
    let differing = differences(&read(&committed())?, &read(&fresh)?);
    if !differing.is_empty() {
        bail!("{} differ from the Rust types: run `cargo xtask types` and commit", differing.join(", "));
    }
    Ok(())
}

fn committed() -> PathBuf {
    root().join("ui/src/types")
}

fn generate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut program = command(built("debug", "confab-types"));
    program.arg(folder);
    run(program)
}

fn differences(committed: &BTreeMap<String, String>, fresh: &BTreeMap<String, String>) -> Vec<String> {
    let names = committed.keys().chain(fresh.keys()).collect::<std::collections::BTreeSet<_>>();
    names.into_iter().filter(|name| committed.get(*name) != fresh.get(*name)).cloned().collect()
}

/// Every file below `folder` by its path from there.
fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read_to_string(&path)?.replace("\r\n", "\n"));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_a_left_over_file_are_named() {
        let files =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let committed = files(&[("Event.ts", "old"), ("Gone.ts", "x"), ("Same.ts", "s")]);
        let fresh = files(&[("Event.ts", "new"), ("New.ts", "y"), ("Same.ts", "s")]);
        assert_eq!(differences(&committed, &fresh), ["Event.ts", "Gone.ts", "New.ts"]);
        assert!(differences(&fresh, &fresh).is_empty());
    }
}
