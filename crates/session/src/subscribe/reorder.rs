//! Puts received packets back in order and waits a bounded time for those that were asked for
//! again. Owns no clock, no socket.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a reader gets, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<P> {
    /// The next packet.
    Packet(P),
    /// So many packets never came, none when the sender began anew; the next step goes on behind.
    Gap(u64),
}

/// Counts since the buffer was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Packets handed out.
    pub(crate) delivered: u64,
    /// Packets given up.
    pub(crate) lost: u64,
    /// Packets that came twice, or after they were given up.
    pub(crate) useless: u64,
    /// Packets that had to wait for an earlier one.
    pub(crate) reordered: u64,
}

#[derive(Debug)]
struct Held<P> {
    packet: P,
    arrived: Instant,
}

/// The buffer of one stream.
#[derive(Debug)]
pub(crate) struct Reorder<P> {
    /// Longest wait for a missing packet, counted from the arrival of the first one behind it.
    patience: Duration,
    /// Packets held at most; more force a gap.
    capacity: usize,
    /// Extended number of the packet that is due; none before the first.
    next: Option<u64>,
    held: BTreeMap<u64, Held<P>>,
    /// The number that would show that a sender began anew (RFC 3550, A.1).
    anew: Option<u16>,
    /// It did, and the reader is not told yet.
    restarted: bool,
    counts: Counts,
}

impl<P> Reorder<P> {
    /// Further ahead, or behind, than this a packet is no late or lost one.
    const AHEAD: u64 = 3_000;
    const BEHIND: u64 = 1_000;

    /// An empty buffer.
    pub(crate) fn new(patience: Duration, capacity: usize) -> Self {
        Self {
            patience,
            capacity: capacity.max(1),
            next: None,
            held: BTreeMap::new(),
            anew: None,
            restarted: false,
            counts: Counts::default(),
        }
    }

    /// What became of the packets so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// A packet with its 16-bit sequence number arrived.
    pub(crate) fn push(&mut self, sequence: u16, packet: P, now: Instant) {
        let next = *self.next.get_or_insert(Self::START + u64::from(sequence));
        let number = Self::extend(next, sequence);
        if number + Self::BEHIND < next || number > next + Self::AHEAD {
            return self.push_far(sequence, packet, now);
        }
        self.anew = None;
        if number < next || self.held.contains_key(&number) {
            self.counts.useless += 1;
            return;
        }
        if number > next {
            self.counts.reordered += 1;
        }
        self.held.insert(number, Held { packet, arrived: now });
    }

    /// Two packets in a row from far away: the sender began anew.
    fn push_far(&mut self, sequence: u16, packet: P, now: Instant) {
        let expected = self.anew.replace(sequence.wrapping_add(1));
        self.counts.useless += 1;
        if expected == Some(sequence) {
            let next = Self::START + u64::from(sequence);
            (self.next, self.anew, self.restarted) = (Some(next), None, true);
            self.held.clear();
            self.held.insert(next, Held { packet, arrived: now });
        }
    }

    /// The next packet, or a gap that cannot be closed any more, or nothing for now.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Step<P>> {
        let next = self.next?;
        if std::mem::take(&mut self.restarted) {
            return Some(Step::Gap(0));
        }
        if let Some(held) = self.held.remove(&next) {
            self.next = Some(next + 1);
            self.counts.delivered += 1;
            return Some(Step::Packet(held.packet));
        }
        let (&first, _) = self.held.first_key_value()?;
        let overdue = self.timeout().is_some_and(|due| now >= due);
        if !overdue && self.held.len() <= self.capacity {
            return None;
        }
        let missing = first - next;
        self.next = Some(first);
        self.counts.lost += missing;
        Some(Step::Gap(missing))
    }

    /// When the gap in front of the held packets is given up.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        // The first held packet need not be the first that arrived behind the gap.
        self.held.values().map(|held| held.arrived).min().map(|arrived| arrived + self.patience)
    }

    /// Numbers start high, so that a packet from before the first one has a number too.
    const START: u64 = 1 << 32;

    /// The number nearest to `near` that ends in `sequence`.
    fn extend(near: u64, sequence: u16) -> u64 {
        let low = near as u16;
        let ahead = sequence.wrapping_sub(low) as i16;
        near.wrapping_add_signed(i64::from(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    fn buffer() -> Reorder<u16> {
        Reorder::new(PATIENCE, 64)
    }

    fn drain(buffer: &mut Reorder<u16>, now: Instant) -> Vec<Step<u16>> {
        std::iter::from_fn(|| buffer.poll(now)).collect()
    }

    #[test]
    fn packets_in_order_pass_at_once_also_over_the_end_of_the_numbers() {
        let (mut buffer, now) = (buffer(), Instant::now());
        for sequence in [65_534, 65_535, 0, 1] {
            buffer.push(sequence, sequence, now);
            assert_eq!(drain(&mut buffer, now), [Step::Packet(sequence)]);
        }
        assert_eq!(buffer.timeout(), None);
    }

    #[test]
    fn a_packet_that_comes_again_in_time_closes_the_gap() {
        let (mut buffer, now) = (buffer(), Instant::now());
        buffer.push(1, 1, now);
        buffer.push(3, 3, now);
        assert_eq!(drain(&mut buffer, now), [Step::Packet(1)]);
        let later = now + PATIENCE / 2;
        assert_eq!(drain(&mut buffer, later), []);
        buffer.push(2, 2, later);
        assert_eq!(drain(&mut buffer, later), [Step::Packet(2), Step::Packet(3)]);
        assert_eq!(buffer.counts(), Counts { delivered: 3, lost: 0, useless: 0, reordered: 1 });
    }

    #[test]
    fn a_packet_that_never_comes_is_given_up_after_the_patience_and_counted() {
        let (mut buffer, now) = (buffer(), Instant::now());
        buffer.push(1, 1, now);
        buffer.push(4, 4, now + Duration::from_millis(50));
        assert_eq!(drain(&mut buffer, now), [Step::Packet(1)]);
        let due = buffer.timeout().unwrap();
        assert_eq!(due, now + Duration::from_millis(50) + PATIENCE);
        assert_eq!(drain(&mut buffer, due), [Step::Gap(2), Step::Packet(4)]);
        buffer.push(2, 2, due);
        assert_eq!(drain(&mut buffer, due), []);
        assert_eq!(buffer.counts(), Counts { delivered: 2, lost: 2, useless: 1, reordered: 1 });
    }

    #[test]
    fn a_full_buffer_gives_the_gap_up_early() {
        let (mut buffer, now) = (Reorder::new(PATIENCE, 2), Instant::now());
        buffer.push(1, 1, now);
        for sequence in 3..=5 {
            buffer.push(sequence, sequence, now);
        }
        let steps = drain(&mut buffer, now);
        assert_eq!(steps, [Step::Packet(1), Step::Gap(1), Step::Packet(3), Step::Packet(4), Step::Packet(5)]);
    }

    #[test]
    fn a_sender_that_begins_anew_is_followed_after_two_packets_and_a_stray_one_is_not() {
        let (mut buffer, now) = (buffer(), Instant::now());
        for sequence in [50_000, 50_001, 7, 50_002] {
            buffer.push(sequence, sequence, now);
        }
        assert_eq!(drain(&mut buffer, now), [50_000, 50_001, 50_002].map(Step::Packet));
        for sequence in [100, 101, 102] {
            buffer.push(sequence, sequence, now);
        }
        assert_eq!(drain(&mut buffer, now), [Step::Gap(0), Step::Packet(101), Step::Packet(102)]);
    }

    proptest! {
        #[test]
        fn whatever_arrives_leaves_in_rising_order_and_once(
            sequences in prop::collection::vec(any::<u16>(), 0..300)
        ) {
            let (mut buffer, mut now) = (buffer(), Instant::now());
            let mut last: Option<u64> = None;
            let mut position = None::<u64>;
            for sequence in sequences {
                buffer.push(sequence, sequence, now);
                now += Duration::from_millis(7);
                while let Some(step) = buffer.poll(now) {
                    let here = position.get_or_insert(0);
                    match step {
                        Step::Packet(_) => {
                            prop_assert!(last.is_none_or(|last| *here > last));
                            last = Some(*here);
                            *here += 1;
                        }
                        Step::Gap(0) => {}
                        Step::Gap(missing) => *here += missing,
                    }
                }
            }
            prop_assert!(buffer.held.len() <= 65);
        }
    }
}
