//! The devices of a computer, made of software: a private PulseAudio daemon with a speaker that can
//! be recorded and a microphone that can be fed. Each case runs in a process of its own that is
//! pointed at the daemon, because a process chooses its sound server once.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
#![allow(clippy::print_stderr, reason = "a case that cannot run says why")]

#[path = "virtual_card/others.rs"]
mod others;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use confab_frame::queue;
use confab_media::audio::{AudioEngine, AudioPacket, RemoteAudio, Tap, Tapped};
use confab_media::devices;
use confab_media::process::Processing;
use confab_media::{DeviceKind, MicrophoneSource, SpeakerSink};
use sound::{Card, MICROPHONE_FEED, SPEAKER_MONITOR, write_tone};

/// Runs one of the ignored cases below against a daemon of its own.
fn run_with_card(case: &str) {
    run_while(case, |_| false);
}

/// The same, while something is done to the daemon, as long as that says that it has to go on.
fn run_while(case: &str, mut meanwhile: impl FnMut(&Card) -> bool) {
    // One after the other: they measure time.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let card = Card::start().unwrap();
    let case = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", case, "--ignored", "--nocapture"])
        .envs(card.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::thread::scope(|scope| {
        let output = scope.spawn(|| case.wait_with_output());
        while !output.is_finished() && meanwhile(&card) {}
        output.join().unwrap().unwrap()
    });
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

macro_rules! with_card {
    ($($test:ident runs $case:ident;)*) => {
        $(
            #[test]
            fn $test() {
                run_with_card(stringify!($case));
            }
        )*
    };
}

with_card! {
    the_default_devices_are_found_by_name runs case_devices;
    a_tone_is_played_without_gaps runs case_speaker;
    the_microphone_hears_what_is_said runs case_microphone;
    what_the_speaker_plays_is_not_sent_back runs case_echo;
    nothing_stays_open_after_drop runs case_released;
    nothing_stays_open_after_a_panic runs case_released_after_panic;
    a_server_that_goes_away_is_a_failure_in_words runs case_server_lost;
}

#[test]
#[ignore = "run by the_default_devices_are_found_by_name with a sound server of its own"]
fn case_devices() {
    for (kind, name, id) in
        [(DeviceKind::Speaker, "VirtualSpeaker", "vspk"), (DeviceKind::Microphone, "VirtualMic", "vmic")]
    {
        let devices = devices::list(kind).unwrap();
        assert!(
            devices[0].is_default && devices[0].name == name && devices[0].id.ends_with(id),
            "{devices:?}"
        );
        assert!(
            devices.iter().all(|device| device.kind == kind && !device.id.ends_with(".monitor")),
            "{devices:?}"
        );
    }
    let error = AudioEngine::start(&SpeakerSink::Device(Some("Nothing".to_owned()))).unwrap_err();
    assert_eq!(error.to_string(), "there is no speaker called \"Nothing\"");
}

/// Lets an engine hear what was encoded, its own or another's, as if a network had carried it.
fn carry(
    engine: &AudioEngine,
    encoded: queue::Receiver<confab_frame::EncodedAudio>,
) -> (Arc<RemoteAudio>, std::thread::JoinHandle<()>) {
    let remote = Arc::new(engine.add_remote("echo".to_owned()).unwrap());
    let theirs = remote.clone();
    let carrier = std::thread::Builder::new().name("carrier".to_owned());
    let carrier = carrier.spawn(move || {
        let (mut seq, mut timestamp) = (0u16, 0u32);
        while !encoded.is_finished() {
            let Some(entry) = encoded.pop(Duration::from_millis(50)) else { continue };
            let payload = Bytes::copy_from_slice(&entry.value.data);
            theirs.push(AudioPacket { seq, timestamp, payload, at: Instant::now() });
            (seq, timestamp) = (seq.wrapping_add(1), timestamp.wrapping_add(entry.value.samples));
        }
    });
    (remote, carrier.unwrap())
}

/// Root mean square of each 10 ms.
fn levels(sound: &[f32]) -> Vec<f32> {
    let level = |block: &[f32]| (block.iter().map(|s| s * s).sum::<f32>() / block.len() as f32).sqrt();
    sound.chunks_exact(480).map(level).collect()
}

fn pitch(sound: &[f32]) -> f32 {
    let rises = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    rises as f32 * 48_000.0 / sound.len() as f32
}

#[test]
#[ignore = "run by a_tone_is_played_without_gaps with a sound server of its own"]
fn case_speaker() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard.wav");
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Device(None)).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let (remote, carrier) = carry(&engine, encoded);
    let tap = engine.tap(Tap::Speaker, 1_000).unwrap();
    let listen = |blocks: usize| {
        for _ in 0..blocks {
            tap.pop(Duration::from_secs(10)).unwrap();
        }
    };
    listen(100);
    let mut recorder = record(SPEAKER_MONITOR, &path);
    listen(400);
    interrupt(&mut recorder);
    assert_eq!(engine.failure(), None);
    drop((engine, remote));
    carrier.join().unwrap();

    let sound = samples(&path);
    // Recording begins and ends unevenly.
    let sound = &sound[9_600..sound.len() - 9_600];
    assert!(sound.len() > 2 * 48_000, "{} samples", sound.len());
    let levels = levels(sound);
    assert!((pitch(sound) - 440.0).abs() < 4.0, "{} Hz", pitch(sound));
    let gap = levels.split(|level| *level > 0.05).map(<[f32]>::len).max().unwrap_or(0);
    assert!(gap <= 2, "a gap of {gap}0 ms");
    let mut sorted = levels;
    sorted.sort_by(f32::total_cmp);
    let middle = sorted[sorted.len() / 2];
    assert!((0.08..0.12).contains(&middle), "level {middle}");
}

/// Records what comes out of a source of the server into a WAV file.
fn record(source: &str, into: &Path) -> Child {
    Command::new("parecord")
        .args(["--rate=48000", "--channels=1", "--format=s16le", "--file-format=wav"])
        .arg(format!("--device={source}"))
        .arg(into)
        .spawn()
        .unwrap()
}

/// What was recorded.
fn samples(path: &Path) -> Vec<f32> {
    let samples = hound::WavReader::open(path).unwrap().into_samples::<i16>();
    samples.map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect()
}

/// Ends a recorder so that it makes its file whole.
fn interrupt(child: &mut Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    child.wait().unwrap();
}

#[test]
#[ignore = "run by the_microphone_hears_what_is_said with a sound server of its own"]
fn case_microphone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said.wav");
    write_tone(&path, 1_000.0, -10.5, Duration::from_secs(6)).unwrap();
    let mut player = Command::new("paplay")
        .arg(format!("--device={MICROPHONE_FEED}"))
        .arg(&path)
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();

    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    // A steady tone would be taken for noise.
    engine.set_processing(Processing::OFF);
    let tap = engine.tap(Tap::Microphone, 1_000).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    let block = || tap.pop(Duration::from_secs(10)).unwrap().value.block;
    let deadline = Instant::now() + Duration::from_secs(5);
    while block().rms() < 0.1 {
        assert!(Instant::now() < deadline, "nothing is heard");
    }
    let sound: Vec<f32> = (0..250).flat_map(|_| block().0).collect();
    assert!((pitch(&sound[4_800..]) - 1_000.0).abs() < 10.0, "{} Hz", pitch(&sound[4_800..]));
    let levels = levels(&sound[4_800..]);
    let gap = levels.split(|level| *level > 0.1).map(<[f32]>::len).max().unwrap_or(0);
    assert!(gap <= 2, "a gap of {gap}0 ms");
    assert!(encoded.pop(Duration::from_secs(1)).is_some());
    assert_eq!(engine.failure(), None);
    drop(engine);
    player.kill().unwrap();
    player.wait().unwrap();
}

/// A daemon that does not come to its turn for 60 ms, time and again, as on a busy computer.
#[test]
fn what_a_microphone_hears_while_its_server_stumbles_is_not_lost() {
    run_while("case_stumbling", |card| {
        for (hangs, millis) in [(true, 60), (false, 140)] {
            card.hang(hangs).unwrap();
            std::thread::sleep(Duration::from_millis(millis));
        }
        true
    });
}

#[test]
#[ignore = "run by what_a_microphone_hears_while_its_server_stumbles_is_not_lost with a sound server of its own"]
fn case_stumbling() {
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_processing(Processing::OFF);
    let tap = engine.tap(Tap::Microphone, 1_000).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    let listen = |blocks: u32| {
        for _ in 0..blocks {
            tap.pop(Duration::from_secs(10)).unwrap();
        }
    };
    listen(50);
    let begun = Instant::now();
    listen(400);
    let late = begun.elapsed().saturating_sub(Duration::from_secs(4));
    // Twenty times 60 ms.
    assert!(late < Duration::from_millis(300), "{late:?} of 4 s are lost");
    assert_eq!(engine.failure(), None);
}

/// Four people speaking one after the other without a pause, as a WAV file.
fn write_talk(path: &Path) {
    let assets = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets");
    let people =
        (1..=4).map(|person| hound::WavReader::open(format!("{assets}/speech-{person}.wav")).unwrap());
    let mut people: Vec<_> = people.collect();
    let mut talk = hound::WavWriter::create(path, people[0].spec()).unwrap();
    let mut voices: Vec<_> = people.iter_mut().map(|person| person.samples::<i16>()).collect();
    while let Some(samples) = voices.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
        let sum = samples.into_iter().map(Result::unwrap).fold(0i16, i16::saturating_add);
        talk.write_sample(sum).unwrap();
    }
    talk.finalize().unwrap();
}

/// Decibels by which the microphone is quieter than the speaker, in a second in which that plays.
fn loss(speaker: &queue::Receiver<Tapped>, microphone: &queue::Receiver<Tapped>) -> f32 {
    let energy = |tap: &queue::Receiver<Tapped>| -> f32 {
        (0..100).map(|_| tap.pop(Duration::from_secs(10)).unwrap().value.block.rms().powi(2)).sum()
    };
    for _ in 0..20 {
        let (played, heard) = (energy(speaker), energy(microphone));
        if played > 0.1 {
            return 10.0 * (played / heard.max(1e-9)).log10();
        }
    }
    panic!("the speaker plays nothing");
}

#[test]
#[ignore = "run by what_the_speaker_plays_is_not_sent_back with a sound server of its own"]
fn case_echo() {
    let room = Command::new("pactl")
        .args(["load-module", "module-loopback", "latency_msec=60", "adjust_time=0"])
        .arg(format!("source={SPEAKER_MONITOR}"))
        .arg(format!("sink={MICROPHONE_FEED}"))
        .status();
    assert!(room.unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let talk = folder.path().join("talk.wav");
    write_talk(&talk);

    let (far, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let (near, _sent) = AudioEngine::start(&SpeakerSink::Device(None)).unwrap();
    let (remote, carrier) = carry(&near, encoded);
    near.set_processing(Processing::OFF);
    near.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    far.set_microphone(Some(&MicrophoneSource::File(talk))).unwrap();
    let speaker = near.tap(Tap::Speaker, 200).unwrap();
    let microphone = near.tap(Tap::Microphone, 200).unwrap();
    let loss = || loss(&speaker, &microphone);

    let mut heard = f32::MAX;
    eventually("the echo", || {
        heard = loss();
        heard < 6.0
    });
    near.set_processing(Processing { echo: true, noise: false, gain: false });
    eventually("the echo to go", || {
        let left = loss();
        eprintln!("the microphone was {heard:.1} dB below the speaker and is {left:.1}");
        left > heard + 20.0
    });
    near.set_processing(Processing::OFF);
    eventually("the echo to come back", || loss() < 6.0);
    assert_eq!(near.failure(), None);
    drop((near, far, remote));
    carrier.join().unwrap();
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
    }
}

/// Streams that programs hold open on the server.
fn open_streams() -> Vec<String> {
    ["sink-inputs", "source-outputs"]
        .into_iter()
        .flat_map(|kind| {
            let output = Command::new("pactl").args(["list", "short", kind]).output().unwrap();
            assert!(output.status.success());
            let lines = String::from_utf8(output.stdout).unwrap();
            // The virtual microphone itself listens to its feed.
            let ours = lines.lines().filter(|line| !line.contains("module-remap-source"));
            ours.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Names of this process's threads.
fn threads() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}: {:?} {:?}", open_streams(), threads());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The threads and streams of a process that has no engine. Two connections to the server, one of them for
/// microphones, stay for the life of the process, with the threads that read them.
fn at_rest() -> (Vec<String>, usize) {
    let name = "device-ask";
    let idle = open_streams().len();
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    drop(engine);
    wait_for("no stream", || open_streams().len() == idle);
    // The threads that asked have answered and are about to end; those of the connections were begun by
    // them and have their name.
    wait_for("the threads of the connections", || threads().iter().filter(|one| *one == name).count() == 2);
    (threads(), idle)
}

#[test]
#[ignore = "run by nothing_stays_open_after_drop with a sound server of its own"]
fn case_released() {
    let (before, idle) = at_rest();
    for _ in 0..3 {
        let (engine, encoded) = AudioEngine::start(&SpeakerSink::Device(None)).unwrap();
        engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
        wait_for("both streams", || open_streams().len() == idle + 2);
        assert!(threads().contains(&"audio".to_owned()));
        encoded.pop(Duration::from_secs(10)).unwrap();
        // Another speaker and no microphone: the devices go at once, not at the end.
        engine.set_microphone(None).unwrap();
        engine.set_speaker(&SpeakerSink::Null).unwrap();
        wait_for("no stream", || open_streams().len() == idle);
        engine.set_speaker(&SpeakerSink::Device(Some("VirtualSpeaker".to_owned()))).unwrap();
        engine.set_microphone(Some(&MicrophoneSource::Device(Some("vmic".to_owned())))).unwrap();
        wait_for("both streams", || open_streams().len() == idle + 2);
        drop(engine);
        wait_for("no stream", || open_streams().len() == idle);
        wait_for("no thread", || threads() == before);
    }
}

#[test]
#[ignore = "run by nothing_stays_open_after_a_panic with a sound server of its own"]
fn case_released_after_panic() {
    let (before, idle) = at_rest();
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Device(None)).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    wait_for("both streams", || open_streams().len() == idle + 2);
    let tap = engine.tap(Tap::Speaker, 1).unwrap();
    tap.on_push(|| {
        // A second panic while the first unwinds would end the process.
        if !std::thread::panicking() {
            panic!("somebody's callback broke");
        }
    });
    wait_for("the failure", || engine.failure().is_some());
    let failure = engine.failure().unwrap();
    assert_eq!(failure.to_string(), "the audio thread stopped: somebody's callback broke");
    assert!(engine.set_microphone(Some(&MicrophoneSource::Tone)).is_err());
    drop(engine);
    wait_for("no stream", || open_streams().len() == idle);
    wait_for("no thread", || threads() == before);
}

#[test]
#[ignore = "run by a_server_that_goes_away_is_a_failure_in_words with a sound server of its own"]
fn case_server_lost() {
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Device(None)).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Device(None))).unwrap();
    assert!(Command::new("pactl").arg("exit").status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(20);
    while engine.failure().is_none() {
        assert!(Instant::now() < deadline, "nobody noticed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = engine.failure().unwrap().to_string();
    assert!(said.starts_with("the speaker stopped") || said.starts_with("the microphone stopped"), "{said}");
    // The engine itself goes on, and others can be chosen.
    engine.set_speaker(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    assert_eq!(engine.failure(), None);
    let tap = engine.tap(Tap::Speaker, 10).unwrap();
    assert!(tap.pop(Duration::from_secs(10)).is_some());
}
