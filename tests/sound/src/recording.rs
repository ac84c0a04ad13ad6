//! The ear: pitch, level and gaps of what was played.

use std::f64::consts::TAU;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::RATE;

/// Samples in which a gap is looked for: 5 ms, in which every tone above 200 Hz swings once.
const BLOCK: usize = RATE as usize / 200;
/// Samples whose pitch is looked at together: 20 ms. The phase of a tone jumps where it was stretched
/// or has a gap; and who plays follows a device's clock by up to 4 parts in a thousand, which nobody
/// hears and so short a moment does not either.
const MOMENT: usize = RATE as usize / 50;

/// A tone as it was heard: samples at 48 kHz, one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording(Vec<f32>);

impl Recording {
    /// Reads a WAV file of 16 bits.
    pub fn read(file: &Path) -> Result<Self> {
        let mut wav =
            hound::WavReader::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let spec = wav.spec();
        ensure!((spec.channels, spec.sample_rate) == (1, RATE), "{spec:?}");
        let full = f32::from(i16::MAX);
        let samples = wav.samples::<i16>().map(|sample| Ok(f32::from(sample?) / full));
        Ok(Self(samples.collect::<Result<_>>()?))
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.0.len() as f64 / f64::from(RATE))
    }

    /// The same without its beginning and its end.
    #[must_use]
    pub fn without_ends(&self, each: Duration) -> Self {
        let edge = (each.as_secs_f64() * f64::from(RATE)) as usize;
        Self(self.0.get(edge..self.0.len().saturating_sub(edge)).unwrap_or_default().to_vec())
    }

    /// The level of the tone, dB of a full-scale sine: that of its middling block, so that gaps do
    /// not count.
    pub fn level(&self) -> f32 {
        20.0 * (self.middling() * std::f32::consts::SQRT_2).log10()
    }

    /// How much of the energy is at this pitch, in the middling moment: 1 for a pure tone, near 0 for
    /// another one.
    pub fn share_of(&self, hertz: f64) -> f64 {
        let share = |moment: &[f32]| {
            let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
            for (at, sample) in moment.iter().enumerate() {
                let (phase, sample) = (TAU * hertz * at as f64 / f64::from(RATE), f64::from(*sample));
                re += sample * phase.cos();
                im += sample * phase.sin();
                all += sample * sample;
            }
            if all == 0.0 { 0.0 } else { 2.0 * (re * re + im * im) / (MOMENT as f64 * all) }
        };
        middle(self.0.chunks_exact(MOMENT).map(share).collect(), f64::total_cmp)
    }

    /// The longest time in which the tone is not heard: less than a quarter of its level.
    pub fn longest_gap(&self) -> Duration {
        let heard = self.middling() / 4.0;
        let gap = self.levels().split(|level| *level > heard).map(<[f32]>::len).max().unwrap_or_default();
        Duration::from_secs_f64((gap * BLOCK) as f64 / f64::from(RATE))
    }

    /// Root mean square of each block.
    fn levels(&self) -> Vec<f32> {
        let level = |block: &[f32]| (block.iter().map(|s| s * s).sum::<f32>() / block.len() as f32).sqrt();
        self.0.chunks_exact(BLOCK).map(level).collect()
    }

    fn middling(&self) -> f32 {
        middle(self.levels(), f32::total_cmp)
    }
}

/// The median; 0 of nothing.
fn middle<T: Copy + Default>(mut values: Vec<T>, order: fn(&T, &T) -> std::cmp::Ordering) -> T {
    values.sort_by(order);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_tone;

    fn tone(hertz: f32, decibels: f32) -> Recording {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tone.wav");
        write_tone(&file, hertz, decibels, Duration::from_secs(2)).unwrap();
        Recording::read(&file).unwrap()
    }

    #[test]
    fn a_tone_has_its_pitch_and_its_level() {
        let heard = tone(500.0, -20.0);
        assert_eq!(heard.length(), Duration::from_secs(2));
        assert!((heard.level() + 20.0).abs() < 0.1, "{}", heard.level());
        assert!(heard.share_of(500.0) > 0.99 && heard.share_of(540.0) < 0.1);
        assert_eq!(heard.longest_gap(), Duration::ZERO);
    }

    #[test]
    fn a_gap_is_measured_and_changes_neither_pitch_nor_level() {
        let mut heard = tone(500.0, -20.0);
        heard.0[20_000..20_000 + 4_800].fill(0.0);
        let gap = heard.longest_gap();
        assert!((90..=105).contains(&gap.as_millis()), "{gap:?}");
        assert!((heard.level() + 20.0).abs() < 0.1 && heard.share_of(500.0) > 0.95);
    }

    #[test]
    fn silence_is_one_gap_without_a_pitch() {
        let silence = Recording(vec![0.0; 48_000]);
        assert_eq!(silence.longest_gap(), Duration::from_secs(1));
        assert_eq!(silence.share_of(500.0), 0.0);
        assert_eq!(silence.without_ends(Duration::from_secs(1)).length(), Duration::ZERO);
    }
}
