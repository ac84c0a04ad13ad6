//! What a camera delivers, and whether it is what its driver says.

use super::RawPicture;

/// How a picture's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum PixelFormat {
    /// Packed, 4:2:2.
    Yuyv,
    /// A plane of luma, then one of pairs, 4:2:0.
    Nv12,
    /// A JPEG file a picture.
    Mjpeg,
    /// Three bytes a pixel.
    Rgb,
    /// The same, blue first.
    Bgr,
    /// Four bytes a pixel, blue first.
    Bgra,
    /// Luma alone.
    Gray,
}

impl PixelFormat {
    /// The raw ones; no two of them need as many bytes, but for the two with three a pixel.
    const RAW: [Self; 6] = [Self::Gray, Self::Nv12, Self::Yuyv, Self::Rgb, Self::Bgr, Self::Bgra];

    /// Bytes of a row of the first plane, at least, and rows of all planes together; nothing for JPEG.
    pub(in crate::capture) fn rows(self, width: u32, height: u32) -> Option<(usize, usize)> {
        let (width, height) = (width as usize, height as usize);
        Some(match self {
            Self::Yuyv => (width * 2, height),
            Self::Nv12 => (width, height + height.div_ceil(2)),
            Self::Rgb | Self::Bgr => (width * 3, height),
            Self::Bgra => (width * 4, height),
            Self::Gray => (width, height),
            Self::Mjpeg => return None,
        })
    }

    /// Whether so many bytes may be such a picture: some drivers pad rows, some add a little at the end.
    fn fits(self, raw: &RawPicture) -> bool {
        let Some((row, rows)) = self.rows(raw.width, raw.height) else { return is_jpeg(&raw.bytes) };
        let least = row * rows;
        (least..=least + least / 16).contains(&raw.bytes.len())
    }
}

/// Every JPEG file begins so.
fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// Pictures of another form than those before that are taken for damage; then the camera has changed.
const DOUBTS: u32 = 5;

/// Finds out what a camera delivers. Some drivers name one format and deliver another.
#[derive(Debug, Default)]
pub(in crate::capture) struct Judge {
    settled: Option<PixelFormat>,
    doubts: u32,
}

impl Judge {
    /// How to read this picture, or why it cannot be read.
    pub(in crate::capture) fn settle(&mut self, raw: &RawPicture) -> Result<PixelFormat, String> {
        let seems = seems(raw)?;
        match self.settled {
            Some(settled) if settled == seems => {}
            Some(settled) if self.doubts < DOUBTS => {
                self.doubts += 1;
                return Err(format!("the picture is {seems:?}, those before were {settled:?}"));
            }
            Some(_) | None => {
                self.settled = Some(seems);
                if seems != raw.format {
                    let (said, delivered) = (raw.format, seems);
                    tracing::warn!(?said, ?delivered, "the camera delivers another format");
                }
            }
        }
        self.doubts = 0;
        Ok(seems)
    }
}

/// What the picture is by its bytes: what the driver says unless that cannot be.
fn seems(raw: &RawPicture) -> Result<PixelFormat, String> {
    if raw.format.fits(raw) {
        return Ok(raw.format);
    }
    if is_jpeg(&raw.bytes) {
        return Ok(PixelFormat::Mjpeg);
    }
    if let Some(other) = PixelFormat::RAW.into_iter().find(|format| format.fits(raw)) {
        return Ok(other);
    }
    match raw.format.rows(raw.width, raw.height) {
        Some((row, rows)) if raw.bytes.len() < row * rows => Err("the picture is cut short".to_owned()),
        Some(_) => Ok(raw.format),
        None => Err("the picture is no JPEG file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PixelFormat::{Bgra, Gray, Mjpeg, Nv12, Rgb, Yuyv};

    fn raw(format: PixelFormat, bytes: usize) -> RawPicture {
        RawPicture { format, width: 64, height: 48, bytes: vec![128; bytes].into() }
    }

    const PIXELS: usize = 64 * 48;

    #[test]
    fn a_driver_that_names_the_wrong_format_is_not_believed() {
        for (says, bytes, is) in [
            (Yuyv, PIXELS * 2, Yuyv),
            (Yuyv, PIXELS * 3 / 2, Nv12),
            (Yuyv, PIXELS * 3 / 2 + 64, Nv12),
            (Yuyv, PIXELS * 4, Bgra),
            (Rgb, PIXELS * 2, Yuyv),
            (Mjpeg, PIXELS * 2, Yuyv),
            (Mjpeg, PIXELS, Gray),
            (Gray, PIXELS * 3, Rgb),
        ] {
            assert_eq!(Judge::default().settle(&raw(says, bytes)), Ok(is), "{says:?} of {bytes}");
        }
        let mut jpeg = raw(Yuyv, 900);
        jpeg.bytes = [&[0xFF, 0xD8, 0xFF][..], &[0; 900]].concat().into();
        assert_eq!(Judge::default().settle(&jpeg), Ok(Mjpeg));
    }

    #[test]
    fn one_short_picture_does_not_change_what_is_believed() {
        let mut judge = Judge::default();
        assert_eq!(judge.settle(&raw(Yuyv, PIXELS * 2)), Ok(Yuyv));
        assert!(judge.settle(&raw(Yuyv, PIXELS * 3 / 2)).unwrap_err().contains("those before were Yuyv"));
        assert_eq!(judge.settle(&raw(Yuyv, PIXELS * 2)), Ok(Yuyv));
    }

    #[test]
    fn a_camera_that_changes_for_good_is_followed() {
        let mut judge = Judge::default();
        assert_eq!(judge.settle(&raw(Yuyv, PIXELS * 2)), Ok(Yuyv));
        for _ in 0..DOUBTS {
            judge.settle(&raw(Yuyv, PIXELS * 3 / 2)).unwrap_err();
        }
        assert_eq!(judge.settle(&raw(Yuyv, PIXELS * 3 / 2)), Ok(Nv12));
    }

    #[test]
    fn what_fits_nothing_is_damage() {
        assert_eq!(Judge::default().settle(&raw(Yuyv, 100)), Err("the picture is cut short".to_owned()));
        assert_eq!(Judge::default().settle(&raw(Mjpeg, 100)), Err("the picture is no JPEG file".to_owned()));
        assert_eq!(
            Judge::default().settle(&raw(Rgb, PIXELS * 2 + PIXELS / 2)),
            Err("the picture is cut short".to_owned())
        );
    }
}
