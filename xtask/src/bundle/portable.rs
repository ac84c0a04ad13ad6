//! An archive that is unpacked anywhere.

use std::env::consts::ARCH;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::contents::{Tree, epoch, fill};
use super::licences::{OWN, THIRD_PARTY};
use super::programs::NAMES;
use super::{VERSION, folder, scratch};
use crate::shell::{command, root, run};

/// What [`make`] makes.
pub(super) fn file() -> PathBuf {
    folder().join(format!("{}.tar.xz", name()))
}

/// The archive holds one folder of this name.
pub(super) fn name() -> String {
    format!("confab-{VERSION}-linux-{ARCH}")
}

pub(super) fn make(tree: &Tree) -> Result<PathBuf> {
    let parts = scratch("portable")?;
    let top = parts.join(name());
    fs::create_dir(&top)?;
    let usr = tree.root.join("usr");
    let doc = "share/doc/confab";
    for name in NAMES {
        fs::hard_link(usr.join("bin").join(name), top.join(name))?;
    }
    for name in OWN.into_iter().chain([THIRD_PARTY]) {
        fs::hard_link(usr.join(doc).join(name), top.join(name))?;
    }
    let said = fs::read_to_string(root().join("bundle/portable.txt"))?;
    fs::write(top.join("README.txt"), fill(&said, &[("VERSION", VERSION)])?)?;
    let mut copy = command("cp");
    copy.args(["--recursive", "--link"]).arg(usr.join("share")).arg(&top);
    run(copy)?;
    fs::remove_dir_all(top.join("share/doc"))?;
    let out = file();
    let mut tar = command("tar");
    tar.args(["--create", "--xz", "--sort=name", "--owner=root:0", "--group=root:0"]);
    tar.arg(format!("--mtime=@{}", epoch())).arg("--file").arg(&out);
    tar.arg("--directory").arg(&parts).arg(name());
    run(tar)?;
    Ok(out)
}
