//! Runs a sequence and compares the world with the model after every command.

use crate::command::{Command, Sequence};
use crate::grammar::Grammar;
use crate::model::{Expected, Model};
use crate::world::World;
use confab_protocol::{Event, ExitCause, LeaveReason};
use confab_session::sim::Other;
use std::fmt;
use std::time::Duration;

/// How long anything may take over the worst line of a sequence, cuts left out.
const PATIENCE: Duration = Duration::from_secs(50);
/// What is as it has to be has to stay so for this long.
const STABLE: Duration = Duration::from_millis(900);
const LOOK: Duration = Duration::from_millis(100);

/// A world that is not as it has to be.
#[derive(Clone)]
pub struct Failure {
    /// What was run.
    pub sequence: Sequence,
    /// The command after which it was found.
    pub at: usize,
    /// How the world differs, in words.
    pub what: String,
    /// All that happened until then, a line each.
    pub trace: String,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sequence { seed, places, commands } = &self.sequence;
        writeln!(f, "seed {seed}: {}", self.what)?;
        for (at, (name, weather)) in places.iter().enumerate() {
            writeln!(f, "  place {at} {name} {weather:?}")?;
        }
        for (number, command) in commands.iter().enumerate() {
            writeln!(f, "  {} {command}", if number == self.at { ">" } else { " " })?;
        }
        writeln!(f, "{}", self.trace)?;
        write!(f, "once more: CONFAB_SIM_SEED={seed} cargo test --package sim --test virtual")
    }
}

/// What a sequence came to: the trace's hash, and how much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Of the trace: the same for the same seed.
    pub hash: u64,
    /// Commands that were run.
    pub commands: usize,
    /// Lines of the trace.
    pub lines: usize,
    /// Milliseconds of the world's own time.
    pub virtual_ms: u64,
}

/// Runs a sequence command by command; after each the world has to become what the model says, and
/// nobody is told anything twice, too much or out of order.
pub fn judge(sequence: &Sequence, silent: bool) -> Result<Outcome, Box<Failure>> {
    let mut world = sequence.world(silent);
    let mut model = Model::new(&world, sequence.places.len());
    let mut grammars = vec![Grammar::default(); sequence.places.len()];
    for (at, command) in sequence.commands.iter().enumerate() {
        if let Err(what) = one(&mut world, &mut model, &mut grammars, *command) {
            let (sequence, trace) = (sequence.clone(), world.trace().to_string());
            return Err(Box::new(Failure { sequence, at, what, trace }));
        }
    }
    let (hash, lines) = (world.trace().hash(), world.trace().lines());
    let virtual_ms = u64::try_from(world.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Outcome { hash, commands: sequence.commands.len(), lines, virtual_ms })
}

fn one(
    world: &mut World,
    model: &mut Model,
    grammars: &mut [Grammar],
    command: Command,
) -> Result<(), String> {
    let lists = |world: &World, model: &Model| -> Vec<(usize, u32, Vec<Other>)> {
        let present = model.present().into_iter();
        present.map(|(at, room)| (at, room, world.client(at).others())).collect()
    };
    let before = lists(world, model);
    let vague_before = model.clone();
    let mut expected = if let Command::Wait { .. } = command {
        let _ = command.run(world);
        model.apply(command, world.elapsed())
    } else {
        let expected = model.apply(command, world.elapsed());
        let refused = command.run(world).err();
        if refused != expected.refused {
            return Err(format!("{command} was answered with {refused:?}, not {:?}", expected.refused));
        }
        if let Command::Kill { at } = command {
            grammars[at] = Grammar::default();
        }
        expected
    };
    world.run(expected.slow);
    settle(world, model, &mut expected)?;
    let after = lists(world, model);
    for (at, grammar) in grammars.iter_mut().enumerate() {
        let told = world.take_told(at);
        let name = world.name(at).to_owned();
        for event in &told {
            grammar.take(event).map_err(|what| format!("{name} was told {event:?}: {what}"))?;
        }
        own_events(at, &told, &expected).map_err(|what| format!("{name}: {what}"))?;
        let was = before.iter().find(|(other, ..)| *other == at);
        let is = after.iter().find(|(other, ..)| *other == at);
        if let (Some((_, room, was)), Some((_, room_now, is))) = (was, is)
            && room == room_now
            && !expected.shaken.contains(&at)
        {
            let now = world.elapsed();
            let skip = |user: &str| {
                expected.again.contains(&(*room, user.to_owned()))
                    || model.is_vague(*room, user, now)
                    || vague_before.is_vague(*room, user, now)
            };
            others_events(*room, was, is, &told, &expected, skip)
                .map_err(|what| format!("{name}: {what}"))?;
        }
    }
    Ok(())
}

/// Lets time pass until the world is as it has to be and stays so. Where the model cannot tell yet
/// whether a seat is kept, until it can.
fn settle(world: &mut World, model: &mut Model, expected: &mut Expected) -> Result<(), String> {
    loop {
        reach(world, model)?;
        world.run(STABLE);
        model.age(world.elapsed(), expected);
        let stays = model.check(world);
        stays.map_err(|what| format!("for a moment it was as it has to be, but then {what}"))?;
        let Some(wait) = model.until_certain(world.elapsed()) else { return Ok(()) };
        world.run(wait);
        model.age(world.elapsed(), expected);
    }
}

/// Lets time pass until the world is as it has to be.
fn reach(world: &mut World, model: &Model) -> Result<(), String> {
    let limit = world.elapsed() + PATIENCE;
    while let Err(what) = model.check(world) {
        if world.elapsed() >= limit {
            return Err(what);
        }
        world.run(LOOK);
    }
    Ok(())
}

/// What a client is told about itself.
fn own_events(at: usize, told: &[Event], expected: &Expected) -> Result<(), String> {
    let entered = told.iter().filter(|event| matches!(event, Event::OnEnterRoom { result } if *result > 0));
    let failed = told.iter().filter(|event| matches!(event, Event::OnEnterRoom { result } if *result <= 0));
    let errors = told.iter().filter(|event| matches!(event, Event::OnError { .. }));
    let count = |of: &[usize]| of.iter().filter(|one| **one == at).count();
    let (entered, failed, errors) = (entered.count(), failed.count(), errors.count());
    if entered != count(&expected.entries) || failed != count(&expected.failures) || errors != failed {
        return Err(format!("{entered} entries, {failed} failures and {errors} errors were told: {told:?}"));
    }
    let mut exits = Vec::new();
    for event in told {
        if let Event::OnExitRoom { cause, reason, .. } = event {
            if *reason != cause.reason() {
                return Err(format!("an exit with {cause:?} was told with the reason {reason:?}"));
            }
            exits.push(*cause);
        }
    }
    let wanted: Vec<ExitCause> =
        expected.exits.iter().filter(|(one, _)| *one == at).map(|(_, cause)| *cause).collect();
    if exits != wanted {
        return Err(format!("exits were told with {exits:?} and not {wanted:?}"));
    }
    let about_connection = told.iter().any(|event| {
        matches!(event, Event::OnConnectionLost | Event::OnTryToReconnect | Event::OnConnectionRecovery)
    });
    if about_connection && !expected.shaken.contains(&at) {
        return Err(format!("the connection was fine all the time, and these were told: {told:?}"));
    }
    Ok(())
}

/// What a client is told about the others: exactly what has changed.
fn others_events(
    room: u32,
    was: &[Other],
    is: &[Other],
    told: &[Event],
    expected: &Expected,
    skip: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let find = |list: &[Other], user: &str| list.iter().find(|other| other.user_id == user).cloned();
    let mut users: Vec<&str> = was.iter().chain(is).map(|other| other.user_id.as_str()).collect();
    users.extend(told.iter().filter_map(about));
    users.sort_unstable();
    users.dedup();
    for user in users.into_iter().filter(|user| !skip(user)) {
        let reason = expected.reasons.get(&(room, user.to_owned())).copied();
        let mut wanted = changes(user, find(was, user), find(is, user), reason);
        let mut heard: Vec<String> =
            told.iter().filter(|event| about(event) == Some(user)).map(short).collect();
        wanted.sort();
        heard.sort();
        if wanted != heard {
            return Err(format!("about {user} {heard:?} were told and not {wanted:?}"));
        }
    }
    Ok(())
}

fn changes(user: &str, was: Option<Other>, is: Option<Other>, reason: Option<LeaveReason>) -> Vec<String> {
    let mut wanted = Vec::new();
    let flags = |other: &Option<Other>| other.as_ref().map_or((false, false), |one| (one.audio, one.video));
    let ((audio_was, video_was), (audio, video)) = (flags(&was), flags(&is));
    if was.is_none() && is.is_some() {
        wanted.push(format!("{user} in"));
    }
    if audio != audio_was {
        wanted.push(format!("{user} audio {audio}"));
    }
    if video != video_was {
        wanted.push(format!("{user} video {video}"));
    }
    if was.is_some() && is.is_none() {
        wanted.push(format!("{user} out {reason:?}"));
    }
    wanted
}

/// Whom an event is about.
fn about(event: &Event) -> Option<&str> {
    match event {
        Event::OnRemoteUserEnterRoom { user_id, .. }
        | Event::OnRemoteUserLeaveRoom { user_id, .. }
        | Event::OnUserAudioAvailable { user_id, .. }
        | Event::OnUserVideoAvailable { user_id, .. } => Some(user_id),
        _ => None,
    }
}

fn short(event: &Event) -> String {
    match event {
        Event::OnRemoteUserEnterRoom { user_id, .. } => format!("{user_id} in"),
        Event::OnRemoteUserLeaveRoom { user_id, reason } => format!("{user_id} out {:?}", Some(*reason)),
        Event::OnUserAudioAvailable { user_id, available } => format!("{user_id} audio {available}"),
        Event::OnUserVideoAvailable { user_id, available } => format!("{user_id} video {available}"),
        other => format!("{other:?}"),
    }
}
