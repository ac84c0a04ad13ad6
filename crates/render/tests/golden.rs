//! Drawn pictures against committed ones. After a wanted change, run with `CONFAB_BLESS=1` and look
//! at what is written to tests/golden.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use confab_frame::{I420, VideoFrame};
use confab_render::{Compositor, Picture};
use confab_scene::layout::gallery;
use confab_scene::{Fit, Rect, Scene, Tile};

/// Drivers round differently: a pixel may be this far off in each colour.
const PIXEL: u8 = 12;
/// This share of the pixels may be further off: soft edges move by a fraction of a pixel.
const SHARE: f64 = 0.004;

/// A picture without symmetry: a ramp from left to right, a bright square at the top left, a red
/// one at the bottom right, a circle in the middle.
fn card(width: u32, height: u32) -> VideoFrame {
    let mut picture = I420::black(width, height).unwrap();
    let (w, h) = (width as usize, height as usize);
    let (luma, blue, red) = picture.planes_mut();
    for (at, value) in luma.iter_mut().enumerate() {
        let (x, y) = (at % w, at / w);
        let (dx, dy) = (x as f32 - w as f32 / 2.0, y as f32 - h as f32 / 2.0);
        let ring = (dx.hypot(dy) / (h as f32 * 0.4) - 1.0).abs() < 0.06;
        let ramp = 40 + (x * 120 / w) as u8;
        let bright = x < w / 5 && y < h / 4;
        *value = if ring || bright { 235 } else { ramp };
    }
    for (at, (blue, red)) in blue.iter_mut().zip(red).enumerate() {
        let (x, y) = (at % (w / 2), at / (w / 2));
        (*blue, *red) = if x > w / 2 * 4 / 5 && y > h / 2 * 3 / 4 { (100, 220) } else { (150, 110) };
    }
    VideoFrame { buffer: Arc::new(picture), at: Instant::now() }
}

fn draw(scene: &Scene, size: (u32, u32)) -> Picture {
    let frame = card(size.0, size.1);
    let mut compositor = Compositor::new().unwrap();
    compositor.draw(scene, &|id| (id.0 != "off").then(|| frame.clone())).unwrap()
}

fn tile(id: &str, rect: Rect) -> Tile {
    Tile { id: id.into(), rect, ..Tile::default() }
}

fn fit_and_fill() -> Scene {
    let fit = Tile { fit: Fit::Fit, ..tile("fit", Rect::new(6.0, 6.0, 84.0, 84.0)) };
    let fill = tile("fill", Rect::new(102.0, 6.0, 84.0, 84.0));
    Scene { size: (192, 96), tiles: vec![fit, fill], ..Scene::default() }
}

fn faces() -> Scene {
    let mut me = Tile { mirror: true, radius: 12.0, ..tile("", Rect::new(6.0, 6.0, 128.0, 72.0)) };
    let they = Tile { radius: 12.0, speaking: true, ..tile("alice", Rect::new(140.5, 6.5, 128.0, 72.0)) };
    let off = Tile { radius: 36.0, speaking: true, ..tile("off", Rect::new(6.0, 84.0, 128.0, 72.0)) };
    let low = Tile { fit: Fit::Fit, radius: 12.0, ..tile("low", Rect::new(140.0, 84.0, 128.0, 72.0)) };
    me.fit = Fit::Fit;
    Scene { size: (274, 162), tiles: vec![me, they, off, low], ..Scene::default() }
}

fn crowd() -> Scene {
    let places = gallery(7, Rect::new(4.0, 4.0, 248.0, 152.0), 4.0).into_iter().enumerate();
    let tiles = places.map(|(n, rect)| Tile { radius: 6.0, ..tile(&n.to_string(), rect) }).collect();
    let light = [240, 241, 243, 255];
    Scene { size: (256, 160), background: light, tiles, ..Scene::default() }
}

/// Pixels that differ by more than [`PIXEL`], as a share of all.
fn difference(picture: &Picture, golden: &[u8]) -> f64 {
    let drawn = picture.rows().flat_map(|row| row.as_chunks::<4>().0);
    let far = drawn.zip(golden.as_chunks::<3>().0).filter(|([b, g, r, _], golden)| {
        [r, g, b].into_iter().zip(*golden).any(|(one, other)| one.abs_diff(*other) > PIXEL)
    });
    far.count() as f64 / f64::from(picture.width * picture.height)
}

fn compare(name: &str, picture: &Picture) -> f64 {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.png"));
    if std::env::var_os("CONFAB_BLESS").is_some() {
        std::fs::write(&path, picture.png().unwrap()).unwrap();
    }
    let file = std::fs::File::open(&path).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (picture.width, picture.height), "{name}");
    let mut golden = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut golden).unwrap();
    difference(picture, &golden)
}

#[track_caller]
fn assert_golden(name: &str, picture: &Picture) {
    let share = compare(name, picture);
    if share > SHARE {
        let seen = std::env::temp_dir().join(format!("confab-golden-{name}.png"));
        std::fs::write(&seen, picture.png().unwrap()).unwrap();
        panic!("{:.2} % of {name} differ; what was drawn is in {}", share * 100.0, seen.display());
    }
}

#[test]
fn fit_shows_bars_and_fill_cuts() {
    assert_golden("fit-and-fill", &draw(&fit_and_fill(), (160, 90)));
}

#[test]
fn faces_are_round_mirrored_framed_and_absent() {
    assert_golden("faces", &draw(&faces(), (160, 120)));
}

#[test]
fn large_pictures_are_smooth_in_small_tiles() {
    assert_golden("crowd", &draw(&crowd(), (640, 360)));
}

#[test]
fn a_comparison_notices_what_a_person_would() {
    let changes: [fn(&mut Scene); 5] = [
        |scene| scene.tiles[0].mirror = false,
        |scene| scene.tiles[1].speaking = false,
        |scene| scene.tiles[1].radius = 0.0,
        |scene| scene.tiles[3].fit = Fit::Fill,
        |scene| scene.tiles[2].rect.x += 2.0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut scene = faces();
        change(&mut scene);
        let picture = draw(&scene, (160, 120));
        // Never blessed: this one must differ.
        if std::env::var_os("CONFAB_BLESS").is_none() {
            assert!(compare("faces", &picture) > SHARE, "change {number} went unnoticed");
        }
    }
}
