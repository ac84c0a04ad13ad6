//! Whole rooms over loopback: str0m clients against the real workers.

mod client;
mod messages;
mod permissions;
mod tcp;
mod wire;

use std::time::Duration;

use confab_protocol::{ExitCause, LeaveReason, Notice};
use confab_signal::{data, lk};
use lk::DisconnectReason;
use lk::participant_info::State;
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use str0m::Rtc;
use str0m::media::{Direction, MediaKind};
use tokio::sync::mpsc;

use self::client::{Client, Connection, join};
use super::{Embedded, EmbeddedConfig};
use crate::engine::{Engine, EngineError, EngineEvent, Kinds, Permission};

fn engine() -> (Embedded, mpsc::Receiver<EngineEvent>) {
    let (to, events) = mpsc::channel(256);
    let media = "127.0.0.1:0".parse().unwrap();
    let config = EmbeddedConfig { media, workers: Some(2), advertise: Vec::new(), tcp: true };
    (Embedded::start(&config, &to).unwrap(), events)
}

fn removed() -> Notice {
    Notice::exit(ExitCause::Removed, Some("host".into()))
}

async fn event(events: &mut mpsc::Receiver<EngineEvent>) -> EngineEvent {
    tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_join_answers_with_the_room_and_connects() {
    let (engine, mut events) = engine();
    let client = Client::connected(&engine, join("lobby", "ann")).await;
    let Some(Response::Join(joined)) = client.said.first() else { panic!("first: {:?}", client.said) };
    let me = joined.participant.as_ref().unwrap();
    assert!(me.sid.starts_with("PA_") && joined.room.as_ref().unwrap().sid.starts_with("RM_"));
    assert!(joined.subscriber_primary && joined.server_info.as_ref().unwrap().protocol <= 17);
    assert_eq!((joined.ping_interval, joined.ping_timeout), (5, 15));
    let (room, identity) = ("lobby".to_owned(), "ann".to_owned());
    assert_eq!(
        event(&mut events).await,
        EngineEvent::Joined { room: room.clone(), identity: identity.clone(), ticket: None }
    );
    assert_eq!(event(&mut events).await, EngineEvent::Active { room, identity });
}

#[tokio::test]
async fn what_one_sends_the_other_receives_in_order() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let video = ann.publishing(MediaKind::Video, "cam").await;
    let audio = ann.publishing(MediaKind::Audio, "mic").await;
    let both =
        |c: &Client| c.sent(|said| matches!(said, Response::Offer(o) if o.mid_to_track_id.len() == 2)) > 0;
    bob.until("offer of both tracks", both).await;
    bob.run(Duration::from_millis(100)).await;

    // Across the publisher's roll-over: the subscriber, who came later, is at another number.
    let payloads: Vec<Vec<u8>> = (0..20u8).map(|n| vec![0x65, n, n]).collect();
    for (n, payload) in (65_526..).zip(&payloads) {
        ann.publisher.send(video, n, payload, None);
        tokio::join!(ann.run(Duration::from_millis(5)), bob.run(Duration::from_millis(5)));
    }
    ann.publisher.send(audio, 9, b"sound", Some(-10));
    tokio::join!(
        ann.run(Duration::from_millis(50)),
        bob.until("21 packets", |c| c.subscriber.packets.len() >= 21),
    );
    let mut expected = payloads;
    expected.push(b"sound".to_vec());
    assert_eq!(bob.subscriber.payloads(), expected);
    let numbers: Vec<u64> = bob.subscriber.packets[..20].iter().map(|(_, n, _)| *n).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[tokio::test]
async fn a_late_joiner_makes_the_publisher_be_asked_for_a_key_frame() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let video = ann.publishing(MediaKind::Video, "cam").await;
    for n in 0..5 {
        ann.publisher.send(video, n, b"frame", None);
    }
    ann.run(Duration::from_millis(50)).await;
    assert_eq!(ann.publisher.key_frames_asked, 0, "nobody watches");
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    tokio::join!(
        ann.until("asked", |c| c.publisher.key_frames_asked > 0),
        bob.run(Duration::from_millis(200)),
    );
    ann.until("told", |c| c.sent(|said| matches!(said, Response::TrackSubscribed(_))) == 1).await;
    ann.publisher.send(video, 5, b"key", None);
    tokio::join!(
        ann.run(Duration::from_millis(50)),
        bob.until("picture", |c| c.subscriber.payloads().contains(&b"key".to_vec())),
    );
}

#[tokio::test]
async fn tracks_appear_are_muted_and_withdrawn_for_the_others() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let video = ann.publishing(MediaKind::Video, "cam").await;
    let published = ann.said.iter().find_map(|said| match said {
        Response::TrackPublished(published) => published.track.clone(),
        _ => None,
    });
    let sid = published.unwrap().sid;
    assert!(sid.starts_with("TR_V"));
    let tracks = |c: &Client| c.knows("ann").map_or(0, |info| info.tracks.len());
    bob.until("track seen", |c| tracks(c) == 1).await;
    ann.say(Request::Mute(lk::MuteTrackRequest { sid: sid.clone(), muted: true })).await;
    bob.until("mute seen", |c| c.knows("ann").is_some_and(|info| info.tracks[0].muted)).await;
    engine.mute("r", "ann", &sid, false).await.unwrap();
    bob.until("unmute seen", |c| c.knows("ann").is_some_and(|info| !info.tracks[0].muted)).await;
    ann.until("told", |c| c.sent(|said| matches!(said, Response::Mute(m) if !m.muted)) == 1).await;
    assert_eq!(engine.mute("r", "ann", "TR_other", true).await, Err(EngineError::NoTrack));

    ann.offer(|api| api.set_direction(video, Direction::Inactive)).await;
    bob.until("track gone", |c| tracks(c) == 0).await;
    ann.until("told", |c| c.sent(|said| matches!(said, Response::TrackUnpublished(_))) == 1).await;
}

#[tokio::test]
async fn data_goes_to_those_named_under_the_senders_own_name() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let mut eve = Client::connected(&engine, join("r", "eve")).await;
    ann.publishing(MediaKind::Audio, "mic").await;
    ann.until("channel", |c| !c.publisher.channels.is_empty()).await;
    let mut forged = data::user_packet("chat", b"hello".to_vec(), vec!["bob".into()]);
    forged.participant_identity = "mallory".into();
    ann.publisher.send_data(&forged);
    ann.publisher.send_data(&data::user_packet("chat", b"all".to_vec(), Vec::new()));
    tokio::join!(
        ann.run(Duration::from_millis(200)),
        bob.until("both", |c| c.subscriber.data.len() == 2),
        eve.until("one", |c| c.subscriber.data.len() == 1),
    );
    assert_eq!(bob.subscriber.data[0].participant_identity, "ann");
    assert!(ann.subscriber.data.is_empty(), "not to oneself");
    engine.send_data("r", "server", b"x".to_vec(), vec!["eve".into()]).await.unwrap();
    eve.until("from the server", |c| c.subscriber.data.len() == 2).await;
    assert_eq!(eve.subscriber.data[1].participant_identity, "");
}

#[tokio::test]
async fn the_same_identity_again_takes_the_seat() {
    let (engine, mut events) = engine();
    let mut old = Client::connected(&engine, join("r", "ann")).await;
    let mut new = Client::connected(&engine, join("r", "ann")).await;
    tokio::join!(old.until("ended", |c| c.ended), new.run(Duration::from_millis(100)));
    let leave = old.left().unwrap();
    assert_eq!(leave.reason(), DisconnectReason::DuplicateIdentity);
    let notice = data::notice(&old.subscriber.data[0]);
    assert_eq!(notice, Some(Notice::exit(ExitCause::EnteredElsewhere, None)));
    assert_eq!(engine.participants("r").await.unwrap().len(), 1);
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        kinds.push(event);
    }
    assert!(!kinds.iter().any(|event| matches!(event, EngineEvent::Left { .. })), "{kinds:?}");
    assert!(!new.ended);
}

#[tokio::test]
async fn somebody_removed_is_told_why_then_disconnected_and_the_others_see_it() {
    let (engine, mut events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    engine.remove("r", "ann", removed()).await.unwrap();
    ann.until("ended", |c| c.ended).await;
    assert_eq!(data::notice(&ann.subscriber.data[0]), Some(removed()));
    assert_eq!(ann.left().unwrap().reason(), DisconnectReason::ParticipantRemoved);
    bob.until("seen", |c| c.knows("ann").is_some_and(|info| info.state() == State::Disconnected)).await;
    assert_eq!(bob.knows("ann").unwrap().disconnect_reason(), DisconnectReason::ParticipantRemoved);
    assert_eq!(engine.remove("r", "ann", removed()).await, Err(EngineError::NoParticipant));
    assert_eq!(engine.remove("elsewhere", "ann", removed()).await, Err(EngineError::NoRoom));
    let left = EngineEvent::Left { room: "r".into(), identity: "ann".into(), reason: LeaveReason::Removed };
    while event(&mut events).await != left {}
}

#[tokio::test]
async fn somebody_removed_before_they_are_connected_is_told_why_once_they_are() {
    let (engine, _events) = engine();
    let mut ann = Client::join(&engine, join("r", "ann")).await;
    engine.remove("r", "ann", removed()).await.unwrap();
    assert!(!ann.subscriber.connected);
    ann.until("ended", |c| c.ended).await;
    assert_eq!(ann.subscriber.data.first().and_then(data::notice), Some(removed()));
    assert_eq!(ann.left().unwrap().reason(), DisconnectReason::ParticipantRemoved);
}

#[tokio::test]
async fn a_dismissed_room_is_closed_and_everybody_is_told() {
    let (engine, mut events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let notice = Notice::exit(ExitCause::Dismissed, None);
    engine.dismiss("r", notice.clone()).await.unwrap();
    tokio::join!(ann.until("ended", |c| c.ended), bob.until("ended", |c| c.ended));
    for client in [&ann, &bob] {
        assert_eq!(data::notice(&client.subscriber.data[0]), Some(notice.clone()));
        assert_eq!(client.left().unwrap().reason(), DisconnectReason::RoomDeleted);
    }
    assert_eq!(engine.rooms().await.unwrap(), vec![]);
    while event(&mut events).await != (EngineEvent::RoomClosed { room: "r".into() }) {}
}

#[tokio::test]
async fn the_hidden_see_and_are_never_seen() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut viewer = join("r", "viewer");
    viewer.permission = Permission { publish: Kinds::NONE, hidden: true, ..viewer.permission };
    let mut viewer = Client::connected(&engine, viewer).await;
    ann.publishing(MediaKind::Audio, "mic").await;
    tokio::join!(
        viewer.until("track", |c| c.knows("ann").is_some_and(|info| info.tracks.len() == 1)),
        ann.run(Duration::from_millis(100)),
    );
    viewer.say(Request::Leave(lk::LeaveRequest::default())).await;
    ann.run(Duration::from_millis(200)).await;
    assert_eq!(ann.knows("viewer"), None);
}

#[tokio::test]
async fn who_may_not_publish_is_refused_and_forwards_nothing_until_permitted() {
    let (engine, _events) = engine();
    let mut ann = join("r", "ann");
    ann.permission.publish = Kinds::NONE;
    let mut ann = Client::connected(&engine, ann).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    ann.publish(MediaKind::Video, "cam").await;
    let refused = |said: &Response| matches!(said, Response::RequestResponse(r) if r.reason() == lk::request_response::Reason::NotAllowed);
    ann.until("refused", |c| c.sent(refused) == 1).await;
    bob.run(Duration::from_millis(100)).await;
    assert!(bob.knows("ann").unwrap().tracks.is_empty());

    let all = join("r", "ann").permission;
    engine.set_permission("r", "ann", all).await.unwrap();
    ann.publishing(MediaKind::Video, "cam2").await;
    bob.until("track", |c| c.knows("ann").is_some_and(|info| info.tracks.len() == 1)).await;
    engine.set_permission("r", "ann", Permission { publish: Kinds::NONE, ..all }).await.unwrap();
    bob.until("withdrawn", |c| c.knows("ann").is_some_and(|info| info.tracks.is_empty())).await;
    ann.until("told", |c| c.sent(|said| matches!(said, Response::TrackUnpublished(_))) == 1).await;
}

#[tokio::test]
async fn a_leave_and_a_closed_websocket_before_connecting_free_the_seat() {
    let (engine, mut events) = engine();
    let ann = Client::connected(&engine, join("r", "ann")).await;
    let early = Client::join(&engine, join("r", "early")).await;
    drop(early);
    let gone =
        EngineEvent::Left { room: "r".into(), identity: "early".into(), reason: LeaveReason::TimedOut };
    while event(&mut events).await != gone {}
    ann.say(Request::Leave(lk::LeaveRequest::default())).await;
    while event(&mut events).await != (EngineEvent::RoomClosed { room: "r".into() }) {}
}

#[tokio::test]
async fn a_lost_person_is_missed_after_silence_and_their_seat_time() {
    let (engine, mut events) = engine();
    let mut ann = join("r", "ann");
    ann.seat = Duration::from_secs(1);
    let mut ann = Client::connected(&engine, ann).await;
    ann.subscriber.plugged = false;
    let gone = EngineEvent::Left { room: "r".into(), identity: "ann".into(), reason: LeaveReason::TimedOut };
    let missed = async {
        let wait = Duration::from_secs(20);
        while tokio::time::timeout(wait, events.recv()).await.unwrap().unwrap() != gone {}
    };
    tokio::join!(missed, ann.run(Duration::from_secs(12)));
    assert_eq!(ann.left().unwrap().action(), lk::leave_request::Action::Resume);
}

#[tokio::test]
async fn a_lost_websocket_resumes_without_anybody_noticing() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    ann.until("bob", |c| c.knows("bob").is_some()).await;
    let Some(Response::Join(joined)) = ann.said.first().cloned() else { panic!("no join") };
    let sid = joined.participant.unwrap().sid;
    assert!(engine.resume("r", "ann", "PA_other").await.unwrap().is_none());
    let line = engine.resume("r", "ann", &sid).await.unwrap().unwrap();
    drop(std::mem::replace(&mut ann.line, line));
    ann.said.clear();
    ann.until("reconnected", |c| {
        c.sent(|s| matches!(s, Response::Reconnect(_))) == 1
            && c.sent(|s| matches!(s, Response::Offer(_))) == 1
    })
    .await;
    ann.run(Duration::from_millis(300)).await;
    engine.send_data("r", "t", b"still here".to_vec(), vec!["ann".into()]).await.unwrap();
    tokio::join!(ann.until("data", |c| c.subscriber.data.len() == 1), bob.run(Duration::from_millis(300)),);
    assert_ne!(bob.knows("ann").unwrap().state(), State::Disconnected);
    assert_eq!(engine.participants("r").await.unwrap().len(), 2);
}

#[tokio::test]
async fn somebody_who_speaks_is_announced_and_silence_too() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let audio = ann.publishing(MediaKind::Audio, "mic").await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let active = |c: &Client| {
        let speakers = c.said.iter().filter_map(|said| match said {
            Response::SpeakersChanged(changed) => changed.speakers.first(),
            _ => None,
        });
        speakers.map(|speaker| speaker.active).reduce(|_, later| later)
    };
    for n in 0..40 {
        ann.publisher.send(audio, n, b"sound", Some(-12));
        tokio::join!(ann.run(Duration::from_millis(20)), bob.run(Duration::from_millis(20)));
    }
    assert_eq!(active(&bob), Some(true));
    let mut eve = Client::join(&engine, join("r", "eve")).await;
    eve.until("told who speaks already", |c| active(c) == Some(true)).await;
    bob.until("silence", |c| active(c) == Some(false)).await;
}

#[tokio::test]
async fn a_picture_that_cannot_be_forwarded_is_not_announced_and_its_sender_is_told() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    ann.publisher =
        Connection::with(Rtc::builder().clear_codecs().enable_vp8(true).enable_opus(true, false)).await;
    ann.publish(MediaKind::Video, "cam").await;
    ann.until("told", |c| c.sent(|said| matches!(said, Response::TrackUnpublished(_))) == 1).await;
    ann.publish(MediaKind::Audio, "mic").await;
    bob.until("the voice", |c| c.knows("ann").is_some_and(|info| !info.tracks.is_empty())).await;
    let kinds: Vec<_> = bob.knows("ann").unwrap().tracks.iter().map(lk::TrackInfo::r#type).collect();
    assert_eq!(kinds, [lk::TrackType::Audio]);
}

#[tokio::test]
async fn a_token_for_some_sources_publishes_no_others() {
    let (engine, _events) = engine();
    let mut ann = join("r", "ann");
    ann.sources = vec!["microphone".to_owned()];
    let mut ann = Client::connected(&engine, ann).await;
    for source in [lk::TrackSource::Camera, lk::TrackSource::Microphone] {
        let cid = source.as_str_name().to_owned();
        ann.say(Request::AddTrack(lk::AddTrackRequest { cid, source: source.into(), ..Default::default() }))
            .await;
    }
    ann.until("taken", |c| c.sent(|said| matches!(said, Response::TrackPublished(_))) == 1).await;
    let refused = |said: &Response| match said {
        Response::RequestResponse(answer) => answer.reason() == lk::request_response::Reason::NotAllowed,
        _ => false,
    };
    assert_eq!(ann.sent(refused), 1);
}

#[tokio::test]
async fn media_takes_another_port_at_an_address_where_somebody_has_its_own() {
    let (to, _events) = mpsc::channel(256);
    let media = "127.0.0.1:0".parse().unwrap();
    let config = EmbeddedConfig { media, workers: Some(1), advertise: Vec::new(), tcp: true };
    let engine = Embedded::start(&config, &to).unwrap();
    let port = engine.media()[0].port();
    let taken = std::net::UdpSocket::bind(("127.0.0.2", port)).unwrap();
    engine.listen("127.0.0.2".parse().unwrap()).await.unwrap();
    engine.listen("127.0.0.2".parse().unwrap()).await.unwrap();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    ann.publishing(MediaKind::Video, "cam").await;
    let answer = ann.said.iter().find_map(|said| match said {
        Response::Answer(answer) => Some(answer.sdp.clone()),
        _ => None,
    });
    let answer = answer.unwrap();
    let offered: Vec<&str> = answer.lines().filter(|line| line.contains(" 127.0.0.2 ")).collect();
    assert_eq!(offered.len(), 2, "for UDP and TCP: {answer}");
    assert!(!offered.iter().any(|line| line.contains(&format!(" 127.0.0.2 {port} "))), "{answer}");
    drop(taken);
}

#[tokio::test]
async fn garbage_on_the_media_port_changes_nothing() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let noise = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut seed = 1u64;
    for address in engine.media() {
        for length in 0..600usize {
            let mut bytes = vec![0u8; length];
            for byte in &mut bytes {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (seed >> 56) as u8;
            }
            if length > 20 && length % 3 == 0 {
                bytes[..8].copy_from_slice(&[0, 1, 0, (length - 20) as u8, 0x21, 0x12, 0xa4, 0x42]);
            }
            let _ = noise.send_to(&bytes, address).await;
        }
    }
    ann.say(Request::Offer(lk::SessionDescription { sdp: "v=0\r\nnonsense".into(), ..Default::default() }))
        .await;
    ann.until("ended", |c| c.ended).await;
    assert_eq!(ann.left().unwrap().reason(), DisconnectReason::StateMismatch);
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    bob.run(Duration::from_millis(50)).await;
    assert!(!bob.ended);
}

#[tokio::test]
async fn filler_sections_without_media_are_answered_inactive() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    ann.offer(|api| {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            for _ in 0..3 {
                api.add_media(kind, Direction::RecvOnly, None, None, None);
            }
        }
    })
    .await;
    let answer = ann.said.iter().find_map(|said| match said {
        Response::Answer(answer) => Some(answer),
        _ => None,
    });
    let sdp = &answer.unwrap().sdp;
    assert_eq!(sdp.matches("a=inactive").count(), 6, "{sdp}");
    for extension in ["sdes:mid", "sdes:rtp-stream-id", "sdes:repaired-rtp-stream-id"] {
        assert!(sdp.matches(extension).count() >= 3, "{extension} in {sdp}");
    }
    assert!(sdp.contains("a=candidate:") && sdp.contains("a=ice-lite"));
}

#[tokio::test]
async fn a_shutdown_tells_everybody_and_ends_the_threads() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let notice = Notice::exit(ExitCause::HostStopped, None);
    let (stopped, ()) = tokio::join!(engine.shutdown(Some(notice.clone())), ann.until("ended", |c| c.ended));
    assert_eq!(stopped, Ok(()));
    // Also where the notice is lost, nobody looks for a server that is gone for good.
    assert_eq!(ann.left().unwrap().reason(), DisconnectReason::RoomDeleted);
    assert_eq!(data::notice(&ann.subscriber.data[0]), Some(notice));
    assert_eq!(engine.rooms().await, Err(EngineError::Stopped));
}

#[tokio::test]
async fn who_says_goodbye_and_hangs_up_at_once_has_left_and_was_not_lost() {
    let (engine, mut events) = engine();
    for _ in 0..100 {
        let line = engine.join(join("r", "ann")).await.unwrap();
        assert!(line.send(Request::Leave(lk::LeaveRequest::default())).await);
        drop(line);
        let reason = loop {
            if let EngineEvent::Left { reason, .. } = event(&mut events).await {
                break reason;
            }
        };
        assert_eq!(reason, LeaveReason::Left);
    }
}
