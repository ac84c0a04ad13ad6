//! What happens in rooms reaches the history and an app's own server, and the end of both.

use axum::body::Bytes;
use axum::routing::post;
use confab_protocol::{ExitCause, RoomId, SdkAppId};
use tokio::sync::mpsc;

use super::{APP, APP_KEY, Trial, config};
use crate::clock::unix_now;
use crate::config::{AppConfig, CallbackConfig, Config};
use crate::control::Listener as _;
use crate::happening::{Happening, What};
use crate::server::{Server, StartError};

fn created(room: u32) -> Happening {
    let (created, what) = (unix_now(), What::RoomCreated { by: "ann".parse().unwrap() });
    let room = RoomId::number(room).unwrap();
    Happening { app: SdkAppId(APP), room, created, at_ms: created * 1000, what }
}

#[tokio::test]
async fn a_server_that_stops_has_told_everything_and_lets_the_database_go() {
    let (note, mut told) = mpsc::channel(16);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let take = post(move |body: Bytes| {
        note.try_send(body).unwrap();
        async { "{\"code\":0}" }
    });
    let router = axum::Router::new().route("/", take);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let database = Some(folder.path().join("confab.db"));
    let callback = Some(CallbackConfig { url, key: "plantedCallback".to_owned() });
    let app = vec![AppConfig { callback, ..AppConfig::new(APP, APP_KEY) }];
    let config = Config { app, database, ..config() };
    let trial = Trial::with(config.clone()).await;
    let second = Server::start(Config { media: "127.0.0.1:0".parse().unwrap(), ..config.clone() }).await;
    let said = second.map(drop).unwrap_err();
    assert!(matches!(said, StartError::History(_)), "{said}");
    assert!(said.to_string().contains("in use by another server"), "{said}");
    for room in 1..=9 {
        trial.listeners.tell(&created(room));
    }
    trial.listeners.history.keep("7/n:1".to_owned(), Some("{}".to_owned()));
    trial.server.stop(ExitCause::ServerStopped).await;
    assert_eq!(std::iter::from_fn(|| told.try_recv().ok()).count(), 9);

    let trial = Trial::with(config).await;
    let history = &trial.listeners.history;
    assert_eq!(history.kept().await.unwrap(), [("7/n:1".to_owned(), "{}".to_owned())]);
    let page = crate::history::Page { number: 0, size: 100 };
    let now = unix_now();
    let query = crate::history::RoomQuery { app: APP, start: 0, end: now, now, name: None, page };
    let rows = history.rooms(query).await.unwrap();
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|row| row.closed.is_some()), "they ended with the server: {rows:?}");
}

#[tokio::test]
async fn a_dropped_server_lets_the_database_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { database: Some(folder.path().join("confab.db")), ..config() };
    drop(Trial::with(config.clone()).await);
    let again = async {
        loop {
            let config = Config { media: "127.0.0.1:0".parse().unwrap(), ..config.clone() };
            match Server::start(config).await {
                Ok(server) => return server,
                Err(StartError::History(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), again).await.expect("the file is free");
}
