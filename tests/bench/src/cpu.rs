//! What a process costs the processor, from /proc.

use std::fs;
use std::time::Duration;

/// CPU time that a process has used so far, in user mode and in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTime {
    /// Its own code.
    pub user: Duration,
    /// The kernel on its behalf: sending and receiving, mostly.
    pub system: Duration,
}

impl CpuTime {
    /// Of this process. `None` where there is no /proc.
    pub fn own() -> Option<Self> {
        Self::read("self")
    }

    /// Of another one.
    pub fn of(process: u32) -> Option<Self> {
        Self::read(&process.to_string())
    }

    /// Both together.
    pub fn total(&self) -> Duration {
        self.user + self.system
    }

    fn read(process: &str) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// Fields 14 and 15 of the line, in hundredths of a second. The second field, the program's
    /// name, may hold spaces and brackets.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut next = || Some(Duration::from_millis(fields.next()?.parse::<u64>().ok()? * 10));
        Some(Self { user: next()?, system: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_program_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 99";
        let time = CpuTime::parse(stat).unwrap();
        assert_eq!((time.user, time.system), (Duration::from_millis(2500), Duration::from_millis(500)));
        assert_eq!(time.total(), Duration::from_secs(3));
    }
}
