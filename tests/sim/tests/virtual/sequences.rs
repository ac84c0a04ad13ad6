//! Random sequences of commands against the model.

use sim::{Command, Failure, Model, Outcome, Sequence, Weather, converge, judge};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sequences of each kind, unless the environment says otherwise.
const COUNT: u64 = 1_000;
/// Between two commands of those in a hurry.
const PAUSE: Duration = Duration::from_millis(700);

type Judge = fn(&Sequence, bool) -> Result<Outcome, Box<Failure>>;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn hurried(sequence: &Sequence, silent: bool) -> Result<Outcome, Box<Failure>> {
    converge(sequence, PAUSE, silent)
}

/// Judges the sequences of many seeds on all cores; the first failure is made as short as possible.
fn all(what: &str, from: u64, count: u64, make: fn(u64) -> Sequence, judge: Judge) {
    if let Some(seed) = number("CONFAB_SIM_SEED") {
        let sequence = make(seed);
        match judge(&sequence, false) {
            Ok(outcome) => println!("{what} {seed}: {outcome:?}"),
            Err(failure) => panic!("{failure:?}"),
        }
        return;
    }
    let next = AtomicU64::new(from);
    let end = from + count;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let work = || {
        let mut sum = (0, 0, 0);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return sum;
            }
            let sequence = make(seed);
            match judge(&sequence, true) {
                Ok(outcome) => {
                    sum = (sum.0 + 1, sum.1 + outcome.commands, sum.2 + outcome.virtual_ms);
                }
                Err(_) => {
                    next.store(end, Ordering::Relaxed);
                    let least = sequence.shrunk(|fewer| judge(fewer, true).is_err());
                    let failure = judge(&least, false).expect_err("it has just failed");
                    panic!("{what}, the shortest failing part:\n{failure:?}");
                }
            }
        }
    };
    let sums: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut total = (0, 0, 0);
    for sum in sums {
        let sum = sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        total = (total.0 + sum.0, total.1 + sum.1, total.2 + sum.2);
    }
    println!("{what}: {} sequences, {} commands, {} s of virtual time", total.0, total.1, total.2 / 1000);
}

#[test]
fn after_every_command_the_room_is_what_the_model_says() {
    all("step by step", 0, number("CONFAB_SIM_COUNT").unwrap_or(COUNT), Sequence::of, judge);
}

#[test]
fn after_commands_that_overlap_everybody_agrees() {
    all("in a hurry", 0, number("CONFAB_SIM_COUNT").unwrap_or(COUNT), Sequence::of, hurried);
}

#[test]
fn twenty_places_end_up_with_the_same_room() {
    let of_twenty = |seed| Sequence::of_size(seed, 20);
    let count = number("CONFAB_SIM_COUNT").map_or(8, |count| count / 100);
    all("twenty, step by step", 0, count, of_twenty, judge);
    all("twenty, in a hurry", 0, count, of_twenty, hurried);
}

#[test]
fn a_world_that_is_not_what_the_model_says_is_found() {
    let sequence = Sequence {
        seed: 1,
        places: vec![("ann".to_owned(), Weather::CLEAR), ("bob".to_owned(), Weather::CLEAR)],
        commands: Vec::new(),
    };
    let mut world = sequence.world(true);
    let mut model = Model::new(&world, 2);
    for at in [0, 1] {
        let enter = Command::Enter { at, room: 1 };
        model.apply(enter, world.elapsed());
        enter.run(&mut world).unwrap();
    }
    world.run(Duration::from_secs(5));
    model.check(&mut world).unwrap();
    world.set_voice(1, true);
    world.run(Duration::from_secs(5));
    let what = model.check(&mut world).unwrap_err();
    assert!(what.contains("bob") && what.contains("audio"), "{what}");
}
