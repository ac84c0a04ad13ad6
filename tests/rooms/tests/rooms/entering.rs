//! Entering a room, and what is said where it cannot be entered.

use confab_media::{CameraSource, DeviceKind, MicrophoneSource, devices};
use confab_protocol::{Event, RawEnterParams, Role, Scene, SdkAppId, user_sig};
use confab_server::Identity;
use rooms::{APP, Guest, Hall, KEY, PATIENCE, sign};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Enters and expects this failure, told by an error with a sentence and by the outcome.
async fn refused(params: RawEnterParams) -> (i64, Option<i32>, String) {
    let mut guest = Guest::new();
    guest.session.enter_room(params).await.unwrap();
    let (code, detail, message) = guest
        .until("the error", |event| match event {
            Event::OnError { code, detail, message } => Some((*code, *detail, message.clone())),
            _ => None,
        })
        .await;
    let result = guest
        .until("the outcome", |event| match event {
            Event::OnEnterRoom { result } => Some(*result),
            _ => None,
        })
        .await;
    assert_eq!(i64::from(code), result);
    let more = guest.settle(Duration::from_millis(100)).await;
    assert!(more.is_empty(), "{more:?}");
    assert!(message.len() > 15 && message.ends_with('.'), "{message:?} is no sentence");
    (result, detail, message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_signature_is_refused_with_its_own_detail() {
    let hall = Hall::open().await;
    let good = hall.params("ann", 1);
    let with = |sig: String| RawEnterParams { user_sig: Some(sig), ..good.clone() };
    let (code, detail, _) = refused(with(sign(APP, "another key", "ann"))).await;
    assert_eq!((code, detail.is_some()), (-100_018, true));
    let (code, other, _) = refused(with(sign(APP, KEY, "bob"))).await;
    assert_eq!(code, -100_018);
    let expired = user_sig::sign(SdkAppId(APP), KEY, "ann", 60, 1_600_000_000, None);
    let (code, old, message) = refused(with(expired)).await;
    assert_eq!((code, old), (-100_018, Some(-70_001)));
    assert!(message.contains("expired"), "{message}");
    assert!(detail != other && other != old, "{detail:?} {other:?} {old:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_parameters_are_refused_by_name_without_a_server() {
    let hall = Hall::open().await;
    let good = hall.params("ann", 1);
    for (params, code) in [
        (RawEnterParams { user_id: Some(String::new()), ..good.clone() }, -3319),
        (RawEnterParams { user_id: Some("a".repeat(33)), ..good.clone() }, -3319),
        (RawEnterParams { user_id: Some("andré".into()), ..good.clone() }, -3319),
        (RawEnterParams { room_id: Some(0), ..good.clone() }, -3318),
        (RawEnterParams { room_id: Some(4_294_967_295), ..good.clone() }, -3318),
        (hall.text_params("ann", &"x".repeat(65)), -3318),
        (hall.text_params("ann", "a/b"), -3318),
        (RawEnterParams { sdk_app_id: Some(0), ..good.clone() }, -3317),
        (RawEnterParams { user_sig: None, ..good.clone() }, -3320),
    ] {
        assert_eq!(refused(params.clone()).await.0, code, "{params:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_is_minus_3307_and_a_silent_one_minus_3308() {
    let hall = Hall::open().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let began = Instant::now();
    let unreachable = RawEnterParams { server: Some(nobody), ..hall.params("ann", 1) };
    assert_eq!(refused(unreachable).await.0, -3307);
    assert!(began.elapsed() < Duration::from_secs(10));
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", deaf.local_addr().unwrap());
    let silent = RawEnterParams { server: Some(server), ..hall.params("ann", 1) };
    assert_eq!(refused(silent).await.0, -3308);
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entering_twice_is_refused_and_the_first_room_stays() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.session.enter_room(hall.params("ann", 1)).await.unwrap();
    let again = ann.session.enter_room(hall.params("ann", 2)).await;
    assert_eq!(again.unwrap_err().code, -3340);
    let result = ann
        .until("the outcome", |event| match event {
            Event::OnEnterRoom { result } => Some(*result),
            _ => None,
        })
        .await;
    assert!(result > 0);
    assert_eq!(ann.session.enter_room(hall.params("ann", 1)).await.unwrap_err().code, -3340);
    ann.leave().await;
}

/// The code for a device that is not there: `none` on a computer without any, else `unknown`.
fn missing(kind: DeviceKind, none: i32, unknown: i32) -> i32 {
    if devices::list(kind).unwrap().is_empty() { none } else { unknown }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_camera_and_microphone_the_call_says_so_and_the_room_goes_on() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.join(hall.params("ann", 1)).await;
    let nobody = Some("no such device".to_owned());
    let camera = ann.session.start_local_video(CameraSource::Device(nobody.clone())).await.unwrap_err();
    assert_eq!(camera.code, missing(DeviceKind::Camera, 1111, -1301), "{camera:?}");
    let microphone = ann.session.start_local_audio(MicrophoneSource::Device(nobody)).await.unwrap_err();
    assert_eq!(microphone.code, missing(DeviceKind::Microphone, 1201, -1302), "{microphone:?}");
    for fault in [camera, microphone] {
        assert!(fault.message.ends_with('.'), "{fault:?}");
        ann.until("the complaint", |event| match event {
            Event::OnError { code, .. } | Event::OnWarning { code, .. } => {
                (*code == fault.code).then_some(())
            }
            _ => None,
        })
        .await;
    }
    ann.session.start_local_video(CameraSource::Test).await.unwrap();
    ann.until_told(Event::OnSendFirstLocalVideoFrame { stream_type: 0 }).await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_in_the_audience_is_warned_and_nothing_is_sent() {
    let hall = Hall::open().await;
    let live = |user: &str, role| RawEnterParams {
        scene: Some(Scene::Live),
        role: Some(role),
        ..hall.params(user, 2)
    };
    let (mut anchor, mut viewer) = (Guest::new(), Guest::new());
    anchor.send_both().await;
    anchor.join(live("anchor", Role::Anchor)).await;
    viewer.join(live("viewer", Role::Audience)).await;
    viewer.until_told(Event::OnUserVideoAvailable { user_id: "anchor".into(), available: true }).await;
    assert_eq!(rooms::stamped(viewer.session.remote_video("anchor").unwrap(), 3).await.len(), 3);
    viewer.send_both().await;
    viewer
        .until("the warning", |event| match event {
            Event::OnWarning { code, .. } => (*code == 6001).then_some(()),
            _ => None,
        })
        .await;
    let told = anchor.settle(Duration::from_millis(700)).await;
    let seen = |event: &Event| format!("{event:?}").contains("viewer");
    assert!(!told.iter().any(seen), "an anchor is told nothing of the audience: {told:?}");
    assert!(!viewer.told.iter().any(|event| matches!(event, Event::OnSendFirstLocalVideoFrame { .. })));
    viewer.leave().await;
    anchor.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_does_not_go_with_the_servers_encryption_is_said_to_be_wrong() {
    let mut hall = Hall::open().await;
    let identity = Identity::read(&Identity::make().unwrap()).unwrap();
    hall.let_in("127.0.0.2".parse().unwrap(), &identity).await;
    let port = hall.address().port();
    let fingerprint = identity.fingerprint();
    for (server, said) in [
        (format!("http://127.0.0.2:{port}"), "takes encrypted connections only"),
        (format!("127.0.0.1:{port}#{fingerprint}"), "does not encrypt as it should"),
    ] {
        let params = RawEnterParams { server: Some(server), ..hall.params("ann", 1) };
        let (_, _, message) = refused(params).await;
        assert!(message.contains(said), "{message}");
    }
}
