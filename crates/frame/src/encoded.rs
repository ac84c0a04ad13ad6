//! Pictures and sound between codec and network.

use std::sync::Arc;
use std::time::Instant;

/// One encoded picture.
#[derive(Clone, Debug)]
pub struct EncodedVideo {
    /// H.264 access unit in Annex B form (start codes, SPS and PPS in front of key frames).
    pub data: Arc<[u8]>,
    /// When the picture was captured.
    pub at: Instant,
    /// Size in pixels.
    pub width: u32,
    pub height: u32,
    /// The picture can be decoded without any before it.
    pub key: bool,
    /// 0 for pictures that later ones are predicted from, 1 for those that may be left out.
    pub temporal_id: u8,
}

/// One encoded packet of sound.
#[derive(Clone, Debug)]
pub struct EncodedAudio {
    /// Opus packet; empty or of one or two bytes while discontinuous transmission is silent.
    pub data: Arc<[u8]>,
    /// When its first sample was captured.
    pub at: Instant,
    /// Samples at 48 kHz that it stands for, 960 for 20 ms.
    pub samples: u32,
    /// Level as RFC 6464 counts it: 0 is full scale, 127 is silence, in -dBov.
    pub level: u8,
    /// The first packet after a pause, where receivers may adjust their delay.
    pub marker: bool,
}
