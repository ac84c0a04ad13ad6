//! Encoded units to pictures and sound.

pub mod h264;
pub mod opus;
mod thread;

pub use thread::VideoDecoderThread;
