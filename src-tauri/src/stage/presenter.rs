use std::sync::Arc;

use confab_render::Picture;
use confab_scene::Rect;

/// Shows drawn pictures in a window. Owned and called by the stage's thread.
pub(crate) trait Presenter: Send + 'static {
    /// Shows a picture from now on, of which only `damage` differs from the one before.
    fn show(&self, picture: Arc<Picture>, damage: Damage);
}

/// What changed from one picture to the next.
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

/// Puts the presenter of this system into a window; on the window's thread only.
#[cfg(target_os = "linux")]
pub(crate) fn install(window: &tauri::WebviewWindow) -> anyhow::Result<Box<dyn Presenter>> {
    Ok(Box::new(super::underlay::Underlay::install(window)?))
}

/// Windows and macOS have no presenter yet: pictures are drawn for snapshots and shown nowhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn install(_: &tauri::WebviewWindow) -> anyhow::Result<Box<dyn Presenter>> {
    anyhow::bail!("pictures are not shown on this system yet; sound and everything else work")
}

/// Shows nothing.
#[derive(Debug)]
pub(crate) struct Unseen;

impl Presenter for Unseen {
    fn show(&self, _: Arc<Picture>, _: Damage) {}
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
