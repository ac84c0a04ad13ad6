//! Pitch and loudness of what was recorded.

use std::f32::consts::TAU;

/// How much of the sound's energy is at `hertz`: 1 for a pure tone, near 0 for anything else.
pub fn share_of(samples: &[f32], rate: u32, hertz: f32) -> f32 {
    let step = TAU * hertz / rate as f32;
    let (mut re, mut im, mut energy) = (0.0f64, 0.0f64, 0.0f64);
    for (at, sample) in samples.iter().enumerate() {
        let phase = f64::from(step) * at as f64;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
        energy += f64::from(*sample) * f64::from(*sample);
    }
    if energy == 0.0 { 0.0 } else { (2.0 * (re * re + im * im) / (samples.len() as f64 * energy)) as f32 }
}

/// Loudness against a full-scale sine's peak, dB; minus infinity for silence.
pub fn decibels(samples: &[f32]) -> f32 {
    let mean = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    10.0 * (2.0 * mean).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32) -> Vec<f32> {
        (0..48_000).map(|at| 0.1 * (TAU * hertz * at as f32 / 48_000.0).sin()).collect()
    }

    #[test]
    fn a_tone_is_told_from_its_neighbour_and_its_loudness_is_known() {
        assert!(share_of(&tone(440.0), 48_000, 440.0) > 0.99);
        assert!(share_of(&tone(450.0), 48_000, 440.0) < 0.01);
        assert!((decibels(&tone(440.0)) + 20.0).abs() < 0.1);
        assert_eq!(share_of(&[0.0; 480], 48_000, 440.0), 0.0);
    }
}
