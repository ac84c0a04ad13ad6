//! Speakers and microphones of the system. Their callbacks only move samples to or from a ring: no
//! lock, no allocation.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use confab_frame::SAMPLE_RATE;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfigRange,
};

use crate::devices::{Device, choose};
use crate::worker::{Failure, guarded};
use crate::{DeviceKind, MediaError};

/// Frames of one callback: fewer gap under load, and the system's own choice comes in bursts.
const PLAYED_AT_ONCE: u32 = 960;
const CAPTURED_AT_ONCE: u32 = 480;
/// What a ring holds: half a second at the highest rate in use.
const RING: usize = 96_000;
/// A system that does not open a device within this is given up.
const OPENING: Duration = Duration::from_secs(5);
/// Microphones that only repeat what a speaker plays are not offered.
const MONITOR: &str = ".monitor";

/// Keeps a device open; dropping it closes the device.
pub(crate) struct OpenDevice {
    _stream: cpal::Stream,
    failure: Failure,
}

impl OpenDevice {
    /// Why the device stopped by itself, if it did.
    pub(super) fn failure(&self) -> Option<MediaError> {
        self.failure.get()
    }
}

impl fmt::Debug for OpenDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenDevice")
    }
}

/// Samples on their way to a speaker.
pub(super) struct SpeakerRing {
    pub(super) rate: u32,
    ring: rtrb::Producer<f32>,
    shared: Arc<SpeakerShared>,
}

/// Written by the callback, read by the audio thread.
struct SpeakerShared {
    /// Frames of the largest callback.
    appetite: AtomicUsize,
    /// Callbacks that found too little.
    hungry: AtomicU64,
}

impl SpeakerRing {
    /// Frames that the device takes at once.
    pub(super) fn appetite(&self) -> usize {
        self.shared.appetite.load(Ordering::Relaxed)
    }

    /// Times that the device found too little.
    pub(super) fn hungry(&self) -> u64 {
        self.shared.hungry.load(Ordering::Relaxed)
    }

    /// Frames that wait.
    pub(super) fn waiting(&self) -> usize {
        RING - self.ring.slots()
    }

    /// Adds silence.
    pub(super) fn fill(&mut self, samples: usize) {
        self.put(samples, std::iter::repeat(0.0));
    }

    /// Adds samples at the device's rate; what does not fit is lost.
    pub(super) fn write(&mut self, samples: &[f32]) {
        self.put(samples.len(), samples.iter().copied());
    }

    fn put(&mut self, count: usize, samples: impl Iterator<Item = f32>) {
        let count = count.min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(count) {
            chunk.fill_from_iter(samples.take(count));
        }
    }
}

/// Samples on their way from a microphone.
pub(super) struct MicrophoneRing {
    pub(super) rate: u32,
    ring: rtrb::Consumer<f32>,
}

impl MicrophoneRing {
    /// Appends everything that came.
    pub(super) fn read(&mut self, out: &mut Vec<f32>) {
        let count = self.ring.slots();
        if let Ok(chunk) = self.ring.read_chunk(count) {
            out.extend(chunk);
        }
    }
}

/// The system's sound. On Linux that is PulseAudio (or PipeWire in its clothes) where a server
/// answers, else ALSA. A connection to a server is kept: the library never ends its thread, so one
/// for each use would pile up.
fn host() -> Arc<cpal::Host> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = &*kept
        && host.default_output_device().or_else(|| host.default_input_device()).is_some()
    {
        return host.clone();
    }
    // Gone, or it never was: a server that was started since is found.
    let host = Arc::new(cpal::default_host());
    *kept = host.id().name().eq_ignore_ascii_case("pulseaudio").then(|| host.clone());
    host
}

static KEPT: Mutex<Option<Arc<cpal::Host>>> = Mutex::new(None);

/// The speakers or microphones of the system.
pub(crate) fn list(kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
    Ok(found(kind)?.into_iter().map(|(device, _)| device).collect())
}

fn found(kind: DeviceKind) -> Result<Vec<(Device, cpal::Device)>, MediaError> {
    guarded(|| {
        let host = host();
        let default = match kind {
            DeviceKind::Speaker => host.default_output_device(),
            DeviceKind::Microphone | DeviceKind::Camera => host.default_input_device(),
        };
        let default = default.and_then(|device| device.id().ok()).map(|id| id.to_string());
        let fits = |device: &cpal::Device| match kind {
            DeviceKind::Speaker => device.supports_output(),
            DeviceKind::Microphone | DeviceKind::Camera => device.supports_input(),
        };
        let devices = host.devices().map_err(|error| refused(kind, &error))?;
        let known = devices.filter(fits).filter_map(|device| {
            let id = device.id().ok()?.to_string();
            let name = device.description().map_or_else(|_| id.clone(), |about| about.name().to_owned());
            let is_default = default.as_ref() == Some(&id);
            let offered = is_default || kind == DeviceKind::Speaker || !id.ends_with(MONITOR);
            offered.then_some((Device { kind, id, name, is_default }, device))
        });
        Ok(known.collect())
    })
    .unwrap_or_else(|what| Err(MediaError::DeviceStart { kind, what }))
}

fn pick(kind: DeviceKind, name: Option<&str>) -> Result<cpal::Device, MediaError> {
    let mut found = found(kind)?;
    let devices: Vec<Device> = found.iter().map(|(device, _)| device.clone()).collect();
    let chosen = choose(kind, &devices, name)?;
    Ok(found.swap_remove(chosen).1)
}

/// Opens the speaker called `name` or the default.
pub(super) fn open_speaker(name: Option<&str>) -> Result<(OpenDevice, SpeakerRing), MediaError> {
    const KIND: DeviceKind = DeviceKind::Speaker;
    let failure = Failure::default();
    let device = pick(KIND, name)?;
    let open = || {
        let ranges: Vec<_> =
            device.supported_output_configs().map_err(|error| refused(KIND, &error))?.collect();
        let default = device.default_output_config().map_err(|error| refused(KIND, &error))?;
        let (format, rate) = Format::best(KIND, &ranges)?;
        let rate = rate.unwrap_or(default.sample_rate());
        let shared = Arc::new(SpeakerShared {
            appetite: AtomicUsize::new(PLAYED_AT_ONCE as usize),
            hungry: AtomicU64::new(0),
        });
        let mut ring = None;
        let stream = with_buffer(PLAYED_AT_ONCE, |buffer_size| {
            let (producer, consumer) = rtrb::RingBuffer::new(RING);
            ring = Some(producer);
            let config = StreamConfig { channels: default.channels(), sample_rate: rate, buffer_size };
            let reader = Reader { consumer, shared: shared.clone(), failure: failure.clone() };
            let open = match format {
                Format::F32 => output::<f32>,
                Format::I16 => output::<i16>,
                Format::I32 => output::<i32>,
                Format::U8 => output::<u8>,
            };
            open(&device, config, reader)
        })
        .map_err(|error| refused(KIND, &error))?;
        let ring = ring.ok_or_else(|| start_failed(KIND))?;
        stream.play().map_err(|error| refused(KIND, &error))?;
        Ok((OpenDevice { _stream: stream, failure: failure.clone() }, SpeakerRing { rate, ring, shared }))
    };
    guarded(open).unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }))
}

/// Opens the microphone called `name` or the default.
pub(super) fn open_microphone(name: Option<&str>) -> Result<(OpenDevice, MicrophoneRing), MediaError> {
    const KIND: DeviceKind = DeviceKind::Microphone;
    let failure = Failure::default();
    let device = pick(KIND, name)?;
    let open = || {
        let ranges: Vec<_> =
            device.supported_input_configs().map_err(|error| refused(KIND, &error))?.collect();
        let default = device.default_input_config().map_err(|error| refused(KIND, &error))?;
        let (format, rate) = Format::best(KIND, &ranges)?;
        let rate = rate.unwrap_or(default.sample_rate());
        let mut ring = None;
        let stream = with_buffer(CAPTURED_AT_ONCE, |buffer_size| {
            let (producer, consumer) = rtrb::RingBuffer::new(RING);
            ring = Some(consumer);
            let config = StreamConfig { channels: default.channels(), sample_rate: rate, buffer_size };
            let open = match format {
                Format::F32 => input::<f32>,
                Format::I16 => input::<i16>,
                Format::I32 => input::<i32>,
                Format::U8 => input::<u8>,
            };
            open(&device, config, producer, failure.clone())
        })
        .map_err(|error| refused(KIND, &error))?;
        let ring = ring.ok_or_else(|| start_failed(KIND))?;
        stream.play().map_err(|error| refused(KIND, &error))?;
        Ok((OpenDevice { _stream: stream, failure: failure.clone() }, MicrophoneRing { rate, ring }))
    };
    guarded(open).unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }))
}

/// Tries the size that is known to work well, then the system's own choice.
fn with_buffer<T>(
    frames: u32,
    mut open: impl FnMut(BufferSize) -> Result<T, cpal::Error>,
) -> Result<T, cpal::Error> {
    match open(BufferSize::Fixed(frames)) {
        Err(error) if matches!(error.kind(), ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput) => {
            open(BufferSize::Default)
        }
        opened => opened,
    }
}

/// The sample formats that are handled, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    F32,
    I16,
    I32,
    U8,
}

impl Format {
    const ALL: [Self; 4] = [Self::F32, Self::I16, Self::I32, Self::U8];

    fn as_cpal(self) -> SampleFormat {
        match self {
            Self::F32 => SampleFormat::F32,
            Self::I16 => SampleFormat::I16,
            Self::I32 => SampleFormat::I32,
            Self::U8 => SampleFormat::U8,
        }
    }

    /// The best that the device has and, with it, 48 kHz where it has that.
    fn best(
        kind: DeviceKind,
        ranges: &[SupportedStreamConfigRange],
    ) -> Result<(Self, Option<u32>), MediaError> {
        let has = |format: &Self| ranges.iter().any(|range| range.sample_format() == format.as_cpal());
        let format = Self::ALL.into_iter().find(has).ok_or_else(|| MediaError::DeviceStart {
            kind,
            what: "its samples are of a kind that is not supported".to_owned(),
        })?;
        let at_48_khz = ranges.iter().any(|range| {
            range.sample_format() == format.as_cpal()
                && (range.min_sample_rate()..=range.max_sample_rate()).contains(&SAMPLE_RATE)
        });
        Ok((format, at_48_khz.then_some(SAMPLE_RATE)))
    }
}

/// What a speaker's callback holds.
struct Reader {
    consumer: rtrb::Consumer<f32>,
    shared: Arc<SpeakerShared>,
    failure: Failure,
}

fn output<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    reader: Reader,
) -> Result<cpal::Stream, cpal::Error> {
    let Reader { mut consumer, shared, failure } = reader;
    let channels = usize::from(config.channels.max(1));
    let mut begun = false;
    let play = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        let wanted = data.len() / channels;
        shared.appetite.fetch_max(wanted, Ordering::Relaxed);
        let count = wanted.min(consumer.slots());
        begun |= count > 0;
        if begun && count < wanted {
            shared.hungry.fetch_add(1, Ordering::Relaxed);
        }
        let mut samples = consumer.read_chunk(count).ok().map(|chunk| chunk.into_iter());
        for frame in data.chunks_mut(channels) {
            let sample = samples.as_mut().and_then(Iterator::next).unwrap_or(0.0);
            let sample = T::from_sample(sample);
            for (channel, out) in frame.iter_mut().enumerate() {
                // Voices belong to the two front speakers.
                *out = if channel < 2 { sample } else { T::EQUILIBRIUM };
            }
        }
    };
    device.build_output_stream(config, play, lost(DeviceKind::Speaker, failure), Some(OPENING))
}

fn input<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut producer: rtrb::Producer<f32>,
    failure: Failure,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels.max(1));
    let capture = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let frames = (data.len() / channels).min(producer.slots());
        let mono = data
            .chunks_exact(channels)
            .map(|frame| frame.iter().map(|sample| f32::from_sample(*sample)).sum::<f32>() / channels as f32);
        if let Ok(chunk) = producer.write_chunk_uninit(frames) {
            chunk.fill_from_iter(mono.take(frames));
        }
    };
    device.build_input_stream(config, capture, lost(DeviceKind::Microphone, failure), Some(OPENING))
}

/// Tells a device that stopped from one that only stumbled.
fn lost(kind: DeviceKind, failure: Failure) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| {
        if matches!(error.kind(), ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged) {
            tracing::debug!(%kind, %error, "a sound device stumbled");
        } else {
            failure.report(MediaError::DeviceLost { kind, what: error.to_string() });
        }
    }
}

fn refused(kind: DeviceKind, error: &cpal::Error) -> MediaError {
    let is = |expected| error.kind() == expected;
    if is(ErrorKind::DeviceBusy) {
        MediaError::DeviceBusy(kind)
    } else if is(ErrorKind::PermissionDenied) {
        MediaError::DeviceForbidden(kind)
    } else if is(ErrorKind::HostUnavailable) {
        MediaError::NoDevice(kind)
    } else {
        MediaError::DeviceStart { kind, what: error.to_string() }
    }
}

fn start_failed(kind: DeviceKind) -> MediaError {
    MediaError::DeviceStart { kind, what: "the system gave no stream".to_owned() }
}
