//! H.264 by OpenH264, with concealment on: after a loss pictures keep coming and say so.

use std::sync::Arc;
use std::time::Instant;

use confab_frame::{FramePool, VideoFrame};

use crate::MediaError;

mod codec;

use codec::Codec;

/// What one access unit became.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The picture, if there is one.
    pub frame: Option<VideoFrame>,
    /// Something it was predicted from is missing: it was made up in part. A key frame mends it.
    pub concealed: bool,
}

/// One stream's decoder.
#[derive(Debug)]
pub struct Decoder {
    codec: Codec,
}

impl Decoder {
    /// A decoder that waits for a key frame.
    pub fn new() -> Result<Self, MediaError> {
        Ok(Self { codec: Codec::new()? })
    }

    /// Decodes one access unit (Annex B) that was captured or received `at`; the picture's memory
    /// comes from `pool`. An error says that the unit is of no use; the next key frame is.
    pub fn decode(&mut self, annexb: &[u8], at: Instant, pool: &FramePool) -> Result<Decoded, MediaError> {
        let (picture, concealed) = self.codec.decode(annexb, pool)?;
        Ok(Decoded { frame: picture.map(|picture| VideoFrame { buffer: Arc::new(picture), at }), concealed })
    }
}

/// The NAL units of an Annex B access unit, without start codes.
pub fn units(annexb: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(annexb);
    std::iter::from_fn(move || {
        let unit_on = rest?;
        let end = start_code(unit_on).map_or(unit_on.len(), |(at, _)| at);
        rest = after_start_code(unit_on);
        Some(&unit_on[..end])
    })
    .filter(|unit| !unit.is_empty())
}

/// Whether the access unit holds a picture that decodes without any before it.
pub fn is_key(annexb: &[u8]) -> bool {
    units(annexb).any(|unit| unit[0] & 0x1F == 5)
}

/// Whether no later picture is predicted from this one (nal_ref_idc 0), so that it may be left out.
pub fn is_disposable(annexb: &[u8]) -> bool {
    let mut slices = units(annexb).filter(|unit| matches!(unit[0] & 0x1F, 1 | 5)).peekable();
    slices.peek().is_some() && slices.all(|unit| unit[0] & 0x60 == 0)
}

/// Where the next start code begins, and how long it is.
fn start_code(data: &[u8]) -> Option<(usize, usize)> {
    let at = data.windows(3).position(|three| three == [0, 0, 1])?;
    if at > 0 && data[at - 1] == 0 { Some((at - 1, 4)) } else { Some((at, 3)) }
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    start_code(data).map(|(at, len)| &data[at + len..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TestPattern;
    use crate::encode::h264::{Config, Encoder};
    use crate::picture::{psnr, read_stamp};
    use confab_frame::EncodedVideo;
    use std::time::Duration;

    const CONFIG: Config = Config { width: 640, height: 360, fps: 30, bitrate: 800_000, screen: false };

    /// The pattern's pictures and what they were encoded to.
    fn stream(config: Config, count: u64) -> (Vec<VideoFrame>, Vec<EncodedVideo>) {
        let mut encoder = Encoder::new(config).unwrap();
        let mut pattern = TestPattern::new(config.width, config.height).unwrap();
        let start = Instant::now();
        let pictures: Vec<_> =
            (0..count).map(|n| pattern.draw(start + Duration::from_millis(n * 1000 / 30)).unwrap()).collect();
        let coded =
            pictures.iter().map(|p| encoder.encode(&p.buffer, p.at, false).unwrap().unwrap()).collect();
        (pictures, coded)
    }

    fn decode(decoder: &mut Decoder, coded: &EncodedVideo) -> Decoded {
        decoder.decode(&coded.data, coded.at, &FramePool::new()).unwrap()
    }

    #[test]
    fn pictures_come_back_alike_with_their_time() {
        let (pictures, coded) = stream(CONFIG, 30);
        let mut decoder = Decoder::new().unwrap();
        for (picture, coded) in pictures.iter().zip(&coded) {
            let decoded = decode(&mut decoder, coded);
            let frame = decoded.frame.unwrap();
            assert!(!decoded.concealed && frame.at == picture.at);
            let quality = psnr(&picture.buffer, &frame.buffer).unwrap();
            assert!(quality > 30.0, "{quality} dB");
        }
    }

    #[test]
    fn the_stamp_survives_small_and_large_pictures() {
        for (width, height, bitrate) in [(320, 180, 150_000), (640, 360, 400_000), (1280, 720, 1_000_000)] {
            let (pictures, coded) = stream(Config { width, height, bitrate, ..CONFIG }, 40);
            let mut decoder = Decoder::new().unwrap();
            for (picture, coded) in pictures.iter().zip(&coded) {
                let frame = decode(&mut decoder, coded).frame.unwrap();
                assert_eq!(read_stamp(&frame.buffer), read_stamp(&picture.buffer));
                assert!(read_stamp(&frame.buffer).is_some());
            }
        }
    }

    #[test]
    fn leaving_out_the_upper_temporal_layer_hurts_nothing() {
        let (pictures, coded) = stream(CONFIG, 30);
        let mut decoder = Decoder::new().unwrap();
        for (picture, coded) in pictures.iter().zip(&coded).filter(|(_, coded)| coded.temporal_id == 0) {
            let decoded = decode(&mut decoder, coded);
            assert!(!decoded.concealed);
            assert!(psnr(&picture.buffer, &decoded.frame.unwrap().buffer).unwrap() > 30.0);
        }
    }

    #[test]
    fn after_a_loss_pictures_keep_coming_say_so_and_a_key_frame_mends_them() {
        let mut encoder = Encoder::new(CONFIG).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let mut pattern = TestPattern::new(640, 360).unwrap();
        let mut concealed = Vec::new();
        for number in 0..40 {
            let at = Instant::now();
            let picture = pattern.draw(at).unwrap();
            let coded = encoder.encode(&picture.buffer, at, number == 30).unwrap().unwrap();
            // Numbers 10 and 11 hold one picture of each layer.
            if number == 10 || number == 11 {
                continue;
            }
            let decoded = decode(&mut decoder, &coded);
            assert!(decoded.frame.is_some(), "no picture {number}");
            concealed.push((number, decoded.concealed));
        }
        let bad: Vec<_> = concealed.iter().filter(|(_, concealed)| *concealed).map(|(n, _)| *n).collect();
        assert_eq!(bad.first(), Some(&12));
        assert!(bad.iter().all(|&number| number < 30), "{bad:?}");
    }

    #[test]
    fn without_a_key_frame_there_is_an_error_and_then_it_starts() {
        let (_, coded) = stream(CONFIG, 4);
        let mut decoder = Decoder::new().unwrap();
        let error = decoder.decode(&coded[1].data, coded[1].at, &FramePool::new()).unwrap_err();
        assert_eq!(error.code(), 2101);
        assert!(decode(&mut decoder, &coded[0]).frame.is_some());
    }

    #[test]
    fn rubbish_is_an_error_and_never_a_crash() {
        let (_, coded) = stream(CONFIG, 6);
        let mut decoder = Decoder::new().unwrap();
        let pool = FramePool::new();
        let mut seed = 7u32;
        for round in 0..300 {
            let mut data = coded[round % coded.len()].data.to_vec();
            for _ in 0..8 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = seed as usize % data.len();
                data[at] = (seed >> 24) as u8;
            }
            data.truncate(data.len() - (seed as usize >> 8) % (data.len() / 2));
            let _ = decoder.decode(&data, Instant::now(), &pool);
        }
        let _ = decoder.decode(&[], Instant::now(), &pool);
        assert!(decode(&mut Decoder::new().unwrap(), &coded[0]).frame.is_some());
    }

    #[test]
    fn units_are_split_at_both_start_codes() {
        let data = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3];
        let split: Vec<&[u8]> = units(&data).collect();
        assert_eq!(split, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
        assert!(is_key(&data) && !is_disposable(&data));
        assert!(is_disposable(&[0, 0, 1, 0x01, 9]) && !is_key(&[0, 0, 1, 0x01, 9]));
        assert!(!is_disposable(&[]) && !is_key(&[]) && units(&[1, 2, 3]).next().is_none());
    }
}
