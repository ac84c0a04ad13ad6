//! How a stay ends, and what everybody is told of it.

use confab_protocol::{Event, ExitCause, ExitReason, LeaveReason, RawEnterParams};
use rooms::{Guest, Hall, Proxy, stamped};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_removed_is_told_why_and_the_others_too() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    bob.send_both().await;
    ann.join(hall.params("ann", 55)).await;
    bob.join(hall.params("bob", 55)).await;
    ann.until_told(Event::OnUserVideoAvailable { user_id: "bob".into(), available: true }).await;
    let answer = hall.remove(55, "bob").await;
    assert!(answer.get("Error").is_none(), "{answer}");
    let (reason, cause, message) = bob.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Removed, ExitCause::Removed));
    assert!(message.contains("removed"), "{message}");
    assert!(bob.session.local_video().latest().is_none(), "the camera is let go before the exit is told");
    ann.until_told(Event::OnUserVideoAvailable { user_id: "bob".into(), available: false }).await;
    let reason = LeaveReason::Removed;
    ann.until_told(Event::OnRemoteUserLeaveRoom { user_id: "bob".into(), reason }).await;
    // No ban: the same person may come back.
    bob.join(hall.params("bob", 55)).await;
    ann.until_told(Event::OnRemoteUserEnterRoom { user_id: "bob".into(), name: "bob".into() }).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dismissed_room_tells_everybody_and_can_be_opened_again() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 56)).await;
    bob.join(hall.params("bob", 56)).await;
    let answer = hall.dismiss(56).await;
    assert!(answer.get("Error").is_none(), "{answer}");
    for guest in [&mut ann, &mut bob] {
        let (reason, cause, _) = guest.until_out().await;
        assert_eq!((reason, cause), (ExitReason::Dismissed, ExitCause::Dismissed));
    }
    ann.join(hall.params("ann", 56)).await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_person_from_another_place_puts_the_earlier_one_out() {
    let hall = Hall::open().await;
    let (mut first, mut second, mut eve) = (Guest::new(), Guest::new(), Guest::new());
    eve.join(hall.params("eve", 57)).await;
    first.join(hall.params("ann", 57)).await;
    eve.until_told(Event::OnRemoteUserEnterRoom { user_id: "ann".into(), name: "ann".into() }).await;
    second.join(hall.params("ann", 57)).await;
    let (reason, cause, _) = first.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Removed, ExitCause::EnteredElsewhere));
    let told = second.settle(Duration::from_millis(500)).await;
    assert!(!told.iter().any(|event| matches!(event, Event::OnExitRoom { .. })), "{told:?}");
    // To others the person has been there all the time.
    let told = eve.settle(Duration::from_millis(200)).await;
    assert!(told.is_empty(), "{told:?}");
    second.leave().await;
    let reason = LeaveReason::Left;
    eve.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason }).await;
    eve.leave().await;
}

/// Somebody with camera and microphone whose connection is cut, until they have noticed.
async fn cut_off(hall: &Hall, user: &str, room: i64) -> (Guest, Proxy) {
    let wire = Proxy::to(&hall.url()).await;
    let mut guest = Guest::new();
    guest.send_both().await;
    guest.join(RawEnterParams { server: Some(wire.url()), ..hall.params(user, room) }).await;
    wire.cut();
    guest.until_told(Event::OnConnectionLost).await;
    guest.until_told(Event::OnTryToReconnect).await;
    (guest, wire)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_while_cut_off_hears_it_on_the_way_back_and_stays_out() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.join(hall.params("ann", 60)).await;
    let (mut bob, wire) = cut_off(&hall, "bob", 60).await;
    let answer = hall.remove(60, "bob").await;
    assert!(answer.get("Error").is_none(), "{answer}");
    let reason = LeaveReason::Removed;
    ann.until_told(Event::OnRemoteUserLeaveRoom { user_id: "bob".into(), reason }).await;
    wire.mend();
    let (reason, cause, message) = bob.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Removed, ExitCause::Removed));
    assert!(message.contains("removed"), "{message}");
    assert!(bob.session.local_video().latest().is_none(), "the camera is let go before the exit is told");
    assert!(!bob.told.iter().any(|event| matches!(event, Event::OnError { .. })), "{:?}", bob.told);
    assert!(!ann.sees("bob").await);
    // An entry of their own is no return.
    bob.join(hall.params("bob", 60)).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_dismissed_while_somebody_is_cut_off_is_not_opened_again_by_their_return() {
    let hall = Hall::open().await;
    let (mut bob, wire) = cut_off(&hall, "bob", 61).await;
    let answer = hall.dismiss(61).await;
    assert!(answer.get("Error").is_none(), "{answer}");
    wire.mend();
    let (reason, cause, _) = bob.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Dismissed, ExitCause::Dismissed));
    assert!(hall.dismiss(61).await.get("Error").is_some(), "there is no such room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_was_cut_off_does_not_put_the_later_place_out() {
    let hall = Hall::open().await;
    let (mut old, wire) = cut_off(&hall, "ann", 62).await;
    let mut new = Guest::new();
    new.join(hall.params("ann", 62)).await;
    wire.mend();
    let (reason, cause, _) = old.until_out().await;
    assert_eq!((reason, cause), (ExitReason::Removed, ExitCause::EnteredElsewhere));
    let told = new.settle(Duration::from_millis(500)).await;
    assert!(told.iter().all(|event| matches!(event, Event::OnRoomState(_))), "{told:?}");
    new.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_who_stops_tells_everybody() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    for (guest, user) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        guest.send_both().await;
        guest.join(hall.params(user, 58)).await;
    }
    // Pictures come the way that the notice takes.
    assert_eq!(stamped(ann.session.remote_video("bob").unwrap(), 1).await.len(), 1);
    assert_eq!(stamped(bob.session.remote_video("ann").unwrap(), 1).await.len(), 1);
    hall.stop(ExitCause::HostStopped).await;
    for guest in [&mut ann, &mut bob] {
        let (reason, cause, _) = guest.until_out().await;
        assert_eq!((reason, cause), (ExitReason::Dismissed, ExitCause::HostStopped));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_during_entry_brings_only_the_exit_and_exit_twice_nothing_more() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.session.enter_room(hall.params("ann", 59)).await.unwrap();
    ann.session.exit_room().await.unwrap();
    ann.session.exit_room().await.unwrap();
    assert_eq!(ann.until_out().await.0, ExitReason::Left);
    let told = ann.settle(Duration::from_millis(300)).await;
    assert!(told.is_empty(), "{told:?}");
    assert!(!ann.told.iter().any(|event| matches!(event, Event::OnEnterRoom { .. })), "{:?}", ann.told);
    // The session is as good as new.
    ann.join(hall.params("ann", 59)).await;
    ann.leave().await;
}
