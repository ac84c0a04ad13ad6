use confab_frame::{FramePool, I420};
use nokhwa::utils::FrameFormat;
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A camera's picture as I420, or what is wrong with it. Lines over an even size are left out.
pub(super) fn to_i420(
    format: FrameFormat,
    width: u32,
    height: u32,
    data: &[u8],
    pool: &FramePool,
) -> Result<I420, String> {
    let (even_width, even_height) = (width & !1, height & !1);
    let mut picture = pool.take(even_width, even_height).map_err(|error| error.to_string())?;
    let bytes = |a_pixel_halves: u64| u64::from(width) * u64::from(height) * a_pixel_halves / 2;
    let enough = |halves| -> Result<(), String> {
        if data.len() as u64 >= bytes(halves) { Ok(()) } else { Err("the picture is cut short".to_owned()) }
    };
    match format {
        FrameFormat::YUYV => {
            enough(4)?;
            let packed =
                YuvPackedImage { yuy: data, yuy_stride: width * 2, width: even_width, height: even_height };
            yuv::yuyv422_to_yuv420(&mut planes(&mut picture), &packed).map_err(|error| error.to_string())?;
        }
        FrameFormat::NV12 => {
            enough(3)?;
            split_nv12(&mut picture, data, width as usize, height as usize);
        }
        FrameFormat::GRAY => {
            enough(2)?;
            let (y, u, v) = picture.planes_mut();
            for (line, row) in y.chunks_exact_mut(even_width as usize).enumerate() {
                row.copy_from_slice(&data[line * width as usize..][..even_width as usize]);
            }
            u.fill(128);
            v.fill(128);
        }
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => {
            enough(6)?;
            rgb(&mut picture, data, width, format == FrameFormat::RAWBGR)?;
        }
        FrameFormat::MJPEG => mjpeg(&mut picture, data, (width, height))?,
    }
    Ok(picture)
}

fn planes(picture: &mut I420) -> YuvPlanarImageMut<'_, u8> {
    let (width, height) = (picture.width(), picture.height());
    let (y, u, v) = picture.planes_mut();
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    }
}

fn split_nv12(picture: &mut I420, data: &[u8], width: usize, height: usize) {
    let even_width = picture.width() as usize;
    let (y, u, v) = picture.planes_mut();
    for (line, row) in y.chunks_exact_mut(even_width).enumerate() {
        row.copy_from_slice(&data[line * width..][..even_width]);
    }
    let half = even_width / 2;
    for (line, (u, v)) in u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half)).enumerate() {
        let pairs = data[width * height + line * width..].chunks_exact(2);
        for ((pair, u), v) in pairs.zip(u).zip(v) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

fn rgb(picture: &mut I420, data: &[u8], width: u32, blue_first: bool) -> Result<(), String> {
    let convert = if blue_first { yuv::bgr_to_yuv420 } else { yuv::rgb_to_yuv420 };
    convert(
        &mut planes(picture),
        data,
        width * 3,
        YuvRange::Limited,
        YuvStandardMatrix::Bt709,
        YuvConversionMode::Balanced,
    )
    .map_err(|error| error.to_string())
}

fn mjpeg(picture: &mut I420, data: &[u8], expected: (u32, u32)) -> Result<(), String> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(8192)
        .set_max_height(8192);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("the picture has no size")?;
    if (u32::from(info.width), u32::from(info.height)) != expected {
        return Err(format!("the picture is {}x{}", info.width, info.height));
    }
    rgb(picture, &pixels, expected.0, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One grey picture, 200 of 255, in a format's bytes.
    fn grey(format: FrameFormat, width: usize, height: usize) -> Vec<u8> {
        match format {
            FrameFormat::YUYV => [188, 128].repeat(width * height),
            FrameFormat::NV12 => {
                let mut data = vec![188; width * height];
                data.extend(vec![128; width * height / 2]);
                data
            }
            FrameFormat::GRAY => vec![188; width * height],
            FrameFormat::RAWRGB | FrameFormat::RAWBGR => vec![200; width * height * 3],
            FrameFormat::MJPEG => Vec::new(),
        }
    }

    #[test]
    fn every_raw_format_becomes_the_same_grey() {
        for format in [
            FrameFormat::YUYV,
            FrameFormat::NV12,
            FrameFormat::GRAY,
            FrameFormat::RAWRGB,
            FrameFormat::RAWBGR,
        ] {
            let data = grey(format, 64, 48);
            let picture = to_i420(format, 64, 48, &data, &FramePool::new()).unwrap();
            for (plane, value) in [(picture.y(), 188u8), (picture.u(), 128), (picture.v(), 128)] {
                assert!(plane.iter().all(|&byte| byte.abs_diff(value) <= 1), "{format} {value}");
            }
        }
    }

    #[test]
    fn red_and_blue_are_not_exchanged() {
        let red = [255, 0, 0].repeat(64 * 48);
        let picture = to_i420(FrameFormat::RAWRGB, 64, 48, &red, &FramePool::new()).unwrap();
        assert!(picture.v()[0] > 230 && picture.u()[0] < 110);
        let picture = to_i420(FrameFormat::RAWBGR, 64, 48, &red, &FramePool::new()).unwrap();
        assert!(picture.u()[0] > 230);
    }

    #[test]
    fn a_jpeg_picture_is_decoded_with_its_colours() {
        // 16x16, all red, baseline 4:4:4 at quality 90.
        let jpeg = include_bytes!("red.jpg");
        let picture = to_i420(FrameFormat::MJPEG, 16, 16, jpeg, &FramePool::new()).unwrap();
        assert!(picture.v().iter().all(|&v| v > 230) && picture.y().iter().all(|&y| y.abs_diff(63) < 6));
        let error = to_i420(FrameFormat::MJPEG, 32, 16, jpeg, &FramePool::new()).unwrap_err();
        assert!(error.contains("16x16"), "{error}");
    }

    #[test]
    fn short_pictures_and_rubbish_are_errors() {
        for format in [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::GRAY, FrameFormat::RAWRGB] {
            let mut data = grey(format, 64, 48);
            data.pop();
            assert!(to_i420(format, 64, 48, &data, &FramePool::new()).unwrap_err().contains("cut short"));
        }
        assert!(to_i420(FrameFormat::MJPEG, 64, 48, &[0xFF, 0xD8, 1, 2, 3], &FramePool::new()).is_err());
        assert!(to_i420(FrameFormat::GRAY, 0, 0, &[], &FramePool::new()).is_err());
    }

    #[test]
    fn odd_sizes_lose_their_last_line_and_column() {
        let picture = to_i420(FrameFormat::GRAY, 65, 49, &grey(FrameFormat::GRAY, 65, 49), &FramePool::new());
        let picture = picture.unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 48));
    }
}
