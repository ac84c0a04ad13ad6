//! What the handle reads without asking.

use confab_frame::{Slot, VideoFrame};
use confab_protocol::StreamType;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Slots = HashMap<(String, StreamType), Arc<Slot<VideoFrame>>>;

/// What the handle reads without asking.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) local: Arc<Slot<VideoFrame>>,
    slots: Mutex<Slots>,
}

impl Shared {
    /// Somebody's slot, if they are there.
    pub(crate) fn slot(&self, user: &str, stream: StreamType) -> Option<Arc<Slot<VideoFrame>>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(&(user.to_owned(), stream)).cloned()
    }

    pub(super) fn open(&self, user: &str, stream: StreamType) -> Arc<Slot<VideoFrame>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry((user.to_owned(), stream)).or_default().clone()
    }

    /// Closes the slots of one person, or of everybody.
    pub(super) fn close(&self, user: Option<&str>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|(owner, _), slot| {
            let goes = user.is_none_or(|user| user == owner);
            if goes {
                slot.close();
            }
            !goes
        });
    }
}
