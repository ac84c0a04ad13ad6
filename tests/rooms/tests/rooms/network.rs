//! Encrypted ways into a server, and networks that let no UDP through.

use confab_media::CameraSource;
use confab_protocol::{Event, RawEnterParams};
use confab_server::Identity;
use rooms::{Guest, Hall};

/// Stands for the address in a network: no loopback address of a server is tried in its place.
const ADDRESS: &str = "127.0.0.2";

fn identity() -> Identity {
    Identity::read(&Identity::make().unwrap()).unwrap()
}

fn at(hall: &Hall, fingerprint: &str, params: RawEnterParams) -> RawEnterParams {
    let server = format!("{ADDRESS}:{}#{fingerprint}", hall.address().port());
    RawEnterParams { server: Some(server), ..params }
}

/// Enters and is refused; gives the code and the sentence.
async fn refused(params: RawEnterParams) -> (i64, String) {
    let mut guest = Guest::new();
    guest.session.enter_room(params).await.unwrap();
    let message = guest
        .until("the error", |event| match event {
            Event::OnError { message, .. } => Some(message.clone()),
            _ => None,
        })
        .await;
    let code = guest
        .until("the outcome", |event| match event {
            Event::OnEnterRoom { result } => Some(*result),
            _ => None,
        })
        .await;
    (code, message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_lets_others_in_encrypted_and_no_longer() {
    let mut hall = Hall::open().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.session.start_local_video(CameraSource::Test).await.unwrap();
    ann.join(hall.params("ann", 1)).await;
    let identity = identity();
    let fingerprint = identity.fingerprint().to_string();
    let invited = at(&hall, &fingerprint, hall.params("bob", 1));
    assert_eq!(refused(invited.clone()).await.0, -3307, "not open yet");

    hall.let_in(ADDRESS.parse().unwrap(), &identity).await;
    bob.session.start_local_video(CameraSource::Test).await.unwrap();
    bob.join(invited.clone()).await;
    bob.until_first_picture("ann").await;
    ann.until_first_picture("bob").await;

    hall.shut_out().await;
    let closed = RawEnterParams { user_id: Some("carl".into()), ..invited };
    let carl = RawEnterParams { user_sig: hall.params("carl", 1).user_sig, ..closed };
    assert_eq!(refused(carl.clone()).await.0, -3307);
    assert!(bob.sees("ann").await, "who is in stays");

    hall.let_in(ADDRESS.parse().unwrap(), &identity).await;
    let mut again = Guest::new();
    again.join(carl).await;
    again.until_first_picture("ann").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_closed_can_be_opened_again_at_once() {
    let mut hall = Hall::open().await;
    let identity = identity();
    for _ in 0..50 {
        hall.let_in(ADDRESS.parse().unwrap(), &identity).await;
        hall.shut_out().await;
        let address = (ADDRESS, hall.address().port());
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody is let in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_may_name_an_ipv6_address_in_brackets() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        // This computer has no IPv6.
        return;
    }
    let mut hall = Hall::open().await;
    let identity = identity();
    hall.let_in("::1".parse().unwrap(), &identity).await;
    let server = format!("[::1]:{}#{}", hall.address().port(), identity.fingerprint());
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.join(hall.params("ann", 1)).await;
    bob.session.start_local_video(CameraSource::Test).await.unwrap();
    bob.join(RawEnterParams { server: Some(server), ..hall.params("bob", 1) }).await;
    ann.until_first_picture("bob").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_certificate_than_the_invitations_is_told_nothing() {
    let mut hall = Hall::open().await;
    hall.let_in(ADDRESS.parse().unwrap(), &identity()).await;
    let other = identity().fingerprint().to_string();
    let (code, message) = refused(at(&hall, &other, hall.params("ann", 1))).await;
    assert_eq!(code, -3301);
    assert!(message.starts_with(&format!("Another computer answers at {ADDRESS}")), "{message}");

    // A certificate that nobody has signed is none to an address with https.
    let server = format!("https://{ADDRESS}:{}", hall.address().port());
    let (code, message) = refused(RawEnterParams { server: Some(server), ..hall.params("ann", 1) }).await;
    assert_eq!(code, -3301);
    assert!(message.contains("does not trust the certificate"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_network_lets_no_udp_through_people_meet_over_tcp() {
    let (hall, mut wire) = Hall::lossy().await;
    let (mut ann, mut bob) = (Guest::new(), Guest::new());
    ann.send_both().await;
    bob.send_both().await;
    ann.join(hall.params("ann", 1)).await;
    wire.carry_connections().await;
    wire.mark();
    wire.lose(1.0, 1.0);
    bob.join(hall.params("bob", 1)).await;
    bob.until_first_picture("ann").await;
    ann.until_first_picture("bob").await;
    bob.leave().await;
    ann.leave().await;
}
