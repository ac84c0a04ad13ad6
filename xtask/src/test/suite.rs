//! Named steps, how long each took, and what the tests in them counted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tally::Tally;

/// The steps that ran so far.
pub(crate) struct Suite {
    started: Instant,
    steps: Vec<(String, Duration)>,
    /// What did not run, and why.
    passed_over: Vec<(String, String)>,
    tally: Tally,
}

impl Suite {
    pub(crate) fn new() -> Self {
        let (steps, passed_over) = (Vec::new(), Vec::new());
        Self { started: Instant::now(), steps, passed_over, tally: Tally::default() }
    }

    /// Runs one step; an error of it comes back with its name.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce(&mut Tally) -> Result<()>) -> Result<()> {
        println!("\n==== {name} ({} since the start)", clock(self.started.elapsed()));
        let started = Instant::now();
        let outcome = work(&mut self.tally);
        self.steps.push((name.to_owned(), started.elapsed()));
        outcome.with_context(|| format!("step \"{name}\" failed"))
    }

    /// Something cannot run here; that counts as skipped.
    pub(crate) fn pass_over(&mut self, name: &str, why: &str) {
        println!("\n==== {name} is passed over: {why}");
        self.passed_over.push((name.to_owned(), why.to_owned()));
        self.tally.skip();
    }

    /// Prints the times of all steps and, as the last line, what all test runners counted together.
    pub(super) fn close(&self) {
        self.times();
        println!("\n{}", self.tally);
    }

    /// Prints the times of all steps.
    pub(crate) fn times(&self) {
        println!("\n==== times");
        for (name, time) in &self.steps {
            println!("{:>7}  {name}", clock(*time));
        }
        for (name, why) in &self.passed_over {
            println!("not run  {name}: {why}");
        }
        println!("{:>7}  in all", clock(self.started.elapsed()));
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
    fn what_is_passed_over_counts_as_skipped() {
        let mut suite = Suite::new();
        suite.pass_over("windows", "no target");
        assert_eq!(suite.tally.to_string(), "0 passed, 0 failed, 1 skipped");
        assert_eq!(suite.passed_over, [("windows".to_owned(), "no target".to_owned())]);
    }

    #[test]
    fn times_read_as_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
        assert_eq!(clock(Duration::from_secs(3600)), "60:00");
    }
}
