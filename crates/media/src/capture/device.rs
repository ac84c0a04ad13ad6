//! A camera of the system. The drivers behind it are known to panic, to hang and to deliver something
//! else than they say, so everything that touches them runs on the camera's own thread, guarded, and
//! what they deliver is looked at before it is believed.

mod format;
mod system;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use confab_frame::{FramePool, Slot, VideoFrame};

pub(super) use format::{Judge, PixelFormat};
pub(crate) use system::list;

use super::convert::to_i420;
use crate::devices::Device;
use crate::worker::{Stop, Worker, guarded};
use crate::{DeviceKind, MediaError, VideoConfig};

const KIND: DeviceKind = DeviceKind::Camera;
/// A camera that does not open within this is given up.
const OPENING: Duration = Duration::from_secs(8);
/// A camera that gives no picture for so long hangs. In the dark some take a second for one.
const HANGING: Duration = Duration::from_secs(5);
/// Pictures that may be damaged in a row before the camera counts as broken.
const DAMAGED: u32 = 30;
/// What the encoder takes of each side, pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;

/// A camera's driver: the system's, or one for tests. Used on one thread only.
pub(super) trait Driver {
    /// Waits for the next picture.
    fn picture(&mut self) -> Result<RawPicture, MediaError>;

    /// Stops the device.
    fn close(&mut self);
}

/// A picture as a driver delivers it.
#[derive(Clone, Debug)]
pub(super) struct RawPicture {
    /// What the driver says that it is.
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bytes: Bytes,
}

/// A driver and the device that it drives.
type Opened = (Device, Box<dyn Driver>);

/// When a camera last gave something.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    fn beat(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What is wrong at `now`, if anything is.
    pub(super) fn failure(&self, now: Instant) -> Option<MediaError> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let still = now.saturating_duration_since(last) > HANGING;
        let what = format!("it gave no picture for {} seconds", HANGING.as_secs());
        still.then_some(MediaError::DeviceLost { kind: KIND, what })
    }
}

/// A camera's thread, what it drives, and its pulse.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) worker: Worker,
    pub(super) device: Device,
    pub(super) pulse: Pulse,
}

/// Opens the camera called `name`, or the first, on its thread and returns once pictures may come.
pub(super) fn start(
    name: Option<String>,
    config: VideoConfig,
    out: Arc<Slot<VideoFrame>>,
) -> Result<Running, MediaError> {
    start_with(move || system::open(name.as_deref(), config), out, OPENING)
}

fn start_with(
    open: impl FnOnce() -> Result<Opened, MediaError> + Send + 'static,
    out: Arc<Slot<VideoFrame>>,
    patience: Duration,
) -> Result<Running, MediaError> {
    let (opened, opening) = mpsc::sync_channel(1);
    let pulse = Pulse::new(Instant::now());
    let theirs = pulse.clone();
    let worker = Worker::spawn("camera", move |stop| {
        let camera = guarded(open).unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }));
        match camera {
            Ok((device, mut driver)) => {
                theirs.beat(Instant::now());
                // Nobody waits any more when opening took too long; then `stop` is set.
                let _ = opened.send(Ok(device));
                guarded(|| run(&mut *driver, &out, &theirs, stop))
                    .unwrap_or_else(|what| Err(MediaError::DeviceLost { kind: KIND, what }))
            }
            Err(error) => {
                let _ = opened.send(Err(error));
                Ok(())
            }
        }
    })?;
    match opening.recv_timeout(patience) {
        Ok(Ok(device)) => Ok(Running { worker, device, pulse }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(MediaError::DeviceStart { kind: KIND, what: "it does not answer".to_owned() }),
    }
}

fn run(
    driver: &mut dyn Driver,
    out: &Slot<VideoFrame>,
    pulse: &Pulse,
    stop: &Stop,
) -> Result<(), MediaError> {
    let lost = |what| MediaError::DeviceLost { kind: KIND, what };
    let (pool, mut judge, mut damaged) = (FramePool::new(), Judge::default(), 0);
    while !stop.is_set() {
        let raw = driver.picture()?;
        let at = Instant::now();
        if stop.is_set() {
            // A driver that hung may answer when nobody wants its picture any more.
            break;
        }
        pulse.beat(at);
        if let Some(what) = impossible_size(raw.width, raw.height) {
            return Err(lost(what));
        }
        let picture = judge.settle(&raw).and_then(|format| {
            guarded(|| to_i420(format, raw.width, raw.height, &raw.bytes, &pool)).flatten()
        });
        match picture {
            Ok(picture) => {
                damaged = 0;
                out.put(VideoFrame { buffer: Arc::new(picture), at });
            }
            Err(what) if damaged < DAMAGED => {
                if damaged == 0 {
                    tracing::warn!(what, "a camera picture cannot be used and is left out");
                }
                damaged += 1;
            }
            Err(what) => return Err(lost(what)),
        }
    }
    // Said aloud because some drivers keep the light on otherwise.
    driver.close();
    Ok(())
}

/// Why pictures of that size cannot be sent, if they cannot.
fn impossible_size(width: u32, height: u32) -> Option<String> {
    let (least, most) = (SIDES.start(), SIDES.end());
    let fits = SIDES.contains(&width) && SIDES.contains(&height);
    (!fits)
        .then(|| format!("its pictures are {width}x{height}, both sides must have {least} to {most} pixels"))
}

#[cfg(test)]
mod tests;
