//! The server as a process of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use confab_signal::{Claims, JoinQuery, VideoGrant};

use crate::client::Access;

const KEY: &str = "bench";
const SECRET: &str = "a secret that only this run knows and needs";

/// A running server; dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    http: SocketAddr,
    config: PathBuf,
}

impl Server {
    /// Starts `program`, or the confab-server that was built beside this benchmark.
    pub(crate) fn start(program: Option<&Path>, workers: usize) -> Result<Server> {
        let http = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = std::env::temp_dir().join(format!("confab-bench-{}.toml", std::process::id()));
        let text = format!(
            "http = \"{http}\"\nmedia = \"127.0.0.1:0\"\nworkers = {workers}\n\
             [[api_key]]\nkey = \"{KEY}\"\nsecret = \"{SECRET}\"\n"
        );
        std::fs::write(&config, text)?;
        let beside = std::env::current_exe()?.with_file_name("confab-server");
        let program = program.unwrap_or(&beside);
        let mut command = Command::new(program);
        command.arg("--config").arg(&config).env("CONFAB_LOG", "warn");
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.with_context(|| format!("{} does not start", program.display()))?;
        let server = Server { child, http, config };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(http).is_err() {
            if Instant::now() > end {
                bail!("the server does not listen on {http}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(number.parse()?)
    }

    /// How one client comes in.
    pub(crate) fn access(&self, identity: &str) -> Access {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Claims {
            iss: KEY.to_owned(),
            sub: identity.to_owned(),
            exp: now + 3600,
            video: VideoGrant { room_join: true, room: "bench".to_owned(), ..VideoGrant::default() },
            ..Claims::default()
        };
        let query = JoinQuery {
            protocol: 16,
            access_token: claims.sign(SECRET).unwrap_or_default(),
            ..JoinQuery::default()
        };
        Access { url: format!("ws://{}/rtc?{}", self.http, query.to_query()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is only a measured program: nobody waits for its goodbye.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}
