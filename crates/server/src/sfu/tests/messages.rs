//! Custom messages of clients that keep no limits.

use std::time::{Duration, Instant};

use confab_protocol::{CmdId, CustomMessage};
use confab_signal::{data, lk, message};

use super::client::{Client, join};
use super::engine;

fn custom(cmd_id: i64, number: u32, length: usize) -> lk::DataPacket {
    let cmd_id = CmdId::try_from(cmd_id).unwrap();
    message::packet(&CustomMessage { cmd_id, stay: 1, number, data: vec![7; length] }, true)
}

/// Who sent which numbers, in the order in which a client got them.
fn numbers(client: &Client, of: &str) -> Vec<u32> {
    let read = client.subscriber.data.iter().filter_map(message::read);
    read.filter(|received| received.user_id == of).map(|received| received.message.number).collect()
}

fn has(client: &Client, topic: &str) -> bool {
    client.subscriber.data.iter().any(|packet| match &packet.value {
        Some(lk::data_packet::Value::User(user)) => user.topic.as_deref() == Some(topic),
        _ => false,
    })
}

/// Somebody in the room whose channel to the server is open.
async fn sender(engine: &crate::sfu::Embedded, identity: &str) -> Client {
    let mut client = Client::connected(engine, join("r", identity)).await;
    client.offer(|_| {}).await;
    client.until("a channel", |c| c.publisher.channels.contains_key("_reliable")).await;
    client
}

#[tokio::test]
async fn who_sends_too_much_is_cut_and_stays_and_others_are_untouched() {
    let (engine, _events) = engine();
    let (mut mallory, mut ann) = (sender(&engine, "mallory").await, sender(&engine, "ann").await);
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let began = Instant::now();
    for number in 1..=400 {
        mallory.publisher.send_data(&custom(1, number, 10));
    }
    mallory.publisher.send_data(&data::user_packet("chat", vec![1; 5000], Vec::new()));
    ann.publisher.send_data(&custom(2, 1, 1000));
    tokio::join!(
        mallory.until("pushed through", |c| numbers(c, "ann") == [1]),
        ann.until("chat", |c| has(c, "chat")),
        bob.until("both", |c| has(c, "chat") && numbers(c, "ann") == [1]),
    );
    // Later than a span of the limit another span's worth may come.
    let spans = 1 + began.elapsed().as_secs() as usize / 4;
    let came = numbers(&bob, "mallory");
    assert!((150..=150 * spans).contains(&came.len()), "{} came in {spans}", came.len());
    assert!(came[..150].iter().copied().eq(1..=150), "the first ones, in their order: {came:?}");
    assert_eq!(numbers(&ann, "mallory"), came);
    assert!(!mallory.ended && mallory.left().is_none());
}

#[tokio::test]
async fn what_is_no_message_is_passed_on_under_no_messages_name() {
    let (engine, _events) = engine();
    let mut mallory = sender(&engine, "mallory").await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    let topic = confab_protocol::MESSAGE_TOPIC;
    let mut eleventh = custom(1, 1, 1);
    if let Some(lk::data_packet::Value::User(user)) = &mut eleventh.value {
        user.payload[1] = 11;
    }
    for packet in [
        custom(1, 2, 1001),
        eleventh,
        data::user_packet(topic, b"?".to_vec(), Vec::new()),
        custom(1, 3, 1000),
    ] {
        mallory.publisher.send_data(&packet);
    }
    tokio::join!(
        mallory.run(Duration::from_millis(100)),
        bob.until("the good one", |c| !numbers(c, "mallory").is_empty()),
    );
    assert_eq!((numbers(&bob, "mallory"), bob.subscriber.data.len()), (vec![3], 1));
}

#[tokio::test]
async fn the_audience_sends_no_messages_whatever_its_client_says() {
    let (engine, _events) = engine();
    let mut audience = join("r", "audience");
    audience.permission.can_publish_data = false;
    let mut audience = Client::connected(&engine, audience).await;
    audience.offer(|_| {}).await;
    audience.until("a channel", |c| c.publisher.channels.contains_key("_reliable")).await;
    let mut ann = sender(&engine, "ann").await;
    let mut bob = Client::connected(&engine, join("r", "bob")).await;
    audience.publisher.send_data(&custom(1, 1, 1));
    audience.run(Duration::from_millis(200)).await;
    ann.publisher.send_data(&custom(1, 1, 1));
    tokio::join!(ann.run(Duration::from_millis(50)), bob.until("ann's", |c| numbers(c, "ann") == [1]),);
    assert_eq!(bob.subscriber.data.len(), 1);
}
