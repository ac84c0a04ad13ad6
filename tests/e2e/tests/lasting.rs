//! Meetings one after the other: nothing of the early ones is left after the later ones. The programs
//! are measured from outside, as the computers of those who run them have them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::process::Command;

use e2e::{Computer, Person, Screen, Service, Usage, descendants, film, headless, turn};
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// Stays that are over before the first measurement: caches are filled by then.
const EARLY: usize = 5;
/// Stays from one measurement to the next.
const MANY: usize = 45;
/// How much more memory there may be then, per cent.
const MORE: u64 = 5;
/// The same for the webview's processes, whose engine fills its pools first and clears away when it
/// likes: from 335 MB after five stays to between 390 and 430 after fifty, and to 424 after 150.
const WEBVIEW: u64 = 40;

/// Lets a program give back to the system what it has given back to the allocator, which otherwise
/// keeps some for every thread that it has seen: what is measured is in use.
fn thrifty(mut command: Command) -> Command {
    command.env("MALLOC_ARENA_MAX", "1").env("MALLOC_TRIM_THRESHOLD_", "65536");
    command
}

/// Comes, sends, sees and hears the host, and goes.
fn stay(person: &mut Person, entry: &Value) {
    person.forget();
    person.join(entry).unwrap();
    person.event("onFirstVideoFrame", |data| data["userId"] == "host").unwrap();
    person.event("onFirstAudioFrame", |data| data["userId"] == "host").unwrap();
    person.request("exit_room", &json!({})).unwrap();
    person.event("onExitRoom", |_| true).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stays_leave_nothing_behind_however_many_they_are() {
    let _turn = turn().await;
    let clip = film("carphone-360p15").unwrap();
    let service = Service::start_with(thrifty).await.unwrap();
    let computers = [("lasting-ann", 500.0), ("lasting-bo", 1_100.0)];
    let computers = computers.map(|(name, hertz)| Computer::start(name, &clip, hertz).unwrap());
    let screen = Screen::start().unwrap();
    // Each meets somebody of their own: how many are there at a time is the same in every stay.
    let rooms = [json!(9), json!(10)];
    let homes = rooms.each_ref().map(|_| tempfile::tempdir().unwrap());
    block_in_place(|| {
        let hosts = homes.iter().zip(&rooms).map(|(home, room)| {
            let camera = format!("file:{}", clip.display());
            let mut host = Person::start(&mut headless(home.path(), &camera)).unwrap();
            host.join(&service.entry("host", room).unwrap()).unwrap();
            host
        });
        let _hosts: Vec<Person> = hosts.collect();
        let mut window = Person::start(&mut thrifty(computers[0].scripted(&screen).unwrap())).unwrap();
        let mut plain = Person::start(&mut thrifty(computers[1].headless().unwrap())).unwrap();
        let ours = [("the server", service.process()), ("the window", window.process())];
        let ours = ours.into_iter().chain([("the program without a window", plain.process())]);
        let ours = ours.map(|(name, id)| (name.to_owned(), id, MORE));
        let mut stays = |count: usize| {
            std::thread::scope(|scope| {
                for ((person, name), room) in
                    [(&mut window, "ann"), (&mut plain, "bo")].into_iter().zip(&rooms)
                {
                    let entry = service.entry(name, room).unwrap();
                    scope.spawn(move || (0..count).for_each(|_| stay(person, &entry)));
                }
            });
        };
        stays(EARLY);
        // The webview's own processes are there by now.
        let theirs = descendants(ours.clone().nth(1).unwrap().1).unwrap();
        let theirs = theirs.into_iter().map(|(id, name)| (name, id, WEBVIEW));
        let programs: Vec<(String, u32, u64)> = ours.chain(theirs).collect();
        let ids: Vec<u32> = programs.iter().map(|(_, id, _)| *id).collect();
        let mut looks = vec![Usage::at_rest(&ids).unwrap()];
        let mut measure = || {
            stays(MANY);
            looks.push(Usage::at_rest(&ids).unwrap());
            std::fs::write(e2e::kept("lasting.txt").unwrap(), format!("{programs:#?} {looks:#?}")).unwrap();
            let [.., early, late] = &looks[..] else { unreachable!("there are two") };
            let each = programs.iter().zip(early.iter().zip(late));
            let more = each.flat_map(|((name, _, percent), (early, late))| {
                let more = late.more_than(early, *percent).into_iter();
                more.map(move |(what, told)| (format!("{name}, {what}"), told))
            });
            more.collect::<BTreeMap<_, _>>()
        };
        let mut more = measure();
        if !more.is_empty() {
            // A pool that grew, or a heap that did not close up, stays as it is. What stays leave behind
            // is left behind by the next ones too.
            let again = measure();
            more.retain(|what, _| again.contains_key(what));
        }
        assert_eq!(more, BTreeMap::new());
    });
}
