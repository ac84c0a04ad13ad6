//! Whether a tile shows a clip, and which moment of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::Image;
use crate::program::target;

/// Columns and rows in which two pictures are compared.
const GRID: (usize, usize) = (24, 12);
/// The part of a tile that is compared: its corners are round, and a name stands at its lower edge.
const INSIDE: [f64; 4] = [0.05, 0.05, 0.9, 0.75];
/// Pixels of the clip of which one is kept, across and down.
const COARSE: usize = 4;

/// A rectangle on a screen: left, top, width, height in pixels.
pub type Area = [f64; 4];

/// A clip that a camera shows, each of its pictures coarsely.
#[derive(Debug)]
pub struct Film {
    size: (usize, usize),
    pictures: Vec<Vec<[u8; 3]>>,
}

/// The picture of a film that something on the screen is most like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Which picture, counted from 0.
    pub picture: usize,
    /// How far off it is: the mean difference of red, green and blue, 0 to 255.
    pub difference: f64,
}

/// The clip of this name, which `cargo xtask setup` brings in.
pub fn film(name: &str) -> Result<PathBuf> {
    let path = target().join("clips").join(format!("{name}.y4m"));
    ensure!(path.is_file(), "there is no {}: type `cargo xtask setup`", path.display());
    Ok(path)
}

impl Film {
    /// Reads a Y4M file of 8-bit 4:2:0 pictures, which are in BT.709.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let mut line = String::new();
        file.read_line(&mut line)?;
        let side = |letter: char| {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(letter));
            word.and_then(|number| number.parse::<usize>().ok()).context("no size")
        };
        let (width, height) = (side('W')?, side('H')?);
        let mut bytes = vec![0; width * height * 3 / 2];
        let mut pictures = Vec::new();
        loop {
            line.clear();
            if file.read_line(&mut line)? == 0 {
                break;
            }
            file.read_exact(&mut bytes)?;
            pictures.push(coarse(&bytes, width, height));
        }
        ensure!(!pictures.is_empty(), "{} holds no pictures", path.display());
        Ok(Self { size: (width, height), pictures })
    }

    /// What of this film a tile of a screen shows, which it fills; `mirrored` as people see
    /// themselves.
    pub fn find(&self, screen: &Image, tile: Area, mirrored: bool) -> Result<Likeness> {
        let seen = cells(INSIDE, |x, y, w, h| {
            screen.mean([tile[0] + x * tile[2], tile[1] + y * tile[3], w * tile[2], h * tile[3]])
        })?;
        let [left, top, width, height] = self.shown(tile[2] / tile[3]);
        let mut best = Likeness { picture: 0, difference: f64::INFINITY };
        for (picture, pixels) in self.pictures.iter().enumerate() {
            let made = cells(INSIDE, |x, y, w, h| {
                let x = if mirrored { 1.0 - x - w } else { x };
                self.mean(pixels, [left + x * width, top + y * height, w * width, h * height])
            })?;
            let apart = seen.iter().flatten().zip(made.iter().flatten()).map(|(a, b)| (a - b).abs());
            let difference = apart.sum::<f64>() / (3 * seen.len()) as f64;
            if difference < best.difference {
                best = Likeness { picture, difference };
            }
        }
        Ok(best)
    }

    /// The part of a picture that fills a tile of this form, as shares of its width and height.
    fn shown(&self, form: f64) -> Area {
        let own = self.size.0 as f64 / self.size.1 as f64;
        let (width, height) = ((form / own).min(1.0), (own / form).min(1.0));
        [(1.0 - width) / 2.0, (1.0 - height) / 2.0, width, height]
    }

    fn mean(&self, pixels: &[[u8; 3]], [x, y, w, h]: Area) -> Result<[f64; 3]> {
        let (columns, rows) = (self.size.0 / COARSE, self.size.1 / COARSE);
        let span = |from: f64, length: f64, all: usize| {
            let first = ((from * all as f64) as usize).min(all - 1);
            first..(((from + length) * all as f64) as usize).clamp(first + 1, all)
        };
        let (across, down) = (span(x, w, columns), span(y, h, rows));
        let mut sum = [0.0; 3];
        for row in down.clone() {
            for pixel in &pixels[row * columns..][across.clone()] {
                sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += f64::from(*part));
            }
        }
        Ok(sum.map(|sum| sum / (across.len() * down.len()) as f64))
    }
}

/// What `mean` finds in each cell of the grid over a part of something, given as shares of it.
fn cells(
    [left, top, width, height]: Area,
    mean: impl Fn(f64, f64, f64, f64) -> Result<[f64; 3]>,
) -> Result<Vec<[f64; 3]>> {
    let (w, h) = (width / GRID.0 as f64, height / GRID.1 as f64);
    let all = (0..GRID.1).flat_map(|row| (0..GRID.0).map(move |column| (column as f64, row as f64)));
    all.map(|(column, row)| mean(left + column * w, top + row * h, w, h)).collect()
}

/// The mean of each square of pixels, as red, green and blue.
fn coarse(bytes: &[u8], width: usize, height: usize) -> Vec<[u8; 3]> {
    let (luma, chroma) = bytes.split_at(width * height);
    let (blue, red) = chroma.split_at(width * height / 4);
    let mean = |plane: &[u8], stride: usize, column: usize, row: usize, side: usize| {
        let rows = (row * side..(row + 1) * side).map(|y| &plane[y * stride + column * side..][..side]);
        rows.flatten().map(|byte| f64::from(*byte)).sum::<f64>() / (side * side) as f64
    };
    let squares = (0..height / COARSE).flat_map(|row| (0..width / COARSE).map(move |column| (column, row)));
    let colour = |(column, row)| {
        let y = mean(luma, width, column, row, COARSE);
        let cb = mean(blue, width / 2, column, row, COARSE / 2);
        let cr = mean(red, width / 2, column, row, COARSE / 2);
        from_bt709(y, cb, cr)
    };
    squares.map(colour).collect()
}

/// Limited range, ITU-R BT.709.
fn from_bt709(y: f64, cb: f64, cr: f64) -> [u8; 3] {
    let (y, cb, cr) = ((y - 16.0) / 219.0, (cb - 128.0) / 224.0, (cr - 128.0) / 224.0);
    let parts = [y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb];
    parts.map(|part| (part * 255.0).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A film of grey pictures, each with a lighter column at another place.
    fn film(of: impl Fn(usize) -> usize) -> Film {
        let picture = |number| {
            let pixels = (0..160 * 90).map(|at| if at % 160 / 16 == of(number) { [200; 3] } else { [80; 3] });
            pixels.collect()
        };
        Film { size: (640, 360), pictures: (0..4).map(picture).collect() }
    }

    fn screen(column: usize) -> Image {
        let pixels = (0..320 * 180).map(|at| if at % 320 / 32 == column { [200; 3] } else { [80; 3] });
        Image::from_pixels(320, 180, pixels)
    }

    #[test]
    fn a_picture_is_found_in_its_film_and_its_mirror_image_only_when_it_is_mirrored() {
        let film = film(|number| number);
        let tile = [0.0, 0.0, 320.0, 180.0];
        let found = film.find(&screen(2), tile, false).unwrap();
        assert!(found.picture == 2 && found.difference < 3.0, "{found:?}");
        assert!(film.find(&screen(7), tile, false).unwrap().difference > 10.0);
        assert_eq!(film.find(&screen(7), tile, true).unwrap().picture, 2);
    }

    #[test]
    fn a_tile_of_another_form_shows_the_middle() {
        let film = film(|number| number);
        assert_eq!(film.shown(16.0 / 9.0), [0.0, 0.0, 1.0, 1.0]);
        let [left, top, width, height] = film.shown(8.0 / 9.0);
        assert!((left - 0.25).abs() < 1e-9 && (width - 0.5).abs() < 1e-9, "{left} {width}");
        assert_eq!((top, height), (0.0, 1.0));
    }

    #[test]
    fn colours_are_those_of_bt709() {
        assert_eq!(from_bt709(63.0, 102.0, 240.0), [255, 1, 0]);
        assert_eq!(from_bt709(235.0, 128.0, 128.0), [255; 3]);
    }
}
