//! Sends an example to a server in which things stand as the example supposes.

use confab_protocol::{Role, RoomId, SdkAppId, user_sig};
use serde_json::{Value, json};

use crate::clock::unix_now;
use crate::config::{AppConfig, Config};
use crate::control::Listener as _;
use crate::happening::{ClientInfo, Happening, What};
use crate::rest::signature::hmac;
use crate::trial::rest::Call;
use crate::trial::{APP, APP_KEY, CLOUD_ID, CLOUD_KEY, Trial, config, key, sig};

const ROOM: u32 = 123;
/// The times of the examples begin here.
const THEN: u64 = 1_700_000_000;

/// A request of an example.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) example: &'a str,
    pub(super) body: Body<'a>,
}

/// What a request says.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Nothing,
    Json(&'a Value),
    /// Parameters that bear the older signature.
    Form(&'a Value),
    /// The same in the query.
    Query(&'a Value),
}

impl<'a> Body<'a> {
    pub(super) fn value(self) -> Option<&'a Value> {
        match self {
            Body::Nothing => None,
            Body::Json(value) | Body::Form(value) | Body::Query(value) => Some(value),
        }
    }
}

impl<'a> Asked<'a> {
    /// A POST.
    pub(super) fn post(path: &'a str, example: &'a str, body: Body<'a>) -> Asked<'a> {
        Asked { method: "post", path, example, body }
    }

    /// Status, media type and answer of a new server, text that is no JSON as a string.
    pub(super) async fn send(&self) -> (u16, String, Value) {
        let passcode = Some("open sesame".to_owned());
        let guests = AppConfig { guests: true, passcode, ..AppConfig::new(APP, APP_KEY) };
        let trial = Trial::with(Config { app: vec![guests], ..config() }).await;
        let token = self.prepare(&trial).await;
        if let ("/", Body::Json(body)) = (self.path, self.body) {
            // Its media type is looked at there.
            let answer = Call::new(self.example, &filled(body)).send(trial.server.http()).await;
            return (200, "application/json".to_owned(), json!({ "Response": answer }));
        }
        let mut answer = self.once(&trial, &token).await;
        for _ in 0..40 {
            if self.example != "too_often" || answer.0 == 429 {
                break;
            }
            answer = self.once(&trial, &token).await;
        }
        answer
    }

    async fn once(&self, trial: &Trial, token: &str) -> (u16, String, Value) {
        let url = format!("{}{}", trial.server.url(), self.path);
        let method = self.method.to_uppercase();
        let host = trial.server.http().to_string();
        let request = |url: String| trial.client.request(method.parse().unwrap(), url);
        let mut request = match self.body {
            Body::Nothing => request(url),
            Body::Json(body) => request(url).body(filled(body).to_string()),
            Body::Query(query) => request(format!("{url}?{}", signed(&method, &host, query))),
            Body::Form(form) => request(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(signed(&method, &host, form)),
        };
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let media = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        let text = text.replace(&host, "127.0.0.1:7880");
        (status, media, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Brings people into the room; answers with the token that the example shows.
    async fn prepare(&self, trial: &Trial) -> String {
        let action = self.path.strip_prefix("/v1/room/").unwrap_or_default();
        if self.example == "too_often" {
            return if action.is_empty() { String::new() } else { "a.b.c".to_owned() };
        }
        match (self.path, self.example) {
            ("/v1/enter", "waiting") => {
                let ann = inside(trial, "ann", 0).await;
                act(trial, &ann, "waitingRoom", json!({ "on": true })).await;
                String::new()
            }
            ("/v1/role", example) => {
                let token = inside(trial, "ann", 1).await;
                if example == "with_signature" { String::new() } else { token }
            }
            ("/", "RemoveUser" | "DismissRoom" | "form") => inside(trial, "ann", 0).await,
            ("/", "DescribeRoomInfo" | "DescribeUserInfo") => {
                remember(trial);
                String::new()
            }
            _ if !action.is_empty() => hosted(trial, action, self.example == "no_host").await,
            _ => String::new(),
        }
    }
}

/// Parameters as they stand in a form or a query, with a signature of now where they have one.
fn signed(method: &str, host: &str, parameters: &Value) -> String {
    let parameters = filled(parameters);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in parameters.as_object().unwrap().iter().filter(|(name, _)| *name != "Signature") {
        pairs.push((name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    if parameters.get("Signature").is_some() {
        let signature = hmac::sign(hmac::Request { method, host, pairs: &pairs }, CLOUD_KEY);
        pairs.push(("Signature".to_owned(), signature));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Ann hosts, Bob is inside, Carol waits or is kept out.
async fn hosted(trial: &Trial, action: &str, as_bob: bool) -> String {
    let (ann, bob) = (inside(trial, "ann", 0).await, inside(trial, "bob", 0).await);
    match action {
        "admit" | "deny" => {
            act(trial, &ann, "waitingRoom", json!({ "on": true })).await;
            assert_eq!(trial.enter(&entry("carol", 0)).await["waiting"], true);
        }
        "unban" => {
            inside(trial, "carol", 0).await;
            act(trial, &ann, "remove", json!({ "userId": "carol", "ban": true })).await;
        }
        _ => {}
    }
    if as_bob { bob } else { ann }
}

fn entry(user: &str, scene: u8) -> Value {
    json!({ "sdkAppId": APP, "userId": user, "userSig": sig(user), "roomId": ROOM, "scene": scene, "role": 20 })
}

/// Lets somebody in; answers with their token.
async fn inside(trial: &Trial, user: &str, scene: u8) -> String {
    let answer = trial.enter(&entry(user, scene)).await;
    trial.joined(&key(ROOM), user).await;
    answer["token"].as_str().unwrap().to_owned()
}

async fn act(trial: &Trial, token: &str, action: &str, body: Value) {
    let url = format!("{}/v1/room/{action}", trial.server.url());
    let request = trial.client.post(url).bearer_auth(token).body(body.to_string());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
}

/// Ann has opened the room a while ago and is in it.
fn remember(trial: &Trial) {
    let (created, room) = (began(), RoomId::number(ROOM).unwrap());
    let client = ClientInfo {
        os: "linux".to_owned(),
        sdk: "rust 1.0".to_owned(),
        address: Some("192.0.2.7".parse().unwrap()),
        ..ClientInfo::default()
    };
    let user = || "ann".parse().unwrap();
    for what in [
        What::RoomCreated { by: user() },
        What::Entered { user: user(), role: Role::Anchor, again: false, client },
    ] {
        let (app, at_ms) = (SdkAppId(APP), created * 1000);
        trial.listeners.tell(&Happening { app, room: room.clone(), created, at_ms, what });
    }
}

fn began() -> u64 {
    unix_now() - 3600 + 60
}

/// An example with signatures and times of now.
fn filled(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), filled(member))).collect()
        }
        Value::Array(items) => items.iter().map(filled).collect(),
        Value::String(text) => match text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
            None => body.clone(),
            Some("id of the call") => json!(format!("{APP}_{ROOM}_{}", began())),
            Some("SecretId") => json!(CLOUD_ID),
            Some("signature") => body.clone(),
            Some("expired UserSig of ann") => {
                json!(user_sig::sign(SdkAppId(APP), APP_KEY, "ann", 60, unix_now() - 3600, None))
            }
            Some(what) => json!(sig(what.strip_prefix("UserSig of ").unwrap().split(' ').next().unwrap())),
        },
        Value::Number(number) => match number.as_u64() {
            Some(then @ THEN..) if then < 2 * THEN => json!(unix_now() - 3600 + (then - THEN)),
            _ => body.clone(),
        },
        Value::Null | Value::Bool(_) => body.clone(),
    }
}

/// Whether an answer is the example's but for what stands in angle brackets, times and seconds.
pub(super) fn alike(example: &Value, answer: &Value) -> bool {
    match (example, answer) {
        (Value::Object(wanted), Value::Object(real)) if wanted.contains_key("openapi") => {
            wanted["openapi"] == real["openapi"]
        }
        (Value::Object(wanted), Value::Object(real)) => {
            wanted.len() == real.len()
                && wanted.iter().all(|(name, wanted)| {
                    real.get(name).is_some_and(|real| name == "retryAfter" || alike(wanted, real))
                })
        }
        (Value::Array(wanted), Value::Array(real)) => {
            wanted.len() == real.len() && wanted.iter().zip(real).all(|(wanted, real)| alike(wanted, real))
        }
        (Value::String(wanted), Value::String(real)) => match wanted.split_once('<') {
            Some((before, _)) => real.starts_with(before),
            None if wanted.starts_with("Too many attempts") => real.starts_with("Too many attempts"),
            None => wanted == real || real.lines().any(|line| line == wanted),
        },
        (Value::Number(wanted), Value::Number(real)) => {
            let time = |number: &serde_json::Number| number.as_u64().is_some_and(|number| number >= THEN);
            wanted == real || (time(wanted) && time(real))
        }
        (wanted, real) => wanted == real,
    }
}
