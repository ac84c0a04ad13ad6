//! How large what comes from outside may be.

/// A signalling message, bytes (LiveKit's signalling).
pub const MESSAGE: usize = 2 * 1024 * 1024;
/// A data packet, bytes (LiveKit's limit), with room for its envelope.
pub const DATA: usize = 72 * 1024;
/// A candidate as JSON, bytes.
pub const CANDIDATE: usize = 4 * 1024;
/// A token, bytes.
pub const TOKEN: usize = 64 * 1024;
/// The query of `/rtc`, bytes (LiveKit's signalling).
pub const QUERY: usize = 64 * 1024;
/// A participant's attributes as JSON, bytes (LiveKit).
pub const ATTRIBUTES: usize = 64 * 1024;
/// A participant's or room's metadata, bytes.
pub const METADATA: usize = 512 * 1024;
/// A name of a participant, room or track, bytes.
pub const NAME: usize = 256;
