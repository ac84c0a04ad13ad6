//! The official Tencent Cloud SDK removes our people and dismisses our rooms.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use confab_media::{SpeakerSink, VideoConfig};
use confab_protocol::{Event, ExitCause, ExitReason, LeaveReason, RawEnterParams, SdkAppId, user_sig};
use confab_server::{AppConfig, CloudKey, Config, Hosted, Server};
use confab_session::{Receive, Session, SessionConfig};
use interop::Tencent;
use serde_json::{Value, json};
use tokio::sync::mpsc;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const APP_KEY: &str = "a key that only this test knows";
const ID: &str = "AKIDinterop";
const KEY: &str = "a secret that only this test knows";
/// The ways in which the SDK signs, as its profile names them.
const SIGNATURES: [&str; 3] = ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"];
const PATIENCE: Duration = Duration::from_secs(20);

fn server() -> Hosted {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let config = Config {
        http: any,
        media: any,
        workers: Some(1),
        app: vec![AppConfig::new(APP.0, APP_KEY)],
        cloud_key: vec![CloudKey { id: ID.to_owned(), key: KEY.to_owned() }],
        ..Config::default()
    };
    Server::spawn(config).unwrap()
}

/// Somebody with one of our sessions.
struct Person {
    session: Session,
    events: mpsc::Receiver<Event>,
}

impl Person {
    async fn enter(server: &str, user: &str, room: RawEnterParams) -> Result<Person> {
        let (session, events) = Session::start(SessionConfig {
            agent: "interop".to_owned(),
            receive: Receive::None,
            video: VideoConfig::default(),
            speaker: SpeakerSink::Null,
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let params = RawEnterParams {
            server: Some(server.to_owned()),
            sdk_app_id: Some(i64::from(APP.0)),
            user_id: Some(user.to_owned()),
            user_sig: Some(user_sig::sign(APP, APP_KEY, user, 600, now, None)),
            ..room
        };
        session.enter_room(params).await?;
        let mut person = Person { session, events };
        let result = person.until(|event| {
            let Event::OnEnterRoom { result } = event else { return None };
            Some(*result)
        });
        match result.await? {
            1.. => Ok(person),
            code => bail!("{user} did not enter: {code}"),
        }
    }

    /// What `wanted` finds in the next event that has it; others before are passed over, and
    /// named if it does not come.
    async fn until<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> Result<T> {
        let mut passed = Vec::new();
        let next = async {
            while let Some(event) = self.events.recv().await {
                if let Some(found) = wanted(&event) {
                    return Ok(found);
                }
                passed.push(event);
            }
            bail!("the session ended")
        };
        let found = tokio::time::timeout(PATIENCE, next).await;
        found.with_context(|| format!("not told in time, but {passed:?}"))?
    }

    async fn exit(&mut self) -> Result<(ExitReason, ExitCause)> {
        self.until(|event| {
            let Event::OnExitRoom { reason, cause, .. } = event else { return None };
            Some((*reason, *cause))
        })
        .await
    }

    async fn sees_leave(&mut self, user: &str) -> Result<LeaveReason> {
        self.until(|event| {
            let Event::OnRemoteUserLeaveRoom { user_id, reason } = event else { return None };
            (user_id == user).then_some(*reason)
        })
        .await
    }
}

fn number(room: i64) -> RawEnterParams {
    RawEnterParams { room_id: Some(room), ..RawEnterParams::default() }
}

fn text(room: &str) -> RawEnterParams {
    RawEnterParams { str_room_id: Some(room.to_owned()), ..RawEnterParams::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_removes_one_and_dismisses_the_rest_of_a_numbered_room() -> Result<()> {
    let server = server();
    let mut sdk = Tencent::start(server.http(), ID, KEY)?;
    let mut ann = Person::enter(&server.url(), "ann", number(123)).await?;
    let mut bob = Person::enter(&server.url(), "bob", number(123)).await?;
    let mut other = Person::enter(&server.url(), "ann", text("123")).await?;

    let remove = json!({ "SdkAppId": APP.0, "RoomId": 123, "UserIds": ["ann", "nobody"] });
    assert_eq!(sdk.ask("RemoveUser", &remove)?, "");
    assert_eq!(ann.exit().await.context("ann")?, (ExitReason::Removed, ExitCause::Removed));
    assert_eq!(bob.sees_leave("ann").await.context("bob sees ann")?, LeaveReason::Removed);
    assert_eq!(sdk.get("RemoveUser", &remove)?, "", "she is not there any more, which is no error");

    let mut again = Person::enter(&server.url(), "ann", number(123)).await?;
    let dismiss = json!({ "SdkAppId": APP.0, "RoomId": 123 });
    assert_eq!(sdk.ask("DismissRoom", &dismiss)?, "");
    assert_eq!(bob.exit().await.context("bob")?, (ExitReason::Dismissed, ExitCause::Dismissed));
    assert_eq!(again.exit().await.context("ann again")?, (ExitReason::Dismissed, ExitCause::Dismissed));
    assert_eq!(sdk.ask("DismissRoom", &dismiss)?, "FailedOperation.RoomNotExist");
    assert_eq!(sdk.ask("RemoveUser", &remove)?, "FailedOperation.RoomNotExist");

    // It waits, and the sessions have to be able to hear it meanwhile.
    tokio::task::spawn_blocking(move || server.stop(ExitCause::HostStopped)).await?;
    assert_eq!(
        other.exit().await.context("the other room")?,
        (ExitReason::Dismissed, ExitCause::HostStopped),
        "the room named by text was left alone"
    );
    for person in [ann, bob, other, again] {
        person.session.close().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_reaches_rooms_named_by_text() -> Result<()> {
    let server = server();
    let mut sdk = Tencent::start(server.http(), ID, KEY)?;
    let mut ann = Person::enter(&server.url(), "ann", text("room-A 1")).await?;
    let mut bob = Person::enter(&server.url(), "bob", text("room-A 1")).await?;
    let remove = json!({ "SdkAppId": APP.0, "RoomId": "room-A 1", "UserIds": ["ann"] });
    assert_eq!(sdk.ask("RemoveUserByStrRoomId", &remove)?, "");
    assert_eq!(ann.exit().await?.0, ExitReason::Removed);
    let dismiss = json!({ "SdkAppId": APP.0, "RoomId": "room-A 1" });
    assert_eq!(sdk.generic("DismissRoomByStrRoomId", &dismiss)?, "");
    assert_eq!(bob.exit().await?.0, ExitReason::Dismissed);
    ann.session.close().await;
    bob.session.close().await;
    Ok(())
}

/// A plain test: nothing but the SDK and the server is needed.
#[test]
fn the_sdk_raises_our_errors_by_their_codes() -> Result<()> {
    let server = server();
    let mut sdk = Tencent::start(server.http(), ID, KEY)?;
    let users: Vec<String> = (0..11).map(|n| format!("u{n}")).collect();
    let cases = [
        ("RemoveUser", json!({}), "MissingParameter.SdkAppId"),
        ("RemoveUser", json!({ "SdkAppId": APP.0, "UserIds": ["a"] }), "MissingParameter.RoomId"),
        ("RemoveUser", json!({ "SdkAppId": APP.0, "RoomId": 1 }), "MissingParameter.UserIds"),
        (
            "RemoveUser",
            json!({ "SdkAppId": APP.0, "RoomId": 1, "UserIds": users }),
            "InvalidParameter.UserIds",
        ),
        (
            "RemoveUser",
            json!({ "SdkAppId": APP.0, "RoomId": "1", "UserIds": ["a"] }),
            "InvalidParameter.RoomId",
        ),
        ("DismissRoom", json!({ "SdkAppId": APP.0, "RoomId": 0 }), "InvalidParameterValue.RoomId"),
        ("DismissRoom", json!({ "SdkAppId": 99, "RoomId": 1 }), "UnauthorizedOperation.SdkAppId"),
        ("DismissRoom", json!({ "SdkAppId": APP.0, "RoomId": 1 }), "FailedOperation.RoomNotExist"),
        (
            "DismissRoomByStrRoomId",
            json!({ "SdkAppId": APP.0, "RoomId": "a/b" }),
            "InvalidParameterValue.RoomId",
        ),
        (
            "DescribeRoomInfo",
            json!({ "SdkAppId": APP.0, "StartTime": 1, "EndTime": 2 }),
            "InvalidParameter.StartTsOversize",
        ),
        ("DescribeScaleInfo", json!({ "SdkAppId": APP.0, "StartTime": 1, "EndTime": 2 }), "InvalidAction"),
    ];
    for (action, parameters, code) in &cases {
        assert_eq!(sdk.ask(action, parameters)?, *code, "{action} {parameters}");
    }
    let extra = json!({ "SdkAppId": APP.0, "RoomId": 1, "Why": "x" });
    assert_eq!(sdk.generic("DismissRoom", &extra)?, "UnknownParameter");

    let dismiss = json!({ "SdkAppId": APP.0, "RoomId": 1 });
    let mut wrong_key = Tencent::start(server.http(), ID, "another secret")?;
    assert_eq!(wrong_key.ask("DismissRoom", &dismiss)?, "AuthFailure.SignatureFailure");
    assert_eq!(wrong_key.get("DismissRoom", &dismiss)?, "AuthFailure.SignatureFailure");
    let mut wrong_id = Tencent::start(server.http(), "AKIDnobody", KEY)?;
    assert_eq!(wrong_id.ask("DismissRoom", &dismiss)?, "AuthFailure.SecretIdNotFound");
    Ok(())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Nobody has to be there for it: every way to sign and send reaches every action.
#[test]
fn every_way_to_sign_reaches_every_action_by_post_and_get() -> Result<()> {
    let server = server();
    let (mut sdk, mut wrong) =
        (Tencent::start(server.http(), ID, KEY)?, Tencent::start(server.http(), ID, "another secret")?);
    let (number, text) =
        (json!({ "SdkAppId": APP.0, "RoomId": 1 }), json!({ "SdkAppId": APP.0, "RoomId": "a b+c" }));
    let with = |members: &Value, more: Value| {
        let mut members = members.clone();
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let users = json!({ "UserIds": ["ann", "\u{6d4b}\u{8bd5} +&"] });
    let span = json!({ "SdkAppId": APP.0, "StartTime": now() - 60, "EndTime": now() });
    let call = json!({ "CommId": format!("{}_1_{}", APP.0, now()), "UserIds": ["ann", "bob"] });
    let missing = "FailedOperation.RoomNotExist";
    let cases = [
        ("RemoveUser", with(&number, users.clone()), missing),
        ("RemoveUserByStrRoomId", with(&text, users), missing),
        ("DismissRoom", number, missing),
        ("DismissRoomByStrRoomId", text, missing),
        ("DescribeRoomInfo", with(&span, json!({ "RoomId": "1", "PageNumber": 0, "PageSize": 100 })), ""),
        ("DescribeUserInfo", with(&span, call), ""),
        ("DescribeUserInfo", span, "MissingParameter.CommId"),
    ];
    for sign in SIGNATURES {
        for method in ["POST", "GET"] {
            for (action, parameters, code) in &cases {
                let answer = sdk.signed(method, sign, action, parameters)?;
                assert_eq!(
                    answer["code"].as_str().unwrap_or_default(),
                    *code,
                    "{action} {method} {sign}: {answer}"
                );
                if code.is_empty() {
                    assert_eq!(answer["Total"], 0, "{action} {method} {sign}: {answer}");
                }
            }
            let refused = wrong.signed(method, sign, "DismissRoom", &cases[2].1)?;
            assert_eq!(refused["code"], "AuthFailure.SignatureFailure", "{method} {sign}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_reads_who_was_in_which_room() -> Result<()> {
    let server = server();
    let mut sdk = Tencent::start(server.http(), ID, KEY)?;
    let begin = now();
    let mut ann = Person::enter(&server.url(), "ann", number(123)).await?;
    let mut bob = Person::enter(&server.url(), "bob", number(123)).await?;
    let remove = json!({ "SdkAppId": APP.0, "RoomId": 123, "UserIds": ["ann"] });
    assert_eq!(sdk.ask("RemoveUser", &remove)?, "");
    assert_eq!(ann.exit().await?.0, ExitReason::Removed);
    assert_eq!(bob.sees_leave("ann").await?, LeaveReason::Removed);

    let mut span = json!({ "SdkAppId": APP.0, "StartTime": begin, "EndTime": now() + 60 });
    for sign in SIGNATURES {
        for method in ["POST", "GET"] {
            let rooms = sdk.signed(method, sign, "DescribeRoomInfo", &span)?;
            assert_eq!(rooms["Total"], 1, "{rooms}");
            let room = &rooms["RoomList"][0];
            assert_eq!((&room["RoomString"], &room["UserId"]), (&json!("123"), &json!("ann")), "{rooms}");
            assert_eq!(room["IsFinished"], false, "{rooms}");
            let mut asked = span.clone();
            asked["CommId"] = room["CommId"].clone();
            let people = sdk.signed(method, sign, "DescribeUserInfo", &asked)?;
            let stays: Vec<(&str, bool, &str)> = people["UserList"]
                .as_array()
                .context("no list")?
                .iter()
                .map(|stay| {
                    let text = |name: &str| stay[name].as_str().unwrap_or_default();
                    (text("UserId"), stay["Finished"] == true, text("ClientIp"))
                })
                .collect();
            assert_eq!(stays, [("ann", true, "127.0.0.1"), ("bob", false, "127.0.0.1")], "{people}");
        }
    }
    assert_eq!(sdk.ask("DismissRoom", &json!({ "SdkAppId": APP.0, "RoomId": 123 }))?, "");
    assert_eq!(bob.exit().await?.0, ExitReason::Dismissed);
    span["RoomId"] = json!("123");
    let rooms = sdk.signed("POST", SIGNATURES[0], "DescribeRoomInfo", &span)?;
    assert_eq!(rooms["RoomList"][0]["IsFinished"], true, "{rooms}");
    ann.session.close().await;
    bob.session.close().await;
    Ok(())
}
