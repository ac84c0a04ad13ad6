//! What this program and the whole computer use, for the figures.

use confab_protocol::Statistics;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Looks at the computer. Shares of processors are of the time since the look before, 0 in the first.
#[derive(Debug)]
pub(super) struct Computer {
    /// Nothing where the system does not tell.
    system: Option<System>,
    own: Option<Pid>,
}

impl Computer {
    pub(super) fn new() -> Self {
        Self { system: System::new().ok(), own: sysinfo::get_current_pid().ok() }
    }

    /// Figures with those of the computer filled in.
    pub(super) fn fill(&mut self, figures: Statistics) -> Statistics {
        let Some(system) = &mut self.system else { return figures };
        system.refresh_cpu_usage();
        system.refresh_memory();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        if let Some(own) = self.own {
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, kind);
        }
        let own = self.own.and_then(|own| system.process(own));
        let cores = system.cpus().len().max(1) as f32;
        Statistics {
            app_cpu: own.map_or(0, |own| per_cent(own.cpu_usage() / cores)),
            system_cpu: per_cent(system.global_cpu_usage()),
            system_memory_in_mb: megabytes(system.total_memory()),
            system_memory_usage_in_mb: megabytes(system.used_memory()),
            app_memory_usage_in_mb: own.map_or(0, |own| megabytes(own.memory())),
            ..figures
        }
    }
}

fn per_cent(share: f32) -> u32 {
    share.round().clamp(0.0, 100.0) as u32
}

fn megabytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 20).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn work(time: Duration) {
        let until = Instant::now() + time;
        let mut turns = 0_u64;
        while Instant::now() < until {
            turns = std::hint::black_box(turns + 1);
        }
    }

    #[test]
    fn a_program_that_works_is_seen_to() {
        // A program that has used no time at all yet is not counted.
        work(Duration::from_millis(100));
        let mut computer = Computer::new();
        computer.fill(Statistics::default());
        work(Duration::from_millis(500));
        let figures = computer.fill(Statistics { rtt: 7, ..Statistics::default() });
        assert!(figures.app_cpu > 0 && figures.system_cpu > 0, "{figures:?}");
        assert!(figures.app_memory_usage_in_mb > 0, "{figures:?}");
        assert!(figures.system_memory_usage_in_mb >= figures.app_memory_usage_in_mb, "{figures:?}");
        assert!(figures.system_memory_in_mb > figures.system_memory_usage_in_mb, "{figures:?}");
        assert_eq!(figures.rtt, 7);
    }
}
