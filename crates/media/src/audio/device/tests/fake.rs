//! A sound device of every kind that the library knows, played and heard by hand.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, Data, DeviceDescription, DeviceDescriptionBuilder, DeviceId, Error, ErrorKind, FrameCount,
    InputCallbackInfo, InputStreamTimestamp, OutputCallbackInfo, OutputStreamTimestamp, SampleFormat,
    StreamConfig, StreamInstant, SupportedBufferSize, SupportedStreamConfig, SupportedStreamConfigRange,
};

type Hear = Box<dyn FnMut(&Data, &InputCallbackInfo) + Send>;
type Play = Box<dyn FnMut(&mut Data, &OutputCallbackInfo) + Send>;
type Lose = Box<dyn FnMut(Error) + Send>;

/// What the stream was opened with.
#[derive(Default)]
struct Wire {
    hear: Option<Hear>,
    play: Option<Play>,
    lose: Option<Lose>,
    buffer: Option<BufferSize>,
}

/// A device with one form.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) format: SampleFormat,
    pub(super) channels: u16,
    pub(super) rate: u32,
    /// The system's own buffer size and no other.
    pub(super) fixed_buffer: bool,
    /// How opening fails.
    pub(super) broken: Option<ErrorKind>,
    wire: Arc<Mutex<Wire>>,
}

impl Fake {
    pub(super) fn new(format: SampleFormat, channels: u16, rate: u32) -> Self {
        Self { format, channels, rate, fixed_buffer: false, broken: None, wire: Arc::default() }
    }

    /// Lets the device hear `frames`, one sample a channel, each from -1 to 1.
    pub(super) fn hear(&self, frames: &[Vec<f64>]) {
        let samples: Vec<f64> = frames.iter().flatten().copied().collect();
        let mut memory = Memory::new(self.format, &samples);
        let now = StreamInstant::ZERO;
        let info = InputCallbackInfo::new(InputStreamTimestamp { callback: now, capture: now });
        let data = memory.data();
        (self.wire.lock().unwrap().hear.as_mut().unwrap())(&data, &info);
    }

    /// Lets the device play and returns its frames.
    pub(super) fn play(&self, frames: usize) -> Vec<Vec<f64>> {
        let channels = usize::from(self.channels);
        // Whatever stood there before has to be overwritten.
        let mut memory = Memory::new(self.format, &vec![0.7; frames * channels]);
        let now = StreamInstant::ZERO;
        let info = OutputCallbackInfo::new(OutputStreamTimestamp { callback: now, playback: now });
        let mut data = memory.data();
        (self.wire.lock().unwrap().play.as_mut().unwrap())(&mut data, &info);
        let samples = decode(self.format, data.bytes());
        samples.chunks_exact(channels).map(<[f64]>::to_vec).collect()
    }

    /// Lets the device fail.
    pub(super) fn lose(&self, error: Error) {
        (self.wire.lock().unwrap().lose.as_mut().unwrap())(error);
    }

    /// What the stream was opened with.
    pub(super) fn buffer(&self) -> Option<BufferSize> {
        self.wire.lock().unwrap().buffer
    }

    fn range(&self) -> SupportedStreamConfigRange {
        let unknown = SupportedBufferSize::Unknown;
        SupportedStreamConfigRange::new(self.channels, self.rate, self.rate, unknown, self.format)
    }

    fn config(&self) -> Result<SupportedStreamConfig, Error> {
        let unknown = SupportedBufferSize::Unknown;
        Ok(SupportedStreamConfig::new(self.channels, self.rate, unknown, self.format))
    }

    fn open(&self, config: StreamConfig, format: SampleFormat, lose: Lose) -> Result<Silent, Error> {
        if let Some(kind) = self.broken {
            return Err(Error::new(kind));
        }
        let asked = (config.channels, config.sample_rate, format);
        let fixed = matches!(config.buffer_size, BufferSize::Fixed(_));
        if asked != (self.channels, self.rate, self.format) || (fixed && self.fixed_buffer) {
            return Err(Error::new(ErrorKind::UnsupportedConfig));
        }
        let mut wire = self.wire.lock().unwrap();
        (wire.lose, wire.buffer) = (Some(lose), Some(config.buffer_size));
        Ok(Silent)
    }
}

/// Samples as they lie in a driver's memory; words so that every kind is aligned.
struct Memory {
    words: Vec<u64>,
    count: usize,
    format: SampleFormat,
}

impl Memory {
    fn new(format: SampleFormat, samples: &[f64]) -> Self {
        let mut bytes: Vec<u8> = samples.iter().flat_map(|sample| encode(format, *sample)).collect();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let words = bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap()));
        Self { words: words.collect(), count: samples.len(), format }
    }

    #[expect(unsafe_code, reason = "the library gives its hosts no other way to hand samples over")]
    fn data(&mut self) -> Data {
        // SAFETY: the words hold `count` samples of the format and live as long as the test uses them.
        unsafe { Data::from_parts(self.words.as_mut_ptr().cast(), self.count, self.format) }
    }
}

/// A sample in a driver's bytes.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are no sound")]
fn encode(format: SampleFormat, sample: f64) -> Vec<u8> {
    let whole = |bits: u32| (sample * ((1i128 << (bits - 1)) - 1) as f64).round() as i128;
    let raised = |bits: u32| whole(bits) + (1i128 << (bits - 1));
    match format {
        SampleFormat::I8 => (whole(8) as i8).to_ne_bytes().to_vec(),
        SampleFormat::I16 => (whole(16) as i16).to_ne_bytes().to_vec(),
        SampleFormat::I24 => (whole(24) as i32).to_ne_bytes().to_vec(),
        SampleFormat::I32 => (whole(32) as i32).to_ne_bytes().to_vec(),
        SampleFormat::I64 => (whole(64) as i64).to_ne_bytes().to_vec(),
        SampleFormat::U8 => (raised(8) as u8).to_ne_bytes().to_vec(),
        SampleFormat::U16 => (raised(16) as u16).to_ne_bytes().to_vec(),
        SampleFormat::U24 => (raised(24) as i32).to_ne_bytes().to_vec(),
        SampleFormat::U32 => (raised(32) as u32).to_ne_bytes().to_vec(),
        SampleFormat::U64 => (raised(64) as u64).to_ne_bytes().to_vec(),
        SampleFormat::F32 => (sample as f32).to_ne_bytes().to_vec(),
        SampleFormat::F64 => sample.to_ne_bytes().to_vec(),
        other => panic!("no sound in {other}"),
    }
}

/// What a driver's bytes mean, from -1 to 1.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are no sound")]
fn decode(format: SampleFormat, bytes: &[u8]) -> Vec<f64> {
    let bits = format.bits_per_sample();
    let scaled = |whole: i128| whole as f64 / ((1i128 << (bits - 1)) as f64);
    let lowered = |whole: i128| scaled(whole - (1i128 << (bits - 1)));
    let sample = |bytes: &[u8]| match format {
        SampleFormat::I8 => scaled(i8::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::I16 => scaled(i16::from_ne_bytes(bytes.try_into().unwrap()).into()),
        // A device looks at the 24 lower bits only.
        SampleFormat::I24 => scaled((i32::from_ne_bytes(bytes.try_into().unwrap()) << 8 >> 8).into()),
        SampleFormat::I32 => scaled(i32::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::I64 => scaled(i64::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::U8 => lowered(u8::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::U16 => lowered(u16::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::U24 => lowered((i32::from_ne_bytes(bytes.try_into().unwrap()) & 0xFF_FFFF).into()),
        SampleFormat::U32 => lowered(u32::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::U64 => lowered(u64::from_ne_bytes(bytes.try_into().unwrap()).into()),
        SampleFormat::F32 => f32::from_ne_bytes(bytes.try_into().unwrap()).into(),
        SampleFormat::F64 => f64::from_ne_bytes(bytes.try_into().unwrap()),
        other => panic!("no sound in {other}"),
    };
    bytes.chunks_exact(format.sample_size()).map(sample).collect()
}

/// The stream of a device that is driven by hand.
pub(super) struct Silent;

impl StreamTrait for Silent {
    fn play(&self) -> Result<(), Error> {
        Ok(())
    }

    fn pause(&self) -> Result<(), Error> {
        Ok(())
    }

    fn buffer_size(&self) -> Result<FrameCount, Error> {
        Ok(480)
    }

    fn now(&self) -> StreamInstant {
        StreamInstant::ZERO
    }
}

impl DeviceTrait for Fake {
    type SupportedInputConfigs = std::iter::Once<SupportedStreamConfigRange>;
    type SupportedOutputConfigs = std::iter::Once<SupportedStreamConfigRange>;
    type Stream = Silent;

    fn description(&self) -> Result<DeviceDescription, Error> {
        Ok(DeviceDescriptionBuilder::new("Fake").build())
    }

    fn id(&self) -> Result<DeviceId, Error> {
        Err(Error::new(ErrorKind::UnsupportedOperation))
    }

    fn supported_input_configs(&self) -> Result<Self::SupportedInputConfigs, Error> {
        Ok(std::iter::once(self.range()))
    }

    fn supported_output_configs(&self) -> Result<Self::SupportedOutputConfigs, Error> {
        Ok(std::iter::once(self.range()))
    }

    fn default_input_config(&self) -> Result<SupportedStreamConfig, Error> {
        self.config()
    }

    fn default_output_config(&self) -> Result<SupportedStreamConfig, Error> {
        self.config()
    }

    fn build_input_stream_raw<D, E>(
        &self,
        config: StreamConfig,
        format: SampleFormat,
        data: D,
        error: E,
        _timeout: Option<Duration>,
    ) -> Result<Silent, Error>
    where
        D: FnMut(&Data, &InputCallbackInfo) + Send + 'static,
        E: FnMut(Error) + Send + 'static,
    {
        let stream = self.open(config, format, Box::new(error))?;
        self.wire.lock().unwrap().hear = Some(Box::new(data));
        Ok(stream)
    }

    fn build_output_stream_raw<D, E>(
        &self,
        config: StreamConfig,
        format: SampleFormat,
        data: D,
        error: E,
        _timeout: Option<Duration>,
    ) -> Result<Silent, Error>
    where
        D: FnMut(&mut Data, &OutputCallbackInfo) + Send + 'static,
        E: FnMut(Error) + Send + 'static,
    {
        let stream = self.open(config, format, Box::new(error))?;
        self.wire.lock().unwrap().play = Some(Box::new(data));
        Ok(stream)
    }
}

impl PartialEq for Fake {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wire, &other.wire)
    }
}

impl Eq for Fake {}

impl Hash for Fake {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rate.hash(state);
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x{} at {}", self.format, self.channels, self.rate)
    }
}

impl fmt::Display for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
