//! People in a room see and hear each other, over cuts and restarts too.

use confab_media::picture::psnr;
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{Event, LeaveReason};
use confab_session::{Receive, SessionConfig};
use rooms::{Guest, Hall, PATIENCE, config, decibels, share_of, stamped};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_see_each_other_as_they_are() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.session.start_local_video(CameraSource::Test).await.unwrap();
    ann.join(hall.params("ann", 123)).await;
    bob.join(hall.params("bob", 123)).await;
    bob.until_told(Event::OnRemoteUserEnterRoom { user_id: "ann".into(), name: "ann".into() }).await;
    bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: true }).await;
    let first = Event::OnFirstVideoFrame { user_id: "ann".into(), stream_type: 0, width: 640, height: 360 };
    bob.until_told(first).await;

    let (sent, received) = tokio::join!(
        stamped(ann.session.local_video(), 45),
        stamped(bob.session.remote_video("ann").unwrap(), 30)
    );
    let counters: Vec<u32> = received.iter().map(|(stamp, _)| stamp.counter).collect();
    assert!(counters.windows(2).all(|pair| pair[0] < pair[1]), "pictures must go forward: {counters:?}");
    let mut compared = 0;
    for (stamp, picture) in &received {
        if let Some((_, original)) = sent.iter().find(|(sent, _)| sent.counter == stamp.counter) {
            let likeness = psnr(&original.buffer, &picture.buffer).unwrap();
            assert!(likeness > 28.0, "picture {} is unlike what was sent: {likeness} dB", stamp.counter);
            compared += 1;
        }
    }
    assert!(compared >= 10, "only {compared} pictures could be compared");
    ann.leave().await;
    bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: false }).await;
    let reason = LeaveReason::Left;
    bob.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason }).await;
    assert!(bob.session.remote_video("ann").is_none() && !bob.sees("ann").await);
    bob.leave().await;
}

/// Waits until a recording is that many bytes longer than now.
async fn grown(recording: &std::path::Path, bytes: u64) {
    let length = || std::fs::metadata(recording).map_or(0, |file| file.len());
    let enough = length() + bytes;
    let growing = async {
        while length() < enough {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), growing).await.expect("nothing more is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tone_sent_is_the_tone_heard() {
    let hall = Hall::open().await;
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard.wav");
    let mut ann = Guest::new();
    let mut bob = Guest::with(SessionConfig { speaker: SpeakerSink::File(heard.clone()), ..config() });
    ann.join(hall.params("ann", 7)).await;
    bob.join(hall.params("bob", 7)).await;
    ann.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    ann.until_told(Event::OnMicDidReady).await;
    ann.until_told(Event::OnSendFirstLocalAudioFrame).await;
    bob.until_told(Event::OnUserAudioAvailable { user_id: "ann".into(), available: true }).await;
    bob.until_told(Event::OnFirstAudioFrame { user_id: "ann".into() }).await;
    grown(&heard, 2 * 48_000 * 4).await;
    ann.session.mute_local_audio(true).await.unwrap();
    bob.until_told(Event::OnUserAudioAvailable { user_id: "ann".into(), available: false }).await;
    bob.leave().await;
    ann.leave().await;

    let mut reader = hound::WavReader::open(&heard).unwrap();
    let spec = reader.spec();
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect()
        }
    };
    let begin = samples.iter().position(|sample| sample.abs() > 0.02).unwrap();
    // The middle second: the start may still adapt.
    let second = &samples[begin + 36_000..begin + 84_000];
    let share = share_of(second, spec.sample_rate, 440.0);
    assert!(share > 0.95, "only {share} of what is heard is the tone");
    let loudness = decibels(second);
    assert!((-23.0..-17.0).contains(&loudness), "the tone is {loudness} dB loud");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_about_somebody_come_in_order_and_mute_and_stop_are_told() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    ann.send_both().await;
    ann.until_told(Event::OnSendFirstLocalVideoFrame { stream_type: 0 }).await;
    bob.join(hall.params("bob", 1)).await;
    let video = |available| Event::OnUserVideoAvailable { user_id: "ann".into(), available };
    let audio = |available| Event::OnUserAudioAvailable { user_id: "ann".into(), available };
    bob.until_told(Event::OnRemoteUserEnterRoom { user_id: "ann".into(), name: "ann".into() }).await;
    bob.until_told(audio(true)).await;
    bob.until_told(video(true)).await;
    bob.until_first_picture("ann").await;
    ann.session.mute_local_video(true).await.unwrap();
    bob.until_told(video(false)).await;
    ann.session.mute_local_video(false).await.unwrap();
    bob.until_told(video(true)).await;
    bob.until_first_picture("ann").await;
    let slot = bob.session.remote_video("ann").unwrap();
    assert_eq!(stamped(slot.clone(), 5).await.len(), 5, "pictures go on after the mute");
    ann.session.stop_local_video().await.unwrap();
    bob.until_told(video(false)).await;
    ann.session.start_local_video(CameraSource::Test).await.unwrap();
    bob.until_told(video(true)).await;
    bob.until_first_picture("ann").await;
    assert_eq!(stamped(slot, 5).await.len(), 5, "pictures come back after the stop");
    let figures = bob.session.statistics().await;
    let about_ann = figures.remote_statistics.iter().find(|one| one.user_id == "ann").unwrap();
    assert_eq!((about_ann.width, about_ann.height), (640, 360));
    assert!(figures.received_bytes > 10_000, "{figures:?}");
    ann.leave().await;
    bob.until_told(Event::OnRemoteUserLeaveRoom { user_id: "ann".into(), reason: LeaveReason::Left }).await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_by_number_and_by_text_and_of_two_apps_never_meet() {
    let hall = Hall::open().await;
    let (mut number, mut text, mut other) = (Guest::new(), Guest::new(), Guest::new());
    let mut elsewhere = hall.params("eve", 123);
    elsewhere.sdk_app_id = Some(i64::from(rooms::OTHER_APP));
    elsewhere.user_sig = Some(rooms::sign(rooms::OTHER_APP, rooms::OTHER_KEY, "eve"));
    number.join(hall.params("ann", 123)).await;
    text.join(hall.text_params("bob", "123")).await;
    other.join(elsewhere).await;
    // Somebody in the same room is seen, so that nobody seen elsewhere means something.
    let mut same = Guest::new();
    same.join(hall.params("kim", 123)).await;
    number.until_told(Event::OnRemoteUserEnterRoom { user_id: "kim".into(), name: "kim".into() }).await;
    assert!(number.sees("kim").await && !number.sees("bob").await && !number.sees("eve").await);
    assert!(text.session.participants().await.is_empty());
    assert!(other.session.participants().await.is_empty());
    for guest in [&mut number, &mut text, &mut other, &mut same] {
        guest.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_wire_is_told_and_mended_by_itself() {
    let hall = Hall::open().await;
    let wire = rooms::Proxy::to(&hall.url()).await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 9)).await;
    let mut params = hall.params("bob", 9);
    params.server = Some(wire.url());
    bob.join(params).await;
    assert_eq!(stamped(bob.session.remote_video("ann").unwrap(), 3).await.len(), 3);
    wire.cut();
    bob.until_told(Event::OnConnectionLost).await;
    bob.until_told(Event::OnTryToReconnect).await;
    bob.until_told(Event::OnTryToReconnect).await;
    wire.mend();
    bob.until_told(Event::OnConnectionRecovery).await;
    let slot = bob.session.remote_video("ann").unwrap();
    let pictures = tokio::time::timeout(PATIENCE, stamped(slot, 5)).await.unwrap();
    assert_eq!(pictures.len(), 5, "pictures go on after the recovery");
    assert!(bob.sees("ann").await && ann.sees("bob").await);
    ann.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_stopped_and_started_again_has_everybody_back() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    for (guest, user) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        guest.send_both().await;
        guest.join(hall.params(user, 14)).await;
    }
    ann.until_first_picture("bob").await;
    let address = hall.address();
    hall.stop(confab_protocol::ExitCause::ServerStopped).await;
    ann.until_told(Event::OnConnectionLost).await;
    bob.until_told(Event::OnConnectionLost).await;
    let _hall = Hall::open_at(address).await;
    ann.until_told(Event::OnConnectionRecovery).await;
    bob.until_told(Event::OnConnectionRecovery).await;
    ann.until_first_picture("bob").await;
    assert_eq!(stamped(ann.session.remote_video("bob").unwrap(), 5).await.len(), 5);
    let out = |guest: &Guest| guest.told.iter().any(|event| matches!(event, Event::OnExitRoom { .. }));
    assert!(!out(&ann) && !out(&bob));
    ann.leave().await;
    bob.leave().await;
}

/// What is recorded to that device is lost at once, as with a disk that is full.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_speaker_that_fails_takes_neither_the_microphone_nor_the_room_with_it() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    let mut bob = Guest::with(SessionConfig { speaker: SpeakerSink::File("/dev/full".into()), ..config() });
    ann.join(hall.params("ann", 15)).await;
    bob.join(hall.params("bob", 15)).await;
    bob.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    ann.until_told(Event::OnFirstAudioFrame { user_id: "bob".into() }).await;
    bob.until("the speaker's failure", |event| match event {
        Event::OnError { code, .. } | Event::OnWarning { code, .. } => {
            [-1321, 1205].contains(code).then_some(())
        }
        _ => None,
    })
    .await;
    let told = ann.settle(Duration::from_millis(700)).await;
    assert!(told.is_empty(), "bob is heard on: {told:?}");
    ann.send_both().await;
    bob.until_told(Event::OnFirstAudioFrame { user_id: "ann".into() }).await;
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_comes_back_is_seen_and_heard_again() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 10)).await;
    for _ in 0..3 {
        bob.send_both().await;
        bob.join(hall.params("bob", 10)).await;
        ann.until_told(Event::OnRemoteUserEnterRoom { user_id: "bob".into(), name: "bob".into() }).await;
        let slot = ann.session.remote_video("bob").unwrap();
        assert_eq!(stamped(slot, 3).await.len(), 3);
        ann.until_told(Event::OnFirstAudioFrame { user_id: "bob".into() }).await;
        bob.leave().await;
        let reason = LeaveReason::Left;
        ann.until_told(Event::OnRemoteUserLeaveRoom { user_id: "bob".into(), reason }).await;
    }
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_people_all_see_each_other() {
    const PEOPLE: [&str; 4] = ["ann", "bob", "eve", "kim"];
    let hall = Hall::open().await;
    let video = VideoConfig { width: 320, height: 180, fps: 10, bitrate: 200_000 };
    let mut guests = PEOPLE.map(|_| Guest::with(SessionConfig { video, ..config() }));
    for (guest, user) in guests.iter_mut().zip(PEOPLE) {
        guest.send_both().await;
        guest.join(hall.params(user, 11)).await;
    }
    for (guest, user) in guests.iter_mut().zip(PEOPLE) {
        for other in PEOPLE.iter().filter(|other| **other != user) {
            let told = |event: &Event| match event {
                Event::OnFirstVideoFrame { user_id, .. } => (user_id == other).then_some(()),
                _ => None,
            };
            // Their order is not ours to choose.
            if !guest.told.iter().any(|event| told(event).is_some()) {
                guest.until(&format!("the first picture of {other} for {user}"), told).await;
            }
            let pictures = stamped(guest.session.remote_video(other).unwrap(), 3).await;
            assert_eq!(pictures.len(), 3, "{user} sees {other}");
        }
    }
    for guest in &mut guests {
        guest.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_on_demand_come_only_while_they_are_shown() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    let mut bob = Guest::with(SessionConfig { receive: Receive::OnDemand, ..config() });
    ann.send_both().await;
    ann.join(hall.params("ann", 12)).await;
    bob.join(hall.params("bob", 12)).await;
    bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: true }).await;
    bob.until_told(Event::OnFirstAudioFrame { user_id: "ann".into() }).await;
    let slot = bob.session.remote_video("ann").unwrap();
    assert!(slot.latest().is_none(), "a picture came that nobody shows");
    bob.session.start_remote_view("ann", 0).await.unwrap();
    bob.until_first_picture("ann").await;
    assert_eq!(stamped(slot.clone(), 3).await.len(), 3);
    bob.session.stop_remote_view("ann", 0).await.unwrap();
    assert!(slot.latest().is_none());
    bob.session.start_remote_view("ann", 0).await.unwrap();
    bob.until_first_picture("ann").await;
    assert_eq!(stamped(slot, 3).await.len(), 3, "shown again");
    ann.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_started_or_stopped_wins_over_what_is_received_otherwise() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.send_both().await;
    ann.join(hall.params("ann", 13)).await;
    for receive in [Receive::All, Receive::None] {
        let mut bob = Guest::with(SessionConfig { receive, ..config() });
        bob.join(hall.params("bob", 13)).await;
        bob.until_told(Event::OnUserVideoAvailable { user_id: "ann".into(), available: true }).await;
        let slot = bob.session.remote_video("ann").unwrap();
        if receive == Receive::All {
            assert_eq!(stamped(slot.clone(), 3).await.len(), 3);
            bob.session.stop_remote_view("ann", 0).await.unwrap();
        }
        assert!(slot.latest().is_none(), "{receive:?}: a picture is there that nobody wants");
        bob.session.start_remote_view("ann", 0).await.unwrap();
        assert_eq!(stamped(slot, 3).await.len(), 3, "{receive:?}");
        bob.leave().await;
    }
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_have_gone_who_comes_later_is_seen_and_heard() {
    let hall = Hall::open().await;
    let mut ann = Guest::new();
    ann.join(hall.params("ann", 15)).await;
    // The sections of those who have gone are used again from the ninth on.
    for number in 0..12 {
        let user = format!("u{number}");
        let mut guest = Guest::new();
        guest.send_both().await;
        guest.join(hall.params(&user, 15)).await;
        let (mut seen, mut heard) = (false, false);
        while !(seen && heard) {
            let what = format!("picture and sound of {user}");
            let first = ann.until(&what, |event| match event {
                Event::OnFirstVideoFrame { user_id, .. } if *user_id == user => Some(true),
                Event::OnFirstAudioFrame { user_id } if *user_id == user => Some(false),
                _ => None,
            });
            if first.await { seen = true } else { heard = true }
        }
        assert_eq!(stamped(ann.session.remote_video(&user).unwrap(), 3).await.len(), 3);
        guest.leave().await;
    }
    ann.leave().await;
}
