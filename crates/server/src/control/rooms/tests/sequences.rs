//! Random sequences of everything that can happen to rooms, against a model that is written from the
//! rules' words.

mod command;
mod model;
mod record;
mod world;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use command::Sequence;
use world::World;

/// Sequences, unless the environment says otherwise.
const COUNT: u64 = 12_000;

/// Rooms that are not as they have to be.
struct Failure {
    sequence: Sequence,
    /// The command after which it was found.
    at: usize,
    /// How they differ, in words.
    what: String,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sequence { seed, online, commands } = &self.sequence;
        writeln!(f, "seed {seed}, rooms of {online}: {}", self.what)?;
        for (number, command) in commands.iter().enumerate() {
            writeln!(f, "  {} {command:?}", if number == self.at { ">" } else { " " })?;
        }
        write!(f, "once more: CONFAB_ROOMS_SEED={seed} cargo test --package confab-server --lib sequences")
    }
}

fn judge(sequence: &Sequence) -> Result<(), Failure> {
    let mut world = World::new(sequence);
    for (at, command) in sequence.commands.iter().enumerate() {
        if let Err(what) = world.run(command) {
            return Err(Failure { sequence: sequence.clone(), at, what });
        }
    }
    Ok(())
}

/// The shortest failing part of a sequence that fails.
fn least(sequence: &Sequence) -> Failure {
    judge(&sequence.shrunk(|fewer| judge(fewer).is_err())).expect_err("it has just failed")
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn after_every_command_rooms_are_what_the_model_says() {
    if let Some(seed) = number("CONFAB_ROOMS_SEED") {
        let sequence = Sequence::of(seed);
        assert!(judge(&sequence).is_ok(), "{:?}", least(&sequence));
        return;
    }
    let (next, end) = (AtomicU64::new(0), number("CONFAB_ROOMS_COUNT").unwrap_or(COUNT));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let sequence = Sequence::of(seed);
            if judge(&sequence).is_err() {
                next.store(end, Ordering::Relaxed);
                panic!("the shortest failing part:\n{:?}", least(&sequence));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for ended in running.into_iter().map(|one| one.join()) {
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

#[test]
fn a_seed_is_always_the_same_sequence_and_others_are_others() {
    assert_eq!(Sequence::of(7).commands, Sequence::of(7).commands);
    assert_ne!(Sequence::of(7).commands, Sequence::of(8).commands);
}
