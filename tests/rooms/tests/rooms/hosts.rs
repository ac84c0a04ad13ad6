//! What hosts do to others and to the room.

use confab_media::MicrophoneSource;
use confab_protocol::{Event, ExitCause, ExitReason, HostAction, LeaveReason, UserId};
use rooms::{Guest, Hall};
use std::time::Duration;

fn id(user: &str) -> UserId {
    user.parse().unwrap()
}

/// Waits until the microphone is muted and it is told by whom, which come by different ways.
async fn muted_by(guest: &mut Guest, action: &HostAction, host: &str) {
    let (mut muted, mut told) = (false, false);
    while !(muted && told) {
        let what = format!("muted {muted}, told {told}");
        let word = guest.until(&what, |event| match event {
            Event::OnHostAction { what: done, by } if done == action => Some(by.clone()),
            Event::OnLocalAudioMuted { muted: true } => Some(None),
            _ => None,
        });
        match word.await {
            Some(by) => told |= by == host,
            None => muted = true,
        }
    }
}

fn voice(user: &str, available: bool) -> Event {
    Event::OnUserAudioAvailable { user_id: user.to_owned(), available }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_mutes_one_who_may_unmute_and_all_who_may_not() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    ann.until_room("an owner", |state| state.owner.as_deref() == Some("ann")).await;
    bob.join(hall.params("bob", 1)).await;
    bob.send_both().await;
    ann.until_told(voice("bob", true)).await;

    let one = HostAction::Mute { user_id: Some(id("bob")), allow_unmute: true };
    ann.session.act(one.clone()).await.unwrap();
    muted_by(&mut bob, &one, "ann").await;
    ann.until_told(voice("bob", false)).await;
    bob.session.mute_local_audio(false).await.unwrap();
    ann.until_told(voice("bob", true)).await;

    let all = HostAction::Mute { user_id: None, allow_unmute: false };
    ann.session.act(all.clone()).await.unwrap();
    muted_by(&mut bob, &all, "ann").await;
    ann.until_told(voice("bob", false)).await;
    bob.until_room("all muted", |state| state.muted_all && state.forbidden == ["bob"]).await;
    let refused = bob.session.mute_local_audio(false).await.unwrap_err();
    assert!(refused.code == -3 && refused.message.contains("host"), "{refused}");

    ann.session.act(HostAction::AllowUnmute { user_id: Some(id("bob")) }).await.unwrap();
    bob.until_room("bob may speak", |state| state.forbidden.is_empty()).await;
    let told = ann.settle(Duration::from_millis(300)).await;
    assert!(!told.contains(&voice("bob", true)), "nobody is heard before they unmute: {told:?}");
    bob.session.mute_local_audio(false).await.unwrap();
    ann.until_told(voice("bob", true)).await;
    ann.session.act(HostAction::StopVideo { user_id: id("bob") }).await.unwrap();
    bob.until_told(Event::OnLocalVideoMuted { muted: true }).await;
    ann.until_told(Event::OnUserVideoAvailable { user_id: "bob".into(), available: false }).await;
    bob.session.mute_local_video(false).await.unwrap();
    ann.until_told(Event::OnUserVideoAvailable { user_id: "bob".into(), available: true }).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_to_a_muted_room_with_an_open_microphone_is_heard_once_a_host_allows_it() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    ann.until_room("an owner", |state| state.owner.as_deref() == Some("ann")).await;
    ann.session.act(HostAction::Mute { user_id: None, allow_unmute: false }).await.unwrap();
    bob.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    bob.join(hall.params("bob", 1)).await;
    bob.until_told(Event::OnLocalAudioMuted { muted: true }).await;
    let told = bob.settle(Duration::from_millis(500)).await;
    assert!(!told.iter().any(|event| matches!(event, Event::OnError { .. })), "a mute is no error: {told:?}");
    ann.session.act(HostAction::AllowUnmute { user_id: Some(id("bob")) }).await.unwrap();
    bob.until_room("bob may speak", |state| state.forbidden.is_empty()).await;
    bob.session.mute_local_audio(false).await.unwrap();
    ann.until_told(voice("bob", true)).await;
    ann.until_told(Event::OnFirstAudioFrame { user_id: "bob".into() }).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_hosts_act_and_whoever_is_removed_for_good_learns_by_whom() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    let outside = bob.session.act(HostAction::Dismiss).await.unwrap_err();
    assert_eq!(outside.code, -3);
    ann.join(hall.params("ann", 2)).await;
    bob.join(hall.params("bob", 2)).await;
    let refused = bob.session.act(HostAction::Remove { user_id: id("ann"), ban: false }).await.unwrap_err();
    assert!(refused.code == -3 && refused.message.contains("host"), "{refused}");
    ann.session.act(HostAction::Remove { user_id: id("bob"), ban: true }).await.unwrap();
    let by = bob.until("the exit", |event| match event {
        Event::OnExitRoom { reason: ExitReason::Removed, cause: ExitCause::Removed, by, .. } => by.clone(),
        _ => None,
    });
    assert_eq!(by.await, "ann");
    let reason = LeaveReason::Removed;
    ann.until_told(Event::OnRemoteUserLeaveRoom { user_id: "bob".into(), reason }).await;
    assert_eq!(bob.enter(hall.params("bob", 2)).await, -102_011);
    ann.session.act(HostAction::Dismiss).await.unwrap();
    let (reason, cause, _) = ann.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Dismissed, ExitCause::Dismissed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_to_a_waiting_room_waits_as_long_as_it_takes_and_enters_once() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut kim) = (Guest::new(), Guest::new(), Guest::new());
    ann.join(hall.params("ann", 3)).await;
    ann.session.act(HostAction::WaitingRoom { on: true }).await.unwrap();
    bob.session.enter_room(hall.params("bob", 3)).await.unwrap();
    bob.until_told(Event::OnWaiting).await;
    kim.session.enter_room(hall.params("kim", 3)).await.unwrap();
    kim.until_told(Event::OnWaiting).await;
    ann.until("both wait", |event| match event {
        Event::OnWaitingList { people } => {
            let who: Vec<&str> = people.iter().map(|one| one.user_id.as_str()).collect();
            (who == ["bob", "kim"]).then_some(())
        }
        _ => None,
    })
    .await;
    // Longer than an entry may take that nobody has to allow.
    tokio::time::sleep(confab_session::room::SEAT + Duration::from_secs(1)).await;
    ann.session.act(HostAction::Admit { user_id: Some(id("bob")) }).await.unwrap();
    ann.session.act(HostAction::Deny { user_id: id("kim") }).await.unwrap();
    let entered = |event: &Event| match event {
        Event::OnEnterRoom { result } => Some(*result),
        _ => None,
    };
    assert!(bob.until("the entry", entered).await > 0);
    assert_eq!(kim.until("the refusal", entered).await, -102_011);
    let told = bob.settle(Duration::from_millis(200)).await;
    assert!(
        !told.iter().any(|event| matches!(event, Event::OnEnterRoom { .. } | Event::OnWaiting)),
        "{told:?}"
    );
    kim.session.enter_room(hall.params("kim", 3)).await.unwrap();
    kim.until_told(Event::OnWaiting).await;
    kim.leave().await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_owner_leaves_somebody_follows_and_everybody_knows() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut kim) = (Guest::new(), Guest::new(), Guest::new());
    for (guest, name) in [(&mut ann, "ann"), (&mut bob, "bob"), (&mut kim, "kim")] {
        guest.join(hall.params(name, 4)).await;
    }
    ann.session.act(HostAction::CoHost { user_id: id("kim"), on: true }).await.unwrap();
    bob.until_room("kim helps", |state| state.co_hosts == ["kim"]).await;
    ann.leave().await;
    for guest in [&mut bob, &mut kim] {
        guest.until_room("kim follows", |state| state.owner.as_deref() == Some("kim")).await;
    }
    kim.session.act(HostAction::HandOver { user_id: id("bob") }).await.unwrap();
    bob.until_room("bob has it", |state| state.owner.as_deref() == Some("bob")).await;
    bob.session.act(HostAction::Lock { on: true }).await.unwrap();
    let mut late = Guest::new();
    assert_eq!(late.enter(hall.params("late", 4)).await, -102_011);
    kim.leave().await;
    bob.leave().await;
}
