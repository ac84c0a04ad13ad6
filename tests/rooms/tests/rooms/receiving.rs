//! What somebody chooses not to receive.

use confab_protocol::{Event, Participant};
use confab_session::{Receive, SessionConfig};
use rooms::{Guest, Hall, PATIENCE, Proxy, config, stamped};
use std::time::Duration;

/// Bytes of somebody's sound and pictures a second, as counted in the next seconds.
async fn received(guest: &mut Guest, user: &str) -> (u32, u32) {
    let figures = guest.until("statistics", |event| match event {
        Event::OnStatistics(figures) => Some(figures.clone()),
        _ => None,
    });
    let figures = figures.await;
    let about = figures.remote_statistics.iter().filter(|one| one.user_id == user);
    about.fold((0, 0), |(audio, video), one| (audio + one.audio_bitrate, video + one.video_bitrate))
}

/// Waits until somebody's sound and pictures come, or do not, as `wanted` says.
async fn until_received(guest: &mut Guest, user: &str, [audio, video]: [bool; 2]) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = received(guest, user).await;
        if (now.0 > 0, now.1 > 0) == (audio, video) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{user} is received as {now:?}, kbit/s");
    }
}

async fn seen(guest: &Guest, user: &str) -> Participant {
    guest.session.participants().await.into_iter().find(|one| one.user_id == user).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_voice_and_picture_are_not_received_and_come_back() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 80)).await;
    bob.join(hall.params("bob", 80)).await;
    bob.until_first_picture("ann").await;
    until_received(&mut bob, "ann", [true, true]).await;

    bob.session.mute_remote_audio("ann", true).await.unwrap();
    until_received(&mut bob, "ann", [false, true]).await;
    let ann_seen = seen(&bob, "ann").await;
    assert!(ann_seen.audio_muted && !ann_seen.video_muted && ann_seen.audio_available);
    assert_eq!((ann_seen.audio_level, ann_seen.speaking), (0, false));

    bob.session.mute_remote_video_stream("ann", 0, true).await.unwrap();
    until_received(&mut bob, "ann", [false, false]).await;
    let slot = bob.session.remote_video("ann").unwrap();
    let last = slot.latest().expect("the last picture stays");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(slot.latest().map(|frame| frame.at), Some(last.at), "and no other comes");

    bob.session.mute_all_remote_video_streams(false).await.unwrap();
    bob.session.mute_remote_audio("ann", false).await.unwrap();
    assert_eq!(stamped(slot, 5).await.len(), 5, "pictures go on");
    until_received(&mut bob, "ann", [true, true]).await;
    let ann_seen = seen(&bob, "ann").await;
    assert!(!ann_seen.audio_muted && !ann_seen.video_muted);
    ann.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_muted_before_an_entry_stays_so_over_a_cut_wire_until_the_exit() {
    let hall = Hall::open().await;
    let wire = Proxy::to(&hall.url()).await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 81)).await;
    bob.session.mute_all_remote_audio(true).await.unwrap();
    bob.session.mute_remote_video_stream("ann", 0, true).await.unwrap();
    let mut params = hall.params("bob", 81);
    params.server = Some(wire.url());
    bob.join(params.clone()).await;
    bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: true }).await;
    let silent = async |bob: &mut Guest| {
        for _ in 0..2 {
            assert_eq!(received(bob, "ann").await, (0, 0));
        }
        assert!(bob.session.remote_video("ann").unwrap().latest().is_none());
        let first = |told: &&Event| matches!(told, Event::OnFirstAudioFrame { .. });
        assert_eq!(bob.told.iter().find(first), None);
    };
    silent(&mut bob).await;
    wire.cut();
    bob.until_told(Event::OnConnectionLost).await;
    wire.mend();
    bob.until_told(Event::OnConnectionRecovery).await;
    silent(&mut bob).await;
    bob.leave().await;

    bob.join(params).await;
    bob.until_first_picture("ann").await;
    until_received(&mut bob, "ann", [true, true]).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mute_of_all_holds_for_those_who_come_later_but_for_whom_something_else_is_said() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut eve) = (Guest::new(), Guest::new(), Guest::new());
    bob.join(hall.params("bob", 82)).await;
    bob.session.mute_all_remote_audio(true).await.unwrap();
    bob.session.mute_remote_audio("eve", false).await.unwrap();
    for (guest, user) in [(&mut ann, "ann"), (&mut eve, "eve")] {
        guest.send_both().await;
        guest.join(hall.params(user, 82)).await;
        bob.until_first_picture(user).await;
    }
    until_received(&mut bob, "eve", [true, true]).await;
    until_received(&mut bob, "ann", [false, true]).await;
    for guest in [&mut ann, &mut bob, &mut eve] {
        guest.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_receive_mode_holds_from_the_next_entry_on() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    let mut bob = Guest::with(SessionConfig { receive: Receive::All, ..config() });
    ann.send_both().await;
    ann.join(hall.params("ann", 83)).await;
    bob.join(hall.params("bob", 83)).await;
    bob.until_first_picture("ann").await;
    bob.session.set_default_stream_recv_mode(false, false).await.unwrap();
    until_received(&mut bob, "ann", [true, true]).await;
    bob.leave().await;

    bob.join(hall.params("bob", 83)).await;
    bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: true }).await;
    assert_eq!(received(&mut bob, "ann").await, (0, 0));
    assert_eq!(received(&mut bob, "ann").await, (0, 0));
    bob.session.mute_remote_audio("ann", false).await.unwrap();
    until_received(&mut bob, "ann", [true, false]).await;
    bob.session.start_remote_view("ann", 0).await.unwrap();
    until_received(&mut bob, "ann", [true, true]).await;
    bob.leave().await;
    ann.leave().await;
}
