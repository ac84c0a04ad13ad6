//! Whole rooms: two or more sessions and the real server in one process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly and looks for the events it is about"
)]

#[path = "rooms/entering.rs"]
mod entering;
#[path = "rooms/leaving.rs"]
mod leaving;
#[path = "rooms/meeting.rs"]
mod meeting;
