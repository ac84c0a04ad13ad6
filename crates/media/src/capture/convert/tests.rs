//! Pictures of known colours in every format that a camera has.

use super::*;
use PixelFormat::{Bgr, Bgra, Gray, Mjpeg, Nv12, Rgb, Yuyv};

const RAW: [PixelFormat; 6] = [Yuyv, Nv12, Gray, Rgb, Bgr, Bgra];
const COLOURED: [PixelFormat; 5] = [Yuyv, Nv12, Rgb, Bgr, Bgra];

/// Bytes of a picture whose left half is red and whose right half is a grey of 200, rows `padding`
/// bytes longer than they need to be.
fn drawn(format: PixelFormat, width: usize, height: usize, padding: usize) -> Vec<u8> {
    let is_red = |x: usize| x < width / 2;
    // BT.709, limited.
    let luma = |x| if is_red(x) { 63 } else { 188 };
    let (blue, red) = (|x| if is_red(x) { 102 } else { 128 }, |x| if is_red(x) { 240 } else { 128 });
    let pixel = |x: usize| -> Vec<u8> {
        match (format, is_red(x)) {
            (Yuyv, _) => vec![luma(x), if x.is_multiple_of(2) { blue(x) } else { red(x & !1) }],
            (Gray | Nv12, _) => vec![luma(x)],
            (Rgb, true) => vec![255, 0, 0],
            (Bgr, true) => vec![0, 0, 255],
            (Bgra, true) => vec![0, 0, 255, 255],
            (Rgb | Bgr, false) => vec![200; 3],
            (Bgra, false) => vec![200, 200, 200, 255],
            (Mjpeg, _) => vec![],
        }
    };
    let padded = |mut row: Vec<u8>| {
        row.resize(row.len() + padding, 77);
        row
    };
    let row: Vec<u8> = padded((0..width).flat_map(pixel).collect());
    let mut data = row.repeat(height);
    if format == Nv12 {
        let pairs: Vec<u8> = (0..width).step_by(2).flat_map(|x| [blue(x), red(x)]).collect();
        data.extend(padded(pairs).repeat(height.div_ceil(2)));
    }
    data
}

fn convert(format: PixelFormat, width: u32, height: u32, data: &[u8]) -> Result<I420, String> {
    to_i420(format, width, height, data, &FramePool::new())
}

/// Both halves of the picture have their colour in every row.
fn assert_drawn(picture: &I420, format: PixelFormat) {
    let near = |is: u8, wanted: u8| is.abs_diff(wanted) <= 2;
    let name = format!("{format:?} {picture:?}");
    for row in picture.y().chunks_exact(picture.width() as usize) {
        let (left, right) = (row[row.len() / 4], row[row.len() - 1]);
        assert!(near(left, 63) && near(right, 188), "{name}: {left} {right}");
    }
    let grey = |plane: &[u8]| plane.iter().all(|byte| *byte == 128);
    if format == Gray {
        assert!(grey(picture.u()) && grey(picture.v()), "{name}");
        return;
    }
    for (plane, red) in [(picture.u(), 102), (picture.v(), 240)] {
        for row in plane.chunks_exact(picture.width() as usize / 2) {
            let (left, right) = (row[row.len() / 4], row[row.len() - 1]);
            assert!(near(left, red) && near(right, 128), "{name}: {left} {right}");
        }
    }
}

#[test]
fn every_raw_format_has_its_colours_at_every_size() {
    let sizes = [(64, 48), (65, 49), (63, 47), (160, 121), (177, 144), (1279, 33), (16, 16), (640, 480)];
    for format in RAW {
        for (width, height) in sizes {
            let data = drawn(format, width, height, 0);
            let picture = convert(format, width as u32, height as u32, &data).unwrap();
            let even = (width as u32 & !1, height as u32 & !1);
            assert_eq!((picture.width(), picture.height()), even, "{format:?}");
            assert_drawn(&picture, format);
        }
    }
}

#[test]
fn rows_that_a_driver_pads_are_found() {
    for format in RAW {
        let (row, rows) = format.rows(72, 48).unwrap();
        let padding = row.next_multiple_of(64) - row;
        assert!(padding > 0, "{format:?}");
        let data = drawn(format, 72, 48, padding);
        assert_eq!(data.len(), (row + padding) * rows);
        assert_drawn(&convert(format, 72, 48, &data).unwrap(), format);
    }
}

#[test]
fn what_stands_behind_a_picture_is_left_out() {
    for format in RAW {
        let mut data = drawn(format, 64, 48, 0);
        data.extend([77; 100]);
        assert_drawn(&convert(format, 64, 48, &data).unwrap(), format);
    }
}

#[test]
fn red_and_blue_are_not_exchanged() {
    for format in COLOURED {
        let picture = convert(format, 64, 48, &drawn(format, 64, 48, 0)).unwrap();
        assert!(picture.v()[0] > 230 && picture.u()[0] < 110, "{format:?}");
    }
}

#[test]
fn a_jpeg_picture_is_decoded_with_its_colours_in_its_own_size() {
    // Baseline 4:4:4 at quality 90, and 4:2:0 of an odd size.
    for (jpeg, size) in [(&include_bytes!("red.jpg")[..], (16, 16)), (include_bytes!("odd.jpg"), (32, 16))] {
        let picture = convert(Mjpeg, 1280, 720, jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), size);
        assert!(picture.v().iter().all(|&v| v > 230) && picture.y().iter().all(|&y| y.abs_diff(63) < 6));
    }
}

#[test]
fn a_jpeg_picture_without_colours_is_grey() {
    let picture = convert(Mjpeg, 32, 16, include_bytes!("gray.jpg")).unwrap();
    assert!(picture.y().iter().all(|&y| y.abs_diff(188) < 3), "{:?}", picture.y());
    assert!(picture.u().iter().chain(picture.v()).all(|&chroma| chroma.abs_diff(128) < 2));
}

#[test]
fn short_pictures_and_rubbish_are_errors() {
    for format in RAW {
        let mut data = drawn(format, 64, 48, 0);
        data.pop();
        assert!(convert(format, 64, 48, &data).unwrap_err().contains("cut short"), "{format:?}");
    }
    assert!(convert(Mjpeg, 64, 48, &[0xFF, 0xD8, 1, 2, 3]).is_err());
    assert!(convert(Mjpeg, 64, 48, &[]).is_err());
    assert!(convert(Gray, 0, 0, &[]).is_err());
    assert!(convert(Gray, 1, 1, &[1]).is_err());
}

#[test]
fn jpeg_pictures_beyond_a_size_are_not_unpacked() {
    // The height and the width stand behind the marker C0 and three bytes.
    let mut jpeg = include_bytes!("red.jpg").to_vec();
    let at = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap() + 5;
    jpeg[at..at + 4].copy_from_slice(&[0x40, 0, 0x40, 0]);
    assert!(convert(Mjpeg, 16, 16, &jpeg).is_err());
}

#[test]
fn a_damaged_jpeg_picture_never_breaks_the_decoder() {
    let jpeg = include_bytes!("bars.jpg");
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize
    };
    let (mut decoded, mut refused) = (0, 0);
    for round in 0..2_000 {
        let mut damaged = jpeg.to_vec();
        if round % 3 == 0 {
            damaged.truncate(random() % damaged.len());
        }
        for _ in 0..1 + random() % 4 {
            let at = random() % damaged.len().max(1);
            if let Some(byte) = damaged.get_mut(at) {
                *byte = random() as u8;
            }
        }
        match convert(Mjpeg, 64, 48, &damaged) {
            Ok(_) => decoded += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(decoded > 0 && refused > 0, "{decoded} {refused}");
}
