//! A camera of the system. The drivers behind it are known to panic and to hang, so everything that
//! touches them runs on the camera's own thread, guarded.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use confab_frame::{FramePool, Slot, VideoFrame};
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat, RequestedFormatType,
};
use nokhwa::{Camera, NokhwaError};

use super::convert::to_i420;
use crate::devices::{Device, choose};
use crate::worker::{Stop, Worker, guarded};
use crate::{DeviceKind, MediaError, VideoConfig};

const KIND: DeviceKind = DeviceKind::Camera;
/// A camera that does not open within this is given up.
const OPENING: Duration = Duration::from_secs(8);
/// Pictures that may be damaged in a row before the camera counts as broken.
const DAMAGED: u32 = 30;
/// Formats in the order in which they are wished for: raw ones cost no decoding.
const FORMATS: [FrameFormat; 6] = [
    FrameFormat::YUYV,
    FrameFormat::NV12,
    FrameFormat::MJPEG,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
    FrameFormat::GRAY,
];

/// The cameras of the system.
pub(crate) fn list() -> Result<Vec<Device>, MediaError> {
    Ok(devices(&query()?))
}

fn devices(cameras: &[CameraInfo]) -> Vec<Device> {
    let device = |(number, info): (usize, &CameraInfo)| Device {
        kind: KIND,
        id: id(info),
        name: info.human_name(),
        is_default: number == 0,
    };
    cameras.iter().enumerate().map(device).collect()
}

fn query() -> Result<Vec<CameraInfo>, MediaError> {
    guarded(|| nokhwa::query(ApiBackend::Auto))
        .map_err(|what| MediaError::DeviceStart { kind: KIND, what })?
        .map_err(|error| refused(&error))
}

/// What the system tells the camera from others by, else its number.
fn id(info: &CameraInfo) -> String {
    if info.misc().is_empty() { info.index().as_string() } else { info.misc() }
}

/// Opens the camera called `name`, or the first, on its thread and returns once pictures come.
pub(super) fn start(
    name: Option<String>,
    config: VideoConfig,
    out: Arc<Slot<VideoFrame>>,
) -> Result<Worker, MediaError> {
    let (opened, opening) = mpsc::sync_channel(1);
    let worker = Worker::spawn("camera", move |stop| {
        let camera = guarded(|| open(name.as_deref(), config))
            .unwrap_or_else(|what| Err(MediaError::DeviceStart { kind: KIND, what }));
        match camera {
            Ok(camera) => {
                // Nobody waits any more when opening took too long; then `stop` is set.
                let _ = opened.send(Ok(()));
                guarded(|| run(camera, &out, stop))
                    .unwrap_or_else(|what| Err(MediaError::DeviceLost { kind: KIND, what }))
            }
            Err(error) => {
                let _ = opened.send(Err(error));
                Ok(())
            }
        }
    })?;
    match opening.recv_timeout(OPENING) {
        Ok(Ok(())) => Ok(worker),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(MediaError::DeviceStart { kind: KIND, what: "it does not answer".to_owned() }),
    }
}

fn open(name: Option<&str>, config: VideoConfig) -> Result<Camera, MediaError> {
    permit()?;
    let cameras = query()?;
    let chosen = choose(KIND, &devices(&cameras), name)?;
    let index = cameras.get(chosen).map_or(CameraIndex::Index(0), |info| info.index().clone());
    // Any format opens the camera; then it tells all it has, and the best is chosen of those.
    let any = RequestedFormatType::AbsoluteHighestFrameRate;
    let mut camera =
        Camera::new(index, RequestedFormat::with_formats(any, &FORMATS)).map_err(|error| refused(&error))?;
    if let Ok(formats) = camera.compatible_camera_formats()
        && let Some(best) = best(&formats, config)
    {
        // A camera that refuses the change keeps the format that it was opened with.
        let _ = camera
            .set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(best), &FORMATS));
    }
    camera.open_stream().map_err(|error| refused(&error))?;
    Ok(camera)
}

/// The format nearest to what is wanted: the size first, then enough pictures a second, then the
/// cheapest to convert.
fn best(formats: &[CameraFormat], config: VideoConfig) -> Option<CameraFormat> {
    formats
        .iter()
        .filter(|format| FORMATS.contains(&format.format()))
        .min_by_key(|format| {
            let size = format.width().abs_diff(config.width) + format.height().abs_diff(config.height);
            let short = config.fps.saturating_sub(format.frame_rate());
            let surplus = format.frame_rate().saturating_sub(config.fps);
            let cost = FORMATS.iter().position(|known| *known == format.format());
            (size, short, cost, surplus)
        })
        .copied()
}

fn run(mut camera: Camera, out: &Slot<VideoFrame>, stop: &Stop) -> Result<(), MediaError> {
    let pool = FramePool::new();
    let mut damaged = 0;
    while !stop.is_set() {
        let frame =
            camera.frame().map_err(|error| MediaError::DeviceLost { kind: KIND, what: error.to_string() })?;
        let at = Instant::now();
        let size = frame.resolution();
        match to_i420(frame.source_frame_format(), size.width(), size.height(), frame.buffer(), &pool) {
            Ok(picture) => {
                damaged = 0;
                out.put(VideoFrame { buffer: Arc::new(picture), at });
            }
            Err(what) => {
                damaged += 1;
                tracing::debug!(what, "a camera picture cannot be used");
                if damaged >= DAMAGED {
                    return Err(MediaError::DeviceLost { kind: KIND, what });
                }
            }
        }
    }
    // Said aloud because some drivers keep the light on otherwise; a failure changes nothing.
    let _ = camera.stop_stream();
    Ok(())
}

/// Asks the system for its permission where it must be asked.
#[cfg(target_os = "macos")]
fn permit() -> Result<(), MediaError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (answer, answered) = mpsc::channel();
    nokhwa::nokhwa_initialize(move |granted| {
        let _ = answer.send(granted);
    });
    match answered.recv_timeout(OPENING) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(MediaError::DeviceForbidden(KIND)),
    }
}

#[cfg(not(target_os = "macos"))]
fn permit() -> Result<(), MediaError> {
    Ok(())
}

/// What a driver's refusal means. Drivers only give texts.
fn refused(error: &NokhwaError) -> MediaError {
    let what = error.to_string();
    let said = what.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["busy", "in use", "ebusy", "os error 16", "0xc00d3704"]) {
        MediaError::DeviceBusy(KIND)
    } else if says(&["permission", "denied", "not authorized", "os error 13", "0x80070005"]) {
        MediaError::DeviceForbidden(KIND)
    } else {
        MediaError::DeviceStart { kind: KIND, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nokhwa::utils::Resolution;

    fn format(width: u32, height: u32, format: FrameFormat, fps: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), format, fps)
    }

    #[test]
    fn size_counts_before_rate_and_rate_before_conversion() {
        let config = VideoConfig::default();
        let raw = format(640, 480, FrameFormat::YUYV, 30);
        let slow = format(1280, 720, FrameFormat::YUYV, 10);
        let packed = format(1280, 720, FrameFormat::MJPEG, 30);
        assert_eq!(best(&[raw, slow, packed], config), Some(packed));
        assert_eq!(best(&[raw, slow], config), Some(slow));
        let both = format(1280, 720, FrameFormat::NV12, 30);
        assert_eq!(best(&[packed, both], config), Some(both));
        assert_eq!(best(&[], config), None);
    }

    #[test]
    fn refusals_are_told_apart() {
        let code = |text: &str| refused(&NokhwaError::OpenStreamError(text.to_owned())).code();
        assert_eq!(code("Device or resource busy (os error 16)"), -1316);
        assert_eq!(code("Permission denied (os error 13)"), -1314);
        assert_eq!(code("no such format"), -1301);
    }

    #[test]
    fn a_computer_without_cameras_says_so() {
        if !list().unwrap().is_empty() {
            return;
        }
        let started = Instant::now();
        let error = super::super::Camera::start(
            &crate::CameraSource::Device(None),
            VideoConfig::default(),
            Arc::default(),
        )
        .unwrap_err();
        assert_eq!(error, MediaError::NoDevice(KIND));
        assert!(started.elapsed() < OPENING);
    }
}
