//! Live scenes: roles, permissions and other rooms.

use confab_media::{CameraSource, MicrophoneSource};
use confab_protocol::private_map_key::{PrivateMapKey, Privilege};
use confab_protocol::{
    Event, HostAction, LeaveReason, OtherRoom, RawEnterParams, Role, RoomId, Scene, SdkAppId, UserSigText,
};
use rooms::{APP, Guest, Hall, KEY, stamped};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn live(hall: &Hall, user: &str, role: Role) -> RawEnterParams {
    RawEnterParams { scene: Some(Scene::Live), role: Some(role), ..hall.params(user, 9) }
}

async fn switched(guest: &mut Guest) -> i32 {
    guest
        .until("the other role", |event| match event {
            Event::OnSwitchRole { code, .. } => Some(*code),
            _ => None,
        })
        .await
}

async fn warned(guest: &mut Guest) -> i32 {
    guest
        .until("a warning", |event| match event {
            Event::OnWarning { code, .. } => Some(*code),
            _ => None,
        })
        .await
}

async fn failed(guest: &mut Guest) -> (i32, String) {
    guest
        .until("an error", |event| match event {
            Event::OnError { code, message, .. } => Some((*code, message.clone())),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_comes_on_the_stage_and_goes_without_leaving_the_room() {
    let hall = Hall::open().await;
    let (mut ann, mut vic) = (Guest::new(), Guest::new());
    ann.join(live(&hall, "ann", Role::Anchor)).await;
    ann.send_both().await;
    vic.join(live(&hall, "vic", Role::Audience)).await;
    vic.until_first_picture("ann").await;
    vic.send_both().await;
    assert_eq!(warned(&mut vic).await, 6001);
    let told = ann.settle(Duration::from_millis(500)).await;
    assert!(!told.iter().any(|event| matches!(event, Event::OnRemoteUserEnterRoom { .. })), "{told:?}");

    vic.session.switch_role(Role::Anchor, None).await.unwrap();
    assert_eq!(switched(&mut vic).await, 0);
    ann.until_told(Event::OnRemoteUserEnterRoom { user_id: "vic".into(), name: "vic".into() }).await;
    ann.until_first_picture("vic").await;
    assert!(stamped(ann.session.remote_video("vic").unwrap(), 5).await.len() == 5, "what vic sends is seen");
    let pictures = stamped(vic.session.remote_video("ann").unwrap(), 5);
    vic.session.switch_role(Role::Audience, None).await.unwrap();
    assert_eq!(switched(&mut vic).await, 0);
    assert_eq!(pictures.await.len(), 5, "watching goes on");
    ann.until_told(Event::OnUserVideoAvailable { user_id: "vic".into(), available: false }).await;
    let reason = LeaveReason::BecameAudience;
    ann.until_told(Event::OnRemoteUserLeaveRoom { user_id: "vic".into(), reason }).await;
    assert_eq!(warned(&mut vic).await, 6001, "the camera is still open");
    vic.session.switch_role(Role::Anchor, None).await.unwrap();
    assert_eq!(switched(&mut vic).await, 0);
    ann.until_first_picture("vic").await;
    vic.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_call_and_outside_a_room_there_is_no_role_to_switch() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    let outside = ann.session.switch_role(Role::Audience, None).await.unwrap_err();
    assert_eq!(outside.code, -3);
    ann.join(hall.params("ann", 1)).await;
    let call = ann.session.switch_role(Role::Audience, None).await.unwrap_err();
    assert_eq!(call.code, -100_011);
    ann.leave().await;
}

fn permission(user: &str, bits: Privilege) -> String {
    let content = PrivateMapKey {
        account: user.to_owned(),
        app: SdkAppId(APP),
        room: RoomId::number(9_u32).unwrap(),
        expires: 0,
        bits,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    content.sign(KEY, 3600, now).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_asks_for_permissions_has_them_enforced() {
    let hall = Hall::with(|config| config.app[0].permission = true).await;
    let (mut ann, mut vic) = (Guest::new(), Guest::new());
    assert_eq!(ann.enter(live(&hall, "ann", Role::Anchor)).await, -100_006);
    let with = |user, role, bits| RawEnterParams {
        private_map_key: Some(permission(user, bits)),
        ..live(&hall, user, role)
    };
    ann.join(with("ann", Role::Anchor, Privilege::ALL)).await;
    ann.send_both().await;
    // Enters and hears, sees nothing, speaks as an anchor, shows nothing.
    let hears = Privilege(2 + 4 + 8);
    vic.join(with("vic", Role::Audience, Privilege(2 + 8))).await;
    let unseen = "You may not see the picture of ann in this room.".to_owned();
    assert_eq!(failed(&mut vic).await, (-102_019, unseen));
    vic.until_told(Event::OnFirstAudioFrame { user_id: "ann".into() }).await;
    vic.session.switch_role(Role::Anchor, None).await.unwrap();
    assert_eq!(switched(&mut vic).await, -100_006, "the permission is for the audience");
    vic.session.switch_role(Role::Anchor, Some(UserSigText(permission("vic", hears)))).await.unwrap();
    assert_eq!(switched(&mut vic).await, 0);
    vic.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    ann.until_told(Event::OnFirstAudioFrame { user_id: "vic".into() }).await;
    vic.session.start_local_video(CameraSource::Test).await.unwrap();
    assert_eq!(failed(&mut vic).await.0, -102_013);
    let told = vic.settle(Duration::from_millis(500)).await;
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, Event::OnFirstVideoFrame { user_id, .. } if user_id == "ann"))
    );
    let seen = ann.session.participants().await;
    assert!(!seen[0].video_available && seen[0].audio_available, "{seen:?}");
    vic.leave().await;
    // Enters and sees, hears nobody, and is told so once.
    vic.join(with("vic", Role::Audience, Privilege(2 + 32))).await;
    let unheard = "You may not hear anybody in this room; ask whoever runs the meeting.".to_owned();
    assert_eq!(failed(&mut vic).await, (-100_006, unheard));
    vic.until_first_picture("ann").await;
    let told = vic.settle(Duration::from_millis(500)).await;
    assert!(!told.iter().any(|event| matches!(event, Event::OnError { .. })), "{told:?}");
    vic.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_be_one_publisher_too_many_is_told_so_and_stays_in_the_room() {
    let hall = Hall::with(|config| config.limits.call.publishing = 1).await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    ann.send_both().await;
    bob.join(hall.params("bob", 1)).await;
    bob.until_first_picture("ann").await;
    bob.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    let (code, message) = failed(&mut bob).await;
    assert_eq!(code, -102_052);
    assert_eq!(message, "Only 1 may send at a time, and as many do; you can watch and listen.");
    assert_eq!(stamped(bob.session.remote_video("ann").unwrap(), 5).await.len(), 5, "watching goes on");
    ann.leave().await;
    bob.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason: LeaveReason::Left }).await;
    // Asked again where there is room by now.
    bob.session.stop_local_audio().await.unwrap();
    bob.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    let mut eve = Guest::new();
    eve.join(hall.params("eve", 1)).await;
    eve.until_told(Event::OnFirstAudioFrame { user_id: "bob".into() }).await;
    bob.leave().await;
    eve.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_role_is_asked_for_at_a_time_and_each_answer_is_told_once() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.join(live(&hall, "ann", Role::Audience)).await;
    ann.session.switch_role(Role::Anchor, None).await.unwrap();
    let second = ann.session.switch_role(Role::Audience, None).await.unwrap_err();
    assert_eq!(second.code, -3, "{second:?}");
    assert_eq!(switched(&mut ann).await, 0);
    let told = ann.settle(Duration::from_millis(500)).await;
    assert!(!told.iter().any(|event| matches!(event, Event::OnSwitchRole { .. })), "{told:?}");
    ann.session.switch_role(Role::Audience, None).await.unwrap();
    assert_eq!(switched(&mut ann).await, 0);
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_rooms_carry_voices_and_say_so() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    let call = |user: &str| RawEnterParams { scene: Some(Scene::AudioCall), ..hall.params(user, 8) };
    ann.send_both().await;
    ann.join(call("ann")).await;
    assert_eq!(warned(&mut ann).await, -4);
    bob.join(call("bob")).await;
    bob.until_told(Event::OnFirstAudioFrame { user_id: "ann".into() }).await;
    assert!(!bob.session.participants().await[0].video_available);
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_room_in_one_step_with_the_camera_running_on() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut kim) = (Guest::new(), Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 1)).await;
    bob.join(hall.params("bob", 1)).await;
    kim.join(hall.params("kim", 2)).await;
    bob.until_first_picture("ann").await;
    ann.settle(Duration::from_millis(100)).await;
    let capture = stamped(ann.session.local_video(), 30);
    ann.session.switch_room(OtherRoom { room_id: Some(2), ..OtherRoom::default() }).await.unwrap();
    ann.until_told(Event::OnSwitchRoom { code: 0, message: String::new() }).await;
    ann.until_told(Event::OnRemoteUserEnterRoom { user_id: "kim".into(), name: "kim".into() }).await;
    let reason = LeaveReason::Left;
    bob.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason }).await;
    kim.until_first_picture("ann").await;
    let capture: Vec<u32> = capture.await.iter().map(|(stamp, _)| stamp.counter).collect();
    assert!(capture.windows(2).all(|pair| pair[1] == pair[0] + 1), "no picture is missing: {capture:?}");
    let told = ann.settle(Duration::from_millis(200)).await;
    let rooms = |event: &Event| matches!(event, Event::OnEnterRoom { .. } | Event::OnExitRoom { .. });
    assert!(!told.iter().any(rooms), "{told:?}");

    let same = ann.session.switch_room(OtherRoom { room_id: Some(2), ..OtherRoom::default() }).await;
    assert_eq!(same.unwrap_err().code, -3);
    let mut lea = Guest::new();
    let scene = Some(Scene::Live);
    lea.join(RawEnterParams { scene, ..hall.params("lea", 3) }).await;
    ann.session.switch_room(OtherRoom { room_id: Some(3), ..OtherRoom::default() }).await.unwrap();
    let refused = ann.until("the refusal", |event| match event {
        Event::OnSwitchRoom { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(refused.await, -100_011, "room 3 is of another kind");
    assert!(kim.sees("ann").await, "a refusal leaves everybody where they are");
    for guest in [&mut ann, &mut bob, &mut kim, &mut lea] {
        guest.leave().await;
    }
}

/// Waits until somebody stands at the door of a host's room, or nobody does.
async fn waiting(host: &mut Guest, who: &[&str]) {
    let listed = |event: &Event| match event {
        Event::OnWaitingList { people } => {
            people.iter().map(|one| one.user_id.as_str()).eq(who.iter().copied()).then_some(())
        }
        _ => None,
    };
    host.until(&format!("{who:?} at the door"), listed).await;
}

async fn gone_over(guest: &mut Guest) -> i32 {
    guest
        .until("the other room", |event| match event {
            Event::OnSwitchRoom { code, .. } => Some(*code),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_another_room_stays_in_this_one_until_a_host_there_has_answered() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut kim) = (Guest::new(), Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    bob.join(hall.params("bob", 1)).await;
    kim.join(hall.params("kim", 2)).await;
    kim.session.act(HostAction::WaitingRoom { on: true }).await.unwrap();
    let over = || OtherRoom { room_id: Some(2), ..OtherRoom::default() };
    let user_id = || "ann".parse().unwrap();

    ann.session.switch_room(over()).await.unwrap();
    ann.until_told(Event::OnWaiting).await;
    waiting(&mut kim, &["ann"]).await;
    assert_eq!(ann.session.switch_room(over()).await.unwrap_err().code, -3, "one way at a time");
    kim.session.act(HostAction::Deny { user_id: user_id() }).await.unwrap();
    assert_eq!(gone_over(&mut ann).await, -102_011);
    assert!(bob.sees("ann").await && ann.sees("bob").await, "who is sent away has not moved");

    ann.session.switch_room(over()).await.unwrap();
    ann.until_told(Event::OnWaiting).await;
    waiting(&mut kim, &["ann"]).await;
    ann.session.cancel_switch_room().await.unwrap();
    assert_eq!(gone_over(&mut ann).await, -3);
    waiting(&mut kim, &[]).await;
    ann.session.cancel_switch_room().await.unwrap();

    ann.session.switch_room(over()).await.unwrap();
    waiting(&mut kim, &["ann"]).await;
    assert!(bob.sees("ann").await);
    kim.session.act(HostAction::Admit { user_id: Some(user_id()) }).await.unwrap();
    assert_eq!(gone_over(&mut ann).await, 0);
    let reason = LeaveReason::Left;
    bob.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason }).await;
    kim.until_told(Event::OnRemoteUserEnterRoom { user_id: "ann".into(), name: "ann".into() }).await;
    let rooms = |event: &&Event| matches!(event, Event::OnEnterRoom { .. } | Event::OnExitRoom { .. });
    assert_eq!(ann.told.iter().filter(rooms).count(), 1, "the first entry: {:#?}", ann.told);
    for guest in [&mut ann, &mut bob, &mut kim] {
        guest.leave().await;
    }
}
