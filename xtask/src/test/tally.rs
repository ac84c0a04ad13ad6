//! Adds up the closing lines of the test runners.

use std::fmt;

/// Tests that were run, by their outcome.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Takes one line of a runner's output; lines that close nothing change nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(result) = line.strip_prefix("test result: ") {
            // cargo test: "ok. 3 passed; 0 failed; 1 ignored; ..."
            let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
            self.add(counts.split(';'));
        } else if let Some(counts) = line.strip_prefix("Tests ") {
            // Vitest: "Tests  1 failed | 11 passed | 2 skipped (14)"
            let counts = counts.split_once('(').map_or(counts, |(counts, _)| counts);
            self.add(counts.split('|'));
        }
    }

    /// Counts one more that was not run.
    pub(crate) fn skip(&mut self) {
        self.skipped += 1;
    }

    fn add<'a>(&mut self, counts: impl Iterator<Item = &'a str>) {
        for count in counts {
            let mut words = count.split_whitespace();
            let number = words.next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored" | "skipped" | "todo") => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> String {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        tally.to_string()
    }

    #[test]
    fn closing_lines_of_both_runners_are_added_up() {
        let lines = [
            "running 4 tests",
            "test one ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            " Test Files  2 passed (2)",
            "      Tests  11 passed (11)",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "      Tests  1 failed | 4 passed | 2 skipped (7)",
        ];
        assert_eq!(tally(&lines), "19 passed, 3 failed, 3 skipped");
    }

    #[test]
    fn a_line_that_only_looks_alike_counts_nothing() {
        let lines =
            ["test result: pending", "Tests are fun", "12 passed", "error: test result: ok. 3 passed"];
        assert_eq!(tally(&lines), "0 passed, 0 failed, 0 skipped");
    }
}
