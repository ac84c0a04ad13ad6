//! Times in sentences that people read.

use std::fmt;

/// A time that has passed, as people say it: `just now`, `3 minutes ago`.
pub(crate) struct Ago(pub(crate) u64);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] =
            [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
        match UNITS.into_iter().find(|(unit, _)| self.0 >= *unit) {
            None => f.write_str("just now"),
            Some((unit, name)) => {
                let count = self.0 / unit;
                write!(f, "{count} {name}{} ago", if count == 1 { "" } else { "s" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_largest_unit() {
        for (seconds, said) in [
            (0, "just now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (3_615, "1 hour ago"),
            (172_800, "2 days ago"),
            (1_795_634_634, "56 years ago"),
        ] {
            assert_eq!(Ago(seconds).to_string(), said);
        }
    }
}
