//! Laws of the layouts, for any number of tiles in any area.

use confab_scene::layout::gallery;
use confab_scene::{Fit, Rect, Scene, Tile};
use proptest::prelude::*;

/// Rounding of positions up to 8192 in `f32`.
const SLACK: f32 = 0.01;

fn area() -> impl Strategy<Value = Rect> {
    (-500.0..500.0_f32, -500.0..500.0_f32, 1.0..8192.0_f32, 1.0..8192.0_f32)
        .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

proptest! {
    #[test]
    fn tiles_never_leave_the_area(count in 0..64_usize, area in area(), gap in 0.0..64.0_f32) {
        let tiles = gallery(count, area, gap);
        prop_assert_eq!(tiles.len(), count);
        for tile in tiles {
            prop_assert!(tile.x >= area.x - SLACK && tile.right() <= area.right() + SLACK, "{:?}", tile);
            prop_assert!(tile.y >= area.y - SLACK && tile.bottom() <= area.bottom() + SLACK, "{:?}", tile);
            prop_assert!(!tile.is_empty());
        }
    }

    #[test]
    fn tiles_never_overlap(count in 2..64_usize, area in area(), gap in 0.0..64.0_f32) {
        let tiles = gallery(count, area, gap);
        for (index, one) in tiles.iter().enumerate() {
            for other in &tiles[index + 1..] {
                let common = one.intersection(other).unwrap_or_default();
                prop_assert!(common.w.min(common.h) <= SLACK, "{:?} and {:?}", one, other);
            }
        }
    }

    #[test]
    fn tiles_are_16_to_9_and_one_side_of_the_area_is_used(count in 1..64_usize, area in area()) {
        let tiles = gallery(count, area, 0.0);
        for tile in &tiles {
            prop_assert!((tile.w / tile.h - 16.0 / 9.0).abs() < 0.001);
        }
        let reach = |from: fn(&Rect) -> f32, to: fn(&Rect) -> f32| {
            tiles.iter().map(to).fold(f32::MIN, f32::max) - tiles.iter().map(from).fold(f32::MAX, f32::min)
        };
        let across = reach(|tile| tile.x, Rect::right);
        let down = reach(|tile| tile.y, Rect::bottom);
        prop_assert!((across - area.w).abs() < 0.1 || (down - area.h).abs() < 0.1, "{} x {}", across, down);
    }

    #[test]
    fn no_area_gives_tiles_without_extent(count in 0..9_usize, w in -9.0..=0.0_f32, gap in -9.0..9.0_f32) {
        prop_assert!(gallery(count, Rect::new(0.0, 0.0, w, 100.0), gap).iter().all(Rect::is_empty));
    }

    #[test]
    fn a_placed_picture_keeps_its_shape_and_its_middle(
        (w, h) in (1..4000_u32, 1..4000_u32), tile in area(), fill: bool,
    ) {
        let fit = if fill { Fit::Fill } else { Fit::Fit };
        let placed = fit.place((w, h), tile);
        prop_assert!((placed.w / placed.h / (w as f32 / h as f32) - 1.0).abs() < 0.001);
        let wider = placed.w >= tile.w - 0.1 && placed.h >= tile.h - 0.1;
        let narrower = placed.w <= tile.w + 0.1 && placed.h <= tile.h + 0.1;
        let held = if fill { wider } else { narrower };
        prop_assert!(held, "{:?} in {:?}", placed, tile);
    }

    #[test]
    fn a_tile_is_hit_in_its_middle(count in 1..40_usize, area in area()) {
        let tiles: Vec<Tile> = gallery(count, area, 4.0)
            .into_iter()
            .enumerate()
            .map(|(n, rect)| Tile { id: n.to_string().as_str().into(), rect, ..Tile::default() })
            .collect();
        let scene = Scene { tiles, ..Scene::default() };
        for tile in &scene.tiles {
            let found = scene.hit(tile.rect.x + tile.rect.w / 2.0, tile.rect.y + tile.rect.h / 2.0);
            prop_assert_eq!(found.map(|found| &found.id), Some(&tile.id));
        }
    }
}
