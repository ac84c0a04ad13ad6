//! What a recording sounds like.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// How strong one pitch is in a sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// Root mean square of a sine of that pitch, dB of full scale.
    pub dbfs: f64,
    /// How far all the rest lies below it, dB.
    pub over_rest: f64,
}

/// The last `seconds` of a mono WAV file, -1 to 1, and its sample rate.
pub fn ending(file: &Path, seconds: f64) -> Result<(Vec<f64>, u32)> {
    let mut wav = hound::WavReader::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let spec = wav.spec();
    ensure!(spec.channels == 1, "{} channels", spec.channels);
    let samples: Vec<f64> = match spec.sample_format {
        hound::SampleFormat::Float => {
            wav.samples::<f32>().map(|s| s.map(f64::from)).collect::<Result<_, _>>()?
        }
        hound::SampleFormat::Int => {
            let full = f64::from(1u32 << (spec.bits_per_sample - 1));
            wav.samples::<i32>().map(|s| s.map(|s| f64::from(s) / full)).collect::<Result<_, _>>()?
        }
    };
    let wanted = (seconds * f64::from(spec.sample_rate)) as usize;
    ensure!(samples.len() >= wanted, "only {} samples were recorded", samples.len());
    Ok((samples[samples.len() - wanted..].to_vec(), spec.sample_rate))
}

/// How strong the pitch `hz` is.
pub fn tone(samples: &[f64], rate: u32, hz: f64) -> Tone {
    let turn = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut cosine, mut sine, mut all) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let angle = turn * at as f64;
        cosine += sample * angle.cos();
        sine += sample * angle.sin();
        all += sample * sample;
    }
    let count = samples.len() as f64;
    let amplitude = 2.0 * cosine.hypot(sine) / count;
    let power = amplitude * amplitude / 2.0;
    let rest = (all / count - power).max(1e-12);
    Tone { dbfs: 10.0 * power.max(1e-18).log10(), over_rest: 10.0 * (power.max(1e-12) / rest).log10() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_found_at_its_pitch_and_level_and_nowhere_else() {
        let turn = std::f64::consts::TAU * 1000.0 / 48000.0;
        let samples: Vec<f64> = (0..48000).map(|at| 0.25 * (turn * f64::from(at)).sin()).collect();
        let found = tone(&samples, 48000, 1000.0);
        assert!((found.dbfs + 15.05).abs() < 0.01 && found.over_rest > 60.0, "{found:?}");
        assert!(tone(&samples, 48000, 440.0).dbfs < -60.0);
    }
}
