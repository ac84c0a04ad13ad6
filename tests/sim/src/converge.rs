//! Runs commands without waiting for one before the next: what comes of such a race is not foretold,
//! but in the end everybody has to agree, and every exit needs its reason.

use crate::chance::Chance;
use crate::client::Phase;
use crate::command::{Command, Sequence};
use crate::grammar::Grammar;
use crate::judge::{Failure, Outcome};
use crate::model::{NOTICE, ROOMS};
use crate::world::World;
use confab_protocol::{Event, ExitCause};
use confab_session::sim::Other;
use std::collections::BTreeMap;
use std::time::Duration;

/// Seats of those who were lost are kept for 90 s, and then nothing is left of them.
const PATIENCE: Duration = Duration::from_secs(150);
const STABLE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(500);

/// What a place has open, from its own commands.
#[derive(Clone, Copy, Debug, Default)]
struct Devices {
    voice: (bool, bool),
    camera: (bool, bool),
}

/// Runs a sequence in a hurry, with pauses of up to `pause` between its commands, heals every line, and
/// compares what everybody ends up with.
pub fn converge(sequence: &Sequence, pause: Duration, silent: bool) -> Result<Outcome, Box<Failure>> {
    let mut chance = Chance::of(sequence.seed, 2_000);
    let mut world = sequence.world(silent);
    let places = sequence.places.len();
    let mut run =
        Run { grammars: vec![Grammar::default(); places], devices: vec![Devices::default(); places] };
    let fail = |world: &World, at: usize, what: String| {
        Box::new(Failure { sequence: sequence.clone(), at, what, trace: world.trace().to_string() })
    };
    for (at, command) in sequence.commands.iter().enumerate() {
        // Pauses that are part of a sequence are shortened: it is about what overlaps.
        let command = match command {
            Command::Wait { seconds } => Command::Wait { seconds: (*seconds).min(12) },
            other => *other,
        };
        let _ = command.run(&mut world);
        run.note(command);
        world.run(chance.part(pause));
        run.read(&mut world, &sequence.commands[..=at]).map_err(|what| fail(&world, at, what))?;
    }
    (0..places).for_each(|at| world.heal(at));
    world.run(NOTICE);
    let end = world.elapsed() + PATIENCE;
    let last = sequence.commands.len();
    // Everybody may agree for a moment by chance.
    let mut since = None;
    loop {
        run.read(&mut world, &sequence.commands).map_err(|what| fail(&world, last, what))?;
        let now = world.elapsed();
        match run.agree(&mut world) {
            Ok(()) if since.is_some_and(|since| now >= since + STABLE) => break,
            Ok(()) => _ = since.get_or_insert(now),
            Err(what) if now >= end => return Err(fail(&world, last, what)),
            Err(_) => since = None,
        }
        world.run(LOOK);
    }
    let (hash, lines) = (world.trace().hash(), world.trace().lines());
    let virtual_ms = u64::try_from(world.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Outcome { hash, commands: sequence.commands.len(), lines, virtual_ms })
}

struct Run {
    grammars: Vec<Grammar>,
    devices: Vec<Devices>,
}

impl Run {
    fn note(&mut self, command: Command) {
        match command {
            Command::Voice { at, open } => self.devices[at].voice.0 = open,
            Command::MuteVoice { at, muted } => self.devices[at].voice.1 = muted,
            Command::Camera { at, open } => self.devices[at].camera.0 = open,
            Command::MuteCamera { at, muted } => self.devices[at].camera.1 = muted,
            Command::Kill { at } => {
                self.devices[at] = Devices::default();
                self.grammars[at] = Grammar::default();
            }
            _ => {}
        }
    }

    /// What was told since the last time, in order and each exit for a reason.
    fn read(&mut self, world: &mut World, done: &[Command]) -> Result<(), String> {
        for at in 0..self.grammars.len() {
            for event in world.take_told(at) {
                let name = world.name(at).to_owned();
                let taken = self.grammars[at].take(&event);
                taken.map_err(|what| format!("{name} was told {event:?}: {what}"))?;
                if let Event::OnExitRoom { cause, .. } = event {
                    self.devices[at] = Devices::default();
                    if !explained(world, at, cause, done) {
                        return Err(format!("{name} was told {cause:?}, for which there is no reason"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether everybody is somewhere, and all who are in a room see the same, which is what the server
    /// has and what they really send.
    fn agree(&self, world: &mut World) -> Result<(), String> {
        let mut rooms: BTreeMap<u32, Vec<Other>> = BTreeMap::new();
        for room in ROOMS {
            let present = world.present(room).into_iter();
            let list = present.map(|(user_id, audio, video)| Other { user_id, video, audio }).collect();
            rooms.insert(room, list);
        }
        let total: usize = rooms.values().map(Vec::len).sum();
        let mut inside = 0;
        for at in 0..self.grammars.len() {
            let (phase, name, user) =
                (world.client(at).phase(), world.name(at).to_owned(), world.client(at).user().to_owned());
            if !matches!(phase, Phase::Idle | Phase::In) {
                return Err(format!("{name} is still {phase:?}"));
            }
            if self.grammars[at].is_inside() != (phase == Phase::In) {
                return Err(format!("{name} is {phase:?}, and its app was told something else"));
            }
            if phase == Phase::Idle {
                continue;
            }
            inside += 1;
            let devices = self.devices[at];
            let goes = |(open, muted): (bool, bool)| open && !muted;
            let own =
                Other { user_id: user.clone(), audio: goes(devices.voice), video: goes(devices.camera) };
            let mut seen = world.client(at).others();
            seen.push(own);
            seen.sort();
            if !rooms.values().any(|list| *list == seen) {
                return Err(format!("{name} sees {seen:?}, and the server has {rooms:?}"));
            }
        }
        if inside != total {
            return Err(format!(
                "{inside} clients are in a room, and the server has {total} people: {rooms:?}"
            ));
        }
        let (_, present, _) = world.census();
        if present != total {
            return Err(format!("the room service counts {present} people, and the server has {total}"));
        }
        Ok(())
    }
}

/// Whether something that was done explains that exit.
fn explained(world: &World, at: usize, cause: ExitCause, done: &[Command]) -> bool {
    let user = |at: usize| world.client(at).user();
    done.iter().any(|command| match (cause, *command) {
        (ExitCause::Left, Command::Exit { at: other }) => other == at,
        (ExitCause::Removed, Command::Remove { at: other, .. }) => user(other) == user(at),
        (ExitCause::Dismissed, Command::Dismiss { .. }) => true,
        (ExitCause::EnteredElsewhere, Command::Enter { at: other, .. }) => {
            other != at && user(other) == user(at)
        }
        _ => false,
    })
}
