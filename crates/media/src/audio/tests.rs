//! Engines that hear each other without a device and without a network.

use super::*;
use bytes::Bytes;
use std::time::Duration;

/// Carries what one engine encodes to another engine's voice, as a network without faults.
struct Call {
    sender: AudioEngine,
    receiver: AudioEngine,
    remote: Arc<RemoteAudio>,
    carrier: Option<std::thread::JoinHandle<()>>,
}

impl Call {
    fn start() -> Self {
        let (sender, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
        let (receiver, _unused) = AudioEngine::start(&SpeakerSink::Null).unwrap();
        let remote = Arc::new(receiver.add_remote("them".to_owned()).unwrap());
        let theirs = remote.clone();
        let carrier = std::thread::spawn(move || {
            let (mut seq, mut timestamp) = (0u16, 0u32);
            while !encoded.is_finished() {
                let Some(entry) = encoded.pop(Duration::from_millis(100)) else { continue };
                let packet = entry.value;
                if packet.data.len() > 2 {
                    let payload = Bytes::copy_from_slice(&packet.data);
                    theirs.push(AudioPacket { seq, timestamp, payload, at: Instant::now() });
                    seq = seq.wrapping_add(1);
                }
                timestamp = timestamp.wrapping_add(packet.samples);
            }
        });
        Self { sender, receiver, remote, carrier: Some(carrier) }
    }

    fn end(self) {
        let Self { sender, receiver, remote, carrier } = self;
        drop(sender);
        carrier.unwrap().join().unwrap();
        drop(remote);
        drop(receiver);
    }
}

/// Blocks from a tap, joined.
fn collect(tap: &queue::Receiver<Tapped>, blocks: usize) -> Vec<f32> {
    let mut sound = Vec::new();
    for _ in 0..blocks {
        sound.extend(tap.pop(Duration::from_secs(10)).unwrap().value.block.0);
    }
    sound
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_tone_is_heard_by_the_other_side_with_its_pitch_and_level() {
    let call = Call::start();
    call.sender.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    wait_for("a first packet", || call.remote.heard());
    let tap = call.receiver.tap(Tap::Speaker, 200).unwrap();
    // Half a second to settle, one to listen.
    collect(&tap, 50);
    let sound = collect(&tap, 100);
    let rises = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    assert!((430..=450).contains(&rises), "{rises} Hz");
    let rms = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
    assert!((0.08..0.12).contains(&rms), "{rms}");
    let levels = call.receiver.levels();
    assert_eq!(levels.remotes.len(), 1);
    assert!(levels.remotes[0].0 == "them" && (60..75).contains(&levels.remotes[0].1), "{levels:?}");
    assert!((60..75).contains(&call.sender.levels().local));
    let stats = call.remote.stats();
    assert!(stats.received > 50 && stats.played_samples > 48_000, "{stats:?}");
    assert_eq!((call.sender.failure(), call.receiver.failure()), (None, None));
    call.end();
}

#[test]
fn muting_silences_and_unmuting_brings_the_voice_back() {
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let next = || encoded.pop(Duration::from_secs(10)).unwrap().value;
    let first = next();
    assert!(first.marker && first.samples == 960 && first.level == 20, "{first:?}");
    engine.set_muted(true);
    wait_for("silence", || next().data.len() <= 2);
    wait_for("the level to fall", || engine.levels().local == 0);
    engine.set_muted(false);
    wait_for("a first packet after the pause", || {
        let packet = next();
        packet.marker && packet.data.len() > 2
    });
    engine.set_microphone(None).unwrap();
    wait_for("the end", || encoded.pop(Duration::from_millis(100)).is_none());
    assert_eq!(engine.levels().local, 0);
}

#[test]
fn speech_takes_half_the_bits_from_the_next_packet_on() {
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let second =
        || -> usize { (0..50).map(|_| encoded.pop(Duration::from_secs(10)).unwrap().value.data.len()).sum() };
    second();
    let full = second();
    engine.set_clarity(Clarity::Speech);
    second();
    let speech = second();
    assert!(speech * 10 < full * 7, "{speech} bytes a second instead of {full}");
    assert!(speech * 8 < 20_000, "{speech} bytes a second");
}

#[test]
fn packets_are_made_at_an_even_pace() {
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let times: Vec<Instant> =
        (0..50).map(|_| encoded.pop(Duration::from_secs(10)).unwrap().value.at).collect();
    let mean = (times[49] - times[0]).as_secs_f64() / 49.0;
    assert!((mean - 0.02).abs() < 0.004, "{mean}");
}

#[test]
fn a_voice_that_is_dropped_is_forgotten() {
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let first = engine.add_remote("first".to_owned()).unwrap();
    let second = engine.add_remote("second".to_owned()).unwrap();
    assert_eq!(engine.levels().remotes.len(), 2);
    drop(first);
    wait_for("one to go", || engine.levels().remotes == [("second".to_owned(), 0)]);
    assert!(!second.heard());
}

#[test]
fn what_the_speaker_plays_is_written_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard.wav");
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::File(path.clone())).unwrap();
    let tap = engine.tap(Tap::Speaker, 10).unwrap();
    collect(&tap, 20);
    engine.set_speaker(&SpeakerSink::Null).unwrap();
    let sound = crate::wav::read(&path).unwrap();
    assert!((15 * 480..60 * 480).contains(&sound.len()), "{}", sound.len());
}

#[test]
fn a_bad_file_leaves_the_microphone_as_it_was() {
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    engine.set_microphone(Some(&MicrophoneSource::Tone)).unwrap();
    let missing = MicrophoneSource::File("/nowhere.wav".into());
    let error = engine.set_microphone(Some(&missing)).unwrap_err();
    assert_eq!(error.code(), -1302);
    assert!(error.to_string().contains("/nowhere.wav"), "{error}");
    let error = engine.set_speaker(&SpeakerSink::File("/nowhere/x.wav".into())).unwrap_err();
    assert_eq!(error.code(), -1321);
    assert!(encoded.pop(Duration::from_secs(10)).is_some());
}

#[test]
fn garbage_from_the_network_is_survived() {
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let remote = engine.add_remote("garbage".to_owned()).unwrap();
    let mut seed = 5u32;
    for number in 0..60u16 {
        let bytes: Vec<u8> = (0..number)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        let timestamp = u32::from(number) * 960;
        remote.push(AudioPacket { seq: number, timestamp, payload: bytes.into(), at: Instant::now() });
    }
    let tap = engine.tap(Tap::Speaker, 200).unwrap();
    assert!(collect(&tap, 100).iter().all(|sample| sample.abs() <= 1.0));
    assert_eq!(engine.failure(), None);
}

#[test]
fn processing_is_switched_while_the_microphone_runs() {
    let (engine, encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let tap = engine.tap(Tap::Microphone, 1_000).unwrap();
    // Every block the same: what passes unprocessed is recognised.
    let hum: Vec<f32> = (0..480).map(|n| (n as f32 * std::f32::consts::TAU / 48.0).sin() * 0.01).collect();
    let original = AudioBlock(std::array::from_fn(|n| hum[n]));
    engine.set_processing(Processing { echo: false, noise: true, gain: false });
    let microphone = Microphone::processed(Input::recording(hum), Processing::default());
    engine.send(Command::Microphone(Some(Box::new(microphone)))).unwrap();
    let next = || tap.pop(Duration::from_secs(10)).unwrap().value.block;
    wait_for("the hum to go", || next().rms() < original.rms() * 0.3);
    engine.set_processing(Processing::OFF);
    wait_for("the hum as it is", || next() == original);
    engine.set_muted(true);
    wait_for("silence", || next() == AudioBlock::SILENCE);
    assert_eq!(engine.failure(), None);
    assert!(encoded.pop(Duration::from_secs(1)).is_some());
}

#[test]
fn a_muted_microphone_is_processed_all_the_same() {
    let gain = Processing { echo: false, noise: false, gain: true };
    let (engine, _encoded) = AudioEngine::start(&SpeakerSink::Null).unwrap();
    let tap = engine.tap(Tap::Microphone, 1_000).unwrap();
    engine.set_processing(gain);
    engine.set_muted(true);
    let path = format!("{}/../../assets/speech-1.wav", env!("CARGO_MANIFEST_DIR"));
    let mut voice = crate::wav::read(std::path::Path::new(&path)).unwrap();
    voice.truncate(48_000 * 4);
    let quiet: Vec<f32> = voice.iter().map(|sample| sample * 0.02).collect();
    let microphone = Microphone::processed(Input::recording(quiet.clone()), gain);
    engine.send(Command::Microphone(Some(Box::new(microphone)))).unwrap();
    // What the gain learns within four seconds it has to have learnt while nobody could hear it.
    let muted = collect(&tap, 400);
    assert!(muted.iter().all(|sample| *sample == 0.0));
    engine.set_muted(false);
    let heard = collect(&tap, 100);
    let energy = |sound: &[f32]| sound.iter().map(|sample| sample * sample).sum::<f32>();
    let raised = 10.0 * (energy(&heard) / energy(&quiet[..48_000])).log10();
    // Begun only now it could not be further than 6 dB.
    assert!(raised > 10.0, "{raised} dB");
}
