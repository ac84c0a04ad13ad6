//! Decoding beside everything else, with the key frames that it takes to go on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use confab_frame::{EncodedVideo, FramePool, Slot, VideoFrame};

use super::h264::{Decoder, is_disposable, is_key};
use crate::MediaError;
use crate::worker::{Stop, Worker};

/// Pictures that may wait for the decoder.
const QUEUE: usize = 3;
/// Key frames are asked for no more often than this.
const KEY_INTERVAL: Duration = Duration::from_millis(300);
/// How long the thread waits before it looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(20);

/// Decodes one stream on a thread "decode", which ends when this is dropped.
pub struct VideoDecoderThread {
    shared: Arc<Shared>,
    worker: Worker,
}

struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    decoded: AtomicU64,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits, and what a full queue does about it.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<EncodedVideo>,
    /// Pictures are of no use until a key frame comes.
    until_key: bool,
    /// Somebody should be asked for a key frame.
    wants_key: bool,
}

impl Queue {
    /// Takes a picture in.
    fn push(&mut self, picture: EncodedVideo) {
        let key = picture.key || is_key(&picture.data);
        if key {
            self.until_key = false;
        } else if self.until_key {
            self.wants_key = true;
            return;
        }
        if self.waiting.len() < QUEUE {
            self.waiting.push_back(picture);
        } else if key {
            self.waiting.clear();
            self.waiting.push_back(picture);
        } else if is_disposable(&picture.data) {
            // Nothing is lost without it.
        } else if let Some(at) = self.waiting.iter().position(|waiting| is_disposable(&waiting.data)) {
            self.waiting.remove(at);
            self.waiting.push_back(picture);
        } else {
            self.waiting.clear();
            (self.until_key, self.wants_key) = (true, true);
        }
    }
}

impl VideoDecoderThread {
    /// Decodes what is pushed into `out`. `name` tells streams apart in logs. `need_key` is called,
    /// from the thread, when only a key frame helps, at most every 300 ms.
    pub fn start(
        name: impl Into<String>,
        out: Arc<Slot<VideoFrame>>,
        need_key: impl Fn() + Send + 'static,
    ) -> Result<Self, MediaError> {
        let shared =
            Arc::new(Shared { queue: Mutex::default(), arrived: Condvar::new(), decoded: AtomicU64::new(0) });
        let (theirs, name, decoder) = (shared.clone(), name.into(), Decoder::new()?);
        let worker =
            Worker::spawn("decode", move |stop| run(decoder, &name, &theirs, &out, &need_key, stop))?;
        Ok(Self { shared, worker })
    }

    /// Queues a picture. At most 3 wait: then those that nothing depends on are left out first, else
    /// all up to the next key frame, which is asked for.
    pub fn push(&self, picture: EncodedVideo) {
        self.shared.queue().push(picture);
        self.shared.arrived.notify_one();
    }

    /// Pictures decoded so far.
    pub fn decoded(&self) -> u64 {
        self.shared.decoded.load(Ordering::Relaxed)
    }

    /// Why the thread ended by itself, if it did: then nothing more is decoded.
    pub fn failure(&self) -> Option<MediaError> {
        self.worker.failure()
    }
}

impl fmt::Debug for VideoDecoderThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VideoDecoderThread({} decoded)", self.decoded())
    }
}

fn run(
    mut decoder: Decoder,
    name: &str,
    shared: &Shared,
    out: &Slot<VideoFrame>,
    need_key: &(impl Fn() + Send),
    stop: &Stop,
) -> Result<(), MediaError> {
    let pool = FramePool::new();
    let mut asked: Option<Instant> = None;
    // The wish outlives the interval in which it may not be said again.
    let mut wants_key = false;
    while !stop.is_set() {
        let (picture, wanted) = wait(shared);
        wants_key |= wanted;
        if let Some(picture) = picture {
            match decoder.decode(&picture.data, picture.at, &pool) {
                Ok(decoded) => {
                    if let Some(frame) = decoded.frame {
                        shared.decoded.fetch_add(1, Ordering::Relaxed);
                        // A whole key frame fulfils every wish before it.
                        wants_key &= !(picture.key || is_key(&picture.data)) || decoded.concealed;
                        out.put(frame);
                    }
                    wants_key |= decoded.concealed;
                }
                Err(error) => {
                    tracing::debug!(stream = name, %error, "a picture was not decoded");
                    wants_key = true;
                }
            }
        }
        if wants_key && asked.is_none_or(|asked| asked.elapsed() >= KEY_INTERVAL) {
            (asked, wants_key) = (Some(Instant::now()), false);
            need_key();
        }
    }
    Ok(())
}

/// The next picture, or nothing after a while, and whether the queue wants a key frame.
fn wait(shared: &Shared) -> (Option<EncodedVideo>, bool) {
    let queue = shared.queue();
    let (mut queue, _) = shared
        .arrived
        .wait_timeout_while(queue, PATIENCE, |queue| queue.waiting.is_empty() && !queue.wants_key)
        .unwrap_or_else(PoisonError::into_inner);
    let wanted = std::mem::take(&mut queue.wants_key);
    (queue.waiting.pop_front(), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TestPattern;
    use crate::encode::h264::{Config, Encoder};
    use confab_frame::Cursor;
    use std::sync::mpsc;

    fn stream(count: usize) -> Vec<EncodedVideo> {
        let config = Config { width: 320, height: 180, fps: 30, bitrate: 300_000, screen: false };
        let mut encoder = Encoder::new(config).unwrap();
        let mut pattern = TestPattern::new(320, 180).unwrap();
        let at = Instant::now();
        (0..count)
            .map(|_| encoder.encode(&pattern.draw(at).unwrap().buffer, at, false).unwrap().unwrap())
            .collect()
    }

    #[test]
    fn a_full_queue_leaves_out_what_nothing_depends_on_first() {
        let stream = stream(8);
        let mut queue = Queue::default();
        let mut after = |number: usize| {
            queue.push(stream[number].clone());
            let numbers = queue.waiting.iter().map(|waits| {
                stream.iter().position(|picture| Arc::ptr_eq(&picture.data, &waits.data)).unwrap()
            });
            (numbers.collect::<Vec<_>>(), queue.wants_key)
        };
        assert_eq!([0, 1, 2].map(&mut after)[2], (vec![0, 1, 2], false));
        assert_eq!(after(3), (vec![0, 1, 2], false), "it goes at once");
        assert_eq!(after(4), (vec![0, 2, 4], false), "it takes the place of 1");
        assert_eq!(after(5), (vec![0, 2, 4], false));
        assert_eq!(after(6), (vec![], true), "only a key frame helps now");
        assert_eq!(after(7), (vec![], true));
        assert_eq!(after(0).0, [0]);
        assert!(!queue.until_key);
    }

    #[test]
    fn a_stream_that_starts_in_the_middle_asks_for_a_key_frame_and_then_plays() {
        let stream = stream(3);
        let out = Arc::new(Slot::default());
        let (asked, asks) = mpsc::channel();
        let thread = VideoDecoderThread::start("test", out.clone(), move || asked.send(()).unwrap()).unwrap();
        thread.push(stream[1].clone());
        asks.recv_timeout(Duration::from_secs(10)).unwrap();
        thread.push(stream[0].clone());
        let frame = out.wait_newer(&mut Cursor::default(), Duration::from_secs(10)).unwrap();
        assert_eq!((frame.buffer.width(), frame.at), (320, stream[0].at));
        assert_eq!((thread.decoded(), thread.failure()), (1, None));
    }

    #[test]
    fn a_panic_of_the_owner_s_callback_is_a_failure_and_drop_still_works() {
        let out = Arc::new(Slot::default());
        let thread = VideoDecoderThread::start("test", out, || panic!("callback")).unwrap();
        thread.push(stream(2)[1].clone());
        let deadline = Instant::now() + Duration::from_secs(10);
        while thread.failure().is_none() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(thread.failure().unwrap().to_string(), "the decode thread stopped: callback");
    }
}
