//! Our own sound, block by block, wherever it comes from.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use confab_frame::{AudioBlock, BLOCK_SAMPLES, SAMPLE_RATE};

use super::device::MicrophoneRing;
use crate::process::{Processing, Processor};
use crate::resample::Resampler;
use crate::worker::Failure;
use crate::{DeviceKind, MediaError};

/// The tone's pitch in Hz and its peak, which is -20 dBFS for a sine's root mean square.
const PITCH: f64 = 440.0;
const PEAK: f32 = 0.1 * std::f32::consts::SQRT_2;
const BLOCK: Duration = Duration::from_millis(10);
/// Sound that waits longer than this is thrown away: it would only be delay.
const BACKLOG: usize = SAMPLE_RATE as usize / 5;

/// A device that gives nothing for so long has stopped, whatever its driver says.
const SILENT: Duration = Duration::from_secs(8);

/// Our own voice: a source and what is done to its sound.
pub(super) struct Microphone {
    input: Input,
    processor: Option<Box<Processor>>,
}

impl Microphone {
    /// Sound that goes as it is.
    pub(super) fn plain(input: Input) -> Self {
        Self { input, processor: None }
    }

    /// Sound that was caught in a room.
    pub(super) fn processed(input: Input, wanted: Processing) -> Self {
        Self { input, processor: Some(Box::new(Processor::new(wanted))) }
    }

    pub(super) fn set_processing(&mut self, wanted: Processing) {
        if let Some(processor) = &mut self.processor {
            processor.set(wanted);
        }
    }

    /// Takes note of what the speaker plays, before the blocks in which it may be heard.
    pub(super) fn overhear(&mut self, block: &AudioBlock) {
        if let Some(processor) = &mut self.processor {
            processor.render(block);
        }
    }

    /// The next block that is complete at `now` and when its first sample was captured.
    pub(super) fn next_block(&mut self, now: Instant) -> Option<(AudioBlock, Instant)> {
        let (mut block, at) = self.input.next_block(now)?;
        if let Some(processor) = &mut self.processor {
            processor.capture(&mut block);
        }
        Some((block, at))
    }
}

/// Where the audio thread takes our sound from.
pub(super) enum Input {
    Tone { count: u64, next: Option<Instant> },
    Recording { samples: Vec<f32>, at: usize, next: Option<Instant> },
    Device(Box<DeviceInput>),
}

/// A microphone's samples on their way to blocks at 48 kHz.
pub(super) struct DeviceInput {
    ring: MicrophoneRing,
    resampler: Resampler,
    read: Vec<f32>,
    ready: Vec<f32>,
    waiting: VecDeque<f32>,
    /// When it gave something last, or was read first.
    heard: Option<Instant>,
    stopped: Failure,
}

impl Input {
    pub(super) fn tone() -> Self {
        Self::Tone { count: 0, next: None }
    }

    /// Samples at 48 kHz, at least one, played over and over.
    pub(super) fn recording(samples: Vec<f32>) -> Self {
        Self::Recording { samples, at: 0, next: None }
    }

    /// What a device hears; in `stopped` it is noted when it hears nothing any more.
    pub(super) fn device(ring: MicrophoneRing, stopped: Failure) -> Result<Self, MediaError> {
        let resampler = Resampler::new(ring.rate, SAMPLE_RATE)?;
        Ok(Self::Device(Box::new(DeviceInput {
            ring,
            resampler,
            read: Vec::new(),
            ready: Vec::new(),
            waiting: VecDeque::new(),
            heard: None,
            stopped,
        })))
    }

    /// The next block that is complete at `now` and when its first sample was captured.
    pub(super) fn next_block(&mut self, now: Instant) -> Option<(AudioBlock, Instant)> {
        match self {
            Self::Tone { count, next } => {
                let at = paced(next, now)?;
                let step = std::f64::consts::TAU * PITCH / f64::from(SAMPLE_RATE);
                let block = AudioBlock(std::array::from_fn(|n| {
                    ((*count + n as u64) as f64 * step).sin() as f32 * PEAK
                }));
                *count += BLOCK_SAMPLES as u64;
                Some((block, at))
            }
            Self::Recording { samples, at, next } => {
                let captured = paced(next, now)?;
                let block = AudioBlock(std::array::from_fn(|n| samples[(*at + n) % samples.len()]));
                *at = (*at + BLOCK_SAMPLES) % samples.len();
                Some((block, captured))
            }
            Self::Device(device) => device.next_block(now),
        }
    }
}

impl DeviceInput {
    fn next_block(&mut self, now: Instant) -> Option<(AudioBlock, Instant)> {
        self.read.clear();
        self.ring.read(&mut self.read);
        let heard = *self.heard.get_or_insert(now);
        if !self.read.is_empty() {
            self.heard = Some(now);
        } else if now.saturating_duration_since(heard) > SILENT {
            let what = format!("it gave no sound for {} seconds", SILENT.as_secs());
            self.stopped.report(MediaError::DeviceLost { kind: DeviceKind::Microphone, what });
        }
        self.ready.clear();
        self.resampler.push(&self.read, &mut self.ready);
        self.waiting.extend(&self.ready);
        if self.waiting.len() > BACKLOG {
            tracing::debug!(samples = self.waiting.len(), "the microphone ran ahead");
            self.waiting.drain(..self.waiting.len() - BLOCK_SAMPLES);
        }
        if self.waiting.len() < BLOCK_SAMPLES {
            return None;
        }
        let age = Duration::from_secs_f64(self.waiting.len() as f64 / f64::from(SAMPLE_RATE));
        let mut samples = self.waiting.drain(..BLOCK_SAMPLES);
        let block = AudioBlock(std::array::from_fn(|_| samples.next().unwrap_or(0.0)));
        Some((block, now.checked_sub(age).unwrap_or(now)))
    }
}

/// One block for each tick: the start of the block that is complete at `now`, once.
fn paced(next: &mut Option<Instant>, now: Instant) -> Option<Instant> {
    if next.is_some_and(|next| now < next) {
        return None;
    }
    *next = Some(now + BLOCK);
    Some(now.checked_sub(BLOCK).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(input: &mut Input, blocks: usize) -> Vec<f32> {
        let mut now = Instant::now();
        let mut sound = Vec::new();
        for _ in 0..blocks {
            now += BLOCK;
            let (block, at) = input.next_block(now).unwrap();
            assert_eq!(at + BLOCK, now);
            assert!(input.next_block(now).is_none());
            sound.extend(block.0);
        }
        sound
    }

    #[test]
    fn the_tone_is_440_hz_at_minus_20_dbfs_without_a_seam() {
        let sound = take(&mut Input::tone(), 100);
        let rises = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((439..=440).contains(&rises), "{rises}");
        let rms = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
        assert!((rms - 0.1).abs() < 0.001, "{rms}");
        let steepest = sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.009, "{steepest}");
    }

    #[test]
    fn a_recording_begins_again_at_its_end() {
        let sound = take(&mut Input::recording(vec![0.1, 0.2, 0.3]), 2);
        assert!(sound.chunks(3).all(|three| three == [0.1, 0.2, 0.3]));
    }
}
