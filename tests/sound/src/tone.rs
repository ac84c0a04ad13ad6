//! Something to say into the microphone.

use std::f32::consts::TAU;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::RATE;

/// Writes a sine as a WAV file: its pitch in Hz, its level in dB of a full-scale sine.
pub fn write_tone(file: &Path, hertz: f32, decibels: f32, length: Duration) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec)?;
    let amplitude = 10f32.powf(decibels / 20.0) * f32::from(i16::MAX);
    for at in 0..length.as_secs() * u64::from(RATE) {
        // Counted anew every second, which holds a whole number of periods: the phase stays exact.
        let phase = TAU * hertz * (at % u64::from(RATE)) as f32 / RATE as f32;
        wav.write_sample((phase.sin() * amplitude) as i16)?;
    }
    wav.finalize()?;
    Ok(())
}
