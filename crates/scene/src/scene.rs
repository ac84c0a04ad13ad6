//! The value that whoever lays out makes and whoever draws takes.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Rect;

/// Red, green, blue and opacity, 0..=255 each.
pub type Colour = [u8; 4];

/// Whose picture a tile shows: a user id, or the empty text for our own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct TileId(pub String);

impl TileId {
    /// Our own picture.
    pub fn local() -> Self {
        Self::default()
    }

    /// This is our own picture.
    pub fn is_local(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for TileId {
    fn from(user: &str) -> Self {
        Self(user.to_owned())
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_local() { "(local)" } else { &self.0 })
    }
}

/// How a picture of another shape is put into its tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Fit {
    /// All of the picture is seen; bars fill the rest.
    Fit,
    /// All of the tile is covered; the picture's edges are cut.
    #[default]
    Fill,
}

impl Fit {
    /// Where a picture of the given size lies when it is put into `tile`, aspect kept. With
    /// [`Fit::Fill`] it reaches beyond the tile, which cuts it.
    pub fn place(self, picture: (u32, u32), tile: Rect) -> Rect {
        let (w, h) = (picture.0 as f32, picture.1 as f32);
        if tile.is_empty() || w <= 0.0 || h <= 0.0 {
            return tile;
        }
        let (across, down) = (tile.w / w, tile.h / h);
        let scale = match self {
            Self::Fit => across.min(down),
            Self::Fill => across.max(down),
        };
        tile.centred(w * scale, h * scale)
    }
}

/// One picture in the scene.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Tile {
    /// Whose picture it is.
    pub id: TileId,
    /// Where it is.
    pub rect: Rect,
    /// How a picture of another shape is put in.
    pub fit: Fit,
    /// Left and right are swapped, as people expect of themselves.
    pub mirror: bool,
    /// Radius of the corners, pixels.
    pub radius: f32,
    /// Draws the frame of somebody who speaks.
    pub speaking: bool,
}

/// Everything that is drawn, in physical pixels; later tiles cover earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Scene {
    /// Width and height of the whole picture.
    pub size: (u32, u32),
    /// Physical pixels in one of the page's: how thick a speaking frame is drawn.
    pub scale: f32,
    /// Behind all tiles.
    pub background: Colour,
    /// Inside a tile where there is no picture.
    pub card: Colour,
    /// The frame of somebody who speaks.
    pub accent: Colour,
    /// The tiles, from the lowest to the highest.
    pub tiles: Vec<Tile>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            size: (1280, 720),
            scale: 1.0,
            background: [16, 17, 20, 255],
            card: [32, 34, 40, 255],
            accent: [52, 199, 123, 255],
            tiles: Vec::new(),
        }
    }
}

/// A scene that cannot be drawn. Whoever described it has to mend it; a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// The whole picture has no area or is too large.
    #[error("a stage of {width}x{height} cannot be drawn: both sides must be 1 to {max}", max = Scene::MAX_SIDE)]
    Size {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// A number of a tile is infinite or not a number.
    #[error("the tile of {0} has a number that is not finite")]
    NotFinite(TileId),
    /// The scale is zero, negative or larger than any screen's.
    #[error("the scale must be more than 0 and at most 8")]
    Scale,
    /// More tiles than a scene may have.
    #[error("{0} tiles are too many: at most {max}", max = Scene::MAX_TILES)]
    TooMany(usize),
    /// Two tiles show the same picture.
    #[error("the tile of {0} is there twice")]
    Twice(TileId),
}

impl Scene {
    /// Longest side of the whole picture, pixels: what every graphics adapter can draw.
    pub const MAX_SIDE: u32 = 8192;
    /// Most tiles of one scene.
    pub const MAX_TILES: usize = 64;

    /// Whether the scene can be drawn; what comes from outside is checked once, here.
    pub fn check(&self) -> Result<(), SceneError> {
        let (width, height) = self.size;
        if !(1..=Self::MAX_SIDE).contains(&width) || !(1..=Self::MAX_SIDE).contains(&height) {
            return Err(SceneError::Size { width, height });
        }
        if !(self.scale > 0.0 && self.scale <= 8.0) {
            return Err(SceneError::Scale);
        }
        if self.tiles.len() > Self::MAX_TILES {
            return Err(SceneError::TooMany(self.tiles.len()));
        }
        let mut seen = HashSet::new();
        for tile in &self.tiles {
            if !tile.rect.is_finite() || !tile.radius.is_finite() {
                return Err(SceneError::NotFinite(tile.id.clone()));
            }
            if !seen.insert(&tile.id) {
                return Err(SceneError::Twice(tile.id.clone()));
            }
        }
        Ok(())
    }

    /// The tile seen at a point: the highest one there. Corners count as if they were square.
    pub fn hit(&self, x: f32, y: f32) -> Option<&Tile> {
        self.tiles.iter().rev().find(|tile| tile.rect.contains(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(id: &str, rect: Rect) -> Tile {
        Tile { id: id.into(), rect, ..Tile::default() }
    }

    #[test]
    fn the_highest_tile_is_hit() {
        let scene = Scene {
            tiles: vec![
                tile("low", Rect::new(0.0, 0.0, 100.0, 100.0)),
                tile("high", Rect::new(50.0, 50.0, 100.0, 100.0)),
            ],
            ..Scene::default()
        };
        let at = |x, y| scene.hit(x, y).map(|tile| tile.id.0.as_str());
        assert_eq!((at(60.0, 60.0), at(10.0, 10.0), at(10.0, 120.0)), (Some("high"), Some("low"), None));
    }

    #[test]
    fn fit_shows_all_of_the_picture_and_fill_covers_all_of_the_tile() {
        let square = Rect::new(10.0, 10.0, 90.0, 90.0);
        assert_eq!(Fit::Fit.place((1600, 900), square), Rect::new(10.0, 29.6875, 90.0, 50.625));
        assert_eq!(Fit::Fill.place((1600, 900), square), Rect::new(-25.0, 10.0, 160.0, 90.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_by_name() {
        let with = |tiles| Scene { tiles, ..Scene::default() };
        let rect = Rect::new(0.0, 0.0, 1.0, 1.0);
        assert_eq!(
            Scene { size: (0, 9000), ..Scene::default() }.check().unwrap_err().to_string(),
            "a stage of 0x9000 cannot be drawn: both sides must be 1 to 8192"
        );
        assert_eq!(with(vec![tile("a", rect), tile("a", rect)]).check(), Err(SceneError::Twice("a".into())));
        assert_eq!(
            with(vec![tile("", Rect::new(f32::INFINITY, 0.0, 1.0, 1.0))]).check().unwrap_err().to_string(),
            "the tile of (local) has a number that is not finite"
        );
        assert_eq!(Scene { scale: f32::NAN, ..Scene::default() }.check(), Err(SceneError::Scale));
        let crowd = (0..65).map(|n| tile(&n.to_string(), rect)).collect();
        assert_eq!(with(crowd).check(), Err(SceneError::TooMany(65)));
        assert_eq!(with(vec![tile("", rect), tile("a", rect)]).check(), Ok(()));
    }
}
