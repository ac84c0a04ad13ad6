//! Pictures and sound to encoded units.

pub mod h264;
pub mod opus;
mod thread;

pub use thread::VideoEncoderThread;
