//! The rules, call by call, on a clock that the test moves.

use super::*;
use confab_protocol::{ExitReason, RawEnterParams};

fn params() -> Checked {
    RawEnterParams {
        sdk_app_id: Some(1),
        user_id: Some("ann".into()),
        user_sig: Some("sig".into()),
        room_id: Some(123),
        ..RawEnterParams::default()
    }
    .check()
}

/// The effects in short: names of events, or what is to be done.
fn brief(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Emit(Event::OnEnterRoom { result }) if *result > 0 => "entered".into(),
            Effect::Emit(Event::OnEnterRoom { result }) => format!("enter {result}"),
            Effect::Emit(Event::OnExitRoom { reason, .. }) => format!("exit {}", u8::from(*reason)),
            Effect::Emit(Event::OnError { code, .. }) => format!("error {code}"),
            Effect::Emit(Event::OnWarning { code, .. }) => format!("warning {code}"),
            Effect::Emit(Event::OnConnectionLost) => "lost".into(),
            Effect::Emit(Event::OnTryToReconnect) => "try".into(),
            Effect::Emit(Event::OnConnectionRecovery) => "recovered".into(),
            Effect::Emit(other) => format!("{other:?}"),
            Effect::Connect { .. } => "connect".into(),
            Effect::Release { tell, devices, .. } => format!("release tell={tell} devices={devices}"),
        })
        .collect()
}

/// A machine on its own clock.
struct Driven {
    room: Room,
    now: Instant,
}

impl Driven {
    fn new() -> Self {
        Self { room: Room::new("client".into()), now: Instant::now() }
    }

    fn entering() -> Self {
        let mut driven = Self::new();
        assert_eq!(driven.enter(params()).unwrap(), ["connect"]);
        driven
    }

    fn inside() -> Self {
        let mut driven = Self::entering();
        assert!(driven.input(Input::Seated).is_empty());
        assert_eq!(driven.input(Input::Connected), ["entered"]);
        driven
    }

    fn enter(&mut self, checked: Checked) -> Result<Vec<String>, Fault> {
        self.room.enter(checked, self.now).map(|effects| brief(&effects))
    }

    fn exit(&mut self) -> Vec<String> {
        brief(&self.room.exit())
    }

    fn input(&mut self, input: Input) -> Vec<String> {
        brief(&self.room.handle(self.room.attempt(), input, self.now))
    }

    /// Lets the next deadline pass.
    fn wait(&mut self) -> (Duration, Vec<String>) {
        let due = self.room.timeout().unwrap();
        let waited = due - self.now;
        self.now = due;
        (waited, brief(&self.room.handle_timeout(due)))
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn entering_is_told_with_its_milliseconds_once_seated_and_connected() {
    let mut driven = Driven::entering();
    driven.now += Duration::from_millis(21);
    assert_eq!(driven.input(Input::Connected), NOTHING);
    let effects = driven.room.handle(driven.room.attempt(), Input::Seated, driven.now);
    assert!(matches!(effects[..], [Effect::Emit(Event::OnEnterRoom { result: 21 })]), "{effects:?}");
    assert_eq!(driven.room.phase(), Phase::In);
    assert_eq!(driven.input(Input::Connected), NOTHING);
}

#[test]
fn entering_twice_is_refused_and_the_first_entry_goes_on() {
    let mut driven = Driven::entering();
    assert_eq!(driven.enter(params()).unwrap_err().code, -3340);
    driven.input(Input::Seated);
    assert_eq!(driven.input(Input::Connected), ["entered"]);
    assert_eq!(driven.enter(params()).unwrap_err().code, -3340);
    assert_eq!(driven.room.phase(), Phase::In);
}

#[test]
fn a_bad_parameter_is_told_by_error_and_by_the_outcome_once() {
    let mut driven = Driven::new();
    let bad = RawEnterParams::default().check();
    let code = bad.as_ref().unwrap_err().code;
    assert_eq!(driven.enter(bad).unwrap(), [format!("error {code}"), format!("enter {code}")]);
    assert_eq!(driven.room.phase(), Phase::Idle);
}

#[test]
fn a_failed_entry_is_told_once_and_only_after_everything_is_let_go() {
    let mut driven = Driven::entering();
    let failure = Input::Failed(Failure::Unreachable("no".into()));
    assert_eq!(driven.input(failure.clone()), ["release tell=true devices=false"]);
    assert_eq!(driven.input(failure), NOTHING);
    assert_eq!(driven.input(Input::Released), ["error -3307", "enter -3307"]);
    assert_eq!(driven.room.phase(), Phase::Idle);
    assert_eq!(driven.exit(), NOTHING);
}

#[test]
fn a_server_that_takes_the_connection_and_says_nothing_is_minus_3308_after_ten_seconds() {
    let mut driven = Driven::entering();
    let (waited, effects) = driven.wait();
    assert_eq!((waited, effects), (SEAT, vec!["release tell=true devices=false".into()]));
    assert_eq!(driven.input(Input::Released), ["error -3308", "enter -3308"]);
    assert!(REACH < SEAT, "a server that cannot be reached is known before a silent one");
}

#[test]
fn the_room_services_own_code_is_passed_on() {
    let mut driven = Driven::entering();
    driven.input(Input::Failed(Failure::Refused(Fault::new(Code(-100018)))));
    assert_eq!(driven.input(Input::Released), ["error -100018", "enter -100018"]);
}

#[test]
fn exit_during_entry_brings_only_the_exit() {
    let mut driven = Driven::entering();
    assert_eq!(driven.exit(), ["release tell=true devices=true"]);
    assert_eq!(driven.input(Input::Connected), NOTHING);
    assert_eq!(driven.input(Input::Seated), NOTHING);
    assert_eq!(driven.input(Input::Released), ["exit 0"]);
}

#[test]
fn exit_before_a_failure_is_told_brings_only_the_exit_and_frees_the_devices() {
    let mut driven = Driven::entering();
    driven.input(Input::Failed(Failure::Silent("no".into())));
    assert_eq!(driven.exit(), NOTHING);
    assert_eq!(driven.input(Input::Released), ["release tell=false devices=true"]);
    assert_eq!(driven.input(Input::Released), ["exit 0"]);
}

#[test]
fn exit_twice_or_without_entry_brings_nothing_more() {
    let mut driven = Driven::new();
    assert_eq!(driven.exit(), NOTHING);
    let mut driven = Driven::inside();
    assert_eq!(driven.exit(), ["release tell=true devices=true"]);
    assert_eq!(driven.exit(), NOTHING);
    assert_eq!(driven.input(Input::Released), ["exit 0"]);
    assert_eq!(driven.exit(), NOTHING);
}

#[test]
fn entering_while_exiting_begins_after_the_exit_is_told() {
    let mut driven = Driven::inside();
    driven.exit();
    assert_eq!(driven.enter(params()).unwrap(), NOTHING);
    assert_eq!(driven.enter(params()).unwrap_err().code, -3340);
    assert_eq!(driven.input(Input::Released), ["exit 0", "connect"]);
    assert_eq!(driven.room.phase(), Phase::Entering);
}

#[test]
fn an_entry_that_waits_for_an_exit_can_be_abandoned_too() {
    let mut driven = Driven::inside();
    driven.exit();
    driven.enter(params()).unwrap();
    assert_eq!(driven.exit(), ["exit 0"]);
    assert_eq!(driven.input(Input::Released), ["exit 0"]);
    assert_eq!(driven.room.phase(), Phase::Idle);
}

#[test]
fn removed_and_dismissed_tell_reason_cause_and_person() {
    let mut driven = Driven::inside();
    let ending = Ending { by: Some("bob".into()), ..ExitCause::Removed.into() };
    assert_eq!(driven.input(Input::Ended(ending)), ["release tell=false devices=true"]);
    let effects = driven.room.handle(driven.room.attempt(), Input::Released, driven.now);
    let [Effect::Emit(Event::OnExitRoom { reason, cause, by, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((*reason, *cause, by.as_deref()), (ExitReason::Removed, ExitCause::Removed, Some("bob")));

    let mut driven = Driven::inside();
    driven.input(Input::Ended(ExitCause::HostStopped.into()));
    assert_eq!(driven.input(Input::Released), ["exit 2"]);
}

#[test]
fn a_lost_connection_is_looked_for_at_once_and_then_with_growing_pauses() {
    let mut driven = Driven::inside();
    assert_eq!(driven.input(Input::Lost), ["lost", "try", "connect"]);
    for pause in PAUSES.iter().chain([PAUSES.last().unwrap()]) {
        assert_eq!(driven.input(Input::Failed(Failure::Unreachable("no".into()))), NOTHING);
        assert_eq!(driven.wait(), (*pause, vec!["try".into(), "connect".into()]));
    }
    driven.input(Input::Seated);
    assert_eq!(driven.input(Input::Connected), ["recovered"]);
    assert_eq!(driven.room.phase(), Phase::In);
    assert!(PAUSES.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn leaving_while_the_connection_is_lost_ends_the_search() {
    let mut driven = Driven::inside();
    driven.input(Input::Lost);
    assert_eq!(driven.exit(), ["release tell=true devices=true"]);
    assert_eq!(driven.input(Input::Released), ["exit 0"]);
    assert_eq!(driven.room.timeout(), None);
}

#[test]
fn a_refusal_on_the_way_back_is_an_error_and_an_exit() {
    let mut driven = Driven::inside();
    driven.input(Input::Lost);
    let refused = Input::Failed(Failure::Refused(Fault::new(Code(-100018))));
    assert_eq!(driven.input(refused), ["error -100018", "release tell=false devices=true"]);
    assert_eq!(driven.input(Input::Released), ["exit 1"]);
}

#[test]
fn answers_of_an_older_attempt_are_ignored() {
    let mut driven = Driven::inside();
    let old = driven.room.attempt();
    driven.input(Input::Lost);
    assert!(driven.room.handle(old, Input::Connected, driven.now).is_empty());
    assert!(driven.room.handle(old, Input::Lost, driven.now).is_empty());
    assert_eq!(driven.room.phase(), Phase::Reconnecting);
}

#[test]
fn attempts_to_return_name_the_stay_of_the_entry_and_another_entry_is_another_stay() {
    let stay = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Connect { stay, .. } => Some((stay.id.clone(), stay.returning)),
            Effect::Emit(_) | Effect::Release { .. } => None,
        })
    };
    let mut driven = Driven::new();
    let first = stay(&driven.room.enter(params(), driven.now).unwrap()).unwrap();
    assert_eq!(first, ("client-1".into(), false));
    driven.input(Input::Seated);
    driven.input(Input::Connected);
    let again = stay(&driven.room.handle(driven.room.attempt(), Input::Lost, driven.now)).unwrap();
    assert_eq!(again, ("client-1".into(), true));
    driven.exit();
    driven.input(Input::Released);
    let later = stay(&driven.room.enter(params(), driven.now).unwrap()).unwrap();
    assert_eq!(later, ("client-3".into(), false));
}

#[test]
fn a_stay_that_ended_while_away_is_an_exit_with_its_own_reason_and_no_error() {
    for (cause, reason) in
        [(ExitCause::Removed, 1), (ExitCause::Dismissed, 2), (ExitCause::EnteredElsewhere, 1)]
    {
        let mut driven = Driven::inside();
        driven.input(Input::Lost);
        let over = Input::Failed(Failure::Over(cause.into()));
        assert_eq!(driven.input(over), ["release tell=false devices=true"]);
        assert_eq!(driven.input(Input::Released), [format!("exit {reason}")]);
    }
}

#[test]
fn too_many_attempts_on_the_way_back_end_nothing_and_are_waited_for() {
    let often = |seconds| {
        let again = Duration::from_secs(seconds);
        Input::Failed(Failure::TooOften { fault: Fault::new(Code::FAILED_TOO_OFTEN), again })
    };
    let mut driven = Driven::inside();
    driven.input(Input::Lost);
    assert_eq!(driven.input(often(60)), NOTHING);
    assert_eq!(driven.wait(), (Duration::from_secs(60), vec!["try".into(), "connect".into()]));
    assert_eq!(driven.input(often(0)), NOTHING);
    assert_eq!(driven.wait().0, PAUSES[1], "no sooner than any other attempt");
    driven.input(Input::Seated);
    assert_eq!(driven.input(Input::Connected), ["recovered"]);

    let mut driven = Driven::entering();
    driven.input(often(60));
    assert_eq!(driven.input(Input::Released), ["error -70050", "enter -70050"], "nobody waits unasked");
}

#[test]
fn another_room_is_gone_to_with_the_stay_that_was_let_in_from_a_lost_one_too() {
    let mut driven = Driven::inside();
    let other = || params().unwrap().0;
    let (first, second) = (driven.room.stay_elsewhere(), driven.room.stay_elsewhere());
    assert_ne!(first.id, second.id);
    assert!(second.check().is_ok() && !second.returning);
    driven.input(Input::Lost);
    let effects = driven.room.switch(other(), second.clone(), driven.now).unwrap();
    let [Effect::Connect { stay, leaving: true, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*stay, second);
    driven.input(Input::Seated);
    let effects = driven.room.handle(driven.room.attempt(), Input::Connected, driven.now);
    assert!(matches!(effects[..], [Effect::Emit(Event::OnSwitchRoom { code: 0, .. })]), "{effects:?}");
    let effects = driven.room.handle(driven.room.attempt(), Input::Lost, driven.now);
    let back = effects.iter().find_map(|effect| match effect {
        Effect::Connect { stay, .. } => Some(stay.clone()),
        Effect::Emit(_) | Effect::Release { .. } => None,
    });
    assert_eq!(back, Some(Stay { returning: true, ..second }));

    let mut outside = Driven::new();
    let stay = outside.room.stay_elsewhere();
    assert_eq!(outside.room.switch(other(), stay, outside.now).unwrap_err().code, -3);
}
