//! Messages of the app's own.

use confab_protocol::{Event, Fault, RawEnterParams, Role, Scene};
use rooms::{Guest, Hall, Proxy};
use std::time::Duration;
use tokio::task::JoinSet;

/// `hi 1` in base64.
const HI_1: &str = "aGkgMQ==";

fn message(user: &str, cmd_id: u8, seq: u32, data: &str) -> Event {
    Event::OnRecvCustomCmdMsg { user_id: user.into(), cmd_id, seq, data: data.into() }
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::OnRecvCustomCmdMsg { .. })
}

async fn send(guest: &Guest, cmd_id: i64, text: &str) {
    guest.session.send_custom_cmd_msg(cmd_id, text.into(), true, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_reaches_all_others_as_it_was_sent_and_not_its_sender() {
    let hall = Hall::open().await;
    let (mut ann, mut bob, mut eve) = (Guest::new(), Guest::new(), Guest::new());
    for (guest, user) in [(&mut ann, "ann"), (&mut bob, "bob"), (&mut eve, "eve")] {
        guest.join(hall.params(user, 70)).await;
    }
    // At once after the entry: it waits until the way is open.
    let every_byte: Vec<u8> = (0..1000u32).map(|at| at as u8).collect();
    eve.session.send_custom_cmd_msg(10, every_byte, true, true).await.unwrap();
    for guest in [&mut ann, &mut bob] {
        let data = guest.until("eve's message", |event| match event {
            Event::OnRecvCustomCmdMsg { user_id, cmd_id: 10, seq: 1, data } if user_id == "eve" => {
                Some(data.clone())
            }
            _ => None,
        });
        // Four letters for three bytes: 0, 1, 2 and the last, 231.
        let data = data.await;
        assert!(data.len() == 1336 && data.starts_with("AAEC") && data.ends_with("5w=="), "{data}");
    }
    for number in 1..=20u32 {
        send(&ann, 1 + i64::from(number % 2), &format!("hi {number}")).await;
    }
    for guest in [&mut bob, &mut eve] {
        let mut came = Vec::new();
        while came.len() < 20 {
            let text = guest.until("ann's message", |event| match event {
                Event::OnRecvCustomCmdMsg { user_id, cmd_id, seq, .. } => {
                    Some((user_id.clone(), *cmd_id, *seq))
                }
                _ => None,
            });
            came.push(text.await);
        }
        let sent = (1..=20u32).map(|n| ("ann".to_owned(), 1 + (n % 2) as u8, n.div_ceil(2)));
        assert_eq!(came, sent.collect::<Vec<_>>(), "in the order of sending");
        assert!(guest.told.contains(&message("ann", 2, 1, HI_1)), "{:?}", guest.told);
    }
    bob.session.send_custom_cmd_msg(3, b"quick".into(), false, false).await.unwrap();
    ann.until_told(message("bob", 3, 1, "cXVpY2s=")).await;
    assert!(
        !ann.told
            .iter()
            .any(|told| matches!(told, Event::OnRecvCustomCmdMsg { user_id, .. } if user_id == "ann"))
    );
    for guest in [&mut ann, &mut bob, &mut eve] {
        guest.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_sent_is_refused_with_a_reason_and_nobody_gets_it() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    let outside = ann.session.send_custom_cmd_msg(1, b"x".into(), true, true).await.unwrap_err();
    assert!(outside.code == -3 && outside.message.contains("Enter one first"), "{outside}");
    bob.join(hall.params("bob", 71)).await;
    ann.join(hall.params("ann", 71)).await;
    let refused = async |cmd_id, length, reliable, ordered| {
        let sent = ann.session.send_custom_cmd_msg(cmd_id, vec![0; length], reliable, ordered).await;
        let fault = sent.unwrap_err();
        (fault.code, fault.message)
    };
    for (refused, says) in [
        (refused(0, 1, true, true).await, "1 to 10"),
        (refused(1, 1001, true, true).await, "at most 1000"),
        (refused(1, 1, true, false).await, "reliable and ordered"),
    ] {
        assert!(refused.0 == -2 && refused.1.contains(says), "{refused:?}");
    }
    let mut burst = JoinSet::new();
    for _ in 0..31 {
        let session = ann.session.clone();
        burst.spawn(async move { session.send_custom_cmd_msg(1, b"x".into(), true, true).await });
    }
    let faults: Vec<Fault> = burst.join_all().await.into_iter().filter_map(Result::err).collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].code == -3 && faults[0].message.contains("30 messages"), "{faults:?}");
    for seq in 1..=30 {
        bob.until_told(message("ann", 1, seq, "eA==")).await;
    }
    let told = bob.settle(Duration::from_millis(300)).await;
    assert!(!told.iter().any(is_message), "{told:?}");
    ann.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audience_hears_messages_and_sends_none() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    let live = |user: &str, role| RawEnterParams {
        scene: Some(Scene::Live),
        role: Some(role),
        ..hall.params(user, 72)
    };
    ann.join(live("ann", Role::Anchor)).await;
    bob.join(live("bob", Role::Audience)).await;
    let fault = bob.session.send_custom_cmd_msg(1, b"x".into(), true, true).await.unwrap_err();
    assert!(fault.code == 6001 && fault.message.contains("Only anchors"), "{fault}");
    send(&ann, 1, "hi 1").await;
    bob.until_told(message("ann", 1, 1, HI_1)).await;
    let told = ann.settle(Duration::from_millis(200)).await;
    assert!(!told.iter().any(is_message), "{told:?}");
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reliable_messages_of_the_time_without_a_connection_are_told_as_missed() {
    let hall = Hall::open().await;
    let wire = Proxy::to(&hall.url()).await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 73)).await;
    bob.join(RawEnterParams { server: Some(wire.url()), ..hall.params("bob", 73) }).await;
    send(&ann, 5, "hi 1").await;
    bob.until_told(message("ann", 5, 1, HI_1)).await;
    wire.cut();
    bob.until_told(Event::OnTryToReconnect).await;
    let fault = bob.session.send_custom_cmd_msg(1, b"x".into(), true, true).await.unwrap_err();
    assert!(fault.code == -8 && fault.message.contains("restored"), "{fault}");
    for text in ["lost", "lost too", "and this"] {
        send(&ann, 5, text).await;
    }
    wire.mend();
    bob.until_told(Event::OnConnectionRecovery).await;
    // Bob is back for the server too once his own message comes.
    send(&bob, 1, "hi 1").await;
    ann.until_told(message("bob", 1, 1, HI_1)).await;
    send(&ann, 5, "hi 1").await;
    bob.until_told(message("ann", 5, 5, HI_1)).await;
    let missed = Event::OnMissCustomCmdMsg { user_id: "ann".into(), cmd_id: 5, code: -1, missed: 3 };
    bob.until_told(missed).await;
    ann.leave().await;
    bob.leave().await;
}
