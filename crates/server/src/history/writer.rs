//! The work of the thread: batches, the sign of life, forgetting, and a disk that fails.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::{error, info};

use super::{Order, record, schema};
use crate::clock::signed_ms;

/// The longest that something told may be on the disk later.
const BATCH: Duration = Duration::from_millis(500);
/// What outlives a restart, and what ended, is on the disk as soon as nothing else is there to be written
/// with it, and at the latest behind so many: whoever hears that a room is locked may rely on it.
const TOGETHER: usize = 256;
/// How often the server writes down that it runs.
const ALIVE: Duration = Duration::from_secs(1);
/// How often what is too old is looked for.
const PRUNE: Duration = Duration::from_secs(3600);

/// When what is to be done, as a value.
#[derive(Debug)]
struct Schedule {
    /// When the batch that is open has to be on the disk.
    commit: Option<Instant>,
    alive: Instant,
    prune: Instant,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Due {
    commit: bool,
    alive: bool,
    prune: bool,
}

impl Schedule {
    fn new(now: Instant) -> Schedule {
        Schedule { commit: None, alive: now + ALIVE, prune: now + PRUNE }
    }

    /// Something was written at `now` that has to be on the disk within that time.
    fn wrote(&mut self, now: Instant, within: Duration) {
        let at = now + within;
        self.commit = Some(self.commit.map_or(at, |commit| commit.min(at)));
    }

    /// How long nothing is due.
    fn wait(&self, now: Instant) -> Duration {
        let next = self.commit.into_iter().chain([self.alive, self.prune]).min();
        next.unwrap_or(now).saturating_duration_since(now)
    }

    /// What is due at `now`, each once. A sign of life goes to the disk at once, and what waits with it.
    fn due(&mut self, now: Instant) -> Due {
        let alive = now >= self.alive;
        if alive {
            self.alive = now + ALIVE;
        }
        let prune = now >= self.prune;
        if prune {
            self.prune = now + PRUNE;
        }
        let full = self.commit.is_some_and(|at| now >= at);
        let commit = full || alive || prune;
        if commit {
            self.commit = None;
        }
        Due { commit, alive, prune }
    }
}

/// The database while the server runs: what fails is said once, and tried again with what comes next.
struct Writer<'a> {
    database: &'a Connection,
    failing: bool,
}

/// Works until it is stopped or nobody is left who could ask.
pub(super) fn run(database: &Connection, queue: &Receiver<Order>) {
    let mut writer = Writer { database, failing: false };
    let mut schedule = Schedule::new(Instant::now());
    'open: loop {
        let mut next = queue.recv_timeout(schedule.wait(Instant::now()));
        for left in (0..TOGETHER).rev() {
            match next {
                Ok(Order::Tell(happening)) => {
                    writer.write(|database| record::record(database, &happening));
                    let within = if happening.what.ends() { Duration::ZERO } else { BATCH };
                    schedule.wrote(Instant::now(), within);
                }
                Ok(Order::Keep { key, state }) => {
                    writer.write(|database| schema::keep(database, &key, state.as_deref()));
                    schedule.wrote(Instant::now(), Duration::ZERO);
                }
                Ok(Order::Ask(question)) => question(database),
                Err(RecvTimeoutError::Timeout) => break,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break 'open,
            }
            if left == 0 {
                break;
            }
            let Ok(more) = queue.try_recv() else { break };
            next = Ok(more);
        }
        let due = schedule.due(Instant::now());
        if due.alive {
            writer.write(|database| schema::live(database, signed_ms()));
        }
        if due.prune {
            writer.write(|database| schema::prune(database, signed_ms()));
        }
        if due.commit {
            writer.commit();
        }
    }
    writer.write(|database| schema::live(database, signed_ms()));
    writer.commit();
}

impl Writer<'_> {
    /// Writes into the open batch, which it begins where there is none.
    fn write(&mut self, what: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
        let begun = match self.database.is_autocommit() {
            true => self.database.execute_batch("BEGIN IMMEDIATE"),
            false => Ok(()),
        };
        if let Err(error) = begun.and_then(|()| what(self.database)) {
            self.failed(&error);
        }
    }

    fn commit(&mut self) {
        if self.database.is_autocommit() {
            return;
        }
        match self.database.execute_batch("COMMIT") {
            Ok(()) if self.failing => {
                self.failing = false;
                info!("the history can be written again");
            }
            Ok(()) => {}
            Err(error) => {
                // A batch that cannot be written is given up, so that the next one can begin.
                let _ = self.database.execute_batch("ROLLBACK");
                self.failed(&error);
            }
        }
    }

    fn failed(&mut self, error: &rusqlite::Error) {
        if !self.failing {
            self.failing = true;
            error!(%error, "the history cannot be written; the server goes on, what happens now is missing in it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_due_half_a_second_later_and_the_sign_of_life_every_second() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut schedule = Schedule::new(begin);
        assert_eq!(schedule.wait(at(0)), Duration::from_millis(1000));
        schedule.wrote(at(100), BATCH);
        schedule.wrote(at(400), BATCH);
        assert_eq!(schedule.wait(at(400)), Duration::from_millis(200), "from the first word on");
        assert_eq!(schedule.due(at(599)), Due::default());
        assert_eq!(schedule.due(at(600)), Due { commit: true, ..Due::default() });
        assert_eq!(schedule.due(at(601)), Due::default(), "once");
        assert_eq!(schedule.due(at(1000)), Due { commit: true, alive: true, prune: false });
        assert_eq!(schedule.wait(at(1000)), Duration::from_millis(1000));
        schedule.wrote(at(1100), BATCH);
        schedule.wrote(at(1200), Duration::ZERO);
        assert_eq!(schedule.wait(at(1200)), Duration::ZERO, "what is kept hurries");
        assert_eq!(schedule.due(at(1200)), Due { commit: true, ..Due::default() });
        assert_eq!(schedule.due(at(3_600_000)), Due { commit: true, alive: true, prune: true });
    }

    #[test]
    fn a_stream_of_words_does_not_put_off_the_commit() {
        let begin = Instant::now();
        let mut schedule = Schedule::new(begin);
        let commits = (0..1000_u64)
            .filter(|ms| {
                let now = begin + Duration::from_millis(*ms);
                schedule.wrote(now, BATCH);
                schedule.due(now).commit
            })
            .count();
        assert_eq!(commits, 1);
    }

    #[test]
    fn nothing_is_lost_of_more_than_is_written_together() {
        let database = schema::open(None, 0).unwrap();
        let (orders, queue) = std::sync::mpsc::sync_channel(1000);
        let keys: Vec<String> = (0..2 * TOGETHER + 50).map(|number| format!("{number:04}")).collect();
        for key in &keys {
            orders.send(Order::Keep { key: key.clone(), state: Some("{}".to_owned()) }).unwrap();
        }
        orders.send(Order::Stop).unwrap();
        run(&database, &queue);
        let mut kept: Vec<String> =
            schema::kept(&database).unwrap().into_iter().map(|(key, _)| key).collect();
        kept.sort();
        assert_eq!(kept, keys);
    }

    #[test]
    fn a_disk_that_is_full_ends_a_batch_and_not_the_history() {
        let database = schema::open(None, 0).unwrap();
        let full = |pages: i64| database.pragma_update(None, "max_page_count", pages).unwrap();
        let mut writer = Writer { database: &database, failing: false };
        full(1);
        writer.write(|database| schema::keep(database, "much", Some(&"x".repeat(1_000_000))));
        assert!(writer.failing);
        writer.commit();
        full(1_000_000);
        writer.write(|database| schema::keep(database, "much", Some("little")));
        writer.commit();
        assert!(!writer.failing);
        assert_eq!(schema::kept(&database).unwrap(), [("much".to_owned(), "little".to_owned())]);
    }
}
