//! Every page of the real window in every state that a person gets to, looked at in two sizes and
//! both themes: nothing outside of it, nothing cut or covered, nothing that axe complains about.
//! The pictures are kept as target/e2e/pages-*.png.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::path::Path;

use e2e::keyboard::ESCAPE;
use e2e::{APP, Album, Person, Service, Window, clip, headless, turn};
use rooms::Lossy;
use serde_json::{Value, json};

/// What guests of the rooms opened here have to say.
const PASSCODE: &str = "open sesame";
/// Longer than there is room for anywhere.
const LONG: &str = "Maximiliane von Hohenfels-Waldburg";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_and_can_be_read_in_any_size_and_theme() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("clip.y4m");
    clip::write(&film).unwrap();
    let camera = format!("file:{}", film.display());
    let wire = Lossy::open().await;
    let service = Service::behind(&wire).await.unwrap();
    let bob = join(folder.path(), &camera, service.entry("bob", &json!(4321)).unwrap()).await;
    let window = Window::open(&camera).await.unwrap();
    let mut album = Album::of(&window).await.unwrap();

    joining(&mut album, &service).await;
    hosting(&mut album, folder.path()).await;
    wire.mark();
    meeting(&mut album, &service, folder.path(), &wire, &camera).await;
    endings(&mut album, &service, folder.path()).await;
    live(&mut album, &service, folder.path(), &camera).await;
    losing(&mut album, service).await;
    drop(bob);
    album.close().unwrap();
}

async fn joining(album: &mut Album<'_>, service: &Service) {
    let page = &album.window.page;
    album.take("join").await.unwrap();
    page.click("[data-testid=name]").await.unwrap();
    page.element("[data-testid=preview][data-video=on]").await.unwrap();
    page.fill("[data-testid=name]", LONG).await.unwrap();
    album.take("join-picture").await.unwrap();

    choose(album, &["room-kind-text", "scene-live", "role-audience"]).await;
    album.take("join-audience").await.unwrap();
    choose(album, &["scene-videoCall", "where-server"]).await;
    page.click("[data-testid=advanced]").await.unwrap();
    album.take("join-server").await.unwrap();
    for (field, wrong) in [("name", ""), ("user-id", "zoé"), ("sdk-app-id", "none"), ("server", "a b")] {
        page.fill(&format!("[data-testid={field}]"), wrong).await.unwrap();
    }
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=room-error]").await.unwrap();
    album.take("join-complaints").await.unwrap();

    page.call("stop_local_video", json!({})).await.unwrap();
    page.call("start_local_video", json!({ "source": "device:nobody's" })).await.unwrap_err();
    page.element("[data-testid=preview-fault]").await.unwrap();
    album.take("join-no-camera").await.unwrap();
    page.click("[data-testid=preview-retry]").await.unwrap();
    page.element("[data-testid=preview][data-video=on]").await.unwrap();
    page.click("[data-testid=devices]").await.unwrap();
    page.until("return document.querySelector('[data-testid=microphone-level]').value > 0").await.unwrap();
    album.take("join-devices").await.unwrap();
    page.click("[data-testid=devices-close]").await.unwrap();

    // The room is a video call already.
    fill(album, service, "alice", &json!(4321)).await;
    choose(album, &["scene-live", "role-anchor"]).await;
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=join-error]").await.unwrap();
    album.take("join-refused").await.unwrap();
    choose(album, &["scene-videoCall"]).await;

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    page.fill("[data-testid=server]", &address).await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=join-busy]").await.unwrap();
    album.take("join-waiting").await.unwrap();
    // A slow machine may have given up by itself.
    if page.find("[data-testid=join-cancel]").await.unwrap().is_some() {
        page.click("[data-testid=join-cancel]").await.unwrap();
    }
    page.element("[data-testid=join]").await.unwrap();
}

async fn hosting(album: &mut Album<'_>, folder: &Path) {
    let page = &album.window.page;
    choose(album, &["where-host", "room-kind-text"]).await;
    page.fill("[data-testid=name]", LONG).await.unwrap();
    page.fill("[data-testid=room]", "The weekly planning of everything that is due").await.unwrap();
    page.fill("[data-testid=user-id]", "").await.unwrap();
    page.fill("[data-testid=host-passcode]", PASSCODE).await.unwrap();
    album.take("join-hosting").await.unwrap();
    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid=invite-card]").await.unwrap();
    known(album, "tile-local").await;
    album.take("hosting-alone").await.unwrap();
    let open = "return document.querySelector('[data-testid=invite-card-lan]').checked";
    page.click("[data-testid=invite-card-lan]").await.unwrap();
    page.until(open).await.unwrap();
    album.take("hosting-network").await.unwrap();
    page.click("[data-testid=invite-card-lan]").await.unwrap();
    page.until(&format!("{open} === false")).await.unwrap();
    page.click("[data-testid=hosting-badge]").await.unwrap();
    album.take("hosting-invitation").await.unwrap();
    page.click("[data-testid=hosting-badge]").await.unwrap();
    page.click("[data-testid=devices]").await.unwrap();
    page.element("[data-testid=device-dialog]").await.unwrap();
    album.take("hosting-devices").await.unwrap();
    page.click("[data-testid=devices-close]").await.unwrap();

    page.click("[data-testid=hosting-badge]").await.unwrap();
    page.click("[data-testid=invite-links]").await.unwrap();
    page.until("return document.querySelector('[data-testid=invite-link]').value.includes('passcode=')")
        .await
        .unwrap();
    page.click("[data-testid=invite-once]").await.unwrap();
    page.until("return document.querySelector('[data-testid=invite-link]').value.includes('ticket=')")
        .await
        .unwrap();
    album.take("hosting-invitation-once").await.unwrap();
    page.click("[data-testid=invite-close]").await.unwrap();

    let hosting = page.call("get_state", json!({})).await.unwrap()["hosting"].clone();
    let room = "The weekly planning of everything that is due";
    let entry = json!({ "server": hosting["server"], "name": "Bo", "strRoomId": room, "passcode": PASSCODE });
    let guest = join(folder, "none", entry.clone()).await;
    page.element("[data-testid^=tile-guest]").await.unwrap();
    let guest = host_tools(album, folder, guest, &entry).await;
    page.click("[data-testid=leave]").await.unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    album.take("hosting-leave-question").await.unwrap();
    page.click("[data-testid=end-leave]").await.unwrap();
    page.element("[data-testid=exit-page][data-kind=left]").await.unwrap();
    album.take("exit-left").await.unwrap();
    page.click("[data-testid=exit-back]").await.unwrap();
    page.element("[data-testid=hosting-note]").await.unwrap();
    album.take("join-while-hosting").await.unwrap();
    page.click("[data-testid=stop-hosting]").await.unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    album.take("stop-hosting-question").await.unwrap();
    page.click("[data-testid=end-cancel]").await.unwrap();
    album.window.screen.close("Confab").unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    album.take("close-question").await.unwrap();
    page.click("[data-testid=end-cancel]").await.unwrap();

    page.click("[data-testid=join]").await.unwrap();
    page.element("[data-testid^=tile-guest]").await.unwrap();
    page.click("[data-testid=leave]").await.unwrap();
    page.click("[data-testid=end-all]").await.unwrap();
    page.element("[data-testid=exit-page][data-kind=stopped]").await.unwrap();
    album.take("exit-ended").await.unwrap();
    page.click("[data-testid=exit-back]").await.unwrap();
    drop(guest);
}

/// What a host does by hand, and what comes of it for a guest and for somebody at the door.
async fn host_tools(album: &mut Album<'_>, folder: &Path, guest: Person, entry: &Value) -> Person {
    let page = &album.window.page;
    page.click("[data-testid=toggle-participants]").await.unwrap();
    page.element("[data-testid=host-tools]").await.unwrap();
    page.click("[data-testid=waiting-room]").await.unwrap();
    page.until("return document.querySelector('[data-testid=waiting-room]').checked").await.unwrap();
    let home = tempfile::tempdir_in(folder).unwrap().keep();
    let mut late = Person::start(&mut headless(&home, "none")).unwrap();
    let mut asks = entry.clone();
    asks["name"] = json!(LONG);
    let late = tokio::task::spawn_blocking(move || {
        late.request("enter_room", &asks).unwrap();
        late.event("onWaiting", |_| true).unwrap();
        late
    });
    let late = late.await.unwrap();
    page.element("[data-testid=waiting-list]").await.unwrap();
    page.click("[data-testid^=menu-guest]").await.unwrap();
    page.element("[data-testid=do-silence]").await.unwrap();
    album.take("hosting-tools").await.unwrap();
    page.click("[data-testid=do-silence]").await.unwrap();
    let guest = told(guest, "onLocalAudioMuted").await;
    page.click("[data-testid^=menu-guest]").await.unwrap();
    page.element("[data-testid=do-allow]").await.unwrap();
    page.click("[data-testid=do-ban]").await.unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    album.take("hosting-remove-question").await.unwrap();
    page.click("[data-testid=end-cancel]").await.unwrap();
    page.click("[data-testid^=menu-guest]").await.unwrap();
    page.click("[data-testid=do-allow]").await.unwrap();
    let out = json!({ "action": "remove", "userId": "somebody-who-was-here-before", "ban": true });
    page.call("host_action", out).await.unwrap();
    page.element("[data-testid=banned-list]").await.unwrap();
    album.take("hosting-kept-out").await.unwrap();
    page.click("[data-testid^=unban-]").await.unwrap();
    page.until("return document.querySelector('[data-testid=banned-list]') === null").await.unwrap();
    page.click("[data-testid^=deny-]").await.unwrap();
    let mut late = told(late, "onEnterRoom").await;
    let refused = late.event("onEnterRoom", |_| true).unwrap();
    assert_eq!(refused["result"], -102_011);
    page.click("[data-testid=waiting-room]").await.unwrap();
    page.until("return document.querySelector('[data-testid=waiting-room]').checked === false")
        .await
        .unwrap();
    page.press(ESCAPE).await.unwrap();
    guest
}

/// Waits until somebody was told that.
async fn told(mut person: Person, event: &'static str) -> Person {
    let waited = tokio::task::spawn_blocking(move || {
        person.event(event, |_| true).unwrap();
        person
    });
    waited.await.unwrap()
}

async fn meeting(album: &mut Album<'_>, service: &Service, folder: &Path, wire: &Lossy, camera: &str) {
    let page = &album.window.page;
    let room = json!(4321);
    enter(album, service, "alice", &room).await;
    page.element("[data-testid=tile-bob][data-video=on]").await.unwrap();
    known(album, "tile-bob").await;
    album.take("meeting-two").await.unwrap();
    page.click("[data-testid=toggle-connection]").await.unwrap();
    page.until("return document.querySelectorAll('[data-testid=connection-figures] section').length >= 4")
        .await
        .unwrap();
    album.take("meeting-figures").await.unwrap();

    page.click("[data-testid=toggle-messages]").await.unwrap();
    page.fill("[data-testid=message-text]", "hello").await.unwrap();
    page.click("[data-testid=message-send]").await.unwrap();
    page.until("return document.querySelector('[data-testid=messages-sent]').textContent === '1 sent'")
        .await
        .unwrap();
    album.take("meeting-app-messages").await.unwrap();
    page.click("[data-testid=toggle-messages]").await.unwrap();
    page.click("[data-testid=invite]").await.unwrap();
    page.until("return document.querySelector('[data-testid=invite-link]').value !== ''").await.unwrap();
    album.take("meeting-invitation").await.unwrap();
    page.click("[data-testid=invite-close]").await.unwrap();
    page.click("[data-testid=switch]").await.unwrap();
    page.click("[data-testid=switch-go]").await.unwrap();
    page.element("[data-testid=switch-room-error]").await.unwrap();
    album.take("meeting-other-room").await.unwrap();
    page.click("[data-testid=switch-close]").await.unwrap();
    elsewhere(album, service, folder).await;
    let link = "confab://join?server=192.168.1.20:7880&room=The%20weekly%20planning&kind=text";
    page.call("open_invitation", json!({ "text": link })).await.unwrap();
    page.element("[data-testid=end-dialog]").await.unwrap();
    album.take("meeting-invited").await.unwrap();
    page.click("[data-testid=end-cancel]").await.unwrap();

    let mut others = Vec::new();
    for (user, name) in [("carla", "Carla"), ("dora", LONG), ("emil", "Emil")] {
        let mut entry = service.entry(user, &room).unwrap();
        entry["name"] = json!(name);
        others.push(join(folder, "none", entry).await);
    }
    known(album, "tile-emil").await;
    page.click("[data-testid=toggle-participants]").await.unwrap();
    for (whom, on) in [("nobody", true), ("everybody", false)] {
        for what in ["hear", "show"] {
            page.click("[data-testid=everybody-menu]").await.unwrap();
            page.click(&format!("[data-testid=do-{what}-{whom}]")).await.unwrap();
        }
        let all = format!("[data-testid=tile-bob][data-silenced={on}][data-hidden={on}]");
        page.element(&all).await.unwrap();
    }
    for choice in ["mute-for-me", "hide-for-me"] {
        page.click("[data-testid=menu-bob]").await.unwrap();
        page.click(&format!("[data-testid=do-{choice}]")).await.unwrap();
    }
    page.element("[data-testid=tile-bob][data-silenced=true][data-hidden=true]").await.unwrap();
    page.click("[data-testid=menu-bob]").await.unwrap();
    album.take("meeting-five-people").await.unwrap();
    page.click("[data-testid=do-mute-for-me]").await.unwrap();
    page.click("[data-testid=menu-bob]").await.unwrap();
    page.click("[data-testid=do-hide-for-me]").await.unwrap();
    page.element("[data-testid=tile-bob][data-silenced=false][data-hidden=false]").await.unwrap();
    page.press(ESCAPE).await.unwrap();
    wire.lose(0.2, 0.2);
    let suffers = "return ['tile-local', 'tile-bob'].every((tile) =>
        Number(document.querySelector(`[data-testid=${tile}]`).dataset.quality) >= 3)";
    page.until(suffers).await.unwrap();
    album.take("meeting-poor-connection").await.unwrap();
    wire.lose(0.0, 0.0);

    // Devices that were there when they were chosen, and are gone when they are to begin.
    for (kind, what) in [("microphone", "audio"), ("camera", "video")] {
        let gone = folder.join("gone");
        std::fs::write(&gone, "").unwrap();
        page.call(&format!("stop_local_{what}"), json!({})).await.unwrap();
        let select = json!({ "kind": kind, "deviceId": format!("file:{}", gone.display()) });
        page.call("select_device", select).await.unwrap();
        std::fs::remove_file(&gone).unwrap();
        page.element(&format!("[data-testid=toggle-{kind}][data-state=off]")).await.unwrap();
        page.click(&format!("[data-testid=toggle-{kind}]")).await.unwrap();
    }
    others.push(join(folder, "none", service.entry("frida", &room).unwrap()).await);
    page.until("return document.querySelectorAll('[data-testid=toast]').length === 3").await.unwrap();
    album.take("meeting-messages").await.unwrap();
    for (kind, device) in [("microphone", "tone"), ("camera", camera)] {
        page.call("select_device", json!({ "kind": kind, "deviceId": device })).await.unwrap();
    }
    while page.find("[data-testid=toast-close]").await.unwrap().is_some() {
        page.click("[data-testid=toast-close]").await.unwrap();
    }
    drop(others);
}

/// Waits at the door of another room, and stays.
async fn elsewhere(album: &mut Album<'_>, service: &Service, folder: &Path) {
    let page = &album.window.page;
    let mut host = join(folder, "none", service.entry("kim", &json!(4322)).unwrap()).await;
    let waits = json!({ "action": "waitingRoom", "on": true });
    let host = tokio::task::spawn_blocking(move || {
        host.request("host_action", &waits).unwrap();
        host
    });
    let host = host.await.unwrap();
    page.click("[data-testid=switch]").await.unwrap();
    page.fill("[data-testid=switch-room]", "4322").await.unwrap();
    page.click("[data-testid=switch-go]").await.unwrap();
    page.until(
        "return document.querySelector('[data-testid=switch-banner]')?.textContent.includes('Waiting')",
    )
    .await
    .unwrap();
    album.take("meeting-waiting-elsewhere").await.unwrap();
    page.click("[data-testid=switch-cancel]").await.unwrap();
    page.until("return document.querySelector('[data-testid=switch-banner]') === null").await.unwrap();
    drop(host);
}

async fn endings(album: &mut Album<'_>, service: &Service, folder: &Path) {
    let page = &album.window.page;
    let room = json!(4321);
    service.remove(&room, "alice").await.unwrap();
    page.element("[data-testid=exit-page][data-kind=removed]").await.unwrap();
    album.take("exit-removed").await.unwrap();
    page.click("[data-testid=exit-rejoin]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    let elsewhere = join(folder, "none", service.entry("alice", &room).unwrap()).await;
    page.element("[data-testid=exit-page][data-kind=elsewhere]").await.unwrap();
    album.take("exit-elsewhere").await.unwrap();
    page.click("[data-testid=exit-rejoin]").await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    service.dismiss(&room).await.unwrap();
    page.element("[data-testid=exit-page][data-kind=dismissed]").await.unwrap();
    album.take("exit-dismissed").await.unwrap();
    drop(elsewhere);

    let mut host = Person::start(&mut headless(folder, "none")).unwrap();
    let (mut host, hosting) = tokio::task::spawn_blocking(move || {
        let hosting = host.request("host_room", &json!({})).unwrap();
        (host, hosting)
    })
    .await
    .unwrap();
    let entry = json!({ "server": hosting["server"], "name": "Alice", "roomId": 5 });
    page.call("enter_room", entry).await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    tokio::task::spawn_blocking(move || host.request("stop_hosting", &json!({})).unwrap()).await.unwrap();
    page.element("[data-testid=exit-page][data-kind=stopped]").await.unwrap();
    album.take("exit-host-stopped").await.unwrap();
}

async fn live(album: &mut Album<'_>, service: &Service, folder: &Path, camera: &str) {
    let page = &album.window.page;
    let mut entry = service.entry("alice", &json!("show")).unwrap();
    (entry["scene"], entry["role"]) = (json!("live"), json!("audience"));
    let mut anchor = entry.clone();
    let star = service.entry("star", &json!("show")).unwrap();
    for field in ["userId", "userSig", "name"] {
        anchor[field] = star[field].clone();
    }
    anchor["role"] = json!("anchor");
    let mut star = join(folder, camera, anchor).await;
    page.call("enter_room", entry).await.unwrap();
    page.element("[data-testid=tile-star][data-video=on]").await.unwrap();
    known(album, "tile-star").await;
    album.take("live-watching").await.unwrap();
    // The form has kept the signature of an entry by hand.
    page.click("[data-testid=switch-role]").await.unwrap();
    page.element("[data-testid=role-dialog]").await.unwrap();
    album.take("live-role-question").await.unwrap();
    page.click("[data-testid=role-close]").await.unwrap();
    let leaving = tokio::task::spawn_blocking(move || {
        star.request("exit_room", &json!({})).unwrap();
        star.event("onExitRoom", |_| true).unwrap();
    });
    leaving.await.unwrap();
    page.element("[data-testid=gallery-empty]").await.unwrap();
    album.take("live-empty").await.unwrap();
    page.click("[data-testid=leave]").await.unwrap();
    page.element("[data-testid=exit-page]").await.unwrap();
}

/// The server goes, and the one that comes in its place lets nobody back in.
async fn losing(album: &mut Album<'_>, service: Service) {
    let page = &album.window.page;
    page.call("enter_room", service.entry("alice", &json!(6)).unwrap()).await.unwrap();
    page.element("[data-testid=meeting-page]").await.unwrap();
    known(album, "tile-local").await;
    let address = service.address().to_owned();
    service.stop().await;
    page.element("[data-testid=connection-banner]").await.unwrap();
    album.take("connection-lost").await.unwrap();
    let _stranger = Service::stranger(&address).await.unwrap();
    page.element("[data-testid=exit-page][data-kind=lost]").await.unwrap();
    album.take("exit-lost").await.unwrap();
}

/// Fills the join page in as a person does who was given a signature.
async fn fill(album: &Album<'_>, service: &Service, user: &str, room: &Value) {
    let page = &album.window.page;
    let kind = if room.is_number() { "room-kind-number" } else { "room-kind-text" };
    choose(album, &[kind, "where-server", "scene-videoCall"]).await;
    let opened =
        "return document.querySelector('[data-testid=advanced]').getAttribute('aria-expanded') === 'true'";
    if page.run(opened, &[]).await.unwrap() == false {
        page.click("[data-testid=advanced]").await.unwrap();
    }
    let room = room.as_str().map_or_else(|| room.to_string(), str::to_owned);
    let (app, sig) = (APP.to_string(), Service::user_sig(user).unwrap());
    for (field, text) in [
        ("name", "Alice"),
        ("room", &room),
        ("server", &service.url()),
        ("user-id", user),
        ("sdk-app-id", &app),
        ("user-sig", &sig),
    ] {
        page.fill(&format!("[data-testid={field}]"), text).await.unwrap();
    }
}

async fn enter(album: &Album<'_>, service: &Service, user: &str, room: &Value) {
    fill(album, service, user, room).await;
    album.window.page.click("[data-testid=join]").await.unwrap();
    album.window.page.element("[data-testid=meeting-page]").await.unwrap();
}

async fn choose(album: &Album<'_>, options: &[&str]) {
    for option in options {
        let label = format!("label:has([data-testid={option}])");
        // A click does not scroll the form.
        let script = format!("document.querySelector('{label}').scrollIntoView({{ block: 'center' }})");
        album.window.page.run(&script, &[]).await.unwrap();
        album.window.page.click(&label).await.unwrap();
    }
}

/// Waits until it is known how well somebody's connection does.
async fn known(album: &Album<'_>, tile: &str) {
    let script =
        format!("return Number(document.querySelector('[data-testid={tile}]')?.dataset.quality) > 0");
    album.window.page.until(&script).await.unwrap();
}

/// Somebody without a window who enters; with `none` for a camera only their voice is heard.
async fn join(folder: &Path, camera: &str, entry: Value) -> Person {
    let home = tempfile::tempdir_in(folder).unwrap().keep();
    let mut person = Person::start(&mut headless(&home, camera)).unwrap();
    let seen = camera != "none";
    tokio::task::spawn_blocking(move || {
        person.request("enter_room", &entry).unwrap();
        let entered = person.event("onEnterRoom", |_| true).unwrap();
        assert!(entered["result"].as_i64().unwrap() > 0, "{entered}");
        if seen {
            person.request("start_local_video", &json!({})).unwrap();
        }
        person.request("start_local_audio", &json!({})).unwrap();
        person
    })
    .await
    .unwrap()
}
