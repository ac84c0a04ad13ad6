//! Adds voices up so that the sum stays within full scale.

use confab_frame::{AudioBlock, BLOCK_SAMPLES};

/// Level from which peaks are bent instead of passed on.
const KNEE: f32 = 0.9;
/// Peaks are brought down to this by the gain.
const CEILING: f32 = 0.95;
/// Share of the way back to full gain that is gone in each 10 ms: half in about 70 ms.
const RELEASE: f32 = 0.1;
/// Samples over which the gain goes down: 1 ms.
const ATTACK: usize = 48;

/// Sums blocks and holds the sum within -1.0..=1.0: a gain follows the peaks, and what gets past it
/// is bent softly.
#[derive(Debug)]
pub struct Mixer {
    sum: [f32; BLOCK_SAMPLES],
    gain: f32,
}

impl Default for Mixer {
    fn default() -> Self {
        Self { sum: [0.0; BLOCK_SAMPLES], gain: 1.0 }
    }
}

impl Mixer {
    /// Adds a voice to the next block.
    pub fn add(&mut self, samples: &[f32; BLOCK_SAMPLES]) {
        for (sum, sample) in self.sum.iter_mut().zip(samples) {
            // One broken voice must not silence the others.
            *sum += if sample.is_finite() { *sample } else { 0.0 };
        }
    }

    /// The block of everything added since the last, silence if there was nothing.
    pub fn take(&mut self) -> AudioBlock {
        let mut block = AudioBlock(std::mem::replace(&mut self.sum, [0.0; BLOCK_SAMPLES]));
        let peak = block.0.iter().fold(0f32, |peak, sample| peak.max(sample.abs()));
        let wanted = if peak > CEILING { CEILING / peak } else { 1.0 };
        let before = self.gain;
        self.gain = if wanted < before { wanted } else { before + (wanted - before) * RELEASE };
        // Down within a millisecond, up over the whole block.
        let ramp = if self.gain < before { ATTACK } else { BLOCK_SAMPLES };
        for (n, sample) in block.0.iter_mut().enumerate() {
            let part = (n as f32 / ramp as f32).min(1.0);
            *sample = bend(*sample * (before + (self.gain - before) * part));
        }
        block
    }
}

/// Leaves quiet samples alone and lets loud ones approach full scale without reaching it.
fn bend(sample: f32) -> f32 {
    let loud = sample.abs();
    if loud <= KNEE {
        return sample;
    }
    (KNEE + (1.0 - KNEE) * ((loud - KNEE) / (1.0 - KNEE)).tanh()).copysign(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sum_never_exceeds_full_scale(
            blocks in proptest::collection::vec((0usize..6, -4.0f32..4.0), 1..40)
        ) {
            let mut mixer = Mixer::default();
            for (voices, level) in blocks {
                for voice in 0..voices {
                    let up = |n: usize| (n / (voice + 1)).is_multiple_of(2);
                    mixer.add(&std::array::from_fn(|n| if up(n) { level } else { -level }));
                }
                prop_assert!(mixer.take().0.iter().all(|sample| sample.abs() <= 1.0));
            }
        }
    }

    #[test]
    fn one_quiet_voice_passes_unchanged() {
        let mut mixer = Mixer::default();
        let voice: [f32; BLOCK_SAMPLES] = std::array::from_fn(|n| (n as f32 / 10.0).sin() * 0.5);
        mixer.add(&voice);
        assert_eq!(mixer.take().0, voice);
        assert_eq!(mixer.take(), AudioBlock::SILENCE);
    }

    #[test]
    fn the_gain_comes_back_after_a_shout() {
        let mut mixer = Mixer::default();
        mixer.add(&[3.0; BLOCK_SAMPLES]);
        mixer.take();
        mixer.add(&[0.3; BLOCK_SAMPLES]);
        let after = mixer.take();
        assert!(after.0[BLOCK_SAMPLES - 1] < 0.15);
        for _ in 0..80 {
            mixer.add(&[0.3; BLOCK_SAMPLES]);
            mixer.take();
        }
        mixer.add(&[0.3; BLOCK_SAMPLES]);
        assert!((mixer.take().0[0] - 0.3).abs() < 0.001);
    }

    #[test]
    fn a_voice_that_is_no_number_is_left_out() {
        let mut mixer = Mixer::default();
        mixer.add(&[f32::NAN; BLOCK_SAMPLES]);
        mixer.add(&[0.25; BLOCK_SAMPLES]);
        assert_eq!(mixer.take().0, [0.25; BLOCK_SAMPLES]);
    }
}
