//! The rules of seats, stays and life times.

use confab_protocol::private_map_key::Privilege;
use confab_protocol::{RoomId, Scene, SdkAppId, Stay};

use super::*;

mod away;
mod doors;
mod hosts;
mod sequences;

const KEY: &str = "1/n:5";

fn entry(user: &str, scene: Scene, role: Role) -> Entry {
    Entry {
        app: SdkAppId(1),
        user: user.parse().unwrap(),
        name: None,
        room: RoomId::number(5_u32).unwrap(),
        scene,
        role,
        granted: Privilege::ALL,
        waits: false,
        stay: None,
        invite: None,
    }
}

fn caller(user: &str) -> Entry {
    entry(user, Scene::VideoCall, Role::Anchor)
}

/// Takes a seat with the latest entry.
fn take(rooms: &mut Rooms, key: &str, user: &str, now: Instant) -> Option<Taken> {
    rooms.claim(key, user, Some(u64::MAX), ClientInfo::default(), now)
}

fn fault(refused: Refused) -> Fault {
    match refused {
        Refused::Fault(fault) => fault,
        Refused::NoEntrance(why) => why.into(),
        Refused::Waiting => panic!("waits"),
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Rooms with these people present in a room of that scene.
fn with_present(entries: &[Entry], now: Instant) -> Rooms {
    let mut rooms = Rooms::default();
    for entry in entries {
        rooms.reserve(entry, now).unwrap();
        rooms.joined(KEY, entry.user.as_str(), now);
    }
    rooms
}

#[test]
fn a_seat_waits_thirty_seconds_and_no_longer() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    assert_eq!(rooms.reserve(&caller("a"), now), Ok(Limits { online: 300, publishing: 50 }));
    assert_eq!(rooms.deadline(), Some(now + seconds(30)));
    assert!(take(&mut rooms, KEY, "b", now).is_none(), "nobody else's");
    assert!(take(&mut rooms, "1/s:5", "a", now).is_none(), "no other room");
    rooms.expire(now + seconds(29));
    assert_eq!(rooms.census(), Census { rooms: 1, present: 0, reserved: 1 });
    assert!(take(&mut rooms, KEY, "a", now + seconds(30)).is_none());
    assert_eq!(rooms.census(), Census::default(), "the room went with its last seat");
}

#[test]
fn somebody_present_needs_no_reservation_to_stay_or_come_back() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a")], now);
    rooms.expire(now + seconds(3600));
    assert!(take(&mut rooms, KEY, "a", now + seconds(3600)).is_some());
    rooms.joined(KEY, "a", now);
    rooms.left(KEY, "a", LeaveReason::TimedOut, now + seconds(3700));
    assert!(take(&mut rooms, KEY, "a", now + seconds(3700)).is_none());
}

#[test]
fn the_first_reservation_gives_the_room_its_scene_until_it_is_gone() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    rooms.reserve(&caller("a"), now).unwrap();
    let fault = rooms.reserve(&entry("b", Scene::Live, Role::Anchor), now).map_err(fault).unwrap_err();
    assert_eq!(fault.code, -100_011);
    assert!(fault.message.contains("videoCall") && fault.message.contains("live"), "{}", fault.message);
    rooms.reserve(&entry("b", Scene::Live, Role::Anchor), now + seconds(30)).unwrap();
}

#[test]
fn the_three_hundred_first_is_refused_and_reservations_count() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    for n in 0..300 {
        rooms.reserve(&caller(&format!("u{n}")), now).unwrap();
        if n % 2 == 0 {
            rooms.joined(KEY, &format!("u{n}"), now);
        }
    }
    assert_eq!(rooms.reserve(&caller("late"), now).map_err(fault).unwrap_err().code, -102_052);
    rooms.reserve(&caller("u7"), now).expect("somebody inside takes no second seat");
    rooms.left(KEY, "u0", LeaveReason::Left, now);
    rooms.reserve(&caller("late"), now).unwrap();
}

#[test]
fn room_and_scene_are_checked_before_capacity() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    for n in 0..300 {
        rooms.reserve(&caller(&format!("u{n}")), now).unwrap();
    }
    let fault = rooms.reserve(&entry("late", Scene::Live, Role::Anchor), now).map_err(fault).unwrap_err();
    assert_eq!(fault.code, -100_011);
}

#[test]
fn a_live_room_takes_more_than_a_call() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    for n in 0..400 {
        rooms.reserve(&entry(&format!("u{n}"), Scene::Live, Role::Audience), now).unwrap();
    }
}

#[test]
fn who_may_not_create_enters_only_what_is_there() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    let guest = Entry { granted: Privilege(254), ..caller("b") };
    assert_eq!(rooms.reserve(&guest, now).map_err(fault).unwrap_err().code, -102_010);
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.reserve(&guest, now).unwrap();
}

#[test]
fn entering_twice_keeps_the_later_seat() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a")], now);
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert!(take(&mut rooms, KEY, "a", now).is_some(), "the newer reservation stays");
    rooms.joined(KEY, "a", now);
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.census().present, 1);
}

#[test]
fn a_call_ends_with_the_last_one_and_a_live_room_with_the_last_anchor() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a")], now);
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(rooms.census().rooms, 0);
    let mut rooms = with_present(&[entry("a", Scene::Live, Role::Anchor)], now);
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(rooms.census().rooms, 0);
}

#[test]
fn a_live_room_stays_ten_minutes_after_its_last_viewer() {
    let now = Instant::now();
    let mut rooms = with_present(&[entry("v", Scene::Live, Role::Audience)], now);
    rooms.left(KEY, "v", LeaveReason::Left, now);
    rooms.closed(KEY, now);
    rooms.expire(now + seconds(31));
    assert_eq!(rooms.deadline(), Some(now + seconds(600)));
    assert_eq!(rooms.reserve(&caller("a"), now + seconds(599)).map_err(fault).unwrap_err().code, -100_011);
    rooms.reserve(&caller("a"), now + seconds(600)).unwrap();
    let mut rooms = with_present(&[entry("v", Scene::Live, Role::Audience)], now);
    rooms.left(KEY, "v", LeaveReason::TimedOut, now);
    assert_eq!(rooms.census().rooms, 0, "a lost viewer has had 90 s already");
}

#[test]
fn the_removed_lose_seat_and_reservation_and_may_enter_again() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a"), caller("b")], now);
    rooms.reserve(&caller("c"), now).unwrap();
    let gone = ["a".to_owned(), "c".to_owned(), "nobody".to_owned()];
    assert_eq!(rooms.remove(KEY, &gone, None, now), Ok(()));
    assert!(take(&mut rooms, KEY, "a", now).is_none());
    assert!(take(&mut rooms, KEY, "c", now).is_none());
    assert!(take(&mut rooms, KEY, "b", now).is_some());
    rooms.left(KEY, "a", LeaveReason::Removed, now);
    rooms.reserve(&caller("a"), now).unwrap();
    assert_eq!(rooms.remove("1/n:6", &gone, None, now), Err(NoSuchRoom));
}

#[test]
fn a_dismissed_room_is_gone_and_may_be_made_again() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a")], now);
    assert_eq!(rooms.dismiss(KEY, None, now), Ok(()));
    assert_eq!(rooms.dismiss(KEY, None, now), Err(NoSuchRoom));
    rooms.left(KEY, "a", LeaveReason::Removed, now);
    rooms.closed(KEY, now);
    rooms.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
}

/// Somebody in a stay of that name, who wants to return to it or enters.
fn staying(user: &str, id: &str, returning: bool) -> Entry {
    Entry { stay: Some(Stay { id: id.to_owned(), returning }), ..caller(user) }
}

#[test]
fn who_was_removed_while_away_does_not_come_back_by_itself_but_by_a_new_entry() {
    let now = Instant::now();
    let mut rooms = with_present(&[staying("a", "one", false), staying("b", "two", false)], now);
    let back = staying("a", "one", true);
    assert_eq!(rooms.ended(&back, now), None, "only away");
    rooms.remove(KEY, &["a".to_owned()], None, now).unwrap();
    rooms.left(KEY, "a", LeaveReason::Removed, now);
    assert_eq!(rooms.ended(&back, now), Some(ExitCause::Removed));
    assert_eq!(rooms.ended(&staying("b", "two", true), now), None, "somebody else");
    assert_eq!(rooms.ended(&staying("a", "three", false), now), None, "a new entry");
    rooms.reserve(&staying("a", "three", false), now).unwrap();
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.ended(&staying("a", "three", true), now), None);
    assert_eq!(rooms.ended(&back, now + seconds(86_400)), Some(ExitCause::EnteredElsewhere));
}

#[test]
fn a_removal_or_dismissal_counts_for_those_whose_seat_has_expired_too() {
    let now = Instant::now();
    let people = ["a", "b", "c"].map(|user| staying(user, user, false));
    let mut rooms = with_present(&people, now);
    for away in ["a", "b"] {
        rooms.left(KEY, away, LeaveReason::TimedOut, now);
        assert_eq!(rooms.ended(&staying(away, away, true), now), None);
    }
    rooms.remove(KEY, &["a".to_owned()], None, now).unwrap();
    assert_eq!(rooms.ended(&staying("a", "a", true), now), Some(ExitCause::Removed));
    assert_eq!(rooms.ended(&staying("b", "b", true), now), None);
    rooms.dismiss(KEY, None, now).unwrap();
    assert_eq!(rooms.ended(&staying("b", "b", true), now), Some(ExitCause::Dismissed));
}

#[test]
fn a_room_dismissed_meanwhile_is_not_made_again_by_those_who_return() {
    let now = Instant::now();
    let mut rooms = with_present(&[staying("a", "one", false)], now);
    rooms.reserve(&staying("b", "two", false), now).unwrap();
    rooms.dismiss(KEY, None, now).unwrap();
    assert_eq!(rooms.ended(&staying("a", "one", true), now), Some(ExitCause::Dismissed));
    assert_eq!(rooms.ended(&staying("b", "two", true), now), Some(ExitCause::Dismissed), "expected");
}

#[test]
fn who_returns_finds_their_seat_taken_by_their_later_stay() {
    let now = Instant::now();
    let mut rooms = with_present(&[staying("a", "old", false)], now);
    rooms.reserve(&staying("a", "new", false), now).unwrap();
    assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
    rooms.joined(KEY, "a", now);
    let old = || staying("a", "old", true);
    assert_eq!(rooms.ended(&old(), now), Some(ExitCause::EnteredElsewhere));
    assert_eq!(rooms.ended(&staying("a", "new", true), now), None);
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(rooms.ended(&old(), now), Some(ExitCause::EnteredElsewhere), "remembered");
}

#[test]
fn who_returns_after_their_seat_expired_makes_way_for_a_later_stay_or_a_plain_client() {
    let now = Instant::now();
    let mut rooms = with_present(&[staying("a", "old", false)], now);
    rooms.left(KEY, "a", LeaveReason::TimedOut, now);
    assert_eq!(rooms.ended(&staying("a", "old", true), now), None);
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
    let mut rooms = with_present(&[staying("a", "old", false)], now);
    rooms.visits(KEY, "a", now);
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.ended(&staying("a", "old", true), now), Some(ExitCause::EnteredElsewhere));
    rooms.visits(KEY, "a", now);
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(rooms.census(), Census::default(), "a plain client keeps no reservation");
}

#[test]
fn who_returns_keeps_the_role_that_was_given_meanwhile() {
    let now = Instant::now();
    let staying = |returning| Entry {
        stay: Some(Stay { id: "one".to_owned(), returning }),
        ..entry("a", Scene::Live, Role::Anchor)
    };
    let mut rooms = with_present(&[staying(false)], now);
    rooms.set_role(KEY, "a", Role::Audience, None, now).unwrap();
    rooms.reserve(&staying(true), now).unwrap();
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Audience);
    rooms.joined(KEY, "a", now);
    rooms.reserve(&staying(false), now).unwrap();
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Anchor, "an entry of their own");
}

#[test]
fn a_server_that_was_started_anew_lets_everybody_return() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    let back = staying("a", "one", true);
    assert_eq!(rooms.ended(&back, now), None);
    rooms.reserve(&back, now).unwrap();
    rooms.joined(KEY, "a", now);
    assert_eq!(rooms.ended(&back, now), None);
}

#[test]
fn a_room_that_only_expired_does_not_exist() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    rooms.reserve(&caller("a"), now).unwrap();
    assert_eq!(rooms.dismiss(KEY, None, now + seconds(31)), Err(NoSuchRoom));
}

#[test]
fn a_closed_room_keeps_those_who_are_still_expected() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a")], now);
    rooms.reserve(&caller("b"), now).unwrap();
    rooms.closed(KEY, now);
    assert_eq!(rooms.census(), Census { rooms: 1, present: 0, reserved: 1 });
    rooms.closed("1/n:77", now);
}

#[test]
fn people_with_plain_tokens_count_and_leave_the_scene_open() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    rooms.joined(KEY, "bot", now);
    assert_eq!(rooms.census().present, 1);
    rooms.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
    assert_eq!(rooms.reserve(&caller("b"), now).map_err(fault).unwrap_err().code, -100_011);
}

#[test]
fn an_entry_that_was_overtaken_by_a_later_one_takes_no_seat() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    rooms.reserve(&caller("a"), now).unwrap();
    let first = rooms.ticket(&caller("a"));
    rooms.reserve(&caller("a"), now).unwrap();
    let second = rooms.ticket(&caller("a"));
    assert!(first.is_some() && first != second);
    assert!(rooms.claim(KEY, "a", first, ClientInfo::default(), now).is_some(), "nobody is there yet");
    assert!(rooms.claim(KEY, "a", second, ClientInfo::default(), now).is_some());
    rooms.joined(KEY, "a", now);
    assert!(rooms.claim(KEY, "a", first, ClientInfo::default(), now).is_none(), "present is the second");
    assert!(rooms.claim(KEY, "a", None, ClientInfo::default(), now).is_none());
    assert!(rooms.claim(KEY, "a", second, ClientInfo::default(), now).is_some(), "it resumes");
    rooms.reserve(&caller("a"), now).unwrap();
    assert!(rooms.claim(KEY, "a", second, ClientInfo::default(), now).is_some(), "until the third is there");
    rooms.joined(KEY, "a", now);
    assert!(rooms.claim(KEY, "a", second, ClientInfo::default(), now).is_none());
}

#[test]
fn roles_change_in_live_rooms_only_and_for_those_inside() {
    let now = Instant::now();
    let mut rooms = with_present(&[entry("a", Scene::Live, Role::Anchor)], now);
    rooms.reserve(&entry("late", Scene::Live, Role::Audience), now).unwrap();
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Anchor);
    assert_eq!(rooms.set_role(KEY, "a", Role::Audience, None, now), Ok(Role::Anchor));
    assert_eq!(rooms.set_role(KEY, "a", Role::Audience, None, now), Ok(Role::Audience));
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Audience);
    assert_eq!(rooms.set_role(KEY, "late", Role::Anchor, None, now), Err(RoleError::NotInRoom));
    assert_eq!(rooms.set_role("1/n:6", "a", Role::Anchor, None, now), Err(RoleError::NoRoom));
    let mut call = with_present(&[caller("a")], now);
    assert_eq!(
        call.set_role(KEY, "a", Role::Audience, None, now),
        Err(RoleError::Scene(Some(Scene::VideoCall)))
    );
    let mut again = rooms;
    again.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
    assert_eq!(take(&mut again, KEY, "a", now).unwrap().role, Role::Anchor, "a new token has the new role");
}

#[test]
fn a_fresh_permission_that_lets_nobody_in_leaves_role_and_permission_as_they_were() {
    let now = Instant::now();
    let mut rooms = with_present(&[entry("a", Scene::Live, Role::Audience)], now);
    rooms.effects();
    for role in Role::ALL {
        let fresh = Some(Privilege(Privilege::ALL.0 & !Privilege::ENTER.0));
        assert_eq!(rooms.set_role(KEY, "a", role, fresh, now), Err(RoleError::NoEntrance));
    }
    assert!(rooms.effects().is_empty());
    assert_eq!(take(&mut rooms, KEY, "a", now).unwrap().role, Role::Audience);
    assert_eq!(rooms.set_role(KEY, "a", Role::Anchor, None, now), Ok(Role::Audience));
}
