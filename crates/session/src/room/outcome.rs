//! What the app is told once everything is let go.

use super::{Effect, Ending};
use confab_protocol::{Event, ExitCause, Fault};

/// What the app is told once everything is let go.
#[derive(Debug)]
pub(super) enum Outcome {
    Exit(Ending),
    Failed(Fault),
    /// We left a room, and the one we wanted instead was not to be entered.
    Stranded(Fault),
}

impl Outcome {
    pub(super) fn events(self) -> Vec<Effect> {
        match self {
            Outcome::Exit(ending) => vec![Effect::Emit(ending.event())],
            Outcome::Failed(fault) => failure_events(&fault),
            Outcome::Stranded(fault) => stranded_events(fault),
        }
    }
}

pub(super) fn failure_events(fault: &Fault) -> Vec<Effect> {
    let result = i64::from(fault.code);
    vec![Effect::Emit(Event::error(fault)), Effect::Emit(Event::OnEnterRoom { result })]
}

/// The earlier room was left when it turned out that the other one is not to be entered.
fn stranded_events(fault: Fault) -> Vec<Effect> {
    let error = Event::error(&fault);
    let ending =
        Ending { message: format!("You left the room. {}", fault.message), ..ExitCause::Left.into() };
    let switched = Event::OnSwitchRoom { code: fault.code, message: fault.message };
    [error, switched, ending.event()].map(Effect::Emit).into()
}
