//! A server that is killed, or told to stop, in the middle of a meeting and started again: the program
//! itself, because nothing in a process outlives a SIGKILL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly and looks for the events it is about"
)]

use confab_protocol::{Event, ExitReason, HostAction, RawEnterParams, RoomState, UserId};
use rooms::{APP, Guest, KEY, PATIENCE, sign};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How soon everybody has to be back.
const BACK: Duration = Duration::from_secs(5);

/// A server and where it is found, whenever it runs.
struct Program {
    child: Child,
    http: SocketAddr,
    media: SocketAddr,
    folder: TempDir,
}

impl Program {
    /// Starts it on free ports with an empty database.
    fn start() -> Program {
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let media = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let child = run(http, media, folder.path());
        Program { child, http, media, folder }
    }

    /// Ends it by that signal and starts it again at once.
    fn restart(&mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap();
        self.child = run(self.http, self.media, self.folder.path());
    }

    /// Waits until the disk has what a server needs to take the room up again.
    async fn until_written(&self, room: &RoomState) {
        let wanted = json!([room.owner, room.co_hosts, room.locked, room.forbidden, room.banned]);
        let parts = ["owner", "coHosts", "locked", "hushed", "banned"];
        let begin = Instant::now();
        loop {
            let kept = kept(self.folder.path());
            if kept.iter().any(|kept| json!(parts.map(|part| &kept[part])) == wanted) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "on the disk is {kept:?} and not {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn params(&self, user: &str) -> RawEnterParams {
        RawEnterParams {
            server: Some(format!("http://{}", self.http)),
            sdk_app_id: Some(i64::from(APP)),
            user_id: Some(user.into()),
            user_sig: Some(sign(APP, KEY, user)),
            room_id: Some(1),
            ..RawEnterParams::default()
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server beside this test; all programs are built before the tests run.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().with_file_name(format!("confab-server{}", std::env::consts::EXE_SUFFIX))
}

/// Starts it and waits until it listens.
fn run(http: SocketAddr, media: SocketAddr, folder: &Path) -> Child {
    let mut command = Command::new(program());
    command.args(["--dev", "--workers", "1", "--http", &http.to_string(), "--media", &media.to_string()]);
    command.arg("--database").arg(folder.join("confab.db"));
    command.env("CONFAB_APP", format!("{APP}:{KEY}")).env("CONFAB_LOG", "warn");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut greeting = String::new();
    // It stays open: the rest is still to come, and a program that nobody reads ends.
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut greeting).unwrap();
    assert_eq!(greeting.trim(), format!("Confab is at http://{http}"));
    child
}

/// The rooms that a server would find which was started in place of one that is killed now. The one that
/// runs lets nobody read its database, so that a copy is read.
fn kept(folder: &Path) -> Vec<Value> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["confab.db", "confab.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    let read = || -> rusqlite::Result<Vec<String>> {
        let database = rusqlite::Connection::open(copy.path().join("confab.db"))?;
        let mut rows = database.prepare("SELECT state FROM kept")?;
        rows.query_map([], |row| row.get(0))?.collect()
    };
    // A copy that was taken in the middle of a write may not be whole.
    let states = read().unwrap_or_default();
    states.iter().map(|state| serde_json::from_str(state).unwrap()).collect()
}

fn id(user: &str) -> UserId {
    user.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_everybody_is_back_and_the_room_is_as_its_hosts_left_it() {
    everybody_is_back_after("-KILL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_orderly_stop_everybody_is_back_and_the_room_is_as_its_hosts_left_it() {
    everybody_is_back_after("-TERM").await;
}

async fn everybody_is_back_after(signal: &str) {
    let mut server = Program::start();
    let (mut ann, mut bob, mut cem) = (Guest::new(), Guest::new(), Guest::new());
    let (mut dee, mut stranger) = (Guest::new(), Guest::new());
    for (guest, name) in [(&mut ann, "ann"), (&mut bob, "bob"), (&mut cem, "cem"), (&mut dee, "dee")] {
        guest.join(server.params(name)).await;
    }
    for action in [
        HostAction::CoHost { user_id: id("bob"), on: true },
        HostAction::Mute { user_id: Some(id("cem")), allow_unmute: false },
        HostAction::Remove { user_id: id("dee"), ban: true },
        HostAction::Lock { on: true },
    ] {
        ann.session.act(action).await.unwrap();
    }
    assert_eq!(dee.until_out().await.0, ExitReason::Removed);
    let before = RoomState {
        owner: Some("ann".into()),
        co_hosts: vec!["bob".into()],
        locked: true,
        forbidden: vec!["cem".into()],
        banned: vec!["dee".into()],
        ..RoomState::default()
    };
    // Hosts hear who is kept out, others do not.
    let unnamed = |state: &RoomState| RoomState { banned: Vec::new(), ..state.clone() };
    for guest in [&mut ann, &mut bob] {
        guest.until_room("the room as it was left", |state| *state == before).await;
    }
    cem.until_room("the room as it was left", |state| *state == unnamed(&before)).await;

    server.until_written(&before).await;
    server.restart(signal);
    let begin = Instant::now();
    for guest in [&mut ann, &mut bob, &mut cem] {
        guest.until_told(Event::OnConnectionLost).await;
        guest.until_told(Event::OnConnectionRecovery).await;
    }
    assert!(begin.elapsed() < BACK, "{:?}", begin.elapsed());

    assert_eq!(stranger.enter(server.params("stranger")).await, -102_011, "it is locked");
    assert_eq!(dee.enter(server.params("dee")).await, -102_011, "banned");
    let word = cem.session.act(HostAction::Lock { on: false }).await.unwrap_err();
    assert!(word.code == -3 && word.message.contains("host"), "{word}");
    // What bob may do shows that he is a co-host, and what everybody hears is the rest of the room.
    bob.session.act(HostAction::Lock { on: false }).await.unwrap();
    let open = RoomState { locked: false, ..before };
    for guest in [&mut ann, &mut bob] {
        guest.until_room("the room as before, and open", |state| *state == open).await;
    }
    cem.until_room("the room as before, and open", |state| *state == unnamed(&open)).await;
    ann.session.act(HostAction::CoHost { user_id: id("bob"), on: false }).await.unwrap();
    let demoted = RoomState { co_hosts: Vec::new(), ..unnamed(&open) };
    bob.until_room("the room as others hear of it", |state| *state == demoted).await;
    assert_eq!(dee.enter(server.params("dee")).await, -102_011, "banned still");
    stranger.join(server.params("stranger")).await;
    ann.session.act(HostAction::Dismiss).await.unwrap();
    for guest in [&mut ann, &mut bob, &mut cem, &mut stranger] {
        assert_eq!(guest.until_out().await.0, ExitReason::Dismissed);
    }
}
