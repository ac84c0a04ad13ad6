//! The programs that go into every package.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::check::{target, windows};
use crate::shell::{self, cargo, command, read, root, run};

/// The window, the app without one, and the server.
pub(super) const NAMES: [&str; 3] = ["confab", "confab-headless", "confab-server"];

#[derive(Clone, Copy, Debug)]
pub(super) enum Profile {
    Debug,
    Release,
}

/// What cargo built for one system.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// The target's name, as `x86_64-unknown-linux-gnu`.
    pub(super) triple: String,
    suffix: &'static str,
    /// Takes out what nobody needs to run a program. MSVC's linker has put that into a file of its own.
    strip: Option<[&'static str; 2]>,
}

impl Programs {
    /// For this computer.
    pub(super) fn build(profile: Profile) -> Result<Self> {
        build(profile, None)?;
        Ok(Self {
            folder: shell::target().join(profile.folder()),
            triple: host()?,
            suffix: env::consts::EXE_SUFFIX,
            strip: if cfg!(windows) {
                None
            } else if cfg!(target_os = "macos") {
                // All but what the system looks for by name.
                Some(["strip", "-Sx"])
            } else {
                Some(["strip", "--strip-all"])
            },
        })
    }

    /// For Windows, on another system.
    pub(super) fn cross(profile: Profile) -> Result<Self> {
        target::add(windows::TRIPLE)?;
        build(profile, Some(windows::TRIPLE))?;
        Ok(Self {
            folder: shell::target().join(windows::TRIPLE).join(profile.folder()),
            triple: windows::TRIPLE.to_owned(),
            suffix: ".exe",
            strip: Some(["x86_64-w64-mingw32-strip", "--strip-all"]),
        })
    }

    /// Where cargo put them.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies a program into a folder, without debug information and names of functions. Addresses in
    /// a trace of a crash are looked up in the program that cargo left.
    pub(super) fn put(&self, name: &str, folder: &Path) -> Result<PathBuf> {
        let file = format!("{name}{}", self.suffix);
        let (from, to) = (self.folder.join(&file), folder.join(&file));
        fs::copy(&from, &to).with_context(|| format!("{} is not there", from.display()))?;
        if let Some([strip, flag]) = self.strip {
            let mut strip = command(strip);
            strip.arg(flag).arg(&to);
            run(strip)?;
        }
        Ok(to)
    }

    /// The library that a program of this target needs beside it to find WebView2; other targets
    /// carry it in the program.
    pub(super) fn loader(&self) -> Option<PathBuf> {
        self.triple.ends_with("windows-gnu").then(|| self.folder.join("WebView2Loader.dll"))
    }
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

fn build(profile: Profile, triple: Option<&str>) -> Result<()> {
    println!("Building the programs");
    let mut build =
        cargo(["build", "--package", "confab", "--package", "confab-app", "--package", "confab-server"]);
    build.args(NAMES.iter().flat_map(|name| ["--bin", name]));
    if matches!(profile, Profile::Release) {
        build.args(["--release", "--locked"]);
    }
    if let Some(triple) = triple {
        build.args(["--target", triple]);
        windows::settings(&mut build)?;
    }
    if cfg!(target_os = "macos") {
        // Or the parts in C would ask for the macOS that they are compiled on.
        build.env("MACOSX_DEPLOYMENT_TARGET", oldest_macos()?);
    }
    run(build)
}

/// The macOS that the app says it needs at least.
fn oldest_macos() -> Result<String> {
    let config: Value = serde_json::from_slice(&fs::read(root().join("src-tauri/tauri.conf.json"))?)?;
    let version = config["bundle"]["macOS"]["minimumSystemVersion"].as_str();
    version.map(str::to_owned).context("tauri.conf.json names no oldest macOS")
}

/// The target of the compiler that built us.
fn host() -> Result<String> {
    let mut rustc = command("rustc");
    rustc.arg("-vV");
    let said = read(rustc)?;
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not say what it builds for")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_macos_is_a_version() {
        let version = oldest_macos().unwrap();
        assert!(version.split('.').all(|number| number.parse::<u32>().is_ok()), "{version}");
    }
}
