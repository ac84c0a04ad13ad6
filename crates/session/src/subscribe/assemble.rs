//! H.264 payloads (RFC 6184, packetization mode 1) back into access units. Pure.

use bytes::{BufMut, Bytes, BytesMut};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// An access unit larger than this is nobody's picture.
const UNIT_LIMIT: usize = 4 << 20;

/// One picture, ready for the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Annex B.
    pub(crate) data: Bytes,
    /// RTP time, 90 kHz.
    pub(crate) timestamp: u32,
    /// Decodable without any before it.
    pub(crate) key: bool,
}

/// Collects the payloads of one stream, in order, and knows which pictures can be decoded:
/// after a loss nothing is handed out until the next key frame.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    data: BytesMut,
    timestamp: Option<u32>,
    /// A fragmented NAL unit is open.
    fragment: bool,
    key: bool,
    /// Part of this picture is missing or unreadable.
    broken: bool,
    /// Later pictures can be decoded only from the next key frame on.
    wants_key: bool,
    started: bool,
}

impl Assembler {
    /// Nothing collected yet; the first picture handed out is a key frame.
    pub(crate) fn new() -> Self {
        Self { wants_key: true, ..Self::default() }
    }

    /// Whether everything waits for a key frame.
    pub(crate) fn wants_key(&self) -> bool {
        self.wants_key
    }

    /// Packets are missing here.
    pub(crate) fn gap(&mut self) {
        self.broken = true;
        self.wants_key = true;
    }

    /// The next payload in order; the pictures that are complete with it and can be decoded. Two
    /// only where a sender leaves markers out.
    pub(crate) fn push(&mut self, payload: &[u8], timestamp: u32, marker: bool) -> Vec<Unit> {
        let mut complete = Vec::new();
        if self.timestamp.is_some_and(|current| current != timestamp) {
            complete.extend(self.finish());
        }
        if self.timestamp.is_none() {
            self.timestamp = Some(timestamp);
        }
        if self.take(payload).is_none() {
            self.broken = true;
        }
        if marker {
            complete.extend(self.finish());
        }
        complete
    }

    /// Adds the NAL units in `payload`; nothing when it cannot be read.
    fn take(&mut self, payload: &[u8]) -> Option<()> {
        let (&head, rest) = payload.split_first()?;
        if self.data.len() + payload.len() > UNIT_LIMIT {
            return None;
        }
        match head & 0x1f {
            1..=23 => {
                self.fragment = false;
                self.add(payload);
                Some(())
            }
            STAP_A => {
                self.fragment = false;
                let mut rest = rest;
                while !rest.is_empty() {
                    let (size, behind) = rest.split_first_chunk::<2>()?;
                    let (unit, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
                    self.add(unit);
                    rest = behind;
                }
                Some(())
            }
            FU_A => {
                let (&fragment, rest) = rest.split_first()?;
                if fragment & 0x80 != 0 {
                    self.add(&[head & 0xe0 | fragment & 0x1f]);
                    self.fragment = true;
                } else if !self.fragment {
                    return None;
                }
                self.data.put_slice(rest);
                if fragment & 0x40 != 0 {
                    self.fragment = false;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn add(&mut self, unit: &[u8]) {
        let Some(&head) = unit.first() else { return };
        self.key |= matches!(head & 0x1f, IDR | SPS);
        self.data.put_slice(&START_CODE);
        self.data.put_slice(unit);
    }

    fn finish(&mut self) -> Option<Unit> {
        let timestamp = self.timestamp.take()?;
        let data = self.data.split().freeze();
        let (key, broken) = (self.key, self.broken || self.fragment || data.is_empty());
        (self.key, self.broken, self.fragment) = (false, false, false);
        if broken {
            self.wants_key |= self.started || !data.is_empty();
            return None;
        }
        if key {
            self.wants_key = false;
        } else if self.wants_key {
            return None;
        }
        self.started = true;
        Some(Unit { data, timestamp, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::packetize::Packetizer;
    use proptest::prelude::*;

    fn annex_b(units: &[&[u8]]) -> Bytes {
        units.iter().flat_map(|unit| START_CODE.iter().chain(unit.iter()).copied()).collect()
    }

    /// A picture of `size` bytes; byte 0x80 never forms a start code.
    fn picture(key: bool, size: usize) -> Bytes {
        let slice: Vec<u8> = [if key { 0x65 } else { 0x41 }].into_iter().chain(vec![0x80; size]).collect();
        if key {
            annex_b(&[&[0x67, 0x42, 0xe0, 0x1f], &[0x68, 0xce, 0x3c], &slice])
        } else {
            annex_b(&[&slice])
        }
    }

    fn payloads(picture: &Bytes) -> Vec<Bytes> {
        Packetizer::new(1, 102).payloads(picture)
    }

    fn feed(assembler: &mut Assembler, payloads: &[Bytes], timestamp: u32) -> Vec<Unit> {
        let last = payloads.len() - 1;
        (0..).zip(payloads).flat_map(|(at, payload)| assembler.push(payload, timestamp, at == last)).collect()
    }

    #[test]
    fn what_the_packetizer_splits_is_put_together_again() {
        let mut assembler = Assembler::new();
        for (timestamp, (key, size)) in (0..).zip([(true, 30_000), (false, 500), (false, 5_000)]) {
            let sent = picture(key, size);
            let units = feed(&mut assembler, &payloads(&sent), timestamp);
            assert_eq!(units, [Unit { data: sent, timestamp, key }]);
        }
    }

    #[test]
    fn nothing_is_handed_out_before_the_first_key_frame() {
        let mut assembler = Assembler::new();
        assert!(feed(&mut assembler, &payloads(&picture(false, 500)), 1).is_empty());
        assert!(assembler.wants_key());
        assert_eq!(feed(&mut assembler, &payloads(&picture(true, 500)), 2).len(), 1);
        assert!(!assembler.wants_key());
    }

    #[test]
    fn after_a_loss_pictures_wait_for_a_key_frame() {
        let mut assembler = Assembler::new();
        feed(&mut assembler, &payloads(&picture(true, 500)), 1);
        let mut holed = payloads(&picture(false, 5_000));
        holed.remove(0);
        assembler.gap();
        assert!(feed(&mut assembler, &holed, 2).is_empty());
        assert!(feed(&mut assembler, &payloads(&picture(false, 500)), 3).is_empty());
        assert!(assembler.wants_key());
        assert_eq!(feed(&mut assembler, &payloads(&picture(true, 5_000)), 4).len(), 1);
    }

    #[test]
    fn a_picture_without_marker_ends_where_the_next_begins() {
        let mut assembler = Assembler::new();
        let key = payloads(&picture(true, 500));
        for payload in &key {
            assert_eq!(assembler.push(payload, 1, false), []);
        }
        let units = assembler.push(&payloads(&picture(false, 100))[0], 2, true);
        let times: Vec<_> = units.iter().map(|unit| (unit.timestamp, unit.key)).collect();
        assert_eq!(times, [(1, true), (2, false)]);
    }

    #[test]
    fn a_cut_aggregate_breaks_its_picture_only() {
        let mut assembler = Assembler::new();
        assert_eq!(assembler.push(&[0x78, 0x00, 0x09, 0x67], 1, true), []);
        assert_eq!(feed(&mut assembler, &payloads(&picture(true, 500)), 2).len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_harm(
            payloads in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..40), any::<u32>(), any::<bool>()),
                0..60,
            )
        ) {
            let mut assembler = Assembler::new();
            for (payload, timestamp, marker) in payloads {
                assembler.push(&payload, timestamp, marker);
            }
        }

        #[test]
        fn pictures_of_any_size_survive(size in 1usize..60_000) {
            let sent = picture(true, size);
            let units = feed(&mut Assembler::new(), &payloads(&sent), 7);
            prop_assert_eq!(units, [Unit { data: sent, timestamp: 7, key: true }]);
        }
    }
}
