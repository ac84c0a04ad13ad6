//! Two apps without windows meet through a real server, with real codecs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly and looks for one event among many"
)]

#[path = "meeting/ears.rs"]
mod ears;
#[path = "meeting/remote.rs"]
mod remote;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use confab_app::{Controller, PresenterKind, PresenterView, Request};
use confab_frame::VideoFrame;
use confab_media::SpeakerSink;
use confab_media::picture::{psnr, read_stamp};
use confab_protocol::{Event, ExitCause, ExitReason, LeaveReason, RawEnterParams};
use confab_scene::{Rect, Scene, Tile, TileId};
use serde_json::Value;

use ears::{APP, Ears, app, app_on_demand, app_with, server};

fn enter(server: &str, user: &str, room: i64) -> Request {
    Request::EnterRoom(RawEnterParams {
        server: Some(server.to_owned()),
        sdk_app_id: Some(i64::from(APP)),
        user_id: Some(user.to_owned()),
        room_id: Some(room),
        ..RawEnterParams::default()
    })
}

async fn entered(app: &Controller<Ears>) {
    let result = app.host().until("onEnterRoom", |event| match event {
        Event::OnEnterRoom { result } => Some(*result),
        _ => None,
    });
    let result = result.await;
    assert!(result > 0, "entry failed with {result}");
}

async fn call(app: &Controller<Ears>, request: Request) -> Value {
    app.call(request).await.unwrap()
}

/// What is seen of `of` by `by` in `time`: pictures of the two ends by the counter drawn in them.
async fn watch(
    of: &Controller<Ears>,
    by: &Controller<Ears>,
    user: &str,
    time: Duration,
) -> (HashMap<u32, VideoFrame>, Vec<(u32, VideoFrame)>) {
    let (mut sent, mut seen) = (HashMap::new(), Vec::<(u32, VideoFrame)>::new());
    let end = Instant::now() + time;
    while Instant::now() < end {
        if let Some(frame) = of.stage().frame(&TileId::local())
            && let Some(stamp) = read_stamp(&frame.buffer)
        {
            sent.entry(stamp.counter).or_insert(frame);
        }
        if let Some(frame) = by.stage().frame(&TileId(user.to_owned()))
            && let Some(stamp) = read_stamp(&frame.buffer)
            && seen.last().is_none_or(|(last, _)| *last != stamp.counter)
        {
            seen.push((stamp.counter, frame));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (sent, seen)
}

/// Pitch in Hz and level in dB of full scale of the second that begins half a second after the first
/// sound of a recording.
fn heard(recording: &Path) -> (u32, f32) {
    let mut recording = hound::WavReader::open(recording).unwrap();
    let rate = recording.spec().sample_rate as usize;
    let samples: Vec<f32> =
        recording.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
    let begin = samples.iter().position(|sample| sample.abs() > 0.02).expect("something is heard");
    let second = &samples[begin + rate / 2..begin + rate * 3 / 2];
    let rises = second.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    let power = second.iter().map(|sample| sample * sample).sum::<f32>() / rate as f32;
    (rises as u32, 10.0 * power.log10())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_and_hear_each_other() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("heard.wav");
    let (ann, bob) = (app(), app_with(SpeakerSink::File(recording.clone())));
    call(&ann, enter(&server.url(), "ann", 123)).await;
    call(&bob, enter(&server.url(), "bob", 123)).await;
    entered(&ann).await;
    entered(&bob).await;
    call(&ann, Request::StartLocalVideo { source: None }).await;
    call(&ann, Request::StartLocalAudio { source: None }).await;
    let size = bob.host().until("ann's picture", |event| match event {
        Event::OnFirstVideoFrame { user_id, width, height, .. } if user_id == "ann" => {
            Some((*width, *height))
        }
        _ => None,
    });
    assert_eq!(size.await, (1280, 720));
    bob.host()
        .until("ann's voice", |event| {
            matches!(event, Event::OnFirstAudioFrame { user_id } if user_id == "ann").then_some(())
        })
        .await;

    let (sent, seen) = watch(&ann, &bob, "ann", Duration::from_secs(4)).await;
    assert!(seen.len() > 40, "only {} pictures arrived", seen.len());
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "pictures came out of order");
    let alike: Vec<f64> = seen
        .iter()
        .filter_map(|(counter, theirs)| psnr(&sent.get(counter)?.buffer, &theirs.buffer))
        .collect();
    assert!(alike.len() > 20, "only {} pictures could be compared", alike.len());
    let worst = alike.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(worst > 28.0, "a picture was only {worst:.1} dB like the one that was sent");

    let picture = call(&bob, Request::SnapshotVideo { user_id: Some("ann".into()) }).await;
    assert_eq!((picture["width"].as_u64(), picture["height"].as_u64()), (Some(1280), Some(720)));
    let people = call(&bob, Request::Participants {}).await;
    assert_eq!(
        (people[0]["userId"].as_str(), people[0]["videoAvailable"].as_bool()),
        (Some("ann"), Some(true))
    );

    call(&ann, Request::MuteLocalVideo { mute: true }).await;
    bob.host()
        .until("ann's picture to end", |event| {
            matches!(event, Event::OnUserVideoAvailable { user_id, available: false } if user_id == "ann")
                .then_some(())
        })
        .await;
    call(&ann, Request::ExitRoom {}).await;
    let reason = bob.host().until("ann to leave", |event| match event {
        Event::OnRemoteUserLeaveRoom { user_id, reason } if user_id == "ann" => Some(*reason),
        _ => None,
    });
    assert_eq!(reason.await, LeaveReason::Left);
    let exit = ann.host().until("ann's exit", |event| match event {
        Event::OnExitRoom { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(exit.await, ExitReason::Left);
    ann.close().await;
    bob.close().await;
    server.stop(ExitCause::ServerStopped).await;

    // The tone as it is sent: 440 Hz at -20 dB.
    let (pitch, level) = heard(&recording);
    assert!((436..=444).contains(&pitch) && (-22.0..-18.0).contains(&level), "{pitch} Hz, {level} dB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_was_asked_for_comes_although_its_tile_goes() {
    let server = server().await;
    let (ann, bob) = (app(), app_on_demand());
    call(&ann, enter(&server.url(), "ann", 124)).await;
    call(&bob, enter(&server.url(), "bob", 124)).await;
    entered(&ann).await;
    entered(&bob).await;
    call(&ann, Request::StartLocalVideo { source: None }).await;
    bob.host()
        .until("ann's camera", |event| {
            matches!(event, Event::OnUserVideoAvailable { user_id, available: true } if user_id == "ann")
                .then_some(())
        })
        .await;
    call(&bob, Request::StartRemoteView { user_id: "ann".into(), stream_type: None }).await;
    // A page takes a tile off the stage while it has no picture to show in it.
    let tile = Tile {
        id: TileId("ann".into()),
        rect: Rect { w: 160.0, h: 90.0, ..Rect::default() },
        ..Tile::default()
    };
    let scene = Scene { size: (160, 90), tiles: vec![tile], ..Scene::default() };
    call(&bob, Request::SetStage(scene)).await;
    call(&bob, Request::SetStage(Scene { size: (160, 90), ..Scene::default() })).await;
    let (_, seen) = watch(&ann, &bob, "ann", Duration::from_secs(4)).await;
    assert!(seen.len() > 40, "only {} pictures arrived", seen.len());
    call(&bob, Request::StopRemoteView { user_id: "ann".into(), stream_type: None }).await;
    ann.close().await;
    bob.close().await;
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_opened_here_need_nothing_but_their_name() {
    let (host, guest) = (app(), app());
    let open =
        || Request::HostRoom { port: None, lan: None, outside: None, passcode: None, waiting_room: None };
    let hosting = call(&host, open()).await;
    let again = call(&host, open()).await;
    assert_eq!(hosting, again);
    let room = RawEnterParams { str_room_id: Some("lobby".into()), ..RawEnterParams::default() };
    call(&host, Request::EnterRoom(room)).await;
    entered(&host).await;

    let invited = RawEnterParams {
        server: hosting["server"].as_str().map(str::to_owned),
        name: Some("Bo".into()),
        str_room_id: Some("lobby".into()),
        ..RawEnterParams::default()
    };
    call(&guest, Request::EnterRoom(invited.clone())).await;
    entered(&guest).await;
    let me = call(&guest, Request::GetState {}).await;
    assert!(me["userId"].as_str().unwrap().starts_with("guest-"), "{me}");
    assert_eq!((&me["room"]["userId"], &me["room"]["sdkAppId"]), (&me["userId"], &Value::Null));
    let people = call(&host, Request::Participants {}).await;
    assert_eq!((&people[0]["userId"], people[0]["name"].as_str()), (&me["userId"], Some("Bo")));

    call(&host, Request::StopHosting {}).await;
    for person in [&host, &guest] {
        let exit = person.host().until("the end of the room", |event| match event {
            Event::OnExitRoom { reason, cause, .. } => Some((*reason, *cause)),
            _ => None,
        });
        assert_eq!(exit.await, (ExitReason::Dismissed, ExitCause::HostStopped));
    }
    let state = call(&host, Request::GetState {}).await;
    assert_eq!((state["phase"].as_str(), state["hosting"].is_null()), (Some("idle"), true));
    host.close().await;
    guest.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_says_how_pictures_are_shown_and_a_warning_why_not_as_before() {
    let app = app();
    assert_eq!(call(&app, Request::GetState {}).await["presenter"], Value::Null);
    let view = |kind, why: &str| PresenterView { kind, why: why.to_owned() };
    app.presented_by(view(PresenterKind::Underlay, "It works."), None).await;
    app.presented_by(view(PresenterKind::Canvas, "It broke."), Some("Slower now.".to_owned())).await;
    let warning = app.host().until("the warning", |event| match event {
        Event::OnWarning { code, message } => Some((*code, message.clone())),
        _ => None,
    });
    assert_eq!(warning.await, (2110, "Slower now.".to_owned()));
    let presenter = call(&app, Request::GetState {}).await["presenter"].clone();
    assert_eq!(presenter, serde_json::json!({ "kind": "canvas", "why": "It broke." }));
    app.close().await;
}
