//! Devices and codecs: pictures and sound from cameras, microphones and files become encoded units,
//! and encoded units become pictures and sound again. Every device and every video codec has a named
//! thread of its own, all sound one together; they end when the value that owns them is dropped.
//! Nothing here knows the network.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod audio;
pub mod capture;
pub mod clock;
pub mod decode;
pub mod devices;
pub mod encode;
mod error;
pub mod jitter;
pub mod mix;
pub mod picture;
pub mod process;
mod remedy;
pub mod resample;
mod source;
pub mod stretch;
mod wav;
mod worker;

pub use devices::{Device, DeviceKind, Watcher};
pub use error::MediaError;
pub use source::{CameraSource, MicrophoneSource, SourceError, SpeakerSink, VideoConfig};
