//! Where tiles go when nobody else says.

use crate::Rect;

/// The shape of a tile: cameras are 16:9.
const SHAPE: f32 = 16.0 / 9.0;

/// Lays `count` equal tiles of 16:9 out in rows, as large as `area` allows, `gap` pixels apart.
/// The rows are centred, a last one that is not full too. A gap that would leave no room for tiles
/// is dropped; an area without extent gives tiles without extent.
pub fn gallery(count: usize, area: Rect, gap: f32) -> Vec<Rect> {
    let area = if area.is_empty() { Rect { w: 0.0, h: 0.0, ..area } } else { area };
    let gap = if gap.is_finite() { gap.max(0.0) } else { 0.0 };
    let Some(grid) = best(count, area, gap) else { return Vec::new() };
    (0..count).map(|index| grid.tile(index, count, area)).collect()
}

/// Columns and rows of equal tiles.
#[derive(Clone, Copy)]
struct Grid {
    columns: usize,
    rows: usize,
    gap: f32,
    w: f32,
    h: f32,
}

/// The grid with the largest tiles; of equal ones that with fewer rows' worth of empty places.
fn best(count: usize, area: Rect, gap: f32) -> Option<Grid> {
    let grids = (1..=count).map(|columns| Grid::fitted(columns, count.div_ceil(columns), area, gap));
    grids.reduce(|best, next| if next.w > best.w { next } else { best })
}

impl Grid {
    fn fitted(columns: usize, rows: usize, area: Rect, gap: f32) -> Self {
        let spare = |side: f32, cells: usize| side - gap * (cells - 1) as f32;
        let roomy = spare(area.w, columns) > 0.0 && spare(area.h, rows) > 0.0;
        let gap = if roomy { gap } else { 0.0 };
        let cell = |side: f32, cells: usize| (side - gap * (cells - 1) as f32) / cells as f32;
        let w = cell(area.w, columns).min(cell(area.h, rows) * SHAPE);
        Self { columns, rows, gap, w, h: w / SHAPE }
    }

    fn tile(&self, index: usize, count: usize, area: Rect) -> Rect {
        let (row, column) = (index / self.columns, index % self.columns);
        let in_row = self.columns.min(count - row * self.columns);
        let span = |tiles: usize, side: f32| tiles as f32 * (side + self.gap) - self.gap;
        let block = area.centred(span(in_row, self.w), span(self.rows, self.h));
        Rect {
            x: block.x + column as f32 * (self.w + self.gap),
            y: block.y + row as f32 * (self.h + self.gap),
            w: self.w,
            h: self.h,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Rect = Rect::new(0.0, 0.0, 1280.0, 720.0);

    #[test]
    fn one_tile_takes_all_of_a_16_to_9_area() {
        assert_eq!(gallery(1, STAGE, 8.0), [STAGE]);
    }

    #[test]
    fn two_tiles_lie_side_by_side_in_a_wide_area_and_stacked_in_a_tall_one() {
        let wide = gallery(2, STAGE, 8.0);
        assert!(wide[0].y == wide[1].y && wide[1].x > wide[0].x);
        let tall = gallery(2, Rect::new(0.0, 0.0, 400.0, 900.0), 8.0);
        assert!(tall[0].x == tall[1].x && tall[1].y > tall[0].y);
    }

    #[test]
    fn a_last_row_that_is_not_full_is_centred() {
        let three = gallery(3, STAGE, 10.0);
        assert_eq!(three[0].y, three[1].y);
        assert!(three[2].y > three[0].y);
        assert!((three[2].x + three[2].w / 2.0 - 640.0).abs() < 0.01);
    }

    #[test]
    fn nobody_needs_no_tiles() {
        assert_eq!(gallery(0, STAGE, 8.0), []);
    }
}
