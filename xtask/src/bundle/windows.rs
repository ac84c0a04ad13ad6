//! A setup.exe, by NSIS: on Windows, and from Debian for Windows.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::licences::{OWN, THIRD_PARTY, third_party};
use super::programs::{NAMES, Programs};
use super::{VERSION, folder, scratch};
use crate::shell::{command, found, root, run};

/// What [`make`] makes.
pub(super) fn file() -> PathBuf {
    folder().join(format!("confab-{VERSION}-windows-x86_64-setup.exe"))
}

pub(super) fn make(programs: &Programs) -> Result<PathBuf> {
    let files = scratch("windows")?;
    for name in NAMES {
        programs.put(name, &files)?;
    }
    if let Some(loader) = programs.loader() {
        fs::copy(&loader, files.join("WebView2Loader.dll"))
            .with_context(|| format!("{} is not there", loader.display()))?;
    }
    for licence in OWN {
        fs::copy(root().join(licence), files.join(format!("{licence}.txt")))?;
    }
    fs::write(files.join(THIRD_PARTY), third_party(&programs.triple)?)?;

    let mut names = Vec::new();
    let mut bytes = 0;
    for entry in fs::read_dir(&files)? {
        let entry = entry?;
        names.push(entry.file_name().to_string_lossy().into_owned());
        bytes += entry.metadata()?.len();
    }
    names.sort();
    let lists = scratch("windows-lists")?;
    let (install, remove) = lists_of(&names);
    fs::write(lists.join("install.nsh"), install)?;
    fs::write(lists.join("remove.nsh"), remove)?;
    fs::write(lists.join("size.nsh"), format!("!define KIBIBYTES {}\n", bytes.div_ceil(1024)))?;

    let out = file();
    let mut nsis = command(makensis());
    nsis.args(["-V2", "-INPUTCHARSET", "UTF8", "-NOCD"]);
    for (name, value) in [
        ("VERSION", VERSION.to_owned()),
        ("NUMBERS", numbers(VERSION)),
        ("FILES", files.display().to_string()),
        ("LISTS", lists.display().to_string()),
        ("ICON", root().join("icons/icon.ico").display().to_string()),
        ("OUT", out.display().to_string()),
    ] {
        nsis.arg(format!("-D{name}={value}"));
    }
    // The setup that NSIS's own builds make runs on every Windows; Debian's has one for 64 bits too.
    if cfg!(windows) {
        nsis.arg("-DPLATFORM=x86-unicode");
    }
    nsis.arg(root().join("bundle/windows/setup.nsi"));
    run(nsis)?;
    Ok(out)
}

/// On the PATH, or where its installer puts it on Windows.
fn makensis() -> PathBuf {
    let installed =
        std::env::var_os("ProgramFiles(x86)").map(|it| PathBuf::from(it).join("NSIS/makensis.exe"));
    installed.filter(|it| !found("makensis") && it.is_file()).unwrap_or_else(|| PathBuf::from("makensis"))
}

/// Lines for setup.nsi that install and remove these files: what is installed is removed, nothing else.
fn lists_of(names: &[String]) -> (String, String) {
    let (mut install, mut remove) = (String::new(), String::new());
    for name in names {
        // Writing to a text cannot fail.
        let _ = writeln!(install, "File \"${{FILES}}/{name}\"");
        let _ = writeln!(remove, "Delete \"$INSTDIR\\{name}\"");
    }
    (install, remove)
}

/// Four numbers, which is what Windows takes for a version: `1.2.3-beta` is `1.2.3.0`.
fn numbers(version: &str) -> String {
    let release = version.split(['-', '+']).next().unwrap_or(version);
    format!("{release}.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_removed() {
        let names = ["confab.exe", "LICENSE-MIT.txt"].map(str::to_owned);
        let (install, remove) = lists_of(&names);
        assert_eq!(install, "File \"${FILES}/confab.exe\"\nFile \"${FILES}/LICENSE-MIT.txt\"\n");
        assert_eq!(remove, "Delete \"$INSTDIR\\confab.exe\"\nDelete \"$INSTDIR\\LICENSE-MIT.txt\"\n");
    }

    #[test]
    fn a_version_is_four_numbers() {
        assert_eq!(numbers("0.1.0"), "0.1.0.0");
        assert_eq!(numbers("1.2.3-beta.4+5"), "1.2.3.0");
    }
}
