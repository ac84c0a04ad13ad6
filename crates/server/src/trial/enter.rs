//! `POST /v1/enter` over HTTP.

use confab_protocol::SdkAppId;
use confab_protocol::user_sig;
use serde_json::{Value, json};

use super::rest::{Call, code};
use super::{APP, APP_KEY, Trial, body, config, key, sig};
use crate::Config;
use crate::clock::unix_now;

fn with(user: &str, changes: Value) -> Value {
    let mut all = body(user);
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

#[tokio::test]
async fn a_good_entry_gets_everything_signalling_needs() {
    let trial = Trial::start().await;
    let answer = trial.enter(&with("alice", json!({ "name": "Alice Liu" }))).await;
    assert_eq!(answer["code"], 0);
    assert_eq!(answer["url"], format!("ws://{}", trial.server.http()));
    assert_eq!(answer["room"], key(5));
    assert_eq!(answer["iceServers"], json!([]));
    assert_eq!(answer["limits"], json!({ "online": 300, "publishing": 50 }));
    assert_eq!(answer["token"].as_str().unwrap().split('.').count(), 3);
    assert!(answer.get("message").is_none());
    let text = trial.enter(&with("alice", json!({ "roomId": null, "strRoomId": "a b" }))).await;
    assert_eq!(text["room"], "1400000001/s:a b");
}

#[tokio::test]
async fn the_signalling_address_is_the_one_the_client_came_to() {
    let behind = Config { proxies: vec!["127.0.0.0/8".parse().unwrap()], ..config() };
    for (config, wanted) in [(config(), "ws://meet.example:99"), (behind, "wss://meet.example:99")] {
        let trial = Trial::with(config).await;
        let url = format!("{}/v1/enter", trial.server.url());
        let request = trial.client.post(url).body(body("alice").to_string());
        let answer = request.header("host", "meet.example:99").header("x-forwarded-proto", "https");
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["url"], wanted, "only a proxy that is named says that it was asked by https");
    }
}

#[tokio::test]
async fn pages_that_came_by_somebody_elses_name_get_nothing_from_a_server_without_one() {
    let named = Trial::start().await;
    let nameless = Trial::with(Config { nameless: true, ..config() }).await;
    let ask = async |trial: &Trial, path: &str, host: &str, origin: &str| -> Value {
        let request = trial.client.post(format!("{}{path}", trial.server.url()));
        let request = request.body(body("alice").to_string()).header("host", host);
        request.header("origin", origin).send().await.unwrap().json().await.unwrap()
    };
    for path in ["/v1/enter", "/v1/role"] {
        let own = nameless.server.http().to_string();
        let answer = ask(&nameless, path, &own, "http://evil.example:1").await;
        assert_eq!(answer["code"], -102_011, "{path}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains("Pages of other servers"), "{answer}");
        let answer = ask(&nameless, path, &own, &format!("http://{own}")).await;
        assert_ne!(answer["code"], -102_011, "{path}: {answer}");
        // The pages of whoever runs an application live elsewhere, and bring a signature.
        let own = named.server.http().to_string();
        let answer = ask(&named, path, &own, "https://app.example").await;
        assert_ne!(answer["code"], -102_011, "{path}: {answer}");
        let page = nameless.client.get(format!("{}/metrics", nameless.server.url()));
        let page = page.header("origin", "http://evil.example").send().await.unwrap();
        assert!(!page.headers().contains_key("access-control-allow-origin"), "{page:?}");
        // A page of a name that leads to this address by now.
        let answer = ask(&nameless, path, "evil.example:1", "http://evil.example:1").await;
        assert_eq!(answer["code"], -102_011, "{path}: {answer}");
        let answer = ask(&named, path, "meet.example", "https://meet.example").await;
        assert_ne!(answer["code"], -102_011, "a server behind a name, {path}: {answer}");
    }
}

#[tokio::test]
async fn wrong_parameters_have_their_codes() {
    let trial = Trial::start().await;
    let long = "u".repeat(33);
    let cases = [
        (json!({ "sdkAppId": 0 }), -3317),
        (json!({ "sdkAppId": null }), -3317),
        (json!({ "roomId": 0 }), -3318),
        (json!({ "roomId": 4_294_967_295_u32 }), -3318),
        (json!({ "roomId": -1 }), -3318),
        (json!({ "roomId": null }), -3318),
        (json!({ "roomId": null, "strRoomId": "a/b" }), -3318),
        (json!({ "roomId": null, "strRoomId": "x".repeat(65) }), -3318),
        (json!({ "userId": "" }), -3319),
        (json!({ "userId": long }), -3319),
        (json!({ "userId": "Zoë" }), -3319),
        (json!({ "userSig": "" }), -3320),
        (json!({ "scene": 4 }), -100_011),
        (json!({ "scene": "party" }), -100_011),
        (json!({ "role": 22 }), -102_055),
    ];
    for (changes, code) in cases {
        let answer = trial.enter(&with("alice", changes.clone())).await;
        assert_eq!(answer["code"], code, "{changes}");
        assert!(answer["message"].as_str().is_some_and(|text| text.len() > 10), "{answer}");
        assert!(answer.get("token").is_none());
    }
    assert_eq!(trial.enter(&json!({})).await["code"], -3316);
    assert_eq!(trial.people().await, 0);
}

#[tokio::test]
async fn wrong_signatures_have_their_details() {
    let trial = Trial::start().await;
    let sign = |app, key: &str, user: &str, expire| {
        user_sig::sign(SdkAppId(app), key, user, expire, unix_now() - 100, None)
    };
    let cases = [
        (json!({ "userSig": "x" }), -70003),
        (json!({ "userSig": sign(APP, "wrong", "alice", 600) }), -70009),
        (json!({ "userSig": sign(APP, APP_KEY, "bob", 600) }), -70013),
        (json!({ "userSig": sign(APP, APP_KEY, "alice", 60) }), -70001),
        (json!({ "userSig": sign(7, "other-key", "alice", 600) }), -70014),
        (json!({ "sdkAppId": 8, "userSig": sign(8, APP_KEY, "alice", 600) }), -70020),
    ];
    for (changes, detail) in cases {
        let answer = trial.enter(&with("alice", changes)).await;
        assert_eq!((&answer["code"], &answer["detail"]), (&json!(-100_018), &json!(detail)), "{answer}");
    }
}

#[tokio::test]
async fn a_room_keeps_its_scene_and_says_both_in_the_refusal() {
    let trial = Trial::start().await;
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
    let answer = trial.enter(&with("bob", json!({ "scene": "live" }))).await;
    assert_eq!(answer["code"], -100_011);
    let sentence = answer["message"].as_str().unwrap();
    assert!(sentence.contains("videoCall") && sentence.contains("live"), "{sentence}");
}

#[tokio::test]
async fn number_and_text_and_applications_are_rooms_of_their_own() {
    let trial = Trial::start().await;
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
    let text = with("bob", json!({ "roomId": null, "strRoomId": "5", "scene": 1 }));
    assert_eq!(trial.enter(&text).await["code"], 0);
    let other = json!({
        "sdkAppId": 7, "roomId": 5, "userId": "bob", "scene": 1, "role": 20,
        "userSig": user_sig::sign(SdkAppId(7), "other-key", "bob", 60, unix_now(), None),
    });
    assert_eq!(trial.enter(&other).await["room"], "7/n:5");
}

#[tokio::test]
async fn the_three_hundred_first_finds_the_room_full() {
    let trial = Trial::start().await;
    for n in 0..300 {
        assert_eq!(trial.enter(&body(&format!("u{n}"))).await["code"], 0);
    }
    assert_eq!(trial.enter(&body("late")).await["code"], -102_052);
    assert_eq!(trial.enter(&body("u0")).await["code"], 0);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_answered_in_the_same_form() {
    let trial = Trial::start().await;
    let huge = format!(r#"{{"name":"{}"}}"#, "x".repeat(200_000));
    let cases = [
        (String::new(), 400),
        ("garbage".to_owned(), 400),
        ("[1]".to_owned(), 400),
        (r#"{"roomID":5}"#.to_owned(), 400),
        (r#"{"userId":5}"#.to_owned(), 400),
        (r#"{"userId":"alice","userId":"bob"}"#.to_owned(), 400),
        (r#"{"stay":5}"#.to_owned(), 400),
        (r#"{"stay":{"id":"a b"}}"#.to_owned(), 400),
        (format!(r#"{{"stay":{{"id":"{}"}}}}"#, "x".repeat(65)), 400),
        (r#"{"stay":{"id":"a","back":true}}"#.to_owned(), 400),
        ("[".repeat(5000), 400),
        (huge, 400),
    ];
    for (body, status) in cases {
        let (found, answer) = trial.post("/v1/enter", body.clone()).await;
        assert_eq!(found, status, "{}", &body[..body.len().min(40)]);
        assert_eq!(answer["code"], -2);
        assert!(answer["message"].is_string() && answer.get("iceServers").is_none(), "{answer}");
    }
    let (_, answer) = trial.post("/v1/enter", r#"{"roomID":5}"#).await;
    assert!(answer["message"].as_str().unwrap().contains("there is no field roomID"), "{answer}");
    for (odd, plain) in [
        (r#"{"stay":5}"#, "The request cannot be read: stay must be an object."),
        (r#"{"userId":5}"#, "The request cannot be read: userId must be a text."),
        (r#"{"roomId":5,"roomId":6}"#, "The request cannot be read: roomId is given twice."),
        (r#"{"stay":{"id":"a"},"stay":null}"#, "The request cannot be read: stay is given twice."),
    ] {
        let (_, answer) = trial.post("/v1/enter", odd).await;
        assert_eq!(answer["message"], plain);
    }
    assert_eq!(trial.enter(&body("alice")).await["code"], 0, "still serving");
}

#[tokio::test]
async fn the_same_person_may_enter_again() {
    let trial = Trial::start().await;
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
    trial.joined(&key(5), "alice").await;
    let again = with("alice", json!({ "userSig": sig("alice") }));
    assert_eq!(trial.enter(&again).await["code"], 0);
}

#[tokio::test]
async fn who_returns_to_a_stay_that_is_over_is_refused_with_its_cause() {
    let trial = Trial::start().await;
    let staying = |returning: bool| with("alice", json!({ "stay": { "id": "one", "returning": returning } }));
    assert_eq!(trial.enter(&staying(false)).await["code"], 0);
    trial.joined(&key(5), "alice").await;
    assert_eq!(trial.enter(&staying(true)).await["code"], 0, "the stay goes on");
    let remove = json!({ "SdkAppId": APP, "RoomId": 5, "UserIds": ["alice"] });
    assert_eq!(code(&Call::new("RemoveUser", &remove).send(trial.server.http()).await), "");
    let answer = trial.enter(&staying(true)).await;
    assert_eq!((&answer["code"], &answer["cause"]), (&json!(-3), &json!("removed")), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("removed") && answer.get("token").is_none());
    assert_eq!(trial.enter(&staying(false)).await["code"], 0, "an entry of their own");
}
