//! From the formats of cameras to the one format of codecs.

use confab_frame::{FramePool, I420};
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::device::PixelFormat;

/// Rows that some drivers pad are padded to this many bytes or a multiple.
const PADDING: usize = 16;
/// The widest and the highest JPEG picture that is unpacked.
const MOST: usize = 4096;

/// A camera's picture as I420, or what is wrong with it. A line or column over an even size is left
/// out. A JPEG picture has the size that is written in it.
pub(super) fn to_i420(
    format: PixelFormat,
    width: u32,
    height: u32,
    data: &[u8],
    pool: &FramePool,
) -> Result<I420, String> {
    let Some((row, rows)) = format.rows(width, height) else { return mjpeg(data, pool) };
    let stride = stride(data.len(), row, rows)?;
    let mut picture = pool.take(width & !1, height & !1).map_err(|error| error.to_string())?;
    match format {
        PixelFormat::Yuyv => yuyv(&mut picture, data, stride)?,
        PixelFormat::Nv12 => split_nv12(&mut picture, data, (width, height), stride),
        PixelFormat::Gray => {
            let (y, u, v) = picture.planes_mut();
            copy_rows(y, width as usize & !1, data, stride);
            u.fill(128);
            v.fill(128);
        }
        PixelFormat::Rgb => rgb(&mut picture, data, stride, yuv::rgb_to_yuv420)?,
        PixelFormat::Bgr => rgb(&mut picture, data, stride, yuv::bgr_to_yuv420)?,
        PixelFormat::Bgra => rgb(&mut picture, data, stride, yuv::bgra_to_yuv420)?,
        PixelFormat::Mjpeg => {}
    }
    Ok(picture)
}

/// Bytes from one row to the next. What is over but no padding stands at the end.
fn stride(len: usize, row: usize, rows: usize) -> Result<usize, String> {
    if rows == 0 || row == 0 || len < row * rows {
        return Err("the picture is cut short".to_owned());
    }
    let even = len / rows;
    let padded = len.is_multiple_of(rows) && even.is_multiple_of(PADDING);
    Ok(if padded { even } else { row })
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

fn yuyv(picture: &mut I420, data: &[u8], stride: usize) -> Result<(), String> {
    let (width, height) = (picture.width(), picture.height());
    // Exactly the rows that are taken: the library refuses one more.
    let yuy = data.get(..stride * height as usize).unwrap_or(data);
    let packed = YuvPackedImage { yuy, yuy_stride: stride as u32, width, height };
    yuv::yuyv422_to_yuv420(&mut planes(picture), &packed).map_err(|error| error.to_string())
}

fn copy_rows(plane: &mut [u8], width: usize, data: &[u8], stride: usize) {
    for (row, from) in plane.chunks_exact_mut(width).zip(data.chunks(stride)) {
        row.copy_from_slice(&from[..width]);
    }
}

fn split_nv12(picture: &mut I420, data: &[u8], (width, height): (u32, u32), stride: usize) {
    let even_width = picture.width() as usize;
    let (luma, pairs) = data.split_at(stride * height as usize);
    // Of an odd width the pairs need a byte more than the luma; not every driver gives it.
    let whole = (width as usize).next_multiple_of(2);
    let chroma_rows = (height as usize).div_ceil(2);
    let step = if pairs.len() >= whole * chroma_rows { stride.max(whole) } else { stride };
    let (y, u, v) = picture.planes_mut();
    copy_rows(y, even_width, luma, stride);
    let half = even_width / 2;
    let rows = u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half)).zip(pairs.chunks(step));
    for ((u, v), row) in rows {
        for ((pair, u), v) in row.chunks_exact(2).zip(u).zip(v) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

/// One of the conversions from packed colours.
type FromColours = fn(
    &mut YuvPlanarImageMut<'_, u8>,
    &[u8],
    u32,
    YuvRange,
    YuvStandardMatrix,
    YuvConversionMode,
) -> Result<(), yuv::YuvError>;

fn rgb(picture: &mut I420, data: &[u8], stride: usize, convert: FromColours) -> Result<(), String> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
    convert(&mut planes(picture), data, stride as u32, range, matrix, YuvConversionMode::Balanced)
        .map_err(|error| error.to_string())
}

fn mjpeg(data: &[u8], pool: &FramePool) -> Result<I420, String> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(MOST)
        .set_max_height(MOST);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("the picture has no size")?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let stride = width as usize * 3;
    if pixels.len() < stride * height as usize {
        return Err("the picture is cut short".to_owned());
    }
    let mut picture = pool.take(width & !1, height & !1).map_err(|error| error.to_string())?;
    rgb(&mut picture, &pixels, stride, yuv::rgb_to_yuv420)?;
    Ok(picture)
}

#[cfg(test)]
mod tests;
