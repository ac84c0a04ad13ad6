//! `POST /v1/role` over HTTP.

use serde_json::{Value, json};

use super::{APP, Trial, body, key, sig};

fn ask(user: &str, role: u8) -> Value {
    json!({ "sdkAppId": APP, "userId": user, "userSig": sig(user), "roomId": 5, "role": role })
}

async fn role(trial: &Trial, body: Value) -> i64 {
    let (status, answer) = trial.post("/v1/role", body.to_string()).await;
    assert_eq!(status, 200);
    answer["code"].as_i64().unwrap()
}

async fn live(trial: &Trial, user: &str, role: u8) {
    let mut entry = body(user);
    entry["scene"] = json!(1);
    entry["role"] = json!(role);
    assert_eq!(trial.enter(&entry).await["code"], 0);
    trial.joined(&key(5), user).await;
}

#[tokio::test]
async fn an_anchor_steps_down_and_the_room_is_told() {
    let trial = Trial::start().await;
    live(&trial, "alice", 20).await;
    assert_eq!(role(&trial, ask("alice", 21)).await, 0);
    assert_eq!(
        trial.engine.asked(),
        [
            r#"data 1400000001/n:5 confab {"type":"userLeft","userId":"alice","reason":3}"#,
            r#"attributes 1400000001/n:5 alice {"confab.role": "audience"}"#,
            "permission 1400000001/n:5 alice publish=false hidden=false",
        ]
    );
    assert_eq!(role(&trial, ask("alice", 21)).await, 0);
    assert!(trial.engine.asked().is_empty(), "nothing changed");
}

#[tokio::test]
async fn a_viewer_steps_up_and_is_seen() {
    let trial = Trial::start().await;
    live(&trial, "bob", 21).await;
    assert_eq!(role(&trial, ask("bob", 20)).await, 0);
    assert_eq!(
        trial.engine.asked(),
        [
            "permission 1400000001/n:5 bob publish=true hidden=false",
            r#"attributes 1400000001/n:5 bob {"confab.role": "anchor"}"#,
        ]
    );
}

#[tokio::test]
async fn roles_are_refused_where_there_are_none() {
    let trial = Trial::start().await;
    assert_eq!(role(&trial, ask("alice", 21)).await, -102_005, "no room");
    trial.enter(&body("alice")).await;
    trial.joined(&key(5), "alice").await;
    assert_eq!(role(&trial, ask("alice", 21)).await, -100_011, "a call");
    let mut bad = ask("alice", 22);
    assert_eq!(role(&trial, bad.clone()).await, -102_055);
    bad["role"] = Value::Null;
    assert_eq!(role(&trial, bad).await, -102_055);
    let mut stolen = ask("alice", 21);
    stolen["userSig"] = json!(sig("bob"));
    assert_eq!(role(&trial, stolen).await, -100_018);
    assert!(trial.engine.asked().is_empty());
}

#[tokio::test]
async fn nobody_changes_a_role_before_being_inside() {
    let trial = Trial::start().await;
    live(&trial, "alice", 20).await;
    assert_eq!(role(&trial, ask("bob", 20)).await, -3);
}
