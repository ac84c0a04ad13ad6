//! What has been in rooms, asked over HTTP, and the older signature.

use confab_protocol::{LeaveReason, Role, RoomId, SdkAppId};
use serde_json::{Value, json};

use super::rest::{Call, checked, code};
use super::{APP, CLOUD_ID, CLOUD_KEY, Trial, body, key};
use crate::clock::unix_now;
use crate::control::Listener as _;
use crate::happening::{ClientInfo, Happening, What};
use crate::rest::signature::hmac;

fn happening(room: &RoomId, created: u64, at: u64, what: What) -> Happening {
    Happening { app: SdkAppId(APP), room: room.clone(), created, at_ms: at * 1000, what }
}

fn entered(user: &str) -> What {
    let client = ClientInfo {
        os: "linux".to_owned(),
        sdk: "rust 1.0".to_owned(),
        address: Some("192.0.2.7".parse().unwrap()),
        ..ClientInfo::default()
    };
    What::Entered { user: user.parse().unwrap(), role: Role::Anchor, again: false, client }
}

fn left(user: &str) -> What {
    let (reason, client) = (LeaveReason::Left, ClientInfo::default());
    What::Left { user: user.parse().unwrap(), role: Role::Anchor, reason, client }
}

/// A meeting of ann and bob a minute ago, in a room that is still open for bob.
fn meet(trial: &Trial, room: &RoomId, begin: u64) {
    let tell = |at, what| trial.listeners.tell(&happening(room, begin, at, what));
    tell(begin, What::RoomCreated { by: "ann".parse().unwrap() });
    tell(begin, entered("ann"));
    tell(begin + 5, entered("bob"));
    tell(begin + 30, left("ann"));
}

#[tokio::test]
async fn rooms_and_their_people_are_described() {
    let trial = Trial::start().await;
    let (now, begin) = (unix_now(), unix_now() - 60);
    meet(&trial, &RoomId::number(5_u32).unwrap(), begin);
    let span = json!({ "SdkAppId": APP, "StartTime": begin, "EndTime": now });
    let mut rooms = Call::new("DescribeRoomInfo", &span).send(trial.server.http()).await;
    let destroyed = rooms["RoomList"][0]["DestroyTime"].take();
    assert!(destroyed.as_u64().unwrap() >= now, "{destroyed}");
    rooms["RequestId"].take();
    let call = format!("{APP}_5_{begin}");
    assert_eq!(
        rooms,
        json!({ "RequestId": null, "Total": 1, "RoomList": [{
            "CommId": call, "RoomString": "5", "CreateTime": begin, "DestroyTime": null,
            "IsFinished": false, "UserId": "ann",
        }]})
    );
    let mut people = span.clone();
    people["CommId"] = json!(call);
    let people = Call::new("DescribeUserInfo", &people).send(trial.server.http()).await;
    assert_eq!(people["Total"], 2);
    assert_eq!(
        people["UserList"][0],
        json!({
            "RoomStr": "5", "UserId": "ann", "JoinTs": begin, "LeaveTs": begin + 30, "DeviceType": "linux",
            "SdkVersion": "rust 1.0", "ClientIp": "192.0.2.7", "Finished": true,
        })
    );
    assert_eq!(
        (&people["UserList"][1]["UserId"], &people["UserList"][1]["Finished"]),
        (&json!("bob"), &json!(false))
    );
}

#[tokio::test]
async fn nobody_is_told_of_the_rooms_of_an_app_that_is_not_here() {
    let trial = Trial::start().await;
    let now = unix_now();
    let call = Call::new("DescribeRoomInfo", &json!({ "SdkAppId": 99, "StartTime": now, "EndTime": now }));
    assert_eq!(code(&call.send(trial.server.http()).await), "UnauthorizedOperation.SdkAppId");
}

#[tokio::test]
async fn a_history_that_is_gone_is_a_documented_error() {
    let trial = Trial::start().await;
    let history = trial.listeners.history.clone();
    let now = unix_now();
    let ask = json!({ "SdkAppId": APP, "StartTime": now, "EndTime": now });
    let call = Call::new("DescribeRoomInfo", &ask);
    assert_eq!(code(&call.send(trial.server.http()).await), "");
    history.stop();
    assert_eq!(code(&call.send(trial.server.http()).await), "InternalError.DBError");
}

/// Sends a request in the older form and gives the `Response` member.
async fn older(trial: &Trial, method: &str, by: &str, own: &[(&str, String)], secret: &str) -> Value {
    let host = trial.server.http().to_string();
    let mut pairs: Vec<(String, String)> = [
        ("Action", own[0].1.clone()),
        ("Version", "2019-07-22".to_owned()),
        ("Timestamp", unix_now().to_string()),
        ("Nonce", "11886".to_owned()),
        ("SecretId", CLOUD_ID.to_owned()),
        ("SignatureMethod", by.to_owned()),
        ("Region", "ap-guangzhou".to_owned()),
    ]
    .iter()
    .chain(&own[1..])
    .map(|(name, value)| ((*name).to_owned(), value.clone()))
    .collect();
    let signature = hmac::sign(hmac::Request { method, host: &host, pairs: &pairs }, secret);
    pairs.push(("Signature".to_owned(), signature));
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = match method {
        "GET" => trial.client.get(format!("http://{host}/?{form}")),
        _ => {
            let post = trial.client.post(format!("http://{host}/")).body(form);
            post.header("content-type", "application/x-www-form-urlencoded")
        }
    };
    checked(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_older_signature_is_believed_in_a_form_and_in_a_query() {
    let trial = Trial::start().await;
    for (method, by) in
        [("POST", "HmacSHA1"), ("POST", "HmacSHA256"), ("GET", "HmacSHA1"), ("GET", "HmacSHA256")]
    {
        assert_eq!(trial.enter(&body("alice")).await["code"], 0);
        trial.joined(&key(5), "alice").await;
        let own = [
            ("Action", "RemoveUser".to_owned()),
            ("SdkAppId", APP.to_string()),
            ("RoomId", "5".to_owned()),
            ("UserIds.0", "alice".to_owned()),
            ("UserIds.1", "\u{6d4b} +&=".to_owned()),
        ];
        let refused = older(&trial, method, by, &own, "another key").await;
        assert_eq!(code(&refused), "AuthFailure.SignatureFailure", "{method} {by}");
        assert!(trial.engine.asked().is_empty());
        let done = older(&trial, method, by, &own, CLOUD_KEY).await;
        assert_eq!(code(&done), "", "{method} {by}: {done}");
        assert_eq!(trial.engine.asked().len(), 1, "{method} {by}");
    }
}

#[tokio::test]
async fn the_older_form_asks_what_has_been_and_names_its_errors() {
    let trial = Trial::start().await;
    let begin = unix_now() - 60;
    meet(&trial, &RoomId::text("a_b").unwrap(), begin);
    let ask = |more: &[(&'static str, String)]| {
        let mut own = vec![
            ("Action", "DescribeUserInfo".to_owned()),
            ("SdkAppId", APP.to_string()),
            ("CommId", format!("{APP}_a_b_{begin}")),
            ("StartTime", begin.to_string()),
            ("EndTime", (begin + 60).to_string()),
        ];
        own.extend(more.iter().cloned());
        own
    };
    let some = ask(&[("UserIds.0", "bob".to_owned())]);
    let answer = older(&trial, "POST", "HmacSHA256", &some, CLOUD_KEY).await;
    assert_eq!((&answer["Total"], &answer["UserList"][0]["UserId"]), (&json!(1), &json!("bob")), "{answer}");
    let large = ask(&[("PageSize", "101".to_owned())]);
    let answer = older(&trial, "GET", "HmacSHA1", &large, CLOUD_KEY).await;
    assert_eq!(code(&answer), "InvalidParameter.PageSizeOversize");
    let other = [("Action", "StartCloudRecording".to_owned())];
    let answer = older(&trial, "POST", "HmacSHA1", &other, CLOUD_KEY).await;
    assert_eq!(code(&answer), "InvalidAction");
    assert!(answer["Error"]["Message"].as_str().unwrap().contains("StartCloudRecording"), "{answer}");
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_so() {
    let trial = Trial::start().await;
    let own = [
        ("Action", "DescribeRoomInfo".to_owned()),
        ("SdkAppId", APP.to_string()),
        ("StartTime", unix_now().to_string()),
        ("EndTime", (unix_now() + 60).to_string()),
    ];
    let calls = (0..100).map(|_| older(&trial, "GET", "HmacSHA1", &own, CLOUD_KEY));
    let answers = futures_util::future::join_all(calls).await;
    let refused: Vec<String> = answers.iter().map(code).filter(|code| !code.is_empty()).collect();
    assert!(!refused.is_empty() && refused.iter().all(|code| code == "RequestLimitExceeded"), "{refused:?}");
    let other = json!({ "SdkAppId": APP, "RoomId": 5 });
    let other = Call::new("DismissRoom", &other).send(trial.server.http()).await;
    assert_eq!(code(&other), "FailedOperation.RoomNotExist", "another action counts alone");
}
