//! Cameras: a thread that puts the latest picture into a slot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_frame::{Slot, VideoFrame};

use crate::devices::Device;
use crate::worker::{Stop, Worker};
use crate::{CameraSource, DeviceKind, MediaError, VideoConfig};
use device::{Pulse, Running};

pub(crate) mod convert;
pub(crate) mod device;
mod pattern;
mod y4m;

pub use pattern::TestPattern;
pub use y4m::Y4m;

/// A running camera. Dropping it stops the device, empties the slot and joins its thread "camera".
#[derive(Debug)]
pub struct Camera {
    worker: Worker,
    /// Which device runs, and whether it still does.
    device: Option<(Device, Pulse)>,
    out: Arc<Slot<VideoFrame>>,
}

impl Camera {
    /// Opens the source and lets it fill `out`. Returns once the source is open, which takes up to
    /// a second for a device: do not call it on a thread that must not wait.
    ///
    /// The test pattern has the size and rate of `config`. A file keeps its own size; it runs at its
    /// own rate and shows at most `config.fps` pictures a second. A device is asked for the nearest
    /// it offers.
    pub fn start(
        source: &CameraSource,
        config: VideoConfig,
        out: Arc<Slot<VideoFrame>>,
    ) -> Result<Self, MediaError> {
        let slot = out.clone();
        let worker = match source {
            CameraSource::Device(name) => {
                let Running { worker, device, pulse } = device::start(name.clone(), config, slot)?;
                return Ok(Self { worker, device: Some((device, pulse)), out });
            }
            CameraSource::Test => {
                let pattern = TestPattern::new(config.width, config.height)?;
                Worker::spawn("camera", move |stop| run_pattern(pattern, config.fps, &slot, stop))?
            }
            CameraSource::File(path) => {
                let file = Y4m::open(path)?;
                let (width, height) = file.size();
                // What the encoder takes; the file's own limits are wider.
                if ![width, height].iter().all(|side| (16..=4096).contains(side)) {
                    let problem =
                        format!("its pictures are {width}x{height}, both sides must have 16 to 4096 pixels");
                    return Err(MediaError::File { kind: DeviceKind::Camera, path: path.clone(), problem });
                }
                Worker::spawn("camera", move |stop| run_file(file, config.fps, &slot, stop))?
            }
        };
        Ok(Self { worker, device: None, out })
    }

    /// Which device runs; nothing for a test pattern or a file.
    pub fn device(&self) -> Option<&Device> {
        self.device.as_ref().map(|(device, _)| device)
    }

    /// Why the camera stopped by itself or hangs, if it does.
    pub fn failure(&self) -> Option<MediaError> {
        let hangs = || self.device.as_ref().and_then(|(_, pulse)| pulse.failure(Instant::now()));
        self.worker.failure().or_else(hangs)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.worker.stop();
        self.out.clear();
    }
}

/// Calls `tick` with the count of periods since the start, once a period, until told to stop.
/// A period that was missed is left out, not caught up with.
fn paced(
    fps: f64,
    stop: &Stop,
    mut tick: impl FnMut(u64) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    let start = Instant::now();
    let mut count = 0u64;
    while !stop.wait_until(start + Duration::from_secs_f64(count as f64 / fps)) {
        tick(count)?;
        let due = (start.elapsed().as_secs_f64() * fps) as u64;
        count = due.max(count) + 1;
    }
    Ok(())
}

fn run_pattern(
    mut pattern: TestPattern,
    fps: u32,
    out: &Slot<VideoFrame>,
    stop: &Stop,
) -> Result<(), MediaError> {
    let fps = f64::from(fps.clamp(1, 120));
    paced(fps, stop, |_| {
        out.put(pattern.draw(Instant::now())?);
        Ok(())
    })
}

fn run_file(mut file: Y4m, fps: u32, out: &Slot<VideoFrame>, stop: &Stop) -> Result<(), MediaError> {
    let shown = file.fps().min(f64::from(fps.clamp(1, 120)));
    let step = file.fps() / shown;
    paced(shown, stop, |count| {
        let index = (count as f64 * step).round() as u64 % file.frames();
        let buffer = Arc::new(file.read(index)?);
        out.put(VideoFrame { buffer, at: Instant::now() });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::read_stamp;
    use confab_frame::Cursor;

    #[test]
    fn the_test_camera_counts_and_dates_its_pictures_and_lets_go_on_drop() {
        let out = Arc::new(Slot::default());
        let config = VideoConfig { width: 320, height: 180, fps: 60, ..VideoConfig::default() };
        let camera = Camera::start(&CameraSource::Test, config, out.clone()).unwrap();
        let mut cursor = Cursor::default();
        let mut next = || out.wait_newer(&mut cursor, Duration::from_secs(10)).unwrap();
        let (first, second) = (next(), next());
        let (a, b) = (read_stamp(&first.buffer).unwrap(), read_stamp(&second.buffer).unwrap());
        assert!(a.counter < b.counter && a.captured_us < b.captured_us, "{a:?} {b:?}");
        assert!(crate::clock::since(a.captured_us) < Duration::from_secs(10));
        assert_eq!(camera.failure(), None);
        drop(camera);
        assert!(out.latest().is_none());
    }

    #[test]
    fn a_test_picture_of_an_impossible_size_is_refused_by_name() {
        let config = VideoConfig { width: 641, ..VideoConfig::default() };
        let error = Camera::start(&CameraSource::Test, config, Arc::default()).unwrap_err();
        assert_eq!(error.code(), -1305);
        assert!(error.to_string().contains("641x720"), "{error}");
    }
}
