//! The real window, as a person uses it. Screens are kept in target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::path::PathBuf;

use e2e::{Person, Screen, Service, Window, clip, headless, scripted};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// One window at a time: each needs most of a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// A server, and somebody without a window who shows the clip.
struct Meeting {
    service: Service,
    other: Person,
    clip: PathBuf,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Meeting {
    async fn start(room: &Value) -> Self {
        let turn = TURN.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.y4m");
        clip::write(&clip).unwrap();
        let service = Service::start().await.unwrap();
        let mut other = Person::start(&mut headless(folder.path(), &camera(&clip))).unwrap();
        let entry = service.entry("bob", room).unwrap();
        let other = tokio::task::spawn_blocking(move || {
            other.join(&entry).unwrap();
            other
        });
        Self { service, other: other.await.unwrap(), clip, folder, _turn: turn }
    }

    /// What the other hears of alice, waited for without holding the server up.
    async fn heard(mut self, name: &'static str) -> (Self, Value) {
        let waiting = tokio::task::spawn_blocking(move || {
            let data = self.other.event(name, |data| data["userId"] == "alice").unwrap();
            (self, data)
        });
        waiting.await.unwrap()
    }
}

fn camera(clip: &std::path::Path) -> String {
    format!("file:{}", clip.display())
}

async fn notice(window: &Window, kind: &str) -> String {
    window.page.element(&format!("[data-testid=exit-page][data-kind={kind}]")).await.unwrap();
    let state = window.page.call("get_state", json!({})).await.unwrap();
    assert_eq!((&state["phase"], &state["camera"]["on"]), (&json!("idle"), &json!(false)), "{state}");
    assert_eq!(state["microphone"]["on"], false, "{state}");
    window.page.text("[data-testid=exit-title]").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_by_number_shows_the_other_and_oneself_and_leaving_says_so() {
    let room = json!(4321);
    let meeting = Meeting::start(&room).await;
    let window = Window::open(&camera(&meeting.clip)).await.unwrap();
    window.keep("number-1-join").await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "number-2-meeting").await.unwrap();
    window.shows_the_clip("tile-local", true, "number-2-meeting").await.unwrap();
    assert!(window.page.text("[data-testid=meeting-room]").await.unwrap().contains("4321"));
    let (meeting, _) = meeting.heard("onFirstVideoFrame").await;

    window.page.click("[data-testid=leave]").await.unwrap();
    assert_eq!(notice(&window, "left").await, "You left");
    window.keep("number-3-left").await.unwrap();
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await;
    assert_eq!(left["reason"], 0);
    window.page.click("[data-testid=exit-back]").await.unwrap();
    window.page.element("[data-testid=join-page]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_removed_from_a_text_room_is_told_and_the_camera_is_let_go() {
    let room = json!("daily-4321");
    let meeting = Meeting::start(&room).await;
    let window = Window::open(&camera(&meeting.clip)).await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "text-1-meeting").await.unwrap();

    meeting.service.remove(&room, "alice").await.unwrap();
    assert_eq!(notice(&window, "removed").await, "You were removed from the room");
    window.keep("text-2-removed").await.unwrap();
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await;
    assert_eq!(left["reason"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_room_is_told_and_can_be_entered_again() {
    let room = json!(77);
    let meeting = Meeting::start(&room).await;
    let window = Window::open("test").await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "dismissed-1-meeting").await.unwrap();

    meeting.service.dismiss(&room).await.unwrap();
    assert_eq!(notice(&window, "dismissed").await, "The room was dismissed");
    window.keep("dismissed-2-notice").await.unwrap();

    window.page.click("[data-testid=exit-rejoin]").await.unwrap();
    window.page.element("[data-testid=meeting-page]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_beside_the_form_and_nothing_is_lost() {
    let _turn = TURN.lock().await;
    let window = Window::open("none").await.unwrap();
    let page = &window.page;
    page.fill("[data-testid=name]", "Alice").await.unwrap();
    page.fill("[data-testid=room]", "4294967295").await.unwrap();
    page.click("label:has([data-testid=where-server])").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.until("return document.body.innerText.includes('4294967294')").await.unwrap();
    window.keep("wrong-1-room").await.unwrap();

    page.fill("[data-testid=room]", "5").await.unwrap();
    page.fill("[data-testid=server]", "127.0.0.1:9").await.unwrap();
    page.click("[data-testid=advanced]").await.unwrap();
    page.fill("[data-testid=sdk-app-id]", "1400000001").await.unwrap();
    page.fill("[data-testid=user-sig]", "nonsense").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.until("return document.body.innerText.includes('127.0.0.1:9 cannot be reached')").await.unwrap();
    window.keep("wrong-2-unreachable").await.unwrap();
    let room = page.run("return document.querySelector('[data-testid=room]').value", &[]).await.unwrap();
    assert_eq!(room, "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_leaves_the_room_and_ends_the_program() {
    let room = json!(99);
    let meeting = Meeting::start(&room).await;
    let screen = Screen::start().unwrap();
    let mut window =
        Person::start(&mut scripted(&screen, meeting.folder.path(), &camera(&meeting.clip))).unwrap();
    let entry = meeting.service.entry("alice", &room).unwrap();
    let mut window = tokio::task::spawn_blocking(move || {
        window.join(&entry).unwrap();
        window.event("onFirstVideoFrame", |data| data["userId"] == "bob").unwrap();
        window
    })
    .await
    .unwrap();
    screen.close("Confab").unwrap();
    let status = tokio::task::spawn_blocking(move || window.ended().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await;
    assert_eq!(left["reason"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_script_leaves_the_room_and_ends_the_program() {
    let room = json!("script");
    let meeting = Meeting::start(&room).await;
    let screen = Screen::start().unwrap();
    let mut window = Person::start(&mut scripted(&screen, meeting.folder.path(), "test")).unwrap();
    let entry = meeting.service.entry("alice", &room).unwrap();
    let status = tokio::task::spawn_blocking(move || {
        window.join(&entry).unwrap();
        window.end().unwrap()
    });
    assert!(status.await.unwrap().success());
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await;
    assert_eq!(left["reason"], 0);
}
