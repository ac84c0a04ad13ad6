//! What is mixed on its way to the device, and how much of it waits there.

use confab_frame::{AudioBlock, SAMPLE_RATE, queue};

use super::device::SpeakerRing;
use crate::MediaError;
use crate::resample::{Clutch, Resampler};

/// What waits for the device beyond its own appetite, in milliseconds.
const SPARE_MS: f64 = 20.0;
/// Every time the device goes hungry, so much more waits from then on.
const MORE_MS: f64 = 10.0;
/// What is added at most.
const MOST_MS: f64 = 80.0;
/// A surplus that only a device that stood still leaves behind; it is thrown away.
const STALE_MS: f64 = 80.0;

/// Where the audio thread puts what is heard.
pub(super) enum Output {
    Null,
    File(queue::Sender<AudioBlock>),
    Device(Box<DeviceOutput>),
}

impl Output {
    pub(super) fn device(ring: SpeakerRing) -> Result<Self, MediaError> {
        Ok(Self::Device(Box::new(DeviceOutput {
            resampler: Resampler::new(SAMPLE_RATE, ring.rate)?,
            clutch: Clutch::new()?,
            ring,
            ready: Vec::new(),
            extra_ms: 0.0,
            hungry: 0,
            filled: false,
        })))
    }

    pub(super) fn push(&mut self, block: &AudioBlock) {
        match self {
            Self::Null => {}
            Self::File(sender) => {
                sender.push(block.clone());
            }
            Self::Device(device) => device.push(block),
        }
    }
}

/// Holds the ring at a level that survives an uneven device, at the device's own pace.
pub(super) struct DeviceOutput {
    ring: SpeakerRing,
    clutch: Clutch,
    resampler: Resampler,
    ready: Vec<f32>,
    extra_ms: f64,
    /// Times that the device went hungry, as last seen.
    hungry: u64,
    filled: bool,
}

impl DeviceOutput {
    fn push(&mut self, block: &AudioBlock) {
        let per_ms = f64::from(self.ring.rate) / 1000.0;
        let target_ms = self.ring.appetite() as f64 / per_ms + SPARE_MS + self.extra_ms;
        let hungry = self.ring.hungry();
        if self.filled && hungry != self.hungry {
            self.extra_ms = (self.extra_ms + MORE_MS).min(MOST_MS);
            tracing::debug!(extra_ms = self.extra_ms, "the speaker went hungry");
        }
        if !self.filled || hungry != self.hungry {
            let missing = (target_ms * per_ms) as usize;
            self.ring.fill(missing.saturating_sub(self.ring.waiting()));
            self.clutch.settle();
            (self.filled, self.hungry) = (true, hungry);
        }
        let surplus_ms = self.ring.waiting() as f64 / per_ms - target_ms;
        if surplus_ms > STALE_MS {
            self.clutch.settle();
            return;
        }
        self.ready.clear();
        self.resampler.push(self.clutch.pass(&block.0, surplus_ms), &mut self.ready);
        self.ring.write(&self.ready);
    }
}
