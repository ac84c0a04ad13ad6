//! H.264, constrained baseline, by OpenH264 on one thread, with two temporal layers.

use std::time::Instant;

use confab_frame::{EncodedVideo, I420};

use crate::MediaError;

mod codec;

use codec::{Codec, Coded};

/// Below this many bits a pixel, pictures are left out rather than the bitrate overrun.
const SKIP_BELOW_BITS_PER_PIXEL: f64 = 0.03;
/// What the codec is given at least: it refuses less.
const LOWEST_BITRATE: u32 = 20_000;

/// What a stream is encoded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Pictures a second that will be given.
    pub fps: u32,
    /// Bits a second to aim at.
    pub bitrate: u32,
    /// The pictures are of a screen: sharp edges, large still parts, scrolling.
    pub screen: bool,
}

impl Config {
    /// Whether so few bits are there that leaving pictures out looks better.
    fn skips(&self) -> bool {
        let pixels = f64::from(self.width) * f64::from(self.height) * f64::from(self.fps.max(1));
        f64::from(self.bitrate) / pixels < SKIP_BELOW_BITS_PER_PIXEL
    }
}

/// One stream's encoder. Follows the size of what it is given.
#[derive(Debug)]
pub struct Encoder {
    config: Config,
    codec: Codec,
    start: Option<Instant>,
}

impl Encoder {
    /// Sides even, 16 to 4096 pixels.
    pub fn new(config: Config) -> Result<Self, MediaError> {
        let config = Config { bitrate: config.bitrate.max(LOWEST_BITRATE), ..config };
        Ok(Self { codec: Codec::new(&config)?, config, start: None })
    }

    /// What it is set to now.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Encodes a picture captured at `at`, as a key frame when `key`. `None` when the rate control
    /// left it out. A picture of another size than the last begins a new stream with a key frame.
    pub fn encode(
        &mut self,
        frame: &I420,
        at: Instant,
        key: bool,
    ) -> Result<Option<EncodedVideo>, MediaError> {
        let size = (frame.width(), frame.height());
        if size != (self.config.width, self.config.height) {
            let config = Config { width: size.0, height: size.1, ..self.config };
            self.codec = Codec::new(&config)?;
            self.config = config;
        }
        if key {
            self.codec.force_key()?;
        }
        let start = *self.start.get_or_insert(at);
        let milliseconds = at.saturating_duration_since(start).as_millis() as i64;
        Ok(self.codec.encode(frame, milliseconds)?.map(|Coded { data, key, temporal_id }| EncodedVideo {
            data,
            at,
            width: size.0,
            height: size.1,
            key,
            temporal_id,
        }))
    }

    /// Aims at another bitrate from the next picture on, without a key frame.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), MediaError> {
        let skipped = self.config.skips();
        self.config.bitrate = bitrate.max(LOWEST_BITRATE);
        self.codec.set_bitrate(self.config.bitrate)?;
        if skipped != self.config.skips() {
            self.codec.set_frame_skip(self.config.skips())?;
        }
        Ok(())
    }

    /// Expects another number of pictures a second from the next one on.
    pub fn set_fps(&mut self, fps: u32) -> Result<(), MediaError> {
        self.config.fps = fps.clamp(1, 120);
        self.codec.set_fps(self.config.fps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TestPattern;
    use std::time::Duration;

    const CONFIG: Config = Config { width: 320, height: 180, fps: 30, bitrate: 300_000, screen: false };

    /// Encodes `count` pictures of the pattern, 30 a second; the first is asked for as a key frame.
    fn encode(encoder: &mut Encoder, pattern: &mut TestPattern, count: u32) -> Vec<Option<EncodedVideo>> {
        let start = Instant::now();
        (0..count)
            .map(|number| {
                let at = start + Duration::from_millis(u64::from(number) * 1000 / 30);
                encoder.encode(&pattern.draw(at).unwrap().buffer, at, number == 0).unwrap()
            })
            .collect()
    }

    fn bitrate(pictures: &[Option<EncodedVideo>]) -> f64 {
        let bytes: usize = pictures.iter().flatten().map(|picture| picture.data.len()).sum();
        bytes as f64 * 8.0 * 30.0 / pictures.len() as f64
    }

    #[test]
    fn the_stream_is_constrained_baseline_and_key_frames_carry_their_parameters() {
        let mut encoder = Encoder::new(CONFIG).unwrap();
        let mut pattern = TestPattern::new(320, 180).unwrap();
        for number in 0..4 {
            let at = Instant::now();
            let wanted = number == 0 || number == 3;
            let coded = encoder.encode(&pattern.draw(at).unwrap().buffer, at, wanted).unwrap().unwrap();
            assert_eq!((coded.key, coded.width, coded.height, coded.at), (wanted, 320, 180, at));
            if wanted {
                // An SPS of profile 66 with constraint_set0 and 1, which is what 42e01f asks for.
                assert_eq!(coded.data[..6], [0, 0, 0, 1, 0x67, 66]);
                assert_eq!(coded.data[6] & 0xC0, 0xC0);
            }
        }
    }

    #[test]
    fn every_other_picture_may_be_left_out() {
        let mut encoder = Encoder::new(CONFIG).unwrap();
        let pictures = encode(&mut encoder, &mut TestPattern::new(320, 180).unwrap(), 20);
        let layers: Vec<u8> = pictures.iter().flatten().map(|picture| picture.temporal_id).collect();
        assert_eq!(layers, [0, 1].repeat(10));
        for picture in pictures.iter().flatten() {
            assert_eq!(crate::decode::h264::is_disposable(&picture.data), picture.temporal_id == 1);
        }
    }

    #[test]
    fn a_new_bitrate_is_followed_without_a_key_frame() {
        let mut encoder = Encoder::new(Config { bitrate: 800_000, ..CONFIG }).unwrap();
        let mut pattern = TestPattern::new(320, 180).unwrap();
        encode(&mut encoder, &mut pattern, 30);
        let high = bitrate(&encode(&mut encoder, &mut pattern, 60));
        encoder.set_bitrate(150_000).unwrap();
        let settled = |encoder: &mut Encoder, pattern: &mut TestPattern| {
            let start = Instant::now() + Duration::from_secs(60);
            let pictures: Vec<_> = (0..90)
                .map(|number| {
                    let at = start + Duration::from_millis(number * 1000 / 30);
                    encoder.encode(&pattern.draw(at).unwrap().buffer, at, false).unwrap()
                })
                .collect();
            assert!(pictures.iter().flatten().all(|picture| !picture.key));
            bitrate(&pictures[30..])
        };
        let low = settled(&mut encoder, &mut pattern);
        assert!(low < high / 2.0 && low < 250_000.0, "{high} then {low}");
    }

    #[test]
    fn a_picture_of_another_size_begins_with_a_key_frame() {
        let mut encoder = Encoder::new(CONFIG).unwrap();
        encode(&mut encoder, &mut TestPattern::new(320, 180).unwrap(), 3);
        let at = Instant::now();
        let larger = TestPattern::new(640, 360).unwrap().draw(at).unwrap();
        let coded = encoder.encode(&larger.buffer, at, false).unwrap().unwrap();
        assert!(coded.key);
        assert_eq!((coded.width, coded.height), (640, 360));
        assert_eq!((encoder.config().width, encoder.config().height), (640, 360));
    }

    #[test]
    fn an_impossible_size_is_refused_by_name() {
        let error = Encoder::new(Config { width: 8, ..CONFIG }).unwrap_err();
        assert_eq!(error, MediaError::PictureSize { width: 8, height: 180 });
    }
}
