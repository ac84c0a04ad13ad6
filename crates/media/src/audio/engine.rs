//! The loop of the audio thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use confab_frame::{AudioBlock, BLOCK_SAMPLES, EncodedAudio, queue};

use super::level::{Meter, rfc6464};
use super::microphone::Microphone;
use super::remote::Voice;
use super::speaker::Output;
use super::{Clarity, Shared, Tap, Tapped};
use crate::MediaError;
use crate::encode::opus::{Config, Encoder, FRAME_SAMPLES};
use crate::mix::Mixer;
use crate::worker::Stop;

/// The thread's period: one block.
const TICK: Duration = Duration::from_millis(10);
/// Ticks that were missed are caught up with, unless so many were that it would be heard as haste.
const FORGIVEN: Duration = Duration::from_millis(200);
/// Packets of this size or less need not be sent (RFC 6716, discontinuous transmission).
const SILENT: usize = 2;

/// What the handle wants of the thread.
pub(super) enum Command {
    Output(Output),
    Microphone(Option<Box<Microphone>>),
    Add(Box<Voice>),
    Tap(Tap, queue::Sender<Tapped>),
}

/// The state of the audio thread.
pub(super) struct Engine {
    output: Output,
    microphone: Option<Box<Microphone>>,
    voices: Vec<Voice>,
    mixer: Mixer,
    sending: Sending,
    taps: Vec<(Tap, queue::Sender<Tapped>)>,
    shared: Arc<Shared>,
    meter: Meter,
}

impl Engine {
    pub(super) fn new(
        output: Output,
        out: queue::Sender<EncodedAudio>,
        shared: Arc<Shared>,
        config: Config,
    ) -> Result<Self, MediaError> {
        Ok(Self {
            output,
            microphone: None,
            voices: Vec::new(),
            mixer: Mixer::default(),
            sending: Sending::new(out, config)?,
            taps: Vec::new(),
            shared,
            meter: Meter::default(),
        })
    }

    /// Ticks until told to stop.
    pub(super) fn run(&mut self, commands: &Receiver<Command>, stop: &Stop) -> Result<(), MediaError> {
        let mut next = Instant::now();
        while !stop.wait_until(next) {
            commands.try_iter().for_each(|command| self.obey(command));
            self.play(next);
            self.listen(next)?;
            next += TICK;
            let now = Instant::now();
            if now > next + FORGIVEN {
                tracing::debug!(behind = ?(now - next), "the audio thread was held up");
                next = now;
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Output(output) => self.output = output,
            Command::Microphone(microphone) => {
                self.microphone = microphone;
                self.sending.begin();
                if self.microphone.is_none() {
                    self.shared.local_level.store(0, Ordering::Relaxed);
                }
            }
            Command::Add(voice) => self.voices.push(*voice),
            Command::Tap(tap, sender) => self.taps.push((tap, sender)),
        }
    }

    /// Plays one block of everybody.
    fn play(&mut self, now: Instant) {
        self.voices.retain_mut(|voice| {
            if let Some(block) = voice.pull(now) {
                self.mixer.add(&block.0);
            }
            !voice.is_gone()
        });
        let block = self.mixer.take();
        show(&mut self.taps, Tap::Speaker, now, &block);
        if let Some(microphone) = &mut self.microphone {
            microphone.overhear(&block);
        }
        self.output.push(&block);
    }

    /// Takes what the microphone has and encodes it. While muted it is processed all the same: the
    /// canceller has to know the room when the voice comes back.
    fn listen(&mut self, now: Instant) -> Result<(), MediaError> {
        let Some(microphone) = &mut self.microphone else { return Ok(()) };
        microphone.set_processing(self.shared.processing());
        let muted = self.shared.muted.load(Ordering::Relaxed);
        self.sending.set_clarity(self.shared.clarity())?;
        while let Some((mut block, at)) = microphone.next_block(now) {
            if muted {
                block = AudioBlock::SILENCE;
            }
            self.shared.local_level.store(self.meter.measure(&block), Ordering::Relaxed);
            show(&mut self.taps, Tap::Microphone, now, &block);
            self.sending.add(&block, at)?;
        }
        Ok(())
    }
}

fn show(taps: &mut Vec<(Tap, queue::Sender<Tapped>)>, tap: Tap, at: Instant, block: &AudioBlock) {
    taps.retain(|(place, sender)| *place != tap || sender.push(Tapped { at, block: block.clone() }));
}

/// Joins blocks to packets of 20 ms and encodes them.
struct Sending {
    encoder: Encoder,
    clarity: Clarity,
    out: queue::Sender<EncodedAudio>,
    frame: [f32; FRAME_SAMPLES],
    filled: usize,
    at: Option<Instant>,
    /// The packet before was silent, or there was none.
    silent: bool,
}

impl Sending {
    fn new(out: queue::Sender<EncodedAudio>, config: Config) -> Result<Self, MediaError> {
        let encoder = Encoder::new(config)?;
        let clarity = Clarity::default();
        Ok(Self { encoder, clarity, out, frame: [0.0; FRAME_SAMPLES], filled: 0, at: None, silent: true })
    }

    fn set_clarity(&mut self, clarity: Clarity) -> Result<(), MediaError> {
        if std::mem::replace(&mut self.clarity, clarity) != clarity {
            self.encoder.set_bitrate(clarity.bitrate())?;
        }
        Ok(())
    }

    /// Another microphone: half a packet of the one before is of no use.
    fn begin(&mut self) {
        (self.filled, self.silent) = (0, true);
    }

    fn add(&mut self, block: &AudioBlock, at: Instant) -> Result<(), MediaError> {
        if self.filled == 0 {
            self.at = Some(at);
        }
        self.frame[self.filled..self.filled + BLOCK_SAMPLES].copy_from_slice(&block.0);
        self.filled += BLOCK_SAMPLES;
        if self.filled < FRAME_SAMPLES {
            return Ok(());
        }
        self.filled = 0;
        let level = rfc6464(&self.frame);
        let packet = self.encoder.encode(&self.frame)?;
        let silent = packet.len() <= SILENT;
        self.out.push(EncodedAudio {
            data: packet.into(),
            at: self.at.unwrap_or(at),
            samples: FRAME_SAMPLES as u32,
            level,
            marker: self.silent && !silent,
        });
        self.silent = silent;
        Ok(())
    }
}
