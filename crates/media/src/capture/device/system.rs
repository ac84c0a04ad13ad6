//! The system's cameras, through the library nokhwa.

#[cfg(target_os = "macos")]
use std::sync::mpsc;

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat, RequestedFormatType,
};
use nokhwa::{Camera, NokhwaError};

use super::{Driver, KIND, Opened, PixelFormat, RawPicture, impossible_size};
use crate::devices::{Device, choose};
use crate::worker::guarded;
use crate::{MediaError, VideoConfig};

/// How long a person may take to answer the system's question.
#[cfg(target_os = "macos")]
const ANSWERING: std::time::Duration = std::time::Duration::from_secs(6);
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
    prepare();
    let mut cameras = guarded(|| nokhwa::query(ApiBackend::Auto))
        .map_err(|what| MediaError::DeviceStart { kind: KIND, what })?
        .map_err(|error| refused(&error))?;
    cameras.retain(gives_pictures);
    Ok(cameras)
}

/// What the system tells the camera from others by, else its number.
fn id(info: &CameraInfo) -> String {
    let number = info.index().as_string();
    if info.misc().is_empty() { lasting_name(&number).unwrap_or(number) } else { info.misc() }
}

/// The name by which Linux knows a camera, whatever number it gets: `usb-046d_HD_Webcam-video-index0`.
#[cfg(target_os = "linux")]
fn lasting_name(number: &str) -> Option<String> {
    let node = std::path::PathBuf::from(format!("/dev/video{number}"));
    let links = std::fs::read_dir("/dev/v4l/by-id").ok()?;
    let names = links
        .filter_map(Result::ok)
        .filter(|link| std::fs::canonicalize(link.path()).is_ok_and(|target| target == node));
    names.map(|link| link.file_name().to_string_lossy().into_owned()).min()
}

#[cfg(not(target_os = "linux"))]
fn lasting_name(_: &str) -> Option<String> {
    None
}

/// Linux gives every camera a second node, which only describes the pictures of the first. One that
/// cannot be asked is offered: opening it tells why.
#[cfg(target_os = "linux")]
fn gives_pictures(info: &CameraInfo) -> bool {
    let Ok(number) = info.index().as_index() else { return true };
    let can = v4l::Device::new(number as usize).and_then(|node| node.query_caps());
    can.map_or(true, |can| can.capabilities.contains(v4l::capability::Flags::VIDEO_CAPTURE))
}

#[cfg(not(target_os = "linux"))]
fn gives_pictures(_: &CameraInfo) -> bool {
    true
}

/// Makes this thread one that may ask Windows for cameras: nokhwa prepares only the first thread that
/// asks it, and the sound library every one.
#[cfg(windows)]
fn prepare() {
    use cpal::traits::HostTrait;
    let _ = guarded(|| cpal::default_host().default_input_device());
}

#[cfg(not(windows))]
fn prepare() {}

/// Opens the camera called `name`, or the first. To be called on the thread that uses it.
pub(super) fn open(name: Option<&str>, config: VideoConfig) -> Result<Opened, MediaError> {
    permit()?;
    let cameras = query()?;
    let mut devices = devices(&cameras);
    let chosen = choose(KIND, &devices, name)?;
    let index = cameras.get(chosen).map_or(CameraIndex::Index(0), |info| info.index().clone());
    // Any format opens the camera; then it tells all it has, and the best is chosen of those.
    let any = RequestedFormatType::AbsoluteHighestFrameRate;
    let mut camera =
        Camera::new(index, RequestedFormat::with_formats(any, &FORMATS)).map_err(|error| refused(&error))?;
    if let Ok(formats) = camera.compatible_camera_formats() {
        match best(&formats, config) {
            Some(best) => {
                let exactly = RequestedFormatType::Exact(best);
                // A camera that refuses the change keeps the format that it was opened with.
                let _ = camera.set_camera_requset(RequestedFormat::with_formats(exactly, &FORMATS));
            }
            None => only_impossible(&formats)?,
        }
    }
    camera.open_stream().map_err(|error| refused(&error))?;
    Ok((devices.swap_remove(chosen), Box::new(System(camera))))
}

/// A camera of the system that is open.
struct System(Camera);

impl Driver for System {
    fn picture(&mut self) -> Result<RawPicture, MediaError> {
        let lost = |error: NokhwaError| MediaError::DeviceLost { kind: KIND, what: error.to_string() };
        let frame = self.0.frame().map_err(lost)?;
        let format = match frame.source_frame_format() {
            FrameFormat::YUYV => PixelFormat::Yuyv,
            FrameFormat::NV12 => PixelFormat::Nv12,
            FrameFormat::MJPEG => PixelFormat::Mjpeg,
            FrameFormat::RAWRGB => PixelFormat::Rgb,
            FrameFormat::RAWBGR => PixelFormat::Bgr,
            FrameFormat::GRAY => PixelFormat::Gray,
        };
        let size = frame.resolution();
        Ok(RawPicture { format, width: size.width(), height: size.height(), bytes: frame.buffer_bytes() })
    }

    fn close(&mut self) {
        // A camera that does not stop is closed all the same.
        let _ = self.0.stop_stream();
    }
}

/// Says it when a camera has pictures, and none of a size that can be sent.
fn only_impossible(formats: &[CameraFormat]) -> Result<(), MediaError> {
    let mut refusals = formats.iter().filter_map(|format| impossible_size(format.width(), format.height()));
    refusals.next_back().map_or(Ok(()), |what| Err(MediaError::DeviceStart { kind: KIND, what }))
}

/// The format nearest to what is wanted: the size first, then enough pictures a second, then the
/// cheapest to convert.
fn best(formats: &[CameraFormat], config: VideoConfig) -> Option<CameraFormat> {
    formats
        .iter()
        .filter(|format| FORMATS.contains(&format.format()))
        .filter(|format| impossible_size(format.width(), format.height()).is_none())
        .min_by_key(|format| {
            let size = format.width().abs_diff(config.width) + format.height().abs_diff(config.height);
            let short = config.fps.saturating_sub(format.frame_rate());
            let surplus = format.frame_rate().saturating_sub(config.fps);
            let cost = FORMATS.iter().position(|known| *known == format.format());
            (size, short, cost, surplus)
        })
        .copied()
}

/// Asks the system for its permission where it must be asked.
#[cfg(target_os = "macos")]
fn permit() -> Result<(), MediaError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (answer, answered) = mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |granted| {
        // Nobody waits for it any more, or it was given before.
        let _ = answer.try_send(granted);
    });
    match answered.recv_timeout(ANSWERING) {
        Ok(true) => Ok(()),
        Ok(false) => Err(MediaError::DeviceForbidden(KIND)),
        Err(_) => {
            let what = "your computer asks whether this app may use it; allow that, then start it again";
            Err(MediaError::DeviceStart { kind: KIND, what: what.to_owned() })
        }
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
    use std::sync::Arc;

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
    fn sizes_that_cannot_be_sent_are_not_chosen_and_said_where_there_are_no_others() {
        let huge = format(7680, 4320, FrameFormat::MJPEG, 30);
        let small = format(640, 480, FrameFormat::MJPEG, 30);
        let config = VideoConfig { width: 7680, height: 4320, ..VideoConfig::default() };
        assert_eq!(best(&[huge, small], config), Some(small));
        assert_eq!(best(&[huge], config), None);
        let said = only_impossible(&[huge]).unwrap_err().to_string();
        assert!(said.contains("7680x4320") && said.contains("16 to 4096"), "{said}");
        assert_eq!(only_impossible(&[]), Ok(()));
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
        let source = crate::CameraSource::Device(None);
        let started = crate::capture::Camera::start(&source, VideoConfig::default(), Arc::default());
        assert_eq!(started.unwrap_err(), MediaError::NoDevice(KIND));
    }
}
