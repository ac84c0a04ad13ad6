//! Real sessions and the real server over a seeded bad network, in real time: sockets, codecs, threads.
//! Only where loopback has more than one address, as candidates name the one in front of the server.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "what was seen is of interest")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::Event;
use confab_session::room::{CONNECT, SEAT};
use confab_session::{Receive, SessionConfig};
use rooms::{Guest, Hall, config, stamped};
use sim::{Street, Weather};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where the street is, seen from the clients.
const FRONT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Recorded samples a second.
const RATE: usize = 48_000;
/// The second peer connection of somebody is up after their entry, of which nobody is told. A lost flight
/// of its handshake is sent again every second; hardly ever are four in a row lost.
const HANDSHAKE: Duration = Duration::from_secs(4);
/// Without any packet for so long a session takes its connection for lost.
const NOTICED: Duration = Duration::from_secs(8);
/// So long after its connection is up a voice is heard at the latest.
const HEARD: Duration = Duration::from_secs(2);

struct Town {
    hall: Hall,
    street: Street,
}

impl Town {
    async fn open(seed: u64, weather: Weather) -> Town {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let hall = Hall::open_behind(free, FRONT.into()).await;
        let front = SocketAddr::from((FRONT, free.port()));
        let street = Street::open(seed, weather, hall.address(), free, front).await.unwrap();
        Town { hall, street }
    }

    async fn join(&self, guest: &mut Guest, user: &str) {
        let mut params = self.hall.params(user, 1);
        params.server = Some(self.street.url());
        guest.join(params).await;
    }
}

/// Waits until everybody sees everybody else.
async fn complete(guests: &[Guest], within: Duration) {
    let end = Instant::now() + within;
    loop {
        let mut seen = Vec::new();
        for guest in guests {
            seen.push(guest.session.participants().await.len());
        }
        if seen.iter().all(|seen| *seen == guests.len() - 1) {
            return;
        }
        assert!(Instant::now() < end, "not everybody sees everybody: {seen:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The longest silence in a recording after its first sound, in milliseconds.
fn longest_silence(recording: &Path) -> usize {
    let mut reader = hound::WavReader::open(recording).unwrap();
    let channels = usize::from(reader.spec().channels);
    let samples: Vec<f32> = match reader.spec().sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect()
        }
    };
    let step = RATE / 100 * channels;
    let loud: Vec<bool> =
        samples.chunks(step).map(|step| step.iter().any(|sample| sample.abs() > 0.01)).collect();
    let from = loud.iter().position(|loud| *loud).expect("nothing was heard");
    let to = loud.iter().rposition(|loud| *loud).expect("nothing was heard");
    let silent = loud[from..=to].split(|loud| *loud).map(<[bool]>::len).max().unwrap_or(0);
    silent * 10
}

fn told(guest: &Guest, is: impl Fn(&Event) -> bool) -> usize {
    guest.told.iter().filter(|event| is(event)).count()
}

/// Whether that somebody is heard at the moment is what is told.
fn is_loud(event: &Event, user: &str) -> bool {
    let Event::OnUserVoiceVolume { volumes } = event else { return false };
    volumes.iter().any(|one| one.user_id == user && one.volume > 0)
}

/// People who hear a tone and see a picture over that network while it is cut for so long.
async fn meet_through(seed: u64, people: usize, weather: Weather, cut: Duration) -> (Vec<Guest>, usize) {
    let town = Town::open(seed, weather).await;
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("heard.wav");
    let video = VideoConfig { width: 320, height: 180, fps: 10, bitrate: 200_000 };
    let mut guests = Vec::new();
    for number in 0..people {
        let (speaker, receive) = match number {
            1 => (SpeakerSink::File(recording.clone()), Receive::All),
            _ => (SpeakerSink::Null, Receive::None),
        };
        guests.push(Guest::with(SessionConfig { video, speaker, receive, ..config() }));
    }
    for (number, guest) in guests.iter_mut().enumerate() {
        if number == 0 {
            guest.session.start_local_video(CameraSource::Test).await.unwrap();
            guest.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
        }
        town.join(guest, &format!("user-{number}")).await;
    }
    complete(&guests, Duration::from_secs(20)).await;
    guests[1].until_first_picture("user-0").await;
    if told(&guests[1], |event| matches!(event, Event::OnFirstAudioFrame { .. })) == 0 {
        guests[1].until_told(Event::OnFirstAudioFrame { user_id: "user-0".into() }).await;
    }
    // The cut is not to find anybody in a handshake.
    sleep(HANDSHAKE).await;
    town.street.set_cut(true);
    sleep(cut).await;
    town.street.set_cut(false);
    let healed = Instant::now();
    // Whoever lost their connection comes back.
    for guest in &mut guests {
        guest.settle(Duration::from_millis(1)).await;
        let lost = told(guest, |event| matches!(event, Event::OnConnectionLost));
        let back = told(guest, |event| matches!(event, Event::OnConnectionRecovery));
        if lost > back {
            guest.until_told(Event::OnConnectionRecovery).await;
        }
    }
    complete(&guests, Duration::from_secs(30)).await;
    let slot = guests[1].session.remote_video("user-0").unwrap();
    slot.clear();
    let pictures = stamped(slot, 10).await.len();
    for guest in &mut guests {
        guest.settle(Duration::from_millis(1)).await;
    }
    assert_eq!(pictures, 10, "pictures go on: {:#?} {:#?}", guests[0].told, guests[1].told);
    // The recording ends behind the silence: the tone is played again.
    guests[1].until("the tone", |event| is_loud(event, "user-0").then_some(())).await;
    println!("back after {:?}; {:?} datagrams", healed.elapsed(), town.street.datagrams());
    for guest in &guests {
        let left = told(guest, |event| matches!(event, Event::OnRemoteUserLeaveRoom { .. }));
        assert_eq!(left, 0, "nobody is seen to leave: {:#?}", guest.told);
    }
    for guest in &mut guests {
        guest.leave().await;
    }
    let silence = longest_silence(&recording);
    (guests, silence)
}

/// What tells the first messages of one DTLS handshake from those of others: the client's random.
fn hello(datagram: &[u8]) -> Option<&[u8]> {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    let is_hello = datagram.first() == Some(&HANDSHAKE) && datagram.get(13) == Some(&CLIENT_HELLO);
    datagram.get(27..59).filter(|_| is_hello)
}

/// The client's last flight of the DTLS handshake begins with its certificate.
fn is_last_flight(datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const CERTIFICATE: u8 = 11;
    datagram.first() == Some(&HANDSHAKE) && datagram.get(13) == Some(&CERTIFICATE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_last_flight_of_the_handshake_is_sent_again_although_the_server_repeats_its_own() {
    let town = Town::open(5, Weather::bad(0.0, 50, 0)).await;
    // Ours goes out every second, and the server's after a tenth of a second and more: before ours is due again.
    town.street.lose_first(2, is_last_flight);
    let mut guest = Guest::with(SessionConfig { speaker: SpeakerSink::Null, ..config() });
    let begun = Instant::now();
    town.join(&mut guest, "user").await;
    println!("in after {:?}; {:?} datagrams", begun.elapsed(), town.street.datagrams());
    assert_eq!(town.street.datagrams().1, 4, "two of each peer connection are lost");
    guest.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_but_one_of_two_connections_after_fifteen_seconds_makes_both_anew() {
    let town = Town::open(6, Weather::bad(0.0, 5, 0)).await;
    // The first handshake that begins never gets anywhere.
    let unlucky: Mutex<Option<Vec<u8>>> = Mutex::new(None);
    town.street.lose_first(usize::MAX, move |datagram| {
        let mut unlucky = unlucky.lock().unwrap();
        hello(datagram).is_some_and(|hello| unlucky.get_or_insert_with(|| hello.to_vec()) == hello)
    });
    let mut guest = Guest::with(SessionConfig { speaker: SpeakerSink::Null, ..config() });
    town.join(&mut guest, "user").await;
    let entered = Instant::now();
    guest.until_told(Event::OnConnectionLost).await;
    let noticed = entered.elapsed();
    println!("noticed after {noticed:?}");
    assert!(noticed < CONNECT + Duration::from_secs(2), "{noticed:?}");
    guest.until_told(Event::OnConnectionRecovery).await;
    guest.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_people_on_a_lossy_network_get_through_a_cut_of_three_seconds_without_noticing() {
    let cut = Duration::from_secs(3);
    let (guests, silence) = meet_through(3, 20, Weather::bad(0.05, 50, 20), cut).await;
    for guest in &guests {
        let noticed = told(guest, |event| matches!(event, Event::OnConnectionLost));
        assert_eq!(noticed, 0, "{:#?}", guest.told);
    }
    println!("the longest silence was {silence} ms");
    assert!((2_000..5_500).contains(&silence), "{silence} ms of silence for a cut of {cut:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_a_bad_network_are_back_after_a_cut_of_twelve_seconds() {
    let cut = Duration::from_secs(12);
    let (guests, silence) = meet_through(4, 6, Weather::bad(0.1, 100, 60), cut).await;
    for guest in &guests {
        let count = |is: fn(&Event) -> bool| told(guest, is);
        assert!(count(|event| matches!(event, Event::OnConnectionLost)) >= 1, "{:#?}", guest.told);
        assert_eq!(count(|event| matches!(event, Event::OnExitRoom { .. })), 1, "{:#?}", guest.told);
        assert_eq!(count(|event| matches!(event, Event::OnEnterRoom { .. })), 1, "{:#?}", guest.told);
    }
    println!("the longest silence was {silence} ms");
    // The attempt that begins when the loss is noticed, while the line is still cut, has so much time, and
    // no other is needed.
    let longest = (NOTICED + SEAT + CONNECT + HEARD).as_millis();
    assert!((silence as u128) < longest, "{silence} ms of silence for a cut of {cut:?}");
}
