//! Counts the bytes that live, by who asked for them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

/// Who asks for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Threads that nobody named here: those of the media engine and of the history.
    Others = 0,
    /// The server's runtime: room service, HTTP, signalling.
    Service = 1,
    /// The people of this benchmark.
    Clients = 2,
}

/// Before each piece stands whose it is; so many bytes keep what follows aligned.
const HEAD: usize = 16;

static LIVE: [AtomicI64; 3] = [const { AtomicI64::new(0) }; 3];

thread_local! {
    static OWNER: Cell<u8> = const { Cell::new(Owner::Others as u8) };
}

/// From now on this thread asks for `owner`.
pub(crate) fn owned_by(owner: Owner) {
    OWNER.set(owner as u8);
}

/// Bytes that `owner` asked for and that live, whoever frees them.
pub(crate) fn live(owner: Owner) -> i64 {
    LIVE[owner as usize].load(Ordering::Relaxed)
}

/// The system's allocator with a count.
pub(crate) struct Counting;

#[allow(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: each piece is the system's, larger by a head that keeps its alignment, and is given back as it
// was taken; the owner is written to the head and read from there.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let head = HEAD.max(layout.align());
        let Ok(larger) = Layout::from_size_align(layout.size() + head, head) else {
            return std::ptr::null_mut();
        };
        // SAFETY: its size is not zero.
        let begin = unsafe { System.alloc(larger) };
        if begin.is_null() {
            return begin;
        }
        let owner = OWNER.try_with(Cell::get).unwrap_or_default();
        count(owner, i64::try_from(layout.size()).unwrap_or_default());
        // SAFETY: the piece begins with a head of at least sixteen bytes.
        unsafe {
            begin.write(owner);
            begin.add(head)
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let head = HEAD.max(layout.align());
        let Ok(larger) = Layout::from_size_align(layout.size() + head, head) else { return };
        // SAFETY: `alloc` gave it out so, with the owner at its begin.
        unsafe {
            let begin = piece.sub(head);
            count(begin.read(), -i64::try_from(layout.size()).unwrap_or_default());
            System.dealloc(begin, larger);
        }
    }
}

fn count(owner: u8, bytes: i64) {
    if let Some(live) = LIVE.get(usize::from(owner)) {
        live.fetch_add(bytes, Ordering::Relaxed);
    }
}
