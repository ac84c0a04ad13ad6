//! The real window, as a person uses it. Screens are kept in target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use e2e::{Meeting, Person, Screen, Window, scripted};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn joining_by_number_shows_the_other_and_oneself_and_leaving_says_so() {
    let room = json!(4321);
    let meeting = Meeting::start(&room).await.unwrap();
    let window = Window::open(&meeting.camera()).await.unwrap();
    window.keep("number-1-join").await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "number-2-meeting").await.unwrap();
    window.shows_the_clip("tile-local", true, "number-2-meeting").await.unwrap();
    assert!(window.page.text("[data-testid=meeting-room]").await.unwrap().contains("4321"));
    let (meeting, _) = meeting.heard("onFirstVideoFrame").await.unwrap();

    window.page.click("[data-testid=leave]").await.unwrap();
    assert_eq!(window.notice("left").await.unwrap(), "You left");
    window.keep("number-3-left").await.unwrap();
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await.unwrap();
    assert_eq!(left["reason"], 0);
    window.page.click("[data-testid=exit-back]").await.unwrap();
    window.page.element("[data-testid=join-page]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_removed_from_a_text_room_is_told_and_the_camera_is_let_go() {
    let room = json!("daily-4321");
    let meeting = Meeting::start(&room).await.unwrap();
    let window = Window::open(&meeting.camera()).await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "text-1-meeting").await.unwrap();

    meeting.service.remove(&room, "alice").await.unwrap();
    assert_eq!(window.notice("removed").await.unwrap(), "You were removed from the room");
    window.keep("text-2-removed").await.unwrap();
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await.unwrap();
    assert_eq!(left["reason"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_room_is_told_and_can_be_entered_again() {
    let room = json!(77);
    let meeting = Meeting::start(&room).await.unwrap();
    let window = Window::open("test").await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "dismissed-1-meeting").await.unwrap();

    meeting.service.dismiss(&room).await.unwrap();
    assert_eq!(window.notice("dismissed").await.unwrap(), "The room was dismissed");
    window.keep("dismissed-2-notice").await.unwrap();

    window.page.click("[data-testid=exit-rejoin]").await.unwrap();
    window.page.element("[data-testid=meeting-page]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_leaves_the_room_and_ends_the_program() {
    let room = json!(99);
    let meeting = Meeting::start(&room).await.unwrap();
    let screen = Screen::start().unwrap();
    let mut window = Person::start(&mut scripted(&screen, meeting.folder.path(), &meeting.camera())).unwrap();
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
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await.unwrap();
    assert_eq!(left["reason"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_script_leaves_the_room_and_ends_the_program() {
    let room = json!("script");
    let meeting = Meeting::start(&room).await.unwrap();
    let screen = Screen::start().unwrap();
    let mut window = Person::start(&mut scripted(&screen, meeting.folder.path(), "test")).unwrap();
    let entry = meeting.service.entry("alice", &room).unwrap();
    let status = tokio::task::spawn_blocking(move || {
        window.join(&entry).unwrap();
        window.end().unwrap()
    });
    assert!(status.await.unwrap().success());
    let (_meeting, left) = meeting.heard("onRemoteUserLeaveRoom").await.unwrap();
    assert_eq!(left["reason"], 0);
}
