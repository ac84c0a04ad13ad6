//! One-time tickets, and a door that changes while the server runs, over HTTP.

use serde_json::{Value, json};

use super::{APP, APP_KEY, Trial, body, config, key};
use crate::config::{AppConfig, Config, Door};

/// A server that takes guests who know the passcode and wait.
async fn guarded() -> Trial {
    let guests = AppConfig {
        guests: true,
        passcode: Some("open sesame".to_owned()),
        waiting_room: true,
        ..AppConfig::new(APP, APP_KEY)
    };
    Trial::with(Config { app: vec![guests], ..config() }).await
}

async fn ask(trial: &Trial, path: &str, body: Value) -> Value {
    trial.post(path, body.to_string()).await.1
}

/// Alice is in and hosts; her session's token.
async fn hosted(trial: &Trial) -> String {
    let answer = trial.enter(&body("alice")).await;
    trial.joined(&key(5), "alice").await;
    answer["token"].as_str().unwrap().to_owned()
}

async fn invite(trial: &Trial, token: &str) -> Value {
    let url = format!("{}/v1/room/invite", trial.server.url());
    trial.client.post(url).bearer_auth(token).send().await.unwrap().json().await.unwrap()
}

/// The entry of a guest with what they were given.
fn entry(given: &Value, ticket: Option<&str>) -> Value {
    let (user, sig) = (&given["userId"], &given["userSig"]);
    json!({ "sdkAppId": APP, "userId": user, "userSig": sig, "roomId": 5, "ticket": ticket })
}

#[tokio::test]
async fn a_guest_with_a_ticket_needs_no_passcode_and_does_not_wait_and_nobody_follows_them() {
    let trial = guarded().await;
    let token = hosted(&trial).await;
    let made = invite(&trial, &token).await;
    assert_eq!(made["code"], 0, "{made}");
    let ticket = made["ticket"].as_str().unwrap();
    assert_ne!(invite(&trial, &token).await["ticket"], made["ticket"], "another each time");
    let gus = json!({ "room": 5, "ticket": ticket, "guest": "0".repeat(32) });
    let given = ask(&trial, "/v1/ticket", gus.clone()).await;
    assert_eq!(given["code"], 0, "{given}");
    let in_room = ask(&trial, "/v1/enter", entry(&given, Some(ticket))).await;
    assert!(in_room["code"] == 0 && in_room.get("waiting").is_none(), "{in_room}");
    assert_eq!(ask(&trial, "/v1/ticket", gus).await["code"], 0, "the same guest again");
    for other in [json!({ "room": 5, "ticket": ticket }), json!({ "room": 6, "ticket": ticket })] {
        let refused = ask(&trial, "/v1/ticket", other).await;
        assert_eq!(refused["code"], -102_011, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("invitation"), "{refused}");
    }
    let mut bob = body("bob");
    assert_eq!(trial.enter(&bob).await["waiting"], true);
    bob["ticket"] = json!(ticket);
    assert_eq!(trial.enter(&bob).await["code"], -102_011, "it was the guest's");
    bob["ticket"] = invite(&trial, &token).await["ticket"].clone();
    let in_room = trial.enter(&bob).await;
    assert!(in_room["code"] == 0 && in_room.get("waiting").is_none(), "{in_room}");
}

#[tokio::test]
async fn who_shows_wrong_tickets_is_told_no_reasons_and_a_good_one_is_taken_all_the_same() {
    let trial = guarded().await;
    let token = hosted(&trial).await;
    let guess = |n: u32| json!({ "room": 5, "ticket": n.to_string() });
    for n in 0..30 {
        assert_eq!(ask(&trial, "/v1/ticket", guess(n)).await["code"], -102_011);
    }
    assert_eq!(ask(&trial, "/v1/ticket", guess(30)).await["code"], -70_050);
    let mut bob = body("bob");
    bob["ticket"] = json!("guessed");
    assert_eq!(trial.post("/v1/enter", bob.to_string()).await.1["code"], -70_050);
    bob["ticket"] = invite(&trial, &token).await["ticket"].clone();
    assert_eq!(trial.enter(&bob).await["code"], 0);
    let gus = json!({ "room": 5, "ticket": invite(&trial, &token).await["ticket"] });
    assert_eq!(ask(&trial, "/v1/ticket", gus).await["code"], 0);
    let said = json!({ "room": 5, "passcode": "open sesame" });
    assert_eq!(ask(&trial, "/v1/ticket", said).await["code"], 0, "passcodes are another matter");
}

#[tokio::test]
async fn a_good_ticket_is_taken_where_passcodes_are_not_looked_at() {
    let trial = guarded().await;
    let token = hosted(&trial).await;
    let say = |passcode: &str| json!({ "room": 5, "passcode": passcode });
    for n in 0..10 {
        assert_eq!(ask(&trial, "/v1/ticket", say(&n.to_string())).await["code"], -102_011);
    }
    assert_eq!(ask(&trial, "/v1/ticket", say("open sesame")).await["code"], -70_050);
    let ticket = invite(&trial, &token).await["ticket"].clone();
    let given = ask(&trial, "/v1/ticket", json!({ "room": 5, "ticket": ticket })).await;
    assert_eq!(given["code"], 0, "{given}");
    assert_eq!(ask(&trial, "/v1/enter", entry(&given, ticket.as_str())).await["code"], 0);
}

#[tokio::test]
async fn a_good_ticket_before_a_locked_room_is_no_guess() {
    let trial = guarded().await;
    let token = hosted(&trial).await;
    let mut bob = body("bob");
    bob["ticket"] = invite(&trial, &token).await["ticket"].clone();
    let lock = async |on: bool| {
        let url = format!("{}/v1/room/lock", trial.server.url());
        let asked = trial.client.post(url).bearer_auth(&token).body(json!({ "on": on }).to_string());
        assert_eq!(asked.send().await.unwrap().json::<Value>().await.unwrap()["code"], 0);
    };
    lock(true).await;
    for _ in 0..12 {
        let refused = trial.enter(&bob).await;
        assert_eq!(refused["code"], -102_011, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("locked"), "{refused}");
    }
    lock(false).await;
    assert_eq!(trial.enter(&bob).await["code"], 0);
}

#[tokio::test]
async fn only_hosts_invite() {
    let trial = guarded().await;
    hosted(&trial).await;
    let other = trial.enter(&body("alice")).await["token"].as_str().unwrap().to_owned();
    for token in ["", "a.b.c", &other] {
        let refused = invite(&trial, token).await;
        assert!(refused["code"].as_i64().unwrap() < 0 && refused.get("ticket").is_none(), "{refused}");
    }
    let url = format!("{}/v1/room/invite", trial.server.url());
    let odd = trial.client.post(url).body(json!({ "seat": 1 }).to_string()).send().await.unwrap();
    assert_eq!(odd.status(), 400);
}

#[tokio::test]
async fn the_door_changes_while_the_server_runs() {
    let guests = AppConfig { guests: true, ..AppConfig::new(APP, APP_KEY) };
    let trial = Trial::with(Config { app: vec![guests], ..config() }).await;
    let any = json!({ "room": 5 });
    assert_eq!(ask(&trial, "/v1/ticket", any.clone()).await["code"], 0);
    trial.server.set_door(&Door { passcode: Some("open sesame".to_owned()), waiting_room: true });
    assert_eq!(ask(&trial, "/v1/ticket", any.clone()).await["code"], -102_011);
    let said = json!({ "room": 5, "passcode": "open sesame" });
    assert_eq!(ask(&trial, "/v1/ticket", said).await["code"], 0);
    trial.enter(&body("alice")).await;
    trial.joined(&key(5), "alice").await;
    assert_eq!(trial.enter(&body("bob")).await["waiting"], true);
    trial.server.set_door(&Door::default());
    assert_eq!(ask(&trial, "/v1/ticket", any).await["code"], 0);
    assert!(
        !format!("{:?}", Door { passcode: Some("open sesame".to_owned()), ..Door::default() })
            .contains("sesame")
    );
}
