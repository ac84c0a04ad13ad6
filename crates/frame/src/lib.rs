//! Video frames, audio blocks and encoded units, and the two ways they are handed over:
//! a [`Slot`] that keeps the latest value and a [`queue`] that is bounded and counts what it drops.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod audio;
mod encoded;
pub mod queue;
mod slot;
mod video;

pub use audio::{AudioBlock, BLOCK_SAMPLES, SAMPLE_RATE};
pub use encoded::{EncodedAudio, EncodedVideo};
pub use slot::{Cursor, Slot};
pub use video::{FramePool, I420, SizeError, VideoFrame};
