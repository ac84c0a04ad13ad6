//! How the state follows requests and events.

use confab_protocol::RawEnterParams;

use super::*;

fn room(number: i64) -> RoomView {
    let raw = RawEnterParams {
        sdk_app_id: Some(1),
        user_id: Some("me".into()),
        user_sig: Some("s".into()),
        room_id: Some(number),
        ..RawEnterParams::default()
    };
    RoomView::of(&raw.check().unwrap().0)
}

fn exit(cause: ExitCause) -> Event {
    Event::OnExitRoom { reason: cause.reason(), cause, by: None, message: String::new() }
}

fn inside() -> AppState {
    let mut state = AppState::default();
    state.on_enter_asked(Some(room(1)));
    state.on_event(&Event::OnEnterRoom { result: 20 }, 77);
    state
}

#[test]
fn nobody_is_known_to_speak_while_the_connection_is_lost() {
    let speaker = Participant {
        user_id: "ann".to_owned(),
        name: "Ann".to_owned(),
        role: Role::Anchor,
        video_available: true,
        audio_available: true,
        screen_available: false,
        video_size: None,
        audio_level: 70,
        speaking: true,
        video_muted: false,
        audio_muted: false,
    };
    let mut state = inside();
    state.on_people(vec![speaker.clone()]);
    assert!(state.participants[0].speaking);
    state.on_event(&Event::OnConnectionLost, 80);
    assert!(!state.participants[0].speaking);
    state.on_people(vec![speaker]);
    assert_eq!((state.participants[0].speaking, state.participants[0].audio_level), (false, 0));
}

#[test]
fn a_room_is_entered_and_left() {
    let mut state = inside();
    assert_eq!(state.phase, Phase::In);
    assert_eq!(state.room.as_ref().unwrap().entered_at, Some(77));
    state.on_exit_asked();
    assert_eq!(state.phase, Phase::Exiting);
    state.on_event(&exit(ExitCause::Left), 78);
    assert_eq!((state.phase, state.room), (Phase::Idle, None));
    assert_eq!(state.exit.unwrap().cause, ExitCause::Left);
}

#[test]
fn who_waits_is_let_in_or_gives_up() {
    let mut state = AppState::default();
    state.on_enter_asked(Some(room(1)));
    state.on_event(&Event::OnWaiting, 1);
    assert_eq!(state.phase, Phase::Waiting);
    assert!(!state.on_enter_asked(Some(room(2))), "one entry at a time");
    let mut let_in = state.clone();
    let_in.on_event(&Event::OnEnterRoom { result: 20_000 }, 2);
    assert_eq!(let_in.phase, Phase::In);
    state.on_exit_asked();
    state.on_event(&exit(ExitCause::Left), 2);
    assert_eq!(state.phase, Phase::Idle);
}

#[test]
fn another_room_takes_the_place_of_this_one_only_when_it_is_entered() {
    let mut state = inside();
    let to = OtherRoom { room_id: Some(2), ..OtherRoom::default() };
    assert!(state.on_switch_asked(&to));
    state.on_event(&Event::OnSwitchRoom { code: -100_011, message: "kind".into() }, 80);
    assert_eq!((state.room.as_ref().unwrap().room_id, &state.switching), (Some(1), &None));
    assert!(state.on_switch_asked(&to));
    assert!(!state.on_switch_asked(&to), "one way at a time");
    state.on_event(&Event::OnRoomState(RoomState::default()), 81);
    state.on_event(&Event::OnSwitchRoom { code: 0, message: String::new() }, 82);
    let room = state.room.as_ref().unwrap();
    assert_eq!((room.room_id, room.entered_at, state.phase), (Some(2), Some(82), Phase::In));
    assert_eq!(state.room_state, None, "that of the room before");
}

#[test]
fn who_waits_for_another_room_is_in_this_one_until_then() {
    let mut state = inside();
    state.on_switch_asked(&OtherRoom { room_id: Some(2), ..OtherRoom::default() });
    state.on_event(&Event::OnWaiting, 80);
    let switching = state.switching.as_ref().unwrap();
    assert_eq!((switching.room.room_id, switching.waiting), (Some(2), true));
    assert_eq!((state.room.as_ref().unwrap().room_id, state.phase), (Some(1), Phase::In));
    let mut lost = state.clone();
    lost.on_event(&Event::OnConnectionLost, 81);
    assert!(lost.switching.is_some(), "the other room is asked all the same");
    lost.on_event(&Event::OnSwitchRoom { code: 0, message: String::new() }, 82);
    assert_eq!((lost.room.unwrap().room_id, lost.phase), (Some(2), Phase::In));
    state.on_event(&exit(ExitCause::Removed), 83);
    assert_eq!(state.switching, None);
    assert!(!state.on_switch_asked(&OtherRoom::default()), "in no room");
}

#[test]
fn what_hosts_and_the_server_change_is_in_the_state() {
    let mut state = inside();
    let people = vec![Waiting { user_id: "kim".into(), name: "Kim".into() }];
    let mine = RoomState { owner: Some("me".into()), ..RoomState::default() };
    state.on_event(&Event::OnRoomState(mine), 1);
    state.on_event(&Event::OnWaitingList { people: people.clone() }, 1);
    assert_eq!(state.waiting, people);
    state.on_event(&Event::OnRoomState(RoomState::default()), 1);
    assert!(state.waiting.is_empty(), "no host any more");
    state.on_event(&Event::OnLocalAudioMuted { muted: true }, 1);
    assert!(state.microphone.muted && !state.camera.muted);
    let role = Role::Audience;
    state.on_event(&Event::OnSwitchRole { code: 0, message: String::new(), role }, 1);
    assert_eq!(state.room.as_ref().unwrap().role, Role::Audience);
    state.on_event(&exit(ExitCause::Left), 1);
    assert_eq!(state.room_state, None);
}

#[test]
fn a_refused_entry_leaves_nothing_behind() {
    let mut state = AppState::default();
    state.on_enter_asked(None);
    assert_eq!(state.phase, Phase::Entering);
    state.on_event(&Event::OnEnterRoom { result: -3318 }, 1);
    assert_eq!(state, AppState::default());
}

#[test]
fn being_removed_turns_the_devices_off_and_keeps_the_reason() {
    let mut state = inside();
    state.camera = CameraView { on: true, ready: true, ..CameraView::default() };
    state.microphone.on = true;
    state.on_event(&exit(ExitCause::Removed), 1);
    assert_eq!((state.camera.on, state.microphone.on), (false, false));
    assert_eq!(state.exit.unwrap().reason, ExitReason::Removed);
}

#[test]
fn an_entry_asked_for_while_leaving_begins_when_the_room_is_left() {
    let mut state = inside();
    state.on_exit_asked();
    state.on_enter_asked(Some(room(2)));
    assert_eq!(state.room.as_ref().unwrap().room_id, Some(1));
    state.on_event(&exit(ExitCause::Left), 1);
    assert_eq!(state.phase, Phase::Entering);
    assert_eq!(state.room.unwrap().room_id, Some(2));
}

#[test]
fn an_entry_refused_while_inside_changes_nothing() {
    let mut state = inside();
    let before = state.clone();
    state.on_enter_asked(Some(room(2)));
    assert_eq!(state, before);
}

#[test]
fn a_lost_connection_shows_until_it_is_back() {
    let mut state = inside();
    state.on_event(&Event::OnConnectionLost, 1);
    assert_eq!(state.phase, Phase::Reconnecting);
    state.on_event(&Event::OnConnectionRecovery, 2);
    assert_eq!(state.phase, Phase::In);
    assert_eq!(state.room.unwrap().entered_at, Some(77));
}

#[test]
fn a_camera_that_fails_is_off_and_says_why() {
    let mut state = inside();
    state.camera.on = true;
    state.on_event(&Event::OnError { code: -1301, detail: None, message: "gone".into() }, 1);
    assert!(!state.camera.on);
    assert_eq!(state.camera.fault.unwrap().message, "gone");
    assert_eq!(state.phase, Phase::In);
}

#[test]
fn a_device_that_is_gone_stays_on_and_says_why_until_another_is_used() {
    let mut state = inside();
    (state.camera.on, state.camera.ready, state.microphone.on) = (true, true, true);
    state.microphone.level = 70;
    for (code, kind) in [(1111, 2u8), (1201, 0), (1202, 1)] {
        state.on_event(&Event::OnWarning { code, message: "gone".into() }, 1);
        let of = |state: &AppState| match kind {
            2 => (state.camera.on && !state.camera.ready, state.camera.fault.clone()),
            0 => (state.microphone.on && state.microphone.level == 0, state.microphone.fault.clone()),
            _ => (true, state.speaker.fault.clone()),
        };
        let (waits, fault) = of(&state);
        assert!(waits && fault.unwrap().message == "gone", "{kind}");
        let (device_id, name, message) = ("d".into(), "n".into(), String::new());
        let used = Event::OnDeviceChange { device_id, kind, state: Event::DEVICE_ACTIVE, name, message };
        state.on_event(&used, 2);
        assert_eq!(of(&state).1, None, "{kind}");
    }
    assert!(state.camera.ready);
}

#[test]
fn a_warning_about_a_device_that_is_off_is_no_fault_of_it() {
    let mut state = inside();
    state.on_event(&Event::OnWarning { code: 1201, message: "none".into() }, 1);
    assert_eq!(state.microphone.fault, None);
}

#[test]
fn a_muted_microphone_does_not_speak() {
    let mut state = inside();
    state.microphone.on = true;
    state.on_own_level(50);
    assert!(state.microphone.speaking);
    state.microphone.muted = true;
    state.on_own_level(50);
    assert!(!state.microphone.speaking && state.microphone.level == 0);
}
