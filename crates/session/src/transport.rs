//! The two peer connections of LiveKit's v0 protocol, and what passes through them.

mod asking;
mod codecs;
mod detour;
mod outgoing;
mod path;
mod peer;
mod repair;
mod shield;

pub(crate) use asking::Asks;
pub(crate) use codecs::{H264, OPUS};
pub(crate) use path::Path;
pub(crate) use peer::{Channels, LocalTrack, Peer, PeerEvent, Plan, data};

/// Which of the two peer connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// Carries what we send; we offer.
    Publisher,
    /// Carries what others send; the server offers.
    Subscriber,
}

/// What the WebRTC stack reports when a step fails.
pub(crate) type TransportError = webrtc::error::Error;
