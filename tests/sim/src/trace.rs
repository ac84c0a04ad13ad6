//! The record by which two runs of a seed are compared.

use std::fmt::{self, Display, Write as _};
use std::time::{Duration, Instant};

/// What happened, a line each with its time. Ids that are made at random are left out of it.
#[derive(Clone, Debug)]
pub struct Trace {
    began: Instant,
    text: String,
    hash: u64,
    lines: usize,
    /// Only the hash is kept.
    silent: bool,
}

impl Trace {
    pub(crate) fn new(began: Instant, silent: bool) -> Trace {
        // FNV-1a.
        Trace { began, text: String::new(), hash: 0xcbf2_9ce4_8422_2325, lines: 0, silent }
    }

    pub(crate) fn note(&mut self, now: Instant, who: &str, what: &dyn Display) {
        let from = self.text.len();
        let at: Duration = now.saturating_duration_since(self.began);
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:10.6} {who:<6} {what}", at.as_secs_f64());
        for byte in &self.text.as_bytes()[from..] {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.lines += 1;
        if self.silent {
            self.text.truncate(from);
        }
    }

    /// A short form of all lines.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// The lines; none for a silent world.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
