//! Looking at pictures: the stamp that the test pattern carries, PNG files, and how close two are.

use confab_frame::I420;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use crate::MediaError;

mod stamp;

pub use stamp::{Stamp, draw_stamp, read_stamp};

/// The picture as a PNG file (8-bit RGB), read as BT.709 limited range.
pub fn png(frame: &I420) -> Result<Vec<u8>, MediaError> {
    let (width, height) = (frame.width(), frame.height());
    let mut rgb = vec![0; width as usize * height as usize * 3];
    let planes = YuvPlanarImage {
        y_plane: frame.y(),
        y_stride: width,
        u_plane: frame.u(),
        u_stride: width / 2,
        v_plane: frame.v(),
        v_stride: width / 2,
        width,
        height,
    };
    yuv::yuv420_to_rgb(&planes, &mut rgb, width * 3, YuvRange::Limited, YuvStandardMatrix::Bt709)
        .map_err(|error| MediaError::Picture(error.to_string()))?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&rgb)?;
        writer.finish()
    });
    written.map_err(|error| MediaError::Picture(error.to_string()))?;
    Ok(file)
}

/// Peak signal-to-noise ratio of the lumas in dB, 99 for equal pictures; `None` where the sizes
/// differ. Above 30 dB two pictures look alike.
pub fn psnr(a: &I420, b: &I420) -> Option<f64> {
    if (a.width(), a.height()) != (b.width(), b.height()) {
        return None;
    }
    let squares: u64 = a.y().iter().zip(b.y()).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    if squares == 0 {
        return Some(99.0);
    }
    let mean = squares as f64 / a.y().len() as f64;
    Some(10.0 * (255.0 * 255.0 / mean).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_has_the_colours_of_the_picture() {
        let mut picture = I420::black(16, 8).unwrap();
        let (y, u, v) = picture.planes_mut();
        // BT.709 limited range red.
        y.fill(63);
        u.fill(102);
        v.fill(240);
        let file = png(&picture).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (16, 8));
        let [r, g, b] = [pixels[0], pixels[1], pixels[2]];
        assert!(r > 250 && g < 6 && b < 6, "{r} {g} {b}");
    }

    #[test]
    fn psnr_tells_equal_from_different_and_refuses_other_sizes() {
        let black = I420::black(16, 16).unwrap();
        let mut grey = I420::black(16, 16).unwrap();
        grey.planes_mut().0.fill(41);
        assert_eq!(psnr(&black, &black), Some(99.0));
        assert!((psnr(&black, &grey).unwrap() - 20.17).abs() < 0.01);
        assert_eq!(psnr(&black, &I420::black(16, 8).unwrap()), None);
    }
}
