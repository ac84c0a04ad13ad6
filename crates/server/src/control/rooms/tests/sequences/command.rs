//! What is done to rooms, as values: made from a seed, and made fewer when they fail.

use confab_protocol::{HostAction, Role, Scene, UserId};

use crate::engine::Kind;

/// People of a sequence; a place in this list is a person.
pub(super) const NAMES: [&str; 6] = ["ann", "bob", "cem", "dee", "eve", "fay"];
/// Rooms of a sequence, by wire name; most happens in the first.
pub(super) const KEYS: [&str; 2] = ["1/n:5", "1/s:5"];

/// One thing that happens; `who` is a place in [`NAMES`], `room` one in [`KEYS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Asks for a seat, no more.
    Ask { who: usize, room: usize, how: How },
    /// Opens signalling with the token of the last entry, or of the one before; it is not up yet.
    Knock { who: usize, room: usize, earlier: bool },
    /// Signalling of somebody who knocked is up.
    Arrive { who: usize, room: usize },
    /// The three together.
    Enter { who: usize, room: usize, how: How },
    /// Comes with a plain LiveKit token.
    Visit { who: usize, room: usize },
    /// Leaves.
    Leave { who: usize, room: usize },
    /// Is away for longer than a seat is kept.
    Lose { who: usize, room: usize },
    /// Begins or stops sending.
    Send { who: usize, room: usize, kind: Kind, on: bool },
    /// Becomes something else, with a fresh permission of these bits where there is one.
    Role { who: usize, room: usize, role: Role, fresh: Option<u32> },
    /// A person, or an administrator where nobody is named, does what hosts do.
    Act { by: Option<usize>, room: usize, action: HostAction },
    /// The same asks for a ticket that lets one person in.
    Invite { by: Option<usize>, room: usize },
    /// An operator puts people out.
    Remove { who: Vec<usize>, room: usize },
    /// An operator ends a room.
    Dismiss { room: usize },
    /// Time passes.
    Wait { ms: u64 },
    /// The server is killed, or told to stop, and started again.
    Restart { killed: bool },
}

/// How somebody asks for a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct How {
    pub(super) scene: Scene,
    pub(super) role: Role,
    /// What their permission allows, bits.
    pub(super) rights: u32,
    /// Their application wants a waiting room.
    pub(super) waits: bool,
    /// They show the last ticket that a host was given.
    pub(super) invited: bool,
    pub(super) stay: Staying,
}

/// What an entry says of its stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Staying {
    /// Nothing: a client that is not ours.
    Unnamed,
    /// It is a new one.
    New,
    /// It comes back to the last one.
    Back,
}

/// What happens, in order.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// What it was made from.
    pub(super) seed: u64,
    /// People a room holds.
    pub(super) online: u32,
    /// One after the other.
    pub(super) commands: Vec<Command>,
}

impl Sequence {
    /// The sequence of a seed.
    pub(super) fn of(seed: u64) -> Sequence {
        let mut draw = Draw {
            chance: fastrand::Rng::with_seed(seed),
            people: 4,
            scene: Scene::VideoCall,
            inside: [false; NAMES.len()],
        };
        draw.people += draw.chance.usize(0..3);
        draw.scene = Scene::ALL[draw.chance.usize(0..4)];
        let online = if draw.happens(0.2) { 3 } else { 300 };
        let length = draw.chance.usize(8..40);
        let commands = (0..length).map(|_| draw.command()).collect();
        Sequence { seed, online, commands }
    }

    /// The shortest part of it that was found to fail still.
    pub(super) fn shrunk(&self, fails: impl Fn(&Sequence) -> bool) -> Sequence {
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

/// Draws commands; `inside` knows roughly who is in, so that most of them mean something.
struct Draw {
    chance: fastrand::Rng,
    people: usize,
    scene: Scene,
    inside: [bool; NAMES.len()],
}

impl Draw {
    fn happens(&mut self, probability: f64) -> bool {
        self.chance.f64() < probability
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.chance.usize(0..of.len())]
    }

    fn one(&mut self) -> usize {
        self.chance.usize(0..self.people)
    }

    fn command(&mut self) -> Command {
        let who = self.one();
        let room = usize::from(self.happens(0.06));
        if !self.inside[who] && self.happens(0.6) {
            self.inside[who] = true;
            return Command::Enter { who, room, how: self.how() };
        }
        match self.chance.u32(0..100) {
            0..8 => Command::Ask { who, room, how: self.how() },
            8..13 => Command::Knock { who, room, earlier: self.happens(0.2) },
            13..18 => Command::Arrive { who, room },
            18..24 => Command::Enter { who, room, how: self.how() },
            24..27 => Command::Visit { who, room },
            27..34 => {
                self.inside[who] = false;
                Command::Leave { who, room }
            }
            34..38 => {
                self.inside[who] = false;
                Command::Lose { who, room }
            }
            38..40 => {
                let kind = self.pick(&[Kind::Audio, Kind::Video, Kind::Screen]);
                Command::Send { who, room, kind, on: self.chance.bool() }
            }
            40..45 => {
                let fresh = self.happens(0.2).then(|| self.rights());
                Command::Role { who, room, role: self.role(), fresh }
            }
            45..48 => {
                let by = (!self.happens(0.15)).then_some(who);
                Command::Invite { by, room }
            }
            48..78 => {
                let by = (!self.happens(0.15)).then(|| if self.inside[who] { who } else { self.one() });
                Command::Act { by, room, action: self.action() }
            }
            78..81 => {
                let second = self.happens(0.3).then(|| self.one());
                Command::Remove { who: [who].into_iter().chain(second).collect(), room }
            }
            81..82 => {
                self.inside.fill(false);
                Command::Dismiss { room }
            }
            82..97 => {
                let s = self.pick(&[1, 1, 3, 3, 9, 11, 29, 31, 61, 89, 91, 100, 599, 660]);
                Command::Wait { ms: s * 1000 - self.pick(&[0, 0, 1, 500]) }
            }
            _ => {
                self.inside.fill(false);
                Command::Restart { killed: self.chance.bool() }
            }
        }
    }

    fn how(&mut self) -> How {
        let scene = if self.happens(0.04) { self.pick(&Scene::ALL) } else { self.scene };
        let stay = match self.chance.u32(0..10) {
            0..2 => Staying::Unnamed,
            2..6 => Staying::New,
            _ => Staying::Back,
        };
        let (role, rights) = (self.role(), self.rights());
        How { scene, role, rights, waits: self.happens(0.1), invited: self.happens(0.15), stay }
    }

    fn role(&mut self) -> Role {
        if self.happens(0.6) { Role::Anchor } else { Role::Audience }
    }

    fn rights(&mut self) -> u32 {
        if self.happens(0.8) { 255 } else { self.chance.u32(0..256) | 2 }
    }

    fn id(&mut self) -> UserId {
        NAMES[self.one()].parse().unwrap()
    }

    fn action(&mut self) -> HostAction {
        let (user_id, on) = (self.id(), self.happens(0.6));
        let one = (!self.happens(0.3)).then(|| user_id.clone());
        match self.chance.u32(0..29) {
            0..4 => HostAction::Mute { user_id: one, allow_unmute: !on },
            4..6 => HostAction::AllowUnmute { user_id: one },
            6 => HostAction::StopVideo { user_id },
            7 => HostAction::StopShare { user_id },
            8..12 => HostAction::Remove { user_id, ban: on },
            12 => HostAction::Unban { user_id },
            13..16 => HostAction::Lock { on },
            16..19 => HostAction::WaitingRoom { on },
            19 => HostAction::Admit { user_id: one },
            20 => HostAction::Deny { user_id },
            21..23 => HostAction::HandOver { user_id },
            23..25 => HostAction::CoHost { user_id, on },
            _ if self.happens(0.3) => HostAction::Dismiss,
            _ => HostAction::CoHost { user_id, on: true },
        }
    }
}
