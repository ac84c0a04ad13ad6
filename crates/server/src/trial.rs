//! A real server on a free port around an engine that only writes down what it is told.

mod attempts;
mod describe;
mod enter;
mod invite;
mod listeners;
mod openapi;
mod port;
mod rest;
mod role;
mod signalling;
mod tls;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use axum::Router;
use confab_protocol::{ExitCause, Notice, RoomId, SdkAppId, user_sig};
use confab_signal::lk;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::unix_now;
use crate::config::{ApiKey, AppConfig, CloudKey, Config};
use crate::engine::{Engine, EngineError, EngineEvent, Kind, ListenError, Permission};
use crate::http::Shared;
use crate::listeners::Listeners;
use crate::server::Server;

const APP: u32 = 1_400_000_001;
const APP_KEY: &str = "planted-app-key-5bd2850fff3ecb11";
const API_SECRET: &str = "planted-api-secret-7c80";
const CLOUD_ID: &str = "AKIDtrial";
const CLOUD_KEY: &str = "planted-cloud-key-15d3";

/// Knows the rooms it is told of and remembers what it was asked.
#[derive(Debug, Default)]
struct Recorder {
    rooms: Mutex<Vec<(String, Vec<String>)>>,
    asked: Mutex<Vec<String>>,
    /// The metadata set last, of any room.
    state: Mutex<String>,
}

impl Recorder {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    /// What was asked since the last call.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn find(&self, room: &str, identity: &str) -> Result<(), EngineError> {
        let rooms = self.rooms.lock().unwrap();
        let (_, people) = rooms.iter().find(|(name, _)| name == room).ok_or(EngineError::NoRoom)?;
        people.iter().any(|one| one == identity).then_some(()).ok_or(EngineError::NoParticipant)
    }
}

fn cause(notice: &Notice) -> String {
    String::from_utf8(notice.to_json()).unwrap()
}

#[async_trait]
impl Engine for Recorder {
    async fn rooms(&self) -> Result<Vec<lk::Room>, EngineError> {
        Ok(Vec::new())
    }

    async fn listen(&self, _: IpAddr) -> Result<(), ListenError> {
        Ok(())
    }

    async fn participants(&self, _: &str) -> Result<Vec<lk::ParticipantInfo>, EngineError> {
        Ok(Vec::new())
    }

    async fn remove(&self, room: &str, identity: &str, notice: Notice) -> Result<(), EngineError> {
        self.find(room, identity)?;
        self.note(format!("remove {room} {identity} {}", cause(&notice)));
        Ok(())
    }

    async fn dismiss(&self, room: &str, notice: Notice) -> Result<(), EngineError> {
        let mut rooms = self.rooms.lock().unwrap();
        let index = rooms.iter().position(|(name, _)| name == room).ok_or(EngineError::NoRoom)?;
        rooms.remove(index);
        drop(rooms);
        self.note(format!("dismiss {room} {}", cause(&notice)));
        Ok(())
    }

    async fn set_permission(&self, room: &str, identity: &str, p: Permission) -> Result<(), EngineError> {
        self.note(format!("permission {room} {identity} publish={} hidden={}", p.publish.any(), p.hidden));
        Ok(())
    }

    async fn set_attributes(
        &self,
        room: &str,
        identity: &str,
        attributes: HashMap<String, String>,
    ) -> Result<(), EngineError> {
        self.note(format!("attributes {room} {identity} {attributes:?}"));
        Ok(())
    }

    async fn mute(&self, _: &str, _: &str, _: &str, _: bool) -> Result<(), EngineError> {
        Ok(())
    }

    async fn silence(&self, room: &str, identity: &str, kind: Kind) -> Result<(), EngineError> {
        self.note(format!("silence {room} {identity} {kind:?}"));
        Ok(())
    }

    async fn set_metadata(&self, _: &str, metadata: String) -> Result<(), EngineError> {
        *self.state.lock().unwrap() = metadata;
        Ok(())
    }

    async fn send_data(
        &self,
        room: &str,
        topic: &str,
        payload: Vec<u8>,
        _: Vec<String>,
    ) -> Result<(), EngineError> {
        self.note(format!("data {room} {topic} {}", String::from_utf8(payload).unwrap()));
        Ok(())
    }

    async fn shutdown(&self, notice: Option<Notice>) -> Result<(), EngineError> {
        self.note(format!("shutdown {}", notice.as_ref().map(cause).unwrap_or_default()));
        Ok(())
    }
}

/// A server, the engine behind it, and a client.
#[derive(Debug)]
struct Trial {
    server: Server,
    engine: Arc<Recorder>,
    events: mpsc::Sender<EngineEvent>,
    listeners: Listeners,
    client: reqwest::Client,
}

fn config() -> Config {
    Config {
        http: "127.0.0.1:0".parse().unwrap(),
        app: vec![AppConfig::new(APP, APP_KEY), AppConfig::new(7, "other-key")],
        api_key: vec![ApiKey { key: "devkey".to_owned(), secret: API_SECRET.to_owned() }],
        cloud_key: vec![CloudKey { id: CLOUD_ID.to_owned(), key: CLOUD_KEY.to_owned() }],
        ..Config::default()
    }
}

impl Trial {
    async fn start() -> Trial {
        Trial::with(config()).await
    }

    async fn with(config: Config) -> Trial {
        let engine = Arc::new(Recorder::default());
        let (mut sender, listeners) = (None, OnceLock::new());
        let give = Arc::clone(&engine);
        let make = |_: &Config, events| {
            sender = Some(events);
            let routes = |shared: &Arc<Shared>| {
                listeners.set(shared.listeners.clone()).unwrap();
                Router::new()
            };
            Ok((give as Arc<dyn Engine>, routes))
        };
        let server = Server::assemble(config, make).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (events, listeners) = (sender.unwrap(), listeners.into_inner().unwrap());
        Trial { server, engine, events, listeners, client }
    }

    /// Posts JSON to a path and gives the status and the answer.
    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let url = format!("{}{path}", self.server.url());
        let answer = self.client.post(url).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    async fn enter(&self, body: &Value) -> Value {
        let (status, answer) = self.post("/v1/enter", body.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Says that somebody joined, and waits until the room service knows.
    async fn joined(&self, room: &str, identity: &str) {
        let people = self.people().await;
        {
            let mut rooms = self.engine.rooms.lock().unwrap();
            match rooms.iter_mut().find(|(name, _)| name == room) {
                Some((_, inside)) => inside.push(identity.to_owned()),
                None => rooms.push((room.to_owned(), vec![identity.to_owned()])),
            }
        }
        let (room, identity) = (room.to_owned(), identity.to_owned());
        self.events.send(EngineEvent::Joined { room, identity, ticket: None }).await.unwrap();
        while self.people().await == people {
            tokio::task::yield_now().await;
        }
    }

    async fn people(&self) -> u64 {
        let url = format!("{}/healthz", self.server.url());
        let health: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        health["people"].as_u64().unwrap()
    }
}

/// The body of an entry of `user` into room 5.
fn body(user: &str) -> Value {
    json!({
        "sdkAppId": APP, "userId": user, "userSig": sig(user), "roomId": 5, "scene": 0, "role": 20,
    })
}

fn sig(user: &str) -> String {
    user_sig::sign(SdkAppId(APP), APP_KEY, user, 3600, unix_now(), None)
}

fn key(room: u32) -> String {
    RoomId::number(room).unwrap().key(SdkAppId(APP))
}

#[tokio::test]
async fn stopping_ends_a_hosted_room_and_only_interrupts_that_of_a_server_and_frees_the_port() {
    for (cause, said) in [
        (ExitCause::HostStopped, Some(r#""reason":2,"cause":"host_stopped""#)),
        (ExitCause::ServerStopped, None),
    ] {
        let trial = Trial::start().await;
        let (address, engine) = (trial.server.http(), Arc::clone(&trial.engine));
        trial.server.stop(cause).await;
        let asked = engine.asked();
        let notice = asked[0].strip_prefix("shutdown ").expect("the engine is shut down");
        assert!(said.map_or(notice.is_empty(), |said| notice.contains(said)), "{asked:?}");
        std::net::TcpListener::bind(address).expect("the port is free again");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = Config { http: address, ..config() };
    let error = Server::start(config).await.unwrap_err().to_string();
    let port = format!("HTTP port {} on 127.0.0.1 is already in use", address.port());
    assert!(error.starts_with(&port) && error.contains("--http"), "{error}");
}
