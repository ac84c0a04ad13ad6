//! macOS: type-checked and linted. Linking needs Apple's frameworks, which are on Macs only, so
//! nothing runs.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

use crate::setup::{node, python, system};
use crate::shell::{cargo_by, run};
use crate::test::suite::Suite;

pub(super) const TRIPLE: &str = "aarch64-apple-darwin";

/// The C compiler for it that Python's package index has, and what makes cargo use that.
const TOOLS: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// Lints everything.
pub(super) fn steps(suite: &mut Suite) -> Result<()> {
    suite.step("macos: packages", |_| {
        system::packages(system::For::Macos)?;
        node::packages()?;
        node::page()?;
        python::install("the C compiler for macOS", "zig.txt", &TOOLS)
    })?;
    suite.step("macos: clippy", |_| {
        let mut clippy = zigbuild()?;
        clippy.args(["clippy", "--workspace", "--all-targets", "--target", TRIPLE]);
        clippy.args(["--", "--deny", "warnings"]);
        run(clippy)
    })
}

/// cargo-zigbuild, which finds zig on the PATH.
fn zigbuild() -> Result<Command> {
    let programs = python::programs();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(programs.clone()).chain(env::split_paths(&path)))
        .context("the PATH cannot be extended")?;
    let mut zigbuild = cargo_by(programs.join("cargo-zigbuild"));
    zigbuild.env("PATH", path);
    Ok(zigbuild)
}
