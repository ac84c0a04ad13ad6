//! What every way to show pictures is told, and what it answers.

use std::sync::Arc;

use confab_frame::VideoFrame;
use confab_render::{Picture, RenderError};
use confab_scene::{Rect, Scene, TileId};

/// Shows scenes in a window. Owned and called by the stage's thread; one at a time.
pub(crate) trait Presenter: Send + 'static {
    /// Shows a scene from now on, of which only `damage` differs from the one shown before. An error
    /// of the scene is the page's; with any other the presenter is of no more use.
    fn show(&mut self, show: &Show, damage: Damage) -> Result<Shown, RenderError>;
}

/// A scene and the latest frame of each of its tiles, in the tiles' order.
#[derive(Clone, Debug)]
pub(crate) struct Show {
    pub(crate) scene: Arc<Scene>,
    pub(crate) frames: Vec<Option<VideoFrame>>,
}

impl Show {
    /// The frame of a tile.
    pub(crate) fn frame(&self, id: &TileId) -> Option<VideoFrame> {
        let index = self.scene.tiles.iter().position(|tile| tile.id == *id)?;
        self.frames.get(index)?.clone()
    }
}

/// What has become of a scene.
#[derive(Debug)]
pub(crate) enum Shown {
    /// It is shown as this picture.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "drawn in memory on Linux only"))]
    Picture(Arc<Picture>),
    /// It is shown, and nothing in memory looks like it.
    Directly,
    /// Nobody can see the window now: the scene is shown later.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "the toolkit paints when it is seen"))]
    Later,
}

/// What changed from one scene to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Damage {
    /// Anything.
    All,
    /// Only pixels within this rectangle.
    Within(Rect),
}

impl Damage {
    /// What changed over two steps.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Within(one), Self::Within(other)) => Self::Within(around(one, other)),
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }
}

fn around(one: Rect, other: Rect) -> Rect {
    let (x, y) = (one.x.min(other.x), one.y.min(other.y));
    Rect::new(x, y, one.right().max(other.right()) - x, one.bottom().max(other.bottom()) - y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_changes_reach_around_both() {
        let one = Damage::Within(Rect::new(0.0, 10.0, 10.0, 10.0));
        let other = Damage::Within(Rect::new(30.0, 0.0, 10.0, 5.0));
        assert_eq!(one.and(other), Damage::Within(Rect::new(0.0, 0.0, 40.0, 20.0)));
        assert_eq!(one.and(Damage::All), Damage::All);
    }
}
