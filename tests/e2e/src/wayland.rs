//! weston inside a screen of X.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::PATIENCE;

/// The name of its socket.
const SOCKET: &str = "wayland-e2e";

/// A Wayland compositor that shows one window, in full, on a screen of X; gone when dropped.
#[derive(Debug)]
pub(crate) struct Wayland {
    compositor: Child,
    folder: TempDir,
}

impl Wayland {
    /// Starts it on that screen.
    pub(crate) fn start(screen: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let compositor = Command::new("weston")
            .args(["--backend=x11-backend.so", "--shell=kiosk-shell.so", "--use-pixman", "--no-config"])
            .args(["--width=1280", "--height=800", "--idle-time=0"])
            .arg(format!("--socket={SOCKET}"))
            .env("DISPLAY", screen)
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start weston; it is in the package weston")?;
        let wayland = Self { compositor, folder };
        let deadline = Instant::now() + PATIENCE;
        while !wayland.folder.path().join(SOCKET).exists() {
            ensure!(Instant::now() < deadline, "weston does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(wayland)
    }

    /// Lets a program show its windows here.
    pub(crate) fn carry(&self, command: &mut Command) {
        command.env("WAYLAND_DISPLAY", SOCKET).env("GDK_BACKEND", "wayland").env_remove("DISPLAY");
        command.env("XDG_RUNTIME_DIR", self.folder.path());
    }
}

impl Drop for Wayland {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.compositor.kill();
        let _ = self.compositor.wait();
    }
}
