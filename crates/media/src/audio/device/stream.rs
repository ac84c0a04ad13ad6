//! A device's callbacks, for every kind of sample that a device may have.

use std::time::Duration;

use cpal::traits::DeviceTrait;
use cpal::{ErrorKind, FromSample, I24, Sample, SampleFormat, SizedSample, StreamConfig, U24};

use super::ring::{MicrophoneFeed, SpeakerFeed};

/// A system that does not open a device within this is given up.
const OPENING: Duration = Duration::from_secs(5);
/// Voices belong to the two front speakers, and a device with more than two inputs has other things
/// than this voice on them.
const FRONT: usize = 2;
/// The largest sample that is still below 1: whole numbers have no room for 1 itself, and those of 24
/// bits would turn it into its opposite.
const LOUDEST: f32 = 1.0 - f32::EPSILON / 2.0;

/// Expands to the function for the samples of `$format`.
macro_rules! for_format {
    ($format:expr, $open:ident::<$device:ident>) => {
        match $format {
            SampleFormat::I8 => $open::<$device, i8, _>,
            SampleFormat::I16 => $open::<$device, i16, _>,
            SampleFormat::I24 => $open::<$device, I24, _>,
            SampleFormat::I32 => $open::<$device, i32, _>,
            SampleFormat::I64 => $open::<$device, i64, _>,
            SampleFormat::U8 => $open::<$device, u8, _>,
            SampleFormat::U16 => $open::<$device, u16, _>,
            SampleFormat::U24 => $open::<$device, U24, _>,
            SampleFormat::U32 => $open::<$device, u32, _>,
            SampleFormat::U64 => $open::<$device, u64, _>,
            SampleFormat::F32 => $open::<$device, f32, _>,
            SampleFormat::F64 => $open::<$device, f64, _>,
            // One bit a sample, and whatever comes after this list was written.
            _ => return Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
        }
    };
}

/// Opens `device` so that it plays what `feed` has.
pub(super) fn output<D: DeviceTrait, E: FnMut(cpal::Error) + Send + 'static>(
    device: &D,
    format: SampleFormat,
    config: StreamConfig,
    feed: SpeakerFeed,
    lost: E,
) -> Result<D::Stream, cpal::Error> {
    let open = for_format!(format, output_of::<D>);
    open(device, config, feed, lost)
}

/// Opens `device` so that what it hears comes into `feed`.
pub(super) fn input<D: DeviceTrait, E: FnMut(cpal::Error) + Send + 'static>(
    device: &D,
    format: SampleFormat,
    config: StreamConfig,
    feed: MicrophoneFeed,
    lost: E,
) -> Result<D::Stream, cpal::Error> {
    let open = for_format!(format, input_of::<D>);
    open(device, config, feed, lost)
}

fn output_of<D: DeviceTrait, T: SizedSample + FromSample<f32>, E>(
    device: &D,
    config: StreamConfig,
    mut feed: SpeakerFeed,
    lost: E,
) -> Result<D::Stream, cpal::Error>
where
    E: FnMut(cpal::Error) + Send + 'static,
{
    let channels = usize::from(config.channels.max(1));
    let play = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        let mut samples = feed.take(data.len() / channels);
        for frame in data.chunks_mut(channels) {
            let sample = samples.next().unwrap_or(0.0).clamp(-1.0, LOUDEST);
            let sample = T::from_sample(sample);
            for (channel, out) in frame.iter_mut().enumerate() {
                *out = if channel < FRONT { sample } else { T::EQUILIBRIUM };
            }
        }
    };
    device.build_output_stream(config, play, lost, Some(OPENING))
}

fn input_of<D: DeviceTrait, T: SizedSample, E>(
    device: &D,
    config: StreamConfig,
    mut feed: MicrophoneFeed,
    lost: E,
) -> Result<D::Stream, cpal::Error>
where
    f32: FromSample<T>,
    E: FnMut(cpal::Error) + Send + 'static,
{
    let channels = usize::from(config.channels.max(1));
    let capture = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let frames = data.chunks_exact(channels);
        feed.put(frames.len(), frames.map(|frame| mono(frame.iter().copied().map(f32::from_sample))));
    };
    device.build_input_stream(config, capture, lost, Some(OPENING))
}

/// What a frame's front inputs hear.
pub(super) fn mono(frame: impl ExactSizeIterator<Item = f32>) -> f32 {
    let front = frame.len().clamp(1, FRONT);
    let sum = frame.take(front).sum::<f32>();
    // A driver that delivers no numbers would silence everything behind it for good.
    if sum.is_finite() { sum / front as f32 } else { 0.0 }
}
