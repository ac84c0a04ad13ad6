//! Where the window that is open takes invitations from: whoever starts the program with one hands it over
//! and ends. One window does so for all that share a folder; another one takes its place when it closes.

#[cfg_attr(windows, path = "door/pipe.rs")]
#[cfg_attr(not(windows), path = "door/socket.rs")]
mod wire;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, warn};

/// Locked by the window that takes invitations.
const LOCK: &str = "window.lock";
/// Longest invitation, bytes: more than the app reads.
const LIMIT: u64 = 128 * 1024;
/// How long programs wait for each other.
#[derive(Clone, Copy)]
struct Waits {
    /// Longest that handing over may take.
    patience: Duration,
    /// How often a window that is not the one looks whether it can be, and who hands over looks for it.
    again: Duration,
}

const USUAL: Waits = Waits { patience: Duration::from_secs(5), again: Duration::from_millis(500) };
/// Said when an invitation was taken.
const TAKEN: &[u8] = b"taken\n";

/// Gives `link` to the window that is open; whether it took it.
pub(crate) async fn hand_over(folder: &Path, link: &str) -> bool {
    hand_over_in(USUAL, folder, link).await
}

async fn hand_over_in(Waits { patience, again }: Waits, folder: &Path, link: &str) -> bool {
    let deadline = Instant::now() + patience;
    // A window that has just been opened does not listen yet.
    while is_open(folder) {
        match timeout_at(deadline, give(folder, link)).await {
            Ok(Ok(taken)) => return taken,
            Ok(Err(error)) => debug!(%error, "the window that is open does not listen"),
            Err(_) => break,
        }
        if Instant::now() + again > deadline {
            break;
        }
        sleep(again).await;
    }
    false
}

async fn give(folder: &Path, link: &str) -> io::Result<bool> {
    let mut stream = wire::connect(folder).await?;
    stream.write_u32(u32::try_from(link.len()).map_err(io::Error::other)?).await?;
    stream.write_all(link.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = [0; TAKEN.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer == TAKEN)
}

/// Whether a window takes invitations there.
fn is_open(folder: &Path) -> bool {
    matches!(lock(folder), Ok(None))
}

/// Takes invitations and passes them on, until nobody takes them from here any more. Waits while another
/// window does so.
pub(crate) async fn keep(folder: PathBuf, invited: mpsc::Sender<String>) {
    keep_in(USUAL, folder, invited).await;
}

async fn keep_in(Waits { patience, again }: Waits, folder: PathBuf, invited: mpsc::Sender<String>) {
    let refused = |error: io::Error| warn!(%error, "links open a window of their own");
    let _lock = loop {
        match lock(&folder) {
            Ok(Some(lock)) => break lock,
            Ok(None) => sleep(again).await,
            Err(error) => return refused(error),
        }
    };
    let mut listener = match wire::Listener::open(&folder) {
        Ok(listener) => listener,
        Err(error) => return refused(error),
    };
    while !invited.is_closed() {
        match listener.accept().await {
            Ok(stream) => {
                if timeout(patience, take(stream, &invited)).await.is_err() {
                    debug!("somebody began to hand something over and stopped");
                }
            }
            Err(error) => {
                debug!(%error, "nobody came in");
                sleep(again).await;
            }
        }
    }
}

async fn take(mut stream: impl AsyncRead + AsyncWrite + Unpin, invited: &mpsc::Sender<String>) {
    let taken = async {
        let length = u64::from(stream.read_u32().await?);
        if length > LIMIT {
            return Err(io::Error::other("too long"));
        }
        let mut text = Vec::new();
        (&mut stream).take(length).read_to_end(&mut text).await?;
        if text.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        invited.send(text).await.map_err(io::Error::other)?;
        stream.write_all(TAKEN).await?;
        stream.flush().await
    };
    if let Err(error) = taken.await {
        debug!(%error, "something handed over was not taken");
    }
}

/// The lock, unless another program has it.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    confab_app::make_folder(folder)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::task::JoinHandle;

    use super::*;

    const LINK: &str = "confab://join?server=h&room=5";
    /// The clock decides nothing: what is waited for comes, however busy the machine.
    const TEST: Waits = Waits { patience: Duration::from_secs(3600), again: Duration::from_millis(1) };

    struct Window {
        invited: mpsc::Receiver<String>,
        task: JoinHandle<()>,
    }

    fn open(folder: &TempDir) -> Window {
        let (sender, invited) = mpsc::channel(4);
        let task = tokio::spawn(keep_in(TEST, folder.path().to_owned(), sender));
        Window { invited, task }
    }

    async fn give_link(folder: &TempDir, link: &str) -> bool {
        hand_over_in(TEST, folder.path(), link).await
    }

    async fn until_open(folder: &TempDir) {
        while !is_open(folder.path()) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_open_window_takes_what_the_next_start_brings() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!give_link(&folder, LINK).await, "nobody is there");
        let mut window = open(&folder);
        until_open(&folder).await;
        for link in [LINK, "planted by hand ✓"] {
            assert!(give_link(&folder, link).await);
            assert_eq!(window.invited.recv().await.unwrap(), link);
        }
    }

    #[tokio::test]
    async fn another_window_takes_over_when_the_first_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(&folder);
        until_open(&folder).await;
        let mut second = open(&folder);
        first.task.abort();
        assert!(first.task.await.unwrap_err().is_cancelled());
        // Its first look may have been before.
        while !give_link(&folder, LINK).await {
            tokio::task::yield_now().await;
        }
        assert_eq!(second.invited.recv().await.unwrap(), LINK);
    }

    #[tokio::test]
    async fn who_stops_in_the_middle_or_says_too_much_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut window = open(&folder);
        until_open(&folder).await;
        assert!(give_link(&folder, LINK).await, "it listens");
        assert_eq!(window.invited.recv().await.unwrap(), LINK);
        let long = "x".repeat(LIMIT as usize + 1);
        assert!(give(folder.path(), &long).await.is_err());
        let mut half = wire::connect(folder.path()).await.unwrap();
        half.write_u32(100).await.unwrap();
        half.write_all(b"half").await.unwrap();
        drop(half);
        assert!(give_link(&folder, LINK).await);
        assert_eq!(window.invited.recv().await.unwrap(), LINK);
    }
}
