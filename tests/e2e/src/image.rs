//! Photographs of the screen, and the colours in them.

use std::io::Cursor;

use anyhow::{Context, Result, bail};

use crate::film::Area;

/// A picture with 8 bits each of red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    rgb: Vec<u8>,
}

impl Image {
    /// Reads a PNG file's bytes.
    pub fn from_png(file: &[u8]) -> Result<Self> {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let mut bytes = vec![0; reader.output_buffer_size().context("the picture is too large")?];
        let info = reader.next_frame(&mut bytes)?;
        bytes.truncate(info.buffer_size());
        let rgb = match info.color_type {
            png::ColorType::Rgb => bytes,
            png::ColorType::Rgba => {
                bytes.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
            }
            png::ColorType::Grayscale => bytes.iter().flat_map(|&grey| [grey; 3]).collect(),
            other @ (png::ColorType::Indexed | png::ColorType::GrayscaleAlpha) => {
                bail!("a PNG of {other:?} is not expected here")
            }
        };
        Ok(Self { width: info.width as usize, height: info.height as usize, rgb })
    }

    /// The colour of one pixel.
    pub fn pixel(&self, x: usize, y: usize) -> Result<[u8; 3]> {
        let row = if x < self.width { self.rgb.get((y * self.width + x) * 3..) } else { None };
        row.and_then(|row| row.first_chunk()).copied().context("outside of the picture")
    }

    /// The mean colour of a square of 9 pixels around a point.
    pub fn colour(&self, x: usize, y: usize) -> Result<[u8; 3]> {
        let square = [x.saturating_sub(4) as f64, y.saturating_sub(4) as f64, 9.0, 9.0];
        Ok(self.mean(square)?.map(|part| part as u8))
    }

    /// The mean colour of an area, of what of it lies in the picture.
    pub fn mean(&self, [left, top, width, height]: Area) -> Result<[f64; 3]> {
        let (mut sum, mut count) = ([0.0; 3], 0);
        for row in top as usize..((top + height) as usize).min(self.height) {
            for column in left as usize..((left + width) as usize).min(self.width) {
                let at = (row * self.width + column) * 3;
                let pixel = self.rgb.get(at..at + 3).context("outside of the picture")?;
                for (sum, part) in sum.iter_mut().zip(pixel) {
                    *sum += f64::from(*part);
                }
                count += 1;
            }
        }
        if count == 0 {
            bail!("{left}, {top} is outside of {}x{}", self.width, self.height);
        }
        Ok(sum.map(|sum| sum / f64::from(count)))
    }

    #[cfg(test)]
    pub(crate) fn from_pixels(width: usize, height: usize, pixels: impl Iterator<Item = [u8; 3]>) -> Self {
        Self { width, height, rgb: pixels.flatten().collect() }
    }
}

/// The largest difference of two colours in one of their parts.
pub fn distance(one: [u8; 3], other: [u8; 3]) -> u8 {
    one.iter().zip(other).map(|(one, other)| one.abs_diff(other)).max().unwrap_or_default()
}
