//! Turns repeated packets (RTX, RFC 4588) back into the packets that they repeat, before anything
//! counts them: the stack does so only behind the interceptors, where the NACK generator has
//! already asked again.

use bytes::Buf;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// The stream that repetitions belong to.
#[derive(Clone, Copy, Debug)]
struct Base {
    ssrc: u32,
    payload_type: u8,
}

/// The interceptor.
#[derive(Default)]
pub(super) struct Repair {
    /// By the SSRC of the repetitions.
    bases: HashMap<u32, Base>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Repair {
    /// Nearest to the wire.
    pub(super) const SLOT: usize = 500;

    /// Rewrites a repetition; false for one that repeats nothing, as probes do.
    fn restore(&self, packet: &mut rtc::rtp::Packet) -> bool {
        let Some(base) = self.bases.get(&packet.header.ssrc) else { return true };
        if packet.payload.len() <= 2 {
            return false;
        }
        packet.header.sequence_number = packet.payload.get_u16();
        packet.header.ssrc = base.ssrc;
        packet.header.payload_type = base.payload_type;
        true
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Repair {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    #[expect(clippy::wildcard_enum_match_arm, reason = "only RTP is repeated")]
    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        let wanted = match &mut packet.message.packet {
            Packet::Rtp(rtp) => self.restore(rtp),
            _ => true,
        };
        if wanted {
            self.reads.push_back(packet);
        }
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Repair {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if let Some(ssrc) = info.ssrc_rtx {
            self.bases.insert(ssrc, Base { ssrc: info.ssrc, payload_type: info.payload_type });
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.bases.retain(|_, base| base.ssrc != info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::AttributedPacket;
    use rtc::shared::TransportContext;

    #[expect(clippy::wildcard_enum_match_arm, reason = "a test receives RTP only")]
    fn received(repair: &mut Repair, ssrc: u32, payload: &'static [u8]) -> Option<rtc::rtp::Packet> {
        let mut packet = rtc::rtp::Packet { payload: payload.into(), ..Default::default() };
        packet.header.ssrc = ssrc;
        packet.header.payload_type = 103;
        let message = AttributedPacket::new(Packet::Rtp(packet));
        let transport = TransportContext::default();
        repair.handle_read(TaggedPacket { now: Instant::now(), transport, message }).unwrap();
        match repair.poll_read()?.message.packet {
            Packet::Rtp(packet) => Some(packet),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_repetition_becomes_the_packet_that_it_repeats() {
        let mut repair = Repair::default();
        repair.bind_remote_stream(&StreamInfo {
            ssrc: 7,
            ssrc_rtx: Some(8),
            payload_type: 102,
            ..StreamInfo::default()
        });
        let packet = received(&mut repair, 8, &[0x12, 0x34, 0x41, 0x99]).unwrap();
        assert_eq!((packet.header.ssrc, packet.header.payload_type), (7, 102));
        assert_eq!((packet.header.sequence_number, &packet.payload[..]), (0x1234, &[0x41, 0x99][..]));
        assert_eq!(received(&mut repair, 8, &[0x12, 0x34]), None);
        assert_eq!(received(&mut repair, 9, &[1, 2, 3]).unwrap().header.ssrc, 9);
    }
}
