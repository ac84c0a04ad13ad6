//! Writes the media section's id into outgoing packets until the far end knows the stream, which
//! the stack leaves out, turns requests for key frames into wishes of the stream's encoder, and
//! keeps what the far end reports as lost.

use super::path::Reported;
use bytes::Bytes;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Somebody cannot decode and wants a key frame.
pub(crate) type Wish = Arc<Notify>;

/// What the interceptor has to know about our streams, by SSRC, and what it found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    known: Arc<Mutex<HashMap<u32, Stream>>>,
    reported: Arc<Mutex<Reported>>,
}

#[derive(Debug, Default)]
struct Stream {
    mid: Option<Bytes>,
    wish: Option<Wish>,
    /// Share of the latest packets that did not arrive, 0.0..1.0, and when that was reported.
    loss: Option<(f64, Instant)>,
}

/// A stream that is silent is not reported on, and what was reported before says nothing any more.
const FRESH: Duration = Duration::from_secs(12);

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Stream>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Key frames of `ssrc` are made by whoever waits for `wish`.
    pub(crate) fn set_wish(&self, ssrc: u32, wish: Wish) {
        self.lock().entry(ssrc).or_default().wish = Some(wish);
    }

    /// The id of the media section that `ssrc` is sent in.
    pub(crate) fn set_mid(&self, ssrc: u32, mid: &str) {
        self.lock().entry(ssrc).or_default().mid = Some(Bytes::copy_from_slice(mid.as_bytes()));
    }

    /// The loss of the stream that fares worst at `now`, 0.0..1.0.
    pub(crate) fn loss(&self, now: Instant) -> f64 {
        let known = self.lock();
        let reported = known.values().filter_map(|stream| stream.loss);
        let fresh = reported.filter(|(_, at)| now.saturating_duration_since(*at) < FRESH);
        fresh.map(|(loss, _)| loss).fold(0.0, f64::max)
    }

    /// What the far end told of single packets.
    pub(crate) fn reported(&self) -> Reported {
        *self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_reported(&self, news: Reported) {
        let mut all = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        all.arrived += news.arrived;
        all.lost += news.lost;
    }

    fn set_loss(&self, ssrc: u32, loss: Option<(f64, Instant)>) {
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

    fn reported(&mut self, report: &ReceiverReport, now: Instant) {
        for block in &report.reports {
            if let Some(local) = self.locals.get_mut(&block.ssrc) {
                local.known = true;
                let loss = f64::from(block.fraction_lost) / 256.0;
                self.streams.set_loss(local.base, Some((loss, now)));
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
                    self.reported(report, packet.now);
                } else if let Some(told) = report.downcast_ref::<TransportLayerCc>() {
                    self.streams.add_reported(single(told));
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

/// What a transport-wide report tells of each packet.
fn single(told: &TransportLayerCc) -> Reported {
    let mut left = usize::from(told.packet_status_count);
    let mut found = Reported::default();
    for chunk in &told.packet_chunks {
        let (count, lost) = match chunk {
            PacketStatusChunk::RunLengthChunk(run) => {
                let count = usize::from(run.run_length).min(left);
                (count, if is_lost(run.packet_status_symbol) { count } else { 0 })
            }
            PacketStatusChunk::StatusVectorChunk(list) => {
                // The last one is filled up with symbols that mean nothing.
                let symbols = list.symbol_list.iter().take(left);
                (symbols.len(), symbols.filter(|symbol| is_lost(**symbol)).count())
            }
        };
        left -= count;
        found.lost += lost as u64;
        found.arrived += (count - lost) as u64;
    }
    found
}

fn is_lost(symbol: SymbolTypeTcc) -> bool {
    symbol == SymbolTypeTcc::PacketNotReceived
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
        self.streams.set_loss(info.ssrc, None);
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
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{RunLengthChunk, StatusVectorChunk};
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
        let now = Instant::now();
        assert_eq!(streams.loss(now), 0.25);
        assert_eq!(streams.loss(now + FRESH), 0.0, "it is silent since");
        outgoing.unbind_local_stream(&StreamInfo { ssrc: 7, ..StreamInfo::default() });
        assert_eq!(streams.loss(now), 0.0);
    }

    #[test]
    fn what_arrived_and_what_did_not_is_counted_packet_by_packet() {
        use SymbolTypeTcc::{PacketNotReceived as Lost, PacketReceivedSmallDelta as Here};
        let (mut outgoing, streams) = bound();
        let run = RunLengthChunk { packet_status_symbol: Lost, run_length: 3, ..Default::default() };
        let list =
            StatusVectorChunk { symbol_list: vec![Here, Here, Lost, Here, Lost], ..Default::default() };
        let told = TransportLayerCc {
            // The fifth symbol of the list is no packet any more.
            packet_status_count: 7,
            packet_chunks: vec![
                PacketStatusChunk::RunLengthChunk(run),
                PacketStatusChunk::StatusVectorChunk(list),
            ],
            ..Default::default()
        };
        for times in 1..=2 {
            outgoing.handle_read(tagged(Packet::Rtcp(vec![Box::new(told.clone())]))).unwrap();
            assert_eq!(streams.reported(), Reported { arrived: 3 * times, lost: 4 * times });
        }
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
