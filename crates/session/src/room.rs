//! The rules of being in one room, as a value: calls and answers go in, events and effects come
//! out, time is an argument. It owns no socket, thread or clock.

mod ending;
mod failure;
mod outcome;

use confab_protocol::{Code, EnterParams, Event, ExitCause, Fault, Stay};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use ending::Ending;
pub use failure::Failure;
use outcome::{Outcome, failure_events};

/// How long a server may take to accept a connection before it counts as unreachable.
pub const REACH: Duration = Duration::from_secs(8);
/// How long a server may take, from the call on, to seat us.
pub const SEAT: Duration = Duration::from_secs(10);
/// How long the first peer connection may take once we are seated, and each once its descriptions are
/// exchanged.
pub const CONNECT: Duration = Duration::from_secs(15);
/// How often the server is asked again by somebody who waits for a host.
pub const ASK_AGAIN: Duration = Duration::from_millis(1500);
/// Pauses before the second and later attempts to get back; the last one repeats.
pub const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What a call answers that needs a room.
pub(crate) const NOT_IN_ROOM: &str = "You are in no room. Enter one first.";

/// One try to be in a room. Answers that belong to an older one are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt(u64);

/// Enter parameters as the protocol's check leaves them: good with warnings, or a fault.
pub type Checked = Result<(EnterParams, Vec<Fault>), Fault>;

/// What the drivers report.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A host has to let us in; the server is asked again.
    Waiting,
    /// The server gave us a seat.
    Seated,
    /// The first peer connection carries packets.
    Connected,
    /// The attempt cannot succeed any more.
    Failed(Failure),
    /// The connection went away without a word.
    Lost,
    /// The server said that our time in the room is over.
    Ended(Ending),
    /// Everything the attempt held is let go.
    Released,
}

/// What the drivers are to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell the app.
    Emit(Event),
    /// Ask the room service, open signalling, bring the peer connections up. What is left of an
    /// earlier attempt goes first, with a goodbye if `leaving`; local devices stay.
    Connect { attempt: Attempt, stay: Stay, params: Arc<EnterParams>, leaving: bool },
    /// Let go of the connection, and of the devices too when we were in the room; report
    /// [`Input::Released`]. `tell` when the server does not know yet that we leave.
    Release { attempt: Attempt, tell: bool, devices: bool },
}

/// Where the machine stands, for people who look on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Idle,
    Entering,
    In,
    Reconnecting,
    Exiting,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    waiting: bool,
    seated: bool,
    connected: bool,
}

impl Progress {
    fn is_complete(self) -> bool {
        self.seated && self.connected
    }
}

#[derive(Debug)]
enum State {
    Idle,
    Entering {
        params: Arc<EnterParams>,
        began: Instant,
        deadline: Instant,
        progress: Progress,
        /// We come from another room.
        switching: bool,
    },
    In {
        params: Arc<EnterParams>,
    },
    Reconnecting {
        params: Arc<EnterParams>,
        tries: usize,
        wait: Wait,
    },
    /// Everything is being let go, the devices too if `devices`; `next` is an entry that was
    /// accepted meanwhile.
    Exiting {
        outcome: Outcome,
        devices: bool,
        next: Option<Box<Next>>,
    },
}

/// What a reconnection waits for.
#[derive(Debug)]
enum Wait {
    Pause { until: Instant },
    Answer { deadline: Instant, progress: Progress },
}

/// An entry that waits until the earlier room is let go.
#[derive(Debug)]
struct Next {
    checked: Checked,
    began: Instant,
}

/// The room machine. See the module's words.
#[derive(Debug)]
pub struct Room {
    state: State,
    attempt: Attempt,
    /// Begins the name of each stay.
    client: String,
    /// The attempt that began the present stay.
    first: Attempt,
    /// The name of the present stay.
    stay: String,
    /// Stays in other rooms that were named so far.
    elsewhere: u64,
}

impl Room {
    /// A machine that is in no room. `client` tells its stays from those of all other clients: up to
    /// 40 ASCII characters without blanks.
    pub fn new(client: String) -> Self {
        let (attempt, stay) = (Attempt(0), String::new());
        Self { state: State::Idle, attempt, client, first: attempt, stay, elsewhere: 0 }
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Idle => Phase::Idle,
            State::Entering { .. } => Phase::Entering,
            State::In { .. } => Phase::In,
            State::Reconnecting { .. } => Phase::Reconnecting,
            State::Exiting { .. } => Phase::Exiting,
        }
    }

    /// The attempt that counts; inputs of any other are ignored.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The call `enterRoom`. Refused with -3340 while in or entering a room; anything else that is
    /// wrong comes as `onError` and `onEnterRoom`.
    pub fn enter(&mut self, checked: Checked, now: Instant) -> Result<Vec<Effect>, Fault> {
        match &mut self.state {
            State::Idle => Ok(self.begin(checked, now)),
            State::Exiting { next: next @ None, .. } => {
                *next = Some(Box::new(Next { checked, began: now }));
                Ok(Vec::new())
            }
            State::Exiting { next: Some(_), .. } | State::Entering { .. } => {
                Err(refusal("This app is already entering a room. Leave it first, then enter another."))
            }
            State::In { .. } | State::Reconnecting { .. } => {
                Err(refusal("This app is already in a room. Leave it first, then enter another."))
            }
        }
    }

    /// Names the stay with which another room is asked for a seat, and which begins with
    /// [`Room::switch`]; another each time.
    pub fn stay_elsewhere(&mut self) -> Stay {
        self.elsewhere += 1;
        Stay { id: format!("{}-switch-{}", self.client, self.elsewhere), returning: false }
    }

    /// The call `switchRoom`, once the server has let that stay into the other room: the earlier one is
    /// left, devices stay. Refused with -3 when in no room.
    pub fn switch(&mut self, params: EnterParams, stay: Stay, now: Instant) -> Result<Vec<Effect>, Fault> {
        match &self.state {
            State::In { .. } | State::Reconnecting { .. } => {
                Ok(self.enter_with(Arc::new(params), Some(stay.id), now))
            }
            State::Idle | State::Entering { .. } | State::Exiting { .. } => {
                Err(Fault::new(Code::REFUSED).with_message(NOT_IN_ROOM))
            }
        }
    }

    /// From now on the room is entered again with these, when the connection is lost.
    pub fn set_params(&mut self, new: Arc<EnterParams>) {
        match &mut self.state {
            State::In { params } | State::Reconnecting { params, .. } => *params = new,
            State::Idle | State::Entering { .. } | State::Exiting { .. } => {}
        }
    }

    /// The call `exitRoom`. Nothing happens when there is nothing to leave.
    pub fn exit(&mut self) -> Vec<Effect> {
        match &mut self.state {
            State::Idle => Vec::new(),
            State::Entering { .. } | State::In { .. } | State::Reconnecting { .. } => {
                self.release(Outcome::Exit(ExitCause::Left.into()), true)
            }
            // The entry had failed, but its outcome is not told yet: abandoned, like any entry.
            State::Exiting {
                outcome: outcome @ (Outcome::Failed(_) | Outcome::Stranded(_)),
                next: None,
                ..
            } => {
                *outcome = Outcome::Exit(ExitCause::Left.into());
                Vec::new()
            }
            // An entry that waits is abandoned before it began.
            State::Exiting { next, .. } => {
                if next.take().is_some() {
                    vec![Effect::Emit(Ending::from(ExitCause::Left).event())]
                } else {
                    Vec::new()
                }
            }
        }
    }

    /// A report about `attempt`.
    pub fn handle(&mut self, attempt: Attempt, input: Input, now: Instant) -> Vec<Effect> {
        if attempt != self.attempt {
            return Vec::new();
        }
        match input {
            Input::Waiting => self.waits(now),
            Input::Seated => self.advance(now, |progress| progress.seated = true),
            Input::Connected => self.advance(now, |progress| progress.connected = true),
            Input::Failed(failure) => self.failed(failure, now),
            Input::Lost => self.lost(now),
            Input::Ended(ending) => self.ended(ending),
            Input::Released => self.released(now),
        }
    }

    /// When [`Room::handle_timeout`] wants to be called.
    pub fn timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Idle | State::In { .. } | State::Exiting { .. } => None,
            State::Entering { deadline, .. } => Some(*deadline),
            State::Reconnecting { wait: Wait::Pause { until }, .. } => Some(*until),
            State::Reconnecting { wait: Wait::Answer { deadline, .. }, .. } => Some(*deadline),
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        if self.timeout().is_none_or(|due| now < due) {
            return Vec::new();
        }
        match &self.state {
            State::Entering { progress, .. } => {
                let why = overdue(*progress);
                self.failed(Failure::Silent(why), now)
            }
            State::Reconnecting { wait: Wait::Answer { progress, .. }, .. } => {
                let why = overdue(*progress);
                self.failed(Failure::Silent(why), now)
            }
            State::Reconnecting { wait: Wait::Pause { .. }, .. } => self.try_again(now),
            State::Idle | State::In { .. } | State::Exiting { .. } => Vec::new(),
        }
    }

    fn begin(&mut self, checked: Checked, began: Instant) -> Vec<Effect> {
        let (params, warnings) = match checked {
            Ok(checked) => checked,
            Err(fault) => return failure_events(&fault),
        };
        let mut effects: Vec<Effect> =
            warnings.into_iter().map(|warning| Effect::Emit(Event::warning(&warning))).collect();
        effects.extend(self.enter_with(Arc::new(params), None, began));
        effects
    }

    /// The first attempt of a new stay; of one that has a name already where we come from another room.
    fn enter_with(&mut self, params: Arc<EnterParams>, named: Option<String>, began: Instant) -> Vec<Effect> {
        let switching = named.is_some();
        self.attempt = Attempt(self.attempt.0 + 1);
        self.first = self.attempt;
        self.stay = named.unwrap_or_else(|| format!("{}-{}", self.client, self.first.0));
        self.state = State::Entering {
            params: params.clone(),
            began,
            deadline: began + SEAT,
            progress: Progress::default(),
            switching,
        };
        vec![self.connect(params, switching)]
    }

    fn connect(&self, params: Arc<EnterParams>, leaving: bool) -> Effect {
        let stay = Stay { id: self.stay.clone(), returning: self.attempt != self.first };
        Effect::Connect { attempt: self.attempt, stay, params, leaving }
    }

    /// Somebody else decides when we come in, so that no time is too long.
    fn waits(&mut self, now: Instant) -> Vec<Effect> {
        match &mut self.state {
            State::Entering { deadline, progress, .. } => {
                *deadline = now + SEAT;
                let known = std::mem::replace(&mut progress.waiting, true);
                if known { Vec::new() } else { vec![Effect::Emit(Event::OnWaiting)] }
            }
            State::Reconnecting { wait: Wait::Answer { deadline, .. }, .. } => {
                *deadline = now + SEAT;
                Vec::new()
            }
            State::Idle | State::In { .. } | State::Reconnecting { .. } | State::Exiting { .. } => Vec::new(),
        }
    }

    /// Notes progress of the attempt and enters when it is complete.
    fn advance(&mut self, now: Instant, step: impl FnOnce(&mut Progress)) -> Vec<Effect> {
        let (params, progress, deadline, event) = match &mut self.state {
            State::Entering { params, began, deadline, progress, switching } => {
                let took = now.saturating_duration_since(*began).as_millis().max(1);
                let result = i64::try_from(took).unwrap_or(i64::MAX);
                let entered = Event::OnEnterRoom { result };
                let switched = Event::OnSwitchRoom { code: 0, message: String::new() };
                (params, progress, deadline, if *switching { switched } else { entered })
            }
            State::Reconnecting { params, wait: Wait::Answer { deadline, progress }, .. } => {
                (params, progress, deadline, Event::OnConnectionRecovery)
            }
            State::Idle | State::In { .. } | State::Reconnecting { .. } | State::Exiting { .. } => {
                return Vec::new();
            }
        };
        let was_seated = progress.seated;
        step(progress);
        if progress.is_complete() {
            self.state = State::In { params: params.clone() };
            return vec![Effect::Emit(event)];
        }
        if progress.seated && !was_seated {
            *deadline = now + CONNECT;
        }
        Vec::new()
    }

    fn failed(&mut self, failure: Failure, now: Instant) -> Vec<Effect> {
        match &mut self.state {
            State::Entering { switching, .. } => {
                let outcome = if *switching { Outcome::Stranded } else { Outcome::Failed };
                self.release(outcome(failure.fault()), true)
            }
            State::Reconnecting { tries, wait: wait @ Wait::Answer { .. }, .. } => match failure {
                Failure::Refused(fault) => {
                    let ending = Ending::refused(&fault);
                    let mut effects = vec![Effect::Emit(Event::error(&fault))];
                    effects.extend(self.release(Outcome::Exit(ending), false));
                    effects
                }
                Failure::Over(ending) => self.ended(ending),
                Failure::TooOften { .. }
                | Failure::Unreachable(_)
                | Failure::Silent(_)
                | Failure::Broken(_) => {
                    let pause = PAUSES[tries.saturating_sub(1).min(PAUSES.len() - 1)];
                    *wait = Wait::Pause { until: now + failure.pause().max(pause) };
                    Vec::new()
                }
            },
            State::In { .. } => self.lost(now),
            State::Idle | State::Reconnecting { .. } | State::Exiting { .. } => Vec::new(),
        }
    }

    fn lost(&mut self, now: Instant) -> Vec<Effect> {
        match &self.state {
            State::In { params } => {
                let params = params.clone();
                self.state = State::Reconnecting { params, tries: 0, wait: Wait::Pause { until: now } };
                let mut effects = vec![Effect::Emit(Event::OnConnectionLost)];
                effects.extend(self.try_again(now));
                effects
            }
            State::Entering { .. } | State::Reconnecting { .. } => self.failed(
                Failure::Broken("The server closed the connection before the room was entered.".into()),
                now,
            ),
            State::Idle | State::Exiting { .. } => Vec::new(),
        }
    }

    fn try_again(&mut self, now: Instant) -> Vec<Effect> {
        let State::Reconnecting { params, tries, wait } = &mut self.state else { return Vec::new() };
        self.attempt = Attempt(self.attempt.0 + 1);
        *tries += 1;
        *wait = Wait::Answer { deadline: now + SEAT, progress: Progress::default() };
        let params = params.clone();
        vec![Effect::Emit(Event::OnTryToReconnect), self.connect(params, false)]
    }

    fn ended(&mut self, ending: Ending) -> Vec<Effect> {
        match &self.state {
            State::Entering { switching, .. } => {
                let fault = Fault::new(Code::ENTER_ROOM_FAILED).with_message(ending.message);
                let outcome = if *switching { Outcome::Stranded } else { Outcome::Failed };
                self.release(outcome(fault), false)
            }
            State::In { .. } | State::Reconnecting { .. } => self.release(Outcome::Exit(ending), false),
            State::Idle | State::Exiting { .. } => Vec::new(),
        }
    }

    fn release(&mut self, outcome: Outcome, tell: bool) -> Vec<Effect> {
        let devices = !matches!(outcome, Outcome::Failed(_));
        self.state = State::Exiting { outcome, devices, next: None };
        vec![Effect::Release { attempt: self.attempt, tell, devices }]
    }

    fn released(&mut self, now: Instant) -> Vec<Effect> {
        let State::Exiting { outcome, devices, next } = std::mem::replace(&mut self.state, State::Idle)
        else {
            return Vec::new();
        };
        if matches!(outcome, Outcome::Exit(_)) && !devices {
            self.state = State::Exiting { outcome, devices: true, next };
            return vec![Effect::Release { attempt: self.attempt, tell: false, devices: true }];
        }
        let mut effects = outcome.events();
        if let Some(next) = next {
            let Next { checked, began } = *next;
            // The seat's time counts from when the entry really begins, its milliseconds from the call.
            effects.extend(self.begin(checked, began));
            if let State::Entering { deadline, .. } = &mut self.state {
                *deadline = now + SEAT;
            }
        }
        effects
    }
}

fn overdue(progress: Progress) -> String {
    if progress.seated {
        "The server seated us, but no packets get through to it. A firewall may block UDP.".into()
    } else {
        "The server took the connection and did not answer in time.".into()
    }
}

fn refusal(message: &str) -> Fault {
    Fault::new(Code::ENTER_ROOM_REFUSED).with_message(message)
}

#[cfg(test)]
mod tests;
