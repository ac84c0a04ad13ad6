//! People between two connections, and what is kept for them meanwhile.

use confab_protocol::HostAction;

use super::hosts::{act, by, call, id, kept, orders, refusal, state};
use super::*;

fn viewer(user: &str) -> Entry {
    entry(user, Scene::Live, Role::Audience)
}

fn anchor(user: &str) -> Entry {
    entry(user, Scene::Live, Role::Anchor)
}

/// The rooms of a server that was killed and started again.
fn restarted(rooms: &mut Rooms, now: Instant) -> Rooms {
    let mut anew = Rooms::default();
    anew.restore(vec![(KEY.to_owned(), kept(rooms).unwrap())], now);
    anew
}

#[test]
fn somebody_is_what_they_are_until_their_later_entry_is_there() {
    let now = Instant::now();
    let mut rooms = with_present(&[anchor("a"), anchor("b")], now);
    rooms.reserve(&viewer("a"), now).unwrap();
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Audience, "at the door");
    rooms.expire(now + RESERVATION);
    assert_eq!(rooms.set_role(KEY, "a", Role::Anchor, None, now), Ok(Role::Anchor), "nobody came");
    rooms.reserve(&viewer("a"), now).unwrap();
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.set_role(KEY, "a", Role::Audience, None, now), Ok(Role::Audience));
}

#[test]
fn what_was_forbidden_somebody_at_the_door_holds_when_they_are_in() {
    let now = Instant::now();
    let mut rooms = call(&["a"], now);
    rooms.reserve(&caller("b"), now).unwrap();
    assert!(take(&mut rooms, KEY, "b", now).unwrap().permission.unwrap().publish.audio);
    rooms.act(KEY, &by("a"), &HostAction::Mute { user_id: None, allow_unmute: false }, now).unwrap();
    rooms.effects();
    rooms.joined(KEY, "b", now);
    assert_eq!(orders(&rooms.effects()), ["b may voice false"]);
    rooms.reserve(&caller("c"), now).unwrap();
    take(&mut rooms, KEY, "c", now).unwrap();
    rooms.joined(KEY, "c", now);
    assert_eq!(orders(&rooms.effects()), Vec::<String>::new(), "nothing is said twice");
}

#[test]
fn viewers_who_are_expected_again_are_counted_when_they_are_there() {
    let now = Instant::now();
    let mut rooms = with_present(&[anchor("a"), viewer("v")], now);
    rooms.expire(now + tell::AUDIENCE_PAUSE);
    assert_eq!(state(&rooms.effects()).unwrap().audience, 1);
    rooms.reserve(&viewer("v"), now).unwrap();
    rooms.left(KEY, "v", LeaveReason::Left, now);
    rooms.expire(now + tell::AUDIENCE_PAUSE);
    assert_eq!(state(&rooms.effects()).unwrap().audience, 0);
}

#[test]
fn a_live_room_stays_ten_minutes_though_somebody_was_expected_and_did_not_come() {
    let now = Instant::now();
    let mut rooms = with_present(&[viewer("v")], now);
    rooms.reserve(&viewer("w"), now).unwrap();
    rooms.left(KEY, "v", LeaveReason::Left, now);
    rooms.reserve(&viewer("x"), now).unwrap();
    rooms.expire(now + seconds(599));
    assert_eq!(rooms.census(), Census { rooms: 1, present: 0, reserved: 0 });
    rooms.expire(now + seconds(600));
    assert_eq!(rooms.census(), Census::default());
}

#[test]
fn an_owner_whose_room_was_closed_before_they_came_again_hears_that_it_is_theirs() {
    let now = Instant::now();
    let mut rooms = call(&["a"], now);
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.left(KEY, "a", LeaveReason::TimedOut, now);
    rooms.closed(KEY, now);
    assert_eq!(state(&rooms.effects()), None, "nobody is there who could hear it");
    rooms.joined(KEY, "a", now);
    assert_eq!(state(&rooms.effects()).unwrap().owner.as_deref(), Some("a"));
}

#[test]
fn a_client_that_names_no_stay_is_told_to_have_left_when_another_takes_its_place() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.reserve(&caller("b"), now).unwrap();
    rooms.joined(KEY, "b", now);
    let effects = rooms.effects();
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Tell(happening) => Some(&happening.what),
        Effect::Order { .. } | Effect::Keep { .. } => None,
    });
    let told: Vec<&What> = told.collect();
    assert!(matches!(told[..], [What::Left { .. }, What::Entered { again: false, .. }]), "{told:?}");
}

#[test]
fn somebody_with_a_plain_token_takes_the_seat_that_was_given_to_their_name() {
    let now = Instant::now();
    let mut rooms = call(&["a"], now);
    rooms.reserve(&caller("b"), now).unwrap();
    rooms.visits(KEY, "b", now);
    rooms.joined(KEY, "b", now);
    assert!(take(&mut rooms, KEY, "b", now).is_none(), "the entry is void");
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(state(&rooms.effects()).unwrap().owner, None, "no anchor of ours");
}

#[test]
fn co_hosts_do_to_hosts_who_are_away_no_more_than_to_those_who_are_in() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    act(&mut rooms, "a", &HostAction::CoHost { user_id: id("b"), on: true }, now);
    rooms.act(KEY, &By::Administrator, &HostAction::Lock { on: true }, now).unwrap();
    let mut anew = restarted(&mut rooms, now);
    anew.reserve(&caller("b"), now).unwrap();
    anew.joined(KEY, "b", now);
    anew.effects();
    assert_eq!(refusal(&mut anew, "b", &HostAction::Remove { user_id: id("a"), ban: true }, now), -3);
    anew.act(KEY, &By::Administrator, &HostAction::Remove { user_id: id("a"), ban: true }, now).unwrap();
    assert_eq!(state(&anew.effects()).unwrap().owner.as_deref(), Some("b"), "not expected any more");
}

#[test]
fn who_is_back_after_a_restart_and_leaves_is_followed_and_locked_out() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.act(KEY, &by("a"), &HostAction::Lock { on: true }, now).unwrap();
    let mut anew = restarted(&mut rooms, now);
    for user in ["a", "b"] {
        anew.reserve(&caller(user), now).unwrap();
        anew.joined(KEY, user, now);
    }
    anew.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(state(&anew.effects()).unwrap().owner.as_deref(), Some("b"));
    assert_eq!(anew.reserve(&caller("a"), now).map_err(fault).unwrap_err().code, -102_011);
}

#[test]
fn who_may_not_unmute_gains_nothing_by_an_entry_after_a_restart_that_came_to_nothing() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.act(KEY, &by("a"), &HostAction::Mute { user_id: Some(id("b")), allow_unmute: false }, now).unwrap();
    let mut anew = restarted(&mut rooms, now);
    anew.reserve(&caller("b"), now).unwrap();
    anew.expire(now + RESERVATION);
    anew.reserve(&caller("b"), now + RESERVATION).unwrap();
    let taken = take(&mut anew, KEY, "b", now + RESERVATION).unwrap();
    assert!(!taken.permission.unwrap().publish.audio);
}

#[test]
fn whoever_becomes_the_owner_may_unmute() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    for user in ["b", "c"] {
        act(&mut rooms, "a", &HostAction::Mute { user_id: Some(id(user)), allow_unmute: false }, now);
    }
    assert_eq!(
        act(&mut rooms, "a", &HostAction::HandOver { user_id: id("b") }, now),
        [r#"handOver by Some("a") to []"#, "b may voice true"]
    );
    rooms.left(KEY, "a", LeaveReason::Left, now);
    rooms.left(KEY, "b", LeaveReason::Left, now);
    let effects = rooms.effects();
    assert_eq!(orders(&effects), ["c may voice true"]);
    assert_eq!(state(&effects).unwrap().forbidden, Vec::<String>::new());
}

#[test]
fn whom_a_host_allowed_to_unmute_among_the_muted_may_do_so_when_they_are_back() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    let allow = |user| HostAction::AllowUnmute { user_id: Some(id(user)) };
    let mute = |user_id| HostAction::Mute { user_id, allow_unmute: false };
    let may = |rooms: &mut Rooms, user: &str| {
        rooms.reserve(&caller(user), now).unwrap();
        take(rooms, KEY, user, now).unwrap().permission.unwrap().publish.audio
    };
    rooms.act(KEY, &by("a"), &mute(None), now).unwrap();
    rooms.act(KEY, &by("a"), &allow("b"), now).unwrap();
    let mut anew = restarted(&mut rooms, now);
    assert!(may(&mut anew, "b"), "after a restart");
    assert!(!may(&mut anew, "c"));
    rooms.left(KEY, "b", LeaveReason::Left, now);
    assert!(may(&mut rooms, "b"), "after they left");
    rooms.joined(KEY, "b", now);
    rooms.act(KEY, &by("a"), &mute(Some(id("b"))), now).unwrap();
    rooms.left(KEY, "b", LeaveReason::Left, now);
    assert!(!may(&mut rooms, "b"), "muted anew");
}
