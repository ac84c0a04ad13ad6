//! A picture whose parts are known, as a file that a camera can be.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Width and height in pixels.
pub const SIZE: (usize, usize) = (640, 360);
/// Pictures in the file.
const FRAMES: usize = 30;

/// One quarter of the picture: its colour as YUV in the file, and as it is seen.
#[derive(Debug, Clone, Copy)]
pub struct Quarter {
    yuv: [u8; 3],
    /// Red, green and blue after BT.709.
    pub rgb: [u8; 3],
}

/// Top left, top right, bottom left, bottom right: no two alike, so that a picture that is mirrored,
/// turned or another's is noticed.
pub const QUARTERS: [Quarter; 4] = [
    Quarter { yuv: [63, 102, 240], rgb: [255, 0, 0] },
    Quarter { yuv: [173, 42, 26], rgb: [0, 255, 0] },
    Quarter { yuv: [32, 240, 118], rgb: [0, 0, 255] },
    Quarter { yuv: [219, 16, 138], rgb: [255, 255, 0] },
];

/// Writes the clip as Y4M, 30 pictures a second; a small white square moves along its middle.
pub fn write(path: &Path) -> std::io::Result<()> {
    let (width, height) = SIZE;
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED")?;
    for frame in 0..FRAMES {
        file.write_all(b"FRAME\n")?;
        let moving = width / FRAMES * frame..width / FRAMES * frame + 16;
        for y in 0..height {
            for x in 0..width {
                let white = moving.contains(&x) && (height / 2 - 8..height / 2 + 8).contains(&y);
                file.write_all(&[if white { 235 } else { quarter(x, y, SIZE).yuv[0] }])?;
            }
        }
        for plane in [1, 2] {
            for y in 0..height / 2 {
                for x in 0..width / 2 {
                    file.write_all(&[quarter(x, y, (width / 2, height / 2)).yuv[plane]])?;
                }
            }
        }
    }
    file.flush()
}

fn quarter(x: usize, y: usize, (width, height): (usize, usize)) -> Quarter {
    QUARTERS[usize::from(y >= height / 2) * 2 + usize::from(x >= width / 2)]
}
