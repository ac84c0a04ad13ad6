//! What is done to a world, as values: made from a seed, and made fewer when they fail.

use crate::chance::Chance;
use crate::link::Weather;
use crate::world::World;
use std::fmt;
use std::time::Duration;

/// One thing that somebody does; `at` is a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The client enters a room.
    Enter { at: usize, room: u32 },
    /// The client leaves its room.
    Exit { at: usize },
    /// The program ends without a word, and another one is started.
    Kill { at: usize },
    /// The place loses its network.
    Cut { at: usize },
    /// The place has its network again.
    Heal { at: usize },
    /// The microphone is opened or closed.
    Voice { at: usize, open: bool },
    /// The microphone is muted or unmuted.
    MuteVoice { at: usize, muted: bool },
    /// The camera is opened or closed.
    Camera { at: usize, open: bool },
    /// The camera is muted or unmuted.
    MuteCamera { at: usize, muted: bool },
    /// An operator puts the user of that place out.
    Remove { at: usize, room: u32 },
    /// An operator ends a room.
    Dismiss { room: u32 },
    /// Nobody does anything.
    Wait { seconds: u64 },
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Command {
    /// Does it; the refusal of an entry is the outcome.
    pub fn run(self, world: &mut World) -> Result<(), i32> {
        match self {
            Command::Enter { at, room } => return world.enter(at, room),
            Command::Exit { at } => world.exit(at),
            Command::Kill { at } => world.kill(at),
            Command::Cut { at } => world.cut(at),
            Command::Heal { at } => world.heal(at),
            Command::Voice { at, open } => world.set_voice(at, open),
            Command::MuteVoice { at, muted } => world.mute_voice(at, muted),
            Command::Camera { at, open } => world.set_camera(at, open),
            Command::MuteCamera { at, muted } => world.mute_camera(at, muted),
            Command::Remove { at, room } => {
                let user = world.client(at).user().to_owned();
                world.remove(room, &user);
            }
            Command::Dismiss { room } => world.dismiss(room),
            Command::Wait { seconds } => world.run(Duration::from_secs(seconds)),
        }
        Ok(())
    }
}

/// Places, and what happens at them.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// What it was made from, and what its network draws from.
    pub seed: u64,
    /// Each place's name, as [`World::new`] reads it, and how its line behaves.
    pub places: Vec<(String, Weather)>,
    /// One after the other.
    pub commands: Vec<Command>,
}

const NAMES: [&str; 20] = [
    "ann", "bob", "cem", "dee", "eve", "fay", "gil", "hal", "ida", "jon", "kim", "leo", "mia", "ned", "oda",
    "pia", "quy", "ron", "sue", "tom",
];

impl Sequence {
    /// The sequence of a seed: mostly of a few people, now and then of up to 20.
    pub fn of(seed: u64) -> Sequence {
        let mut chance = Chance::of(seed, 1_000);
        let most = *chance.pick(&[2, 3, 3, 4, 4, 5, 6, 8]);
        let count = if chance.happens(0.01) { 20 } else { most };
        Sequence::with(seed, count, chance)
    }

    /// A sequence of so many places.
    pub fn of_size(seed: u64, places: usize) -> Sequence {
        Sequence::with(seed, places, Chance::of(seed, 1_001))
    }

    fn with(seed: u64, count: usize, mut chance: Chance) -> Sequence {
        let mut places: Vec<(String, Weather)> = Vec::new();
        for (number, name) in NAMES.iter().take(count).enumerate() {
            let weather = match chance.below(4) {
                0 => Weather::CLEAR,
                1 => Weather::bad(0.0, 20, 10),
                2 => Weather::bad(0.01, 60, 40),
                _ => Weather::bad(0.02, 120, 30),
            };
            let before = chance.below(number.max(1));
            let again = number > 0 && chance.happens(0.2) && !places[before].0.contains('/');
            let name = if again { format!("{}/{number}", places[before].0) } else { (*name).to_owned() };
            places.push((name, weather));
        }
        let length = 8 + chance.below(14) + count / 2;
        let mut inside = vec![false; count];
        let mut commands = Vec::new();
        while commands.len() < length {
            commands.push(next(&mut chance, &mut inside));
        }
        Sequence { seed, places, commands }
    }

    /// The world that it happens in.
    pub fn world(&self, silent: bool) -> World {
        let places: Vec<(&str, Weather)> =
            self.places.iter().map(|(name, weather)| (name.as_str(), *weather)).collect();
        if silent { World::silent(self.seed, &places) } else { World::new(self.seed, &places) }
    }

    /// The shortest part of it that was found to fail still.
    pub fn shrunk(&self, fails: impl Fn(&Sequence) -> bool) -> Sequence {
        let mut least = self.clone();
        let mut size = least.commands.len() / 2;
        while size > 0 {
            let mut from = 0;
            while from < least.commands.len() {
                let mut fewer = least.clone();
                fewer.commands.drain(from..(from + size).min(fewer.commands.len()));
                if fails(&fewer) {
                    least = fewer;
                } else {
                    from += size;
                }
            }
            size /= 2;
        }
        least
    }
}

/// The next command; `inside` knows roughly who is in a room, so that most of them mean something.
fn next(chance: &mut Chance, inside: &mut [bool]) -> Command {
    let at = chance.below(inside.len());
    let room = if chance.happens(0.9) { 1 } else { 2 };
    if !inside[at] && chance.happens(0.6) {
        inside[at] = true;
        return Command::Enter { at, room };
    }
    let flag = chance.happens(0.6);
    match chance.below(26) {
        0..=2 => {
            inside[at] = false;
            Command::Exit { at }
        }
        3 => {
            inside[at] = false;
            Command::Kill { at }
        }
        4..=6 => Command::Cut { at },
        7..=9 => Command::Heal { at },
        10..=12 => Command::Voice { at, open: flag },
        13 => Command::MuteVoice { at, muted: flag },
        14..=15 => Command::Camera { at, open: flag },
        16 => Command::MuteCamera { at, muted: flag },
        17..=18 => {
            inside[at] = false;
            Command::Remove { at, room }
        }
        19 => {
            inside.fill(false);
            Command::Dismiss { room }
        }
        20..=23 => Command::Wait { seconds: *chance.pick(&[1, 3, 9, 25, 25, 110]) },
        _ => {
            inside[at] = true;
            Command::Enter { at, room }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_sequence_and_others_are_others() {
        assert_eq!(Sequence::of(7).commands, Sequence::of(7).commands);
        assert_ne!(Sequence::of(7).commands, Sequence::of(8).commands);
        assert_eq!(Sequence::of_size(7, 20).places.len(), 20);
    }

    #[test]
    fn what_is_not_needed_for_a_failure_is_left_out() {
        let sequence = Sequence::of_size(3, 8);
        let needed = [sequence.commands[2], sequence.commands[7]];
        let fails = |one: &Sequence| needed.iter().all(|command| one.commands.contains(command));
        let least = sequence.shrunk(fails);
        assert!(fails(&least) && least.commands.len() <= 2, "{:?}", least.commands);
    }
}
