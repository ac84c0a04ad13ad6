//! A package of Fedora, openSUSE and their kin.

use std::env::consts::ARCH;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::contents::{DESCRIPTION, Tree, epoch};
use super::{VERSION, folder, scratch};
use crate::shell::{command, run};

/// What [`make`] makes.
pub(super) fn file() -> PathBuf {
    folder().join(format!("confab-{VERSION}-1.{ARCH}.rpm"))
}

pub(super) fn make(tree: &Tree) -> Result<PathBuf> {
    let top = scratch("rpm")?;
    let spec = top.join("confab.spec");
    fs::write(&spec, text(&tree.root, &tree.files()?))?;
    let mut build = command("rpmbuild");
    build.args(["-bb", "--quiet", "--target", &format!("{ARCH}-linux")]);
    build.arg("--define").arg(format!("_topdir {}", top.display())).arg(&spec);
    build.env("SOURCE_DATE_EPOCH", epoch().to_string());
    run(build)?;
    let out = file();
    let made = top.join("RPMS").join(ARCH).join(out.file_name().unwrap_or_default());
    fs::copy(&made, &out).with_context(|| format!("rpmbuild left no {}", made.display()))?;
    Ok(out)
}

/// rpmbuild finds the libraries that the programs need by itself, under names that all
/// distributions share; what is looked for only while the window runs has to be named.
fn text(tree: &Path, files: &[PathBuf]) -> String {
    let mut text = format!(
        "\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _binary_payload w19T0.zstdio
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _buildhost localhost

Name: confab
Version: {VERSION}
Release: 1
Summary: Video meetings on the desktop
License: MIT OR Apache-2.0
Vendor: The Confab authors
Recommends: vulkan-loader
Recommends: (mesa-vulkan-drivers or libvulkan_lvp)
Recommends: (pipewire-pulseaudio or pulseaudio)

%description
{DESCRIPTION}
%install
cp --archive '{}/.' '%{{buildroot}}'

%files
%defattr(-,root,root,-)
",
        tree.display()
    );
    for file in files {
        let kind = if file.starts_with("usr/share/doc") { "%doc " } else { "" };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{kind}\"/{}\"", file.display());
    }
    text.push_str("%dir /usr/share/doc/confab\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_lists_every_file() {
        let files = ["usr/bin/confab", "usr/share/doc/confab/copyright"].map(PathBuf::from);
        let text = text(Path::new("/tmp/a tree"), &files);
        assert!(text.contains("cp --archive '/tmp/a tree/.' '%{buildroot}'\n"));
        assert!(text.ends_with(
            "\"/usr/bin/confab\"\n%doc \"/usr/share/doc/confab/copyright\"\n%dir /usr/share/doc/confab\n"
        ));
    }
}
