//! One peer connection as a worker sees it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::Mid;
use str0m::rtp::Ssrc;
use str0m::{Candidate, Input, Output, Rtc};

use super::address::{Addresses, Place};
use super::arena::Key;
use super::codec;
use super::person::Person;
use super::sdp;
use super::track::Track;

/// A connection that said nothing for this long is lost: ICE checks come every few seconds.
pub(crate) const SILENCE: Duration = Duration::from_secs(10);
/// Addresses kept for one connection; a client has a handful.
const MAX_ADDRESSES: usize = 16;
/// Remote candidates taken from one client by trickling.
const MAX_CANDIDATES: usize = 64;

/// Bytes of reliable data kept for a channel that is not open yet.
const MAX_EARLY: usize = 256 << 10;

/// Which of a participant's two connections it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Carries what the client sends; the client makes its offers.
    Publisher,
    /// Carries what the client receives; we make its offers.
    Subscriber,
}

/// A connection could not go on and is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// A peer connection and what the worker has to know to drive it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) rtc: Rtc,
    pub(crate) side: Side,
    pub(crate) owner: Key<Person>,
    /// Where its packets come from, the newest last.
    pub(crate) addresses: Vec<Place>,
    /// Our ICE user fragments, the newest last.
    pub(crate) fragments: Vec<String>,
    /// When it wants [`Peer::wake`].
    pub(crate) deadline: Instant,
    /// The earliest entry in the timers.
    pub(crate) scheduled: Option<Instant>,
    /// When its last packet came.
    pub(crate) heard: Instant,
    /// ICE and DTLS are up.
    pub(crate) connected: bool,
    /// It is queued to be driven after a fan-out.
    pub(crate) dirty: bool,
    /// The track of each source that was seen.
    pub(crate) sources: HashMap<Ssrc, Key<Track>>,
    /// The track of each section that the client sends on.
    pub(crate) sections: HashMap<Mid, Key<Track>>,
    /// The data channel `_reliable`, once open.
    pub(crate) reliable: Option<ChannelId>,
    /// The data channel `_lossy`, once open.
    pub(crate) lossy: Option<ChannelId>,
    /// Reliable messages that wait for the channel to open.
    early: Vec<Vec<u8>>,
    candidates: usize,
}

impl Peer {
    pub(crate) fn new(side: Side, owner: Key<Person>, addresses: &Addresses, now: Instant) -> Peer {
        let mut rtc = match side {
            Side::Publisher => codec::publisher(now),
            Side::Subscriber => codec::subscriber(now),
        };
        for candidate in addresses.candidates() {
            rtc.add_local_candidate(candidate);
        }
        let fragment = rtc.direct_api().local_ice_credentials().ufrag;
        Peer {
            rtc,
            side,
            owner,
            addresses: Vec::new(),
            fragments: vec![fragment],
            deadline: now,
            scheduled: None,
            heard: now,
            connected: false,
            dirty: false,
            sources: HashMap::new(),
            sections: HashMap::new(),
            reliable: None,
            lossy: None,
            early: Vec::new(),
            candidates: 0,
        }
    }

    /// Takes one datagram; what it brings about comes out of the next poll.
    pub(crate) fn receive(&mut self, input: Input<'_>, now: Instant) {
        self.heard = now;
        self.guarded("receive", |rtc| rtc.handle_input(input).map_err(|e| e.to_string()));
    }

    /// Lets time pass; a connection that cannot is closed.
    pub(crate) fn wake(&mut self, now: Instant) {
        let input = Input::Timeout(now);
        if self.guarded("wake", |rtc| rtc.handle_input(input).map_err(|e| e.to_string())).is_none() {
            self.rtc.disconnect();
        }
    }

    /// The next thing it has to say; a connection that fails is closed.
    pub(crate) fn poll(&mut self) -> Result<Output, Failed> {
        let polled = self.guarded("poll", |rtc| rtc.poll_output().map_err(|e| e.to_string()));
        polled.ok_or_else(|| {
            self.rtc.disconnect();
            Failed
        })
    }

    /// Our answer to the client's offer.
    pub(crate) fn answer(&mut self, offer: &str) -> Option<String> {
        let answer = self.guarded("offer", |rtc| {
            let offer = SdpOffer::from_sdp_string(offer).map_err(|e| e.to_string())?;
            rtc.sdp_api().accept_offer(offer).map(|a| a.to_sdp_string()).map_err(|e| e.to_string())
        });
        self.learn_fragment();
        answer
    }

    /// Takes the client's answer to `pending`.
    pub(crate) fn accept(&mut self, pending: SdpPendingOffer, answer: &str) -> bool {
        let accepted = self.guarded("answer", |rtc| {
            let answer =
                SdpAnswer::from_sdp_string(&sdp::without_foreign(answer)).map_err(|e| e.to_string())?;
            rtc.sdp_api().accept_answer(pending, answer).map_err(|e| e.to_string())
        });
        self.learn_fragment();
        accepted.is_some()
    }

    /// Takes a trickled candidate in the form of the SDP attribute; others than UDP with an IP
    /// address are ignored, as ICE-lite learns addresses from the checks anyway.
    pub(crate) fn add_candidate(&mut self, line: &str) {
        let line = line.strip_prefix("a=").unwrap_or(line);
        let usable = line.strip_prefix("candidate:").is_some_and(sdp::is_usable_candidate);
        if !usable || line.len() > 512 || self.candidates >= MAX_CANDIDATES {
            return;
        }
        if let Ok(candidate) = Candidate::from_sdp_string(line) {
            self.candidates += 1;
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Remembers where a packet came from; returns the address that is forgotten for it.
    pub(crate) fn add_address(&mut self, address: Place) -> Option<Place> {
        self.addresses.push(address);
        (self.addresses.len() > MAX_ADDRESSES).then(|| self.addresses.remove(0))
    }

    /// Whether packets still come.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        self.rtc.is_alive() && now.saturating_duration_since(self.heard) < SILENCE
    }

    /// Writes one message to a data channel, or keeps it until the reliable one opens; false when
    /// the client reads too slowly or has no such channel.
    pub(crate) fn send(&mut self, reliable: bool, message: &[u8]) -> bool {
        let channel = if reliable { self.reliable } else { self.lossy };
        let Some(channel) = channel else {
            let held: usize = self.early.iter().map(Vec::len).sum();
            let keep = reliable && self.rtc.is_alive() && held + message.len() <= MAX_EARLY;
            if keep {
                self.early.push(message.to_vec());
            }
            return keep;
        };
        let sent = self.guarded("data", |rtc| {
            let Some(mut channel) = rtc.channel(channel) else { return Ok(false) };
            channel.write(true, message).map_err(|e| e.to_string())
        });
        sent == Some(true)
    }

    /// The reliable channel is open: what was kept for it goes out.
    pub(crate) fn open_reliable(&mut self, channel: ChannelId) {
        self.reliable = Some(channel);
        for message in std::mem::take(&mut self.early) {
            if !self.send(true, &message) {
                tracing::debug!("data that was kept for a new channel did not fit");
            }
        }
    }

    /// Whether all reliable data has been acknowledged.
    pub(crate) fn has_delivered(&mut self) -> bool {
        self.early.is_empty() && self.unacknowledged() == 0
    }

    fn unacknowledged(&mut self) -> usize {
        let channel = self.reliable.and_then(|id| self.rtc.channel(id));
        channel.map_or(0, |mut channel| channel.buffered_amount())
    }

    fn learn_fragment(&mut self) {
        let fragment = self.rtc.direct_api().local_ice_credentials().ufrag;
        if !self.fragments.contains(&fragment) {
            self.fragments.push(fragment);
        }
    }

    /// Takes the user fragments that no check names any more: all but the two newest.
    pub(crate) fn forget_fragments(&mut self) -> Vec<String> {
        let old = self.fragments.len().saturating_sub(2);
        self.fragments.drain(..old).collect()
    }

    /// Runs what reads outside bytes. A panic in the library is its bug, not a reason to take every
    /// other room down: the connection is given up.
    fn guarded<T>(&mut self, what: &str, run: impl FnOnce(&mut Rtc) -> Result<T, String>) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| run(&mut self.rtc))) {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                tracing::debug!(what, error, side = ?self.side, "peer connection refused input");
                None
            }
            Err(_) => {
                tracing::error!(what, side = ?self.side, "peer connection panicked and is dropped");
                self.rtc.disconnect();
                None
            }
        }
    }
}
