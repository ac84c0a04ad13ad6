//! What tests of sound stand on: a computer's microphone and speaker made of software, tones to say
//! into the one, and an ear for what the other played.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod card;
mod recording;
mod tone;

pub use card::{Card, MICROPHONE_FEED, Playing, Recorder, SPEAKER_MONITOR};
pub use recording::Recording;
pub use tone::write_tone;

/// Samples a second of everything here.
pub const RATE: u32 = 48_000;
