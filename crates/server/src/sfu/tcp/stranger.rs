//! What somebody may do who has connected and not shown yet whose connection it is. Pure.

use std::time::{Duration, Instant};

use super::super::stun;

/// How long they have for it: a client begins at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often they may ask in vain. A client asks every few milliseconds, and its asking may overtake
/// the description that we need for it.
const QUESTIONS: usize = 2000;

/// Somebody new.
#[derive(Debug)]
pub(super) struct Stranger {
    came: Instant,
    asked: usize,
}

impl Stranger {
    pub(super) fn new(now: Instant) -> Stranger {
        Stranger { came: now, asked: 0 }
    }

    /// Whether they may stay although this frame was for nobody.
    pub(super) fn may_say(&mut self, frame: &[u8]) -> bool {
        self.asked += 1;
        self.asked <= QUESTIONS && stun::local_fragment(frame).is_some()
    }

    /// Whether they have had their time.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.came) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_may_ask_for_somebody_for_a_while_and_say_nothing_else() {
        let question = [
            &[0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42][..],
            &[0; 12],
            &[0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0],
        ]
        .concat();
        let start = Instant::now();
        let mut stranger = Stranger::new(start);
        assert!((0..QUESTIONS).all(|_| stranger.may_say(&question)));
        assert!(!stranger.may_say(&question), "too often");
        assert!(!stranger.is_over(start + PATIENCE - Duration::from_millis(1)));
        assert!(stranger.is_over(start + PATIENCE));
        for other in [&b"GET / HTTP/1.1"[..], &[], &[22; 50], &question[..20]] {
            assert!(!Stranger::new(start).may_say(other), "{other:?}");
        }
    }
}
