//! The ways in which the window shows pictures, each looked at on the whole screen. Screens are kept
//! in target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::process::Command;

use e2e::{Meeting, Screen, Window, built};
use serde_json::{Value, json};

/// Opens the window with these variables and meets bob: who shows pictures, and that they move, are
/// the right way round and have the edges that the compositor draws.
async fn shows_people(screen: Screen, environment: &[(&str, &str)], name: &str) -> Value {
    let room = json!(5150);
    let meeting = Meeting::start(&room).await.unwrap();
    let window = Window::within(screen, &meeting.camera(), environment).await.unwrap();
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, name).await.unwrap();
    window.shows_the_clip("tile-local", true, name).await.unwrap();
    window.moves("tile-bob", name).await.unwrap();
    window.has_its_edges("tile-bob", name).await.unwrap();
    assert!(window.page.find("[data-testid=stage-fault]").await.unwrap().is_none());
    let state = window.page.call("get_state", json!({})).await.unwrap();
    state["presenter"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_seen_below_the_page() {
    let presenter = shows_people(Screen::start().unwrap(), &[], "stage-underlay").await;
    assert_eq!(presenter["kind"], "underlay");
    assert!(presenter["why"].as_str().unwrap().starts_with("X11 and "), "{presenter}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_seen_where_the_page_draws_them() {
    let presenter =
        shows_people(Screen::start().unwrap(), &[("CONFAB_STAGE", "canvas")], "stage-canvas").await;
    assert_eq!(presenter, json!({ "kind": "canvas", "why": "CONFAB_STAGE=canvas asks for it." }));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_seen_where_the_page_is_opaque() {
    let presenter =
        shows_people(Screen::start().unwrap(), &[("WEBKIT_DISABLE_COMPOSITING_MODE", "1")], "stage-opaque")
            .await;
    assert_eq!(presenter["kind"], "canvas");
    assert!(presenter["why"].as_str().unwrap().contains("opaque"), "{presenter}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_seen_below_the_page_on_wayland() {
    let presenter = shows_people(Screen::wayland().unwrap(), &[], "stage-wayland").await;
    assert_eq!(presenter["kind"], "underlay");
    assert!(presenter["why"].as_str().unwrap().starts_with("Wayland and "), "{presenter}");
}

#[test]
fn a_presenter_that_does_not_exist_is_refused_with_the_choices() {
    let screen = Screen::start().unwrap();
    let mut command = Command::new(built("confab"));
    screen.carry(&mut command);
    let ended = command.env("CONFAB_STAGE", "window").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("underlay, surface, view, canvas"), "{said}");
}
