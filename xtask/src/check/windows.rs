//! Windows, with the GNU tools: compiled by mingw, run in wine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::meeting;
use super::wine::Wine;
use crate::setup::{node, python, system};
use crate::shell::{cargo, command, found, read, run, target};
use crate::test::suite::Suite;

pub(crate) const TRIPLE: &str = "x86_64-pc-windows-gnu";

/// Debian's mingw comes with two models of threads; the C++ codecs need this one.
const COMPILER: &str = "x86_64-w64-mingw32-gcc-posix";
const COMPILER_CPP: &str = "x86_64-w64-mingw32-g++-posix";
const ARCHIVER: &str = "x86_64-w64-mingw32-gcc-ar-posix";

/// Compiles, lints, and lets our programs meet.
pub(super) fn steps(suite: &mut Suite) -> Result<()> {
    suite.step("windows: packages", |_| {
        system::packages(system::For::Windows)?;
        node::packages()?;
        node::page()?;
        python::packages()
    })?;
    suite.step("windows: build", |_| {
        let mut build = cargo(["build", "--workspace", "--bins", "--target", TRIPLE]);
        settings(&mut build)?;
        run(build)
    })?;
    suite.step("windows: clippy", |_| {
        let mut clippy = cargo(["clippy", "--workspace", "--all-targets", "--target", TRIPLE]);
        clippy.args(["--", "--deny", "warnings"]);
        settings(&mut clippy)?;
        run(clippy)
    })?;
    suite.step("windows: meeting in wine", |_| {
        let wine = Wine::prepare()?;
        meeting::hold(&wine, &target().join(TRIPLE).join("debug"))
    })
}

/// Gives a cargo that compiles for [`TRIPLE`] what it needs. In its environment and not in
/// .cargo/config.toml, because these names exist on Debian only: with that file, mingw on Windows
/// itself would look for them in vain.
pub(crate) fn settings(cargo: &mut Command) -> Result<()> {
    for program in [COMPILER, COMPILER_CPP, ARCHIVER] {
        if !found(program) {
            bail!(
                "{program} is not installed. Compiling for Windows is known to work on Debian and Ubuntu, \
                 with the package g++-mingw-w64-x86-64-posix"
            );
        }
    }
    let mut ask = command(COMPILER_CPP);
    ask.arg("-print-file-name=libstdc++.a");
    let library = PathBuf::from(read(ask)?.trim());
    cargo.envs(variables(library.parent().unwrap_or(Path::new(""))));
    Ok(())
}

/// The settings as cargo and the C build scripts read them; `libraries` is where libstdc++.a lies.
fn variables(libraries: &Path) -> [(&'static str, String); 6] {
    [
        ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", COMPILER.to_owned()),
        ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", format!("-L native={}", libraries.display())),
        ("CC_x86_64_pc_windows_gnu", COMPILER.to_owned()),
        ("CXX_x86_64_pc_windows_gnu", COMPILER_CPP.to_owned()),
        ("AR_x86_64_pc_windows_gnu", ARCHIVER.to_owned()),
        // The codecs' C++ runtime is linked in, so that no DLL has to travel with the program.
        ("CXXSTDLIB_x86_64_pc_windows_gnu", "static=stdc++".to_owned()),
    ]
}

/// A library for a program in wine, compiled from one file of ours.
pub(super) fn library(source: &Path, library: &Path) -> Result<()> {
    let mut compile = command(COMPILER);
    compile
        .args(["-O2", "-Wall", "-Werror", "-shared", "-s", "-o"])
        .arg(library)
        .arg(source)
        .arg("-ladvapi32");
    run(compile).context("the library that wine lacks cannot be compiled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_names_the_target_as_its_reader_spells_it() {
        let variables = variables(Path::new("/lib/mingw"));
        let (screaming, plain) = (TRIPLE.replace('-', "_").to_uppercase(), TRIPLE.replace('-', "_"));
        for (name, _) in &variables {
            match name.strip_prefix("CARGO_TARGET_") {
                Some(rest) => assert!(rest.starts_with(&format!("{screaming}_")), "{name}"),
                None => assert!(name.ends_with(&format!("_{plain}")), "{name}"),
            }
        }
        let flags = variables.iter().find(|(name, _)| name.ends_with("RUSTFLAGS"));
        assert_eq!(flags.map(|(_, value)| value.as_str()), Some("-L native=/lib/mingw"));
    }
}
