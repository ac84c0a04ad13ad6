//! LiveKit's Python client in a room of our server, with one of our sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
#![allow(clippy::print_stdout, reason = "a test says what it measured")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use confab_frame::{Cursor, FramePool, I420, Slot, VideoFrame};
use confab_media::picture::read_stamp;
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{Event, ExitCause, LeaveReason, Quality, RawEnterParams, SdkAppId, user_sig};
use confab_server::{ApiKey, AppConfig, Config, Server};
use confab_session::{Receive, Session, SessionConfig};
use confab_signal::{Claims, VideoGrant};
use interop::{Peer, pattern, sound};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const APP_KEY: &str = "a key that only this test knows";
const API_KEY: &str = "interop";
const API_SECRET: &str = "a secret that only this test knows";
const ROOM: i64 = 42;
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn token(secret: &str, user: &str) -> String {
    let video = VideoGrant { room_join: true, room: format!("{}/n:{ROOM}", APP.0), ..VideoGrant::default() };
    let claims = Claims {
        iss: API_KEY.to_owned(),
        sub: user.to_owned(),
        name: "Monty".to_owned(),
        exp: now() + 600,
        video,
        ..Claims::default()
    };
    claims.sign(secret).unwrap()
}

/// Our server, with a runtime of its own: the Python clients are waited for on the test's thread.
struct Host {
    runtime: Runtime,
    server: Server,
}

impl Host {
    fn start() -> Result<Self> {
        let runtime = Runtime::new()?;
        let config = Config {
            http: "127.0.0.1:0".parse()?,
            media: "127.0.0.1:0".parse()?,
            app: vec![AppConfig::new(APP.0, APP_KEY)],
            api_key: vec![ApiKey { key: API_KEY.to_owned(), secret: API_SECRET.to_owned() }],
            ..Config::default()
        };
        let server = runtime.block_on(Server::start(config))?;
        Ok(Self { runtime, server })
    }

    fn url(&self) -> String {
        self.server.url().replacen("http", "ws", 1)
    }

    fn peer(&self, user: &str, folder: &Path) -> Result<Peer> {
        Peer::start(&self.url(), &token(API_SECRET, user), folder)
    }

    fn stop(self) {
        self.runtime.block_on(self.server.stop(ExitCause::ServerStopped));
    }
}

/// One of our sessions in the room.
struct Meeting {
    host: Host,
    session: Session,
    events: mpsc::Receiver<Event>,
}

impl Meeting {
    /// Everything that others play for us goes to `speaker`.
    fn open(speaker: &Path) -> Result<Self> {
        let host = Host::start()?;
        let (session, events) = {
            let _inside = host.runtime.enter();
            Session::start(SessionConfig {
                agent: "interop".to_owned(),
                receive: Receive::All,
                video: VideoConfig { width: 640, height: 360, fps: 30, bitrate: 1_500_000 },
                speaker: SpeakerSink::File(speaker.to_owned()),
            })
        };
        let mut meeting = Self { host, session, events };
        let params = RawEnterParams {
            server: Some(meeting.host.server.url()),
            sdk_app_id: Some(i64::from(APP.0)),
            user_id: Some("rusty".to_owned()),
            user_sig: Some(user_sig::sign(APP, APP_KEY, "rusty", 600, now(), None)),
            name: Some("Rusty Nail".to_owned()),
            room_id: Some(ROOM),
            ..RawEnterParams::default()
        };
        meeting.run(meeting.session.enter_room(params))?;
        let entered = meeting.event(|event| matches!(event, Event::OnEnterRoom { .. }))?;
        assert!(matches!(entered, Event::OnEnterRoom { result: 1.. }), "{entered:?}");
        Ok(meeting)
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.host.runtime.block_on(work)
    }

    /// Camera and microphone on.
    fn send(&self) -> Result<()> {
        self.run(self.session.start_local_video(CameraSource::Test))?;
        self.run(self.session.start_local_audio(MicrophoneSource::Tone))?;
        Ok(())
    }

    /// The next event that is wanted; others before it are passed over.
    fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
        let events = &mut self.events;
        let next = async {
            while let Some(event) = events.recv().await {
                if wanted(&event) {
                    return Ok(event);
                }
            }
            anyhow::bail!("the session ended")
        };
        self.host.runtime.block_on(async { tokio::time::timeout(PATIENCE, next).await })?
    }

    fn close(self) {
        self.host.runtime.block_on(self.session.close());
        self.host.stop();
    }
}

/// Keeps every picture of our camera by the counter in it.
struct Originals {
    pictures: Arc<Mutex<HashMap<u32, Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Originals {
    fn record(camera: Arc<Slot<VideoFrame>>) -> Self {
        let pictures = Arc::new(Mutex::new(HashMap::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (pictures, stop) = (pictures.clone(), stop.clone());
            thread::spawn(move || {
                let mut cursor = Cursor::default();
                while !stop.load(Ordering::Relaxed) {
                    let Some(frame) = camera.wait_newer(&mut cursor, Duration::from_millis(100)) else {
                        continue;
                    };
                    let Some(stamp) = read_stamp(&frame.buffer) else { continue };
                    pictures.lock().unwrap().insert(stamp.counter, frame.buffer.bytes().to_vec());
                }
            })
        };
        Self { pictures, stop, thread }
    }

    fn finish(self) -> HashMap<u32, Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.pictures.lock().unwrap())
    }
}

fn i420(width: u32, height: u32, bytes: &[u8]) -> I420 {
    let mut picture = FramePool::new().take(width, height).unwrap();
    let (y, u, v) = picture.planes_mut();
    let (luma, chroma) = bytes.split_at(y.len());
    let (blue, red) = chroma.split_at(u.len());
    y.copy_from_slice(luma);
    u.copy_from_slice(blue);
    v.copy_from_slice(red);
    picture
}

/// Pictures that the Python client kept are the ones our camera made, and came in their order.
fn compare_ours(pictures: &[Value], originals: &HashMap<u32, Vec<u8>>) {
    let mut last = None;
    for fact in pictures {
        let (width, height) =
            (fact["width"].as_u64().unwrap() as u32, fact["height"].as_u64().unwrap() as u32);
        assert_eq!((width, height), (640, 360));
        let bytes = std::fs::read(fact["file"].as_str().unwrap()).unwrap();
        let stamp = read_stamp(&i420(width, height, &bytes)).expect("the stamp can be read");
        assert!(last.is_none_or(|last| stamp.counter > last), "{} after {last:?}", stamp.counter);
        last = Some(stamp.counter);
        let late = fact["at_us"].as_u64().unwrap().saturating_sub(stamp.captured_us);
        let original = originals.get(&stamp.counter).expect("we sent a picture with this counter");
        let likeness = pattern::likeness(width as usize, height as usize, &bytes, original).unwrap();
        println!("ours {}: {likeness:.1?} after {} ms", stamp.counter, late / 1000);
        assert!(likeness.luma > 35.0 && likeness.chroma > 35.0, "{likeness:?}");
        assert!(late < 2_000_000, "{late} us");
    }
}

/// Pictures that we decode are the ones the Python client drew, and come in their order.
fn compare_theirs(slot: &Slot<VideoFrame>, base: &[u8]) {
    let mut cursor = Cursor::default();
    let mut last = None;
    let deadline = Instant::now() + PATIENCE;
    let mut compared = 0;
    while compared < 60 {
        assert!(Instant::now() < deadline, "only {compared} pictures came");
        let Some(frame) = slot.wait_newer(&mut cursor, Duration::from_secs(1)) else { continue };
        let picture = &frame.buffer;
        assert_eq!((picture.width() as usize, picture.height() as usize), (pattern::WIDTH, pattern::HEIGHT));
        let counter = pattern::counter(picture.y()).expect("the counter can be read");
        if counter == 0 && last.is_none() {
            // The black that their library sends until the first picture.
            continue;
        }
        assert!(last.is_none_or(|last| counter > last), "{counter} after {last:?}");
        last = Some(counter);
        compared += 1;
        // Every tenth is compared as a whole: an optimised build does it faster than pictures come.
        if compared % 10 == 0 {
            let original = pattern::original(base, counter);
            let likeness =
                pattern::likeness(pattern::WIDTH, pattern::HEIGHT, picture.bytes(), &original).unwrap();
            println!("theirs {counter}: {likeness:.1?}");
            assert!(likeness.luma > 35.0 && likeness.chroma > 35.0, "{likeness:?}");
        }
    }
}

/// Whether that pitch was heard at that level.
fn is_tone(fact: &Value, pitch: f64, level: f64) -> bool {
    let (hz, dbfs) = (fact["hz"].as_f64().unwrap_or(0.0), fact["dbfs"].as_f64().unwrap_or(0.0));
    (hz - pitch).abs() <= 2.0 && (dbfs - level).abs() < 2.0
}

#[test]
fn pictures_and_sound_go_both_ways_between_a_python_client_and_us() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let heard = folder.path().join("heard.wav");
    let mut meeting = Meeting::open(&heard)?;
    meeting.send()?;
    let originals = Originals::record(meeting.session.local_video());
    let mut peer = meeting.host.peer("snake", folder.path())?;

    let connected = peer.wait(PATIENCE, |fact| fact["event"] == "connected")?;
    assert_eq!(connected["room"], "1400000001/n:42");
    assert_eq!(connected["present"], serde_json::json!([{ "user": "rusty", "name": "Rusty Nail" }]));
    meeting.event(|event| {
        matches!(event, Event::OnRemoteUserEnterRoom { user_id, name } if user_id == "snake" && name == "Monty")
    })?;
    meeting.event(|event| {
        matches!(event, Event::OnFirstVideoFrame { user_id, width: 640, height: 360, .. } if user_id == "snake")
    })?;

    // Theirs to us.
    let slot = meeting.session.remote_video("snake").context("no picture of the Python client")?;
    compare_theirs(&slot, &std::fs::read(folder.path().join("base.i420"))?);

    // Ours to them.
    peer.wait(PATIENCE, |fact| fact["event"] == "picture" && fact["seen"].as_u64() > Some(60))?;
    let pictures = peer.all(Duration::ZERO, |fact| fact["event"] == "picture" && fact["user"] == "rusty");
    compare_ours(&pictures, &originals.finish());
    peer.wait(PATIENCE, |fact| is_tone(fact, 440.0, -20.0))?;

    // How well each reaches the server is told to the other.
    let fine = ["QUALITY_GOOD", "QUALITY_EXCELLENT"];
    peer.wait(PATIENCE, |fact| {
        fact["event"] == "quality"
            && fact["user"] == "rusty"
            && fine.map(Value::from).contains(&fact["quality"])
    })?;
    meeting.event(|event| {
        let Event::OnNetworkQuality { remote, .. } = event else { return false };
        let fine = Quality::Excellent..=Quality::Good;
        remote.iter().any(|one| one.user_id == "snake" && fine.contains(&one.quality))
    })?;

    // What the others do is told to them.
    meeting.run(meeting.session.mute_local_video(true))?;
    peer.wait(PATIENCE, |fact| fact["event"] == "muted" && fact["kind"] == "KIND_VIDEO")?;
    meeting.run(meeting.session.exit_room())?;
    peer.wait(PATIENCE, |fact| fact["event"] == "left" && fact["user"] == "rusty")?;
    peer.leave()?;
    meeting.close();

    let (samples, rate) = sound::ending(&heard, 2.0)?;
    // Half a second before the end: the very last may be cut.
    let tone = sound::tone(&samples[..samples.len() * 3 / 4], rate, 1000.0);
    println!("heard {tone:.1?}");
    assert!((tone.dbfs + 15.0).abs() < 2.0 && tone.over_rest > 15.0, "{tone:?}");
    Ok(())
}

/// The second of two Python clients gets the pictures and the tone of the first.
#[test]
fn two_python_clients_meet_on_our_server() -> Result<()> {
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let host = Host::start()?;
    let mut first = host.peer("first", one.path())?;
    first.wait(PATIENCE, |fact| fact["event"] == "published")?;
    let mut second = host.peer("second", other.path())?;
    second.wait(PATIENCE, |fact| fact["event"] == "picture" && fact["seen"].as_u64() > Some(60))?;
    second.wait(PATIENCE, |fact| is_tone(fact, 1000.0, -15.0))?;
    let base = std::fs::read(one.path().join("base.i420"))?;
    for fact in second.all(Duration::ZERO, |fact| fact["event"] == "picture") {
        let bytes = std::fs::read(fact["file"].as_str().unwrap())?;
        let counter = pattern::counter(&bytes).expect("the counter can be read");
        let original = pattern::original(&base, counter);
        let likeness = pattern::likeness(pattern::WIDTH, pattern::HEIGHT, &bytes, &original)?;
        println!("{counter}: {likeness:.1?}");
        assert!(likeness.luma > 35.0 && likeness.chroma > 35.0, "{likeness:?}");
    }
    first.wait(PATIENCE, |fact| fact["event"] == "first_picture" && fact["user"] == "second")?;
    second.leave()?;
    first.wait(PATIENCE, |fact| fact["event"] == "left" && fact["user"] == "second")?;
    first.leave()?;
    host.stop();
    Ok(())
}

/// Limits of messages are for messages: what LiveKit's clients tell each other goes on as it is.
#[test]
fn python_clients_hear_our_messages_and_each_others_packets_of_any_topic() -> Result<()> {
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut meeting = Meeting::open(&one.path().join("heard.wav"))?;
    let mut first = meeting.host.peer("first", one.path())?;
    let mut second = meeting.host.peer("second", other.path())?;
    for peer in [&mut first, &mut second] {
        peer.wait(PATIENCE, |fact| fact["event"] == "published")?;
    }
    // More than may be sent as messages, within a moment.
    for number in 0..200 {
        first.say("chat", &format!("word {number}"))?;
    }
    second.wait(PATIENCE, |fact| fact["event"] == "data" && fact["text"] == "word 199")?;
    let words = second.all(Duration::ZERO, |fact| fact["topic"] == "chat");
    let words: Vec<_> = words.iter().map(|fact| [&fact["user"], &fact["topic"], &fact["text"]]).collect();
    let said: Vec<Value> = (0..200).map(|number| Value::from(format!("word {number}"))).collect();
    let (user, topic) = (Value::from("first"), Value::from("chat"));
    assert_eq!(words, said.iter().map(|text| [&user, &topic, text]).collect::<Vec<_>>());

    meeting.run(meeting.session.send_custom_cmd_msg(7, b"hi".to_vec(), true, true))?;
    let ours = second.wait(PATIENCE, |fact| fact["topic"] == "confab.cmd")?;
    assert_eq!(ours["user"], "rusty");
    let bytes = ours["hex"].as_str().unwrap();
    assert!(bytes.starts_with("0107") && bytes.ends_with("000000016869"), "{bytes}");
    let ours = |event: &Event| matches!(event, Event::OnRecvCustomCmdMsg { .. });
    second.leave()?;
    first.leave()?;
    let gone = |event: &Event| matches!(event, Event::OnRemoteUserLeaveRoom { .. });
    let next = meeting.event(|event| ours(event) || gone(event))?;
    assert!(gone(&next), "their packets are no messages: {next:?}");
    meeting.close();
    Ok(())
}

#[test]
fn a_python_client_that_leaves_is_seen_to_leave() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut meeting = Meeting::open(&folder.path().join("heard.wav"))?;
    let mut peer = meeting.host.peer("snake", folder.path())?;
    meeting.event(|event| {
        matches!(event, Event::OnUserVideoAvailable { user_id, available: true } if user_id == "snake")
    })?;
    peer.leave()?;
    meeting.event(|event| {
        matches!(event, Event::OnRemoteUserLeaveRoom { user_id, reason: LeaveReason::Left } if user_id == "snake")
    })?;
    meeting.close();
    Ok(())
}

#[test]
fn a_python_client_with_a_token_of_another_secret_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let host = Host::start()?;
    let mut peer = Peer::start(&host.url(), &token("another secret than that", "snake"), folder.path())?;
    let refused = peer.wait(PATIENCE, |fact| fact["event"] == "refused" || fact["event"] == "connected")?;
    assert_eq!(refused["event"], "refused");
    assert!(refused["message"].as_str().unwrap().contains("401"), "{refused}");
    host.stop();
    Ok(())
}
