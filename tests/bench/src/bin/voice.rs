//! How long a voice takes from the microphone's source to the speaker's sink, without devices and
//! without a network: marks in a recording go through the audio thread, Opus, a hand-over inside the
//! process, the jitter buffer, Opus again and the mixer of a second engine, and are looked for in what
//! that one plays. Prints one JSON line; latencies in milliseconds.

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bench::{CpuTime, Samples, report};
use bytes::Bytes;
use clap::Parser;
use confab_frame::{BLOCK_SAMPLES, EncodedAudio, SAMPLE_RATE, queue};
use confab_media::audio::{AudioEngine, AudioPacket, RemoteAudio, Tap, Tapped};
use confab_media::{MicrophoneSource, SpeakerSink};
use serde_json::json;

/// Samples from one mark to the next: not a multiple of a packet, so that every place in a packet
/// comes up.
const PERIOD: usize = 15_013;
/// Samples of a mark: 20 ms.
const MARK: usize = 960;
/// A mark is looked for until this long after it was said, which is before the next one.
const SEARCH: usize = 14_000;
/// What is found must be as like a mark as this, 1 being the mark itself.
const ALIKE: f32 = 0.5;
/// Blocks a second.
const BLOCKS: usize = SAMPLE_RATE as usize / BLOCK_SAMPLES;

#[derive(Parser)]
struct Options {
    /// How long to listen.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
}

fn main() -> Result<()> {
    let seconds = Options::parse().seconds.clamp(2, 600);
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("marks.wav");
    write_marks(&recording)?;

    let (speaking, encoded) = AudioEngine::start(&SpeakerSink::Null)?;
    let (listening, _nothing_said) = AudioEngine::start(&SpeakerSink::Null)?;
    let voice = Arc::new(listening.add_remote("voice".to_owned())?);
    let carrier = carry(encoded, voice.clone())?;
    // Two engines would tick together only by chance: a real pair never does.
    let capacity = (seconds + 5) * BLOCKS;
    let (said, heard) = (speaking.tap(Tap::Microphone, capacity)?, listening.tap(Tap::Speaker, capacity)?);
    speaking.set_microphone(Some(&MicrophoneSource::File(recording)))?;
    let (started, before) = (Instant::now(), CpuTime::own());
    std::thread::sleep(Duration::from_secs(seconds as u64));
    let (elapsed, after) = (started.elapsed(), CpuTime::own());
    let stats = voice.stats();
    let failure = speaking.failure().or_else(|| listening.failure());
    drop(speaking);
    carrier.join().ok().context("the thread that carries packets broke")?;
    drop((voice, listening));
    if let Some(failure) = failure {
        bail!(failure);
    }

    let latencies = measure(&Stream::of(&said)?, &Stream::of(&heard)?)?;
    let cpu = before.zip(after).map(|(before, after)| {
        (after.total().saturating_sub(before.total())).as_secs_f64() / elapsed.as_secs_f64()
    });
    let concealed = stats.concealed_samples as f64 / stats.played_samples.max(1) as f64;
    report(
        "voice",
        &json!({
            "latency_ms": latencies.summary(),
            "seconds": seconds,
            "concealed_percent": (concealed * 1e4).round() / 1e2,
            "jitter_delay_ms": stats.delay.as_millis() as u64,
            "cores": cpu.map(|cores| (cores * 1e4).round() / 1e4),
        }),
    );
    Ok(())
}

/// A rising tone under a soft envelope: it is unlike itself at any other place.
fn mark() -> Vec<f32> {
    (0..MARK)
        .map(|n| {
            let t = n as f64 / f64::from(SAMPLE_RATE);
            let envelope = (std::f64::consts::PI * n as f64 / MARK as f64).sin().powi(2);
            let length = MARK as f64 / f64::from(SAMPLE_RATE);
            (0.5 * envelope * (TAU * (300.0 * t + 1_200.0 * t * t / length)).sin()) as f32
        })
        .collect()
}

/// Marks over a quiet background, which keeps the encoder from sending nothing.
fn write_marks(path: &Path) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    let (mark, mut seed) = (mark(), 1u32);
    for n in 0..PERIOD * 8 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * 0.003;
        let sample = noise + mark.get(n % PERIOD).copied().unwrap_or(0.0);
        file.write_sample((sample * 32_767.0) as i16)?;
    }
    file.finalize()?;
    Ok(())
}

/// Hands packets over as a network without faults and without distance would.
fn carry(
    encoded: queue::Receiver<EncodedAudio>,
    voice: Arc<RemoteAudio>,
) -> Result<std::thread::JoinHandle<()>> {
    let run = move || {
        let (mut seq, mut timestamp) = (0u16, 0u32);
        while !encoded.is_finished() {
            let Some(entry) = encoded.pop(Duration::from_millis(100)) else { continue };
            let packet = entry.value;
            if packet.data.len() > 2 {
                let payload = Bytes::copy_from_slice(&packet.data);
                voice.push(AudioPacket { seq, timestamp, payload, at: Instant::now() });
                seq = seq.wrapping_add(1);
            }
            timestamp = timestamp.wrapping_add(packet.samples);
        }
    };
    Ok(std::thread::Builder::new().name("carrier".to_owned()).spawn(run)?)
}

/// Everything that passed a tap.
struct Stream {
    samples: Vec<f32>,
    /// When each block was handed over.
    times: Vec<Instant>,
}

impl Stream {
    fn of(tap: &queue::Receiver<Tapped>) -> Result<Self> {
        let mut stream = Self { samples: Vec::new(), times: Vec::new() };
        while let Some(entry) = tap.try_pop() {
            if entry.dropped > 0 {
                bail!("{} blocks were missed", entry.dropped);
            }
            stream.times.push(entry.value.at);
            stream.samples.extend(entry.value.block.0);
        }
        Ok(stream)
    }

    /// When a sample was handed over, counted on from the beginning of its block.
    fn time(&self, sample: usize) -> Option<Instant> {
        let into = Duration::from_secs_f64((sample % BLOCK_SAMPLES) as f64 / f64::from(SAMPLE_RATE));
        Some(*self.times.get(sample / BLOCK_SAMPLES)? + into)
    }

    /// The first sample handed over at or after a moment.
    fn sample_at(&self, at: Instant) -> usize {
        self.times.partition_point(|time| *time < at).saturating_sub(1) * BLOCK_SAMPLES
    }

    /// Where in `from..to` the sound is most like the mark, and how much.
    fn find(&self, mark: &[f32], from: usize, to: usize) -> Option<(usize, f32)> {
        let to = to.min(self.samples.len().saturating_sub(mark.len()));
        (from..to)
            .map(|at| (at, likeness(mark, &self.samples[at..at + mark.len()])))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let (mut product, mut aa, mut bb) = (0f32, 1e-6f32, 1e-6f32);
    for (a, b) in a.iter().zip(b) {
        product += a * b;
        aa += a * a;
        bb += b * b;
    }
    product / (aa * bb).sqrt()
}

/// Milliseconds from saying to hearing, of every mark.
fn measure(said: &Stream, heard: &Stream) -> Result<Samples> {
    let mark = mark();
    let mut latencies = Samples::default();
    let mut missed = 0;
    // The recording begins with a mark and repeats them evenly.
    for at in (0..said.samples.len()).step_by(PERIOD).skip(2) {
        let Some(time) = said.time(at) else { break };
        let from = heard.sample_at(time);
        if from + SEARCH + MARK > heard.samples.len() {
            break;
        }
        match heard.find(&mark, from, from + SEARCH) {
            Some((place, alike)) if alike > ALIKE => {
                let Some(found) = heard.time(place) else { break };
                latencies.push(found.saturating_duration_since(time).as_secs_f64() * 1e3);
            }
            _ => missed += 1,
        }
    }
    if latencies.count() < 3 || missed > latencies.count() / 20 {
        bail!("{missed} marks were not heard, {} were", latencies.count());
    }
    Ok(latencies)
}
