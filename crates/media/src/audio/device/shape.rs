//! Which of the forms that a device offers is used.

use confab_frame::SAMPLE_RATE;
use cpal::{SampleFormat, SupportedStreamConfig, SupportedStreamConfigRange};

use crate::resample::RATES;
use crate::{DeviceKind, MediaError};

/// Kinds of samples, the one that costs least first.
const FORMATS: [SampleFormat; 12] = [
    SampleFormat::F32,
    SampleFormat::I16,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::F64,
    SampleFormat::U16,
    SampleFormat::U32,
    SampleFormat::U24,
    SampleFormat::I64,
    SampleFormat::U64,
    SampleFormat::I8,
    SampleFormat::U8,
];
/// Rates in the order in which they are wished for: our own, its double, those that lose least, and
/// then those that cost most.
const WISHED: [u32; 13] = [
    SAMPLE_RATE,
    96_000,
    44_100,
    88_200,
    192_000,
    176_400,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
];

/// How a stream is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) format: SampleFormat,
    pub(super) channels: u16,
    /// Frames a second.
    pub(super) rate: u32,
}

impl Shape {
    /// The best of what a device offers: our own rate first, then as many channels as the system uses
    /// it with, then the cheapest samples. A device that offers nothing is used as the system does.
    pub(super) fn best(
        kind: DeviceKind,
        ranges: &[SupportedStreamConfigRange],
        default: Option<SupportedStreamConfig>,
    ) -> Result<Self, MediaError> {
        let offered = ranges.iter().copied().chain(default.filter(|_| ranges.is_empty()).map(only));
        let usual = default.map(|default| (default.channels(), default.sample_rate()));
        let ranked = offered.filter_map(|range| Self::ranked(range, usual));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, shape)| shape).ok_or_else(|| unusable(kind, ranges))
    }

    fn ranked(
        range: SupportedStreamConfigRange,
        usual: Option<(u16, u32)>,
    ) -> Option<((usize, usize, usize), Self)> {
        let has = |rate: &u32| (range.min_sample_rate()..=range.max_sample_rate()).contains(rate);
        let usual_rate = usual.map(|(_, rate)| rate).filter(|rate| RATES.contains(rate));
        let wishes = [Some(SAMPLE_RATE), usual_rate].into_iter().flatten().chain(WISHED);
        let odd = [range.min_sample_rate(), range.max_sample_rate()];
        let odd = odd.into_iter().filter(|rate| RATES.contains(rate));
        let (rate_rank, rate) = wishes.chain(odd).enumerate().find(|(_, rate)| has(rate))?;
        let format_rank = FORMATS.iter().position(|known| *known == range.sample_format())?;
        let channels = range.channels();
        let channel_rank = match channels {
            0 => return None,
            same if usual.is_some_and(|(usual, _)| usual == same) => 0,
            2 => 1,
            1 => 2,
            more => usize::from(more),
        };
        let shape = Self { format: range.sample_format(), channels, rate };
        Some(((rate_rank, channel_rank, format_rank), shape))
    }
}

fn only(config: SupportedStreamConfig) -> SupportedStreamConfigRange {
    let rate = config.sample_rate();
    SupportedStreamConfigRange::new(
        config.channels(),
        rate,
        rate,
        *config.buffer_size(),
        config.sample_format(),
    )
}

fn unusable(kind: DeviceKind, ranges: &[SupportedStreamConfigRange]) -> MediaError {
    let known = |range: &&SupportedStreamConfigRange| FORMATS.contains(&range.sample_format());
    let what = match ranges.iter().find(known) {
        Some(range) => {
            let (least, most) = (range.min_sample_rate(), range.max_sample_rate());
            return MediaError::SampleRate {
                rate: if least > *RATES.end() { least } else { most },
                what: "only 8 to 192 kHz can be converted".to_owned(),
            };
        }
        None if ranges.is_empty() => "it offers no sound".to_owned(),
        None => "its samples are of a kind that is not supported".to_owned(),
    };
    MediaError::DeviceStart { kind, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cpal::SupportedBufferSize;

    const KIND: DeviceKind = DeviceKind::Microphone;

    fn range(format: SampleFormat, channels: u16, rates: (u32, u32)) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, SupportedBufferSize::Unknown, format)
    }

    fn usual(channels: u16, rate: u32) -> Option<SupportedStreamConfig> {
        Some(SupportedStreamConfig::new(channels, rate, SupportedBufferSize::Unknown, SampleFormat::I16))
    }

    fn best(
        ranges: &[SupportedStreamConfigRange],
        usual: Option<SupportedStreamConfig>,
    ) -> (SampleFormat, u16, u32) {
        let Shape { format, channels, rate } = Shape::best(KIND, ranges, usual).unwrap();
        (format, channels, rate)
    }

    #[test]
    fn our_own_rate_counts_most_then_the_usual_channels_then_cheap_samples() {
        use SampleFormat::{F32, I16, I24, U8};
        let slow = range(F32, 2, (44_100, 44_100));
        let fast = range(I24, 6, (8_000, 96_000));
        assert_eq!(best(&[slow, fast], usual(2, 44_100)), (I24, 6, 48_000));
        let [one, two, four] = [1, 2, 4].map(|channels| range(I16, channels, (48_000, 48_000)));
        assert_eq!(best(&[one, two, four], usual(4, 48_000)), (I16, 4, 48_000));
        assert_eq!(best(&[one, two, four], None), (I16, 2, 48_000));
        assert_eq!(best(&[range(U8, 1, (48_000, 48_000)), one], None), (I16, 1, 48_000));
    }

    #[test]
    fn without_our_own_rate_the_usual_one_is_taken_and_then_a_known_one() {
        use SampleFormat::I16;
        let wide = range(I16, 1, (8_000, 32_000));
        assert_eq!(best(&[wide], usual(1, 16_000)), (I16, 1, 16_000));
        assert_eq!(best(&[wide], None), (I16, 1, 32_000));
        assert_eq!(best(&[range(I16, 1, (37_000, 37_000))], None), (I16, 1, 37_000));
    }

    #[test]
    fn a_combination_that_the_device_does_not_have_is_not_made_up() {
        use SampleFormat::{F32, I32};
        let ranges = [range(F32, 1, (16_000, 16_000)), range(I32, 8, (48_000, 48_000))];
        assert_eq!(best(&ranges, usual(2, 44_100)), (I32, 8, 48_000));
    }

    #[test]
    fn a_device_that_offers_nothing_is_used_as_the_system_does() {
        assert_eq!(best(&[], usual(2, 44_100)), (SampleFormat::I16, 2, 44_100));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let says = |ranges: &[_], words: &str| {
            let said = Shape::best(KIND, ranges, None).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        };
        says(&[], "it offers no sound");
        says(&[range(SampleFormat::DsdU8, 2, (2_822_400, 2_822_400))], "a kind that is not supported");
        says(&[range(SampleFormat::I16, 2, (384_000, 384_000))], "384000 Hz");
        says(&[range(SampleFormat::I16, 2, (4_000, 6_000))], "6000 Hz");
    }
}
