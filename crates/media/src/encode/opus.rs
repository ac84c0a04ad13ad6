//! Opus for speech: mono, 48 kHz, 20 ms.

use opus::{Application, Bitrate, Channels};

use crate::MediaError;

/// Samples of one packet: 20 ms.
pub const FRAME_SAMPLES: usize = 960;
/// Largest packet that is made.
const LARGEST: usize = 1275;

/// What speech is encoded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bits a second.
    pub bitrate: u32,
    /// Loss in percent that the forward error correction is made for.
    pub expected_loss: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { bitrate: 32_000, expected_loss: 10 }
    }
}

/// Encodes one voice.
#[derive(Debug)]
pub struct Encoder {
    codec: opus::Encoder,
    packet: [u8; LARGEST],
}

impl Encoder {
    /// Voice mode, complexity 9, with forward error correction and discontinuous transmission.
    pub fn new(config: Config) -> Result<Self, MediaError> {
        let codec = opus::Encoder::new(confab_frame::SAMPLE_RATE, Channels::Mono, Application::Voip)
            .map_err(|error| failed(&error))?;
        let mut encoder = Self { codec, packet: [0; LARGEST] };
        encoder.codec.set_complexity(9).map_err(|error| failed(&error))?;
        encoder.codec.set_inband_fec(true).map_err(|error| failed(&error))?;
        encoder.codec.set_dtx(true).map_err(|error| failed(&error))?;
        encoder.set_bitrate(config.bitrate)?;
        encoder.set_expected_loss(config.expected_loss)?;
        Ok(encoder)
    }

    /// Encodes 20 ms. Two bytes or fewer mean that nothing needs to be sent for them.
    pub fn encode(&mut self, samples: &[f32; FRAME_SAMPLES]) -> Result<&[u8], MediaError> {
        let len = self.codec.encode_float(samples, &mut self.packet).map_err(|error| failed(&error))?;
        Ok(&self.packet[..len])
    }

    /// Aims at another bitrate from the next packet on.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), MediaError> {
        let bits = i32::try_from(bitrate.clamp(6_000, 510_000)).unwrap_or(i32::MAX);
        self.codec.set_bitrate(Bitrate::Bits(bits)).map_err(|error| failed(&error))
    }

    /// Spends more or less on forward error correction.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), MediaError> {
        self.codec.set_packet_loss_perc(i32::from(percent.min(100))).map_err(|error| failed(&error))
    }
}

fn failed(error: &opus::Error) -> MediaError {
    MediaError::AudioEncode(error.description().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_costs_about_what_it_was_given_and_silence_next_to_nothing() {
        let mut encoder = Encoder::new(Config::default()).unwrap();
        let mut phase = 0f32;
        let mut bytes = 0;
        for frame in 0..50 {
            let voice: [f32; FRAME_SAMPLES] = std::array::from_fn(|_| {
                phase += 2.0 * std::f32::consts::PI * (150.0 + frame as f32) / 48_000.0;
                0.2 * (phase.sin() + (phase * 3.0).sin() / 2.0 + (phase * 7.0).sin() / 4.0)
            });
            bytes += encoder.encode(&voice).unwrap().len();
        }
        assert!((10_000..45_000).contains(&(bytes * 8)), "{} bit/s", bytes * 8);
        let silent: Vec<usize> =
            (0..100).map(|_| encoder.encode(&[0.0; FRAME_SAMPLES]).unwrap().len()).collect();
        assert!(silent[50..].iter().filter(|&&len| len <= 2).count() > 40, "{silent:?}");
    }
}
