//! Recorded speech with echoes and noise added, through the steps one by one and together.

use std::path::Path;

use super::*;

const SECOND: usize = SAMPLE_RATE as usize;
const OFF: Processing = Processing::OFF;

/// What one of the four people says, without the silence before and after.
fn speech(person: usize) -> Vec<f32> {
    let path = format!("{}/../../assets/speech-{person}.wav", env!("CARGO_MANIFEST_DIR"));
    let sound = crate::wav::read(Path::new(&path)).unwrap();
    let loud = |sample: &f32| sample.abs() > 0.02;
    let (first, last) = (sound.iter().position(loud).unwrap(), sound.iter().rposition(loud).unwrap());
    sound[first..=last].to_vec()
}

/// `sound` over and over, `seconds` long.
fn lasting(sound: &[f32], seconds: usize) -> Vec<f32> {
    sound.iter().copied().cycle().take(seconds * SECOND).collect()
}

/// `sound` brought to `level` dBFS.
fn at_level(sound: &[f32], level: f32) -> Vec<f32> {
    let gain = 10f32.powf((level - decibels(sound)) / 20.0);
    sound.iter().map(|sample| sample * gain).collect()
}

fn decibels(sound: &[f32]) -> f32 {
    let energy: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (energy / sound.len() as f64).max(1e-12).log10() as f32
}

/// Noise of one seed, -1.0..=1.0.
fn noise(seed: u32, samples: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    std::iter::repeat_with(next).take(samples).collect()
}

fn sum(sounds: &[&[f32]]) -> Vec<f32> {
    let samples = sounds.iter().map(|sound| sound.len()).min().unwrap();
    (0..samples).map(|n| sounds.iter().map(|sound| sound[n]).sum()).collect()
}

/// How `sound` comes back to the microphone: first after `delay_ms`, then from walls that swallow 60 dB
/// in half a second.
fn in_a_room(sound: &[f32], delay_ms: usize, echo: f32) -> Vec<f32> {
    let walls = noise(77, 150);
    let mut heard = vec![0.0; sound.len()];
    for (reflection, strength) in walls.iter().enumerate() {
        let late = reflection * 48 + reflection * 13 % 48;
        let strength = if reflection == 0 { 1.0 } else { strength * 0.2 };
        let strength = strength * echo * 10f32.powf(-3.0 * late as f32 / (SECOND / 2) as f32);
        let late = late + delay_ms * SECOND / 1_000;
        for (heard, said) in heard.iter_mut().skip(late).zip(sound) {
            *heard += said * strength;
        }
    }
    heard
}

fn block(sound: &[f32], number: usize) -> AudioBlock {
    AudioBlock(std::array::from_fn(|n| sound[number * BLOCK_SAMPLES + n]))
}

/// What comes out of `processor` while the speaker plays `far` and the microphone hears `near`.
fn run(processor: &mut Processor, far: &[f32], near: &[f32]) -> Vec<f32> {
    let mut sent = Vec::with_capacity(near.len());
    for number in 0..near.len() / BLOCK_SAMPLES {
        processor.render(&block(far, number));
        let mut block = block(near, number);
        processor.capture(&mut block);
        sent.extend(block.0);
    }
    sent
}

fn alone(wanted: Processing, near: &[f32]) -> Vec<f32> {
    run(&mut Processor::new(wanted), &vec![0.0; near.len()], near)
}

fn seconds(sound: &[f32], range: std::ops::Range<usize>) -> &[f32] {
    &sound[range.start * SECOND..range.end * SECOND]
}

#[test]
fn an_echo_is_gone_after_three_seconds_in_any_room() {
    let far = lasting(&[speech(1), speech(2)].concat(), 8);
    let hiss = at_level(&noise(3, far.len()), -70.0);
    for delay_ms in [40, 80, 120] {
        let echo = in_a_room(&far, delay_ms, 0.25);
        for wanted in [Processing { echo: true, ..OFF }, Processing::default()] {
            let sent = run(&mut Processor::new(wanted), &far, &sum(&[&echo, &hiss]));
            let enhancement = decibels(seconds(&echo, 3..8)) - decibels(seconds(&sent, 3..8));
            assert!(enhancement >= 20.0, "{delay_ms} ms, {wanted:?}: {enhancement} dB");
        }
    }
}

/// How loud `near` is within `sent`, in dB: 0 is unchanged.
fn kept(near: &[f32], sent: &[f32]) -> f32 {
    let product = |one: &[f32], other: &[f32]| -> f64 {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    20.0 * (product(near, sent) / product(near, near)).max(1e-6).log10() as f32
}

#[test]
fn who_speaks_at_the_same_time_is_still_heard() {
    let far = lasting(&[speech(1), speech(2)].concat(), 9);
    let echo = in_a_room(&far, 60, 0.25);
    let mut near = lasting(&speech(3), 9);
    near[..4 * SECOND].fill(0.0);
    for wanted in [Processing { echo: true, ..OFF }, Processing { gain: false, ..Processing::default() }] {
        let sent = run(&mut Processor::new(wanted), &far, &sum(&[&echo, &near]));
        let level = decibels(seconds(&sent, 5..9)) - decibels(seconds(&near, 5..9));
        // The filters turn phases, so that what is looked for is the voice as it is without an echo.
        let kept = kept(seconds(&alone(wanted, &near), 5..9), seconds(&sent, 5..9));
        assert!(kept.abs() <= 6.0 && level.abs() <= 6.0, "{wanted:?}: {kept} dB, level {level} dB");
    }
}

#[test]
fn steady_noise_goes_and_speech_stays() {
    let wanted = Processing { noise: true, ..OFF };
    let hiss = at_level(&noise(9, 8 * SECOND), -50.0);
    let lowered = decibels(&hiss) - decibels(seconds(&alone(wanted, &hiss), 4..8));
    let speech = at_level(&lasting(&speech(1), 8), -26.0);
    let sent = alone(wanted, &sum(&[&speech, &hiss]));
    let changed = decibels(seconds(&sent, 4..8)) - decibels(seconds(&speech, 4..8));
    assert!(lowered >= 10.0, "{lowered} dB");
    assert!(changed.abs() <= 3.0, "{changed} dB");
}

#[test]
fn a_quiet_voice_is_raised_and_a_loud_one_is_not_clipped() {
    let wanted = Processing { gain: true, ..OFF };
    let quiet = at_level(&lasting(&speech(2), 12), -45.0);
    let raised = decibels(seconds(&alone(wanted, &quiet), 8..12)) - decibels(seconds(&quiet, 8..12));
    let voice = lasting(&speech(4), 12);
    let peak = voice.iter().fold(0f32, |peak, sample| peak.max(sample.abs()));
    let loud: Vec<f32> = voice.iter().map(|sample| sample / peak).collect();
    let sent = alone(wanted, &loud);
    let highest = sent.iter().fold(0f32, |highest, sample| highest.max(sample.abs()));
    assert!(raised >= 10.0, "{raised} dB");
    assert!(highest < 0.999, "{highest}");
    let changed = decibels(seconds(&sent, 8..12)) - decibels(seconds(&loud, 8..12));
    assert!(changed.abs() < 9.0, "{changed} dB");
}

#[test]
fn nothing_is_changed_while_everything_is_off() {
    let mut processor = Processor::new(OFF);
    for sample in [0.3, -1.5, f32::NAN, f32::INFINITY, 1e-40] {
        let mut block = AudioBlock([sample; BLOCK_SAMPLES]);
        processor.render(&block);
        processor.capture(&mut block);
        assert!(block.0.iter().all(|passed| passed.to_bits() == sample.to_bits()));
    }
    processor.set(Processing::default());
    let hiss = noise(4, SECOND);
    assert_ne!(run(&mut processor, &hiss, &hiss), hiss);
    processor.set(OFF);
    run(&mut processor, &hiss, &hiss[..FADE as usize * BLOCK_SAMPLES]);
    assert_eq!(run(&mut processor, &hiss, &hiss), hiss);
}

#[test]
fn direct_current_goes_with_whatever_is_on() {
    let one = [
        Processing { echo: true, ..OFF },
        Processing { noise: true, ..OFF },
        Processing { gain: true, ..OFF },
    ];
    for wanted in one {
        let sent = alone(wanted, &vec![0.2; 2 * SECOND]);
        assert!(decibels(seconds(&sent, 1..2)) < -60.0, "{wanted:?}: {}", decibels(seconds(&sent, 1..2)));
    }
}

#[test]
fn switching_does_not_click() {
    let step = 300.0 * std::f32::consts::TAU / SAMPLE_RATE as f32;
    let hum: Vec<f32> = (0..SECOND / 2).map(|n| (n as f32 * step).sin() * 0.1).collect();
    let silence = vec![0.0; hum.len()];
    let mut processor = Processor::new(OFF);
    let mut sent = Vec::new();
    for bits in [0, 1, 0, 2, 0, 4, 0, 7, 5, 6, 3, 7, 0] {
        processor.set(Processing { echo: bits & 1 != 0, noise: bits & 2 != 0, gain: bits & 4 != 0 });
        sent.extend(run(&mut processor, &silence, &hum));
    }
    let highest = sent.iter().fold(0f32, |highest, sample| highest.max(sample.abs()));
    let steepest = sent.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(steepest < highest * step * 1.5, "{steepest} of {highest}");
}

#[test]
fn what_was_learnt_stays_when_another_step_is_switched() {
    let far = lasting(&[speech(1), speech(2)].concat(), 4);
    let echo = in_a_room(&far, 60, 0.25);
    let mut processor = Processor::new(Processing { echo: true, ..OFF });
    run(&mut processor, &far, &echo);
    let loss = |sent: &[f32]| decibels(seconds(&echo, 0..1)) - decibels(seconds(sent, 0..1));
    for wanted in [
        Processing { gain: false, ..Processing::default() },
        Processing { echo: true, ..OFF },
        OFF,
        Processing { echo: true, ..OFF },
    ] {
        processor.set(wanted);
        let sent = run(&mut processor, &far[..SECOND], &echo[..SECOND]);
        assert!(!wanted.echo || loss(&sent) >= 15.0, "{wanted:?}: {} dB", loss(&sent));
    }
}

#[test]
fn samples_that_are_no_sound_do_no_lasting_harm() {
    let voice = at_level(&lasting(&speech(3), 4), -26.0);
    let silence = vec![0.0; voice.len()];
    let expected = decibels(seconds(&alone(Processing::default(), &voice), 2..4));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, f32::MIN_POSITIVE / 4.0] {
        let mut processor = Processor::new(Processing::default());
        let bad = vec![bad; 20 * BLOCK_SAMPLES];
        let sent = run(&mut processor, &bad, &bad);
        assert!(sent.iter().all(|sample| sample.abs() <= 1.0), "{}", bad[0]);
        let sent = run(&mut processor, &silence, &voice);
        let level = decibels(seconds(&sent, 2..4));
        assert!((level - expected).abs() < 3.0, "after {}: {level} instead of {expected} dBFS", bad[0]);
    }
}

#[test]
fn a_step_that_lost_its_way_begins_anew() {
    let mut step = Step::new(noise_config, true);
    step.processed[7] = f32::NAN;
    let mut passed = [0.1; BLOCK_SAMPLES];
    step.hand_over(true, &mut passed);
    assert!(passed == [0.1; BLOCK_SAMPLES] && step.fade.is_out());
    let voice = at_level(&speech(3), -26.0);
    for number in 0..100 {
        let mut block = block(&voice, number);
        step.capture(true, &mut block.0);
        assert!(block.0.iter().all(|sample| sample.is_finite()));
    }
    assert!(!step.fade.is_out());
}
