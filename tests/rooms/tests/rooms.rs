//! Whole rooms: two or more sessions and the real server in one process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly and looks for the events it is about"
)]

#[path = "rooms/entering.rs"]
mod entering;
#[path = "rooms/hosts.rs"]
mod hosts;
#[path = "rooms/leaving.rs"]
mod leaving;
#[path = "rooms/meeting.rs"]
mod meeting;
#[path = "rooms/messages.rs"]
mod messages;
#[path = "rooms/network.rs"]
mod network;
#[path = "rooms/quality.rs"]
mod quality;
#[path = "rooms/receiving.rs"]
mod receiving;
#[path = "rooms/roles.rs"]
mod roles;
