//! Draws a [`confab_scene::Scene`] of video frames: into memory, as a [`Picture`], or straight onto a
//! window, of which it knows the handle and nothing else.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod brush;
mod compositor;
mod error;
mod gpu;
mod instance;
mod picture;
mod pipeline;
mod planes;
mod surface;
mod target;

pub use compositor::Compositor;
pub use error::RenderError;
pub use gpu::adapter;
pub use picture::Picture;
pub use surface::Surface;
