//! The history over its handle, as the server uses it.

use std::path::PathBuf;

use confab_protocol::{LeaveReason, Role, RoomId, SdkAppId};

use super::*;
use crate::happening::{ClientInfo, What};

const NOW: u64 = 1_700_000_000;

fn happening(at: u64, what: What) -> Happening {
    Happening {
        app: SdkAppId(7),
        room: RoomId::number(5_u32).unwrap(),
        created: NOW,
        at_ms: at * 1000 + 400,
        what,
    }
}

fn created(by: &str) -> What {
    What::RoomCreated { by: by.parse().unwrap() }
}

fn entered(user: &str, again: bool) -> What {
    let client = ClientInfo {
        os: "linux".to_owned(),
        device: String::new(),
        sdk: "rust 1.0".to_owned(),
        browser: false,
        address: Some("192.0.2.7".parse().unwrap()),
    };
    What::Entered { user: user.parse().unwrap(), role: Role::Anchor, again, client }
}

fn left(user: &str, reason: LeaveReason) -> What {
    let client = ClientInfo::default();
    What::Left { user: user.parse().unwrap(), role: Role::Anchor, reason, client }
}

async fn memory() -> (History, HistoryThread) {
    History::start(None, Counter::default()).await.unwrap()
}

async fn file(path: &Path) -> Result<(History, HistoryThread), HistoryError> {
    History::start(Some(path.to_owned()), Counter::default()).await
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("confab.db");
    (folder, path)
}

fn rooms_of(start: u64, end: u64) -> RoomQuery {
    RoomQuery { app: 7, start, end, now: end, name: None, page: Page { number: 0, size: 10 } }
}

fn stays_of(start: u64, end: u64) -> StayQuery {
    StayQuery {
        app: 7,
        name: "5".to_owned(),
        created: NOW,
        start,
        end,
        now: end,
        users: None,
        page: Page { number: 0, size: 10 },
    }
}

/// Who, from when, to when, in seconds after the beginning.
async fn stays(history: &History, query: StayQuery) -> Vec<(String, i64, Option<i64>)> {
    let begin = i64::try_from(NOW).unwrap();
    let (_, rows) = history.stays(query).await.unwrap();
    rows.into_iter().map(|row| (row.user, row.joined - begin, row.left.map(|left| left - begin))).collect()
}

async fn all_stays(history: &History) -> Vec<(String, i64, Option<i64>)> {
    stays(history, stays_of(NOW, NOW + 10_000)).await
}

fn stay(user: &str, from: i64, to: Option<i64>) -> (String, i64, Option<i64>) {
    (user.to_owned(), from, to)
}

#[tokio::test]
async fn a_room_and_its_stays_are_remembered_from_beginning_to_end() {
    let (history, _thread) = memory().await;
    history.tell(&happening(NOW, created("ann")));
    history.tell(&happening(NOW, entered("ann", false)));
    history.tell(&happening(NOW + 5, entered("bob", false)));
    history.tell(&happening(NOW + 9, left("ann", LeaveReason::Left)));
    let open = history.rooms(rooms_of(NOW, NOW + 10)).await.unwrap();
    let begin = i64::try_from(NOW).unwrap();
    let mut row = RoomRow { name: "5".to_owned(), created: begin, closed: None, creator: "ann".to_owned() };
    assert_eq!(open, [row.clone()]);
    assert_eq!(all_stays(&history).await, [stay("ann", 0, Some(9)), stay("bob", 5, None)]);
    history.tell(&happening(NOW + 20, What::RoomClosed { by: None }));
    row.closed = Some(begin + 20);
    assert_eq!(history.rooms(rooms_of(NOW, NOW + 10)).await.unwrap(), [row]);
    assert_eq!(all_stays(&history).await[1], stay("bob", 5, Some(20)), "he was in it to its end");
    let (_, rows) = history.stays(stays_of(NOW, NOW + 10)).await.unwrap();
    let told = (rows[0].device.as_str(), rows[0].sdk.as_str(), rows[0].address.as_str());
    assert_eq!(told, ("linux", "rust 1.0", "192.0.2.7"));
}

#[tokio::test]
async fn who_comes_back_to_a_stay_goes_on_with_it_and_who_enters_anew_begins_one() {
    let (history, _thread) = memory().await;
    history.tell(&happening(NOW, entered("ann", false)));
    history.tell(&happening(NOW + 10, entered("ann", true)));
    assert_eq!(all_stays(&history).await, [stay("ann", 0, None)]);
    history.tell(&happening(NOW + 20, entered("ann", false)));
    assert_eq!(all_stays(&history).await, [stay("ann", 0, Some(20)), stay("ann", 20, None)]);
    history.tell(&happening(NOW + 30, left("ann", LeaveReason::BecameAudience)));
    assert_eq!(all_stays(&history).await[1], stay("ann", 20, None), "she watches on");
    history.tell(&happening(NOW + 40, left("ann", LeaveReason::TimedOut)));
    history.tell(&happening(NOW + 50, entered("ann", true)));
    let three = [stay("ann", 0, Some(20)), stay("ann", 20, Some(40)), stay("ann", 50, None)];
    assert_eq!(all_stays(&history).await, three);
}

#[tokio::test]
async fn a_question_finds_what_was_there_at_some_time_of_its_span() {
    let (history, _thread) = memory().await;
    history.tell(&happening(NOW, entered("ann", false)));
    history.tell(&happening(NOW + 100, left("ann", LeaveReason::Left)));
    history.tell(&happening(NOW + 100, What::RoomClosed { by: None }));
    for (start, end, found) in [(99, 200, 1), (100, 200, 1), (101, 200, 0), (50, 60, 1), (0, 0, 1)] {
        let rooms = history.rooms(rooms_of(NOW + start, NOW + end)).await.unwrap();
        assert_eq!(rooms.len(), found, "rooms from {start} to {end}");
        let (total, rows) = history.stays(stays_of(NOW + start, NOW + end)).await.unwrap();
        assert_eq!((total, rows.len()), (found as u64, found), "stays from {start} to {end}");
    }
    assert!(history.rooms(rooms_of(NOW - 9, NOW - 1)).await.unwrap().is_empty());
    let other = RoomQuery { app: 8, ..rooms_of(NOW, NOW + 9) };
    assert!(history.rooms(other).await.unwrap().is_empty(), "another app's");
}

#[tokio::test]
async fn pages_people_and_names_choose_rows() {
    let (history, _thread) = memory().await;
    for user in ["a", "b", "c", "d", "e"] {
        history.tell(&happening(NOW, entered(user, false)));
    }
    let page = |number, size| StayQuery { page: Page { number, size }, ..stays_of(NOW, NOW) };
    assert_eq!(stays(&history, page(1, 2)).await, [stay("c", 0, None), stay("d", 0, None)]);
    assert_eq!(stays(&history, page(2, 2)).await, [stay("e", 0, None)]);
    assert!(stays(&history, page(u32::MAX, 100)).await.is_empty());
    assert_eq!(history.stays(page(2, 2)).await.unwrap().0, 5, "on all pages");
    let users = Some(vec!["b".to_owned(), "nobody".to_owned(), "\"x".to_owned()]);
    let some = StayQuery { users, ..stays_of(NOW, NOW) };
    assert_eq!(stays(&history, some).await, [stay("b", 0, None)]);

    let text = RoomId::text("5").unwrap();
    history.tell(&Happening { room: text, ..happening(NOW, created("a")) });
    let sixth = RoomId::number(6_u32).unwrap();
    history.tell(&Happening { room: sixth, ..happening(NOW, created("a")) });
    let named = |name: &str| RoomQuery { name: Some(name.to_owned()), ..rooms_of(NOW, NOW) };
    assert_eq!(history.rooms(named("5")).await.unwrap().len(), 2, "5 and \"5\" are two rooms");
    assert_eq!(history.rooms(named("6")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_a_number_and_a_text_created_in_one_second_the_number_has_the_stays() {
    let (history, _thread) = memory().await;
    let text = RoomId::text("5").unwrap();
    history.tell(&Happening { room: text, ..happening(NOW, entered("tom", false)) });
    assert_eq!(all_stays(&history).await, [stay("tom", 0, None)], "there is no number yet");
    history.tell(&happening(NOW, entered("ann", false)));
    assert_eq!(all_stays(&history).await, [stay("ann", 0, None)]);
}

#[tokio::test]
async fn a_new_room_ends_an_earlier_one_of_its_name_whose_end_was_lost() {
    let (history, _thread) = memory().await;
    history.tell(&happening(NOW, entered("ann", false)));
    history.tell(&Happening { created: NOW + 60, ..happening(NOW + 60, created("bob")) });
    let rooms = history.rooms(rooms_of(NOW, NOW + 60)).await.unwrap();
    let begin = i64::try_from(NOW).unwrap();
    assert_eq!(rooms.iter().map(|room| room.closed).collect::<Vec<_>>(), [Some(begin + 60), None]);
    assert_eq!(all_stays(&history).await, [stay("ann", 0, Some(60))]);
}

/// A minute ago: what ended long before the real present is forgotten when a file is opened.
fn lately() -> u64 {
    u64::try_from(signed_ms()).unwrap() / 1000 - 60
}

fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap()
}

#[tokio::test]
async fn what_was_told_survives_a_stop_and_what_was_open_ends_with_the_server() {
    let (_folder, path) = fresh();
    let begin = lately();
    {
        let (history, _thread) = file(&path).await.unwrap();
        history.tell(&happening(begin, entered("ann", false)));
        history.tell(&happening(begin + 3, entered("bob", false)));
        history.tell(&happening(begin + 5, left("ann", LeaveReason::Left)));
    }
    let (history, thread) = file(&path).await.unwrap();
    let (_, rows) = history.stays(stays_of(begin, begin + 10)).await.unwrap();
    assert_eq!(rows[0].left, Some(seconds(begin + 5)));
    let ended = rows[1].left.expect("he is out");
    assert!(
        (seconds(begin + 59)..=signed_ms() / 1000).contains(&ended),
        "when the server was alive last: {ended}"
    );
    let rooms = history.rooms(rooms_of(begin, begin + 10)).await.unwrap();
    assert_eq!(rooms[0].closed, Some(ended));
    drop(thread);
    assert_eq!(history.rooms(rooms_of(NOW, NOW)).await, Err(Unanswered), "nobody is there any more");
}

/// Opens the database as a server would after the one that has it was killed at this moment.
fn killed(path: &Path) -> Option<Connection> {
    let folder = tempfile::tempdir().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    for name in [name.to_owned(), format!("{name}-wal")] {
        std::fs::copy(path.with_file_name(&name), folder.path().join(&name)).unwrap();
    }
    schema::open(Some(&folder.path().join(name)), signed_ms()).ok()
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_is_older_than_a_moment_and_leaves_nobody_in() {
    let (_folder, path) = fresh();
    let (history, _thread) = file(&path).await.unwrap();
    let begin = lately();
    history.tell(&happening(begin, entered("ann", false)));
    history.tell(&happening(begin + 5, entered("bob", false)));
    history.tell(&happening(begin + 9, left("ann", LeaveReason::Left)));
    history.keep("a".to_owned(), Some("1".to_owned()));
    let written = async {
        loop {
            if let Some(found) = killed(&path).filter(|found| !schema::kept(found).unwrap().is_empty()) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    // Half a second is what it takes; the rest is for a busy machine.
    let database = tokio::time::timeout(std::time::Duration::from_secs(20), written).await.expect("in time");
    let rows = stays_of(begin, begin + 10).rows(&database).unwrap();
    assert_eq!(rows[0].left, Some(seconds(begin + 9)));
    let ended = rows[1].left.expect("he is out");
    assert!(
        (seconds(begin + 59)..=signed_ms() / 1000).contains(&ended),
        "when the server was alive last: {ended}"
    );
    assert_eq!(rooms_of(begin, begin).rows(&database).unwrap()[0].closed, Some(ended));
}

#[tokio::test]
async fn a_room_that_a_server_takes_up_again_is_open_again() {
    let (_folder, path) = fresh();
    {
        let (history, _thread) = file(&path).await.unwrap();
        history.tell(&happening(NOW, entered("ann", false)));
    }
    let (history, _thread) = file(&path).await.unwrap();
    history.tell(&happening(NOW + 60, entered("ann", true)));
    let rooms = history.rooms(rooms_of(NOW, NOW)).await.unwrap();
    assert_eq!((rooms.len(), rooms[0].closed), (1, None));
}

#[tokio::test]
async fn what_is_kept_survives_a_short_absence_and_no_long_one() {
    let (_folder, path) = fresh();
    {
        let (history, _thread) = file(&path).await.unwrap();
        history.keep("a".to_owned(), Some("1".to_owned()));
        history.keep("b".to_owned(), Some("1".to_owned()));
        history.keep("a".to_owned(), Some("{\"x\":2}".to_owned()));
        history.keep("b".to_owned(), None);
    }
    let kept = [("a".to_owned(), "{\"x\":2}".to_owned())];
    let after = |ms| schema::kept(&schema::open(Some(&path), signed_ms() + ms).unwrap()).unwrap();
    assert_eq!(after(80_000), kept);
    // That server was alive last when it started, 80 s from now.
    assert_eq!(after(80_000 + 89_000), kept);
    assert!(after(80_000 + 89_000 + 91_000).is_empty());
}

#[test]
fn what_ended_a_fortnight_ago_is_forgotten() {
    let (_folder, path) = fresh();
    let begin = i64::try_from(NOW).unwrap() * 1000;
    let day = 86_400_000;
    let database = schema::open(Some(&path), begin).unwrap();
    record::record(&database, &happening(NOW, entered("ann", false))).unwrap();
    record::record(&database, &happening(NOW + 60, left("ann", LeaveReason::Left))).unwrap();
    record::record(&database, &happening(NOW + 86_400, entered("bob", false))).unwrap();
    let count = |table: &str| -> i64 {
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    schema::prune(&database, begin + 14 * day).unwrap();
    assert_eq!((count("room"), count("stay")), (1, 2));
    schema::prune(&database, begin + 14 * day + 61_000).unwrap();
    assert_eq!((count("room"), count("stay")), (1, 1), "the room is still open");
    record::record(&database, &happening(NOW + 86_400, What::RoomClosed { by: None })).unwrap();
    schema::prune(&database, begin + 16 * day).unwrap();
    assert_eq!((count("room"), count("stay")), (0, 0));
}

async fn refusal(path: &Path) -> String {
    file(path).await.map(drop).expect_err("it must not open").to_string()
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_with_what_to_do() {
    let (folder, path) = fresh();
    let name = path.display().to_string();
    let (_history, _thread) = file(&path).await.unwrap();
    let said = refusal(&path).await;
    assert!(said.contains(&name) && said.contains("in use by another server"), "{said}");

    let nowhere = folder.path().join("nowhere/confab.db");
    let said = refusal(&nowhere).await;
    assert!(said.contains("nowhere/confab.db cannot be used: ") && said.contains("--database"), "{said}");
    let said = refusal(folder.path()).await;
    assert!(said.contains("cannot be used"), "{said}");

    let text = folder.path().join("text");
    std::fs::write(&text, "this is no database, whatever its name says".repeat(99)).unwrap();
    let before = std::fs::read(&text).unwrap();
    let said = refusal(&text).await;
    assert!(said.contains("is not a database of this server"), "{said}");
    assert_eq!(std::fs::read(&text).unwrap(), before, "it is left as it was");
}

#[tokio::test]
async fn databases_of_others_and_of_the_future_are_left_alone() {
    let (folder, path) = fresh();
    drop(schema::open(Some(&path), 0).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let said = refusal(&path).await;
    assert!(said.contains("newer version of this server (schema 99, known are those up to 1)"), "{said}");

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&other).unwrap();
    let said = refusal(&other).await;
    assert!(said.contains("is not a database of this server"), "{said}");
    assert_eq!(std::fs::read(&other).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file_and_those_beside_it() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, path) = fresh();
    let (history, _thread) = file(&path).await.unwrap();
    history.tell(&happening(NOW, entered("ann", false)));
    history.rooms(rooms_of(NOW, NOW)).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() > 1, "there is a log beside it");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn what_finds_the_queue_full_is_counted() {
    let counter = Counter::default();
    let (history, _thread) = History::start(None, counter.clone()).await.unwrap();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (began, begins) = oneshot::channel();
    let stuck = history.clone();
    let waiting = tokio::spawn(async move {
        let block = move |_: &Connection| {
            let _ = began.send(());
            let _ = held.recv();
            Ok(())
        };
        stuck.ask(block).await
    });
    begins.await.unwrap();
    for _ in 0..QUEUE + 3 {
        history.tell(&happening(NOW, created("ann")));
    }
    assert_eq!(counter.get(), 3);
    drop(hold);
    waiting.await.unwrap().unwrap();
    assert_eq!(history.rooms(rooms_of(NOW, NOW)).await.unwrap().len(), 1, "it goes on");
}
