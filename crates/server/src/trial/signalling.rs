//! Entries that go on to real signalling on the embedded SFU, without media.

use std::time::Duration;

use confab_protocol::private_map_key::{PrivateMapKey, Privilege};
use confab_protocol::{ExitCause, RoomId, SdkAppId};
use confab_signal::{Claims, VideoGrant, decode_response, encode_request, lk};
use futures_util::{SinkExt, StreamExt};
use lk::DisconnectReason;
use lk::participant_info::State;
use lk::signal_request::Message as Request;
use lk::signal_response::Message;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message as Raw};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::rest::{Call, code};
use super::{API_SECRET, APP, APP_KEY, body, config, key};
use crate::clock::unix_now;
use crate::config::Config;
use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(5);

/// Somebody's websocket.
struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Line {
    async fn open(url: &str, token: &str) -> Result<Line, tungstenite::Error> {
        Line::open_from("", url, token).await
    }

    /// The same through a proxy that says which address it was asked from.
    async fn open_from(from: &str, url: &str, token: &str) -> Result<Line, tungstenite::Error> {
        let mut request = format!("{url}/rtc?protocol=16&auto_subscribe=1").into_client_request()?;
        if !from.is_empty() {
            request.headers_mut().insert("x-forwarded-for", from.parse().unwrap());
        }
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        connect_async(request).await.map(|(socket, _)| Line(socket))
    }

    async fn say(&mut self, request: Request) {
        self.0.send(Raw::Binary(encode_request(request).into())).await.unwrap();
    }

    /// The next message that `wanted` picks.
    async fn until<T>(&mut self, wanted: impl Fn(&Message) -> Option<T>) -> T {
        let search = async {
            loop {
                match self.0.next().await.expect("the server speaks on").unwrap() {
                    Raw::Binary(bytes) => {
                        let message = decode_response(&bytes).unwrap();
                        if let Some(found) = message.as_ref().and_then(&wanted) {
                            return found;
                        }
                    }
                    Raw::Close(_) => panic!("closed before it came"),
                    Raw::Text(_) | Raw::Ping(_) | Raw::Pong(_) | Raw::Frame(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("it comes in time")
    }

    async fn joined(&mut self) -> (String, String) {
        self.until(|message| {
            let Message::Join(join) = message else { return None };
            let room = join.room.as_ref().unwrap().name.clone();
            Some((room, join.participant.as_ref().unwrap().identity.clone()))
        })
        .await
    }

    async fn left(&mut self) -> DisconnectReason {
        self.until(|message| {
            let Message::Leave(leave) = message else { return None };
            Some(leave.reason())
        })
        .await
    }
}

async fn server() -> Server {
    let mut config = config();
    config.media = "127.0.0.1:0".parse().unwrap();
    config.workers = Some(1);
    Server::start(config).await.unwrap()
}

async fn enter(server: &Server, body: &Value) -> (String, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/enter", server.url());
    let answer: Value = client.post(url).body(body.to_string()).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
    (answer["url"].as_str().unwrap().to_owned(), answer["token"].as_str().unwrap().to_owned())
}

/// Enters and opens signalling.
async fn inside(server: &Server, body: &Value) -> Line {
    let (url, token) = enter(server, body).await;
    let mut line = Line::open(&url, &token).await.unwrap();
    line.joined().await;
    line
}

fn status(result: Result<Line, tungstenite::Error>) -> u16 {
    match result {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn an_entry_leads_into_its_room() {
    let server = server().await;
    let (url, token) = enter(&server, &body("alice")).await;
    let mut line = Line::open(&url, &token).await.unwrap();
    assert_eq!(line.joined().await, (key(5), "alice".to_owned()));
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn the_history_has_the_address_of_the_client_where_a_proxy_is_believed() {
    for (proxies, wanted) in [(vec!["127.0.0.0/8".parse().unwrap()], "203.0.113.9"), (vec![], "127.0.0.1")] {
        let media = "127.0.0.1:0".parse().unwrap();
        let config = Config { media, workers: Some(1), proxies, ..config() };
        let server = Server::start(config).await.unwrap();
        let begin = unix_now();
        let (url, token) = enter(&server, &body("alice")).await;
        let mut line = Line::open_from("6.6.6.6, 203.0.113.9, 127.0.0.7", &url, &token).await.unwrap();
        line.joined().await;
        let span = json!({ "SdkAppId": APP, "StartTime": begin, "EndTime": begin + 60 });
        let rooms = Call::new("DescribeRoomInfo", &span).send(server.http()).await;
        let mut people = span.clone();
        people["CommId"] = rooms["RoomList"][0]["CommId"].clone();
        let people = Call::new("DescribeUserInfo", &people).send(server.http()).await;
        assert_eq!(people["UserList"][0]["ClientIp"], wanted, "{people}");
        server.stop(ExitCause::ServerStopped).await;
    }
}

#[tokio::test]
async fn wrong_tokens_count_and_do_not_keep_good_ones_out() {
    let server = server().await;
    let (url, token) = enter(&server, &body("alice")).await;
    for _ in 0..30 {
        assert_eq!(status(Line::open(&url, "a.b.c").await), 401);
    }
    assert_eq!(status(Line::open(&url, "a.b.c").await), 429, "no reasons any more");
    let validate = format!("{}/rtc/validate?access_token=a.b.c", server.url());
    assert_eq!(reqwest::get(validate).await.unwrap().status(), 429);
    let mut line = Line::open(&url, &token).await.unwrap();
    line.joined().await;
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn the_removed_are_told_and_their_token_opens_nothing() {
    let server = server().await;
    let (url, token) = enter(&server, &body("alice")).await;
    let mut alice = Line::open(&url, &token).await.unwrap();
    alice.joined().await;
    let mut bob = inside(&server, &body("bob")).await;
    let remove = json!({ "SdkAppId": APP, "RoomId": 5, "UserIds": ["alice", "nobody"] });
    assert_eq!(code(&Call::new("RemoveUser", &remove).send(server.http()).await), "");
    assert_eq!(alice.left().await, DisconnectReason::ParticipantRemoved);
    assert_eq!(status(Line::open(&url, &token).await), 401);
    let gone = bob.until(|message| {
        let Message::Update(update) = message else { return None };
        update.participants.iter().find(|one| one.identity == "alice").cloned()
    });
    assert_eq!(gone.await.disconnect_reason(), DisconnectReason::ParticipantRemoved);
    inside(&server, &body("alice")).await;
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn a_goodbye_counts_even_from_a_client_that_is_gone_before_it_is_read() {
    let server = server().await;
    let mut alice = inside(&server, &body("alice")).await;
    let mut bob = inside(&server, &body("bob")).await;
    // Answers that cannot be written any more, and behind the questions the goodbye.
    let ping = Request::PingReq(lk::Ping::default());
    let goodbye = Request::Leave(lk::LeaveRequest::default());
    for request in std::iter::repeat_n(ping, 30).chain([goodbye]) {
        alice.0.feed(Raw::Binary(encode_request(request).into())).await.unwrap();
    }
    alice.0.flush().await.unwrap();
    let MaybeTlsStream::Plain(stream) = alice.0.get_ref() else { panic!("no TLS here") };
    // Closing then resets the connection, as a process does that ends with something unread.
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(alice);
    let gone = bob.until(|message| {
        let Message::Update(update) = message else { return None };
        let of_alice = update.participants.iter().find(|one| one.identity == "alice");
        of_alice.filter(|one| one.state() == State::Disconnected).cloned()
    });
    assert_eq!(gone.await.disconnect_reason(), DisconnectReason::ClientInitiated);
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn a_dismissed_room_is_left_by_everybody_and_can_be_made_again() {
    let server = server().await;
    let mut alice = inside(&server, &body("alice")).await;
    let mut bob = inside(&server, &body("bob")).await;
    let dismiss = json!({ "SdkAppId": APP, "RoomId": 5 });
    let by_text = json!({ "SdkAppId": APP, "RoomId": "5" });
    let wrong = Call::new("DismissRoomByStrRoomId", &by_text).send(server.http()).await;
    assert_eq!(code(&wrong), "FailedOperation.RoomNotExist");
    assert_eq!(code(&Call::new("DismissRoom", &dismiss).send(server.http()).await), "");
    assert_eq!(alice.left().await, DisconnectReason::RoomDeleted);
    assert_eq!(bob.left().await, DisconnectReason::RoomDeleted);
    let again = Call::new("DismissRoom", &dismiss).send(server.http()).await;
    assert_eq!(code(&again), "FailedOperation.RoomNotExist");
    let mut live = body("alice");
    live["scene"] = json!(1);
    inside(&server, &live).await;
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn of_two_entries_of_one_person_the_later_stays() {
    let server = server().await;
    let mut first = inside(&server, &body("alice")).await;
    let mut second = inside(&server, &body("alice")).await;
    assert_eq!(first.left().await, DisconnectReason::DuplicateIdentity);
    let remove = json!({ "SdkAppId": APP, "RoomId": 5, "UserIds": ["alice"] });
    assert_eq!(code(&Call::new("RemoveUser", &remove).send(server.http()).await), "");
    assert_eq!(second.left().await, DisconnectReason::ParticipantRemoved);
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn stopping_says_goodbye_to_everybody_at_once() {
    let server = server().await;
    let mut alice = inside(&server, &body("alice")).await;
    let begin = std::time::Instant::now();
    let (reason, ()) = tokio::join!(alice.left(), server.stop(ExitCause::ServerStopped));
    assert_eq!(reason, DisconnectReason::ServerShutdown);
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_plain_livekit_token_may_name_any_room() {
    let server = server().await;
    let url = server.url().replace("http", "ws");
    let token = |secret: &str| {
        let video = VideoGrant { room_join: true, room: "lobby".to_owned(), ..VideoGrant::default() };
        let (iss, sub) = ("devkey".to_owned(), "bot".to_owned());
        Claims { iss, sub, exp: unix_now() + 60, video, ..Claims::default() }.sign(secret).unwrap()
    };
    let mut bot = Line::open(&url, &token(API_SECRET)).await.unwrap();
    assert_eq!(bot.joined().await.0, "lobby");
    assert_eq!(status(Line::open(&url, &token("wrong")).await), 401);
    assert_eq!(status(Line::open(&url, "garbage").await), 401);
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn a_seat_is_for_one_connection_and_a_plain_token_may_open_a_second_that_only_sends() {
    let server = server().await;
    let (url, token) = enter(&server, &body("alice")).await;
    let second = |url: &str, token: &str| {
        let address = format!("{url}/rtc?protocol=16&publish=screen&access_token={token}");
        async move { connect_async(address).await.map(|(socket, _)| Line(socket)) }
    };
    let Err(tungstenite::Error::Http(answer)) = second(&url, &token).await else { panic!("let in") };
    let why = String::from_utf8(answer.body().clone().unwrap()).unwrap();
    assert_eq!(answer.status(), 400);
    assert!(why.contains("publish is not possible with a seat"), "{why}");

    let video = VideoGrant { room_join: true, room: "lobby".to_owned(), ..VideoGrant::default() };
    let (iss, sub) = ("devkey".to_owned(), "bot".to_owned());
    let plain =
        Claims { iss, sub, exp: unix_now() + 60, video, ..Claims::default() }.sign(API_SECRET).unwrap();
    let mut line = second(&url, &plain).await.unwrap();
    assert_eq!(line.joined().await, ("lobby".to_owned(), "bot#screen".to_owned()));
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn viewers_of_a_live_room_are_not_announced() {
    let server = server().await;
    let live = |user: &str, role: u8| {
        let mut entry = body(user);
        entry["scene"] = json!(1);
        entry["role"] = json!(role);
        entry
    };
    let _viewer = inside(&server, &live("viewer", 21)).await;
    let (url, token) = enter(&server, &live("anchor", 20)).await;
    let mut anchor = Line::open(&url, &token).await.unwrap();
    let others = anchor.until(|message| {
        let Message::Join(join) = message else { return None };
        Some(join.other_participants.len())
    });
    assert_eq!(others.await, 0);
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test]
async fn a_viewer_who_steps_up_is_seen_and_one_who_steps_down_may_not_send() {
    let server = server().await;
    let live = |user: &str, role: u8| {
        let mut entry = body(user);
        entry["scene"] = json!(1);
        entry["role"] = json!(role);
        entry
    };
    let mut anchor = inside(&server, &live("anchor", 20)).await;
    let mut viewer = inside(&server, &live("viewer", 21)).await;
    let change = async |role: u8| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut ask = live("viewer", role);
        ask["scene"] = Value::Null;
        let url = format!("{}/v1/role", server.url());
        let answer = client.post(url).body(ask.to_string()).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], 0);
    };
    let seen = |role: &'static str, may_publish: bool| {
        move |message: &Message| {
            let Message::Update(update) = message else { return None };
            update.participants.iter().find(|one| {
                let permission = one.permission.as_ref();
                one.identity == "viewer"
                    && one.attributes.get("confab.role").is_some_and(|given| given == role)
                    && permission.is_some_and(|permission| permission.can_publish == may_publish)
            })?;
            Some(())
        }
    };
    change(20).await;
    tokio::join!(viewer.until(seen("anchor", true)), anchor.until(seen("anchor", true)));
    change(21).await;
    tokio::join!(viewer.until(seen("audience", false)), anchor.until(seen("audience", false)));
    server.stop(ExitCause::ServerStopped).await;
}

/// What a client says that it is going to send.
fn announced(kind: lk::TrackType, source: lk::TrackSource) -> Request {
    let mut request = lk::AddTrackRequest { cid: source.as_str_name().to_owned(), ..Default::default() };
    request.set_type(kind);
    request.set_source(source);
    Request::AddTrack(request)
}

#[tokio::test]
async fn whoever_claims_more_than_they_may_is_refused_whatever_they_say() {
    const MICROPHONE: (lk::TrackType, lk::TrackSource) = (lk::TrackType::Audio, lk::TrackSource::Microphone);
    const CAMERA: (lk::TrackType, lk::TrackSource) = (lk::TrackType::Video, lk::TrackSource::Camera);
    const SCREEN: (lk::TrackType, lk::TrackSource) = (lk::TrackType::Video, lk::TrackSource::ScreenShare);
    const SOUND: (lk::TrackType, lk::TrackSource) = (lk::TrackType::Audio, lk::TrackSource::ScreenShareAudio);
    // Scene, role, bits of the permission, what they send, and the code that they are refused with: none
    // where it is let through, 0 where TRTC has no code of its own.
    let table = [
        (0, 20, 255, MICROPHONE, None),
        (0, 20, 255 - 4, MICROPHONE, Some(0)),
        (0, 20, 255, CAMERA, None),
        (0, 20, 255 - 16, CAMERA, Some(-102_013)),
        (0, 20, 255, SCREEN, None),
        (0, 20, 255 - 64, SCREEN, Some(-102_015)),
        (0, 20, 255 - 64, SOUND, Some(-102_015)),
        (0, 20, 255 - 4, SOUND, Some(-102_015)),
        (0, 21, 255, CAMERA, None),
        (1, 20, 255, CAMERA, None),
        (1, 21, 255, MICROPHONE, Some(0)),
        (1, 21, 255, CAMERA, Some(-102_013)),
        (1, 21, 255, SCREEN, Some(-102_015)),
        (2, 20, 255, MICROPHONE, None),
        (2, 20, 255, CAMERA, Some(-102_013)),
        (2, 20, 255, SCREEN, Some(-102_015)),
        (3, 20, 255, CAMERA, Some(-102_013)),
        (3, 21, 255, MICROPHONE, Some(0)),
    ];
    let server = server().await;
    for (row, (scene, role, bits, (kind, source), code)) in table.into_iter().enumerate() {
        let number = 100 + u32::try_from(row).unwrap();
        let permission = PrivateMapKey {
            account: "mallory".to_owned(),
            app: SdkAppId(APP),
            room: RoomId::number(number).unwrap(),
            expires: 0,
            bits: Privilege(bits),
        };
        let mut entry = body("mallory");
        entry["roomId"] = json!(number);
        entry["scene"] = json!(scene);
        entry["role"] = json!(role);
        entry["privateMapKey"] = json!(permission.sign(APP_KEY, 600, unix_now()).unwrap());
        let mut mallory = inside(&server, &entry).await;
        mallory.say(announced(kind, source)).await;
        let answer = mallory.until(|message| {
            if let Message::RequestResponse(refused) = message {
                return Some(Some(refused.message.clone()));
            }
            matches!(message, Message::TrackPublished(_)).then_some(None)
        });
        let answer = answer.await;
        let wanted = code.map(|code| {
            let why = "You may not send this here.";
            if code == 0 { why.to_owned() } else { format!("{why} ({code})") }
        });
        assert_eq!(answer, wanted, "row {row}");
    }
    server.stop(ExitCause::ServerStopped).await;
}

/// A plain test: the threads are the server's own.
#[test]
fn a_hosted_server_starts_and_stops_from_any_thread() {
    let config = || {
        let mut config = config();
        config.media = "127.0.0.1:0".parse().unwrap();
        config
    };
    let hosted = Server::spawn(config()).unwrap();
    let address = hosted.http();
    assert_eq!(hosted.url(), format!("http://{address}"));
    std::net::TcpStream::connect(address).unwrap();
    let taken = Server::spawn(crate::Config { http: address, ..config() }).unwrap_err();
    assert!(matches!(taken, crate::StartError::PortInUse { .. }), "{taken}");
    hosted.stop(ExitCause::HostStopped);
    std::net::TcpListener::bind(address).expect("the port is free");
    // Inside a runtime, and by being dropped.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = runtime.block_on(async { Server::spawn(config()).unwrap().http() });
    std::net::TcpListener::bind(address).expect("dropping stops");
}
