//! The setup.exe: silent, in wine, with the programs that run without WebView2.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::screen::Screen;
use super::{all_below, says_version, until};
use crate::bundle::VERSION;
use crate::check::wine::Wine;
use crate::driven::Driven;
use crate::shell::{read, run, succeeds};

const REMOVAL: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Confab";
const WEBVIEW: &str = r"HKCU\Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
const MISSING: &str = "WebView2 Runtime, which is not installed";
/// The uninstaller copies itself away and goes on there, so that nobody can wait for its end.
const PATIENCE: Duration = Duration::from_secs(60);

pub(in crate::bundle) fn trial(setup: &Path) -> Result<()> {
    println!("Trying {}", setup.display());
    let windows = Windows::start()?;
    let before = windows.files()?;
    let said = read(windows.command(setup, &["/S"]))?;
    ensure!(said.contains(MISSING), "it does not say that WebView2 is missing: {said}");
    windows.is_installed()?;

    for name in ["confab-headless.exe", "confab-server.exe"] {
        says_version(windows.command(windows.installed.join(name), &[]))?;
    }
    windows.answers()?;

    // Once more over itself, and now with WebView2.
    run(windows.command("reg", &["add", WEBVIEW, "/v", "pv", "/d", "120.0.2210.91", "/f"]))?;
    let said = read(windows.command(setup, &["/S"]))?;
    ensure!(said.is_empty(), "there is nothing to say: {said}");
    windows.is_installed()?;

    windows.busy(setup)?;

    run(windows.command(windows.installed.join("uninstall.exe"), &["/S"]))?;
    until(PATIENCE, "the folder is gone", || Ok(!windows.installed.exists()))?;
    ensure!(!succeeds(windows.command("reg", &["query", REMOVAL])), "Windows still lists it");
    let after = windows.files()?;
    let may_stay = |path: &PathBuf| {
        // The folder of one person's programs is there on any Windows that has some.
        before.contains(path)
            || path.starts_with(&windows.data)
            || Some(path.as_path()) == windows.installed.parent()
    };
    let left: Vec<&PathBuf> = after.iter().filter(|path| !may_stay(path)).collect();
    ensure!(left.is_empty(), "these are left: {left:?}");
    ensure!(windows.data.is_dir(), "the person's data went too");
    windows.forget()?;
    println!("Installed, started, and removed without a trace");
    Ok(())
}

/// A Windows for one person, in wine.
struct Windows {
    wine: Wine,
    screen: Screen,
    /// Where setup.exe puts Confab.
    installed: PathBuf,
    menu: PathBuf,
    /// Where the app keeps what the person made.
    data: PathBuf,
}

impl Windows {
    /// One in which Confab has never been.
    fn start() -> Result<Self> {
        let wine = Wine::prepare()?;
        let user = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "root".to_owned());
        let person = wine.drive().join("users").join(user);
        let roaming = person.join("AppData/Roaming");
        let windows = Self {
            wine,
            screen: Screen::start()?,
            installed: person.join("AppData/Local/Programs/Confab"),
            menu: roaming.join("Microsoft/Windows/Start Menu/Programs/Confab.lnk"),
            data: roaming.join("confab"),
        };
        windows.forget()?;
        Ok(windows)
    }

    /// Removes what an earlier try left, however far it came.
    fn forget(&self) -> Result<()> {
        for folder in [&self.installed, &self.data] {
            if folder.exists() {
                fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
        if self.menu.exists() {
            fs::remove_file(&self.menu)?;
        }
        for key in [REMOVAL, WEBVIEW] {
            // Fails where the key is not there.
            succeeds(self.command("reg", &["delete", key, "/f"]));
        }
        Ok(())
    }

    /// A Windows program.
    fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = self.wine.command(program);
        command.args(arguments).env("DISPLAY", &self.screen.display);
        command
    }

    fn is_installed(&self) -> Result<()> {
        for name in
            ["confab.exe", "confab-headless.exe", "confab-server.exe", "uninstall.exe", "third-party.txt"]
        {
            ensure!(self.installed.join(name).is_file(), "{name} was not installed");
        }
        ensure!(self.menu.is_file(), "there is no menu entry");
        let listed = read(self.command("reg", &["query", REMOVAL]))?;
        ensure!(listed.contains(VERSION), "Windows lists another version: {listed}");
        Ok(())
    }

    /// The app without a window answers a script, and keeps the key that it makes for hosting.
    fn answers(&self) -> Result<()> {
        let flags = ["--camera", "test", "--microphone", "none", "--speaker", "null"];
        let mut app =
            Driven::start(self.command(self.installed.join("confab-headless.exe"), &flags), PATIENCE)?;
        let state = app.request("get_state", &json!({}))?;
        ensure!(state.is_object(), "this is no state: {state}");
        app.request("host_room", &json!({}))?;
        let status = app.end()?;
        ensure!(status.success(), "the app ended with {status}");
        Ok(())
    }

    /// While a program of ours runs, nothing is changed.
    fn busy(&self, setup: &Path) -> Result<()> {
        let flags = ["--camera", "test", "--microphone", "none", "--speaker", "null"];
        let mut app =
            Driven::start(self.command(self.installed.join("confab-headless.exe"), &flags), PATIENCE)?;
        app.request("get_state", &json!({}))?;
        for program in [setup, &self.installed.join("uninstall.exe")] {
            let output = self.command(program, &["/S"]).output()?;
            let said = String::from_utf8_lossy(&output.stdout);
            ensure!(
                said.contains("confab-headless is running"),
                "it does not say what is in its way: {said}"
            );
        }
        self.is_installed()?;
        app.end().context("the app does not end").map(drop)
    }

    /// Everything on the disk but what wine itself writes now and then.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let temporary = |path: &Path| path.ends_with("Temp") || path.ends_with("windows/temp");
        all_below(&self.wine.drive(), &temporary)
    }
}
