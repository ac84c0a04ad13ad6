//! What the tests of whole rooms stand on: a real server and real sessions in one process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::wildcard_enum_match_arm,
    reason = "a test's floor may fail loudly"
)]

mod guest;
mod hall;
mod lossy;
mod proxy;
mod sound;

pub use guest::{Guest, PATIENCE, config, stamped};
pub use hall::{APP, Hall, KEY, OTHER_APP, OTHER_KEY, sign};
pub use lossy::Lossy;
pub use proxy::Proxy;
pub use sound::{decibels, share_of};
