//! The packet path: datagrams in, each track's packets out to its subscribers.
//!
//! Packets are grouped: those of one video frame wait for its last one (at most [`HOLD`]), then each
//! subscriber's connection is driven once for all of them, and their datagrams leave in one run.

use std::time::{Duration, Instant};

use str0m::Input;
use str0m::media::{KeyframeRequest, KeyframeRequestKind};
use str0m::net::Receive;
use str0m::rtp::RtpPacket;

use super::Rooms;
use crate::sfu::address::{Came, Place};
use crate::sfu::arena::{Arena, Key};
use crate::sfu::peer::Peer;
use crate::sfu::stun;
use crate::sfu::track::{MAX_PENDING, Track};

/// How long a packet may wait for the rest of its frame.
const HOLD: Duration = Duration::from_millis(1);
/// This many packets are sent on without waiting.
const ENOUGH: usize = 64;

/// Packets between their arrival and their fan-out.
#[derive(Debug, Default)]
pub(crate) struct Forward {
    /// Tracks with pending packets.
    tracks: Vec<Key<Track>>,
    /// Packets on all of them.
    waiting: usize,
    /// A frame is complete, or there is sound, which never waits.
    ready: bool,
    since: Option<Instant>,
}

impl Forward {
    /// Puts an arrived packet to its track; what belongs to no track is dropped.
    pub(super) fn take(&mut self, peer: &mut Peer, tracks: &mut Arena<Track>, packet: RtpPacket) {
        let ssrc = packet.header.ssrc;
        let key = match peer.sources.get(&ssrc) {
            Some(key) => *key,
            None => {
                let mid = peer.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid());
                let Some(mid) = mid else { return };
                let Some(key) = peer.sections.get(&mid) else { return };
                *key
            }
        };
        let Some(track) = tracks.get_mut(key) else { return };
        if track.source.is_none_or(|source| source != ssrc) {
            // One encoding is forwarded: the first that came, or the one of a sender that restarted.
            if track.source.is_some() && is_recent(track, packet.timestamp) {
                return;
            }
            if let Some(before) = track.source.replace(ssrc) {
                peer.sources.remove(&before);
            }
            peer.sources.insert(ssrc, key);
        }
        track.heard = packet.timestamp;
        if !track.video {
            track.arrivals.push(*packet.seq_no);
        }
        if let Some(level) = packet.header.ext_vals.audio_level.filter(|_| !track.video) {
            track.meter.push(level);
        }
        if track.held || track.outputs.is_empty() || track.pending.len() >= MAX_PENDING {
            return;
        }
        if track.pending.is_empty() {
            self.tracks.push(key);
        }
        self.waiting += 1;
        self.ready |= !track.video || packet.header.marker;
        self.since.get_or_insert(packet.timestamp);
        track.pending.push(packet);
    }

    /// When the waiting packets have to go out at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + HOLD)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.waiting > 0
            && (self.ready || self.waiting >= ENOUGH || self.deadline().is_some_and(|at| at <= now))
    }
}

impl Rooms {
    /// Takes one datagram; whether it was for somebody here.
    pub(crate) fn datagram(&mut self, came: Came, bytes: &[u8], now: Instant) -> bool {
        let (protocol, address) = came.source;
        let source = came.source;
        let known = self.by_address.get(&source).copied();
        let named = stun::local_fragment(bytes).and_then(|name| self.by_fragment.get(name)).copied();
        // A STUN request says whose it is: an address can pass from one connection to the next.
        let Some(key) = named.or(known) else { return false };
        let local = self.addresses.local(&came);
        let Ok(receive) = Receive::new(protocol, address, local, bytes) else { return false };
        let input = Input::Receive(now, receive);
        let Some(peer) = self.peers.get_mut(key) else { return false };
        if known != Some(key) {
            if !peer.rtc.accepts(&input) {
                return false;
            }
            let forgotten = peer.add_address(source);
            if let Some(forgotten) = forgotten
                && self.by_address.get(&forgotten) == Some(&key)
            {
                self.by_address.remove(&forgotten);
                self.outbox.streams.end(forgotten, now);
            }
            self.by_address.insert(source, key);
        }
        peer.receive(input, now);
        self.pump(key, now);
        if self.forward.waiting >= ENOUGH {
            self.fan_out(now);
        }
        true
    }

    /// A connection over which somebody may have been here is gone. Who has no other way stays for as
    /// long as others who fall silent.
    pub(crate) fn unplugged(&mut self, source: Place) {
        let Some(peer) = self.by_address.remove(&source).and_then(|key| self.peers.get_mut(key)) else {
            return;
        };
        peer.addresses.retain(|address| *address != source);
    }

    /// Sends on what waits, if it is time.
    pub(crate) fn forward(&mut self, now: Instant) {
        if self.forward.is_due(now) {
            self.fan_out(now);
        }
    }

    fn fan_out(&mut self, now: Instant) {
        let keys = std::mem::take(&mut self.forward.tracks);
        self.forward.waiting = 0;
        self.forward.ready = false;
        self.forward.since = None;
        let mut driven = Vec::new();
        for key in &keys {
            let Rooms { tracks, peers, .. } = self;
            if let Some(track) = tracks.get_mut(*key) {
                write_to_outputs(track, peers, &mut driven);
            }
        }
        for key in driven {
            if let Some(peer) = self.peers.get_mut(key) {
                peer.dirty = false;
                peer.wake(now);
                self.pump(key, now);
            }
        }
        self.forward.tracks = keys;
        self.forward.tracks.clear();
    }

    /// A subscriber cannot go on without a key frame.
    pub(super) fn key_frame_wanted(&mut self, key: Key<Peer>, request: &KeyframeRequest, now: Instant) {
        let Some(peer) = self.peers.get(key) else { return };
        let Some(person) = self.people.get(peer.owner) else { return };
        let mut sections = person.negotiation.sections.iter();
        let Some(track) = sections.find(|s| s.mid == request.mid).and_then(|s| s.track) else { return };
        self.ask_key_frame(track, now);
    }

    /// Asks a video track's publisher for a key frame, now or when the last request is old enough.
    pub(super) fn ask_key_frame(&mut self, key: Key<Track>, now: Instant) {
        let Some(track) = self.tracks.get_mut(key).filter(|track| track.video) else { return };
        if track.gate.ask(now) {
            self.request_key_frame(key, now);
        } else if !self.asking.contains(&key) {
            self.asking.push(key);
        }
    }

    /// Sends the requests that were held back and are due.
    pub(super) fn ask_again(&mut self, now: Instant) {
        for key in std::mem::take(&mut self.asking) {
            let Some(track) = self.tracks.get_mut(key) else { continue };
            if track.gate.due(now) {
                self.request_key_frame(key, now);
            } else {
                self.asking.push(key);
            }
        }
    }

    fn request_key_frame(&mut self, key: Key<Track>, now: Instant) {
        let Some(track) = self.tracks.get(key) else { return };
        let (side, mid, source) = (track.publisher, track.mid, track.source);
        let Some(peer) = self.peers.get_mut(side) else { return };
        let mut direct = peer.rtc.direct_api();
        let stream = match source {
            Some(ssrc) => direct.stream_rx(&ssrc),
            None => direct.stream_rx_by_mid(mid, None),
        };
        // Without a packet so far there is nothing to decode late: the first one starts a key frame.
        let Some(stream) = stream else { return };
        stream.request_keyframe(KeyframeRequestKind::Pli);
        peer.wake(now);
        self.pump(side, now);
    }
}

fn write_to_outputs(track: &mut Track, peers: &mut Arena<Peer>, driven: &mut Vec<Key<Peer>>) {
    let packets = std::mem::take(&mut track.pending);
    for output in track.outputs.iter_mut().filter(|output| !output.paused) {
        if let Some(first) = packets.first() {
            let from = first.header.payload_type;
            if output.needs_mapping(from)
                && let (Some(publisher), Some(subscriber)) =
                    (peers.get(track.publisher), peers.get(output.peer))
            {
                output.map_payload_type(from, &publisher.rtc, &subscriber.rtc);
            }
        }
        let Some(peer) = peers.get_mut(output.peer).filter(|peer| peer.connected) else { continue };
        let mut direct = peer.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&output.ssrc) else { continue };
        for packet in &packets {
            if let Some(write) = output.rewrite(packet, track.video) {
                stream.write_rtp(write);
            }
        }
        if !peer.dirty {
            peer.dirty = true;
            driven.push(output.peer);
        }
    }
    track.pending = packets;
    track.pending.clear();
}

/// Whether a track's present source still sends.
fn is_recent(track: &Track, now: Instant) -> bool {
    now.saturating_duration_since(track.heard) < Duration::from_millis(500)
}
