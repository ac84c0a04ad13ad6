//! A screen of our own for the real window.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::shell::command;

/// A running Xvfb; stopped when dropped.
pub(super) struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts one on the first display number that is free.
    pub(super) fn start() -> Result<Self> {
        let mut xvfb = command("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]);
        let mut server =
            xvfb.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start Xvfb")?;
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let display = Self { server, name: format!(":{}", number.trim()) };
        ensure!(!number.trim().is_empty(), "Xvfb ended before it had a display");
        Ok(display)
    }

    /// Makes a command show its windows here.
    pub(super) fn lend(&self, command: &mut Command) {
        // Without a GPU the webview draws several times faster without compositing.
        command.env("DISPLAY", &self.name).env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
        command.env_remove("WAYLAND_DISPLAY");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
