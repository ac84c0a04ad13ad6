//! How good everybody is told that connections are.

use confab_protocol::{Event, Quality};
use rooms::{Guest, Hall, Proxy};

/// What is told of somebody's connection, mine by "".
fn of(event: &Event, user: &str) -> Option<Quality> {
    let Event::OnNetworkQuality { local, remote } = event else { return None };
    let mut all = std::iter::once(local).chain(remote);
    all.find(|one| one.user_id == user).map(|one| one.quality)
}

type Wanted = fn(Quality) -> bool;

/// Waits until it is told that these connections do so.
async fn until(guest: &mut Guest, what: &str, wanted: &[(&str, Wanted)]) {
    guest
        .until(what, |event| {
            wanted.iter().all(|(user, fits)| of(event, user).is_some_and(*fits)).then_some(())
        })
        .await;
}

fn fine(quality: Quality) -> bool {
    (Quality::Excellent..=Quality::Good).contains(&quality)
}

#[cfg(target_os = "linux")]
fn suffers(quality: Quality) -> bool {
    (Quality::Poor..=Quality::VeryBad).contains(&quality)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_the_server_connections_are_excellent_even_of_somebody_who_sends_nothing() {
    let hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 20)).await;
    bob.send_both().await;
    bob.join(hall.params("bob", 20)).await;
    let excellent = |quality| quality == Quality::Excellent;
    until(&mut ann, "bob as excellent", &[("", excellent), ("bob", excellent)]).await;
    until(&mut bob, "ann as excellent", &[("", excellent), ("ann", excellent)]).await;
    let figures = ann.session.statistics().await;
    assert!(figures.rtt > 0 && figures.down_loss == 0, "{figures:?}");
    ann.leave().await;
    bob.leave().await;
}

/// Needs a second address of this computer.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_missed_by_whoever_loses_them_and_nobody_else_is_blamed() {
    let (hall, wire) = Hall::lossy().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 21)).await;
    wire.mark();
    bob.send_both().await;
    bob.join(hall.params("bob", 21)).await;
    until(&mut ann, "a fine start for ann", &[("", fine), ("bob", fine)]).await;
    until(&mut bob, "a fine start for bob", &[("", fine), ("ann", fine)]).await;

    wire.lose(0.15, 0.0);
    until(&mut bob, "bob's loss on the way up", &[("", suffers), ("ann", fine)]).await;
    until(&mut ann, "bob's loss by ann", &[("", fine), ("bob", suffers)]).await;
    assert!(bob.session.statistics().await.up_loss > 5);
    wire.lose(0.0, 0.0);
    until(&mut bob, "bob's recovery", &[("", fine), ("ann", fine)]).await;
    until(&mut ann, "bob's recovery by ann", &[("", fine), ("bob", fine)]).await;

    wire.lose(0.0, 0.15);
    until(&mut bob, "bob's loss on the way down", &[("", suffers), ("ann", suffers)]).await;
    assert!(bob.session.statistics().await.down_loss > 5);
    let blamed = |guest: &Guest, user| {
        guest.told.iter().filter_map(|event| of(event, user)).filter(|quality| suffers(*quality)).count()
    };
    assert_eq!(blamed(&ann, ""), 0, "ann lost nothing: {:#?}", ann.told);
    let lost = bob.told.iter().chain(&ann.told).any(|event| {
        let Event::OnNetworkQuality { local, remote } = event else { return false };
        std::iter::once(local).chain(remote).any(|one| one.quality == Quality::Down)
    });
    assert!(!lost, "nobody was out of reach");
    bob.leave().await;
    ann.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_is_down_for_both_sides_and_not_for_longer() {
    let hall = Hall::open().await;
    let wire = Proxy::to(&hall.url()).await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    ann.join(hall.params("ann", 22)).await;
    let mut params = hall.params("bob", 22);
    params.server = Some(wire.url());
    bob.send_both().await;
    bob.join(params).await;
    until(&mut ann, "bob in reach", &[("bob", fine)]).await;
    until(&mut bob, "bob's own reach", &[("", fine), ("ann", fine)]).await;
    let down = |quality| quality == Quality::Down;
    let seen_down = |guest: &Guest| guest.told.iter().any(|event| of(event, "bob").is_some_and(down));
    assert!(!seen_down(&ann), "bob was in reach: {:#?}", ann.told);
    wire.cut();
    until(&mut bob, "bob out of reach", &[("", down), ("ann", |quality| quality == Quality::Unknown)]).await;
    until(&mut ann, "bob out of reach for ann", &[("", fine), ("bob", down)]).await;
    wire.mend();
    until(&mut bob, "bob in reach again", &[("", fine), ("ann", fine)]).await;
    until(&mut ann, "bob in reach again for ann", &[("bob", fine)]).await;
    bob.leave().await;
    ann.leave().await;
}
