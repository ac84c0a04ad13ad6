//! Writes the media section's id into outgoing packets until the far end knows the stream, which
//! the stack leaves out, turns requests for key frames into wishes of the stream's encoder, and
//! keeps what the far end reports as lost.

use bytes::Bytes;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Somebody cannot decode and wants a key frame.
pub(crate) type Wish = Arc<Notify>;

/// What the interceptor has to know about our streams, by SSRC.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<u32, Stream>>>);

#[derive(Debug, Default)]
struct Stream {
    mid: Option<Bytes>,
    wish: Option<Wish>,
    /// Share of the latest packets that did not arrive, 0.0..1.0.
    loss: f64,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Key frames of `ssrc` are made by whoever waits for `wish`.
    pub(crate) fn set_wish(&self, ssrc: u32, wish: Wish) {
        self.lock().entry(ssrc).or_default().wish = Some(wish);
    }

    /// The id of the media section that `ssrc` is sent in.
    pub(crate) fn set_mid(&self, ssrc: u32, mid: &str) {
        self.lock().entry(ssrc).or_default().mid = Some(Bytes::copy_from_slice(mid.as_bytes()));
    }

    /// The loss of the stream that fares worst, 0.0..1.0.
    pub(crate) fn loss(&self) -> f64 {
        self.lock().values().map(|stream| stream.loss).fold(0.0, f64::max)
    }

    fn set_loss(&self, ssrc: u32, loss: f64) {
        if let Some(stream) = self.lock().get_mut(&ssrc) {
            stream.loss = loss;
        }
    }

    fn mid(&self, ssrc: u32) -> Option<Bytes> {
        self.lock().get(&ssrc).and_then(|stream| stream.mid.clone())
    }

    fn wish(&self, ssrc: u32) {
        if let Some(wish) = self.lock().get(&ssrc).and_then(|stream| stream.wish.as_ref()) {
            wish.notify_one();
        }
    }
}

/// A stream as it was negotiated, by the SSRC of its packets or of their repetitions.
#[derive(Clone, Debug)]
struct Local {
    /// SSRC of the stream itself.
    base: u32,
    repetition: bool,
    /// Number of the header extension that carries the id.
    mid_extension: Option<u8>,
    /// Taken from [`Streams`] with the first packet.
    mid: Option<Bytes>,
    /// The far end has reported on the stream, so it knows it.
    known: bool,
}

/// The interceptor.
pub(super) struct Outgoing {
    streams: Streams,
    locals: HashMap<u32, Local>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Outgoing {
    /// Below the NACK responder, so that repetitions are tagged too, and above the numbering.
    pub(super) const SLOT: usize = 3_500;

    pub(super) fn new(streams: Streams) -> Self {
        Self { streams, locals: HashMap::new(), reads: VecDeque::new(), writes: VecDeque::new() }
    }

    fn tag(&mut self, packet: &mut rtc::rtp::Packet) -> Result<(), Error> {
        let Some(local) = self.locals.get_mut(&packet.header.ssrc) else { return Ok(()) };
        if local.known && !local.repetition {
            return Ok(());
        }
        let Some(id) = local.mid_extension else { return Ok(()) };
        if local.mid.is_none() {
            local.mid = self.streams.mid(local.base);
        }
        match &local.mid {
            Some(mid) => packet.header.set_extension(id, mid.clone()),
            None => Ok(()),
        }
    }

    fn reported(&mut self, report: &ReceiverReport) {
        for block in &report.reports {
            if let Some(local) = self.locals.get_mut(&block.ssrc) {
                local.known = true;
                self.streams.set_loss(local.base, f64::from(block.fraction_lost) / 256.0);
            }
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Outgoing {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                let report = report.as_any();
                if let Some(report) = report.downcast_ref::<ReceiverReport>() {
                    self.reported(report);
                } else if let Some(loss) = report.downcast_ref::<PictureLossIndication>() {
                    self.streams.wish(loss.media_ssrc);
                } else if let Some(request) = report.downcast_ref::<FullIntraRequest>() {
                    request.fir.iter().for_each(|entry| self.streams.wish(entry.ssrc));
                }
            }
        }
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &mut packet.message.packet {
            self.tag(rtp)?;
        }
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Outgoing {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let mid_extension = info
            .rtp_header_extensions
            .iter()
            .find(|extension| extension.uri.ends_with(":sdes:mid"))
            .and_then(|extension| u8::try_from(extension.id).ok());
        let local = Local { base: info.ssrc, repetition: false, mid_extension, mid: None, known: false };
        if let Some(ssrc) = info.ssrc_rtx {
            self.locals.insert(ssrc, Local { repetition: true, ..local.clone() });
        }
        self.locals.insert(info.ssrc, local);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.locals.remove(&info.ssrc);
        self.streams.set_loss(info.ssrc, 0.0);
        if let Some(ssrc) = info.ssrc_rtx {
            self.locals.remove(&ssrc);
        }
    }

    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::{AttributedPacket, RTPHeaderExtension};
    use rtc::rtcp::reception_report::ReceptionReport;
    use rtc::shared::TransportContext;

    fn tagged(packet: Packet) -> TaggedPacket {
        TaggedPacket {
            now: Instant::now(),
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        }
    }

    fn bound() -> (Outgoing, Streams) {
        let streams = Streams::default();
        let mut outgoing = Outgoing::new(streams.clone());
        let extension = RTPHeaderExtension { uri: "urn:ietf:params:rtp-hdrext:sdes:mid".into(), id: 4 };
        outgoing.bind_local_stream(&StreamInfo {
            ssrc: 7,
            ssrc_rtx: Some(8),
            rtp_header_extensions: vec![extension],
            ..StreamInfo::default()
        });
        streams.set_mid(7, "2");
        (outgoing, streams)
    }

    /// The section id in a packet of `ssrc` as it leaves.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a test sends RTP only")]
    fn sent(outgoing: &mut Outgoing, ssrc: u32) -> Option<Bytes> {
        let mut packet = rtc::rtp::Packet::default();
        packet.header.ssrc = ssrc;
        outgoing.handle_write(tagged(Packet::Rtp(packet))).unwrap();
        match outgoing.poll_write().unwrap().message.packet {
            Packet::Rtp(packet) => packet.header.get_extension(4),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn packets_carry_their_section_until_the_far_end_has_reported_and_repetitions_always() {
        let (mut outgoing, _streams) = bound();
        assert_eq!(sent(&mut outgoing, 7).as_deref(), Some(&b"2"[..]));
        assert_eq!(sent(&mut outgoing, 8).as_deref(), Some(&b"2"[..]));
        let report = ReceiverReport {
            reports: vec![ReceptionReport { ssrc: 7, ..Default::default() }],
            ..Default::default()
        };
        outgoing.handle_read(tagged(Packet::Rtcp(vec![Box::new(report)]))).unwrap();
        assert_eq!(sent(&mut outgoing, 7), None);
        assert_eq!(sent(&mut outgoing, 8).as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn what_the_far_end_missed_is_known_as_long_as_the_stream_is_sent() {
        let (mut outgoing, streams) = bound();
        let missed = |ssrc, fraction_lost| ReceptionReport { ssrc, fraction_lost, ..Default::default() };
        // Of the second, somebody else's, nothing is known here.
        let report = ReceiverReport { reports: vec![missed(7, 64), missed(99, 255)], ..Default::default() };
        outgoing.handle_read(tagged(Packet::Rtcp(vec![Box::new(report)]))).unwrap();
        assert_eq!(streams.loss(), 0.25);
        outgoing.unbind_local_stream(&StreamInfo { ssrc: 7, ..StreamInfo::default() });
        assert_eq!(streams.loss(), 0.0);
    }

    #[tokio::test]
    async fn a_picture_loss_is_a_wish_of_that_stream_only() {
        let (mut outgoing, streams) = bound();
        let (ours, other) = (Wish::default(), Wish::default());
        streams.set_wish(7, ours.clone());
        streams.set_wish(9, other.clone());
        let loss = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
        outgoing.handle_read(tagged(Packet::Rtcp(vec![Box::new(loss)]))).unwrap();
        ours.notified().await;
        let patience = std::time::Duration::from_millis(10);
        assert!(tokio::time::timeout(patience, other.notified()).await.is_err());
        assert!(outgoing.poll_read().is_some());
    }
}
