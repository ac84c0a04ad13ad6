//! A room that the window hosts: inviting others, and asking before they lose it. Screens are kept
//! in target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use e2e::{Person, Window, headless, turn};
use serde_json::{Value, json};

/// Control and V, on an element.
const PASTE: &str = "\u{e009}v";

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_copied_in_one_window_and_pasted_on_the_join_page() {
    let _turn = turn().await;
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    page.click("[data-testid=devices]").await.unwrap();
    // The tone is a microphone that is heard at once.
    page.until("return document.querySelector('[data-testid=microphone-level]').value > 0").await.unwrap();
    page.click("[data-testid=noise-suppression]").await.unwrap();
    let processing = "return !document.querySelector('[data-testid=noise-suppression]').checked";
    page.until(processing).await.unwrap();
    page.painted().await.unwrap();
    window.screen.shot("hosting-0-devices").unwrap();
    let state = page.call("get_state", json!({})).await.unwrap();
    assert_eq!(state["voiceProcessing"]["noiseSuppression"], false, "{state}");
    page.click("[data-testid=devices-close]").await.unwrap();
    page.until("return !document.querySelector('[data-testid=device-dialog]')").await.unwrap();
    host(&window).await;
    page.click("[data-testid=invite-card-copy]").await.unwrap();
    let copied = "return document.querySelector('[data-testid=invite-card-copy]').textContent === 'Copied'";
    page.until(copied).await.unwrap();
    page.painted().await.unwrap();
    window.screen.shot("hosting-1-copied").unwrap();
    page.click("[data-testid=invite-card-links]").await.unwrap();
    let link = "return document.querySelector('[data-testid=invite-link]')?.value || null";
    let link = page.until(link).await.unwrap();
    assert!(link.as_str().unwrap().starts_with("confab://join?server=http://127.0.0.1:"), "{link}");
    page.painted().await.unwrap();
    window.screen.shot("hosting-4-links").unwrap();
    page.click("[data-testid=invite-close]").await.unwrap();
    page.click("[data-testid=leave]").await.unwrap();
    page.click("[data-testid=exit-back]").await.unwrap();
    page.fill("[data-testid=room]", "1").await.unwrap();
    page.click("label:has([data-testid=where-server])").await.unwrap();
    page.fill("[data-testid=server]", PASTE).await.unwrap();
    let typed = window.typed().await.unwrap();
    let hosting = page.call("get_state", json!({})).await.unwrap()["hosting"].clone();
    assert_eq!((&typed["server"], &typed["room"]), (&hosting["server"], &json!("4322")));
    // No key, no signature: the address is enough.
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_switch_lets_others_on_the_network_in_and_no_longer() {
    let _turn = turn().await;
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    host(&window).await;
    page.click("[data-testid=invite-card-lan]").await.unwrap();
    page.until("return document.querySelector('[data-testid=invite-card-lan]').checked").await.unwrap();
    let hosting = page.call("get_state", json!({})).await.unwrap()["hosting"].clone();
    let address = hosting["addresses"][0].as_str().unwrap().to_owned();
    assert!(!address.starts_with("127."), "{hosting}");
    let shown = page.text("[data-testid=invite-card-address]").await.unwrap();
    assert!(shown.contains(&address), "{shown}");

    // A friend who types the address, and one who has the invitation.
    let invited = format!("{address}#{}", hosting["fingerprint"].as_str().unwrap());
    for server in [address.clone(), invited.clone()] {
        let home = tempfile::tempdir().unwrap();
        let entry = json!({ "server": server, "name": "Bo", "roomId": 4322 });
        let left = tokio::task::spawn_blocking(move || {
            let mut guest = Person::start(&mut headless(home.path(), "test")).unwrap();
            guest.join(&entry).unwrap();
            guest.event("onFirstVideoFrame", |_| true).unwrap();
            guest.request("exit_room", &json!({})).unwrap();
            guest.event("onExitRoom", |_| true).unwrap()
        });
        assert_eq!(left.await.unwrap()["reason"], 0);
    }
    page.until("return document.querySelectorAll('[data-testid^=tile-guest]').length === 0").await.unwrap();
    page.painted().await.unwrap();
    window.screen.shot("hosting-3-network").unwrap();
    page.click("[data-testid=invite-card-lan]").await.unwrap();
    page.until("return !document.querySelector('[data-testid=invite-card-lan]').checked").await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let entry = json!({ "server": invited, "name": "Bo", "roomId": 4322 });
    let refused = tokio::task::spawn_blocking(move || {
        let mut guest = Person::start(&mut headless(home.path(), "test")).unwrap();
        guest.request("enter_room", &entry).unwrap();
        guest.event("onEnterRoom", |_| true).unwrap()
    });
    assert_eq!(refused.await.unwrap()["result"], -3307);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_before_closing_the_window_puts_everybody_out() {
    let _turn = turn().await;
    let window = Window::open("test").await.unwrap();
    let page = &window.page;
    host(&window).await;
    let hosting = page.call("get_state", json!({})).await.unwrap()["hosting"].clone();
    let home = tempfile::tempdir().unwrap();
    let mut guest = Person::start(&mut headless(home.path(), "test")).unwrap();
    let entry = json!({ "server": hosting["server"], "name": "Bo", "roomId": 4322 });
    let mut guest = tokio::task::spawn_blocking(move || {
        guest.join(&entry).unwrap();
        guest
    })
    .await
    .unwrap();
    page.until("return document.querySelectorAll('[data-testid^=tile-guest]').length === 1").await.unwrap();

    window.screen.close("Confab").unwrap();
    page.click("[data-testid=end-dialog] [data-testid=end-cancel]").await.unwrap();
    page.until("return !document.querySelector('[data-testid=end-dialog]')").await.unwrap();
    window.screen.close("Confab").unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    page.painted().await.unwrap();
    window.screen.shot("hosting-2-closing").unwrap();
    let people = |state: &Value| state["participants"].as_array().map(Vec::len);
    assert_eq!(people(&page.call("get_state", json!({})).await.unwrap()), Some(1), "nobody lost the room");
    // The program may be gone before the driver has seen the click.
    let _ = page.click("[data-testid=end-all]").await;
    let out =
        tokio::task::spawn_blocking(move || guest.event("onExitRoom", |_| true).unwrap()).await.unwrap();
    assert_eq!((&out["reason"], &out["cause"]), (&json!(2), &json!("host_stopped")));
}

/// Hosts a room on this computer and enters it, as a person does.
async fn host(window: &Window) {
    let page = &window.page;
    page.fill("[data-testid=name]", "Ada").await.unwrap();
    page.fill("[data-testid=room]", "4322").await.unwrap();
    page.click("label:has([data-testid=where-host])").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=invite-card]").await.unwrap();
}
