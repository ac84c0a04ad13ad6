//! The bytes of a finished picture.

use std::fmt;

use crate::RenderError;

/// A drawn picture: rows of blue, green, red and opacity (premultiplied), one byte each.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next: a multiple of 256, at least four times the width.
    pub stride: u32,
    /// `stride * height` bytes.
    pub bgra: Vec<u8>,
}

impl Picture {
    /// Red, green, blue and opacity at a point, or nothing outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = y as usize * self.stride as usize + x as usize * 4;
        let [b, g, r, a] = *self.bgra.get(at..)?.first_chunk()?;
        Some([r, g, b, a])
    }

    /// The rows without what pads them, top first.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let row = self.width as usize * 4;
        self.bgra.chunks_exact(self.stride as usize).map(move |padded| &padded[..row])
    }

    /// The picture as PNG, 8 bits of red, green and blue; a stage has nothing behind it, so its
    /// opacity is left out.
    pub fn png(&self) -> Result<Vec<u8>, RenderError> {
        let mut rgb = Vec::with_capacity(self.width as usize * self.height as usize * 3);
        for row in self.rows() {
            rgb.extend(row.as_chunks::<4>().0.iter().flat_map(|&[b, g, r, _]| [r, g, b]));
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&rgb)?;
        writer.finish()?;
        Ok(file)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_holds_the_same_pixels() {
        let mut bgra = vec![0; 512];
        bgra[..8].copy_from_slice(&[1, 2, 3, 255, 4, 5, 6, 255]);
        bgra[256..264].copy_from_slice(&[7, 8, 9, 255, 10, 11, 12, 255]);
        let picture = Picture { width: 2, height: 2, stride: 256, bgra };
        let file = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut rgb = vec![0; 12];
        reader.next_frame(&mut rgb).unwrap();
        assert_eq!(rgb, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
        assert_eq!(picture.pixel(1, 1), Some([12, 11, 10, 255]));
        assert_eq!(picture.pixel(2, 0), None);
    }
}
