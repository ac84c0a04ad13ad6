//! Goodbyes that come late.

use confab_protocol::{Event, ExitCause, LeaveReason};
use sim::{Phase, Weather, World};
use std::time::Duration;

/// Two people in a room.
fn two(seed: u64, weather: Weather) -> World {
    let mut world = World::new(seed, &[("ann", Weather::CLEAR), ("bob", weather)]);
    for at in [0, 1] {
        world.enter(at, 1).unwrap();
    }
    let inside = |world: &World| (0..2).all(|at| world.client(at).phase() == Phase::In);
    assert!(world.run_until(Duration::from_secs(30), inside), "{}", world.trace());
    world.run(Duration::from_secs(3));
    for at in [0, 1] {
        world.take_told(at);
    }
    world
}

#[test]
fn who_is_put_out_is_not_told_that_the_connection_is_lost_however_late_the_leave_comes() {
    for seed in 0..60 {
        let mut world = two(seed, Weather::bad(0.1, 120, 30));
        world.remove(1, "bob");
        let out = |world: &World| world.client(1).phase() == Phase::Idle;
        assert!(world.run_until(Duration::from_secs(10), out), "seed {seed}: {}", world.trace());
        let told = world.take_told(1);
        let [Event::OnExitRoom { cause: ExitCause::Removed, .. }] = &told[..] else {
            panic!("seed {seed}: {told:?}\n{}", world.trace())
        };
    }
}

#[test]
fn who_leaves_while_their_line_still_stalls_is_gone_when_their_goodbye_arrives() {
    for seed in 0..20 {
        let mut world = two(seed, Weather::bad(0.01, 60, 20));
        world.cut(1);
        world.run(Duration::from_millis(5_200));
        world.heal(1);
        world.run(Duration::from_millis(100));
        world.exit(1);
        world.run(Duration::from_secs(15));
        let told = world.take_told(0);
        let [Event::OnRemoteUserLeaveRoom { reason: LeaveReason::Left, .. }] = &told[..] else {
            panic!("seed {seed}: {told:?}\n{}", world.trace())
        };
    }
}

#[test]
fn an_entry_that_was_given_up_does_not_put_the_next_one_out_when_it_arrives_at_last() {
    // The line is cut at every moment of an entry, until it has failed and another has begun.
    for at in 0..60 {
        let mut world = World::new(at, &[("ann", Weather::CLEAR), ("bob", Weather::bad(0.0, 60, 20))]);
        world.enter(0, 1).unwrap();
        world.run(Duration::from_secs(3));
        world.enter(1, 1).unwrap();
        world.run(Duration::from_millis(25 * at));
        world.cut(1);
        world.run_until(Duration::from_secs(30), |world| world.client(1).phase() == Phase::Idle);
        if world.client(1).phase() == Phase::Idle {
            world.enter(1, 1).unwrap();
        }
        world.heal(1);
        world.run(Duration::from_secs(60));
        assert_eq!(world.client(1).phase(), Phase::In, "cut after {} ms:\n{}", 25 * at, world.trace());
        assert_eq!(world.client(0).others().len(), 1);
    }
}
