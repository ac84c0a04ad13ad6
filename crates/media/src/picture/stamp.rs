//! A number and a time written into a picture so that a codec and a screen leave them legible.

use confab_frame::I420;

/// What the test pattern writes into each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Pictures drawn before this one.
    pub counter: u32,
    /// When it was drawn, in microseconds of [`crate::clock::monotonic_us`].
    pub captured_us: u64,
}

/// The stamp is a grid of black and white cells across the top of the picture, sized by the picture
/// so that it can be read after scaling: 32 cells wide and 4 high, a quarter of the height.
const COLUMNS: usize = 32;
const ROWS: usize = 4;
/// A cell is this part of the picture's height.
const ROWS_IN_PICTURE: usize = 16;
const DARK: u8 = 40;
const BRIGHT: u8 = 210;
/// Seed of the check, so that an even picture is no stamp.
const CHECK_SEED: u16 = 0x1D0F;

impl Stamp {
    /// The cells row by row: counter, time, then a check and its inverse.
    fn rows(self) -> [u32; ROWS] {
        let check = self.check();
        [
            self.counter,
            (self.captured_us >> 32) as u32,
            self.captured_us as u32,
            u32::from(check) << 16 | u32::from(!check),
        ]
    }

    fn from_rows(rows: [u32; ROWS]) -> Option<Self> {
        let [counter, high, low, check] = rows;
        let stamp = Self { counter, captured_us: u64::from(high) << 32 | u64::from(low) };
        (stamp.rows()[3] == check).then_some(stamp)
    }

    /// CRC-16 (CCITT polynomial) over counter and time.
    fn check(self) -> u16 {
        let bytes = self.counter.to_be_bytes().into_iter().chain(self.captured_us.to_be_bytes());
        bytes.fold(CHECK_SEED, |crc, byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        })
    }
}

/// Where a cell begins, in pixels.
fn edge(cell: usize, cells: usize, pixels: usize) -> usize {
    cell * pixels / cells
}

/// Whether the cells of such a picture are large enough to be read.
fn fits(width: usize, height: usize) -> bool {
    width >= COLUMNS * 4 && height >= ROWS_IN_PICTURE * 4
}

/// Draws the stamp over the top quarter of a picture; a picture under 128x64 is left as it is.
pub fn draw_stamp(frame: &mut I420, stamp: Stamp) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    if !fits(width, height) {
        return;
    }
    let (y, u, v) = frame.planes_mut();
    for (row, bits) in stamp.rows().into_iter().enumerate() {
        let (top, bottom) = (edge(row, ROWS_IN_PICTURE, height), edge(row + 1, ROWS_IN_PICTURE, height));
        let first = &mut y[top * width..(top + 1) * width];
        for column in 0..COLUMNS {
            let luma = if bits >> (COLUMNS - 1 - column) & 1 == 1 { BRIGHT } else { DARK };
            first[edge(column, COLUMNS, width)..edge(column + 1, COLUMNS, width)].fill(luma);
        }
        for line in top + 1..bottom {
            y.copy_within(top * width..(top + 1) * width, line * width);
        }
    }
    let chroma = edge(ROWS, ROWS_IN_PICTURE, height).div_ceil(2) * (width / 2);
    u[..chroma].fill(128);
    v[..chroma].fill(128);
}

/// Reads the stamp of a picture that was scaled or encoded since; `None` when there is none.
pub fn read_stamp(frame: &I420) -> Option<Stamp> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    if !fits(width, height) {
        return None;
    }
    let mut rows = [0; ROWS];
    for (row, bits) in rows.iter_mut().enumerate() {
        for column in 0..COLUMNS {
            let x = middle(column, COLUMNS, width);
            let lines = middle(row, ROWS_IN_PICTURE, height);
            *bits = *bits << 1 | u32::from(mean(frame.y(), width, x, lines) > (DARK / 2 + BRIGHT / 2));
        }
    }
    Stamp::from_rows(rows)
}

/// The middle half of a cell, where the neighbours' blur does not reach.
fn middle(cell: usize, cells: usize, pixels: usize) -> std::ops::Range<usize> {
    let (from, to) = (edge(cell, cells, pixels), edge(cell + 1, cells, pixels));
    let margin = (to - from) / 4;
    from + margin..to - margin
}

fn mean(y: &[u8], width: usize, x: std::ops::Range<usize>, lines: std::ops::Range<usize>) -> u8 {
    let count = (x.len() * lines.len()).max(1) as u32;
    let sum: u32 = lines.flat_map(|line| &y[line * width..][x.clone()]).map(|&luma| u32::from(luma)).sum();
    (sum / count) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_drawn_stamp_is_read_at_every_size(
            counter: u32, captured_us: u64, width in 64u32..400, height in 32u32..300,
        ) {
            let stamp = Stamp { counter, captured_us };
            let mut picture = I420::black(width * 2, height * 2).unwrap();
            draw_stamp(&mut picture, stamp);
            prop_assert_eq!(read_stamp(&picture), Some(stamp));
        }
    }

    #[test]
    fn even_and_small_pictures_carry_no_stamp() {
        let mut white = I420::black(320, 180).unwrap();
        white.planes_mut().0.fill(235);
        assert_eq!(read_stamp(&white), None);
        assert_eq!(read_stamp(&I420::black(320, 180).unwrap()), None);
        let mut small = I420::black(64, 36).unwrap();
        draw_stamp(&mut small, Stamp { counter: 1, captured_us: 2 });
        assert_eq!(read_stamp(&small), None);
    }

    #[test]
    fn a_wrong_cell_is_noticed() {
        let mut picture = I420::black(320, 180).unwrap();
        draw_stamp(&mut picture, Stamp { counter: 7, captured_us: 8 });
        for line in 0..11 {
            picture.planes_mut().0[line * 320..line * 320 + 10].fill(BRIGHT);
        }
        assert_eq!(read_stamp(&picture), None);
    }
}
