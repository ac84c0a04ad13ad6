//! A package of Debian and its kin.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::contents::{DESCRIPTION, Tree, epoch};
use super::programs::NAMES;
use super::{VERSION, folder, scratch};
use crate::shell::{command, read, run};

/// What the window looks for while it runs: without Vulkan the page draws the pictures, which takes
/// more of the processor; without a sound server there is no sound. Alternatives for one thing are
/// parted by a bar.
pub(super) const RECOMMENDS: &str =
    "libvulkan1, mesa-vulkan-drivers | vulkan-icd, pipewire-pulse | pulseaudio";

/// What [`make`] makes.
pub(super) fn file() -> Result<PathBuf> {
    Ok(folder().join(format!("confab_{VERSION}_{}.deb", architecture()?)))
}

pub(super) fn make(tree: &Tree) -> Result<PathBuf> {
    let depends = depends(tree)?;
    let files = tree.files()?;
    let mut kibibytes = 0;
    for file in &files {
        kibibytes += fs::metadata(tree.root.join(file))?.len().div_ceil(1024);
    }
    // A hard copy of the tree, because the control files lie inside it.
    let package = scratch("deb")?;
    let mut copy = command("cp");
    run({
        copy.args(["--archive", "--link"]).arg(tree.root.join("usr")).arg(&package);
        copy
    })?;
    let control = package.join("DEBIAN");
    fs::create_dir(&control)?;
    fs::write(control.join("control"), text(&architecture()?, kibibytes, &depends))?;
    fs::write(control.join("md5sums"), sums(&tree.root, &files)?)?;
    let out = file()?;
    let mut build = command("dpkg-deb");
    build.args(["--root-owner-group", "-Zxz", "--build"]).arg(&package).arg(&out);
    build.env("SOURCE_DATE_EPOCH", epoch().to_string());
    run(build)?;
    Ok(out)
}

fn architecture() -> Result<String> {
    let mut dpkg = command("dpkg");
    dpkg.arg("--print-architecture");
    Ok(read(dpkg)?.trim().to_owned())
}

/// The packages of the libraries that the programs are linked with, in the versions that have all
/// symbols they use.
fn depends(tree: &Tree) -> Result<String> {
    let source = scratch("shlibdeps")?;
    fs::create_dir(source.join("debian"))?;
    // Nothing else of a source package is looked at.
    fs::write(source.join("debian/control"), "Source: confab\n\nPackage: confab\nArchitecture: any\n")?;
    let mut shlibdeps = command("dpkg-shlibdeps");
    shlibdeps.arg("-O").args(NAMES.map(|name| tree.root.join("usr/bin").join(name)));
    shlibdeps.current_dir(source);
    let said = read(shlibdeps)?;
    let found = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    found.map(str::to_owned).context("dpkg-shlibdeps names no libraries")
}

fn text(architecture: &str, kibibytes: u64, depends: &str) -> String {
    // Lines of it are set in, and one with a dot parts its paragraphs.
    let lines = DESCRIPTION.lines().map(|line| if line.is_empty() { "." } else { line });
    let description: String = lines.map(|line| format!(" {line}\n")).collect();
    format!(
        "\
Package: confab
Version: {VERSION}
Architecture: {architecture}
Maintainer: The Confab authors <authors@confab.invalid>
Installed-Size: {kibibytes}
Depends: {depends}
Recommends: {RECOMMENDS}
Section: net
Priority: optional
Description: video meetings on the desktop
{description}"
    )
}

/// What dpkg compares installed files with.
fn sums(root: &Path, files: &[PathBuf]) -> Result<String> {
    let mut sum = command("md5sum");
    sum.args(files).current_dir(root);
    read(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_file_says_what_the_package_needs() {
        let text = text("amd64", 1234, "libc6 (>= 2.36), libwebkit2gtk-4.1-0");
        assert!(text.starts_with("Package: confab\nVersion: "));
        assert!(text.contains("\nDepends: libc6 (>= 2.36), libwebkit2gtk-4.1-0\nRecommends: libvulkan1, "));
        assert!(text.contains("\nInstalled-Size: 1234\n") && text.ends_with("stays.\n"));
        assert!(text.contains("\n Open the app") && text.contains("set up.\n .\n The package"));
    }
}
