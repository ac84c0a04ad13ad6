//! One of a client's two peer connections: str0m, driven by whoever has the time.

use confab_signal::lk;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// A connection that was up and hears nothing for this long has failed. The session's fails after 8 s, but
/// asks for a sign of life every second; this one only every three, and two of the answers may be lost.
const SILENCE: Duration = Duration::from_secs(14);
/// Packets that can be sent again, and for how long.
const REPAIR_PACKETS: usize = 2000;
const REPAIR_AGE: Duration = Duration::from_secs(3);

/// What a connection reports.
#[derive(Debug)]
pub(crate) enum Report {
    Connected,
    /// The other side ended it, or it could not go on.
    Closed,
    Data(Vec<u8>),
    Packet(Mid, Box<RtpPacket>),
    KeyFrameWanted(Mid),
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Connection {
    rtc: Rtc,
    pub(crate) address: SocketAddr,
    deadline: Instant,
    pub(crate) connected: bool,
    heard: Instant,
    pending: Option<SdpPendingOffer>,
    channels: Vec<ChannelId>,
    /// The sections whose stream's packets are kept.
    repaired: BTreeSet<Mid>,
    /// Datagrams on their way out, all to the server.
    pub(crate) outgoing: Vec<Vec<u8>>,
    pub(crate) reports: Vec<Report>,
}

impl Connection {
    /// A connection from that address.
    pub(crate) fn new(address: SocketAddr, now: Instant) -> Connection {
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_h264(true)
            .enable_opus(true, false)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Connection {
            rtc,
            address,
            deadline: now,
            connected: false,
            heard: now,
            pending: None,
            channels: Vec::new(),
            repaired: BTreeSet::new(),
            outgoing: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// When it wants [`Connection::wake`].
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Nothing has come for too long over a connection that was up.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.connected && now.saturating_duration_since(self.heard) >= SILENCE
    }

    /// When that will be, if nothing comes.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        self.connected.then_some(self.heard + SILENCE)
    }

    /// The first offer, with LiveKit's two channels, and tracks by their ids.
    pub(crate) fn offer(&mut self, new: &[(&str, MediaKind)], now: Instant) -> Option<String> {
        let mut api = self.rtc.sdp_api();
        if self.channels.is_empty() {
            self.channels = ["_reliable", "_lossy"].map(|label| api.add_channel(label.to_owned())).to_vec();
        }
        for (cid, kind) in new {
            api.add_media(*kind, Direction::SendOnly, None, Some((*cid).to_owned()), None);
        }
        let (offer, pending) = api.apply()?;
        self.pending = Some(pending);
        self.drive(now);
        Some(offer.to_sdp_string())
    }

    /// The answer to it; false when it does not fit.
    pub(crate) fn accept(&mut self, answer: &str, now: Instant) -> bool {
        let Some(pending) = self.pending.take() else { return false };
        let Ok(answer) = SdpAnswer::from_sdp_string(answer) else { return false };
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer).is_ok();
        self.wake(now);
        accepted
    }

    /// The answer to the far end's offer. As the session's, it begins the handshake itself.
    pub(crate) fn answer(&mut self, offer: &str, now: Instant) -> Option<String> {
        let offer = offer.replace("a=setup:actpass", "a=setup:passive");
        let offer = SdpOffer::from_sdp_string(&offer).ok()?;
        let answer = self.rtc.sdp_api().accept_offer(offer).ok()?;
        self.wake(now);
        Some(answer.to_sdp_string())
    }

    /// Whether an answer is outstanding.
    pub(crate) fn is_negotiating(&self) -> bool {
        self.pending.is_some()
    }

    /// A datagram came.
    pub(crate) fn receive(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, bytes) else { return };
        self.heard = now;
        if self.rtc.handle_input(Input::Receive(now, receive)).is_err() {
            self.reports.push(Report::Closed);
        }
        self.drive(now);
    }

    /// Lets time pass.
    pub(crate) fn wake(&mut self, now: Instant) {
        if self.rtc.is_alive() && self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.reports.push(Report::Closed);
        }
        self.drive(now);
    }

    /// Says goodbye to the far end.
    pub(crate) fn close(&mut self, now: Instant) {
        if self.connected && self.rtc.close().is_ok() {
            self.drive(now);
        }
        self.rtc.disconnect();
        self.deadline = now + Duration::from_secs(24 * 3600);
    }

    fn drive(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    // Never twice for the same moment.
                    self.deadline = at.max(now + Duration::from_millis(1));
                    return;
                }
                Ok(Output::Transmit(out)) => {
                    self.outgoing.push(out.contents.to_vec());
                }
                Ok(Output::Event(event)) => self.event(event, now),
                Err(_) => {
                    self.reports.push(Report::Closed);
                    self.rtc.disconnect();
                    self.deadline = now + Duration::from_secs(24 * 3600);
                    return;
                }
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Connected => {
                (self.connected, self.heard) = (true, now);
                self.reports.push(Report::Connected);
            }
            Event::Closed => self.reports.push(Report::Closed),
            Event::ChannelData(data) => self.reports.push(Report::Data(data.data)),
            Event::KeyframeRequest(request) => self.reports.push(Report::KeyFrameWanted(request.mid)),
            Event::RtpPacket(packet) => {
                let ssrc = packet.header.ssrc;
                let mid = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid());
                if let Some(mid) = mid {
                    self.reports.push(Report::Packet(mid, Box::new(packet)));
                }
            }
            _ => {}
        }
    }

    /// The section of an offer of ours in which that track goes.
    pub(crate) fn section(offer: &str, cid: &str) -> Option<Mid> {
        let mut mid = None;
        for line in offer.lines() {
            if let Some(found) = line.strip_prefix("a=mid:") {
                mid = Some(Mid::from(found));
            } else if line.starts_with("a=msid:") && line.ends_with(&format!(" {cid}")) {
                return mid;
            }
        }
        None
    }

    /// Sends one packet; `level` is the loudness in dBov.
    pub(crate) fn send(
        &mut self,
        mid: Mid,
        piece: &confab_session::sim::Piece,
        level: Option<i8>,
        now: Instant,
    ) {
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else {
            return;
        };
        let extensions =
            ExtensionValues { audio_level: level, voice_activity: level.map(|_| true), ..Default::default() };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
        if self.repaired.insert(mid) {
            // The session's sends again whatever it is asked for.
            stream.set_rtx_cache(REPAIR_PACKETS, REPAIR_AGE, None);
        }
        let (sequence, payload) = (u64::from(piece.sequence), piece.payload.to_vec());
        let write = RtpWrite::new(pt, sequence.into(), piece.timestamp, now, payload);
        stream.write_rtp(write.marker(piece.marker).ext_vals(extensions).nackable(level.is_none()));
    }

    /// Asks whoever sends there for a key frame.
    pub(crate) fn ask_key_frame(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }
}

/// A description as it travels.
pub(crate) fn description(kind: &str, sdp: String, id: u32) -> lk::SessionDescription {
    lk::SessionDescription { r#type: kind.to_owned(), sdp, id, ..Default::default() }
}
