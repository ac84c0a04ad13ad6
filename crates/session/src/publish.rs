//! What we send.

pub(crate) mod packetize;
