//! Whole rooms over a seeded bad network, in virtual time and in one thread: the server's own rules and
//! SFU, clients made of the session's own rules over str0m, and links that lose, delay, repeat and cut.
//! Nothing of it waits, and a clock is read only for the origin of the world's own time, so that the same
//! seed gives the same trace. [`Street`] stands apart: it is the same network for tests in real time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::wildcard_enum_match_arm,
    reason = "a test's floor may fail loudly"
)]

mod chance;
mod client;
mod command;
mod connection;
mod converge;
mod dtls;
mod grammar;
mod judge;
mod link;
mod media;
mod model;
mod stream;
mod street;
mod trace;
mod wire;
mod world;

pub use chance::Chance;
pub use client::{Client, Phase};
pub use command::{Command, Sequence};
pub use converge::converge;
pub use grammar::Grammar;
pub use judge::{Failure, Outcome, judge};
pub use link::Weather;
pub use media::Heard;
pub use model::{Model, ROOMS};
pub use street::Street;
pub use trace::Trace;
pub use world::World;
