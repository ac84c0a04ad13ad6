//! A camera for computers without one, and for tests of the whole way.

use std::sync::Arc;
use std::time::Instant;

use confab_frame::{FramePool, I420, VideoFrame};

use crate::MediaError;
use crate::clock::monotonic_us_of;
use crate::picture::{Stamp, draw_stamp};

/// Colours of the bars as Y, U, V (BT.709, 75 %): white to blue.
const BARS: [[u8; 3]; 7] = [
    [180, 128, 128],
    [168, 44, 136],
    [145, 147, 44],
    [133, 63, 52],
    [63, 193, 204],
    [51, 109, 212],
    [28, 212, 120],
];

/// A moving picture that says when it was made: colour bars under a disc on its way round, below a
/// stamp with the picture's number and time.
#[derive(Debug)]
pub struct TestPattern {
    background: I420,
    pool: FramePool,
    counter: u32,
}

impl TestPattern {
    /// Both sides even, 16 to 4096 pixels.
    pub fn new(width: u32, height: u32) -> Result<Self, MediaError> {
        let size = MediaError::PictureSize { width, height };
        if !(16..=4096).contains(&width) || !(16..=4096).contains(&height) {
            return Err(size);
        }
        let mut background = I420::black(width, height).map_err(|_| size)?;
        draw_background(&mut background);
        Ok(Self { background, pool: FramePool::new(), counter: 0 })
    }

    /// The next picture, stamped with `at`.
    pub fn draw(&mut self, at: Instant) -> Result<VideoFrame, MediaError> {
        let (width, height) = (self.background.width(), self.background.height());
        let mut picture =
            self.pool.take(width, height).map_err(|_| MediaError::PictureSize { width, height })?;
        let (y, u, v) = picture.planes_mut();
        y.copy_from_slice(self.background.y());
        u.copy_from_slice(self.background.u());
        v.copy_from_slice(self.background.v());
        draw_disc(&mut picture, self.counter);
        draw_stamp(&mut picture, Stamp { counter: self.counter, captured_us: monotonic_us_of(at) });
        self.counter = self.counter.wrapping_add(1);
        Ok(VideoFrame { buffer: Arc::new(picture), at })
    }
}

/// Bars in the upper part, a grey ramp in the lowest fifth.
fn draw_background(picture: &mut I420) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let bars_end = height * 4 / 5;
    let (y, u, v) = picture.planes_mut();
    for (line, row) in y.chunks_exact_mut(width).enumerate() {
        for (x, luma) in row.iter_mut().enumerate() {
            *luma =
                if line < bars_end { BARS[x * BARS.len() / width][0] } else { (16 + x * 219 / width) as u8 };
        }
    }
    let half = width / 2;
    for (line, (u, v)) in u.chunks_exact_mut(half).zip(v.chunks_exact_mut(half)).enumerate() {
        for (x, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let [_, blue, red] = BARS[x * BARS.len() / half];
            (*u, *v) = if line * 2 < bars_end { (blue, red) } else { (128, 128) };
        }
    }
}

/// A bright disc that goes round in four seconds of 30 pictures.
fn draw_disc(picture: &mut I420, counter: u32) {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let angle = f64::from(counter % 120) / 120.0 * std::f64::consts::TAU;
    let radius = height / 10;
    let (centre_x, centre_y) = (
        width / 2 + (angle.cos() * f64::from(width) * 0.35) as i32,
        height * 5 / 8 + (angle.sin() * f64::from(height) * 0.22) as i32,
    );
    let (y, u, v) = picture.planes_mut();
    disc(y, width, (centre_x, centre_y), radius, 235);
    disc(u, width / 2, (centre_x / 2, centre_y / 2), radius / 2, 90);
    disc(v, width / 2, (centre_x / 2, centre_y / 2), radius / 2, 160);
}

fn disc(plane: &mut [u8], width: i32, (centre_x, centre_y): (i32, i32), radius: i32, value: u8) {
    let height = plane.len() as i32 / width;
    for line in (centre_y - radius).max(0)..(centre_y + radius).min(height) {
        let away = line - centre_y;
        let reach = f64::from(radius * radius - away * away).sqrt() as i32;
        let from = (line * width + (centre_x - reach).clamp(0, width)) as usize;
        let to = (line * width + (centre_x + reach).clamp(0, width)) as usize;
        plane[from..to].fill(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::psnr;

    #[test]
    fn every_picture_differs_from_the_one_before_and_none_runs_over_an_edge() {
        for (width, height) in [(16, 16), (320, 180), (1280, 720), (180, 320), (4096, 16)] {
            let mut pattern = TestPattern::new(width, height).unwrap();
            let mut last = pattern.draw(Instant::now()).unwrap();
            for _ in 0..if width > 1000 { 8 } else { 130 } {
                let next = pattern.draw(Instant::now()).unwrap();
                if width >= 128 && height >= 64 {
                    assert!(psnr(&last.buffer, &next.buffer).unwrap() < 60.0);
                }
                last = next;
            }
        }
    }
}
