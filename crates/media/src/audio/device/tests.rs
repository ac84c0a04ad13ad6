//! Every kind of sample, every rate and every number of channels, through a device that is none.

mod fake;

use std::time::{Duration, Instant};

use confab_frame::{AudioBlock, BLOCK_SAMPLES};
use cpal::{BufferSize, SampleFormat};

use super::super::microphone::Input;
use super::super::speaker::Output;
use super::*;
use fake::Fake;

const FORMATS: [SampleFormat; 12] = [
    SampleFormat::I8,
    SampleFormat::I16,
    SampleFormat::I24,
    SampleFormat::I32,
    SampleFormat::I64,
    SampleFormat::U8,
    SampleFormat::U16,
    SampleFormat::U24,
    SampleFormat::U32,
    SampleFormat::U64,
    SampleFormat::F32,
    SampleFormat::F64,
];
const RATES: [u32; 13] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
const CHANNELS: [u16; 3] = [1, 2, 8];
const PITCH: f64 = 1_000.0;
const LOUD: f64 = 0.25;

fn about(kind: DeviceKind) -> Device {
    Device { kind, id: "fake".to_owned(), name: "Fake".to_owned(), is_default: true }
}

/// Frames `from..to` of a tone on the first two channels; the others have something else.
fn tone(channels: u16, rate: u32, frames: std::ops::Range<usize>) -> Vec<Vec<f64>> {
    let sine =
        |pitch: f64, n: usize| LOUD * (std::f64::consts::TAU * pitch * n as f64 / f64::from(rate)).sin();
    let channel = |channel: u16, n| if channel < 2 { sine(PITCH, n) } else { sine(330.0, n) };
    frames.map(|n| (0..channels).map(|number| channel(number, n)).collect()).collect()
}

/// What arrives at the audio thread in half a second, after as much to settle.
fn heard(fake: &Fake) -> Vec<f32> {
    let (open, ring) = open_microphone_on(about(DeviceKind::Microphone), fake).unwrap();
    let mut input = Input::device(ring, open.noted()).unwrap();
    let (mut now, mut frame, mut sound) = (Instant::now(), 0, Vec::new());
    for tick in 1..=100usize {
        // Devices come in pieces of any size.
        let until = tick * fake.rate as usize / 100;
        while frame < until {
            let piece = (1 + frame * 7 % 391).min(until - frame);
            fake.hear(&tone(fake.channels, fake.rate, frame..frame + piece));
            frame += piece;
        }
        now += Duration::from_millis(10);
        while let Some((block, _)) = input.next_block(now) {
            sound.extend(block.0);
        }
    }
    assert_eq!(open.failure(), None);
    sound.split_off(sound.len() / 2)
}

/// The first channel and the last of what the device plays of a tone in half a second, and the rate.
fn played(fake: &Fake) -> (Vec<f32>, Vec<f32>) {
    let (open, ring) = open_speaker_on(about(DeviceKind::Speaker), fake).unwrap();
    let mut output = Output::device(ring).unwrap();
    let said: Vec<f32> =
        tone(1, 48_000, 0..48_000).into_iter().flatten().map(|sample| sample as f32).collect();
    let (mut frame, mut front, mut rear) = (0, Vec::new(), Vec::new());
    for (tick, block) in said.chunks_exact(BLOCK_SAMPLES).enumerate() {
        output.push(&AudioBlock(block.try_into().unwrap()));
        let until = (tick + 1) * fake.rate as usize / 100;
        for played in fake.play(until - frame) {
            front.push(played[0] as f32);
            rear.push(played[played.len() - 1] as f32);
        }
        frame = until;
    }
    assert_eq!(open.failure(), None);
    (front.split_off(front.len() / 2), rear.split_off(rear.len() / 2))
}

fn assert_tone(sound: &[f32], rate: u32, from: &Fake) {
    let rises: Vec<usize> = (1..sound.len()).filter(|&n| sound[n - 1] < 0.0 && sound[n] >= 0.0).collect();
    let span = (rises.last().unwrap() - rises.first().unwrap()) as f64;
    let pitch = (rises.len() - 1) as f64 * f64::from(rate) / span;
    assert!((pitch - PITCH).abs() < 3.0, "{pitch} Hz of {from}");
    let level = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
    // 8 bits are coarse.
    assert!((f64::from(level) - LOUD / std::f64::consts::SQRT_2).abs() < 0.005, "level {level} of {from}");
    let steepest = sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let steep = (LOUD * std::f64::consts::TAU * PITCH / f64::from(rate)) as f32 + 0.02;
    assert!(steepest < steep, "a click of {steepest} of {from}");
}

/// Every format with every channel count at one rate, and every rate with one of them.
fn all_kinds() -> Vec<Fake> {
    let formats = FORMATS.iter().flat_map(|&format| {
        let channels = CHANNELS.iter().map(move |&channels| Fake::new(format, channels, 48_000));
        channels.chain([Fake::new(format, 2, 44_100), Fake::new(format, 1, 16_000)])
    });
    let rates = RATES
        .iter()
        .flat_map(|&rate| [Fake::new(SampleFormat::F32, 2, rate), Fake::new(SampleFormat::I16, 1, rate)]);
    let wide = [3, 6, 32].map(|channels| Fake::new(SampleFormat::I32, channels, 48_000));
    formats.chain(rates).chain(wide).collect()
}

#[test]
fn a_voice_is_heard_from_every_kind_of_microphone() {
    for fake in all_kinds() {
        assert_tone(&heard(&fake), 48_000, &fake);
    }
}

#[test]
fn a_voice_is_played_by_every_kind_of_speaker() {
    for fake in all_kinds() {
        let (front, rear) = played(&fake);
        assert_tone(&front, fake.rate, &fake);
        if fake.channels > 2 {
            let silence = rear.iter().map(|sample| sample.abs()).fold(0.0, f32::max);
            assert!(silence < 1e-6, "{silence} in the rear of {fake}");
        } else {
            assert_eq!(front, rear, "{fake}");
        }
    }
}

#[test]
fn the_loudest_sound_keeps_its_sign_in_every_kind_of_samples() {
    for format in FORMATS {
        let fake = Fake::new(format, 1, 48_000);
        let (_open, mut ring) = open_speaker_on(about(DeviceKind::Speaker), &fake).unwrap();
        ring.write(&[1.0, -1.0, 1.5, -1.5, 0.0]);
        let played: Vec<f64> = fake.play(5).into_iter().flatten().collect();
        for (sample, wanted) in played.iter().zip([1.0, -1.0, 1.0, -1.0, 0.0]) {
            assert!((sample - wanted).abs() < 0.01, "{played:?} of {format}");
        }
    }
}

#[test]
fn a_speaker_that_gets_nothing_is_silent() {
    for format in FORMATS {
        let fake = Fake::new(format, 2, 48_000);
        let (_open, _ring) = open_speaker_on(about(DeviceKind::Speaker), &fake).unwrap();
        assert!(fake.play(480).iter().flatten().all(|sample| *sample == 0.0), "{format}");
    }
}

#[test]
fn what_is_no_number_is_silence() {
    let fake = Fake::new(SampleFormat::F32, 1, 48_000);
    let (_open, mut ring) = open_microphone_on(about(DeviceKind::Microphone), &fake).unwrap();
    fake.hear(&[vec![f64::NAN], vec![f64::INFINITY], vec![0.5]]);
    let mut sound = Vec::new();
    ring.read(&mut sound);
    assert_eq!(sound, [0.0, 0.0, 0.5]);
}

#[test]
fn one_of_two_voices_is_not_lost_among_many_inputs() {
    let fake = Fake::new(SampleFormat::I16, 16, 48_000);
    let (_open, mut ring) = open_microphone_on(about(DeviceKind::Microphone), &fake).unwrap();
    let mut frame = vec![0.0; 16];
    frame[0] = 0.5;
    fake.hear(&[frame]);
    let mut sound = Vec::new();
    ring.read(&mut sound);
    assert!((sound[0] - 0.25).abs() < 0.001, "{sound:?}");
}

#[test]
fn a_device_that_refuses_our_buffer_is_opened_with_its_own() {
    let mut fake = Fake::new(SampleFormat::I16, 2, 48_000);
    open_speaker_on(about(DeviceKind::Speaker), &fake).unwrap();
    assert_eq!(fake.buffer(), Some(BufferSize::Fixed(960)));
    fake.fixed_buffer = true;
    open_speaker_on(about(DeviceKind::Speaker), &fake).unwrap();
    assert_eq!(fake.buffer(), Some(BufferSize::Default));
    open_microphone_on(about(DeviceKind::Microphone), &fake).unwrap();
    assert_eq!(fake.buffer(), Some(BufferSize::Default));
}

#[test]
fn refusals_of_the_system_are_told_apart() {
    let code = |kind| {
        let mut fake = Fake::new(SampleFormat::I16, 2, 48_000);
        fake.broken = Some(kind);
        let speaker = open_speaker_on(about(DeviceKind::Speaker), &fake).err().unwrap();
        let microphone = open_microphone_on(about(DeviceKind::Microphone), &fake).err().unwrap();
        (speaker.code(), microphone.code())
    };
    assert_eq!(code(ErrorKind::DeviceBusy), (-1321, -1319));
    assert_eq!(code(ErrorKind::PermissionDenied), (-1321, -1317));
    assert_eq!(code(ErrorKind::HostUnavailable), (1202, 1201));
    assert_eq!(code(ErrorKind::BackendError), (-1321, -1302));
}

#[test]
fn a_device_that_stumbles_goes_on_and_one_that_stops_says_so() {
    let fake = Fake::new(SampleFormat::F32, 1, 48_000);
    let (open, _ring) = open_microphone_on(about(DeviceKind::Microphone), &fake).unwrap();
    fake.lose(cpal::Error::new(ErrorKind::Xrun));
    assert_eq!(open.failure(), None);
    fake.lose(cpal::Error::new(ErrorKind::DeviceNotAvailable));
    let said = open.failure().unwrap().to_string();
    assert!(said.starts_with("the microphone stopped: "), "{said}");
}

#[test]
fn a_microphone_that_gives_nothing_for_eight_seconds_has_stopped() {
    let fake = Fake::new(SampleFormat::F32, 1, 48_000);
    let (open, ring) = open_microphone_on(about(DeviceKind::Microphone), &fake).unwrap();
    let mut input = Input::device(ring, open.noted()).unwrap();
    let begun = Instant::now();
    let mut at = |second: u64| {
        input.next_block(begun + Duration::from_secs(second));
        open.failure().map(|error| error.to_string())
    };
    assert_eq!((at(0), at(8)), (None, None));
    fake.hear(&tone(1, 48_000, 0..10));
    assert_eq!((at(9), at(17)), (None, None));
    assert_eq!(at(18).unwrap(), "the microphone stopped: it gave no sound for 8 seconds");
}

#[test]
fn a_stream_that_does_not_end_is_left_behind() {
    struct Stuck(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);
    impl Drop for Stuck {
        fn drop(&mut self) {
            let _ = self.0.lock().unwrap().recv();
        }
    }
    let (let_go, held) = std::sync::mpsc::channel();
    let stream: Box<dyn Send + Sync> = Box::new(Stuck(held.into()));
    let device = about(DeviceKind::Speaker);
    let begun = Instant::now();
    drop(OpenDevice { device, stream: Some(stream), failure: Failure::default() });
    assert!(begun.elapsed() >= CLOSING);
    drop(let_go);
}

#[test]
fn a_monitor_is_a_microphone_only_where_there_is_a_choice() {
    let device =
        |id: &str, is_default| Device { id: id.to_owned(), is_default, ..about(DeviceKind::Microphone) };
    let offered = |devices: &[Device]| {
        let real = devices.iter().any(is_real);
        devices.iter().filter(|device| is_offered(device, real)).count()
    };
    assert_eq!(offered(&[device("speaker.monitor", true)]), 0);
    assert_eq!(offered(&[device("speaker.monitor", false), device("mic", true)]), 1);
    assert_eq!(offered(&[device("cable.monitor", true), device("mic", false)]), 2);
}

#[test]
fn what_alsa_lists_beside_its_cards_is_no_device() {
    let device = |id: &str| Device { id: format!("alsa:{id}"), ..about(DeviceKind::Speaker) };
    for id in ["default", "plughw:CARD=0,DEV=0"] {
        assert!(is_offered(&device(id), true), "{id}");
    }
    for id in ["null", "pulse", "jack", "upmix", "surround51:CARD=PCH,DEV=0", "hw:CARD=PCH,DEV=0"] {
        assert!(!is_offered(&device(id), true), "{id}");
    }
}
