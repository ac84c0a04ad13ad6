//! Encoded pictures and sound into RTP packets. Pure: the capture time makes the RTP time.

use bytes::Bytes;
use confab_frame::{EncodedAudio, EncodedVideo, SAMPLE_RATE};
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use rtc::rtp::packetizer::Payloader;
use std::time::{Duration, Instant};

/// Largest RTP payload, bytes: with the headers of RTP, SRTP, UDP and IP it stays under 1280.
pub(crate) const PAYLOAD_LIMIT: usize = 1160;
/// Ticks a second of video's RTP clock.
pub(crate) const VIDEO_CLOCK: u32 = 90_000;
/// Packets of one picture that leave back to back; the rest follows in bursts of this many.
pub(crate) const BURST: usize = 16;
/// Pause between the bursts of a large picture.
pub(crate) const BURST_PAUSE: Duration = Duration::from_millis(1);

/// Numbers the packets of one stream.
#[derive(Debug)]
struct Numbering {
    ssrc: u32,
    payload_type: u8,
    clock: u32,
    sequence: u16,
    /// The first moment and the RTP time that it has.
    origin: Option<Instant>,
    offset: u32,
}

impl Numbering {
    fn new(ssrc: u32, payload_type: u8, clock: u32) -> Self {
        // Derived from the random SSRC: RFC 3550 asks for starts that cannot be foretold.
        let sequence = (ssrc >> 7) as u16 & 0x7fff;
        Self { ssrc, payload_type, clock, sequence, origin: None, offset: ssrc.rotate_left(13) }
    }

    fn timestamp(&mut self, at: Instant) -> u32 {
        let origin = *self.origin.get_or_insert(at);
        let elapsed = at.saturating_duration_since(origin);
        let ticks = elapsed.as_micros() * u128::from(self.clock) / 1_000_000;
        self.offset.wrapping_add(ticks as u32)
    }

    fn packet(&mut self, payload: Bytes, timestamp: u32, marker: bool) -> Packet {
        let header = Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        Packet { header, payload }
    }
}

/// Splits pictures of one stream into packets.
#[derive(Debug)]
pub(crate) struct Packetizer {
    numbering: Numbering,
    payloader: H264Payloader,
}

impl Packetizer {
    /// A stream of its own.
    pub(crate) fn new(ssrc: u32, payload_type: u8) -> Self {
        Self {
            numbering: Numbering::new(ssrc, payload_type, VIDEO_CLOCK),
            payloader: H264Payloader::default(),
        }
    }

    /// The packets of one picture, the last one marked.
    pub(crate) fn packets(&mut self, picture: &EncodedVideo) -> Vec<Packet> {
        let timestamp = self.numbering.timestamp(picture.at);
        let payloads = self.payloads(&Bytes::copy_from_slice(&picture.data));
        let count = payloads.len();
        (1..)
            .zip(payloads)
            .map(|(number, payload)| self.numbering.packet(payload, timestamp, number == count))
            .collect()
    }

    /// The RTP payloads of an Annex B access unit.
    pub(crate) fn payloads(&mut self, data: &Bytes) -> Vec<Bytes> {
        // The payloader refuses nothing: what it cannot read becomes no packet.
        self.payloader.payload(PAYLOAD_LIMIT, data).unwrap_or_default()
    }
}

/// Numbers the packets of one voice.
#[derive(Debug)]
pub(crate) struct VoicePacketizer {
    numbering: Numbering,
    /// RTP time of the next packet; it advances by samples, so that it never jitters.
    next: Option<u32>,
}

impl VoicePacketizer {
    /// A stream of its own.
    pub(crate) fn new(ssrc: u32, payload_type: u8) -> Self {
        Self { numbering: Numbering::new(ssrc, payload_type, SAMPLE_RATE), next: None }
    }

    /// The packet, or nothing for one that stands for silence.
    pub(crate) fn packet(&mut self, sound: &EncodedAudio) -> Option<Packet> {
        let by_clock = self.numbering.timestamp(sound.at);
        let expected = self.next.unwrap_or(by_clock);
        // Capture stamps jitter by a few milliseconds; only a real pause moves the RTP time.
        let drift = by_clock.wrapping_sub(expected) as i32;
        let timestamp = if drift.unsigned_abs() > SAMPLE_RATE / 10 { by_clock } else { expected };
        self.next = Some(timestamp.wrapping_add(sound.samples));
        if sound.data.len() <= 2 {
            return None;
        }
        let payload = Bytes::copy_from_slice(&sound.data);
        Some(self.numbering.packet(payload, timestamp, sound.marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(at: Instant, size: usize) -> EncodedVideo {
        let data: Vec<u8> = [0, 0, 0, 1, 0x41].into_iter().chain(vec![0x80; size]).collect();
        EncodedVideo { data: data.into(), at, width: 640, height: 360, key: false, temporal_id: 0 }
    }

    fn sound(at: Instant, bytes: usize) -> EncodedAudio {
        EncodedAudio { data: vec![0x78; bytes].into(), at, samples: 960, level: 20, marker: false }
    }

    #[test]
    fn a_picture_has_one_time_rising_numbers_and_one_mark() {
        let mut packetizer = Packetizer::new(7, 102);
        let packets = packetizer.packets(&picture(Instant::now(), 5_000));
        assert_eq!(packets.len(), 5);
        assert!(packets.iter().all(|packet| packet.payload.len() <= PAYLOAD_LIMIT));
        assert!(packets.windows(2).all(|pair| {
            pair[1].header.sequence_number == pair[0].header.sequence_number.wrapping_add(1)
                && pair[1].header.timestamp == pair[0].header.timestamp
        }));
        let marks: Vec<bool> = packets.iter().map(|packet| packet.header.marker).collect();
        assert_eq!(marks, [false, false, false, false, true]);
    }

    #[test]
    fn rtp_time_follows_the_capture_time() {
        let (mut packetizer, start) = (Packetizer::new(7, 102), Instant::now());
        let time = |packets: Vec<Packet>| packets[0].header.timestamp;
        let first = time(packetizer.packets(&picture(start, 10)));
        let second = time(packetizer.packets(&picture(start + Duration::from_millis(40), 10)));
        assert_eq!(second.wrapping_sub(first), 3_600);
    }

    #[test]
    fn the_voice_counts_samples_and_ignores_the_jitter_of_capture_stamps() {
        let (mut packetizer, start) = (VoicePacketizer::new(7, 111), Instant::now());
        let first = packetizer.packet(&sound(start, 80)).unwrap().header;
        let second = packetizer.packet(&sound(start + Duration::from_millis(23), 80)).unwrap().header;
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 960);
        assert_eq!(second.sequence_number, first.sequence_number.wrapping_add(1));
    }

    #[test]
    fn silence_is_not_sent_and_its_time_passes() {
        let (mut packetizer, start) = (VoicePacketizer::new(7, 111), Instant::now());
        let first = packetizer.packet(&sound(start, 80)).unwrap().header;
        assert_eq!(packetizer.packet(&sound(start + Duration::from_millis(20), 1)), None);
        let third = packetizer.packet(&sound(start + Duration::from_millis(40), 80)).unwrap().header;
        assert_eq!(third.timestamp.wrapping_sub(first.timestamp), 1_920);
        assert_eq!(third.sequence_number, first.sequence_number.wrapping_add(1));
    }
}
