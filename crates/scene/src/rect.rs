//! The geometry of tiles.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A rectangle in physical pixels, its origin at the top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A rectangle by its left, top, width and height.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// One past the right-most point.
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// One past the lowest point.
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Covers nothing: a side is zero, negative or not a number.
    pub fn is_empty(&self) -> bool {
        !(self.w > 0.0 && self.h > 0.0)
    }

    /// The point is inside; left and top edges belong to the rectangle, right and bottom do not.
    pub fn contains(&self, x: f32, y: f32) -> bool {
        x >= self.x && x < self.right() && y >= self.y && y < self.bottom()
    }

    /// What both rectangles cover, if anything.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (w, h) = (self.right().min(other.right()) - x, self.bottom().min(other.bottom()) - y);
        let both = Self { x, y, w, h };
        (!both.is_empty()).then_some(both)
    }

    /// A rectangle of the given size around the same middle.
    pub fn centred(&self, w: f32, h: f32) -> Self {
        Self { x: self.x + (self.w - w) / 2.0, y: self.y + (self.h - h) / 2.0, w, h }
    }

    /// Every number is finite.
    pub(crate) fn is_finite(&self) -> bool {
        [self.x, self.y, self.w, self.h].into_iter().all(f32::is_finite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_one_of_two_neighbours() {
        let left = Rect::new(0.0, 0.0, 10.0, 10.0);
        let right = Rect::new(10.0, 0.0, 10.0, 10.0);
        assert!(!left.contains(10.0, 5.0) && right.contains(10.0, 5.0));
        assert_eq!(left.intersection(&right), None);
    }

    #[test]
    fn what_both_cover_is_their_intersection() {
        let one = Rect::new(0.0, 0.0, 10.0, 10.0);
        let other = Rect::new(6.0, 8.0, 10.0, 10.0);
        assert_eq!(one.intersection(&other), Some(Rect::new(6.0, 8.0, 4.0, 2.0)));
    }

    #[test]
    fn nonsense_covers_nothing() {
        assert!(Rect::new(0.0, 0.0, f32::NAN, 4.0).is_empty());
        assert!(Rect::new(0.0, 0.0, -3.0, 4.0).is_empty());
    }
}
