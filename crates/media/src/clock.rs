//! The clock that capture times are written in. It counts microseconds of the machine's monotonic
//! clock, so that two processes on one computer can compare what they read.

use std::time::{Duration, Instant};

/// Microseconds of the monotonic clock now (CLOCK_MONOTONIC on Unix; elsewhere since this process
/// first asked).
pub fn monotonic_us() -> u64 {
    imp::monotonic_us()
}

/// The monotonic time in microseconds that an [`Instant`] of this process stands for.
pub fn monotonic_us_of(at: Instant) -> u64 {
    let (us, now) = (monotonic_us(), Instant::now());
    match now.checked_duration_since(at) {
        Some(past) => us.saturating_sub(past.as_micros() as u64),
        None => us.saturating_add(at.duration_since(now).as_micros() as u64),
    }
}

/// How long ago a monotonic time was; zero if it lies ahead.
pub fn since(us: u64) -> Duration {
    Duration::from_micros(monotonic_us().saturating_sub(us))
}

#[cfg(unix)]
mod imp {
    #[allow(unsafe_code, reason = "the standard library does not show the number behind an Instant")]
    pub(super) fn monotonic_us() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid place for one timespec; this clock exists on every Unix.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
        time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
    }
}

#[cfg(not(unix))]
mod imp {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();

    pub(super) fn monotonic_us() -> u64 {
        START.get_or_init(Instant::now).elapsed().as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_and_the_clock_agree() {
        let before = monotonic_us();
        let at = monotonic_us_of(Instant::now());
        let after = monotonic_us();
        assert!(at + 1_000 >= before && at <= after + 1_000, "{before} {at} {after}");
    }
}
