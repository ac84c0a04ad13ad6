//! What an app wants of the others, and messages of its own.

use std::time::Duration;

use confab_app::{Controller, Request};
use confab_protocol::{Event, ExitCause};
use confab_scene::{Rect, Scene, Tile, TileId};
use serde_json::Value;

use super::ears::{Ears, app, app_on_demand, server};
use super::{call, enter, entered, watch};

fn message(cmd_id: i64, data: &str) -> Request {
    Request::SendCustomCmdMsg { cmd_id, data: data.into(), reliable: true, ordered: true }
}

/// What the state of `by` says of the first of the others, once there is one and `wanted` accepts it.
async fn other(by: &Controller<Ears>, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let state = call(by, Request::GetState {}).await;
        let first = &state["participants"][0];
        if first.is_object() && wanted(first) {
            return first.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the state never says so: {}", call(by, Request::GetState {}).await["participants"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_requests_and_events_in_base64_and_mutes_are_in_the_state() {
    let server = server().await;
    let (ann, bob) = (app(), app());
    call(&bob, Request::MuteRemoteVideoStream { user_id: "ann".into(), stream_type: None, mute: true }).await;
    for (one, user) in [(&ann, "ann"), (&bob, "bob")] {
        call(one, enter(&server.url(), user, 130)).await;
        entered(one).await;
    }
    call(&ann, message(9, "aGkgMQ==")).await;
    let came = bob.host().until("ann's message", |event| match event {
        Event::OnRecvCustomCmdMsg { user_id, cmd_id, seq, data } => {
            Some((user_id.clone(), *cmd_id, *seq, data.clone()))
        }
        _ => None,
    });
    assert_eq!(came.await, ("ann".to_owned(), 9, 1, "aGkgMQ==".to_owned()));
    let fault = ann.call(message(9, "no base64!")).await.unwrap_err();
    assert!(fault.code == -2 && fault.message.contains("base64"), "{fault}");
    let fault = ann.call(message(11, "aGkgMQ==")).await.unwrap_err();
    assert!(fault.code == -2 && fault.message.contains("1 to 10"), "{fault}");

    let seen = other(&bob, |_| true).await;
    assert_eq!((&seen["videoMuted"], &seen["audioMuted"]), (&true.into(), &false.into()));
    call(&bob, Request::MuteAllRemoteVideoStreams { mute: false }).await;
    call(&bob, Request::MuteAllRemoteAudio { mute: true }).await;
    other(&bob, |seen| seen["videoMuted"] == false && seen["audioMuted"] == true).await;
    call(&bob, Request::MuteRemoteAudio { user_id: "ann".into(), mute: false }).await;
    other(&bob, |seen| seen["audioMuted"] == false).await;
    ann.close().await;
    bob.close().await;
    server.stop(ExitCause::ServerStopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_pictures_are_asked_for_by_hand_a_tile_brings_none() {
    let server = server().await;
    let (ann, bob) = (app(), app_on_demand());
    call(&ann, Request::StartLocalVideo { source: None }).await;
    call(&ann, enter(&server.url(), "ann", 131)).await;
    entered(&ann).await;
    let tile = Tile {
        id: TileId("ann".into()),
        rect: Rect { w: 160.0, h: 90.0, ..Rect::default() },
        ..Tile::default()
    };
    call(&bob, Request::SetStage(Scene { size: (160, 90), tiles: vec![tile], ..Scene::default() })).await;
    call(&bob, Request::SetDefaultStreamRecvMode { audio: true, video: false }).await;
    call(&bob, enter(&server.url(), "bob", 131)).await;
    bob.host()
        .until("ann's camera", |event| {
            matches!(event, Event::OnUserVideoAvailable { user_id, available: true } if user_id == "ann")
                .then_some(())
        })
        .await;
    let (_, seen) = watch(&ann, &bob, "ann", Duration::from_secs(2)).await;
    assert!(seen.is_empty(), "{} pictures came that nobody asked for", seen.len());
    call(&bob, Request::StartRemoteView { user_id: "ann".into(), stream_type: None }).await;
    bob.host()
        .until("ann's picture", |event| {
            matches!(event, Event::OnFirstVideoFrame { user_id, .. } if user_id == "ann").then_some(())
        })
        .await;
    ann.close().await;
    bob.close().await;
    server.stop(ExitCause::ServerStopped).await;
}
