//! Which tile is where in the picture and how it is drawn. Pure: no clock, no I/O, no drawing.
//!
//! The page lays tiles out and reports them as a [`Scene`]; a compositor draws it. Where there is
//! no page, [`layout::gallery`] lays them out.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod layout;
mod rect;
mod scene;

pub use rect::Rect;
pub use scene::{Colour, Fit, Scene, SceneError, Tile, TileId};
