//! Sound between microphone, mixer and speaker.

/// Samples a second of every audio block inside the app.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one block: 10 ms of mono sound.
pub const BLOCK_SAMPLES: usize = 480;

/// 10 ms of mono sound at 48 kHz, samples in -1.0..=1.0.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioBlock(pub [f32; BLOCK_SAMPLES]);

impl AudioBlock {
    /// A block of digital silence.
    pub const SILENCE: AudioBlock = AudioBlock([0.0; BLOCK_SAMPLES]);

    /// Root mean square of the samples, 0.0 for silence.
    pub fn rms(&self) -> f32 {
        (self.0.iter().map(|s| s * s).sum::<f32>() / BLOCK_SAMPLES as f32).sqrt()
    }
}

impl Default for AudioBlock {
    fn default() -> Self {
        Self::SILENCE
    }
}
