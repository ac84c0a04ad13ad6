//! The Tencent Cloud interface over HTTP, signed as its SDKs sign.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{APP, CLOUD_ID, CLOUD_KEY, Trial, body, key};
use crate::clock::unix_now;
use crate::rest::signature::tc3;

/// One signed request and what may be wrong with it.
pub(super) struct Call<'a> {
    method: &'static str,
    action: &'a str,
    version: &'a str,
    query: &'a str,
    body: String,
    id: &'a str,
    key: &'a str,
    seconds: u64,
    signed: &'a str,
    content_type: &'a str,
}

impl<'a> Call<'a> {
    pub(super) fn new(action: &'a str, body: &Value) -> Call<'a> {
        Call {
            method: "POST",
            action,
            version: "2019-07-22",
            query: "",
            body: body.to_string(),
            id: CLOUD_ID,
            key: CLOUD_KEY,
            seconds: unix_now(),
            signed: "content-type;host",
            content_type: "application/json",
        }
    }

    /// The same, signed with another key.
    pub(super) fn with_key(self, key: &'a str) -> Call<'a> {
        Call { key, ..self }
    }

    fn headers(&self, host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| headers.insert(name, value.parse().unwrap());
        set("host", host);
        set("content-type", self.content_type);
        set("x-tc-action", self.action);
        set("x-tc-version", self.version);
        set("x-tc-timestamp", &self.seconds.to_string());
        let request = tc3::Request {
            method: self.method,
            query: self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let authorization = tc3::sign(request, self.signed, self.id, self.key, self.seconds);
        headers.insert("authorization", authorization.parse().unwrap());
        headers
    }

    /// The `Response` member, after the envelope was checked.
    pub(super) async fn send(&self, server: SocketAddr) -> Value {
        let host = server.to_string();
        let mut url = format!("http://{host}/");
        if !self.query.is_empty() {
            url = format!("{url}?{}", self.query);
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(self.method.parse().unwrap(), url);
        for (name, value) in &self.headers(&host) {
            request = request.header(name, value);
        }
        checked(request.body(self.body.clone()).send().await.unwrap()).await
    }

    async fn code(&self, trial: &Trial) -> String {
        code(&self.send(trial.server.http()).await)
    }
}

/// Checks what every answer must have; gives the `Response` member.
pub(super) async fn checked(answer: reqwest::Response) -> Value {
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert!(answer.headers().contains_key("content-length"));
    let value: Value = answer.json().await.unwrap();
    assert_eq!(value.as_object().unwrap().len(), 1);
    let response = value["Response"].clone();
    let id = response["RequestId"].as_str().unwrap();
    assert_eq!(id.len(), 36, "{id}");
    response
}

pub(super) fn code(response: &Value) -> String {
    response["Error"]["Code"].as_str().unwrap_or_default().to_owned()
}

async fn room_with(trial: &Trial, people: &[&str]) {
    for user in people {
        assert_eq!(trial.enter(&body(user)).await["code"], 0);
        trial.joined(&key(5), user).await;
    }
}

fn remove(room: u32, users: &[&str]) -> Value {
    json!({ "SdkAppId": APP, "RoomId": room, "UserIds": users })
}

#[tokio::test]
async fn removing_tells_the_engine_and_says_removed() {
    let trial = Trial::start().await;
    room_with(&trial, &["alice", "bob"]).await;
    let answer =
        Call::new("RemoveUser", &remove(5, &["alice", "nobody", "测试"])).send(trial.server.http()).await;
    assert_eq!(answer.as_object().unwrap().len(), 1, "a success has only its id: {answer}");
    let asked = trial.engine.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("remove 1400000001/n:5 alice"), "{asked:?}");
    assert!(asked[0].contains(r#""reason":1,"cause":"removed""#), "{asked:?}");
}

#[tokio::test]
async fn dismissing_ends_the_room_once() {
    let trial = Trial::start().await;
    room_with(&trial, &["alice"]).await;
    let call = Call::new("DismissRoom", &json!({ "SdkAppId": APP, "RoomId": 5 }));
    assert_eq!(call.code(&trial).await, "");
    let asked = trial.engine.asked();
    assert!(asked[0].contains(r#""reason":2,"cause":"dismissed""#), "{asked:?}");
    assert_eq!(call.code(&trial).await, "FailedOperation.RoomNotExist");
}

#[tokio::test]
async fn the_actions_for_texts_reach_rooms_named_by_text() {
    let trial = Trial::start().await;
    let mut entry = body("alice");
    entry["roomId"] = Value::Null;
    entry["strRoomId"] = json!("5");
    trial.enter(&entry).await;
    trial.joined("1400000001/s:5", "alice").await;
    let by_text = json!({ "SdkAppId": APP, "RoomId": "5", "UserIds": ["alice"] });
    assert_eq!(
        Call::new("RemoveUser", &remove(5, &["alice"])).code(&trial).await,
        "FailedOperation.RoomNotExist"
    );
    assert_eq!(Call::new("RemoveUserByStrRoomId", &by_text).code(&trial).await, "");
    let dismiss = json!({ "SdkAppId": APP, "RoomId": "5" });
    assert_eq!(Call::new("DismissRoomByStrRoomId", &dismiss).code(&trial).await, "");
    assert_eq!(trial.engine.asked().len(), 2);
}

#[tokio::test]
async fn a_reserved_seat_is_taken_back_before_anybody_sat_on_it() {
    let trial = Trial::start().await;
    assert_eq!(trial.enter(&body("alice")).await["code"], 0);
    assert_eq!(Call::new("RemoveUser", &remove(5, &["alice"])).code(&trial).await, "");
    assert_eq!(
        Call::new("RemoveUser", &remove(5, &["alice"])).code(&trial).await,
        "FailedOperation.RoomNotExist"
    );
}

#[tokio::test]
async fn a_get_is_signed_by_its_query() {
    let trial = Trial::start().await;
    room_with(&trial, &["test1"]).await;
    let query = format!("SdkAppId={APP}&RoomId=5&UserIds.0=test1&UserIds.1=%E6%B5%8B%E8%AF%95");
    let call = Call {
        method: "GET",
        query: &query,
        body: String::new(),
        content_type: "application/x-www-form-urlencoded",
        ..Call::new("RemoveUser", &Value::Null)
    };
    assert_eq!(call.code(&trial).await, "");
    assert_eq!(trial.engine.asked().len(), 1);
}

#[tokio::test]
async fn hand_written_clients_sign_the_action_too() {
    let trial = Trial::start().await;
    room_with(&trial, &["alice"]).await;
    let call = Call {
        signed: "content-type;host;x-tc-action",
        content_type: "application/json; charset=utf-8",
        ..Call::new("RemoveUser", &remove(5, &["alice"]))
    };
    assert_eq!(call.code(&trial).await, "");
}

#[tokio::test]
async fn who_is_not_believed_gets_nothing_done() {
    let trial = Trial::start().await;
    room_with(&trial, &["alice"]).await;
    let body = remove(5, &["alice"]);
    let good = || Call::new("RemoveUser", &body);
    let cases = [
        (Call { key: "wrong", ..good() }, "AuthFailure.SignatureFailure"),
        (Call { id: "AKIDwrong", ..good() }, "AuthFailure.SecretIdNotFound"),
        (Call { seconds: unix_now() - 400, ..good() }, "AuthFailure.SignatureExpire"),
        (Call { seconds: unix_now() + 400, ..good() }, "AuthFailure.SignatureExpire"),
        (Call { signed: "host", ..good() }, "AuthFailure.InvalidAuthorization"),
        (Call { version: "2017-01-01", ..good() }, "NoSuchVersion"),
        (Call { action: "StartCloudRecording", ..good() }, "InvalidAction"),
    ];
    for (call, wanted) in cases {
        assert_eq!(call.code(&trial).await, wanted);
    }
    let unknown = json!({ "SdkAppId": 99, "RoomId": 5, "UserIds": ["alice"] });
    assert_eq!(Call::new("RemoveUser", &unknown).code(&trial).await, "UnauthorizedOperation.SdkAppId");
    assert!(trial.engine.asked().is_empty());
}

#[tokio::test]
async fn even_nonsense_is_answered_in_the_envelope() {
    let trial = Trial::start().await;
    let url = trial.server.url();
    let client = &trial.client;
    let bare = checked(client.post(&url).body("x").send().await.unwrap()).await;
    assert_eq!(code(&bare), "MissingParameter");
    let unsigned = client.post(&url).header("x-tc-action", "RemoveUser").body("{}");
    assert_eq!(code(&checked(unsigned.send().await.unwrap()).await), "AuthFailure.InvalidAuthorization");
    let put = client.put(&url).header("x-tc-action", "RemoveUser").body("{}");
    assert_eq!(code(&checked(put.send().await.unwrap()).await), "UnsupportedProtocol");
    let old = client.get(format!("{url}/?Action=RemoveUser&Signature=x"));
    assert_eq!(code(&checked(old.send().await.unwrap()).await), "MissingParameter", "there is no SecretId");
    let huge = client.post(&url).header("x-tc-action", "RemoveUser").body(vec![b'x'; 300_000]);
    assert_eq!(code(&checked(huge.send().await.unwrap()).await), "RequestSizeLimitExceeded");
}

#[tokio::test]
async fn without_an_action_the_root_only_says_that_it_is_there() {
    let trial = Trial::start().await;
    let url = trial.server.url();
    let got = trial.client.get(&url).header("origin", "http://x.example").send().await.unwrap();
    assert_eq!(got.status(), 200);
    assert_eq!(got.headers()["access-control-allow-origin"], "http://x.example");
    assert_eq!(got.text().await.unwrap(), "OK");
    assert_eq!(trial.client.head(&url).send().await.unwrap().status(), 200);
}
