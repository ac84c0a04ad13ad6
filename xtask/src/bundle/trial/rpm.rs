//! The .rpm in an empty root: this machine's packages are not rpm's, so that its dependencies are
//! compared with what they have to be, and not installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::{all_below, is_ours, root_needed, says_version};
use crate::bundle::programs::NAMES;
use crate::bundle::scratch;
use crate::shell::{command, read, run};

pub(in crate::bundle) fn trial(package: &Path) -> Result<()> {
    root_needed()?;
    println!("Trying {} in an empty root", package.display());
    let requires = read(rpm(&["--query", "--requires", "--package"], package))?;
    for library in ["libwebkit2gtk-4.1.so.0()(64bit)", "libgtk-3.so.0()(64bit)", "libasound.so.2()(64bit)"] {
        ensure!(requires.lines().any(|line| line == library), "it does not ask for {library}:\n{requires}");
    }
    let recommends = read(rpm(&["--query", "--recommends", "--package"], package))?;
    ensure!(recommends.contains("vulkan-loader"), "it does not recommend Vulkan:\n{recommends}");

    let root = scratch("trial-rpm")?;
    let mut install = rpm(&["--install", "--nodeps", "--noscripts"], package);
    install.arg("--root").arg(&root);
    run(install)?;
    for name in NAMES {
        says_version(command(root.join("usr/bin").join(name)))?;
    }
    let mut erase = command("rpm");
    erase.args(["--erase", "--nodeps", "--noscripts", "confab", "--root"]).arg(&root);
    run(erase)?;
    let mut left = all_below(&root, &|_| false)?;
    left.retain(|path| is_ours(path));
    ensure!(left.is_empty(), "these are left: {left:?}");
    std::fs::remove_dir_all(&root)?;
    println!("Installed, started, and removed without a trace");
    Ok(())
}

fn rpm(arguments: &[&str], package: &Path) -> Command {
    let mut rpm = command("rpm");
    rpm.args(arguments).arg(package);
    rpm
}
