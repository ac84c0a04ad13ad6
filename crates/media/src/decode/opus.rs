//! Opus to mono sound at 48 kHz, with concealment and forward error correction.

use opus::Channels;

use crate::MediaError;

/// Samples of the longest packet: 120 ms.
pub const LONGEST: usize = 5760;

/// Decodes one voice.
#[derive(Debug)]
pub struct Decoder {
    codec: opus::Decoder,
}

impl Decoder {
    /// A decoder that has heard nothing yet.
    pub fn new() -> Result<Self, MediaError> {
        let codec =
            opus::Decoder::new(confab_frame::SAMPLE_RATE, Channels::Mono).map_err(|error| failed(&error))?;
        Ok(Self { codec })
    }

    /// Decodes a packet into `out` and returns its samples, at most [`LONGEST`].
    pub fn decode(&mut self, packet: &[u8], out: &mut [f32; LONGEST]) -> Result<usize, MediaError> {
        self.codec.decode_float(packet, out, false).map_err(|error| failed(&error))
    }

    /// Makes up `samples` for a packet that is missing, from what came before.
    pub fn conceal(&mut self, samples: usize, out: &mut [f32; LONGEST]) -> Result<usize, MediaError> {
        self.codec.decode_float(&[], &mut out[..whole(samples)], false).map_err(|error| failed(&error))
    }

    /// Rebuilds the `samples` before `following` from the copy that it carries, or conceals them
    /// where it carries none.
    pub fn recover(
        &mut self,
        following: &[u8],
        samples: usize,
        out: &mut [f32; LONGEST],
    ) -> Result<usize, MediaError> {
        self.codec.decode_float(following, &mut out[..whole(samples)], true).map_err(|error| failed(&error))
    }
}

/// Opus makes up whole multiples of 2.5 ms only.
fn whole(samples: usize) -> usize {
    (samples.next_multiple_of(120)).clamp(120, LONGEST)
}

fn failed(error: &opus::Error) -> MediaError {
    MediaError::AudioDecode(error.description().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::opus::{Config, Encoder, FRAME_SAMPLES};

    fn tone(frame: usize) -> [f32; FRAME_SAMPLES] {
        std::array::from_fn(|n| {
            let t = (frame * FRAME_SAMPLES + n) as f32 / 48_000.0;
            0.3 * (2.0 * std::f32::consts::PI * 440.0 * t).sin()
        })
    }

    fn energy(samples: &[f32]) -> f32 {
        (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn a_lost_packet_is_rebuilt_from_the_next_or_made_up() {
        let mut encoder = Encoder::new(Config::default()).unwrap();
        let packets: Vec<Vec<u8>> = (0..20).map(|n| encoder.encode(&tone(n)).unwrap().to_vec()).collect();
        let mut out = [0.0; LONGEST];
        for recover in [true, false] {
            let mut decoder = Decoder::new().unwrap();
            for packet in &packets[..18] {
                assert_eq!(decoder.decode(packet, &mut out).unwrap(), FRAME_SAMPLES);
            }
            let samples = if recover {
                decoder.recover(&packets[19], FRAME_SAMPLES, &mut out)
            } else {
                decoder.conceal(FRAME_SAMPLES, &mut out)
            };
            assert_eq!(samples.unwrap(), FRAME_SAMPLES);
            assert!(energy(&out[..FRAME_SAMPLES]) > 0.05, "{}", energy(&out[..FRAME_SAMPLES]));
            assert_eq!(decoder.decode(&packets[19], &mut out).unwrap(), FRAME_SAMPLES);
        }
    }

    #[test]
    fn a_packet_that_is_not_opus_is_an_error_with_a_code() {
        let mut decoder = Decoder::new().unwrap();
        let error = decoder.decode(&[0xFF; 3], &mut [0.0; LONGEST]).unwrap_err();
        assert_eq!(error.code(), 2102);
    }
}
