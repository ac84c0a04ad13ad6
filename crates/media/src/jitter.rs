//! Orders packets of one voice and decides what the decoder is fed, moment by moment. Owns no clock,
//! no thread and no decoder: time is an argument, so that every rule is tested in virtual time.
//!
//! A packet is due `delay` after it would have arrived on an undisturbed way. The delay follows the
//! jitter that was seen; playback moves towards it by playing packets a little faster or slower.
//! When the next packet is missing the gap is concealed without giving the moment up: if the packet
//! was only late it is played then, and the delay has grown; if it was lost, what was made up stands
//! for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

mod delay;
mod sequence;
#[cfg(test)]
mod tests;

use delay::Delay;
use sequence::Sequence;
pub use sequence::samples_of;

/// Samples of one step of playback: 10 ms.
const STEP: i64 = 480;
/// A second without packets ends the talk spurt; the next packet begins a new one.
const SILENCE_AFTER: i64 = 48_000;
/// Gaps longer than the lost packets explain, by this much, are pauses of the sender.
const PAUSE: i64 = 3 * 960;
/// Playback this much behind its delay is brought back by leaving packets out.
const HOPELESS_US: i64 = 300_000;
/// Playback is hurried when it is more than this behind its delay, which must exceed one step.
const BEHIND_US: i64 = 12_000;
/// Playback is held up when it is further ahead of its delay than this.
const AHEAD_US: i64 = -5_000;
/// Packets between two corrections of a small error.
const GENTLE: u32 = 4;
/// Errors above this are corrected with every packet.
const LARGE_US: i64 = 60_000;
/// Packets held at most, 5 s of 20 ms; a sender that is that far ahead is broken.
const HELD: usize = 250;

/// One packet as the network gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioPacket {
    /// RTP sequence number.
    pub seq: u16,
    /// RTP timestamp, 48 kHz.
    pub timestamp: u32,
    /// Opus packet.
    pub payload: Bytes,
    /// When it arrived.
    pub at: Instant,
}

/// Limits of the delay: from the arrival of an undelayed packet until its first 10 ms are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    pub min: Duration,
    pub max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { min: Duration::from_millis(20), max: Duration::from_millis(200) }
    }
}

/// How a packet should be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it is.
    Steady,
    /// A little shortened: playback is behind its delay.
    Faster,
    /// A little lengthened: playback is ahead of its delay.
    Slower,
}

/// What to feed the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Decode this packet and play it at this pace.
    Packet { payload: Bytes, pace: Pace },
    /// The packet before `following` is lost: rebuild its samples from the copy in `following`,
    /// which stays in the buffer and is played next.
    Recover { following: Bytes, samples: usize },
    /// Let the decoder make up so many samples.
    Conceal { samples: usize },
    /// The sender pauses: let the decoder make up so many samples of background.
    Comfort { samples: usize },
    /// Nobody talks: play 10 ms of silence.
    Silence,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// From arrival on an undisturbed way to playback, as it is now.
    pub delay: Duration,
    /// What the delay is moved towards.
    pub target: Duration,
    /// Packets that came, the late ones included.
    pub received: u64,
    /// Packets that were missing at their moment, whether they came later or not.
    pub lost: u64,
    /// Of those, packets rebuilt from the next one's copy.
    pub recovered: u64,
    /// Packets that came after their moment and were of no use.
    pub late: u64,
    /// Packets left out to catch up.
    pub skipped: u64,
    /// Samples played, whatever they came from, pauses and silence excepted.
    pub played_samples: u64,
    /// Of those, samples made up.
    pub concealed_samples: u64,
    /// Times that playback ran out of packets and they came later.
    pub underruns: u64,
    /// Packets played faster or slower.
    pub stretched: u64,
}

#[derive(Clone, Debug)]
struct Held {
    timestamp: i64,
    samples: i64,
    payload: Bytes,
}

/// Where playback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing came yet, or nothing for a second.
    Idle,
    /// The next sample stands for this packet and time; `stalled` samples were made up instead.
    Playing { seq: i64, timestamp: i64, stalled: i64 },
}

/// Orders the packets of one voice; see the module.
#[derive(Debug)]
pub struct JitterBuffer {
    epoch: Option<Instant>,
    sequence: Sequence,
    held: BTreeMap<i64, Held>,
    state: State,
    /// The first packet that was neither played nor given up.
    next: i64,
    delay: Delay,
    /// Samples of the last packet, taken for those of a lost one.
    frame: i64,
    /// Packets since the pace was last corrected.
    steady: u32,
    lateness_us: i64,
    stats: JitterStats,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(config: Config) -> Self {
        Self {
            epoch: None,
            sequence: Sequence::default(),
            held: BTreeMap::new(),
            state: State::Idle,
            next: i64::MIN,
            delay: Delay::new(config.min, config.max),
            frame: 2 * STEP,
            steady: GENTLE,
            lateness_us: 0,
            stats: JitterStats::default(),
        }
    }

    /// What happened so far.
    pub fn stats(&self) -> JitterStats {
        let delay = Duration::from_micros(u64::try_from(self.lateness_us).unwrap_or(0) + 10_000);
        JitterStats {
            delay,
            target: Duration::from_micros(self.delay.wait_us() as u64 + 10_000),
            ..self.stats
        }
    }

    /// Takes a packet in. One without sound in it (no Opus, or empty) is left out.
    pub fn push(&mut self, packet: AudioPacket) {
        let Some(samples) = samples_of(&packet.payload).map(i64::from) else { return };
        let epoch = *self.epoch.get_or_insert(packet.at);
        let at_us = micros(epoch, packet.at);
        if self.sequence.is_jump(packet.seq, packet.timestamp) {
            self.restart();
        }
        let (seq, timestamp) = self.sequence.unwrap(packet.seq, packet.timestamp);
        let transit_us = at_us - sample_us(timestamp);
        if self.state == State::Idle && self.held.is_empty() {
            self.delay.begin(transit_us);
        }
        self.stats.received += 1;
        self.delay.arrived(at_us, transit_us);
        if seq < self.next {
            self.stats.late += 1;
            return;
        }
        self.held.insert(seq, Held { timestamp, samples, payload: packet.payload });
        while self.held.len() > HELD {
            self.held.pop_first();
            self.stats.skipped += 1;
        }
    }

    /// What to play next, when `pending` decoded samples are still to be played at `now`.
    pub fn poll(&mut self, now: Instant, pending: usize) -> Output {
        let Some(epoch) = self.epoch else { return Output::Silence };
        let now_us = micros(epoch, now) + sample_us(pending as i64);
        self.catch_up(now_us);
        let output = match (self.state, self.first()) {
            (State::Idle, None) => Output::Silence,
            (State::Idle, Some((seq, timestamp, ..))) => {
                if now_us < self.due_us(timestamp) {
                    Output::Silence
                } else {
                    self.state = State::Playing { seq, timestamp, stalled: 0 };
                    self.play(now_us)
                }
            }
            (State::Playing { .. }, None) => self.stall(),
            (State::Playing { seq: next, timestamp: wanted, stalled }, Some((seq, timestamp, samples))) => {
                let (missing, gap) = (seq - next, timestamp - wanted);
                let pause = gap > missing * self.frame + if missing > 0 { PAUSE } else { 0 };
                if pause && now_us < self.due_us(timestamp) {
                    self.comfort()
                } else if pause || gap <= stalled || missing == 0 {
                    self.settle(missing, gap, stalled);
                    self.play(now_us)
                } else {
                    self.fill(missing, gap - stalled, samples)
                }
            }
        };
        self.count(&output);
        output
    }

    /// The first packet held: its number, timestamp and samples.
    fn first(&self) -> Option<(i64, i64, i64)> {
        self.held.first_key_value().map(|(&seq, held)| (seq, held.timestamp, held.samples))
    }

    fn due_us(&self, timestamp: i64) -> i64 {
        self.delay.base_us() + sample_us(timestamp) + self.delay.wait_us()
    }

    /// Plays the first packet held.
    fn play(&mut self, now_us: i64) -> Output {
        let Some((seq, held)) = self.held.pop_first() else { return Output::Silence };
        self.lateness_us = now_us - self.delay.base_us() - sample_us(held.timestamp);
        self.frame = held.samples;
        self.next = seq + 1;
        self.delay.kept();
        self.state = State::Playing { seq: seq + 1, timestamp: held.timestamp + held.samples, stalled: 0 };
        Output::Packet { payload: held.payload, pace: self.pace() }
    }

    fn pace(&mut self) -> Pace {
        self.steady = self.steady.saturating_add(1);
        let error = self.lateness_us - self.delay.wait_us();
        let pace = match error {
            LARGE_US.. => Pace::Faster,
            BEHIND_US.. if self.steady > GENTLE => Pace::Faster,
            ..=AHEAD_US if self.steady > GENTLE => Pace::Slower,
            _ => return Pace::Steady,
        };
        self.steady = 0;
        self.stats.stretched += 1;
        pace
    }

    /// Nothing is there: makes 10 ms up without giving the moment up.
    fn stall(&mut self) -> Output {
        let State::Playing { seq, timestamp, stalled } = self.state else { return Output::Silence };
        if stalled >= SILENCE_AFTER {
            self.state = State::Idle;
            return Output::Silence;
        }
        self.state = State::Playing { seq, timestamp, stalled: stalled + STEP };
        // Counted when the next packet tells a pause of the sender from trouble on the way.
        Output::Comfort { samples: STEP as usize }
    }

    fn comfort(&mut self) -> Output {
        if let State::Playing { stalled, .. } = &mut self.state {
            *stalled += STEP;
        }
        Output::Comfort { samples: STEP as usize }
    }

    /// Counts what was made up before the packet that is played now.
    fn settle(&mut self, missing: i64, gap: i64, stalled: i64) {
        self.stats.lost += missing as u64;
        (0..missing).for_each(|_| self.delay.lost());
        // What a pause explains is background, not concealment.
        let explained = (gap - missing * self.frame).max(0);
        let concealed = (stalled - explained).max(0);
        self.stats.concealed_samples += concealed as u64;
        self.stats.played_samples += concealed as u64;
        self.stats.underruns += u64::from(missing == 0 && concealed > 0);
    }

    /// Fills a gap of lost packets one by one, the last from the copy in the packet after it.
    fn fill(&mut self, missing: i64, rest: i64, samples: i64) -> Output {
        let State::Playing { seq, timestamp, stalled } = self.state else { return Output::Silence };
        self.next = seq + 1;
        self.stats.lost += 1;
        self.delay.lost();
        self.stats.concealed_samples += stalled as u64;
        self.stats.played_samples += stalled as u64;
        let filled = if missing == 1 { rest } else { rest.min((self.frame - stalled).max(STEP)) };
        self.state = State::Playing { seq: seq + 1, timestamp: timestamp + stalled + filled, stalled: 0 };
        let count = filled.clamp(STEP / 4, self.frame.max(STEP)) as usize;
        match self.held.first_key_value() {
            Some((_, held)) if missing == 1 && rest == samples => {
                self.stats.recovered += 1;
                Output::Recover { following: held.payload.clone(), samples: count }
            }
            _ => Output::Conceal { samples: count },
        }
    }

    /// Leaves packets out when playback is so far behind that hurrying takes too long.
    fn catch_up(&mut self, now_us: i64) {
        while let (State::Playing { .. }, Some((seq, timestamp, samples))) = (self.state, self.first()) {
            if now_us - self.due_us(timestamp) <= HOPELESS_US || self.held.len() < 2 {
                return;
            }
            self.held.pop_first();
            self.stats.skipped += 1;
            self.next = seq + 1;
            self.state = State::Playing { seq: seq + 1, timestamp: timestamp + samples, stalled: 0 };
        }
    }

    fn count(&mut self, output: &Output) {
        let played = match output {
            Output::Packet { .. } => self.frame as u64,
            Output::Recover { samples, .. } => *samples as u64,
            Output::Conceal { samples } => {
                self.stats.concealed_samples += *samples as u64;
                *samples as u64
            }
            Output::Comfort { .. } | Output::Silence => 0,
        };
        self.stats.played_samples += played;
    }

    /// The sender began anew: nothing of before tells about what comes.
    fn restart(&mut self) {
        self.stats.skipped += self.held.len() as u64;
        self.held.clear();
        self.state = State::Idle;
        self.next = i64::MIN;
        self.sequence = Sequence::default();
        self.delay.restart();
    }
}

fn micros(epoch: Instant, at: Instant) -> i64 {
    match at.checked_duration_since(epoch) {
        Some(after) => after.as_micros() as i64,
        None => -(epoch.duration_since(at).as_micros() as i64),
    }
}

fn sample_us(samples: i64) -> i64 {
    samples * 1_000 / 48
}
