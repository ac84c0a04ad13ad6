//! Microphones of PulseAudio, and of PipeWire in its clothes. cpal allows the server to keep a single
//! delivery for us: what comes while that waits for a busy server or for us is lost, 20 ms every few
//! seconds on a computer with something to do. Here it may keep a second.

use std::ffi::CString;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use confab_frame::SAMPLE_RATE;
use pollster::block_on;
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{RecordStreamParams, SampleFormat, SampleSpec};
use pulseaudio::{Client, ClientError, RecordStream};

use super::ring::{self, MicrophoneRing};
use super::{CAPTURED_A_SECOND, lost, refused, stream};
use crate::worker::{Failure, Worker};
use crate::{DeviceKind, MediaError};

/// How a device's id begins that is the server's.
const HOST: &str = "pulseaudio:";
/// How often the server is asked whether the stream is still there.
const LOOK: Duration = Duration::from_millis(100);
const SAMPLE: usize = size_of::<f32>();

/// The connection. It is kept: the library never ends its thread, so one for each use would pile up.
static CLIENT: Mutex<Option<Client>> = Mutex::new(None);

/// The server's name for the device with that id, if it is the server's.
pub(super) fn source(id: &str) -> Option<&str> {
    id.strip_prefix(HOST)
}

/// A microphone that is recorded; dropping it ends that.
pub(super) struct Recording {
    // Before the stream: it holds the stream too.
    _watch: Worker,
    _stream: RecordStream,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({:?})", self._stream)
    }
}

/// Records the source of that name.
pub(super) fn record(name: &str, failure: Failure) -> Result<(Recording, MicrophoneRing), MediaError> {
    const KIND: DeviceKind = DeviceKind::Microphone;
    let (stream, ring) = open(name).map_err(|error| refused(KIND, &error.into()))?;
    let watched = stream.clone();
    let watch = Worker::spawn("microphone-watch", move |stop| {
        let mut lost = lost(KIND, failure);
        while !stop.wait_until(Instant::now() + LOOK) {
            if let Err(error) = block_on(watched.timing_info()) {
                lost(error.into());
                break;
            }
        }
        Ok(())
    })?;
    Ok((Recording { _watch: watch, _stream: stream }, ring))
}

fn open(name: &str) -> Result<(RecordStream, MicrophoneRing), ClientError> {
    let client = client()?;
    let name = CString::new(name).map_err(std::io::Error::from)?;
    let source = block_on(client.source_info_by_name(name))?;
    let channels = source.sample_spec.channels;
    let frame = usize::from(channels.max(1)) * SAMPLE;
    let second = frame as u32 * SAMPLE_RATE;
    let params = RecordStreamParams {
        sample_spec: SampleSpec { format: SampleFormat::Float32Le, channels, sample_rate: SAMPLE_RATE },
        channel_map: source.channel_map,
        source_index: Some(source.index),
        buffer_attr: BufferAttr {
            max_length: second,
            fragment_size: second / CAPTURED_A_SECOND,
            ..BufferAttr::default()
        },
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..RecordStreamParams::default()
    };
    let (mut feed, ring) = ring::microphone(SAMPLE_RATE);
    let heard = move |bytes: &[u8]| {
        let (samples, _) = bytes.as_chunks::<SAMPLE>();
        let frames = samples.chunks_exact(frame / SAMPLE);
        feed.put(
            frames.len(),
            frames.map(|frame| stream::mono(frame.iter().copied().map(f32::from_le_bytes))),
        );
    };
    Ok((block_on(client.create_record_stream(params, heard))?, ring))
}

fn client() -> Result<Client, ClientError> {
    let mut kept = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = kept.as_ref().filter(|client| block_on(client.server_info()).is_ok()) {
        return Ok(client.clone());
    }
    // Gone, or there never was one.
    Ok(kept.insert(Client::from_env(c"Confab")?).clone())
}
