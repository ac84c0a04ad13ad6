//! The client's side of a room: the room's rules, signalling, transport, what we send and what we
//! receive. One actor task owns all of it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod actor;
mod fault;
mod link;
mod message;
mod offload;
mod publish;
mod quality;
pub mod room;
mod session;
mod signalling;
#[doc(hidden)]
pub mod sim;
mod subscribe;
mod transport;

pub use fault::media_fault;
pub use session::{Receive, Session, SessionConfig};
