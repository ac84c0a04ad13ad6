//! Company for a window: a server, and somebody who is in the room.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::{Person, Service, clip, headless};

/// One window at a time: each needs most of a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test has a window.
pub async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// A server, and bob without a window who shows the clip.
#[derive(Debug)]
pub struct Meeting {
    /// The server.
    pub service: Service,
    /// Gone with the meeting.
    pub folder: TempDir,
    other: Person,
    clip: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Meeting {
    /// Starts the server and lets bob in.
    pub async fn start(room: &Value) -> Result<Self> {
        let turn = turn().await;
        let folder = tempfile::tempdir()?;
        let clip = folder.path().join("clip.y4m");
        clip::write(&clip)?;
        let service = Service::start().await?;
        let mut other = Person::start(&mut headless(folder.path(), &format!("file:{}", clip.display())))?;
        let entry = service.entry("bob", room)?;
        let joining = tokio::task::spawn_blocking(move || other.join(&entry).map(|()| other));
        Ok(Self { service, folder, other: joining.await??, clip, _turn: turn })
    }

    /// What a program takes for a camera that shows the clip.
    pub fn camera(&self) -> String {
        format!("file:{}", self.clip.display())
    }

    /// What bob hears of alice, waited for without holding the server up.
    pub async fn heard(mut self, name: &'static str) -> Result<(Self, Value)> {
        let waiting = tokio::task::spawn_blocking(move || {
            let data = self.other.event(name, |data| data["userId"] == "alice")?;
            anyhow::Ok((self, data))
        });
        waiting.await?
    }
}
