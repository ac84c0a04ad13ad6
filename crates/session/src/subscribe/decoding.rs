//! The decoder of one stream, and another in its place where one has ended by itself.

use confab_frame::EncodedVideo;
use confab_media::MediaError;
use confab_media::decode::VideoDecoderThread;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Decoders take each other's place no more often than this: what broke one may break the next.
const PAUSE: Duration = Duration::from_secs(5);

/// Begins a decoder of somebody's pictures, which waits for a key frame.
type Begin = Box<dyn Fn(&str) -> Result<VideoDecoderThread, MediaError> + Send + Sync>;

/// Decodes one stream. What comes while no decoder runs is lost.
pub(super) struct Decoding {
    user: String,
    begin: Begin,
    running: Mutex<Running>,
}

struct Running {
    thread: VideoDecoderThread,
    /// Pictures of those before it.
    before: u64,
    renewals: Renewals,
}

/// When a decoder may take the place of another.
#[derive(Debug, Default)]
struct Renewals {
    last: Option<Instant>,
}

impl Renewals {
    /// Whether one may at `now`; then it counts.
    fn may(&mut self, now: Instant) -> bool {
        let may = self.last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        if may {
            self.last = Some(now);
        }
        may
    }
}

impl Decoding {
    /// Decodes the pictures of `user` with what `begin` begins.
    pub(super) fn start(
        user: String,
        begin: impl Fn(&str) -> Result<VideoDecoderThread, MediaError> + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let running = Running { thread: begin(&user)?, before: 0, renewals: Renewals::default() };
        Ok(Self { user, begin: Box::new(begin), running: Mutex::new(running) })
    }

    /// Queues a picture, see [`VideoDecoderThread::push`].
    pub(super) fn push(&self, picture: EncodedVideo) {
        self.running().thread.push(picture);
    }

    /// Pictures decoded so far.
    pub(super) fn decoded(&self) -> u64 {
        let running = self.running();
        running.before + running.thread.decoded()
    }

    /// Has another decoder go on where one has ended by itself, if one may at `now`; the one that ended,
    /// which joins its thread when it is dropped. Only a key frame helps then.
    pub(super) fn renew(&self, now: Instant) -> Option<VideoDecoderThread> {
        let mut running = self.running();
        let why = running.thread.failure()?;
        if !running.renewals.may(now) {
            return None;
        }
        match (self.begin)(&self.user) {
            Ok(thread) => {
                tracing::warn!(user = self.user, %why, "a decoder has ended, and another goes on");
                let ended = std::mem::replace(&mut running.thread, thread);
                running.before += ended.decoded();
                Some(ended)
            }
            Err(error) => {
                tracing::error!(user = self.user, %why, %error, "a decoder has ended, and no other begins");
                None
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoding({} decoded)", self.decoded())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_frame::{Cursor, Slot, VideoFrame};
    use confab_media::capture::TestPattern;
    use confab_media::encode::h264::{Config, Encoder};
    use std::sync::Arc;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A key frame and what follows it.
    fn pictures() -> [EncodedVideo; 5] {
        let config = Config { width: 320, height: 180, fps: 30, bitrate: 300_000, screen: false };
        let (mut encoder, mut pattern) = (Encoder::new(config).unwrap(), TestPattern::new(320, 180).unwrap());
        let at = Instant::now();
        std::array::from_fn(|_| {
            encoder.encode(&pattern.draw(at).unwrap().buffer, at, false).unwrap().unwrap()
        })
    }

    fn renewed(decoding: &Decoding, now: Instant) -> VideoDecoderThread {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = decoding.renew(now) {
                return ended;
            }
            assert!(Instant::now() < deadline, "no other decoder goes on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn decoders_take_each_others_place_every_five_seconds_at_most() {
        let (mut renewals, now) = (Renewals::default(), Instant::now());
        assert!(renewals.may(now));
        assert!(!renewals.may(now + PAUSE - Duration::from_millis(1)));
        assert!(renewals.may(now + PAUSE));
        assert!(!renewals.may(now + PAUSE));
    }

    #[test]
    fn where_a_decoder_breaks_another_goes_on_with_a_key_frame_and_the_pictures_count_on() {
        let slot = Arc::<Slot<VideoFrame>>::default();
        let out = slot.clone();
        // Every decoder breaks as soon as only a key frame helps.
        let begin = move |user: &str| VideoDecoderThread::start(user, out.clone(), || panic!("on purpose"));
        let decoding = Decoding::start("ann".into(), begin).unwrap();
        let (now, mut cursor) = (Instant::now(), Cursor::default());
        let [key, next, _, _, last] = pictures();
        assert!(decoding.renew(now).is_none(), "nothing is wrong");
        decoding.push(next.clone());
        drop(renewed(&decoding, now));

        decoding.push(key.clone());
        assert!(slot.wait_newer(&mut cursor, PATIENCE).is_some(), "no picture of the second decoder");
        decoding.push(next);
        // What this one is predicted from is missing.
        decoding.push(last);
        let ended = renewed(&decoding, now + PAUSE);
        assert!(ended.decoded() > 0 && decoding.decoded() == ended.decoded());

        slot.clear();
        decoding.push(key);
        assert!(slot.wait_newer(&mut cursor, PATIENCE).is_some(), "no picture of the third decoder");
        assert!(decoding.decoded() > ended.decoded());
    }
}
