//! Encoding beside everything else; pauses and key frames are wished for from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use confab_frame::{Cursor, EncodedVideo, Slot, VideoFrame, queue};

use super::h264::{Config, Encoder};
use crate::worker::{Stop, Worker};
use crate::{MediaError, VideoConfig};

/// How long the thread waits for a picture before it looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(20);

/// Wishes shared with the thread.
#[derive(Debug, Default)]
struct Shared {
    key: AtomicBool,
    paused: AtomicBool,
}

/// Encodes the latest picture of a slot on a thread "encode", which ends when this is dropped.
#[derive(Debug)]
pub struct VideoEncoderThread {
    shared: Arc<Shared>,
    worker: Worker,
}

impl VideoEncoderThread {
    /// Takes pictures from `frames`, at most `config.fps` a second, in whatever size they have, and
    /// puts what they become into `out`. The first is a key frame.
    pub fn start(
        config: VideoConfig,
        frames: Arc<Slot<VideoFrame>>,
        out: queue::Sender<EncodedVideo>,
    ) -> Result<Self, MediaError> {
        let VideoConfig { width, height, fps, bitrate } = config;
        let encoder = Encoder::new(Config { width, height, fps, bitrate, screen: false })?;
        let shared = Arc::new(Shared { key: AtomicBool::new(true), ..Shared::default() });
        let theirs = shared.clone();
        let worker = Worker::spawn("encode", move |stop| run(encoder, &frames, &out, &theirs, stop))?;
        Ok(Self { shared, worker })
    }

    /// Makes the next picture a key frame.
    pub fn request_key_frame(&self) {
        self.shared.key.store(true, Ordering::Relaxed);
    }

    /// Encodes nothing while paused, and begins with a key frame after.
    pub fn set_paused(&self, paused: bool) {
        if !self.shared.paused.swap(paused, Ordering::Relaxed) || !paused {
            self.request_key_frame();
        }
    }

    /// Why the thread ended by itself, if it did.
    pub fn failure(&self) -> Option<MediaError> {
        self.worker.failure()
    }
}

fn run(
    mut encoder: Encoder,
    frames: &Slot<VideoFrame>,
    out: &queue::Sender<EncodedVideo>,
    shared: &Shared,
    stop: &Stop,
) -> Result<(), MediaError> {
    let mut cursor = Cursor::default();
    let mut pace = Pace::new(encoder.config().fps);
    while !stop.is_set() && !frames.is_closed() {
        let Some(frame) = frames.wait_newer(&mut cursor, PATIENCE) else { continue };
        if shared.paused.load(Ordering::Relaxed) || !pace.takes(frame.at) {
            continue;
        }
        let key = shared.key.swap(false, Ordering::Relaxed);
        let Some(picture) = encoder.encode(&frame.buffer, frame.at, key)? else {
            // A wish outlives a picture that the rate control left out.
            shared.key.fetch_or(key, Ordering::Relaxed);
            continue;
        };
        if !out.push(picture) {
            break;
        }
    }
    Ok(())
}

/// Leaves pictures out of a source that is faster than what is sent.
struct Pace {
    period: Duration,
    next: Option<Instant>,
}

impl Pace {
    fn new(fps: u32) -> Self {
        Self { period: Duration::from_secs(1) / fps.max(1), next: None }
    }

    /// Whether a picture of this time is one of those that are sent.
    fn takes(&mut self, at: Instant) -> bool {
        // A camera's clock trembles: a picture that is a little early is still on time.
        let slack = self.period / 4;
        match self.next {
            Some(next) if at + slack < next => false,
            Some(next) if at < next + self.period => {
                self.next = Some(next + self.period);
                true
            }
            _ => {
                self.next = Some(at + self.period);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TestPattern;

    #[test]
    fn a_fast_source_is_thinned_to_the_rate_and_a_slow_one_is_left_alone() {
        let start = Instant::now();
        let kept = |source_fps: u64| {
            let mut pace = Pace::new(30);
            (0..source_fps)
                .filter(|n| pace.takes(start + Duration::from_micros(n * 1_000_000 / source_fps)))
                .count()
        };
        assert_eq!((kept(60), kept(30), kept(25)), (30, 30, 25));
        assert!((30..=31).contains(&kept(90)), "{}", kept(90));
    }

    #[test]
    fn the_thread_encodes_what_is_put_pauses_and_starts_again_with_a_key_frame() {
        let frames = Arc::new(Slot::default());
        let (sender, receiver) = queue::bounded(8);
        let config = VideoConfig { width: 320, height: 180, fps: 30, bitrate: 300_000 };
        let thread = VideoEncoderThread::start(config, frames.clone(), sender).unwrap();
        let mut pattern = TestPattern::new(320, 180).unwrap();
        let mut at = Instant::now();
        let mut put = || {
            at += Duration::from_millis(40);
            frames.put(pattern.draw(at).unwrap());
        };
        let wait = || receiver.pop(Duration::from_secs(10)).unwrap().value;
        put();
        assert!(wait().key);
        put();
        assert!(!wait().key);
        thread.request_key_frame();
        put();
        assert!(wait().key);
        thread.set_paused(true);
        put();
        assert!(receiver.pop(Duration::from_millis(200)).is_none());
        thread.set_paused(false);
        put();
        assert!(wait().key);
        assert_eq!(thread.failure(), None);
        drop(thread);
        assert!(receiver.is_finished());
    }

    #[test]
    fn an_unwanted_queue_ends_the_thread_without_a_failure() {
        let frames = Arc::new(Slot::default());
        let (sender, receiver) = queue::bounded(1);
        let thread = VideoEncoderThread::start(VideoConfig::default(), frames.clone(), sender).unwrap();
        drop(receiver);
        frames.put(TestPattern::new(320, 180).unwrap().draw(Instant::now()).unwrap());
        drop(thread);
    }
}
