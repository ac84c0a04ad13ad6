//! One publisher's sequence numbers, counted anew for each subscriber.
//!
//! A subscriber's SRTP context starts with roll-over counter 0, so whoever joins late must not see
//! the publisher's own (extended) numbers; and a pause or a new source must not look like loss.

/// The first number a subscriber sees; packets that were reordered around its start stay positive.
const FIRST: u64 = 1000;

/// Maps the extended sequence numbers of one source to those of one subscriber.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rebase {
    /// What is added to a number of the current source.
    shift: Option<i64>,
    source: u32,
    highest: u64,
}

impl Rebase {
    /// The subscriber's number for packet `sequence` of `source`; `None` for a packet older than
    /// everything this subscriber got.
    pub(crate) fn map(&mut self, source: u32, sequence: u64) -> Option<u64> {
        let sequence = i64::try_from(sequence).ok()?;
        if self.source != source {
            self.shift = None;
            self.source = source;
        }
        let next = if self.highest == 0 { FIRST } else { self.highest + 1 };
        let shift = *self.shift.get_or_insert(next as i64 - sequence);
        let mapped = u64::try_from(sequence.checked_add(shift)?).ok()?;
        self.highest = self.highest.max(mapped);
        Some(mapped)
    }

    /// What comes next continues right behind what was sent, whatever was skipped.
    pub(crate) fn skip(&mut self) {
        self.shift = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, Rebase};

    #[test]
    fn a_late_joiner_starts_at_a_low_number_and_keeps_gaps_and_order() {
        let mut rebase = Rebase::default();
        let mapped = [200_000, 200_001, 200_003, 200_002].map(|s| rebase.map(7, s));
        assert_eq!(mapped, [FIRST, FIRST + 1, FIRST + 3, FIRST + 2].map(Some));
    }

    #[test]
    fn packets_from_before_the_start_keep_their_place_or_are_dropped() {
        let mut rebase = Rebase::default();
        assert_eq!(rebase.map(7, 5_000), Some(FIRST));
        assert_eq!(rebase.map(7, 4_990), Some(FIRST - 10));
        assert_eq!(rebase.map(7, 3_000), None);
    }

    #[test]
    fn a_new_source_and_a_pause_continue_without_a_gap() {
        let mut rebase = Rebase::default();
        rebase.map(7, 10);
        assert_eq!(rebase.map(8, 999), Some(FIRST + 1));
        rebase.skip();
        assert_eq!(rebase.map(8, 5_000), Some(FIRST + 2));
        assert_eq!(rebase.map(8, 5_001), Some(FIRST + 3));
    }
}
