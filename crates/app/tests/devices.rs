//! Devices that come and go in the middle of a meeting, on a sound server of our own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
#![allow(clippy::print_stderr, reason = "how long it took is of interest")]

#[path = "headless/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use program::Headless;
use sound::{Card, MICROPHONE_FEED, SPEAKER_MONITOR};

/// Two minutes of a tone that is played into a microphone's feed.
struct Tone {
    player: Child,
    _file: tempfile::TempDir,
}

impl Tone {
    fn play(card: &Card, into: &str, pitch: f32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let (channels, sample_rate, bits_per_sample) = (1, 48_000, 16);
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
        let mut tone = hound::WavWriter::create(&path, spec).unwrap();
        for n in 0..48_000 * 120 {
            let sample = (n as f32 * pitch / 48_000.0 * std::f32::consts::TAU).sin() * 0.3;
            tone.write_sample((sample * 32_767.0) as i16).unwrap();
        }
        tone.finalize().unwrap();
        let mut player = Command::new("paplay");
        player.arg(format!("--device={into}")).arg(&path).envs(card.environment());
        Self { player: player.spawn().unwrap(), _file: folder }
    }
}

impl Drop for Tone {
    fn drop(&mut self) {
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}

/// Has the server do something; what it says.
fn pactl(card: &Card, arguments: &[&str]) -> String {
    let output = Command::new("pactl").args(arguments).envs(card.environment()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Adds a microphone called Headset that hears what is played into `headset_sink`; the number that
/// takes it away.
fn plug_headset(card: &Card) -> String {
    let properties = "source_properties=device.description=Headset";
    let master = "master=headset_sink.monitor";
    pactl(
        card,
        &["load-module", "module-remap-source", "source_name=headset", master, "channels=1", properties],
    )
}

fn plug_own(card: &Card) {
    let properties = "source_properties=device.description=VirtualMic";
    let master = format!("master={MICROPHONE_FEED}.monitor");
    pactl(
        card,
        &["load-module", "module-remap-source", "source_name=vmic", &master, "channels=1", properties],
    );
}

/// The number of the module whose line has `word` in it.
fn module(card: &Card, word: &str) -> String {
    let modules = pactl(card, &["list", "short", "modules"]);
    let line = modules.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word}"));
    line.split_whitespace().next().unwrap().to_owned()
}

fn program(card: &Card, microphone: &str, speaker: &str) -> Headless {
    Headless::with_devices(["none", microphone, speaker], |command| {
        command.envs(card.environment());
    })
}

/// Somebody who hears with the computer's microphone and speaker, in a room that they opened.
fn speaker(card: &Card) -> (Headless, Value) {
    let mut ann = program(card, "device", "device");
    let hosting = ann.call(1, "host_room", &json!({}))["result"].clone();
    // A steady tone would be taken for noise.
    let plain = json!({"echoCancellation": false, "noiseSuppression": false, "autoGainControl": false});
    ann.call(2, "set_voice_processing", &plain);
    ann.call(3, "enter_room", &json!({"userId": "ann", "roomId": 7}));
    assert!(ann.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    assert_eq!(ann.call(4, "start_local_audio", &json!({}))["result"], Value::Null);
    (ann, hosting["addresses"][0].clone())
}

/// Somebody who listens and writes down what they hear.
fn listener(card: &Card, address: &Value, file: &Path) -> Headless {
    let sink = format!("file:{}", file.display());
    let mut bo = program(card, "none", &sink);
    bo.call(1, "enter_room", &json!({"server": address, "name": "Bo", "roomId": 7}));
    assert!(bo.event("onEnterRoom")["result"].as_i64().unwrap() > 0);
    bo.event("onFirstAudioFrame");
    bo
}

/// What `app` says of a device that came into use, and how long that took.
fn used(app: &mut Headless, name: &str, begun: Instant) -> (String, Duration) {
    let line = app.until(|line| {
        line["event"] == "onDeviceChange" && line["data"]["state"] == 2 && line["data"]["name"] == name
    });
    (line["data"]["message"].as_str().unwrap().to_owned(), begun.elapsed())
}

fn warned(app: &mut Headless, code: i32) -> String {
    let line = app.until(|line| line["event"] == "onWarning" && line["data"]["code"] == code);
    line["data"]["message"].as_str().unwrap().to_owned()
}

fn state(app: &mut Headless) -> Value {
    app.call(90, "get_state", &json!({}))["result"].clone()
}

/// Pauses of 30 ms and more between the first sound and the last, and the pitches around them in Hz,
/// each pitch once where it changes.
fn pauses_and_pitches(file: &Path) -> (Vec<Duration>, Vec<u32>) {
    let samples = hound::WavReader::open(file).unwrap().into_samples::<i16>();
    let sound: Vec<f32> = samples.map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
    let loud: Vec<bool> = sound
        .chunks_exact(480)
        .map(|block| block.iter().map(|s| s * s).sum::<f32>() / 480.0 > 0.02f32.powi(2))
        .collect();
    let (first, last) = (loud.iter().position(|l| *l).unwrap(), loud.iter().rposition(|l| *l).unwrap());
    let silent = loud[first..=last].split(|loud| *loud).map(<[bool]>::len);
    let pauses = silent.filter(|blocks| *blocks >= 3).map(|blocks| Duration::from_millis(10) * blocks as u32);
    let mut pitches = Vec::new();
    for tenth in sound.chunks_exact(4_800) {
        let rises = tenth.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count() as u32;
        let pitch = [440, 700].into_iter().find(|pitch| (rises * 10).abs_diff(*pitch) <= 20);
        if let Some(pitch) = pitch.filter(|pitch| pitches.last() != Some(pitch)) {
            pitches.push(pitch);
        }
    }
    (pauses.collect(), pitches)
}

fn pause(seconds: f32) {
    std::thread::sleep(Duration::from_secs_f32(seconds));
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn another_microphone_takes_over_and_gives_back_and_the_others_hear_on() {
    let card = Card::start().unwrap();
    pactl(&card, &["load-module", "module-null-sink", "sink_name=headset_sink", "rate=48000", "norewinds=1"]);
    let _tones = [Tone::play(&card, MICROPHONE_FEED, 440.0), Tone::play(&card, "headset_sink", 700.0)];
    let folder = tempfile::tempdir().unwrap();
    let heard: PathBuf = folder.path().join("heard.wav");
    let (mut ann, address) = speaker(&card);
    let mut bo = listener(&card, &address, &heard);
    pause(1.0);

    // One is plugged in and chosen: 700 Hz.
    let mut headset = plug_headset(&card);
    let added = ann.until(|line| line["event"] == "onDeviceChange" && line["data"]["state"] == 0);
    assert_eq!((&added["data"]["name"], &added["data"]["type"]), (&json!("Headset"), &json!(0)));
    let id = added["data"]["deviceId"].clone();
    let chosen = ann.call(5, "select_device", &json!({"kind": "microphone", "deviceId": id}));
    assert_eq!(chosen["result"], Value::Null, "{chosen}");
    pause(1.0);

    // It is pulled out, and the default stands in: 440 Hz.
    let mut times = Vec::new();
    for round in 0..2 {
        pactl(&card, &["unload-module", &headset]);
        let begun = Instant::now();
        let said = warned(&mut ann, 1204);
        assert_eq!(said, "The microphone “Headset” was unplugged; “VirtualMic” is used now.");
        let (_, took) = used(&mut ann, "VirtualMic", begun);
        eprintln!("round {round}: the default took over after {took:?}");
        times.push(took);
        let microphone = state(&mut ann)["microphone"].clone();
        assert_eq!((&microphone["on"], &microphone["fault"]), (&json!(true), &Value::Null));
        pause(1.0);

        // It is there again: 700 Hz.
        headset = plug_headset(&card);
        let (said, took) = used(&mut ann, "Headset", Instant::now());
        assert_eq!(said, "The microphone “Headset” is back and used again.");
        eprintln!("round {round}: the chosen one took over again after {took:?}");
        times.push(took);
        pause(1.0);
    }

    // Nothing is chosen any more: 440 Hz, until the system prefers the other.
    ann.call(6, "select_device", &json!({"kind": "microphone", "deviceId": "device"}));
    pause(1.0);
    pactl(&card, &["set-default-source", "headset"]);
    let (said, took) = used(&mut ann, "Headset", Instant::now());
    assert_eq!(said, "Your computer prefers the microphone “Headset” now, and it is used.");
    eprintln!("the new default was followed after {took:?}");
    times.push(took);
    pause(1.0);

    // Bo has heard all of it, and has seen nobody leave.
    let people = bo.call(2, "participants", &json!({}))["result"].clone();
    assert_eq!(people.as_array().unwrap().len(), 1, "{people}");
    assert_eq!(bo.end(), Some(0));
    let (pauses, pitches) = pauses_and_pitches(&heard);
    eprintln!("pauses in what was heard: {pauses:?}");
    assert_eq!(pitches, [440, 700, 440, 700, 440, 700, 440, 700]);
    times.sort();
    // One that a busy machine held up is forgiven.
    assert!(times[times.len() - 2] < SECOND, "{times:?}");
    assert!(pauses.iter().all(|pause| *pause < SECOND * 3 / 2), "{pauses:?}");
    assert_eq!(ann.end(), Some(0));
}

#[test]
fn without_any_microphone_one_stays_and_the_first_that_comes_is_taken() {
    let card = Card::start().unwrap();
    let (mut ann, address) = speaker(&card);
    let _tone = Tone::play(&card, MICROPHONE_FEED, 440.0);
    let folder = tempfile::tempdir().unwrap();
    let mut bo = listener(&card, &address, &folder.path().join("heard.wav"));

    pactl(&card, &["unload-module", &module(&card, "module-remap-source")]);
    let begun = Instant::now();
    let said = warned(&mut ann, 1201);
    eprintln!("that none was left was said after {:?}", begun.elapsed());
    assert_eq!(
        said,
        "The microphone “VirtualMic” was unplugged, and there is no other; connect one, and it is used at \
         once."
    );
    let shown = state(&mut ann);
    assert_eq!((&shown["phase"], &shown["microphone"]["on"]), (&json!("in"), &json!(true)), "{shown}");
    assert_eq!(shown["microphone"]["fault"]["message"], said);
    assert!(shown["devices"].as_array().unwrap().iter().all(|device| device["kind"] != 0), "{shown}");
    // The others see that nothing comes, and nobody leave.
    let silent =
        bo.until(|line| line["event"] == "onUserAudioAvailable" && line["data"]["available"] == false);
    assert_eq!(silent["data"]["userId"], "ann");

    plug_own(&card);
    let (said, took) = used(&mut ann, "VirtualMic", Instant::now());
    eprintln!("the first that came was taken after {took:?}");
    assert_eq!(said, "The microphone “VirtualMic” was found and is used now.");
    bo.until(|line| line["event"] == "onUserAudioAvailable" && line["data"]["available"] == true);
    assert_eq!(state(&mut ann)["microphone"]["fault"], Value::Null);
    let heard = bo.until(|line| {
        let volumes = line["data"]["volumes"].as_array();
        volumes.is_some_and(|all| {
            all.iter().any(|one| one["userId"] == "ann" && one["volume"].as_u64() > Some(50))
        })
    });
    assert_eq!(heard["event"], "onUserVoiceVolume");

    // A microphone that was turned off stays off, whatever comes.
    ann.call(5, "stop_local_audio", &json!({}));
    pactl(&card, &["unload-module", &module(&card, "module-remap-source")]);
    ann.until(|line| {
        line["event"] == "onDeviceChange" && line["data"]["state"] == 1 && line["data"]["type"] == 0
    });
    plug_own(&card);
    ann.until(|line| {
        line["event"] == "onDeviceChange" && line["data"]["state"] == 0 && line["data"]["type"] == 0
    });
    pause(0.5);
    assert_eq!(state(&mut ann)["microphone"]["on"], false);
    assert_eq!((bo.end(), ann.end()), (Some(0), Some(0)));
}

#[test]
fn another_speaker_takes_over_and_without_any_one_stays() {
    let card = Card::start().unwrap();
    let (mut ann, _) = speaker(&card);
    // What is played into the microphone's feed is the only other speaker.
    let speaker = module(&card, "sink_name=vspk");
    pactl(&card, &["unload-module", &speaker]);
    let begun = Instant::now();
    let said = warned(&mut ann, 1205);
    assert!(said.starts_with("The speaker “VirtualSpeaker” was unplugged; “"), "{said}");
    // The fault ends with the word that another is in use, which comes after it.
    ann.until(|line| {
        line["event"] == "onDeviceChange" && line["data"]["state"] == 2 && line["data"]["type"] == 1
    });
    eprintln!("another speaker took over after {:?}", begun.elapsed());
    assert_eq!(state(&mut ann)["speaker"]["fault"], Value::Null);
    pactl(&card, &["unload-module", &module(&card, &format!("sink_name={MICROPHONE_FEED}"))]);
    let said = warned(&mut ann, 1202);
    assert!(said.contains("there is no other; connect one"), "{said}");
    let shown = state(&mut ann);
    assert_eq!((&shown["phase"], &shown["speaker"]["fault"]["message"]), (&json!("in"), &json!(said)));
    let name = SPEAKER_MONITOR.trim_end_matches(".monitor");
    pactl(&card, &["load-module", "module-null-sink", &format!("sink_name={name}"), "norewinds=1"]);
    let line = ann.until(|line| {
        let found = line["data"]["message"].as_str().is_some_and(|said| said.contains("was found"));
        line["event"] == "onDeviceChange" && line["data"]["state"] == 2 && found
    });
    assert_eq!(line["data"]["type"], 1, "{line}");
    assert_eq!(state(&mut ann)["speaker"]["fault"], Value::Null);
    assert_eq!(ann.end(), Some(0));
}

#[test]
fn a_sound_server_that_hangs_is_named_and_holds_nothing_else_up() {
    let card = Card::start().unwrap();
    let (mut ann, _) = speaker(&card);
    ann.event("onSendFirstLocalAudioFrame");
    card.hang(true).unwrap();
    let begun = Instant::now();
    let listed = ann.call(10, "list_devices", &json!({"kind": "speaker"}));
    let said = listed["error"]["message"].as_str().unwrap_or_else(|| panic!("{listed}"));
    assert!(said.starts_with("The speaker does not answer; "), "{said}");
    let chosen = ann.call(11, "select_device", &json!({"kind": "speaker", "deviceId": "device"}));
    let said = chosen["error"]["message"].as_str().unwrap_or_else(|| panic!("{chosen}"));
    assert!(said.starts_with("The speaker does not answer; "), "{said}");
    assert_eq!(state(&mut ann)["phase"], "in");
    eprintln!("both were refused after {:?}", begun.elapsed());
    // Nothing comes from the one in use: that is said without being asked.
    let told = ann.until(|line| line["event"] == "onError" && line["data"]["code"] == -1302);
    eprintln!("it was told after {:?}: {}", begun.elapsed(), told["data"]["message"]);
    assert_eq!(ann.call(12, "exit_room", &json!({}))["result"], Value::Null);
    ann.event("onExitRoom");
    eprintln!("out after {:?}", begun.elapsed());
    assert_eq!(ann.end(), Some(0));
    card.hang(false).unwrap();
}

#[test]
fn who_starts_while_the_sound_server_hangs_is_told_so_and_hears_once_it_answers() {
    let card = Card::start().unwrap();
    card.hang(true).unwrap();
    let mut ann = program(&card, "device", "device");
    let refused = ann.call(1, "start_local_audio", &json!({}));
    let said = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
    assert!(said.starts_with("The microphone does not answer; "), "{said}");
    assert_eq!(state(&mut ann)["devices"], json!([]), "ALSA's list is none of this computer's");
    card.hang(false).unwrap();
    ann.until(|line| line["event"] == "onDeviceChange" && line["data"]["type"] == 0);
    assert_eq!(ann.call(2, "start_local_audio", &json!({}))["result"], Value::Null);
    assert_eq!(ann.end(), Some(0));
}
