//! A display without a monitor, and what is to be seen on it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::Running;
use crate::shell::{command, read, run};

/// A running Xvfb.
pub(super) struct Screen {
    _server: Running,
    /// As `:99`.
    pub(super) display: String,
}

impl Screen {
    /// A display with a number that is free.
    pub(super) fn start() -> Result<Self> {
        let mut xvfb = command("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        xvfb.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::start(xvfb)?;
        let stdout = server.0.stdout.take().context("Xvfb has no output")?;
        let mut number = String::new();
        BufReader::new(stdout).read_line(&mut number)?;
        ensure!(!number.trim().is_empty(), "Xvfb ended before it had a display");
        Ok(Self { _server: server, display: format!(":{}", number.trim()) })
    }

    /// Writes a picture of everything to a file, and says how many colours it has: one where nothing
    /// is drawn, hundreds where text is.
    pub(super) fn colours(&self, file: &Path) -> Result<u32> {
        let mut import = command("import");
        import.args(["-display", &self.display, "-window", "root"]).arg(file);
        run(import)?;
        let mut identify = command("identify");
        identify.args(["-format", "%k"]).arg(file);
        read(identify)?.trim().parse().context("identify counts no colours")
    }
}
