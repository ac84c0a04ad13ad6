//! Being brought into a room: by links that the system opens, and by computers nearby. Screens are kept in
//! target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use e2e::{PATIENCE, Person, Window, headless, turn};
use serde_json::{Value, json};

const LINK: &str =
    "confab://join?server=10.9.8.7:7880&room=tea%20%3C3&kind=text&scene=audioCall&passcode=pst";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_with_a_link_ends_and_the_open_window_shows_the_room() {
    let _turn = turn().await;
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    page.fill("[data-testid=name]", "Ada").await.unwrap();
    let status = start(&window, LINK).await;
    assert_eq!(status.code(), Some(0), "{status}");
    typed(&window, json!({ "name": "Ada", "server": "10.9.8.7:7880", "room": "tea <3" })).await;
    assert_eq!(
        page.text("[data-testid=toast]").await.unwrap(),
        "You are invited to the room “tea <3” at 10.9.8.7:7880."
    );
    let chosen = |option: &str| format!("return document.querySelector('[data-testid={option}]').checked");
    for option in ["where-server", "room-kind-text", "scene-audioCall"] {
        page.until(&chosen(option)).await.unwrap();
    }
    window.keep("invited-1-filled").await.unwrap();

    let digits = "0".repeat(63);
    let broken = format!("confab://join?server=10.9.8.7&room=5&fingerprint={digits}");
    assert!(start(&window, &broken).await.success());
    let said = page.text("[data-testid=toast][data-kind=error]").await.unwrap();
    assert_eq!(said, "The invitation's fingerprint has 63 of 64 hexadecimal digits.");
    typed(&window, json!({ "server": "10.9.8.7:7880", "room": "tea <3" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_window_where_none_is_open() {
    let _turn = turn().await;
    let window = Window::invited(LINK).await.unwrap();
    typed(&window, json!({ "server": "10.9.8.7:7880", "room": "tea <3" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_room_is_asked_before_leaving_for_another() {
    let _turn = turn().await;
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    page.fill("[data-testid=name]", "Ada").await.unwrap();
    page.fill("[data-testid=room]", "4323").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    let phase = async || page.call("get_state", json!({})).await.unwrap()["phase"].clone();

    assert!(start(&window, LINK).await.success());
    let question = page.text("[data-testid=end-dialog]").await.unwrap();
    assert!(question.contains("the room “tea <3” at 10.9.8.7:7880"), "{question}");
    page.painted().await.unwrap();
    window.screen.shot("invited-2-question").unwrap();
    page.click("[data-testid=end-cancel]").await.unwrap();
    page.until("return !document.querySelector('[data-testid=end-dialog]')").await.unwrap();
    assert_eq!(phase().await, "in");

    assert!(start(&window, LINK).await.success());
    page.click("[data-testid=end-dialog] [data-testid=end-all]").await.unwrap();
    page.element("[data-testid=join-page]").await.unwrap();
    typed(&window, json!({ "server": "10.9.8.7:7880", "room": "tea <3" })).await;
    assert_eq!(phase().await, "idle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_lets_others_in_is_seen_nearby_and_entered_with_a_click() {
    let _turn = turn().await;
    let home = tempfile::tempdir().unwrap();
    let mut host = Person::start(&mut headless(home.path(), "test")).unwrap();
    let hosting = tokio::task::spawn_blocking(move || {
        let hosting = host.request("host_room", &json!({ "lan": true })).unwrap();
        (host, hosting)
    });
    let (mut host, hosting) = hosting.await.unwrap();
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    page.click("label:has([data-testid=where-server])").await.unwrap();
    let address = hosting["addresses"][0].as_str().unwrap();
    page.click(&format!("[data-testid=\"nearby-{address}\"]")).await.unwrap();
    let chosen = format!("[data-testid=\"nearby-{address}\"][aria-pressed=true]");
    page.element(&chosen).await.unwrap();
    window.screen.shot("invited-3-nearby").unwrap();
    let server = format!("{address}#{}", hosting["fingerprint"].as_str().unwrap());
    typed(&window, json!({ "server": server })).await;
    page.fill("[data-testid=name]", "Bo").await.unwrap();
    page.fill("[data-testid=room]", "4324").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    page.click("[data-testid=leave]").await.unwrap();
    page.click("[data-testid=exit-back]").await.unwrap();

    page.element(&format!("[data-testid=\"nearby-{address}\"]")).await.unwrap();
    let closing = tokio::task::spawn_blocking(move || {
        host.request("host_room", &json!({ "lan": false })).unwrap();
        host
    });
    let _host = closing.await.unwrap();
    page.until("return !document.querySelector('[data-testid^=nearby-1]')").await.unwrap();
}

/// Waits until the join page's fields hold what is wanted of them.
async fn typed(window: &Window, wanted: Value) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let typed = window.typed().await.unwrap();
        if wanted.as_object().unwrap().iter().all(|(field, value)| typed[field] == *value) {
            return;
        }
        assert!(Instant::now() < deadline, "{typed} instead of {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Starts the program once more with that link and waits until it has ended.
async fn start(window: &Window, link: &str) -> ExitStatus {
    let mut second = Ended(window.start_again(link).unwrap().spawn().unwrap());
    tokio::task::spawn_blocking(move || second.status()).await.unwrap()
}

/// A program that is not left running, whatever happens.
struct Ended(Child);

impl Ended {
    fn status(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the second start goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
