//! Sound of other rates to 48 kHz and back, and the small corrections that hold two clocks together.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Adjustable, Fft, FixedAsync, FixedSync, Resampler as _, Slip};

use confab_frame::BLOCK_SAMPLES;

use crate::MediaError;

/// Rates that devices and files may have.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Converts a stream of mono sound from one rate to another.
#[derive(Debug)]
pub struct Resampler {
    codec: Option<Fft<f32>>,
    waiting: Vec<f32>,
    converted: Vec<f32>,
}

impl Resampler {
    /// Rates in samples a second, 8 000 to 192 000. Equal rates pass samples through.
    pub fn new(from: u32, to: u32) -> Result<Self, MediaError> {
        let codec = if from == to { None } else { Some(converter(from, to)?) };
        let longest = codec.as_ref().map_or(0, rubato::Resampler::output_frames_max);
        Ok(Self { codec, waiting: Vec::new(), converted: vec![0.0; longest] })
    }

    /// Takes samples in and appends what they become to `out`, in steps of about 10 ms.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let Some(codec) = &mut self.codec else {
            out.extend_from_slice(samples);
            return;
        };
        self.waiting.extend_from_slice(samples);
        loop {
            let needed = codec.input_frames_next();
            if self.waiting.len() < needed {
                return;
            }
            let wrote = convert(codec, &self.waiting[..needed], &mut self.converted);
            out.extend_from_slice(&self.converted[..wrote]);
            self.waiting.drain(..needed);
        }
    }
}

/// Converts a whole recording.
pub fn whole(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, MediaError> {
    if from == to {
        return Ok(samples.to_vec());
    }
    let mut codec = converter(from, to)?;
    let what = |error: &dyn std::fmt::Display| MediaError::SampleRate { rate: from, what: error.to_string() };
    let input = InterleavedSlice::new(samples, 1, samples.len()).map_err(|error| what(&error))?;
    let converted = codec.process_all(&input, samples.len(), None).map_err(|error| what(&error))?;
    Ok(converted.take_data())
}

fn converter(from: u32, to: u32) -> Result<Fft<f32>, MediaError> {
    for rate in [from, to] {
        if !RATES.contains(&rate) {
            return Err(MediaError::SampleRate {
                rate,
                what: "only 8 to 192 kHz can be converted".to_owned(),
            });
        }
    }
    Fft::new(from as usize, to as usize, from as usize / 100, 1, FixedSync::Input)
        .map_err(|error| MediaError::SampleRate { rate: from, what: error.to_string() })
}

/// Converts one step; the buffers have the sizes that the converter asks for, so it cannot refuse.
fn convert(codec: &mut dyn rubato::Resampler<f32>, input: &[f32], output: &mut [f32]) -> usize {
    let frames = output.len();
    let (Ok(input), Ok(mut output)) =
        (InterleavedSlice::new(input, 1, input.len()), InterleavedSlice::new_mut(output, 1, frames))
    else {
        return 0;
    };
    codec.process_into_buffer(&input, &mut output, None).map_or(0, |(_, wrote)| wrote)
}

/// Adds or takes single samples so that a stream keeps pace with a device's clock.
#[derive(Debug)]
pub struct Clutch {
    slip: Slip<f32>,
    out: [f32; BLOCK_SAMPLES + 16],
    /// Smoothed error in milliseconds of sound.
    error: f64,
}

impl Clutch {
    /// How much of a new measurement counts: the error follows within about a second.
    const SMOOTHING: f64 = 0.01;
    /// Correction for each millisecond of error.
    const GAIN: f64 = 2e-4;
    /// Clocks differ by less than this; more would be heard.
    const LIMIT: f64 = 4e-3;

    /// A clutch at even pace.
    pub fn new() -> Result<Self, MediaError> {
        let slip = Slip::new(BLOCK_SAMPLES, 1, FixedAsync::Input).map_err(|error| {
            MediaError::SampleRate { rate: confab_frame::SAMPLE_RATE, what: error.to_string() }
        })?;
        Ok(Self { slip, out: [0.0; BLOCK_SAMPLES + 16], error: 0.0 })
    }

    /// Tells how many milliseconds more than wanted wait for the device, and returns the block with a
    /// sample more or less where that helps.
    pub fn pass(&mut self, block: &[f32; BLOCK_SAMPLES], surplus_ms: f64) -> &[f32] {
        self.error += (surplus_ms - self.error) * Self::SMOOTHING;
        let ratio = 1.0 - (self.error * Self::GAIN).clamp(-Self::LIMIT, Self::LIMIT);
        // The ratio is within the range that the clutch sustains; a refusal leaves the last one.
        let _ = self.slip.set_resample_ratio(ratio, false);
        let wrote = convert(&mut self.slip, block, &mut self.out);
        &self.out[..wrote]
    }

    /// Forgets the error after the buffer was filled or emptied at once.
    pub fn settle(&mut self) {
        self.error = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, seconds: f32) -> Vec<f32> {
        (0..(rate as f32 * seconds) as usize)
            .map(|n| 0.5 * (2.0 * std::f32::consts::PI * 440.0 * n as f32 / rate as f32).sin())
            .collect()
    }

    /// Pitch by rising zero crossings, and the root mean square.
    fn pitch_and_level(sound: &[f32], rate: f32) -> (f32, f32) {
        let rises: Vec<usize> = (1..sound.len()).filter(|&n| sound[n - 1] < 0.0 && sound[n] >= 0.0).collect();
        let span = (rises[rises.len() - 1] - rises[0]) as f32;
        let level = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
        ((rises.len() - 1) as f32 * rate / span, level)
    }

    #[test]
    fn a_tone_keeps_its_pitch_level_and_length_from_every_common_rate() {
        for rate in [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 96_000] {
            let mut resampler = Resampler::new(rate, 48_000).unwrap();
            let mut out = Vec::new();
            for piece in tone(rate, 2.0).chunks(333) {
                resampler.push(piece, &mut out);
            }
            assert!((94_000..=96_100).contains(&out.len()), "{} from {rate}", out.len());
            let (pitch, level) = pitch_and_level(&out[4_800..90_000], 48_000.0);
            assert!((pitch - 440.0).abs() < 0.5, "{pitch} Hz from {rate}");
            assert!((level - 0.3536).abs() < 0.01, "{level} from {rate}");
            let recording = whole(&tone(rate, 1.0), rate, 48_000).unwrap();
            assert!((47_990..=48_010).contains(&recording.len()), "{}", recording.len());
        }
    }

    #[test]
    fn an_impossible_rate_is_refused_by_number() {
        let error = Resampler::new(3_000, 48_000).unwrap_err();
        assert_eq!(error.code(), -1306);
        assert!(error.to_string().contains("3000 Hz"), "{error}");
        assert!(Resampler::new(48_000, 0).is_err());
    }

    #[test]
    fn the_clutch_follows_a_device_that_is_too_fast_or_too_slow() {
        for drift in [300.0e-6, -300.0e-6] {
            let mut clutch = Clutch::new().unwrap();
            let (mut waiting, mut taken) = (1_440.0, 0.0);
            let sound = tone(48_000, 0.01);
            let block: &[f32; BLOCK_SAMPLES] = sound[..].try_into().unwrap();
            let mut worst = 0f64;
            for tick in 0..60_000 {
                waiting += clutch.pass(block, (waiting - 1_440.0) / 48.0).len() as f64;
                taken += 480.0 * (1.0 + drift);
                waiting -= 480.0 * (1.0 + drift);
                if tick > 6_000 {
                    worst = worst.max((waiting - 1_440.0).abs());
                }
            }
            assert!(taken > 0.0 && worst < 48.0 * 5.0, "{worst} samples off at {drift}");
        }
    }

    #[test]
    fn the_clutch_passes_sound_unchanged_at_even_pace() {
        let mut clutch = Clutch::new().unwrap();
        let sound = tone(48_000, 0.01);
        let block: &[f32; BLOCK_SAMPLES] = sound[..].try_into().unwrap();
        assert_eq!(clutch.pass(block, 0.0), &sound[..]);
    }
}
