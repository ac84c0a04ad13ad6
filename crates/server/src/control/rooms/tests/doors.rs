//! One-time tickets, people who are put out on their way in, and those whom nobody sees.

use confab_protocol::{HostAction, OneTimeTicket};

use super::hosts::{act, by, call, id, kept, orders, refusal, state};
use super::*;

fn ticket(text: &str) -> OneTimeTicket {
    OneTimeTicket::try_from(text.to_owned()).unwrap()
}

fn invited(user: &str, by: &str) -> Entry {
    Entry { invite: Some(ticket(by)), ..caller(user) }
}

/// A room of an owner in which others wait, with one ticket.
fn waiting_room(now: Instant) -> Rooms {
    let mut rooms = call(&["a", "b"], now);
    act(&mut rooms, "a", &HostAction::WaitingRoom { on: true }, now);
    rooms.invite(KEY, &by("a"), &ticket("one"), now).unwrap();
    rooms
}

fn code(found: Result<Limits, Refused>) -> i32 {
    found.map_err(fault).map_or_else(|fault| fault.code, |_| 0)
}

#[test]
fn a_ticket_lets_one_person_past_the_waiting_room_and_nobody_else() {
    let now = Instant::now();
    let mut rooms = waiting_room(now);
    assert_eq!(rooms.reserve(&caller("c"), now), Err(Refused::Waiting));
    assert_eq!(code(rooms.reserve(&invited("c", "two"), now)), -102_011, "no such ticket");
    rooms.reserve(&invited("c", "one"), now).unwrap();
    let used = rooms.reserve(&invited("d", "one"), now).map_err(fault).unwrap_err();
    assert_eq!(used.code, -102_011);
    assert!(used.message.contains("one person"), "{used}");
    rooms.joined(KEY, "c", now);
    rooms.left(KEY, "c", LeaveReason::TimedOut, now);
    rooms.reserve(&invited("c", "one"), now).expect("c comes back");
}

#[test]
fn a_ticket_is_good_in_its_room_only_and_opens_no_lock_and_lifts_no_ban() {
    let now = Instant::now();
    let mut rooms = waiting_room(now);
    let elsewhere = Entry { room: RoomId::number(6_u32).unwrap(), ..invited("c", "one") };
    assert_eq!(code(rooms.reserve(&elsewhere, now)), -102_011, "there is no such room");
    assert_eq!(rooms.census().rooms, 1, "and none is made");
    act(&mut rooms, "a", &HostAction::Remove { user_id: id("b"), ban: true }, now);
    assert_eq!(code(rooms.reserve(&invited("b", "one"), now)), -102_011);
    act(&mut rooms, "a", &HostAction::Lock { on: true }, now);
    assert_eq!(code(rooms.reserve(&invited("c", "one"), now)), -102_011);
    act(&mut rooms, "a", &HostAction::Lock { on: false }, now);
    rooms.reserve(&invited("c", "one"), now).expect("nobody has used it");
}

#[test]
fn hosts_invite_and_nobody_else() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    act(&mut rooms, "a", &HostAction::CoHost { user_id: id("b"), on: true }, now);
    let mut invite = |by: &By| rooms.invite(KEY, by, &ticket("one"), now).map_err(|fault| fault.code);
    assert_eq!(invite(&by("a")), Ok(()));
    assert_eq!(invite(&by("b")), Ok(()));
    assert_eq!(invite(&By::Administrator), Ok(()));
    assert_eq!(invite(&by("c")), Err(-3));
    assert_eq!(invite(&by("nobody")), Err(-3));
    let fault = rooms.invite("1/n:6", &by("a"), &ticket("one"), now).unwrap_err();
    assert_eq!(fault.code, -102_005);
}

#[test]
fn a_ticket_may_be_taken_before_the_entry_and_outlives_a_restart() {
    let now = Instant::now();
    let mut rooms = waiting_room(now);
    rooms.take_invite(KEY, &ticket("one"), "c", now).unwrap();
    assert!(rooms.take_invite(KEY, &ticket("one"), "d", now).is_err());
    let mut anew = Rooms::default();
    anew.restore(vec![(KEY.to_owned(), kept(&mut rooms).unwrap())], now);
    assert_eq!(code(anew.reserve(&invited("d", "one"), now)), -102_011);
    anew.reserve(&invited("c", "one"), now).unwrap();
}

#[test]
fn who_is_put_out_between_the_door_and_the_seat_is_put_out_when_they_come() {
    let now = Instant::now();
    for dismissed in [false, true] {
        let mut rooms = call(&["a"], now);
        rooms.reserve(&caller("b"), now).unwrap();
        let entry = rooms.ticket(&caller("b"));
        rooms.claim(KEY, "b", entry, ClientInfo::default(), now).unwrap();
        if dismissed {
            rooms.dismiss(KEY, None, now).unwrap();
        } else {
            rooms.remove(KEY, &["b".to_owned()], None, now).unwrap();
        }
        rooms.effects();
        assert!(rooms.claim(KEY, "b", entry, ClientInfo::default(), now).is_none(), "nor once more");
        rooms.came(KEY, "b", entry, now);
        let effects = rooms.effects();
        assert_eq!(orders(&effects), ["remove b by None"]);
        assert_eq!(effects.len(), 1, "nobody hears that they came: {effects:?}");
        rooms.left(KEY, "b", LeaveReason::Removed, now);
        assert_eq!(rooms.effects(), []);
        assert_eq!(rooms.census().present, usize::from(!dismissed));
    }
}

#[test]
fn who_was_removed_before_the_door_comes_in_by_a_new_entry() {
    let now = Instant::now();
    let mut rooms = call(&["a"], now);
    rooms.reserve(&caller("b"), now).unwrap();
    rooms.remove(KEY, &["b".to_owned()], None, now).unwrap();
    assert!(take(&mut rooms, KEY, "b", now).is_none());
    rooms.reserve(&caller("b"), now).unwrap();
    let entry = rooms.ticket(&caller("b"));
    take(&mut rooms, KEY, "b", now).unwrap();
    rooms.came(KEY, "b", entry, now);
    assert_eq!(rooms.census().present, 2);
}

#[test]
fn an_owner_who_steps_down_is_followed_and_a_co_host_who_does_is_none() {
    let now = Instant::now();
    let anchor = |user| entry(user, Scene::Live, Role::Anchor);
    let mut rooms = with_present(&[anchor("a"), anchor("b"), anchor("c")], now);
    rooms.act(KEY, &by("a"), &HostAction::CoHost { user_id: id("c"), on: true }, now).unwrap();
    rooms.effects();
    rooms.set_role(KEY, "a", Role::Audience, None, now).unwrap();
    let told = state(&rooms.effects()).unwrap();
    assert_eq!((told.owner.as_deref(), told.co_hosts.len()), (Some("c"), 0));
    assert_eq!(refusal(&mut rooms, "a", &HostAction::Lock { on: true }, now), -3);
    rooms.act(KEY, &by("c"), &HostAction::CoHost { user_id: id("b"), on: true }, now).unwrap();
    rooms.set_role(KEY, "b", Role::Audience, None, now).unwrap();
    assert_eq!(state(&rooms.effects()).unwrap().co_hosts, Vec::<String>::new());
    rooms.set_role(KEY, "c", Role::Audience, None, now).unwrap();
    assert_eq!(state(&rooms.effects()).unwrap().owner, None, "nobody is left who leads");
    rooms.set_role(KEY, "a", Role::Anchor, None, now).unwrap();
    assert_eq!(state(&rooms.effects()).unwrap().owner.as_deref(), Some("a"), "the first anchor again");
}

#[test]
fn nobody_but_hosts_hears_the_name_of_a_viewer() {
    let now = Instant::now();
    let viewer = || entry("v", Scene::Live, Role::Audience);
    let anchor = |user| entry(user, Scene::Live, Role::Anchor);
    let mut rooms = with_present(&[anchor("a"), anchor("b"), viewer()], now);
    rooms.effects();
    let mute = HostAction::Mute { user_id: Some(id("v")), allow_unmute: false };
    rooms.act(KEY, &by("a"), &mute, now).unwrap();
    let effects = rooms.effects();
    assert_eq!(orders(&effects), [r#"mute by Some("a") to ["a", "v"]"#], "v sends nothing");
    assert_eq!(state(&effects).unwrap().forbidden, Vec::<String>::new(), "v is not listed");
    rooms.set_role(KEY, "v", Role::Anchor, None, now).unwrap();
    let effects = rooms.effects();
    assert_eq!(orders(&effects)[0], "v may voice false", "and yet v may not speak");
    assert_eq!(state(&effects).unwrap().forbidden, ["v"]);
    rooms.set_role(KEY, "v", Role::Audience, None, now).unwrap();
    rooms.effects();
    let removed = act(&mut rooms, "a", &HostAction::Remove { user_id: id("v"), ban: false }, now);
    assert_eq!(removed, [r#"remove by Some("a") to ["a", "v"]"#, r#"remove v by Some("a")"#]);
    let co_host = HostAction::CoHost { user_id: id("w"), on: true };
    rooms.reserve(&entry("w", Scene::Live, Role::Audience), now).unwrap();
    rooms.joined(KEY, "w", now);
    rooms.effects();
    assert_eq!(refusal(&mut rooms, "a", &co_host, now), -3, "who only watches is no host");
}

#[test]
fn who_may_not_unmute_does_not_gain_it_by_leaving_and_entering_again() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    let mute = HostAction::Mute { user_id: Some(id("b")), allow_unmute: false };
    act(&mut rooms, "a", &mute, now);
    let voice = |rooms: &mut Rooms| {
        rooms.reserve(&caller("b"), now).unwrap();
        take(rooms, KEY, "b", now).unwrap().permission.unwrap().publish.audio
    };
    for put_out in [false, true] {
        if put_out {
            rooms.remove(KEY, &["b".to_owned()], None, now).unwrap();
        } else {
            rooms.left(KEY, "b", LeaveReason::Left, now);
        }
        assert!(!voice(&mut rooms));
        rooms.joined(KEY, "b", now);
    }
    rooms.left(KEY, "b", LeaveReason::Left, now);
    act(&mut rooms, "a", &HostAction::AllowUnmute { user_id: None }, now);
    assert!(voice(&mut rooms), "everybody may again");
}

#[test]
fn a_server_that_is_told_to_stop_keeps_what_one_that_is_killed_keeps() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.act(KEY, &by("a"), &HostAction::Lock { on: true }, now).unwrap();
    let text = kept(&mut rooms).unwrap();
    rooms.freeze();
    for user in ["a", "b"] {
        rooms.left(KEY, user, LeaveReason::Removed, now);
    }
    rooms.closed(KEY, now);
    let closed = |effect: &Effect| match effect {
        Effect::Keep { .. } => true,
        Effect::Tell(happening) => matches!(happening.what, What::RoomClosed { .. }),
        Effect::Order { .. } => false,
    };
    assert!(!rooms.effects().iter().any(closed), "the room goes on");
    let mut anew = Rooms::default();
    anew.set_time(1_700_000_000_000);
    anew.restore(vec![(KEY.to_owned(), text)], now);
    anew.reserve(&caller("a"), now).unwrap();
    anew.joined(KEY, "a", now);
    let effects = anew.effects();
    let opened = |effect: &Effect| match effect {
        Effect::Tell(happening) => matches!(happening.what, What::RoomCreated { .. }),
        Effect::Order { .. } | Effect::Keep { .. } => false,
    };
    assert!(!effects.iter().any(opened), "it is the same room: {effects:?}");
    assert_eq!(state(&effects).unwrap().owner.as_deref(), Some("a"));
}

#[test]
fn a_lock_or_a_ban_outlives_a_restart_though_nobody_owns_the_room() {
    let now = Instant::now();
    let viewer = |user| entry(user, Scene::Live, Role::Audience);
    let mut rooms = with_present(&[viewer("v"), viewer("w")], now);
    assert_eq!(kept(&mut rooms), None);
    let ban = HostAction::Remove { user_id: id("w"), ban: true };
    rooms.act(KEY, &By::Administrator, &ban, now).unwrap();
    let mut anew = Rooms::default();
    anew.restore(vec![(KEY.to_owned(), kept(&mut rooms).unwrap())], now);
    assert_eq!(code(anew.reserve(&viewer("w"), now)), -102_011);
    anew.reserve(&viewer("v"), now).unwrap();
}

#[test]
fn looking_at_a_room_again_is_noted_once() {
    let now = Instant::now();
    let mut rooms = call(&["a"], now);
    act(&mut rooms, "a", &HostAction::WaitingRoom { on: true }, now);
    for n in 0..500 {
        assert_eq!(rooms.reserve(&caller("c"), now + Duration::from_millis(n)), Err(Refused::Waiting));
    }
    assert!(rooms.due.len() < 10, "{} entries", rooms.due.len());
}
