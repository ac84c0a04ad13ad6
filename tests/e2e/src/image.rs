use std::io::Cursor;

use anyhow::{Context, Result, bail};

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

    /// The mean colour of a square of 9 pixels around a point.
    pub fn colour(&self, x: usize, y: usize) -> Result<[u8; 3]> {
        let (left, top) = (x.saturating_sub(4), y.saturating_sub(4));
        let (mut sum, mut count) = ([0_u32; 3], 0);
        for row in top..(top + 9).min(self.height) {
            for column in left..(left + 9).min(self.width) {
                let at = (row * self.width + column) * 3;
                let pixel = self.rgb.get(at..at + 3).context("outside of the picture")?;
                for (sum, part) in sum.iter_mut().zip(pixel) {
                    *sum += u32::from(*part);
                }
                count += 1;
            }
        }
        if count == 0 {
            bail!("{x}, {y} is outside of {}x{}", self.width, self.height);
        }
        Ok(sum.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX)))
    }
}

/// The largest difference of two colours in one of their parts.
pub fn distance(one: [u8; 3], other: [u8; 3]) -> u8 {
    one.iter().zip(other).map(|(one, other)| one.abs_diff(other)).max().unwrap_or_default()
}
