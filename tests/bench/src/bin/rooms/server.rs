//! The server as a process of its own, on one core where that can be had.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::{APP, KEY};
use tempfile::TempDir;

/// A running server with a database; dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    http: SocketAddr,
    pinned: bool,
    _folder: TempDir,
}

impl Server {
    /// Starts `program`, or the confab-server that was built beside this benchmark.
    pub(crate) fn start(program: Option<&Path>) -> Result<Server> {
        let http = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = tempfile::tempdir()?;
        let beside = std::env::current_exe()?.with_file_name("confab-server");
        let program = program.unwrap_or(&beside);
        // It is there on every Linux and nowhere else.
        let pinned = Command::new("taskset").args(["-c", "0", "true"]).status();
        let pinned = pinned.is_ok_and(|status| status.success());
        let mut command = if pinned { Command::new("taskset") } else { Command::new(program) };
        if pinned {
            command.args(["-c", "0"]).arg(program);
        }
        command.args(["--http", &http.to_string(), "--media", "127.0.0.1:0", "--workers", "1"]);
        command.arg("--database").arg(folder.path().join("confab.db"));
        command.env("CONFAB_APP", format!("{APP}:{KEY}"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("{} does not start", program.display()))?;
        let server = Server { child, http, pinned, _folder: folder };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(http).is_err() {
            ensure!(Instant::now() < end, "the server does not listen on {http}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has one core of its own.
    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is only a measured program: nobody waits for its goodbye.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
