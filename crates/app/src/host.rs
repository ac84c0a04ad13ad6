//! The seam between the app and what it runs in.

use crate::{Event, Fault, Stage};

/// What stands around a [`crate::Controller`]: a window, a pair of pipes, a test.
pub trait Host: Send + Sync + 'static {
    /// Takes an event. Called from one task in order; must not block.
    fn emit(&self, event: Event);

    /// The stage as a PNG file: what was last drawn, or, where nothing draws by itself, drawn now.
    /// Called on a thread that may block.
    fn stage_snapshot(&self, stage: &Stage) -> Result<Vec<u8>, Fault>;
}
