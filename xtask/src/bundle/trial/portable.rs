//! The archive, unpacked somewhere.

use std::path::Path;

use anyhow::{Result, ensure};

use super::says_version;
use crate::bundle::licences::{OWN, THIRD_PARTY};
use crate::bundle::programs::NAMES;
use crate::bundle::{portable, scratch};
use crate::shell::{command, read, run};

pub(in crate::bundle) fn trial(archive: &Path) -> Result<()> {
    println!("Unpacking {}", archive.display());
    let place = scratch("trial-portable")?;
    let mut tar = command("tar");
    tar.args(["--extract", "--file"]).arg(archive).arg("--directory").arg(&place);
    run(tar)?;
    let top = place.join(portable::name());
    for name in NAMES {
        let program = top.join(name);
        let mut linked = command("ldd");
        linked.arg(&program);
        let linked = read(linked)?;
        ensure!(!linked.contains("not found"), "{name} lacks a library:\n{linked}");
        says_version(command(&program))?;
    }
    let others = ["README.txt", "share/applications/confab.desktop", THIRD_PARTY];
    for file in OWN.into_iter().chain(others) {
        ensure!(top.join(file).is_file(), "{file} is not in it");
    }
    std::fs::remove_dir_all(&place)?;
    println!("Unpacked and started");
    Ok(())
}
