//! The numbers on packets, which begin anew when they are full.

/// Packets further apart than this are of a sender that began anew.
const JUMP_PACKETS: u16 = 3_000;
/// Timestamps further apart than this, a minute, are of a sender that began anew.
const JUMP_SAMPLES: u32 = 60 * 48_000;

/// Counts sequence numbers and timestamps on past their wrap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequence {
    last: Option<(i64, i64)>,
}

impl Sequence {
    /// Whether a packet cannot belong to those before it.
    pub(super) fn is_jump(&self, seq: u16, timestamp: u32) -> bool {
        self.last.is_some_and(|(last_seq, last_timestamp)| {
            let packets = seq.wrapping_sub(last_seq as u16) as i16;
            let samples = timestamp.wrapping_sub(last_timestamp as u32) as i32;
            packets.unsigned_abs() > JUMP_PACKETS || samples.unsigned_abs() > JUMP_SAMPLES
        })
    }

    /// The packet's number and timestamp, counted on from those seen before.
    pub(super) fn unwrap(&mut self, seq: u16, timestamp: u32) -> (i64, i64) {
        let Some((last_seq, last_timestamp)) = self.last else {
            let first = (i64::from(seq), i64::from(timestamp));
            self.last = Some(first);
            return first;
        };
        let number = last_seq + i64::from(seq.wrapping_sub(last_seq as u16) as i16);
        let time = last_timestamp + i64::from(timestamp.wrapping_sub(last_timestamp as u32) as i32);
        if number > last_seq {
            self.last = Some((number, time));
        }
        (number, time)
    }
}

/// Samples at 48 kHz that an Opus packet stands for (RFC 6716, 3.1), up to 120 ms; `None` for what
/// is no Opus packet.
pub fn samples_of(payload: &[u8]) -> Option<u32> {
    let toc = *payload.first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3F),
    };
    let samples = frame * frames;
    (1..=5760).contains(&samples).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_past_their_wrap_and_back_again() {
        let mut sequence = Sequence::default();
        assert_eq!(sequence.unwrap(65_534, u32::MAX - 959), (65_534, i64::from(u32::MAX) - 959));
        assert_eq!(sequence.unwrap(0, 960), (65_536, i64::from(u32::MAX) + 961));
        assert_eq!(sequence.unwrap(65_535, 0), (65_535, i64::from(u32::MAX) + 1));
        assert_eq!(sequence.unwrap(1, 1920).0, 65_537);
        assert!(!sequence.is_jump(2, 2880));
        assert!(sequence.is_jump(9_000, 2880) && sequence.is_jump(2, 1_000_000_000));
    }

    #[test]
    fn a_packet_s_duration_is_read_from_its_first_bytes() {
        use crate::encode::opus::{Config, Encoder, FRAME_SAMPLES};
        let mut encoder = Encoder::new(Config::default()).unwrap();
        assert_eq!(samples_of(encoder.encode(&[0.1; FRAME_SAMPLES]).unwrap()), Some(960));
        assert_eq!(samples_of(&[]), None);
        assert_eq!(samples_of(&[0b1111_1011]), None);
        assert_eq!(samples_of(&[0b0001_1011, 3]), None);
        assert_eq!(samples_of(&[0b0000_0011, 12]), Some(5760));
        assert_eq!(samples_of(&[0b1110_0001]), Some(240));
    }
}
