//! Attempts that fail too often, over HTTP.

use confab_protocol::SdkAppId;
use confab_protocol::private_map_key::{PrivateMapKey, Privilege};
use serde_json::{Value, json};

use super::rest::{Call, code};
use super::{APP, APP_KEY, Trial, body, config, sig};
use crate::clock::unix_now;
use crate::config::{AppConfig, Config};

const TOO_OFTEN: i64 = -70_050;

/// Behind a proxy that is believed, so that requests may come from many addresses.
fn behind() -> Config {
    Config { proxies: vec!["127.0.0.1".parse().unwrap()], ..config() }
}

/// Posts from an address; gives the status, the header `Retry-After`, and the answer.
async fn post(trial: &Trial, from: &str, path: &str, token: &str, body: &Value) -> (u16, String, Value) {
    let url = format!("{}{path}", trial.server.url());
    let mut request = trial.client.post(url).header("x-forwarded-for", from).body(body.to_string());
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let later = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (status, later.unwrap_or_default(), answer.json().await.unwrap())
}

/// Asserts that an answer says to wait, alike in its head, its number and its sentence.
fn assert_waits((status, later, answer): (u16, String, Value)) {
    assert_eq!((status, answer["code"].as_i64()), (429, Some(TOO_OFTEN)), "{answer}");
    let seconds = answer["retryAfter"].as_u64().unwrap();
    assert!((1..=60).contains(&seconds), "{answer}");
    assert_eq!(later, seconds.to_string());
    let sentence = format!("Too many attempts have failed; wait {seconds} seconds and try again.");
    assert_eq!(answer["message"], sentence);
    assert_eq!(answer.as_object().unwrap().len(), 3, "{answer}");
}

fn forged(user: &str) -> Value {
    let mut forged = body(user);
    forged["userSig"] = json!(sig("somebody"));
    forged
}

async fn metrics(trial: &Trial) -> String {
    trial.client.get(format!("{}/metrics", trial.server.url())).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn who_fails_too_often_in_a_name_is_told_no_reasons_and_good_signatures_enter() {
    let trial = Trial::with(behind()).await;
    for _ in 0..10 {
        let (status, _, answer) = post(&trial, "192.0.2.1", "/v1/enter", "", &forged("ann")).await;
        assert_eq!((status, &answer["code"]), (200, &json!(-100_018)), "{answer}");
    }
    for _ in 0..2 {
        assert_waits(post(&trial, "192.0.2.1", "/v1/enter", "", &forged("ann")).await);
    }
    for user in ["bob", "ann"] {
        assert_eq!(post(&trial, "192.0.2.1", "/v1/enter", "", &body(user)).await.2["code"], 0);
    }
    assert_eq!(post(&trial, "192.0.2.2", "/v1/enter", "", &forged("ann")).await.2["code"], -100_018);
    let text = metrics(&trial).await;
    for line in [
        r#"confab_failed_attempts_total{request="enter"} 13"#,
        r#"confab_refused_attempts_total{request="enter",by="person"} 2"#,
        r#"confab_v1_requests_total{request="enter",code="-70050"} 2"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_told_no_reasons_and_lets_good_tickets_through() {
    let trial = Trial::with(behind()).await;
    for n in 0..30 {
        let (_, _, answer) = post(&trial, "192.0.2.1", "/v1/enter", "", &forged(&format!("u{n}"))).await;
        assert_eq!(answer["code"], -100_018, "{answer}");
    }
    assert_waits(post(&trial, "192.0.2.1", "/v1/enter", "", &forged("ann")).await);
    assert_waits(post(&trial, "192.0.2.1", "/v1/role", "a.b.c", &json!({ "role": 20 })).await);
    assert_waits(post(&trial, "192.0.2.1", "/v1/room/mute", "a.b.c", &json!({})).await);
    let (_, _, good) = post(&trial, "192.0.2.1", "/v1/enter", "", &body("ann")).await;
    assert_eq!(good["code"], 0, "{good}");
    assert_eq!(post(&trial, "192.0.2.9", "/v1/enter", "", &forged("ann")).await.2["code"], -100_018);
    let text = metrics(&trial).await;
    assert!(text.contains(r#"confab_refused_attempts_total{request="room",by="address"} 1"#), "{text}");
}

#[tokio::test]
async fn permissions_and_tokens_count_as_signatures_do_and_wrong_parameters_do_not() {
    let trial = Trial::with(behind()).await;
    let mut unreadable = body("ann");
    unreadable["roomId"] = json!(0);
    for _ in 0..40 {
        assert_eq!(post(&trial, "192.0.2.1", "/v1/enter", "", &unreadable).await.2["code"], -3318);
    }
    let mut denied = body("ann");
    let elsewhere = confab_protocol::RoomId::number(6_u32).unwrap();
    let permission = PrivateMapKey {
        account: "ann".to_owned(),
        app: SdkAppId(APP),
        room: elsewhere,
        expires: u32::try_from(unix_now() + 600).unwrap(),
        bits: Privilege::ALL,
    };
    denied["privateMapKey"] = json!(permission.sign(APP_KEY, 600, unix_now()).unwrap());
    for _ in 0..10 {
        let (_, _, answer) = post(&trial, "192.0.2.1", "/v1/enter", "", &denied).await;
        assert_eq!(answer["code"], -100_006, "{answer}");
    }
    assert_waits(post(&trial, "192.0.2.1", "/v1/enter", "", &denied).await);
    for n in 0..30 {
        let path = if n % 2 == 0 { "/v1/role" } else { "/v1/room/lock" };
        let body = if n % 2 == 0 { json!({ "role": 20 }) } else { json!({ "on": true }) };
        let (_, _, answer) = post(&trial, "192.0.2.2", path, "a.b.c", &body).await;
        assert_eq!(answer["code"], -100_001, "{answer}");
    }
    assert_waits(post(&trial, "192.0.2.2", "/v1/room/lock", "a.b.c", &json!({ "on": true })).await);
}

/// A server that takes guests who know the passcode.
async fn asking_for_a_passcode() -> Trial {
    let passcode = Some("open sesame".to_owned());
    let guests = AppConfig { guests: true, passcode, ..AppConfig::new(APP, APP_KEY) };
    Trial::with(Config { app: vec![guests], ..behind() }).await
}

#[tokio::test]
async fn passcodes_cannot_be_tried_out_and_who_has_a_ticket_enters_all_the_same() {
    let trial = asking_for_a_passcode().await;
    let ask = |said: Option<&str>| json!({ "room": 5, "passcode": said });
    let (_, _, ticket) = post(&trial, "192.0.2.1", "/v1/ticket", "", &ask(Some("open sesame"))).await;
    assert_eq!(ticket["code"], 0, "{ticket}");
    for _ in 0..20 {
        let (_, _, answer) = post(&trial, "192.0.2.1", "/v1/ticket", "", &ask(None)).await;
        assert_eq!(answer["code"], -102_011, "who says nothing tries nothing: {answer}");
    }
    for n in 0..10 {
        let (_, _, answer) = post(&trial, "192.0.2.1", "/v1/ticket", "", &ask(Some(&n.to_string()))).await;
        assert_eq!(answer["code"], -102_011, "{answer}");
    }
    for said in ["wrong", "open sesame"] {
        assert_waits(post(&trial, "192.0.2.1", "/v1/ticket", "", &ask(Some(said))).await);
    }
    let (_, _, elsewhere) = post(&trial, "192.0.2.2", "/v1/ticket", "", &ask(Some("open sesame"))).await;
    assert_eq!(elsewhere["code"], 0, "{elsewhere}");
    let entry = json!({
        "sdkAppId": APP, "userId": ticket["userId"], "userSig": ticket["userSig"], "roomId": 5,
    });
    assert_eq!(post(&trial, "192.0.2.1", "/v1/enter", "", &entry).await.2["code"], 0);
}

#[tokio::test]
async fn a_guest_who_tries_passcodes_keeps_out_nobody_else_and_who_makes_up_guests_only_new_ones() {
    let trial = asking_for_a_passcode().await;
    let ask = async |guest: u32, said: &str| {
        let body = json!({ "room": 5, "passcode": said, "guest": format!("{guest:032x}") });
        post(&trial, "192.0.2.1", "/v1/ticket", "", &body).await
    };
    for n in 0..10 {
        assert_eq!(ask(1, &n.to_string()).await.2["code"], -102_011);
    }
    assert_waits(ask(1, "open sesame").await);
    assert_eq!(ask(2, "open sesame").await.2["code"], 0);
    for guest in 100..120 {
        assert_eq!(ask(guest, "guessed").await.2["code"], -102_011);
    }
    assert_waits(ask(3, "open sesame").await);
    assert_eq!(ask(2, "open sesame").await.2["code"], 0, "who has shown it before");
    let text = metrics(&trial).await;
    for line in [
        r#"confab_failed_attempts_total{request="ticket"} 30"#,
        r#"confab_refused_attempts_total{request="ticket",by="person"} 1"#,
        r#"confab_refused_attempts_total{request="ticket",by="address"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn a_server_without_a_name_on_loopback_counts_too() {
    let trial = Trial::with(Config { nameless: true, ..config() }).await;
    for _ in 0..10 {
        assert_eq!(trial.enter(&forged("ann")).await["code"], -100_018);
    }
    let (status, answer) = trial.post("/v1/enter", forged("ann").to_string()).await;
    assert_eq!((status, answer["code"].as_i64()), (429, Some(TOO_OFTEN)), "{answer}");
    assert_eq!(trial.enter(&body("ann")).await["code"], 0);
}

#[tokio::test]
async fn a_cloud_key_that_signs_wrongly_too_often_is_told_no_reasons() {
    let trial = Trial::start().await;
    let ask = json!({ "SdkAppId": APP, "RoomId": 5 });
    let wrong = Call::new("DismissRoom", &ask).with_key("planted");
    for _ in 0..10 {
        assert_eq!(code(&wrong.send(trial.server.http()).await), "AuthFailure.SignatureFailure");
    }
    let answer = wrong.send(trial.server.http()).await;
    assert_eq!(code(&answer), "RequestLimitExceeded.IPLimitExceeded");
    let sentence = answer["Error"]["Message"].as_str().unwrap();
    assert!(sentence.starts_with("Too many attempts have failed; wait "), "{sentence}");
    let good = Call::new("DismissRoom", &ask).send(trial.server.http()).await;
    assert_eq!(code(&good), "FailedOperation.RoomNotExist", "a good one passes");
    let counted = r#"confab_failed_attempts_total{request="rest"} 11"#;
    assert!(metrics(&trial).await.contains(counted));
}
