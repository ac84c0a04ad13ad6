//! Who may send what to whom, and what becomes of those who try.

use super::*;
use crate::engine::Kind;

fn refused(reason: lk::request_response::Reason) -> impl Fn(&Response) -> bool {
    move |said| matches!(said, Response::RequestResponse(response) if response.reason() == reason)
}

fn tracks(client: &Client, of: &str) -> usize {
    client.knows(of).map_or(0, |info| info.tracks.len())
}

fn gone(client: &Client, who: &str) -> bool {
    client.knows(who).is_some_and(|info| info.state() == State::Disconnected)
}

/// What somebody tells the server of a screen that they share.
fn screen(cid: &str) -> Request {
    let mut request = lk::AddTrackRequest { cid: cid.to_owned(), ..Default::default() };
    request.set_type(lk::TrackType::Video);
    request.set_source(lk::TrackSource::ScreenShare);
    Request::AddTrack(request)
}

#[tokio::test]
async fn each_kind_is_permitted_by_itself_and_taken_back_by_itself() {
    let (engine, mut events) = engine();
    let mut ann = join("r", "ann");
    ann.permission.publish = Kinds { audio: true, ..Kinds::NONE };
    let mut ann = Client::connected(&engine, ann).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    ann.publish(MediaKind::Video, "cam").await;
    ann.until("refused", |c| c.sent(refused(lk::request_response::Reason::NotAllowed)) == 1).await;
    ann.publishing(MediaKind::Audio, "mic").await;
    bob.until("the voice", |c| tracks(c, "ann") == 1).await;
    let me = bob.knows("ann").unwrap().permission.clone().unwrap();
    assert_eq!(me.can_publish_sources, [i32::from(lk::TrackSource::Microphone)]);

    let all = join("r", "ann").permission;
    engine.set_permission("r", "ann", all).await.unwrap();
    ann.publishing(MediaKind::Video, "cam2").await;
    bob.until("voice and camera", |c| tracks(c, "ann") == 2).await;
    let silent = Permission { publish: Kinds { audio: false, ..Kinds::ALL }, ..all };
    engine.set_permission("r", "ann", silent).await.unwrap();
    bob.until("the camera alone", |c| tracks(c, "ann") == 1).await;
    assert_eq!(bob.knows("ann").unwrap().tracks[0].r#type(), lk::TrackType::Video);
    let mut told = Vec::new();
    while told.len() < 3 {
        if let EngineEvent::Sends { identity, kind, on, .. } = event(&mut events).await {
            told.push((identity, kind, on));
        }
    }
    let ann = |kind, on| ("ann".to_owned(), kind, on);
    assert_eq!(told, [ann(Kind::Audio, true), ann(Kind::Video, true), ann(Kind::Audio, false)]);
}

#[tokio::test]
async fn who_may_not_receive_pictures_gets_the_voice_alone_until_permitted() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let (video, audio) =
        (ann.publishing(MediaKind::Video, "cam").await, ann.publishing(MediaKind::Audio, "mic").await);
    let mut bob = join("r", "bob");
    bob.permission.subscribe = Kinds { audio: true, ..Kinds::NONE };
    let mut bob = Client::connected(&engine, bob).await;
    let offered = |c: &Client, n: usize| {
        c.sent(|said| matches!(said, Response::Offer(offer) if offer.mid_to_track_id.len() == n)) > 0
    };
    bob.until("one track", |c| offered(c, 1)).await;
    let camera = bob
        .knows("ann")
        .unwrap()
        .tracks
        .iter()
        .find(|t| t.r#type() == lk::TrackType::Video)
        .unwrap()
        .sid
        .clone();
    let wish =
        lk::UpdateSubscription { track_sids: vec![camera.clone()], subscribe: true, ..Default::default() };
    bob.say(Request::Subscription(wish)).await;
    for n in 0..10 {
        ann.publisher.send(video, n, b"picture", None);
        ann.publisher.send(audio, n, b"sound", Some(-10));
        tokio::join!(ann.run(Duration::from_millis(10)), bob.run(Duration::from_millis(10)));
    }
    assert!(!offered(&bob, 2), "asking for it does not help");
    let told = |c: &Client, allowed: bool| {
        let camera = |update: &lk::SubscriptionPermissionUpdate| {
            update.allowed == allowed
                && update.track_sid == camera
                && update.participant_sid.starts_with("PA_")
        };
        c.sent(|said| matches!(said, Response::SubscriptionPermissionUpdate(update) if camera(update)))
    };
    assert_eq!(told(&bob, false), 1, "told once, however often they ask");
    assert!(bob.subscriber.payloads().iter().all(|payload| payload == b"sound"));
    engine.set_permission("r", "bob", join("r", "bob").permission).await.unwrap();
    bob.until("both tracks", |c| offered(c, 2)).await;
    assert_eq!(told(&bob, true), 1);
}

#[tokio::test]
async fn the_publisher_beyond_the_limit_is_refused_and_stays_and_the_muted_count() {
    let (engine, _events) = engine();
    let few = |user: &str| super::super::Join { publishing: Some(2), ..join("r", user) };
    let mut ann = Client::connected(&engine, few("ann")).await;
    let mut bob = Client::connected(&engine, few("bob")).await;
    let mut kim = Client::connected(&engine, few("kim")).await;
    ann.publishing(MediaKind::Audio, "mic").await;
    bob.publishing(MediaKind::Audio, "mic").await;
    kim.until("both", |c| tracks(c, "ann") + tracks(c, "bob") == 2).await;
    let sid = kim.knows("bob").unwrap().tracks[0].sid.clone();
    bob.say(Request::Mute(lk::MuteTrackRequest { sid, muted: true })).await;
    kim.publish(MediaKind::Audio, "mic").await;
    kim.until("refused", |c| c.sent(refused(lk::request_response::Reason::LimitExceeded)) == 1).await;
    ann.publishing(MediaKind::Video, "cam").await;
    bob.say(Request::Leave(lk::LeaveRequest::default())).await;
    kim.until("bob left", |c| gone(c, "bob")).await;
    kim.publishing(MediaKind::Audio, "mic2").await;
}

#[tokio::test]
async fn one_at_a_time_shares_a_screen_and_the_second_learns_who() {
    let (engine, _events) = engine();
    let ruled = |user: &str| super::super::Join { publishing: Some(50), ..join("r", user) };
    let mut ann = Client::connected(&engine, ruled("ann")).await;
    let mut bob = Client::connected(&engine, ruled("bob")).await;
    ann.say(screen("one")).await;
    ann.until("taken", |c| c.sent(|said| matches!(said, Response::TrackPublished(_))) == 1).await;
    bob.say(screen("two")).await;
    bob.until("refused", |c| c.sent(refused(lk::request_response::Reason::LimitExceeded)) == 1).await;
    let said = bob.said.iter().find_map(|said| match said {
        Response::RequestResponse(response) => Some(response.message.clone()),
        _ => None,
    });
    assert_eq!(said.unwrap(), "ANN is sharing a screen already. (-102016)");
    ann.say(Request::Leave(lk::LeaveRequest::default())).await;
    bob.until("ann left", |c| gone(c, "ann")).await;
    bob.say(screen("three")).await;
    bob.until("taken", |c| c.sent(|said| matches!(said, Response::TrackPublished(_))) == 1).await;
}

/// The sentences with which somebody was refused.
fn refusals(client: &Client) -> Vec<String> {
    let said = client.said.iter().filter_map(|said| match said {
        Response::RequestResponse(response) => Some(response.message.clone()),
        _ => None,
    });
    said.collect()
}

#[tokio::test]
async fn a_refusal_names_the_code_to_those_who_came_by_the_room_service() {
    let (engine, _events) = engine();
    let kinds = [(None, ""), (Some(7), "coded")];
    for (ticket, name) in kinds {
        let mut who = super::super::Join { ticket, ..join("r", &format!("ann{name}")) };
        who.permission.publish = Kinds { audio: true, ..Kinds::NONE };
        let mut ann = Client::connected(&engine, who).await;
        ann.say(screen("one")).await;
        ann.publish(MediaKind::Video, "cam").await;
        ann.until("refused", |c| refusals(c).len() == 2).await;
        let codes = if ticket.is_some() { [" (-102015)", " (-102013)"] } else { ["", ""] };
        let wanted = codes.map(|code| format!("You may not send this here.{code}"));
        assert_eq!(refusals(&ann), wanted);
    }
    let few = |user: &str| super::super::Join { publishing: Some(1), ..join("s", user) };
    let mut ann = Client::connected(&engine, few("ann")).await;
    let mut bob = Client::connected(&engine, few("bob")).await;
    ann.publishing(MediaKind::Audio, "mic").await;
    bob.until("heard of", |c| tracks(c, "ann") == 1).await;
    bob.publish(MediaKind::Audio, "mic").await;
    bob.until("refused", |c| refusals(c).len() == 1).await;
    let full = "Only 1 may send at a time, and as many do; you can watch and listen. (-102052)";
    assert_eq!(refusals(&bob), [full]);
}

#[tokio::test]
async fn a_share_that_the_server_stops_is_withdrawn_and_another_may_begin() {
    let (engine, _events) = engine();
    let one = |user: &str| super::super::Join { publishing: Some(50), ..join("r", user) };
    let mut ann = Client::connected(&engine, one("ann")).await;
    let mut bob = Client::connected(&engine, one("bob")).await;
    ann.say(screen("one")).await;
    ann.publish(MediaKind::Video, "one").await;
    bob.until("shared", |c| {
        let is_screen = |info: &lk::TrackInfo| info.source() == lk::TrackSource::ScreenShare;
        c.knows("ann").is_some_and(|info| info.tracks.iter().any(is_screen))
    })
    .await;
    engine.silence("r", "ann", Kind::Screen).await.unwrap();
    ann.until("withdrawn", |c| c.sent(|said| matches!(said, Response::TrackUnpublished(_))) == 1).await;
    bob.until("gone", |c| tracks(c, "ann") == 0).await;
    bob.say(screen("two")).await;
    bob.until("taken", |c| c.sent(|said| matches!(said, Response::TrackPublished(_))) == 1).await;
}

#[tokio::test]
async fn what_the_server_silenced_does_not_pass_until_its_publisher_unmutes() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let audio = ann.publishing(MediaKind::Audio, "mic").await;
    bob.until("offer", |c| {
        c.sent(|said| matches!(said, Response::Offer(o) if o.mid_to_track_id.len() == 1)) > 0
    })
    .await;
    engine.silence("r", "ann", Kind::Video).await.unwrap();
    engine.silence("r", "ann", Kind::Audio).await.unwrap();
    ann.until("told", |c| c.sent(|said| matches!(said, Response::Mute(mute) if mute.muted)) == 1).await;
    // A client that does not care goes on sending.
    for n in 0..10 {
        ann.publisher.send(audio, n, b"forbidden", Some(-10));
        tokio::join!(ann.run(Duration::from_millis(10)), bob.run(Duration::from_millis(10)));
    }
    assert_eq!(bob.subscriber.payloads(), Vec::<Vec<u8>>::new());
    let sid = bob.knows("ann").unwrap().tracks[0].sid.clone();
    ann.say(Request::Mute(lk::MuteTrackRequest { sid, muted: false })).await;
    bob.until("unmuted", |c| c.knows("ann").is_some_and(|info| !info.tracks[0].muted)).await;
    ann.publisher.send(audio, 10, b"allowed", Some(-10));
    tokio::join!(
        ann.run(Duration::from_millis(50)),
        bob.until("sound", |c| c.subscriber.payloads().contains(&b"allowed".to_vec())),
    );
}

#[tokio::test]
async fn metadata_of_a_room_is_told_to_those_inside_and_to_those_who_come() {
    let (engine, _events) = engine();
    let mut ann = Client::connected(&engine, join("r", "ann")).await;
    engine.set_metadata("r", "text".to_owned()).await.unwrap();
    let is_it = |room: &Option<lk::Room>| room.as_ref().is_some_and(|room| room.metadata == "text");
    ann.until("told", |c| {
        c.sent(|said| matches!(said, Response::RoomUpdate(update) if is_it(&update.room))) == 1
    })
    .await;
    let bob = Client::connected(&engine, join("r", "bob")).await;
    let Some(Response::Join(joined)) = bob.said.first() else { panic!("first: {:?}", bob.said) };
    assert!(is_it(&joined.room));
    assert_eq!(engine.set_metadata("other", String::new()).await, Err(EngineError::NoRoom));
}
