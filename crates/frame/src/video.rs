//! Pictures between camera, codec and screen, and the pool that their memory goes back to.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

/// A picture's size was zero, odd or too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width}x{height} is not possible: both must be even and between 2 and 8192")]
pub struct SizeError {
    /// Width asked for, pixels.
    pub width: u32,
    /// Height asked for, pixels.
    pub height: u32,
}

/// A picture as three planes, BT.709 limited range, rows without padding.
/// Its memory goes back to the pool it came from when it is dropped.
pub struct I420 {
    width: u32,
    height: u32,
    data: Vec<u8>,
    home: Weak<Shelf>,
}

impl I420 {
    /// Largest width and height, pixels.
    pub const MAX_SIDE: u32 = 8192;

    /// A black picture that belongs to no pool.
    pub fn black(width: u32, height: u32) -> Result<Self, SizeError> {
        let mut picture = Self::from_shelf(width, height, &Arc::new(Shelf::default()))?;
        let luma = picture.luma_len();
        picture.data[..luma].fill(16);
        picture.data[luma..].fill(128);
        Ok(picture)
    }

    fn from_shelf(width: u32, height: u32, shelf: &Arc<Shelf>) -> Result<Self, SizeError> {
        let fits = |side: u32| (2..=Self::MAX_SIDE).contains(&side) && side.is_multiple_of(2);
        if !fits(width) || !fits(height) {
            return Err(SizeError { width, height });
        }
        let len = width as usize * height as usize * 3 / 2;
        let mut data = shelf.take(len);
        data.resize(len, 0);
        Ok(Self { width, height, data, home: Arc::downgrade(shelf) })
    }

    /// Width in pixels, even.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, even.
    pub fn height(&self) -> u32 {
        self.height
    }

    fn luma_len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Luma: `width` x `height` bytes.
    pub fn y(&self) -> &[u8] {
        &self.data[..self.luma_len()]
    }

    /// Blue difference: `width / 2` x `height / 2` bytes.
    pub fn u(&self) -> &[u8] {
        let luma = self.luma_len();
        &self.data[luma..luma + luma / 4]
    }

    /// Red difference: `width / 2` x `height / 2` bytes.
    pub fn v(&self) -> &[u8] {
        let luma = self.luma_len();
        &self.data[luma + luma / 4..]
    }

    /// The three planes in the order Y, U, V, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The three planes for writing: Y, U, V.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let luma = self.luma_len();
        let (y, chroma) = self.data.split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        (y, u, v)
    }
}

impl fmt::Debug for I420 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I420({}x{})", self.width, self.height)
    }
}

impl Drop for I420 {
    fn drop(&mut self) {
        if let Some(shelf) = self.home.upgrade() {
            shelf.put(std::mem::take(&mut self.data));
        }
    }
}

/// Picture memory that waits to be used again.
#[derive(Default)]
struct Shelf(Mutex<Vec<Vec<u8>>>);

impl Shelf {
    /// Buffers kept at most; more are freed.
    const KEPT: usize = 16;

    fn take(&self, len: usize) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match kept.iter().position(|buffer| buffer.capacity() >= len) {
            Some(at) => kept.swap_remove(at),
            None => Vec::with_capacity(len),
        }
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if kept.len() >= Self::KEPT {
            kept.remove(0);
        }
        kept.push(buffer);
    }
}

/// Hands out pictures and takes their memory back, so that a steady stream allocates nothing.
#[derive(Clone, Default)]
pub struct FramePool(Arc<Shelf>);

impl FramePool {
    /// An empty pool; memory is made on first use.
    pub fn new() -> Self {
        Self::default()
    }

    /// A picture with undefined content, both sides even, 2..=8192 pixels.
    pub fn take(&self, width: u32, height: u32) -> Result<I420, SizeError> {
        I420::from_shelf(width, height, &self.0)
    }
}

impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FramePool")
    }
}

/// A picture and the moment it was captured (ours) or decoded (theirs). Cloning shares the planes.
#[derive(Clone, Debug)]
pub struct VideoFrame {
    pub buffer: Arc<I420>,
    pub at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_picture_lends_its_memory_to_the_next() {
        let pool = FramePool::new();
        let first = pool.take(64, 36).unwrap();
        let memory = first.bytes().as_ptr();
        drop(first);
        assert_eq!(pool.take(64, 36).unwrap().bytes().as_ptr(), memory);
    }

    #[test]
    fn odd_empty_and_huge_sizes_are_refused_by_name() {
        for (width, height) in [(0, 2), (3, 2), (2, 5), (8194, 2)] {
            let error = FramePool::new().take(width, height).unwrap_err();
            assert!(error.to_string().contains(&format!("{width}x{height}")));
        }
    }

    #[test]
    fn planes_have_the_sizes_of_i420() {
        let picture = I420::black(64, 36).unwrap();
        assert_eq!((picture.y().len(), picture.u().len(), picture.v().len()), (64 * 36, 32 * 18, 32 * 18));
        assert!(
            picture.y().iter().all(|&luma| luma == 16) && picture.u().iter().all(|&chroma| chroma == 128)
        );
    }
}
