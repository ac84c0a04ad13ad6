//! The real window for people without a pointer, on a dark desktop, without devices, and for those
//! who make mistakes. Screens are kept in target/e2e to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs::File;

use e2e::keyboard::{ENTER, ESCAPE, Keyboard, RIGHT, SPACE};
use e2e::{APP, Driver, Image, Meeting, Person, Screen, Service, Window, scripted, turn};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_meeting_needs_nothing_but_keys() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    let window = Window::open("test").await.unwrap();
    let (page, keys) = (&window.page, Keyboard(&window.page));
    window.take_keys().await.unwrap();
    keys.fill("name", "Alice").await.unwrap();
    keys.reach("room-kind-number").await.unwrap();
    keys.press(RIGHT).await.unwrap();
    assert_eq!(keys.focused().await.unwrap(), "room-kind-text");
    keys.fill("room", "by keys").await.unwrap();
    keys.reach("where-host").await.unwrap();
    keys.press(RIGHT).await.unwrap();
    keys.fill("server", &service.url()).await.unwrap();
    keys.reach("advanced").await.unwrap();
    keys.press(SPACE).await.unwrap();
    keys.fill("user-id", "alice").await.unwrap();
    keys.fill("sdk-app-id", &APP.to_string()).await.unwrap();
    keys.fill("user-sig", &Service::user_sig("alice").unwrap()).await.unwrap();
    page.painted().await.unwrap();
    window.screen.shot("keys-1-join").unwrap();
    keys.press(ENTER).await.unwrap();

    page.element("[data-testid=meeting-page]").await.unwrap();
    for control in ["toggle-microphone", "toggle-camera"] {
        becomes(page, control, "on").await;
        keys.reach(control).await.unwrap();
        keys.press(SPACE).await.unwrap();
        becomes(page, control, "off").await;
    }
    window.keep("keys-2-meeting").await.unwrap();
    keys.reach("toggle-participants").await.unwrap();
    keys.press(ENTER).await.unwrap();
    page.element("[data-testid=participants-panel]").await.unwrap();
    keys.reach("participants-close").await.unwrap();
    window.keep("keys-3-people").await.unwrap();
    keys.press(ENTER).await.unwrap();
    keys.given("toggle-participants").await.unwrap();
    keys.press(SPACE).await.unwrap();
    page.element("[data-testid=participants-panel]").await.unwrap();
    keys.press(ESCAPE).await.unwrap();
    keys.given("toggle-participants").await.unwrap();
    assert!(page.find("[data-testid=participants-panel]").await.unwrap().is_none());
    for control in ["toggle-microphone", "toggle-camera"] {
        keys.reach(control).await.unwrap();
        keys.press(ENTER).await.unwrap();
        becomes(page, control, "on").await;
    }

    keys.reach("leave").await.unwrap();
    keys.press(ENTER).await.unwrap();
    assert_eq!(window.notice("left").await.unwrap(), "You left");
    keys.given("exit-title").await.unwrap();
    keys.reach("exit-back").await.unwrap();
    window.keep("keys-4-left").await.unwrap();
    keys.press(ENTER).await.unwrap();
    keys.given("room").await.unwrap();
    assert_eq!(window.typed().await.unwrap()["room"], "by keys");
}

async fn becomes(page: &Driver, control: &str, state: &str) {
    page.element(&format!("[data-testid={control}][data-state={state}]")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_dark_desktop_every_page_is_dark() {
    let room = json!(4321);
    let meeting = Meeting::start(&room).await.unwrap();
    let window = Window::dark(&meeting.camera()).await.unwrap();
    assert_dark(&window, &window.keep("dark-1-join").await.unwrap());
    window.join(&meeting.service, "alice", &room).await.unwrap();
    window.shows_the_clip("tile-bob", false, "dark-2-meeting").await.unwrap();
    window.shows_the_clip("tile-local", true, "dark-2-meeting").await.unwrap();
    assert_dark(&window, &window.screen.shot("dark-2-meeting").unwrap());
    meeting.service.remove(&room, "alice").await.unwrap();
    window.notice("removed").await.unwrap();
    assert_dark(&window, &window.keep("dark-3-removed").await.unwrap());
}

/// The ground below the top bar, at the left edge where no page has anything else.
fn assert_dark(window: &Window, screen: &Image) {
    let (x, y) = window.screen.corner("Confab").unwrap();
    let ground = screen.colour(x + 6, y + 62).unwrap();
    assert!(ground.iter().all(|&part| part < 40), "the ground is {ground:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_beside_its_field_and_nothing_is_lost() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    let window = Window::open("none").await.unwrap();
    let page = &window.page;
    page.click("label:has([data-testid=where-server])").await.unwrap();
    page.click("[data-testid=advanced]").await.unwrap();
    let url = service.url();
    let (app, sig) = (APP.to_string(), Service::user_sig("alice").unwrap());
    let mut right = json!({
        "name": "Alice", "room": "5", "server": url, "user-id": "alice", "sdk-app-id": app, "user-sig": sig,
        "passcode": "", "private-map-key": "",
    });
    for (field, text) in right.as_object().unwrap() {
        page.fill(&format!("[data-testid={field}]"), text.as_str().unwrap()).await.unwrap();
    }
    let long = "a".repeat(33);
    let forged = Service::forged_sig("alice").unwrap();
    let expired = Service::expired_sig("alice").unwrap();
    let others = Service::user_sig("bob").unwrap();
    let mut mended = "name";
    for (field, wrong, sentence) in [
        ("name", "", "Enter your name"),
        ("room", "0", "A room number is from 1 to 4294967294; 0 is outside"),
        ("room", "4294967295", "4294967295 is outside"),
        ("user-id", "", "Enter the user ID that the UserSig was made for"),
        ("user-id", &long, "at most 32 characters; this one has 33"),
        ("user-id", "zoé", "A user ID cannot contain “é”"),
        ("server", "127.0.0.1:9", "127.0.0.1:9 cannot be reached"),
        ("user-sig", "nonsense", "cannot be read"),
        ("user-sig", &forged, "not made with the key of this application"),
        ("user-sig", &expired, "The UserSig expired"),
        ("user-sig", &others, "made for the user id \"bob\", not for \"alice\""),
    ] {
        if field != mended {
            mend(page, &right, mended).await;
            mended = field;
        }
        refused(&window, &right, field, wrong, sentence).await;
    }
    window.keep("wrong-1-signature").await.unwrap();

    // Typing scrolls back to the room; a click does not.
    mend(page, &right, "user-sig").await;
    mend(page, &right, "room").await;
    page.click("label:has([data-testid=room-kind-text])").await.unwrap();
    page.fill("[data-testid=room]", "five").await.unwrap();
    right["room"] = json!("five");
    let long = "r".repeat(65);
    refused(&window, &right, "room", &long, "at most 64 characters; this one has 65").await;
    refused(&window, &right, "room", "daily/5", "cannot contain “/”").await;
    window.keep("wrong-2-room").await.unwrap();

    mend(page, &right, "room").await;
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
}

/// Types what is wrong, tries to join, and finds the sentence beside the field, the focus in it and
/// everything as it was typed.
async fn refused(window: &Window, right: &Value, field: &str, wrong: &str, sentence: &str) {
    let (page, css) = (&window.page, format!("[data-testid={field}]"));
    page.fill(&css, &format!("{wrong}{ENTER}")).await.unwrap();
    let said = page.text(&format!("[data-testid={field}-error]")).await.unwrap();
    assert!(said.contains(sentence), "{field} {wrong:?}: {said}");
    Keyboard(page).given(field).await.unwrap();
    let mut typed = right.clone();
    typed[field] = json!(wrong);
    assert_eq!(window.typed().await.unwrap(), typed);
}

async fn mend(page: &Driver, right: &Value, field: &str) {
    page.fill(&format!("[data-testid={field}]"), right[field].as_str().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_camera_and_microphone_one_is_let_in_and_told() {
    let _turn = turn().await;
    let service = Service::start().await.unwrap();
    // Devices that are nowhere, so that this is the same on a machine that has some.
    let window = Window::with_devices("device:nobody's", "device:nobody's").await.unwrap();
    let page = &window.page;
    page.click("[data-testid=name]").await.unwrap();
    let preview = page.text("[data-testid=preview-fault]").await.unwrap();
    let preview = preview.to_lowercase();
    assert!(preview.contains("no camera") && preview.contains("connect"), "{preview}");
    window.keep("devices-1-join").await.unwrap();
    window.join(&service, "alice", &json!(5)).await.unwrap();
    let told = "return [...document.querySelectorAll('[data-testid=toast]')]
        .some(({ innerText }) => /no microphone.*connect/i.test(innerText))";
    page.until(told).await.unwrap();
    becomes(page, "toggle-microphone", "off").await;
    becomes(page, "toggle-camera", "off").await;
    window.keep("devices-2-meeting").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log_of_the_window_however_much_is_logged() {
    let _turn = turn().await;
    let (home, screen) = (tempfile::tempdir().unwrap(), Screen::start().unwrap());
    let log = home.path().join("log");
    let mut command = scripted(&screen, home.path(), "test");
    command.env("CONFAB_LOG", "trace").stderr(File::create(&log).unwrap());
    let mut window = Person::start(&mut command).unwrap();
    let made = tokio::task::spawn_blocking(move || {
        let hosting = window.request("host_room", &json!({ "passcode": "a planted passcode" })).unwrap();
        let signed = window.request("make_user_sig", &json!({ "userId": "alice" })).unwrap();
        let entry = json!({
            "server": hosting["server"], "sdkAppId": hosting["sdkAppId"], "userId": "alice",
            "userSig": signed["userSig"], "roomId": 7,
        });
        window.join(&entry).unwrap();
        window.event("onSendFirstLocalVideoFrame", |_| true).unwrap();
        let ticket = window.request("make_ticket", &json!({})).unwrap();
        window.request("make_invitation", &ticket).unwrap();
        window.request("exit_room", &json!({})).unwrap();
        window.event("onExitRoom", |_| true).unwrap();
        assert!(window.end().unwrap().success());
        [&signed["userSig"], &ticket["ticket"]].map(|secret| secret.as_str().unwrap().to_owned())
    });
    let [sig, ticket] = made.await.unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(home.path().join("host.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.contains("TRACE") && text.contains("confab"), "the window logged too little");
    // Every LiveKit token begins with one of the last two, the header as base64.
    let kept = kept["key"].as_str().unwrap();
    for secret in [sig.as_str(), ticket.as_str(), "a planted passcode", kept, "eyJ0eXAi", "eyJhbGci"] {
        assert!(!text.contains(secret), "{secret} is in the log of the window");
    }
}
