//! Loudness as people are shown it.

use confab_frame::AudioBlock;

/// Quieter than this is shown as nothing.
const FLOOR_DB: f32 = -60.0;
/// What is left of a level after 10 ms without sound.
const DECAY: f32 = 0.85;

/// Turns blocks into a level that people can watch: up at once, down smoothly.
#[derive(Debug, Default)]
pub(super) struct Meter {
    shown: f32,
}

impl Meter {
    /// The level after this block, 0 to 100 over 60 dB.
    pub(super) fn measure(&mut self, block: &AudioBlock) -> u8 {
        let loud = (1.0 - decibels(block.rms()) / FLOOR_DB).clamp(0.0, 1.0) * 100.0;
        self.shown = loud.max(self.shown * DECAY);
        self.shown.round() as u8
    }
}

fn decibels(rms: f32) -> f32 {
    20.0 * rms.max(1e-9).log10()
}

/// The level of a packet as RFC 6464 writes it: 0 is full scale, 127 silence.
pub(super) fn rfc6464(samples: &[f32]) -> u8 {
    let mean = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    (-decibels(mean.sqrt())).round().clamp(0.0, 127.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_up_at_once_and_down_smoothly() {
        let mut meter = Meter::default();
        assert_eq!(meter.measure(&AudioBlock::SILENCE), 0);
        assert_eq!(meter.measure(&AudioBlock([1.0; 480])), 100);
        assert_eq!(meter.measure(&AudioBlock::SILENCE), 85);
        assert_eq!(Meter::default().measure(&AudioBlock([0.1; 480])), 67);
        assert_eq!(Meter::default().measure(&AudioBlock([0.0005; 480])), 0);
    }

    #[test]
    fn packets_carry_their_level_below_full_scale() {
        assert_eq!((rfc6464(&[0.0; 960]), rfc6464(&[1.0; 960]), rfc6464(&[0.1; 960])), (127, 0, 20));
        assert_eq!(rfc6464(&[]), 127);
    }
}
