//! How the client talks to a server before and beside the media: the room service by HTTP, then
//! LiveKit's signalling by WebSocket.

mod enter;
mod socket;

pub(crate) use enter::{Admission, ask};
pub(crate) use socket::{Heard, Socket};
