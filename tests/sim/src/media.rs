//! Made-up media that is packed, put in order and judged by the session's own parts.

use bytes::Bytes;
use confab_frame::{EncodedAudio, EncodedVideo};
use confab_media::jitter::{AudioPacket, Config, JitterBuffer, Output};
use confab_session::sim::{PictureIn, PictureOut, Piece, VoiceOut};
use std::time::{Duration, Instant};

/// A packet of sound stands for this long.
pub(crate) const BLOCK: Duration = Duration::from_millis(20);
/// Between two pictures.
pub(crate) const FRAME: Duration = Duration::from_millis(66);
/// Playback proceeds by steps of this.
const STEP: Duration = Duration::from_millis(10);

/// Somebody's voice as it is sent.
#[derive(Debug)]
pub(crate) struct Voice {
    out: VoiceOut,
    pub(crate) next: Instant,
}

impl Voice {
    pub(crate) fn new(now: Instant) -> Voice {
        Voice { out: VoiceOut::new(0x1234_5678), next: now }
    }

    /// The next packet: Opus, 20 ms, CELT, fullband.
    pub(crate) fn piece(&mut self, now: Instant) -> Option<Piece> {
        self.next = now + BLOCK;
        let data: Vec<u8> = [0xf8].into_iter().chain([0x55; 79]).collect();
        let sound = EncodedAudio { data: data.into(), at: now, samples: 960, level: 20, marker: false };
        self.out.piece(&sound)
    }
}

/// Somebody's camera as it is sent.
#[derive(Debug)]
pub(crate) struct Camera {
    out: PictureOut,
    pub(crate) next: Instant,
    wants_key: bool,
    counter: u32,
}

impl Camera {
    pub(crate) fn new(now: Instant) -> Camera {
        Camera { out: PictureOut::new(0x8765_4321), next: now, wants_key: true, counter: 0 }
    }

    /// The next picture is a key frame.
    pub(crate) fn ask(&mut self) {
        self.wants_key = true;
    }

    /// The next picture's packets. Its bytes tell its number; none of them forms a start code.
    pub(crate) fn pieces(&mut self, now: Instant) -> Vec<Piece> {
        self.next = now + FRAME;
        self.counter += 1;
        let key = std::mem::take(&mut self.wants_key);
        let digits = format!("{:010}", self.counter);
        let size = if key { 6_000 } else { 1_500 };
        let slice = [0, 0, 0, 1, if key { 0x65 } else { 0x41 }];
        let parameters: &[u8] =
            if key { &[0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c] } else { &[] };
        let data: Vec<u8> = parameters
            .iter()
            .chain(&slice)
            .copied()
            .chain(digits.bytes())
            .chain(std::iter::repeat_n(0x80, size))
            .collect();
        let picture =
            EncodedVideo { data: data.into(), at: now, width: 640, height: 360, key, temporal_id: 0 };
        self.out.pieces(&picture)
    }
}

/// The number that a picture tells.
fn counter(picture: &Bytes) -> Option<u32> {
    let digits = picture.windows(10).find(|ten| ten.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Somebody's media as it is received.
#[derive(Debug)]
pub(crate) enum Received {
    Voice { jitter: Box<JitterBuffer>, next: Instant, pending: usize, heard: Heard },
    Picture { pictures: Box<PictureIn>, heard: Heard },
}

/// What came of somebody's media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Blocks of sound played, or pictures complete and decodable.
    pub played: u64,
    /// Steps of 10 ms made up, or pictures that were missing between others.
    pub missing: u64,
    /// The longest run of steps made up while somebody spoke.
    pub gap: u64,
    run: u64,
    last: Option<u32>,
    /// When the last picture or sound was there.
    pub at: Option<Instant>,
}

impl Heard {
    /// What came since another look; the longest run is of all the time.
    pub fn since(self, then: Heard) -> Heard {
        Heard { played: self.played - then.played, missing: self.missing - then.missing, ..self }
    }

    /// This and what came of another stream.
    pub(crate) fn and(self, other: Heard) -> Heard {
        Heard {
            played: self.played + other.played,
            missing: self.missing + other.missing,
            gap: self.gap.max(other.gap),
            at: self.at.max(other.at),
            ..other
        }
    }
}

impl Received {
    pub(crate) fn new(video: bool, now: Instant) -> Received {
        if video {
            Received::Picture { pictures: Box::new(PictureIn::new(now)), heard: Heard::default() }
        } else {
            let jitter = Box::new(JitterBuffer::new(Config::default()));
            Received::Voice { jitter, next: now, pending: 0, heard: Heard::default() }
        }
    }

    pub(crate) fn heard(&self) -> Heard {
        match self {
            Received::Voice { heard, .. } | Received::Picture { heard, .. } => *heard,
        }
    }

    /// When time has to pass.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Received::Voice { next, .. } => Some(*next),
            Received::Picture { .. } => None,
        }
    }

    /// A packet came; true when a key frame is to be asked for. The failure says which picture cannot be
    /// shown behind the one before.
    pub(crate) fn take(&mut self, piece: Piece, now: Instant) -> Result<bool, String> {
        match self {
            Received::Voice { jitter, .. } => {
                let Piece { sequence: seq, timestamp, payload, .. } = piece;
                jitter.push(AudioPacket { seq, timestamp, payload, at: now });
                Ok(false)
            }
            Received::Picture { pictures, heard } => {
                pictures.push(piece, now);
                for (key, picture) in pictures.pictures(now) {
                    let Some(number) = counter(&picture) else { continue };
                    let before = heard.last.replace(number);
                    let next = before.map_or(0, |before| before + 1);
                    if number < next || (!key && (before.is_none() || number != next)) {
                        return Err(format!("picture {number} behind {before:?}, a key frame: {key}"));
                    }
                    heard.missing += before.map_or(0, |before| u64::from(number - before - 1));
                    heard.played += 1;
                    heard.at = Some(now);
                }
                Ok(pictures.asks(now))
            }
        }
    }

    /// Plays what is due.
    pub(crate) fn play(&mut self, now: Instant) {
        let Received::Voice { jitter, next, pending, heard } = self else { return };
        while *next <= now {
            *next += STEP;
            if *pending < 480 {
                *pending += match jitter.poll(now, *pending) {
                    Output::Packet { .. } => {
                        (heard.played, heard.run, heard.at) = (heard.played + 1, 0, Some(now));
                        960
                    }
                    Output::Recover { samples, .. } => {
                        heard.run = 0;
                        samples
                    }
                    Output::Conceal { samples } => {
                        heard.missing += 1;
                        heard.run += 1;
                        heard.gap = heard.gap.max(heard.run);
                        samples
                    }
                    Output::Comfort { samples } => samples,
                    Output::Silence => 480,
                };
            }
            *pending = pending.saturating_sub(480);
        }
    }
}
