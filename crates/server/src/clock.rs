//! The wall clock. Rules take the time as an argument; who drives them reads it here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in seconds.
pub fn unix_now() -> u64 {
    since_1970().as_secs()
}

/// Unix time in milliseconds.
pub(crate) fn unix_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// Unix time in milliseconds, as SQLite and the wire hold it.
pub(crate) fn signed_ms() -> i64 {
    i64::try_from(since_1970().as_millis()).unwrap_or(i64::MAX)
}

/// Nothing where the clock stands before it.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
