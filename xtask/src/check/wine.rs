//! wine, with a Windows of our own below the target folder, and mended in three places where wine 8
//! differs from Windows: see the sources in xtask/wine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::windows;
use crate::shell::{command, found, root, run, succeeds, target};

/// Where Debian keeps the programs that its packages put into no PATH.
const FOLDER: &str = "/usr/lib/wine";

/// A Windows that is set up; its server is ended when dropped.
pub(crate) struct Wine {
    loader: PathBuf,
    prefix: PathBuf,
    /// Loaded before wine's own libraries.
    sockets: PathBuf,
}

impl Wine {
    /// Sets it up if it is not there yet or was made with other libraries of ours.
    pub(crate) fn prepare() -> Result<Self> {
        let loader = ["wine64", "wine"].into_iter().find_map(program).context(
            "wine is not installed: the package wine64 brings it on Debian and Ubuntu. A meeting of programs \
             for Windows needs it",
        )?;
        let prefix = target().join("wine");
        let wine = Self { loader, sockets: prefix.join("sockets.so"), prefix };
        let sources =
            ["bcryptprimitives.c", "pdh.c", "sockets.c"].map(|name| root().join("xtask/wine").join(name));
        let wanted = sources.each_ref().map(|source| fs::read_to_string(source).unwrap_or_default()).concat();
        let stamp = wine.prefix.join("libraries.txt");
        if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(wine);
        }
        println!("Setting up a Windows in wine");
        if wine.prefix.exists() {
            fs::remove_dir_all(&wine.prefix)
                .with_context(|| format!("cannot empty {}", wine.prefix.display()))?;
        }
        fs::create_dir_all(&wine.prefix).with_context(|| format!("cannot make {}", wine.prefix.display()))?;
        let [random, load, sockets] = &sources;
        wine.compile_sockets(sockets)?;
        let mut boot = wine.command("wineboot");
        boot.arg("--init");
        run(boot).context("wine cannot set up a Windows")?;
        let library = wine.prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
        // A later wine brings its own.
        if !library.exists() {
            windows::library(random, &library)?;
        }
        windows::library(load, &wine.prefix.join("drive_c/windows/system32/pdh.dll"))?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(wine)
    }

    /// A program for Windows that starts in the workspace's folder.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = command(&self.loader);
        self.surround(&mut command);
        command.env("LD_PRELOAD", &self.sockets).arg(program.as_ref());
        command
    }

    /// Its drive C.
    pub(crate) fn drive(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    fn surround(&self, command: &mut Command) {
        command.env("WINEPREFIX", &self.prefix);
        // wine tells of everything that it does not know, and asks to install what our programs do
        // not use: .NET and a browser.
        command.env("WINEDEBUG", "-all").env("WINEDLLOVERRIDES", "mscoree,mshtml=;pdh=n");
    }

    fn compile_sockets(&self, source: &Path) -> Result<()> {
        let mut compile = command("cc");
        compile.args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&self.sockets).arg(source);
        run(compile).context("the library that mends wine's sockets cannot be compiled")
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // It would end by itself some seconds later.
        if let Some(server) = ["wineserver64", "wineserver"].into_iter().find_map(program) {
            let mut end = command(server);
            self.surround(&mut end);
            end.arg("--kill");
            succeeds(end);
        }
    }
}

/// A path as a program for Windows reads it: wine shows our whole file system as drive Z.
pub(super) fn path(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}

/// A program of wine's, on the PATH or where Debian keeps it.
fn program(name: &str) -> Option<PathBuf> {
    if found(name) {
        return Some(name.into());
    }
    Some(Path::new(FOLDER).join(name)).filter(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_as_windows_has_it() {
        assert_eq!(path(Path::new("/tmp/a b/c")), r"Z:\tmp\a b\c");
    }
}
