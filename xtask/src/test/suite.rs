//! Named steps, how long each took, and what the tests in them counted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tally::Tally;

/// The steps that ran so far.
pub(super) struct Suite {
    started: Instant,
    steps: Vec<(String, Duration)>,
    tally: Tally,
}

impl Suite {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), steps: Vec::new(), tally: Tally::default() }
    }

    /// Runs one step; an error of it comes back with its name.
    pub(super) fn step(&mut self, name: &str, work: impl FnOnce(&mut Tally) -> Result<()>) -> Result<()> {
        println!("\n==== {name} ({} since the start)", clock(self.started.elapsed()));
        let started = Instant::now();
        let outcome = work(&mut self.tally);
        self.steps.push((name.to_owned(), started.elapsed()));
        outcome.with_context(|| format!("step \"{name}\" failed"))
    }

    /// Prints the times of all steps and, as the last line, what all test runners counted together.
    pub(super) fn close(&self) {
        println!("\n==== times");
        for (name, time) in &self.steps {
            println!("{:>7}  {name}", clock(*time));
        }
        println!("{:>7}  in all\n", clock(self.started.elapsed()));
        println!("{}", self.tally);
    }
}

/// Minutes and seconds: `3:05`.
fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named() {
        let mut suite = Suite::new();
        suite.step("one", |_| Ok(())).unwrap();
        let error = suite.step("two", |_| anyhow::bail!("broken")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step \"two\" failed: broken");
        assert_eq!(suite.steps.len(), 2);
    }

    #[test]
    fn times_read_as_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
        assert_eq!(clock(Duration::from_secs(3600)), "60:00");
    }
}
