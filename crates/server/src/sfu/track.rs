//! A published track and who receives it.

use std::time::Instant;

use confab_signal::lk;
use str0m::Rtc;
use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc};

use super::arena::Key;
use super::codec;
use super::keyframe::Gate;
use super::peer::Peer;
use super::person::Person;
use super::reach::Arrivals;
use super::rebase::Rebase;
use super::speakers::Meter;

/// Packets of one track that may wait for the next fan-out.
pub(crate) const MAX_PENDING: usize = 1024;

/// A track that somebody publishes.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) owner: Key<Person>,
    pub(crate) publisher: Key<Peer>,
    pub(crate) mid: Mid,
    pub(crate) info: lk::TrackInfo,
    pub(crate) video: bool,
    /// Muted by the server: nothing passes until the publisher unmutes.
    pub(crate) held: bool,
    /// Packets since the last fan-out.
    pub(crate) pending: Vec<RtpPacket>,
    /// The source packets come from now, to ask for key frames.
    pub(crate) source: Option<Ssrc>,
    /// When the last packet of it came.
    pub(crate) heard: Instant,
    pub(crate) outputs: Vec<Output>,
    pub(crate) gate: Gate,
    pub(crate) meter: Meter,
    /// Packets of sound, which are never sent again.
    pub(crate) arrivals: Arrivals,
    /// The publisher was told that somebody receives it.
    pub(crate) watched: bool,
}

/// One subscriber of a track.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) peer: Key<Peer>,
    pub(crate) person: Key<Person>,
    pub(crate) ssrc: Ssrc,
    /// The subscriber asked not to get packets for now.
    pub(crate) paused: bool,
    /// Payload types the subscriber takes in this section.
    pub(crate) allowed: Vec<Pt>,
    mapped: Option<(Pt, Option<Pt>)>,
    rebase: Rebase,
}

impl Output {
    pub(crate) fn new(peer: Key<Peer>, person: Key<Person>, ssrc: Ssrc, allowed: Vec<Pt>) -> Output {
        Output { peer, person, ssrc, paused: false, allowed, mapped: None, rebase: Rebase::default() }
    }

    /// Stops or resumes the packets; numbering goes on without a gap.
    pub(crate) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.rebase.skip();
    }

    /// Whether packets of payload type `from` have not been seen before.
    pub(crate) fn needs_mapping(&self, from: Pt) -> bool {
        self.mapped.is_none_or(|(known, _)| known != from)
    }

    /// Learns to which payload type of the subscriber the publisher's `from` goes.
    pub(crate) fn map_payload_type(&mut self, from: Pt, publisher: &Rtc, subscriber: &Rtc) {
        self.mapped = Some((from, codec::payload_type(publisher, from, subscriber, &self.allowed)));
    }

    /// The packet as this subscriber gets it; `None` when it cannot.
    pub(crate) fn rewrite(&mut self, packet: &RtpPacket, video: bool) -> Option<RtpWrite> {
        let to = self.mapped?.1?;
        let sequence = self.rebase.map(*packet.header.ssrc, *packet.seq_no)?;
        let received = &packet.header.ext_vals;
        let extensions = ExtensionValues {
            audio_level: received.audio_level,
            voice_activity: received.voice_activity,
            video_orientation: received.video_orientation,
            abs_capture_time: received.abs_capture_time,
            ..ExtensionValues::default()
        };
        let write = RtpWrite::new(
            to,
            sequence.into(),
            packet.header.timestamp,
            packet.timestamp,
            packet.payload.clone(),
        );
        Some(write.marker(packet.header.marker).ext_vals(extensions).nackable(video))
    }
}
