//! Cards of other rates, and cards that come and go.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use confab_frame::queue;
use confab_media::audio::{AudioEngine, Tap, Tapped};
use confab_media::process::Processing;
use confab_media::{Device, DeviceKind, MicrophoneSource, SpeakerSink, Watcher};

use super::{carry, interrupt, levels, pitch, record, run_with_card, samples};

/// Rates of cards that are not our own.
const RATES: [u32; 4] = [8_000, 16_000, 44_100, 96_000];

pub(super) fn pactl(arguments: &[&str]) -> String {
    let output = Command::new("pactl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Adds a sink; the number that takes it away.
fn sink(name: &str, rate: u32, channels: u16) -> String {
    pactl(&[
        "load-module",
        "module-null-sink",
        &format!("sink_name={name}"),
        &format!("rate={rate}"),
        &format!("channels={channels}"),
        "norewinds=1",
        &format!("sink_properties=device.description={name}"),
    ])
}

/// Adds a microphone that hears what is played into the sink `feed`.
fn microphone(name: &str, feed: &str, rate: u32) -> String {
    pactl(&[
        "load-module",
        "module-remap-source",
        &format!("source_name={name}"),
        &format!("master={feed}.monitor"),
        &format!("rate={rate}"),
        "channels=1",
        &format!("source_properties=device.description={name}"),
    ])
}

fn play(path: &Path, into: &str) -> Child {
    Command::new("paplay").arg(format!("--device={into}")).arg(path).spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until so many blocks have passed.
fn listen(tap: &queue::Receiver<Tapped>, blocks: usize) {
    for _ in 0..blocks {
        tap.pop(Duration::from_secs(10)).unwrap();
    }
}

/// The longest piece without a gap, without its ends: a busy machine may make gaps, and no false pitch.
fn longest(sound: &[f32]) -> &[f32] {
    let (mut longest, mut from) = (0..0, 0);
    for (block, level) in levels(sound).into_iter().enumerate() {
        if level < 0.01 {
            from = block + 1;
        } else if block - from > longest.len() {
            longest = from..block;
        }
    }
    let ends = usize::from(longest.len() > 2);
    &sound[(longest.start + ends) * 480..longest.end.saturating_sub(ends) * 480]
}

#[test]
fn cards_of_other_rates_hear_and_play() {
    run_with_card("others::case_rates");
}

#[test]
#[ignore = "run by cards_of_other_rates_hear_and_play with a sound server of its own"]
fn case_rates() {
    let folder = tempfile::tempdir().unwrap();
    let (tone, heard) = (folder.path().join("tone.wav"), folder.path().join("heard.wav"));
    sound::write_tone(&tone, 1_000.0, -10.5, Duration::from_secs(10)).unwrap();
    for (rate, channels) in RATES.into_iter().zip([1, 2, 6, 8]) {
        let (speaker, feed, ear) = (format!("spk{rate}"), format!("feed{rate}"), format!("mic{rate}"));
        sink(&speaker, rate, channels);
        sink(&feed, rate, 1);
        microphone(&ear, &feed, rate);
        let player = play(&tone, &feed);

        let (engine, encoded) = AudioEngine::start(&SpeakerSink::Device(Some(speaker.clone()))).unwrap();
        assert_eq!(engine.speaker().unwrap().name, speaker);
        engine.set_processing(Processing::OFF);
        let tap = engine.tap(Tap::Microphone, 1_000).unwrap();
        engine.set_microphone(Some(&MicrophoneSource::Device(Some(ear.clone())))).unwrap();
        assert_eq!(engine.microphone().unwrap().name, ear);
        let block = || tap.pop(Duration::from_secs(10)).unwrap().value.block;
        let deadline = Instant::now() + Duration::from_secs(5);
        while block().rms() < 0.1 {
            assert!(Instant::now() < deadline, "nothing is heard at {rate} Hz");
        }
        let sound: Vec<f32> = (0..100).flat_map(|_| block().0).collect();
        let sound = &sound[4_800..];
        assert!((pitch(sound) - 1_000.0).abs() < 10.0, "{} Hz heard at {rate} Hz", pitch(sound));
        assert!(levels(sound).iter().all(|level| (0.15..0.3).contains(level)), "{:?}", levels(sound));
        end(player);

        // Our own tone now, as somebody else's voice.
        engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
        let (remote, carrier) = carry(&engine, encoded);
        let spoken = engine.tap(Tap::Speaker, 1_000).unwrap();
        let listen = |blocks| listen(&spoken, blocks);
        listen(100);
        let mut recorder = record(&format!("{speaker}.monitor"), &heard);
        listen(200);
        interrupt(&mut recorder);
        assert_eq!(engine.failure(), None);
        drop((engine, remote));
        carrier.join().unwrap();
        let sound = samples(&heard);
        let sound = longest(&sound);
        assert!(sound.len() > 48_000 / 2, "only {} samples in one piece at {rate} Hz", sound.len());
        assert!((pitch(sound) - 440.0).abs() < 6.0, "{} Hz played at {rate} Hz", pitch(sound));
    }
}

#[test]
fn the_speaker_is_changed_while_it_plays() {
    run_with_card("others::case_change");
}

#[test]
#[ignore = "run by the_speaker_is_changed_while_it_plays with a sound server of its own"]
fn case_change() {
    sink("other", 44_100, 2);
    let device = |name: &str| SpeakerSink::Device(Some(name.to_owned()));
    let (engine, encoded) = AudioEngine::start(&device("vspk")).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let (remote, carrier) = carry(&engine, encoded);
    let spoken = engine.tap(Tap::Speaker, 1_000).unwrap();
    let listen = |blocks| listen(&spoken, blocks);
    listen(50);
    for name in ["other", "vspk", "other"] {
        engine.set_speaker(&device(name)).unwrap();
        assert!(engine.speaker().unwrap().id.ends_with(name));
        listen(50);
        assert_eq!(engine.failure(), None);
    }
    engine.set_speaker(&device("nowhere")).unwrap_err();
    assert!(engine.speaker().unwrap().id.ends_with("other"));
    let inputs = pactl(&["list", "short", "sink-inputs"]);
    assert_eq!(inputs.lines().count(), 1, "{inputs}");
    drop((engine, remote));
    carrier.join().unwrap();
}

#[test]
fn cards_that_come_and_go_are_noticed_within_a_second() {
    run_with_card("others::case_watch");
}

#[test]
#[ignore = "run by cards_that_come_and_go_are_noticed_within_a_second with a sound server of its own"]
fn case_watch() {
    let (told, heard) = mpsc::channel();
    let begun = Instant::now();
    let watcher = Watcher::start(move |devices| drop(told.send(devices))).unwrap();
    let first: Vec<Device> = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    eprintln!("the first list came after {:?}", begun.elapsed());
    let names = |devices: &[Device], kind| -> Vec<String> {
        devices.iter().filter(|device| device.kind == kind).map(|device| device.name.clone()).collect()
    };
    assert_eq!(names(&first, DeviceKind::Microphone), ["VirtualMic"]);
    let mut times = Vec::new();
    let mut until = |what: &str, is: &dyn Fn(&[Device]) -> bool| {
        let begun = Instant::now();
        loop {
            let devices = heard.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("{what}"));
            if is(&devices) {
                break;
            }
        }
        eprintln!("{what}: noticed after {:?}", begun.elapsed());
        times.push(begun.elapsed());
    };
    let has = |kind, name: &'static str| {
        move |devices: &[Device]| devices.iter().any(|device| device.kind == kind && device.name == name)
    };
    for _ in 0..3 {
        let number = sink("usbspeaker", 48_000, 2);
        until("a speaker came", &has(DeviceKind::Speaker, "usbspeaker"));
        let ear = microphone("usbmic", super::MICROPHONE_FEED, 48_000);
        until("a microphone came", &has(DeviceKind::Microphone, "usbmic"));
        pactl(&["set-default-source", "usbmic"]);
        until("it became the default", &|devices| {
            devices.iter().any(|device| device.name == "usbmic" && device.is_default)
        });
        // The server would prefer it again by its name.
        pactl(&["set-default-source", "vmic"]);
        pactl(&["unload-module", &ear]);
        until("the microphone went", &|devices| !has(DeviceKind::Microphone, "usbmic")(devices));
        pactl(&["unload-module", &number]);
        until("the speaker went", &|devices| !has(DeviceKind::Speaker, "usbspeaker")(devices));
    }
    times.sort();
    // One that a busy machine held up is forgiven.
    assert!(times[times.len() - 2] < Duration::from_secs(1), "{times:?}");
    drop(watcher);
    assert!(heard.recv().is_err());
}

#[test]
fn looking_costs_next_to_nothing() {
    run_with_card("others::case_cost");
}

#[test]
#[ignore = "run by looking_costs_next_to_nothing with a sound server of its own"]
fn case_cost() {
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let (told, heard) = mpsc::channel();
    let watcher = Watcher::start(move |devices| drop(told.send(devices))).unwrap();
    heard.recv_timeout(Duration::from_secs(10)).unwrap();
    let before = (used(), threads());
    std::thread::sleep(Duration::from_secs(5));
    let spent = used() - before.0;
    eprintln!("five seconds of looking took {spent:?}");
    assert!(spent < Duration::from_millis(250), "{spent:?}");
    // A look in progress has a thread of its own.
    super::wait_for("no more threads than before", || threads() <= before.1);
    drop(watcher);
}

/// Processor time of this process.
fn used() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name in brackets; ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn a_system_that_has_no_microphone_left_offers_none() {
    run_with_card("others::case_none");
}

#[test]
#[ignore = "run by a_system_that_has_no_microphone_left_offers_none with a sound server of its own"]
fn case_none() {
    let modules = pactl(&["list", "short", "modules"]);
    let remap = modules.lines().find(|line| line.contains("module-remap-source")).unwrap();
    pactl(&["unload-module", remap.split_whitespace().next().unwrap()]);
    // Speakers' monitors are left, and one of them is the default.
    assert_eq!(confab_media::devices::list(DeviceKind::Microphone).unwrap(), []);
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let open =
        |name: Option<&str>| engine.set_microphone(Some(&MicrophoneSource::Device(name.map(str::to_owned))));
    let said = open(None).unwrap_err().to_string();
    assert!(said.starts_with("no microphone was found on this computer; "), "{said}");
    // Who names one has it.
    open(Some(super::SPEAKER_MONITOR)).unwrap();
}
