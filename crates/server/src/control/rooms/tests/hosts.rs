//! Owners, co-hosts, what they do, and what of it outlives a restart.

use confab_protocol::{HostAction, RoomState, UserId, Waiting};

use super::*;

pub(super) fn id(user: &str) -> UserId {
    user.parse().unwrap()
}

pub(super) fn by(user: &str) -> By {
    By::Person(user.to_owned())
}

/// What everybody was told last of how the room stands.
pub(super) fn state(effects: &[Effect]) -> Option<RoomState> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Order { order: Order::Metadata(text), .. } => RoomState::from_metadata(text),
        Effect::Order { .. } | Effect::Tell(_) | Effect::Keep { .. } => None,
    })
}

/// Who everybody was told is the owner, if they were told something.
fn owner(rooms: &mut Rooms) -> Option<String> {
    state(&rooms.effects())?.owner
}

/// The orders for the engine, without the metadata, in few words.
pub(super) fn orders(effects: &[Effect]) -> Vec<String> {
    let brief = |effect: &Effect| match effect {
        Effect::Order { order, .. } => Some(match order {
            Order::Permission(user, permission) => format!("{user} may voice {}", permission.publish.audio),
            Order::Attributes(user, attributes) => format!("{user} {attributes:?}"),
            Order::Silence(user, kind) => format!("silence {user} {kind:?}"),
            Order::Remove(user, Notice::Exit { by, .. }) => format!("remove {user} by {by:?}"),
            Order::Dismiss(Notice::Exit { by, .. }) => format!("dismiss by {by:?}"),
            Order::Notice(Notice::Host { what, by }, to) => format!("{} by {by:?} to {to:?}", what.name()),
            Order::Notice(Notice::Waiting { people }, to) => {
                let people: Vec<&str> = people.iter().map(|one| one.user_id.as_str()).collect();
                format!("waiting {people:?} to {to:?}")
            }
            Order::Notice(Notice::Banned { people }, to) => format!("banned {people:?} to {to:?}"),
            Order::Remove(..) | Order::Dismiss(_) | Order::Notice(..) => format!("{order:?}"),
            Order::Metadata(_) => return None,
        }),
        Effect::Tell(_) | Effect::Keep { .. } => None,
    };
    effects.iter().filter_map(brief).collect()
}

/// A call with these people in it, in that order, and nothing left to be told.
pub(super) fn call(people: &[&str], now: Instant) -> Rooms {
    let entries: Vec<Entry> = people.iter().map(|user| caller(user)).collect();
    let mut rooms = with_present(&entries, now);
    rooms.effects();
    rooms
}

pub(super) fn act(rooms: &mut Rooms, who: &str, action: &HostAction, now: Instant) -> Vec<String> {
    rooms.act(KEY, &by(who), action, now).unwrap();
    orders(&rooms.effects())
}

pub(super) fn refusal(rooms: &mut Rooms, who: &str, action: &HostAction, now: Instant) -> i32 {
    let fault = rooms.act(KEY, &by(who), action, now).unwrap_err();
    assert!(fault.message.ends_with('.'), "{fault}");
    assert_eq!(rooms.effects(), [], "a refusal changes nothing");
    fault.code
}

#[test]
fn the_first_in_a_call_owns_it_and_everybody_is_told() {
    let now = Instant::now();
    let mut rooms = with_present(&[caller("a"), caller("b")], now);
    let told = state(&rooms.effects()).unwrap();
    assert_eq!(told, RoomState { owner: Some("a".to_owned()), ..RoomState::default() });
}

#[test]
fn the_first_anchor_owns_a_live_room_and_viewers_never_do() {
    let now = Instant::now();
    let viewer = |user| entry(user, Scene::Live, Role::Audience);
    let mut rooms = with_present(&[viewer("v"), viewer("w")], now);
    assert_eq!(state(&rooms.effects()).and_then(|state| state.owner), None);
    rooms.reserve(&entry("a", Scene::Live, Role::Anchor), now).unwrap();
    rooms.joined(KEY, "a", now);
    let told = state(&rooms.effects()).unwrap();
    assert_eq!((told.owner.as_deref(), told.audience), (Some("a"), 2));
    rooms.set_role(KEY, "v", Role::Anchor, None, now).unwrap();
    rooms.left(KEY, "a", LeaveReason::Left, now);
    let effects = rooms.effects();
    assert_eq!(
        state(&effects).and_then(|state| state.owner).as_deref(),
        Some("v"),
        "the anchor that is left"
    );
    rooms.left(KEY, "v", LeaveReason::Left, now);
    assert_eq!(state(&rooms.effects()).unwrap().owner, None);
}

#[test]
fn the_longest_present_co_host_follows_the_owner_and_then_the_longest_present_anchor() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c", "d"], now);
    for user in ["d", "c"] {
        act(&mut rooms, "a", &HostAction::CoHost { user_id: id(user), on: true }, now);
    }
    rooms.left(KEY, "a", LeaveReason::Left, now);
    let told = state(&rooms.effects()).unwrap();
    assert_eq!(
        (told.owner.as_deref(), told.co_hosts),
        (Some("c"), vec!["d".to_owned()]),
        "present for longer"
    );
    rooms.left(KEY, "d", LeaveReason::Left, now);
    rooms.effects();
    rooms.left(KEY, "c", LeaveReason::TimedOut, now);
    assert_eq!(owner(&mut rooms).as_deref(), Some("b"));
}

#[test]
fn an_owner_who_enters_again_stays_the_owner_and_one_who_was_gone_does_not_become_it_again() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.left(KEY, "a", LeaveReason::Left, now);
    rooms.joined(KEY, "a", now);
    assert_eq!(owner(&mut rooms), None, "nothing has changed");
    rooms.left(KEY, "a", LeaveReason::Left, now);
    assert_eq!(owner(&mut rooms).as_deref(), Some("b"));
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.joined(KEY, "a", now);
    assert_eq!(owner(&mut rooms), None, "nothing has changed");
}

#[test]
fn one_is_muted_with_a_word_first_and_may_unmute_unless_it_is_forbidden() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    let mute = |allow_unmute| HostAction::Mute { user_id: Some(id("b")), allow_unmute };
    assert_eq!(act(&mut rooms, "a", &mute(true), now), [r#"mute by Some("a") to []"#, "silence b Audio"]);
    assert_eq!(
        act(&mut rooms, "a", &mute(false), now),
        [r#"mute by Some("a") to []"#, "silence b Audio", "b may voice false"]
    );
    rooms.reserve(&caller("b"), now).unwrap();
    let again = take(&mut rooms, KEY, "b", now).unwrap();
    assert!(!again.permission.unwrap().publish.audio, "entering again does not help");
    assert_eq!(
        act(&mut rooms, "a", &HostAction::AllowUnmute { user_id: Some(id("b")) }, now),
        [r#"allowUnmute by Some("a") to []"#, "b may voice true"]
    );
}

#[test]
fn muting_all_spares_hosts_and_holds_for_those_who_come_later_where_unmuting_is_forbidden() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    act(&mut rooms, "a", &HostAction::CoHost { user_id: id("b"), on: true }, now);
    let all = |allow_unmute| HostAction::Mute { user_id: None, allow_unmute };
    assert_eq!(act(&mut rooms, "b", &all(true), now), [r#"mute by Some("b") to []"#, "silence c Audio"]);
    rooms.act(KEY, &by("a"), &all(false), now).unwrap();
    let told = state(&rooms.effects()).unwrap();
    assert!(told.muted_all && told.forbidden == ["c"], "{told:?}");
    rooms.reserve(&caller("d"), now).unwrap();
    assert!(!take(&mut rooms, KEY, "d", now).unwrap().permission.unwrap().publish.audio);
    rooms.joined(KEY, "d", now);
    rooms.effects();
    assert_eq!(
        act(&mut rooms, "a", &HostAction::CoHost { user_id: id("d"), on: true }, now),
        [r#"coHost by Some("a") to []"#, "d may voice true"],
        "hosts are not kept from speaking"
    );
    act(&mut rooms, "a", &HostAction::AllowUnmute { user_id: None }, now);
    rooms.reserve(&caller("e"), now).unwrap();
    assert!(take(&mut rooms, KEY, "e", now).unwrap().permission.unwrap().publish.audio);
}

#[test]
fn cameras_and_shares_are_stopped_one_by_one() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    let stopped = act(&mut rooms, "a", &HostAction::StopVideo { user_id: id("b") }, now);
    assert_eq!(stopped, [r#"stopVideo by Some("a") to []"#, "silence b Video"]);
    let stopped = act(&mut rooms, "a", &HostAction::StopShare { user_id: id("b") }, now);
    assert_eq!(stopped, [r#"stopShare by Some("a") to []"#, "silence b Screen"]);
    let nobody = HostAction::StopVideo { user_id: id("nobody") };
    assert_eq!(refusal(&mut rooms, "a", &nobody, now), -102_007);
}

#[test]
fn the_removed_may_come_back_and_the_banned_may_not_until_the_room_is_over() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    let remove = |ban| HostAction::Remove { user_id: id("b"), ban };
    let removed = act(&mut rooms, "a", &remove(false), now);
    assert_eq!(removed, [r#"remove by Some("a") to []"#, r#"remove b by Some("a")"#]);
    assert_eq!(refusal(&mut rooms, "a", &remove(false), now), -102_007, "not there any more");
    rooms.reserve(&caller("b"), now).unwrap();
    rooms.joined(KEY, "b", now);
    act(&mut rooms, "a", &remove(true), now);
    let refused = rooms.reserve(&caller("b"), now).map_err(fault).unwrap_err();
    assert_eq!(refused.code, -102_011);
    assert!(refused.message.contains("removed"), "{refused}");
    act(&mut rooms, "a", &HostAction::Unban { user_id: id("b") }, now);
    rooms.reserve(&caller("b"), now).unwrap();
    act(&mut rooms, "a", &remove(true), now);
    rooms.left(KEY, "a", LeaveReason::Left, now);
    rooms.reserve(&caller("b"), now).expect("a new room knows of no ban");
}

#[test]
fn nobody_enters_a_locked_room_but_those_who_are_in_it() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    act(&mut rooms, "a", &HostAction::Lock { on: true }, now);
    let refused = rooms.reserve(&caller("c"), now).map_err(fault).unwrap_err();
    assert_eq!(refused.code, -102_011);
    assert!(refused.message.contains("locked"), "{refused}");
    rooms.reserve(&caller("b"), now).expect("b is in it");
    act(&mut rooms, "a", &HostAction::Lock { on: false }, now);
    rooms.reserve(&caller("c"), now).unwrap();
}

#[test]
fn who_comes_to_a_waiting_room_waits_until_a_host_answers() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    act(&mut rooms, "a", &HostAction::WaitingRoom { on: true }, now);
    for user in ["c", "d", "e"] {
        assert_eq!(rooms.reserve(&caller(user), now), Err(Refused::Waiting));
        assert_eq!(rooms.reserve(&caller(user), now), Err(Refused::Waiting), "asked again");
    }
    let told = orders(&rooms.effects());
    assert_eq!(told.last().unwrap(), r#"waiting ["c", "d", "e"] to ["a"]"#);
    assert_eq!(told.len(), 3, "asking again changes nothing");
    let admit = HostAction::Admit { user_id: Some(id("c")) };
    assert_eq!(
        act(&mut rooms, "a", &admit, now),
        [r#"admit by Some("a") to ["a"]"#, r#"waiting ["d", "e"] to ["a"]"#]
    );
    rooms.reserve(&caller("c"), now).unwrap();
    act(&mut rooms, "a", &HostAction::Deny { user_id: id("d") }, now);
    assert_eq!(rooms.reserve(&caller("d"), now).map_err(fault).unwrap_err().code, -102_011);
    assert_eq!(refusal(&mut rooms, "a", &admit, now), -102_007, "c does not wait any more");
    act(&mut rooms, "a", &HostAction::Admit { user_id: None }, now);
    rooms.reserve(&caller("e"), now).unwrap();
}

#[test]
fn who_stops_asking_waits_no_more_and_a_new_host_learns_who_waits() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    act(&mut rooms, "a", &HostAction::WaitingRoom { on: true }, now);
    assert_eq!(rooms.reserve(&caller("c"), now), Err(Refused::Waiting));
    rooms.effects();
    let people = vec![Waiting { user_id: "c".to_owned(), name: String::new() }];
    let told = Effect::Order {
        room: KEY.to_owned(),
        order: Order::Notice(Notice::Waiting { people }, vec!["b".to_owned()]),
    };
    rooms.act(KEY, &by("a"), &HostAction::CoHost { user_id: id("b"), on: true }, now).unwrap();
    assert!(rooms.effects().contains(&told));
    rooms.joined(KEY, "b", now);
    assert!(rooms.effects().contains(&told), "who came anew hears it anew");
    rooms.expire(now + seconds(10));
    assert_eq!(orders(&rooms.effects()), [r#"waiting [] to ["a", "b"]"#]);
}

#[test]
fn a_room_whose_application_wants_it_lets_the_first_in_and_makes_the_others_wait() {
    let now = Instant::now();
    let waits = |user: &str| Entry { waits: true, ..caller(user) };
    let mut rooms = Rooms::default();
    rooms.reserve(&waits("a"), now).unwrap();
    assert_eq!(rooms.reserve(&waits("b"), now), Err(Refused::Waiting), "a is on the way");
    rooms.joined(KEY, "a", now);
    act(&mut rooms, "a", &HostAction::WaitingRoom { on: false }, now);
    rooms.reserve(&waits("b"), now).unwrap();
}

#[test]
fn an_owner_hands_over_and_helps_on() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    let to = |user| HostAction::HandOver { user_id: id(user) };
    rooms.act(KEY, &by("a"), &to("b"), now).unwrap();
    let told = state(&rooms.effects()).unwrap();
    assert_eq!((told.owner.as_deref(), told.co_hosts), (Some("b"), vec!["a".to_owned()]));
    assert_eq!(refusal(&mut rooms, "a", &to("c"), now), -3, "a is a co-host by now");
    assert_eq!(refusal(&mut rooms, "b", &to("b"), now), -3, "to oneself");
    let viewer = || entry("v", Scene::Live, Role::Audience);
    let mut live = with_present(&[entry("a", Scene::Live, Role::Anchor), viewer()], now);
    live.effects();
    assert_eq!(refusal(&mut live, "a", &to("v"), now), -3, "a viewer is no host");
}

#[test]
fn whoever_has_no_right_changes_nothing() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    let lock = HostAction::Lock { on: true };
    assert_eq!(refusal(&mut rooms, "b", &lock, now), -3);
    assert_eq!(refusal(&mut rooms, "nobody", &lock, now), -3);
    let fault = rooms.act("1/n:6", &by("a"), &lock, now).unwrap_err();
    assert_eq!(fault.code, -102_005);
    rooms.act(KEY, &By::Administrator, &lock, now).expect("with a key of the server");
    assert!(orders(&rooms.effects())[0].starts_with("lock by None"));
}

#[test]
fn a_dismissal_says_by_whom_and_forgets_the_room() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b"], now);
    rooms.act(KEY, &by("a"), &HostAction::Dismiss, now).unwrap();
    let effects = rooms.effects();
    assert_eq!(orders(&effects), [r#"dismiss by Some("a")"#]);
    assert!(effects.contains(&Effect::Keep { room: KEY.to_owned(), state: None }));
    assert_eq!(rooms.census(), Census::default());
}

#[test]
fn many_viewers_are_counted_with_a_pause_and_hosts_at_once() {
    let now = Instant::now();
    let mut rooms = with_present(&[entry("a", Scene::Live, Role::Anchor)], now);
    rooms.effects();
    for n in 0..5 {
        rooms.reserve(&entry(&format!("v{n}"), Scene::Live, Role::Audience), now).unwrap();
        rooms.joined(KEY, &format!("v{n}"), now);
    }
    assert_eq!(state(&rooms.effects()), None, "not one message each");
    rooms.expire(now + tell::AUDIENCE_PAUSE);
    assert_eq!(state(&rooms.effects()).unwrap().audience, 5);
}

/// What is to be kept of the room, after everything that has happened.
pub(super) fn kept(rooms: &mut Rooms) -> Option<String> {
    let effects = rooms.effects();
    let last = effects.into_iter().rev().find_map(|effect| match effect {
        Effect::Keep { state, .. } => Some(state),
        Effect::Order { .. } | Effect::Tell(_) => None,
    });
    last.flatten()
}

#[test]
fn hosts_bans_and_locks_outlive_a_restart_for_those_who_come_back_in_time() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c", "d"], now);
    for action in [
        HostAction::CoHost { user_id: id("b"), on: true },
        HostAction::Remove { user_id: id("d"), ban: true },
        HostAction::Mute { user_id: Some(id("c")), allow_unmute: false },
        HostAction::Lock { on: true },
    ] {
        rooms.act(KEY, &by("a"), &action, now).unwrap();
    }
    let text = kept(&mut rooms).unwrap();
    let mut anew = Rooms::default();
    anew.restore(vec![(KEY.to_owned(), text.clone()), ("1/n:6".to_owned(), "odd".to_owned())], now);
    assert_eq!(anew.effects(), [Effect::Keep { room: "1/n:6".to_owned(), state: None }]);
    assert_eq!(anew.reserve(&caller("d"), now).map_err(fault).unwrap_err().code, -102_011, "banned");
    assert_eq!(anew.reserve(&caller("e"), now).map_err(fault).unwrap_err().code, -102_011, "locked");
    for user in ["c", "b", "a"] {
        anew.reserve(&caller(user), now).unwrap();
        anew.joined(KEY, user, now);
    }
    let effects = anew.effects();
    let told = state(&effects).unwrap();
    assert_eq!((told.owner.as_deref(), told.co_hosts.as_slice()), (Some("a"), &["b".to_owned()][..]));
    assert!(told.locked && told.forbidden == ["c"], "{told:?}");
    let banned = orders(&effects).into_iter().filter(|order| order.starts_with("banned"));
    assert_eq!(banned.collect::<Vec<_>>(), [r#"banned ["d"] to ["b"]"#, r#"banned ["d"] to ["a"]"#]);
    let mut late = Rooms::default();
    late.restore(vec![(KEY.to_owned(), text)], now);
    late.expire(now + seconds(90));
    assert!(late.effects().contains(&Effect::Keep { room: KEY.to_owned(), state: None }));
    late.reserve(&caller("d"), now + seconds(90)).expect("the room is over");
}

#[test]
fn who_is_kept_out_only_hosts_hear() {
    let now = Instant::now();
    let mut rooms = call(&["a", "b", "c"], now);
    let co_host = |on| HostAction::CoHost { user_id: id("b"), on };
    let ban = HostAction::Remove { user_id: id("x"), ban: true };
    rooms.act(KEY, &by("a"), &ban, now).unwrap();
    let effects = rooms.effects();
    assert!(orders(&effects).contains(&r#"banned ["x"] to ["a"]"#.to_owned()));
    assert!(state(&effects).is_none_or(|told| told.banned.is_empty()), "not in what everybody can read");
    assert!(act(&mut rooms, "a", &co_host(true), now).contains(&r#"banned ["x"] to ["b"]"#.to_owned()));
    assert!(act(&mut rooms, "a", &co_host(false), now).contains(&r#"banned [] to ["b"]"#.to_owned()));
    let unban = HostAction::Unban { user_id: id("x") };
    assert!(act(&mut rooms, "a", &unban, now).contains(&r#"banned [] to ["a"]"#.to_owned()));
}

#[test]
fn an_owner_who_does_not_come_back_after_a_restart_is_followed() {
    let now = Instant::now();
    let mut rooms = Rooms::default();
    rooms.reserve(&caller("a"), now).unwrap();
    rooms.joined(KEY, "a", now);
    let text = kept(&mut rooms).unwrap();
    let mut anew = Rooms::default();
    anew.restore(vec![(KEY.to_owned(), text)], now);
    anew.reserve(&caller("b"), now).unwrap();
    anew.joined(KEY, "b", now);
    assert_eq!(state(&anew.effects()).unwrap().owner.as_deref(), Some("a"), "still expected");
    anew.expire(now + seconds(90));
    assert_eq!(owner(&mut anew).as_deref(), Some("b"));
}
