//! The picture that python/peer.py sends, and how much a decoded picture differs from the original.

use anyhow::{Result, ensure};

/// Size of the picture, pixels.
pub const WIDTH: usize = 640;
/// Size of the picture, pixels.
pub const HEIGHT: usize = 360;

const BLOCK: usize = 40;
const BITS: usize = WIDTH / BLOCK;
const BRIGHT: u8 = 220;
const DARK: u8 = 30;

/// The counter drawn into a luma plane; `None` where a block is neither bright nor dark.
pub fn counter(luma: &[u8]) -> Option<u16> {
    let mut counter = 0;
    for bit in 0..BITS {
        let middle = BLOCK / 2 * WIDTH + bit * BLOCK + BLOCK / 2;
        match luma.get(middle)? {
            180.. => counter |= 1 << bit,
            0..=70 => {}
            _ => return None,
        }
    }
    Some(counter)
}

/// The picture with that counter, from what never moves in it (three planes one behind the other).
pub fn original(base: &[u8], counter: u16) -> Vec<u8> {
    let mut picture = base.to_vec();
    for (row, line) in picture.chunks_exact_mut(WIDTH).take(HEIGHT).enumerate() {
        if row < BLOCK {
            for (bit, block) in line.chunks_exact_mut(BLOCK).enumerate() {
                block.fill(if counter >> bit & 1 == 1 { BRIGHT } else { DARK });
            }
        }
        if (200..200 + BLOCK).contains(&row) {
            let left = usize::from(counter) * 4 % 600;
            line[left..left + BLOCK].fill(200);
        }
    }
    picture
}

/// Likeness of two I420 pictures of one size, dB: of the luma and of the worse chroma plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Peak signal to noise ratio of the luma.
    pub luma: f64,
    /// That of the blue or the red difference, whichever is worse.
    pub chroma: f64,
}

/// Compares two pictures of that size.
pub fn likeness(width: usize, height: usize, one: &[u8], other: &[u8]) -> Result<Likeness> {
    let luma = width * height;
    ensure!(one.len() == luma * 3 / 2 && one.len() == other.len(), "{} and {} bytes", one.len(), other.len());
    let plane = |from: usize, len: usize| ratio(&one[from..from + len], &other[from..from + len]);
    let chroma = plane(luma, luma / 4).min(plane(luma + luma / 4, luma / 4));
    Ok(Likeness { luma: plane(0, luma), chroma })
}

fn ratio(one: &[u8], other: &[u8]) -> f64 {
    let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
    let error = one.iter().zip(other).map(square).sum::<f64>() / one.len() as f64;
    20.0 * 255f64.log10() - 10.0 * error.max(1e-3).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_drawn_is_the_counter_read() {
        let base = vec![128; WIDTH * HEIGHT * 3 / 2];
        for number in [0, 1, 300, u16::MAX] {
            assert_eq!(counter(&original(&base, number)), Some(number));
        }
        assert_eq!(counter(&base), None);
    }

    #[test]
    fn neighbours_differ_more_than_a_good_codec() {
        let base = vec![128; WIDTH * HEIGHT * 3 / 2];
        let (one, next) = (original(&base, 100), original(&base, 101));
        let same = likeness(WIDTH, HEIGHT, &one, &one).unwrap_or(Likeness { luma: 0.0, chroma: 0.0 });
        let moved = likeness(WIDTH, HEIGHT, &one, &next).unwrap_or(same);
        assert!(same.luma > 70.0 && moved.luma < 27.0, "{same:?} {moved:?}");
        assert!(likeness(WIDTH, HEIGHT, &one, &one[1..]).is_err());
    }
}
