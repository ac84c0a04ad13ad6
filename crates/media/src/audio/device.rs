//! Speakers and microphones of the system. Their callbacks only move samples to or from a ring: no
//! lock, no allocation.

mod permission;
#[cfg(target_os = "linux")]
mod pulse;
mod ring;
mod server;
mod shape;
mod stream;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, StreamConfig};

pub(super) use ring::{MicrophoneRing, SpeakerRing};

use crate::devices::{Device, choose};
use crate::worker::{Failure, answered, guarded};
use crate::{DeviceKind, MediaError};
use shape::Shape;

/// Callbacks a second: more gap under load, and the system's own choice comes in bursts.
const PLAYED_A_SECOND: u32 = 50;
const CAPTURED_A_SECOND: u32 = 100;
/// What only repeats a speaker's sound.
const MONITOR: &str = ".monitor";

/// A server that did not answer is left alone for so long: each try leaves a thread behind.
const HANGING: Duration = Duration::from_secs(10);
/// A stream that does not end within this is left behind.
const CLOSING: Duration = Duration::from_millis(500);

/// Keeps a device open; dropping it closes the device.
pub(crate) struct OpenDevice {
    device: Device,
    stream: Option<Box<dyn Send + Sync>>,
    failure: Failure,
}

impl OpenDevice {
    /// Which device it is.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Where it is noted that the device stopped.
    pub(super) fn noted(&self) -> Failure {
        self.failure.clone()
    }

    /// Why the device stopped by itself, if it did.
    pub(super) fn failure(&self) -> Option<MediaError> {
        self.failure.get()
    }
}

impl Drop for OpenDevice {
    /// On a thread of its own: the library waits for ever for a stream that PulseAudio has ended, as
    /// it does when its device is unplugged and there is no other.
    fn drop(&mut self) {
        let stream = self.stream.take();
        let (done, over) = mpsc::sync_channel(1);
        let close = move || {
            drop(stream);
            // Nobody waits any more when it took too long.
            let _ = done.send(());
        };
        // Without a thread the stream is dropped here, with what would have run there.
        let closing = thread::Builder::new().name("device-close".to_owned()).spawn(close);
        if closing.is_ok() && over.recv_timeout(CLOSING).is_err() {
            tracing::warn!(kind = %self.device.kind, "a stream does not end and is left behind");
        }
    }
}

impl fmt::Debug for OpenDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenDevice")
    }
}

/// The system's sound. On Linux that is PulseAudio (or PipeWire in its clothes) where a server
/// answers, else ALSA. A connection to a server is kept: the library never ends its thread, so one
/// for each use would pile up. Nothing where a server takes connections and does not answer: ALSA
/// would only ask the same server, and its list is another.
fn host() -> Option<Arc<cpal::Host>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match &*kept {
        Kept::Server(host) if host.devices().is_ok() => return Some(host.clone()),
        Kept::Hanging(since) if since.elapsed() < HANGING => return None,
        Kept::Server(_) | Kept::Hanging(_) | Kept::Nothing => {}
    }
    // Gone, or it never was: a server that was started since is found.
    let host = Arc::new(cpal::default_host());
    if is_server(&host) {
        *kept = Kept::Server(host.clone());
    } else if server::takes_connections() {
        *kept = Kept::Hanging(Instant::now());
        return None;
    } else {
        *kept = Kept::Nothing;
    }
    Some(host)
}

/// What is known of the sound server.
enum Kept {
    Nothing,
    Server(Arc<cpal::Host>),
    /// It did not answer then.
    Hanging(Instant),
}

static KEPT: Mutex<Kept> = Mutex::new(Kept::Nothing);

fn is_server(host: &cpal::Host) -> bool {
    host.id().name().eq_ignore_ascii_case("pulseaudio")
}

/// Whether listing devices asks a server, which is cheap. Without one it opens them all.
#[cfg(target_os = "linux")]
pub(crate) fn lists_cheaply() -> bool {
    host().is_none_or(|host| is_server(&host))
}

/// The speakers or microphones of the system.
pub(crate) fn list(kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
    let found = found(kind)?;
    let real = found.iter().any(|(device, _)| is_real(device));
    Ok(found.into_iter().map(|(device, _)| device).filter(|device| is_offered(device, real)).collect())
}

/// What is no device to people is found only by its id; `real` says whether there is anything else.
fn is_offered(device: &Device, real: bool) -> bool {
    is_real(device) || (is_monitor(device) && device.is_default && real)
}

fn is_real(device: &Device) -> bool {
    !is_monitor(device) && !is_plugin(device)
}

/// A monitor hears what a speaker plays. It counts as a microphone only to somebody who made it the
/// system's default; a system without microphones does that by itself.
fn is_monitor(device: &Device) -> bool {
    device.kind == DeviceKind::Microphone && device.id.ends_with(MONITOR)
}

/// ALSA also lists its converters, a device that swallows everything, and each card in many forms: of
/// these the default counts and the form that takes any kind of sound.
fn is_plugin(device: &Device) -> bool {
    device.id.strip_prefix("alsa:").is_some_and(|id| id != "default" && !id.starts_with("plughw:"))
}

/// Every device of a kind, also those that are none to people.
fn found(kind: DeviceKind) -> Result<Vec<(Device, cpal::Device)>, MediaError> {
    guarded(|| {
        let host = host().ok_or(MediaError::NoAnswer(kind))?;
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
            Some((Device { kind, id, name, is_default }, device))
        });
        Ok(known.collect())
    })
    .unwrap_or_else(|what| Err(MediaError::DeviceStart { kind, what }))
}

fn pick(kind: DeviceKind, name: Option<&str>) -> Result<(Device, cpal::Device), MediaError> {
    let mut found = found(kind)?;
    let real = found.iter().any(|(device, _)| is_real(device));
    if name.is_none() {
        found.retain(|(device, _)| is_offered(device, real));
    }
    let devices: Vec<Device> = found.iter().map(|(device, _)| device.clone()).collect();
    let none = !devices.iter().any(|device| is_offered(device, real));
    // Where nothing is offered that is said, whatever was asked for.
    let missing = |error| if none { MediaError::NoDevice(kind) } else { error };
    let chosen = choose(kind, &devices, name).map_err(missing)?;
    Ok(found.swap_remove(chosen))
}

/// Opens the speaker called `name` or the default.
pub(super) fn open_speaker(name: Option<&str>) -> Result<(OpenDevice, SpeakerRing), MediaError> {
    let name = name.map(str::to_owned);
    answered(DeviceKind::Speaker, move || {
        let (about, device) = pick(DeviceKind::Speaker, name.as_deref())?;
        open_speaker_on(about, &device)
    })
}

/// Opens the microphone called `name` or the default.
pub(super) fn open_microphone(name: Option<&str>) -> Result<(OpenDevice, MicrophoneRing), MediaError> {
    let name = name.map(str::to_owned);
    answered(DeviceKind::Microphone, move || {
        let (about, device) = pick(DeviceKind::Microphone, name.as_deref())?;
        if permission::is_refused() {
            return Err(MediaError::DeviceForbidden(DeviceKind::Microphone));
        }
        #[cfg(target_os = "linux")]
        if let Some(source) = pulse::source(&about.id) {
            return record(&about, source);
        }
        open_microphone_on(about, &device)
    })
}

#[cfg(target_os = "linux")]
fn record(about: &Device, source: &str) -> Result<(OpenDevice, MicrophoneRing), MediaError> {
    let failure = Failure::default();
    let (recording, ring) = guarded(|| pulse::record(source, failure.clone()))
        .unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: DeviceKind::Microphone, what }))?;
    Ok((OpenDevice { device: about.clone(), stream: Some(Box::new(recording)), failure }, ring))
}

fn open_speaker_on<D>(about: Device, device: &D) -> Result<(OpenDevice, SpeakerRing), MediaError>
where
    D: DeviceTrait<Stream: Send + Sync + 'static>,
{
    const KIND: DeviceKind = DeviceKind::Speaker;
    let failure = Failure::default();
    let open = || {
        let ranges = device.supported_output_configs().map_err(|error| refused(KIND, &error))?;
        let shape = Shape::best(KIND, &ranges.collect::<Vec<_>>(), device.default_output_config().ok())?;
        let mut ring = None;
        let at_once = shape.rate / PLAYED_A_SECOND;
        let stream = with_buffer(shape, at_once, |config| {
            let (filled, feed) = ring::speaker(shape.rate, at_once as usize);
            ring = Some(filled);
            stream::output(device, shape.format, config, feed, lost(KIND, failure.clone()))
        })
        .map_err(|error| refused(KIND, &error))?;
        let ring = ring.ok_or_else(|| start_failed(KIND))?;
        stream.play().map_err(|error| refused(KIND, &error))?;
        Ok((OpenDevice { device: about, stream: Some(Box::new(stream)), failure: failure.clone() }, ring))
    };
    guarded(open).unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }))
}

fn open_microphone_on<D>(about: Device, device: &D) -> Result<(OpenDevice, MicrophoneRing), MediaError>
where
    D: DeviceTrait<Stream: Send + Sync + 'static>,
{
    const KIND: DeviceKind = DeviceKind::Microphone;
    let failure = Failure::default();
    let open = || {
        let ranges = device.supported_input_configs().map_err(|error| refused(KIND, &error))?;
        let shape = Shape::best(KIND, &ranges.collect::<Vec<_>>(), device.default_input_config().ok())?;
        let mut ring = None;
        let stream = with_buffer(shape, shape.rate / CAPTURED_A_SECOND, |config| {
            let (feed, heard) = ring::microphone(shape.rate);
            ring = Some(heard);
            stream::input(device, shape.format, config, feed, lost(KIND, failure.clone()))
        })
        .map_err(|error| refused(KIND, &error))?;
        let ring = ring.ok_or_else(|| start_failed(KIND))?;
        stream.play().map_err(|error| refused(KIND, &error))?;
        Ok((OpenDevice { device: about, stream: Some(Box::new(stream)), failure: failure.clone() }, ring))
    };
    guarded(open).unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }))
}

/// Tries the size that is known to work well, then the system's own choice.
fn with_buffer<T>(
    shape: Shape,
    frames: u32,
    mut open: impl FnMut(StreamConfig) -> Result<T, cpal::Error>,
) -> Result<T, cpal::Error> {
    let config =
        |buffer_size| StreamConfig { channels: shape.channels, sample_rate: shape.rate, buffer_size };
    match open(config(BufferSize::Fixed(frames))) {
        Err(error) if matches!(error.kind(), ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput) => {
            open(config(BufferSize::Default))
        }
        opened => opened,
    }
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

#[cfg(test)]
mod tests;
