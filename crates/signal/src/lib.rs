//! LiveKit signalling as values: frames, requests, responses, tokens, for client and server alike.
//! No socket and no clock; every limit on outside bytes is named in [`limit`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod candidate;
pub mod data;
mod frame;
mod join_query;
pub mod limit;
pub mod message;
pub mod quality;
mod token;

/// LiveKit's messages, generated from its protobuf files.
pub use livekit_protocol as lk;

pub use frame::{
    Encoding, Frame, FrameError, decode_request, decode_response, encode_request, encode_response,
};
pub use join_query::{JoinQuery, QueryError};
pub use token::{Claims, TokenError, VideoGrant};
