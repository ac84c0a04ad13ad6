//! Programs of one person meet at a named pipe, called after their folder.

use std::io;
use std::path::Path;

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

/// Whoever holds the lock listens there. Windows lets others read such a pipe and not write to it.
pub(super) struct Listener {
    name: String,
    next: NamedPipeServer,
}

impl Listener {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let name = name(folder);
        // A pipe of that name that is there already is somebody else's.
        let next = ServerOptions::new().first_pipe_instance(true).create(&name)?;
        Ok(Self { name, next })
    }

    pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let another = ServerOptions::new().create(&self.name)?;
        Ok(std::mem::replace(&mut self.next, another))
    }
}

pub(super) async fn connect(folder: &Path) -> io::Result<NamedPipeClient> {
    ClientOptions::new().open(name(folder))
}

fn name(folder: &Path) -> String {
    // FNV-1a: names only have to differ.
    let folder = folder.to_string_lossy().to_lowercase();
    let hash = folder.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(r"\\.\pipe\confab-{hash:016x}")
}
