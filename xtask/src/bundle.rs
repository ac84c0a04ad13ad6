//! Makes what people install, and says how large it is.

mod contents;
mod deb;
mod licences;
mod native;
mod portable;
mod programs;
mod rpm;
mod trial;
mod windows;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::check;
use crate::setup::{For, node, system};
use crate::shell::{found, target};
use crate::test::suite::Suite;
use programs::{Profile, Programs};

/// All packages have the version of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Something that people install.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A package of Debian and its kin.
    Deb,
    /// A package of Fedora, openSUSE and their kin.
    Rpm,
    /// An archive that is unpacked anywhere.
    Portable,
    /// A setup.exe.
    Windows,
    /// A package of Windows Installer; made on Windows only.
    Msi,
    /// A disk image of macOS; made there only.
    Dmg,
}

const NAMES: &[(&str, Kind)] = &[
    ("deb", Kind::Deb),
    ("rpm", Kind::Rpm),
    ("portable", Kind::Portable),
    ("windows", Kind::Windows),
    ("msi", Kind::Msi),
    ("dmg", Kind::Dmg),
];

/// Makes one kind of a tree for Linux.
type Make = fn(&contents::Tree) -> Result<PathBuf>;

/// Makes the kinds that are named, or all that can be made on this system, from release builds;
/// with `debug` from development builds, for a look at the packaging that costs less. With `installed`
/// the system's packages are taken to be there, by whatever way they came.
pub(crate) fn bundle(names: &[&str], debug: bool, installed: bool) -> Result<()> {
    let kinds = kinds(names)?;
    if !installed {
        system::packages(For::Bundle)?;
        if kinds.contains(&Kind::Windows) {
            system::packages(For::Setup)?;
        }
    }
    node::packages()?;
    node::page()?;
    let profile = if debug { Profile::Debug } else { Profile::Release };
    fs::create_dir_all(folder())?;
    let mut made = Vec::new();
    if kinds.iter().any(|kind| matches!(kind, Kind::Deb | Kind::Rpm | Kind::Portable)) {
        let tree = contents::linux(&Programs::build(profile)?)?;
        for (kind, make) in
            [(Kind::Deb, deb::make as Make), (Kind::Rpm, rpm::make), (Kind::Portable, portable::make)]
        {
            if kinds.contains(&kind) {
                made.push(make(&tree)?);
            }
        }
    }
    if kinds.contains(&Kind::Windows) {
        let programs = if cfg!(windows) { Programs::build(profile)? } else { Programs::cross(profile)? };
        made.push(windows::make(&programs)?);
    }
    for kind in kinds.iter().filter(|kind| matches!(kind, Kind::Msi | Kind::Dmg)) {
        let format = if *kind == Kind::Msi { "msi" } else { "dmg" };
        made.extend(native::make(&Programs::build(profile)?, format)?);
    }
    println!();
    for file in made {
        println!("{:>9}  {}", size(fs::metadata(&file)?.len()), file.display());
    }
    Ok(())
}

/// Installs what was made, starts what was installed, removes it, and looks at what is left; the
/// kinds that are named, or all that can be made here. It runs on Linux, with wine for Windows.
pub(crate) fn install_test(names: &[&str]) -> Result<()> {
    let kinds = kinds(names)?;
    ensure!(cfg!(target_os = "linux"), "packages are tried on Linux");
    system::packages(For::InstallTest)?;
    for kind in kinds {
        match kind {
            Kind::Deb => trial::deb::trial(&present(&deb::file()?, "deb")?)?,
            Kind::Rpm => trial::rpm::trial(&present(&rpm::file(), "rpm")?)?,
            Kind::Portable => trial::portable::trial(&present(&portable::file(), "portable")?)?,
            Kind::Windows => trial::windows::trial(&present(&windows::file(), "windows")?)?,
            Kind::Msi | Kind::Dmg => bail!("there is no test of this kind"),
        }
    }
    Ok(())
}

/// Makes and tries everything that can be made on this system, as the end of the long suite.
pub(crate) fn long(suite: &mut Suite) -> Result<()> {
    let mut names = Vec::new();
    for (name, kind) in NAMES.iter().filter(|(_, kind)| kind.refused().is_none()) {
        match kind.untried() {
            Some(why) => suite.pass_over(&format!("install test: {name}"), &why),
            None => names.push(*name),
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    suite.step("bundle", |_| bundle(&names, false, false))?;
    names.iter().try_for_each(|name| suite.step(&format!("install test: {name}"), |_| install_test(&[name])))
}

fn kinds(names: &[&str]) -> Result<Vec<Kind>> {
    let kinds: Vec<Kind> = if names.is_empty() {
        NAMES.iter().map(|(_, kind)| *kind).filter(|kind| kind.refused().is_none()).collect()
    } else {
        names.iter().map(|name| kind(name)).collect::<Result<_>>()?
    };
    for kind in &kinds {
        if let Some(why) = kind.refused() {
            bail!("{why}");
        }
    }
    Ok(kinds)
}

fn kind(name: &str) -> Result<Kind> {
    let known = || NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind).with_context(|| format!("unknown kind `{name}`, known: {}", known()))
}

impl Kind {
    /// Why it cannot be made on this system.
    fn refused(self) -> Option<&'static str> {
        let linux = cfg!(target_os = "linux");
        match self {
            // What a package of theirs depends on is looked up in the list of installed packages.
            Self::Deb if !(linux && found("dpkg")) => Some("a .deb is made on Debian or Ubuntu"),
            Self::Rpm | Self::Portable if !linux => Some("it is made on Linux"),
            Self::Windows if !(cfg!(windows) || linux && found("dpkg")) => {
                Some("a setup.exe is made on Windows, Debian or Ubuntu")
            }
            Self::Msi if !cfg!(windows) => Some("an .msi is made on Windows"),
            Self::Dmg if !cfg!(target_os = "macos") => Some("a .dmg is made on macOS"),
            Self::Deb | Self::Rpm | Self::Portable | Self::Windows | Self::Msi | Self::Dmg => None,
        }
    }

    /// Why it cannot be tried by whoever runs us.
    fn untried(self) -> Option<String> {
        match self {
            Self::Deb | Self::Rpm => trial::root_needed().err().map(|why| why.to_string()),
            Self::Windows if cfg!(target_os = "linux") => {
                check::target::add(check::windows::TRIPLE).err().map(|why| format!("{why:#}"))
            }
            Self::Portable => None,
            Self::Windows | Self::Msi | Self::Dmg => Some("packages are tried on Linux".to_owned()),
        }
    }
}

/// Where everything that is made lies.
fn folder() -> PathBuf {
    target().join("bundle")
}

/// An empty folder for what is needed on the way.
fn scratch(name: &str) -> Result<PathBuf> {
    let folder = folder().join("parts").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn present(file: &Path, kind: &str) -> Result<PathBuf> {
    if !file.is_file() {
        bail!("{} is not there: make it by `cargo xtask bundle {kind}`", file.display());
    }
    Ok(file.to_owned())
}

/// Megabytes, as shops count them: `12.3 MB`.
fn size(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_refused_where_it_cannot_be_made() {
        let error = kinds(&["zip"]).unwrap_err().to_string();
        assert_eq!(error, "unknown kind `zip`, known: deb rpm portable windows msi dmg");
        #[cfg(target_os = "linux")]
        assert_eq!(kinds(&["portable", "dmg"]).unwrap_err().to_string(), "a .dmg is made on macOS");
    }

    #[test]
    fn every_system_makes_something() {
        assert!(!kinds(&[]).unwrap().is_empty());
    }

    #[test]
    fn sizes_are_rounded_up_to_a_tenth() {
        assert_eq!(size(12_300_000), "12.3 MB");
        assert_eq!(size(12_300_001), "12.4 MB");
        assert_eq!(size(1), "0.1 MB");
    }
}
