//! `confab-headless` as scripts use it: a process, lines in, lines out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "headless/program.rs"]
mod program;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use program::Headless;

/// With a camera, a microphone and a speaker that every computer has.
fn start() -> Headless {
    with(|_| {})
}

fn with(change: impl FnOnce(&mut Command)) -> Headless {
    Headless::with_devices(["test", "tone", "null"], change)
}

#[test]
fn a_line_that_cannot_be_read_is_answered_and_the_next_one_is_read() {
    let mut app = start();
    for (line, code, why) in [
        (&b"{"[..], -2, "EOF"),
        (b"\xff\xfe", -2, "not UTF-8"),
        (b"[]", -2, "not an object"),
        (br#"{"id":1,"command":"fly"}"#, -2, "there is no command"),
        (br#"{"id":1,"command":"enter_room","args":{"scene":"party"}}"#, -100_011, "party"),
    ] {
        app.write(line);
        let answer = app.until(|line| line["error"].is_object());
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{message}");
        assert_eq!(answer["error"]["code"], code);
    }
    assert_eq!(app.call(9, "get_state", &json!({}))["result"]["phase"], "idle");
    assert_eq!(app.end(), Some(0));
}

#[test]
fn wrong_parameters_are_told_by_the_outcome_of_the_entry() {
    let mut app = start();
    let base = json!({"sdkAppId": 1, "userId": "ann", "userSig": "x", "roomId": 1, "server": "127.0.0.1:1"});
    for (field, value, code) in [
        ("roomId", json!(0), -3318),
        ("roomId", json!(4_294_967_295_u32), -3318),
        ("userId", json!(""), -3319),
        ("userId", json!("a".repeat(33)), -3319),
        ("userId", json!("zoé"), -3319),
        ("userSig", json!(""), -3320),
        ("sdkAppId", json!(0), -3317),
    ] {
        let mut args = base.clone();
        args[field] = value;
        assert!(app.call(1, "enter_room", &args)["error"].is_null());
        assert_eq!(app.event("onError")["code"], code, "{field}");
        assert_eq!(app.event("onEnterRoom")["result"], code, "{field}");
    }
    app.call(2, "enter_room", &base);
    assert_eq!(app.event("onEnterRoom")["result"], -3307);
    assert_eq!(app.end(), Some(0));
}

#[test]
fn two_programs_meet_in_a_room_that_one_of_them_opened() {
    let (mut host, mut guest) = (start(), start());
    let hosting = host.call(1, "host_room", &json!({}))["result"].clone();
    host.call(2, "enter_room", &json!({"userId": "host", "roomId": 7}));
    assert!(host.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    let signed = host.call(3, "make_user_sig", &json!({"userId": "guest"}))["result"].clone();
    let args = json!({
        "server": hosting["server"], "sdkAppId": hosting["sdkAppId"], "userId": "guest",
        "userSig": signed["userSig"], "roomId": 7, "name": "A guest",
    });
    guest.call(1, "enter_room", &args);
    assert!(guest.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    assert_eq!(host.event("onRemoteUserEnterRoom"), json!({"userId": "guest", "name": "A guest"}));
    assert_eq!(host.call(4, "start_local_video", &json!({}))["result"], Value::Null);
    let first = guest.event("onFirstVideoFrame");
    assert_eq!(
        (&first["userId"], &first["width"], &first["height"]),
        (&json!("host"), &json!(1280), &json!(720))
    );

    let picture = guest.call(2, "snapshot_video", &json!({"userId": "host"}));
    assert!(picture["result"]["png"].as_str().unwrap().starts_with("iVBOR"));
    let stage = guest.call(3, "stage_snapshot", &json!({}));
    assert_eq!(stage["result"]["width"], 1280, "{stage}");

    assert_eq!(host.end(), Some(0));
    let exit = guest.event("onExitRoom");
    assert_eq!((&exit["reason"], &exit["cause"]), (&json!(2), &json!("host_stopped")));
    assert_eq!(guest.end(), Some(0));
}

#[test]
fn a_passcode_and_a_waiting_room_keep_people_out_and_a_ticket_lets_one_in_once() {
    let (mut host, mut bo, mut cy) = (start(), start(), start());
    let alone = host.call(1, "make_ticket", &json!({}));
    assert_eq!(alone["error"]["code"], -3, "{alone}");
    let long = host.call(2, "host_room", &json!({"passcode": "x".repeat(257)}));
    assert_eq!(long["error"]["code"], -2);
    assert!(long["error"]["message"].as_str().unwrap().starts_with("passcode: it has 257"), "{long}");
    let hosting = host.call(3, "host_room", &json!({"passcode": "tea", "waitingRoom": true}));
    assert_eq!(
        (&hosting["result"]["passcode"], &hosting["result"]["waitingRoom"]),
        (&json!(true), &json!(true))
    );
    assert!(!hosting.to_string().contains("tea"), "{hosting}");
    host.call(4, "enter_room", &json!({"roomId": 7}));
    assert!(host.event("onEnterRoom")["result"].as_i64().unwrap() > 0);

    let made = host.call(5, "make_invitation", &json!({}))["result"].clone();
    assert!(made["link"].as_str().unwrap().contains("&passcode=tea&"), "{made}");
    let ticket = host.call(6, "make_ticket", &json!({}))["result"].clone();
    let once = host.call(7, "make_invitation", &ticket)["result"].clone();
    assert!(!once.to_string().contains("passcode"), "{once}");
    let entry = |app: &mut Headless, made: &Value| {
        app.call(1, "parse_invitation", &json!({"text": made["message"]}))["result"].clone()
    };
    let (by_passcode, by_ticket) = (entry(&mut bo, &made), entry(&mut bo, &once));
    assert_eq!(by_ticket["ticket"], ticket["ticket"]);

    let without = json!({"server": by_passcode["server"], "roomId": 7});
    bo.call(2, "enter_room", &without);
    assert_eq!(bo.event("onEnterRoom")["result"], -102_011);
    bo.call(3, "enter_room", &by_ticket);
    assert!(bo.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    let refused = bo.call(4, "make_ticket", &json!({}));
    assert!(refused["error"]["message"].is_string(), "{refused}");
    cy.call(2, "enter_room", &by_ticket);
    assert_eq!(cy.event("onEnterRoom")["result"], -102_011, "the ticket is used up");
    cy.call(3, "enter_room", &by_passcode);
    cy.event("onWaiting");
    let waiting = host.event("onWaitingList")["people"][0]["userId"].clone();
    host.call(8, "host_action", &json!({"action": "admit", "userId": waiting}));
    assert!(cy.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    for app in [host, bo, cy] {
        assert_eq!(app.end(), Some(0));
    }
}

#[test]
fn somebody_whose_output_nobody_reads_any_more_leaves_the_room_and_ends() {
    let mut host = start();
    let hosting = host.call(1, "host_room", &json!({}))["result"].clone();
    host.call(2, "enter_room", &json!({"userId": "host", "roomId": 8}));
    assert!(host.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    let signed = host.call(3, "make_user_sig", &json!({"userId": "guest"}))["result"].clone();
    let data = tempfile::tempdir().unwrap();
    let mut guest = Command::new(env!("CARGO_BIN_EXE_confab-headless"))
        .args(["--camera", "none", "--microphone", "none", "--speaker", "null"])
        .env("CONFAB_DATA", data.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let args = json!({
        "server": hosting["server"], "sdkAppId": hosting["sdkAppId"], "userId": "guest",
        "userSig": signed["userSig"], "roomId": 8,
    });
    // Its input stays open.
    let mut stdin = guest.stdin.take().unwrap();
    writeln!(stdin, "{}", json!({ "id": 1, "command": "enter_room", "args": args })).unwrap();
    host.event("onRemoteUserEnterRoom");
    drop(guest.stdout.take());
    assert_eq!(host.event("onRemoteUserLeaveRoom")["reason"], 0);
    assert_eq!(guest.wait().unwrap().code(), Some(0));
    assert_eq!(host.end(), Some(0));
}

#[test]
fn a_device_that_is_not_there_takes_none_away_that_works() {
    let mut app = start();
    app.call(1, "start_local_video", &json!({}));
    app.event("onFirstVideoFrame");
    app.call(2, "start_local_audio", &json!({}));
    for (id, kind, device, code) in
        [(3, "camera", "file:nope.y4m", -1301), (4, "microphone", "file:nope.wav", -1302)]
    {
        let answer = app.call(id, "select_device", &json!({"kind": kind, "deviceId": device}));
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(device.trim_start_matches("file:")), "{message}");
    }
    // The camera before is open again, and its pictures come.
    app.event("onFirstVideoFrame");
    let wrong = app.call(10, "start_local_video", &json!({"source": "file:nope.y4m"}));
    assert_eq!(wrong["error"]["code"], -1301, "{wrong}");
    app.event("onFirstVideoFrame");
    // Once more what runs already: nothing begins anew.
    assert_eq!(app.call(11, "start_local_video", &json!({}))["result"], Value::Null);
    assert_eq!(
        app.call(12, "set_voice_processing", &json!({"autoGainControl": false}))["result"],
        Value::Null
    );
    let wrong = app.call(13, "set_voice_processing", &json!({"gain": false}));
    assert!(wrong["error"]["message"].as_str().unwrap().contains("unknown field `gain`"), "{wrong}");
    let state = app.call(5, "get_state", &json!({}))["result"].clone();
    assert_eq!((&state["camera"]["on"], &state["microphone"]["on"]), (&json!(true), &json!(true)), "{state}");
    assert_eq!(state["camera"]["ready"], true, "{state}");
    assert_eq!(state["selected"], json!({"camera": "test", "microphone": "tone", "speaker": "null"}));
    let processing = json!({"echoCancellation": true, "noiseSuppression": true, "autoGainControl": false});
    assert_eq!(state["voiceProcessing"], processing);
    app.call(6, "stop_local_video", &json!({}));
    let refused = app.call(7, "select_device", &json!({"kind": "camera", "deviceId": "file:nope.y4m"}));
    assert_eq!(refused["error"]["code"], -1301, "{refused}");
    assert_eq!(app.call(8, "start_local_video", &json!({}))["result"], Value::Null);
    assert_eq!(app.end(), Some(0));
}

#[test]
fn no_secret_is_in_the_log_however_much_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
    let data = |name: &str| folder.path().join(format!("{name}'s"));
    let noisy = |name: &str| {
        let file = log(name);
        with(|command| {
            command.env("CONFAB_LOG", "trace").env("CONFAB_DATA", data(name)).stderr(file);
        })
    };
    let (mut host, mut guest) = (noisy("host"), noisy("guest"));
    let hosting = host.call(1, "host_room", &json!({}))["result"].clone();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(data("host").join("host.json")).unwrap()).unwrap();
    let signed = host.call(2, "make_user_sig", &json!({"userId": "guest"}))["result"].clone();
    let args = json!({
        "server": hosting["server"], "sdkAppId": hosting["sdkAppId"], "userId": "guest",
        "userSig": signed["userSig"], "roomId": 7,
    });
    guest.call(1, "enter_room", &args);
    assert!(guest.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    guest.call(2, "start_local_video", &json!({}));
    guest.event("onSendFirstLocalVideoFrame");
    assert_eq!((guest.end(), host.end()), (Some(0), Some(0)));

    // Every LiveKit token begins with one of these, the header as base64.
    let tokens = ["eyJ0eXAi", "eyJhbGci"];
    let secrets = [kept["key"].as_str().unwrap(), signed["userSig"].as_str().unwrap()];
    for name in ["host", "guest"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains("TRACE") && text.contains("confab"), "{name} logged too little");
        for secret in secrets.iter().chain(&tokens) {
            assert!(!text.contains(secret), "{secret} is in the log of the {name}");
        }
    }
}
