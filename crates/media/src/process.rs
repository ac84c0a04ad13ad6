//! Makes our own voice fit to be sent: takes out what the speaker plays, then steady noise, then brings
//! it to an even level. Each step is an instance of WebRTC's audio processing of its own, because one
//! instance with all of them forgets what every step has learnt whenever one is switched. Owns no clock
//! and no device.

use std::fmt;

use confab_frame::{AudioBlock, BLOCK_SAMPLES, SAMPLE_RATE};
use serde::{Deserialize, Serialize};
use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::high_pass_filter::HighPassFilter;
use sonora::{AudioProcessing, Config, StreamConfig};

/// Blocks over which a step is faded in or out.
const FADE: f32 = 4.0;
const MONO: StreamConfig = StreamConfig::new(SAMPLE_RATE, 1);

/// What is done to our own voice. Whenever anything is, rumble below 100 Hz goes as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Processing {
    /// Takes out what the speaker plays.
    pub echo: bool,
    /// Lowers steady noise by up to 18 dB.
    pub noise: bool,
    /// Brings quiet and loud voices to an even level.
    pub gain: bool,
}

impl Default for Processing {
    fn default() -> Self {
        Self { echo: true, noise: true, gain: true }
    }
}

impl Processing {
    /// Nothing is done: blocks pass as they are.
    pub const OFF: Self = Self { echo: false, noise: false, gain: false };

    fn any(self) -> bool {
        self != Self::OFF
    }
}

/// Processes a microphone's blocks. A step that is switched off rests and keeps what it has learnt.
///
/// Nothing needs to say how late the microphone hears the speaker: the canceller finds delays of up to
/// half a second by itself. A [`Processor::render`] belongs to each [`Processor::capture`]; bursts of a
/// few of either are evened out.
#[derive(Debug)]
pub struct Processor {
    wanted: Processing,
    rumble: HighPass,
    echo: Step,
    noise: Step,
    gain: Step,
}

impl Processor {
    /// Allocates all steps, also those that are off: switching later allocates nothing.
    pub fn new(wanted: Processing) -> Self {
        Self {
            wanted,
            rumble: HighPass::new(wanted.any()),
            echo: Step::new(echo_config, wanted.echo),
            noise: Step::new(noise_config, wanted.noise),
            gain: Step::new(gain_config, wanted.gain),
        }
    }

    /// What is done from the next block on; steps come and go within 40 ms.
    pub fn set(&mut self, wanted: Processing) {
        self.wanted = wanted;
    }

    /// Takes note of what the speaker is given.
    pub fn render(&mut self, block: &AudioBlock) {
        if self.wanted.echo {
            self.echo.render(&sane(&block.0));
        }
    }

    /// Processes what the microphone heard. Samples that are no numbers become silence and those
    /// beyond full scale are clipped, unless everything is off.
    pub fn capture(&mut self, block: &mut AudioBlock) {
        let Processing { echo, noise, gain } = self.wanted;
        let steps = [(&mut self.echo, echo), (&mut self.noise, noise), (&mut self.gain, gain)];
        if !self.wanted.any() && self.rumble.fade.is_out() && steps.iter().all(|(step, _)| step.fade.is_out())
        {
            return;
        }
        block.0 = sane(&block.0);
        self.rumble.capture(self.wanted.any(), &mut block.0);
        for (step, on) in steps {
            step.capture(on, &mut block.0);
        }
        block.0 = sane(&block.0);
    }
}

/// One such sample would stay in the filters for ever.
fn sane(samples: &[f32; BLOCK_SAMPLES]) -> [f32; BLOCK_SAMPLES] {
    samples.map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 })
}

fn echo_config() -> Config {
    // The whole voice is filtered already.
    let canceller = EchoCanceller { enforce_high_pass_filtering: false, ..EchoCanceller::default() };
    Config { pipeline: fullband(), echo_canceller: Some(canceller), ..Config::default() }
}

fn noise_config() -> Config {
    let suppression = NoiseSuppression { level: NoiseSuppressionLevel::High, ..NoiseSuppression::default() };
    Config { pipeline: fullband(), noise_suppression: Some(suppression), ..Config::default() }
}

fn gain_config() -> Config {
    // Begun with the library's 15 dB, a loud voice would be clipped until its level is known.
    let adaptive = AdaptiveDigital { initial_gain_db: 0.0, ..AdaptiveDigital::default() };
    let controller = GainController2 { adaptive_digital: Some(adaptive), ..GainController2::default() };
    Config { pipeline: fullband(), gain_controller2: Some(controller), ..Config::default() }
}

fn fullband() -> Pipeline {
    Pipeline { maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz, ..Pipeline::default() }
}

/// How much of a step is heard: its output is up to 11 ms late, so going over at once would click.
#[derive(Debug)]
struct Fade {
    share: f32,
}

impl Fade {
    fn new(on: bool) -> Self {
        Self { share: if on { 1.0 } else { 0.0 } }
    }

    fn is_out(&self) -> bool {
        self.share <= 0.0
    }

    /// Goes over from `block` to `processed`, or back, a little further.
    fn apply(&mut self, on: bool, block: &mut [f32; BLOCK_SAMPLES], processed: &[f32]) {
        let before = self.share;
        let step = if on { 1.0 / FADE } else { -1.0 / FADE };
        self.share = (before + step).clamp(0.0, 1.0);
        for (n, (sample, processed)) in block.iter_mut().zip(processed).enumerate() {
            let share = before + (self.share - before) * (n as f32 / BLOCK_SAMPLES as f32);
            *sample += (*processed - *sample) * share;
        }
    }
}

/// Takes out rumble and what is no sound at all (direct current).
#[derive(Debug)]
struct HighPass {
    filter: HighPassFilter,
    processed: [Vec<f32>; 1],
    fade: Fade,
}

impl HighPass {
    fn new(on: bool) -> Self {
        let filter = HighPassFilter::new(SAMPLE_RATE as i32, 1);
        Self { filter, processed: [vec![0.0; BLOCK_SAMPLES]], fade: Fade::new(on) }
    }

    fn capture(&mut self, on: bool, block: &mut [f32; BLOCK_SAMPLES]) {
        if !on && self.fade.is_out() {
            return;
        }
        self.processed[0].copy_from_slice(block);
        self.filter.process_channels(&mut self.processed);
        self.fade.apply(on, block, &self.processed[0]);
    }
}

/// One step of WebRTC's processing.
struct Step {
    config: fn() -> Config,
    apm: Box<AudioProcessing>,
    processed: [f32; BLOCK_SAMPLES],
    fade: Fade,
}

impl Step {
    fn new(config: fn() -> Config, on: bool) -> Self {
        Self { config, apm: build(config()), processed: [0.0; BLOCK_SAMPLES], fade: Fade::new(on) }
    }

    fn render(&mut self, block: &[f32; BLOCK_SAMPLES]) {
        let done = self.apm.process_render_f32(&[block], &mut [&mut self.processed]);
        debug_assert!(done.is_ok(), "the formats are constants");
    }

    fn capture(&mut self, on: bool, block: &mut [f32; BLOCK_SAMPLES]) {
        if !on && self.fade.is_out() {
            return;
        }
        let done = self.apm.process_capture_f32(&[block], &mut [&mut self.processed]);
        debug_assert!(done.is_ok(), "the formats are constants");
        self.hand_over(on, block);
    }

    fn hand_over(&mut self, on: bool, block: &mut [f32; BLOCK_SAMPLES]) {
        if self.processed.iter().all(|sample| sample.is_finite()) {
            self.fade.apply(on, block, &self.processed);
        } else {
            tracing::warn!("the sound processing lost its way and begins anew");
            *self = Self::new(self.config, false);
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({:?})", self.fade)
    }
}

fn build(config: Config) -> Box<AudioProcessing> {
    let builder = AudioProcessing::builder().config(config);
    Box::new(builder.capture_config(MONO).render_config(MONO).build())
}

#[cfg(test)]
mod tests;
