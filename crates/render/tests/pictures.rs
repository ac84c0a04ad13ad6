//! Facts about drawn pictures that need no picture to compare with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use confab_frame::{I420, VideoFrame};
use confab_render::{Compositor, RenderError};
use confab_scene::{Fit, Rect, Scene, Tile, TileId};

fn plain(width: u32, height: u32, (luma, blue, red): (u8, u8, u8)) -> VideoFrame {
    let mut picture = I420::black(width, height).unwrap();
    let (y, u, v) = picture.planes_mut();
    y.fill(luma);
    u.fill(blue);
    v.fill(red);
    VideoFrame { buffer: Arc::new(picture), at: Instant::now() }
}

fn whole(size: (u32, u32)) -> Scene {
    let tile = Tile { rect: Rect::new(0.0, 0.0, size.0 as f32, size.1 as f32), ..Tile::default() };
    Scene { size, tiles: vec![tile], ..Scene::default() }
}

fn near(one: [u8; 4], other: [u8; 4]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 2)
}

#[test]
fn colours_are_those_of_bt_709_limited_range() {
    let mut compositor = Compositor::new().unwrap();
    let cases = [
        ((16, 128, 128), [0, 0, 0, 255]),
        ((235, 128, 128), [255, 255, 255, 255]),
        ((126, 128, 128), [128, 128, 128, 255]),
        ((63, 102, 240), [255, 0, 0, 255]),
        ((173, 42, 26), [0, 255, 0, 255]),
        ((32, 240, 118), [0, 0, 255, 255]),
        ((219, 16, 138), [255, 255, 0, 255]),
        ((0, 128, 128), [0, 0, 0, 255]),
        ((255, 128, 128), [255, 255, 255, 255]),
    ];
    for (yuv, rgba) in cases {
        let frame = plain(16, 16, yuv);
        let picture = compositor.draw(&whole((16, 16)), &|_| Some(frame.clone())).unwrap();
        let drawn = picture.pixel(8, 8).unwrap();
        assert!(near(drawn, rgba), "{yuv:?} became {drawn:?}, not {rgba:?}");
    }
}

#[test]
fn rows_of_any_width_are_read_back_straight() {
    let mut compositor = Compositor::new().unwrap();
    for (width, height) in [(1, 1), (63, 7), (64, 7), (65, 7), (1283, 5), (101, 33)] {
        let right = Tile {
            id: "right".into(),
            rect: Rect::new(width as f32 - 1.0, 0.0, 1.0, height as f32),
            ..Tile::default()
        };
        let scene = Scene { size: (width, height), tiles: vec![right], ..Scene::default() };
        let white = plain(2, 2, (235, 128, 128));
        let picture = compositor.draw(&scene, &|_| Some(white.clone())).unwrap();
        assert_eq!((picture.stride % 256, picture.bgra.len()), (0, (picture.stride * height) as usize));
        for row in 0..height {
            assert_eq!(picture.pixel(width - 1, row), Some([255; 4]), "{width}x{height} row {row}");
            if width > 1 {
                assert_eq!(
                    picture.pixel(width - 2, row),
                    Some(scene.background),
                    "{width}x{height} row {row}"
                );
            }
        }
    }
}

#[test]
fn a_picture_is_copied_to_the_driver_only_when_it_changed() {
    let mut compositor = Compositor::new().unwrap();
    let scene = whole((32, 32));
    let first = plain(32, 32, (100, 128, 128));
    for _ in 0..3 {
        compositor.draw(&scene, &|_| Some(first.clone())).unwrap();
    }
    assert_eq!(compositor.uploads(), 1);
    let second = plain(32, 32, (200, 128, 128));
    let picture = compositor.draw(&scene, &|_| Some(second.clone())).unwrap();
    assert_eq!(compositor.uploads(), 2);
    assert!(picture.pixel(16, 16).unwrap()[0] > 200);
}

#[test]
fn a_tile_whose_picture_ended_shows_its_card() {
    let mut compositor = Compositor::new().unwrap();
    let scene = whole((32, 32));
    let white = plain(32, 32, (235, 128, 128));
    compositor.draw(&scene, &|_| Some(white.clone())).unwrap();
    let picture = compositor.draw(&scene, &|_| None).unwrap();
    assert_eq!(picture.pixel(16, 16), Some(scene.card));
}

#[test]
fn every_tile_gets_its_own_picture() {
    let mut compositor = Compositor::new().unwrap();
    let tile =
        |id: &str, x: f32| Tile { id: id.into(), rect: Rect::new(x, 0.0, 16.0, 16.0), ..Tile::default() };
    let tiles = vec![tile("", 0.0), tile("alice", 16.0), tile("nobody", 32.0), tile("bob", 48.0)];
    let scene = Scene { size: (64, 16), tiles, ..Scene::default() };
    let frames = |id: &TileId| match id.0.as_str() {
        "" => Some(plain(16, 16, (63, 102, 240))),
        "alice" => Some(plain(32, 16, (173, 42, 26))),
        "bob" => Some(plain(8, 8, (32, 240, 118))),
        _ => None,
    };
    let picture = compositor.draw(&scene, &frames).unwrap();
    let at = |x| picture.pixel(x, 8).unwrap();
    assert!(
        near(at(8), [255, 0, 0, 255]) && near(at(24), [0, 255, 0, 255]) && near(at(56), [0, 0, 255, 255])
    );
    assert_eq!(at(40), scene.card);
}

#[test]
fn memory_of_a_returned_picture_is_used_again() {
    let mut compositor = Compositor::new().unwrap();
    let first = compositor.draw(&whole((64, 64)), &|_| None).unwrap();
    let memory = first.bgra.as_ptr();
    compositor.recycle(first);
    assert_eq!(compositor.draw(&whole((64, 64)), &|_| None).unwrap().bgra.as_ptr(), memory);
}

#[test]
fn a_scene_that_makes_no_sense_is_refused_and_the_next_is_drawn() {
    let mut compositor = Compositor::new().unwrap();
    let mut bad = whole((16, 16));
    bad.tiles[0].rect.x = f32::NAN;
    assert!(matches!(compositor.draw(&bad, &|_| None), Err(RenderError::Scene(_))));
    let far =
        Tile { rect: Rect::new(-1e30, 1e30, 1e38, 1e38), fit: Fit::Fit, radius: 1e38, ..Tile::default() };
    let odd = Scene { size: (16, 16), tiles: vec![far], ..Scene::default() };
    compositor.draw(&odd, &|_| Some(plain(16, 16, (99, 99, 99)))).unwrap();
    let picture = compositor.draw(&whole((16, 16)), &|_| Some(plain(16, 16, (235, 128, 128)))).unwrap();
    assert_eq!(picture.pixel(8, 8), Some([255; 4]));
}

#[test]
fn without_a_driver_the_error_says_what_to_install() {
    if std::env::var_os("CONFAB_TEST_NO_DRIVER").is_some() {
        let error = Compositor::new().unwrap_err();
        assert!(matches!(error, RenderError::NoAdapter(_)), "{error}");
        assert!(error.to_string().contains("mesa-vulkan-drivers"), "{error}");
        return;
    }
    // Which drivers there are is read from the environment once a process, so this needs one of its own.
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_a_driver_the_error_says_what_to_install"])
        .env("CONFAB_TEST_NO_DRIVER", "1")
        .env("VK_DRIVER_FILES", "/dev/null")
        .env("VK_ICD_FILENAMES", "/dev/null")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}
