//! The signalling endpoint as a client meets it: over HTTP and a websocket.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use confab_signal::{Claims, JoinQuery, VideoGrant, decode_response, encode_request, lk};
use futures_util::{SinkExt, StreamExt};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Admission, Admit, Refusal, State, TokenKeys, routes};
use crate::happening::ClientInfo;
use crate::sfu::{Embedded, EmbeddedConfig};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug)]
struct Keys;

impl TokenKeys for Keys {
    fn secret(&self, issuer: &str) -> Option<String> {
        (issuer == "key").then(|| "secret".to_owned())
    }
}

#[derive(Debug)]
struct Doorman;

#[async_trait]
impl Admit for Doorman {
    async fn admit(&self, room: &str, _: &str, _: &Claims, _: ClientInfo) -> Result<Admission, Refusal> {
        if room == "full" {
            return Err(Refusal { status: 403, message: "the room is full".into() });
        }
        Ok(Admission::plain())
    }

    fn wrong_token(&self, _: Option<std::net::IpAddr>) -> Option<Refusal> {
        None
    }
}

async fn serve() -> String {
    let (to, mut events) = mpsc::channel(16);
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let media = "127.0.0.1:0".parse().unwrap();
    let config = EmbeddedConfig { media, workers: Some(1), advertise: Vec::new(), tcp: true };
    let engine = Arc::new(Embedded::start(&config, &to).unwrap());
    let router = routes(State { engine, keys: Arc::new(Keys), admit: Arc::new(Doorman) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

fn claims(room: &str) -> Claims {
    Claims {
        iss: "key".into(),
        sub: "ann".into(),
        exp: u64::from(u32::MAX),
        video: VideoGrant { room_join: true, room: room.into(), ..VideoGrant::default() },
        ..Claims::default()
    }
}

fn query(claims: &Claims) -> JoinQuery {
    JoinQuery { access_token: claims.sign("secret").unwrap(), ..JoinQuery::default() }
}

async fn connect(server: &str, query: &JoinQuery) -> Socket {
    connect_async(format!("ws://{server}/rtc?{}", query.to_query())).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Option<Message> {
    tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap().map(Result::unwrap)
}

/// The next signalling message in a binary frame; `None` at the close.
async fn heard(socket: &mut Socket) -> Option<Response> {
    loop {
        match next(socket).await? {
            Message::Binary(bytes) => return decode_response(&bytes).unwrap(),
            Message::Close(frame) => {
                assert_eq!(u16::from(frame.unwrap().code), 1000);
                return None;
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Text(_) | Message::Frame(_) => panic!("not asked for text"),
        }
    }
}

async fn get(server: &str, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{server}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_good_token_gets_the_join_first_and_pings_are_answered() {
    let server = serve().await;
    let mut socket = connect(&server, &query(&claims("r"))).await;
    assert!(matches!(heard(&mut socket).await, Some(Response::Join(_))));
    socket.send(Message::Binary(encode_request(Request::Ping(5)).into())).await.unwrap();
    while !matches!(heard(&mut socket).await.unwrap(), Response::Pong(_)) {}
}

#[tokio::test]
async fn text_is_answered_in_text_and_nonsense_is_ignored() {
    let server = serve().await;
    let mut socket = connect(&server, &query(&claims("r"))).await;
    assert!(matches!(heard(&mut socket).await, Some(Response::Join(_))));
    for noise in [vec![0xff; 100], vec![], b"{".to_vec(), vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
        socket.send(Message::Binary(noise.into())).await.unwrap();
    }
    socket.send(Message::Text("{\"nonsense\":".into())).await.unwrap();
    socket.send(Message::Text(r#"{"ping":"5"}"#.into())).await.unwrap();
    loop {
        let message = next(&mut socket).await.unwrap();
        assert!(!message.is_close());
        if message.is_text() && message.to_text().unwrap().contains("pong") {
            break;
        }
    }
}

#[tokio::test]
async fn a_leave_closes_the_websocket_in_order() {
    let server = serve().await;
    let mut socket = connect(&server, &query(&claims("r"))).await;
    let leave = Request::Leave(lk::LeaveRequest::default());
    socket.send(Message::Binary(encode_request(leave).into())).await.unwrap();
    while heard(&mut socket).await.is_some() {}
}

#[tokio::test]
async fn the_same_identity_again_ends_the_first_websocket() {
    let server = serve().await;
    let mut first = connect(&server, &query(&claims("r"))).await;
    assert!(matches!(heard(&mut first).await, Some(Response::Join(_))));
    let mut second = connect(&server, &query(&claims("r"))).await;
    assert!(matches!(heard(&mut second).await, Some(Response::Join(_))));
    let mut last = None;
    while let Some(said) = heard(&mut first).await {
        last = Some(said);
    }
    let Some(Response::Leave(leave)) = last else { panic!("{last:?}") };
    assert_eq!(leave.reason(), lk::DisconnectReason::DuplicateIdentity);
}

#[tokio::test]
async fn a_resume_of_an_unknown_session_is_told_to_start_over() {
    let server = serve().await;
    let again = JoinQuery { reconnect: true, sid: "PA_gone".into(), ..query(&claims("r")) };
    let mut socket = connect(&server, &again).await;
    let Some(Response::Leave(leave)) = heard(&mut socket).await else { panic!("no leave") };
    assert_eq!(leave.action(), lk::leave_request::Action::Reconnect);
    assert_eq!(heard(&mut socket).await, None);
}

#[tokio::test]
async fn whoever_may_not_join_is_told_before_the_upgrade() {
    let server = serve().await;
    let validate = |query: JoinQuery| format!("/rtc/validate?{}", query.to_query());
    assert_eq!(get(&server, &validate(query(&claims("r")))).await, (200, "success".into()));
    let (status, text) = get(&server, "/rtc/validate").await;
    assert!(status == 401 && text.starts_with("unauthorized"), "{status} {text}");
    let forged = JoinQuery { access_token: claims("r").sign("other").unwrap(), ..JoinQuery::default() };
    assert_eq!(get(&server, &validate(forged)).await.0, 401);
    let mut no_grant = claims("r");
    no_grant.video.room_join = false;
    assert_eq!(get(&server, &validate(query(&no_grant))).await.0, 401);
    assert_eq!(get(&server, &validate(query(&claims("")))).await.0, 400);
    let full = get(&server, &validate(query(&claims("full")))).await;
    assert_eq!(full, (403, "the room is full".into()));
    let refused = connect_async(format!("ws://{server}/rtc?access_token=x")).await.unwrap_err();
    assert!(refused.to_string().contains("401"), "{refused}");
}

#[tokio::test]
async fn the_single_connection_protocol_and_plain_requests_get_404() {
    let server = serve().await;
    for path in ["/rtc/v1", "/rtc/v1/validate", "/rtc", "/rtc/v1?access_token=x"] {
        let (status, text) = get(&server, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(!text.contains("requested room does not exist"));
    }
}
