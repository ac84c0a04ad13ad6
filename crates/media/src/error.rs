//! Failures of devices, files and codecs, with what helps against them.

use std::path::PathBuf;

use crate::devices::DeviceKind;
use crate::remedy::{self, HERE};

/// What can go wrong with devices, files and codecs. The text is for people; [`MediaError::code`]
/// is TRTC's number for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The computer has no such device. Plugging one in and starting again helps.
    #[error("no {0} was found on this computer; {what}", what = remedy::missing(HERE, *.0))]
    NoDevice(DeviceKind),
    /// A device was asked for by name and is not there. Choosing another helps.
    #[error("there is no {kind} called \"{name}\"")]
    UnknownDevice { kind: DeviceKind, name: String },
    /// Another program holds the device. Closing that program and starting again helps.
    #[error("the {0} is in use by another program; {what}", what = remedy::busy(HERE, *.0))]
    DeviceBusy(DeviceKind),
    /// The system refuses access. The person has to allow it in the system's settings.
    #[error("this app may not use the {0}; {what}", what = remedy::forbidden(HERE, *.0))]
    DeviceForbidden(DeviceKind),
    /// The system was asked about the device and says nothing. Trying again later may help.
    #[error("the {0} does not answer; {what}", what = remedy::silent(HERE, *.0))]
    NoAnswer(DeviceKind),
    /// The device could not be started. Trying again may help.
    #[error("the {kind} could not be started: {what}")]
    DeviceStart { kind: DeviceKind, what: String },
    /// The device stopped while it ran, for example because it was unplugged.
    #[error("the {kind} stopped: {what}")]
    DeviceLost { kind: DeviceKind, what: String },
    /// A file that stands in for a device cannot be used. Another file is needed.
    #[error("the file {} cannot be used as a {kind}: {problem}", path.display())]
    File { kind: DeviceKind, path: PathBuf, problem: String },
    /// A picture size that the codecs cannot take.
    #[error("the picture size {width}x{height} is not supported: both sides must be even, 16 to 4096 pixels")]
    PictureSize { width: u32, height: u32 },
    /// The video encoder refused a picture or its settings; a defect of ours.
    #[error("the video encoder failed: {0}")]
    VideoEncode(String),
    /// The video decoder cannot use what it was given. A key frame helps.
    #[error("the video could not be decoded: {0}")]
    VideoDecode(String),
    /// The sound encoder refused samples or its settings; a defect of ours.
    #[error("the sound encoder failed: {0}")]
    AudioEncode(String),
    /// The sound decoder refused a packet; the sender sent something else than Opus.
    #[error("the sound could not be decoded: {0}")]
    AudioDecode(String),
    /// A picture could not be written as PNG.
    #[error("the picture could not be saved: {0}")]
    Picture(String),
    /// A sample rate cannot be converted to 48 kHz.
    #[error("sound of {rate} Hz is not supported: {what}")]
    SampleRate { rate: u32, what: String },
    /// A thread of ours stopped by a defect; everything it held was let go.
    #[error("the {thread} thread stopped: {what}")]
    Worker { thread: String, what: String },
}

impl MediaError {
    /// TRTC's code for it: negative for errors, positive for warnings.
    pub fn code(&self) -> i32 {
        match self {
            Self::NoDevice(DeviceKind::Camera) => 1111,
            Self::NoDevice(DeviceKind::Microphone) => 1201,
            Self::NoDevice(DeviceKind::Speaker) => 1202,
            Self::DeviceBusy(DeviceKind::Camera) => -1316,
            Self::DeviceBusy(DeviceKind::Microphone) => -1319,
            Self::DeviceForbidden(DeviceKind::Camera) => -1314,
            Self::DeviceForbidden(DeviceKind::Microphone) => -1317,
            Self::DeviceBusy(DeviceKind::Speaker) | Self::DeviceForbidden(DeviceKind::Speaker) => -1321,
            Self::NoAnswer(kind)
            | Self::UnknownDevice { kind, .. }
            | Self::DeviceStart { kind, .. }
            | Self::DeviceLost { kind, .. }
            | Self::File { kind, .. } => start_code(*kind),
            Self::PictureSize { .. } => -1305,
            Self::VideoEncode(_) | Self::Picture(_) => -1303,
            Self::AudioEncode(_) => -1304,
            Self::SampleRate { .. } => -1306,
            Self::VideoDecode(_) => 2101,
            Self::AudioDecode(_) => 2102,
            Self::Worker { thread, .. } => match thread.as_str() {
                "camera" => -1301,
                "encode" => -1303,
                "audio" => -1302,
                _ => -1,
            },
        }
    }
}

fn start_code(kind: DeviceKind) -> i32 {
    match kind {
        DeviceKind::Camera => -1301,
        DeviceKind::Microphone => -1302,
        DeviceKind::Speaker => -1321,
    }
}
