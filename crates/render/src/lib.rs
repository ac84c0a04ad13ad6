//! Draws a [`confab_scene::Scene`] of video frames into a picture. Knows no window: whoever shows
//! the picture reads it back as a [`Picture`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod compositor;
mod error;
mod gpu;
mod instance;
mod picture;
mod pipeline;
mod planes;
mod target;

pub use compositor::Compositor;
pub use error::RenderError;
pub use picture::Picture;
