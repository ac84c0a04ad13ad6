//! The tables, and what is done with a file before it is used.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use super::{HistoryError, REMEMBERED};

/// Says in the file's head whose it is: "Cfab".
const OURS: i32 = 0x4366_6162;
/// Of these tables.
const VERSION: i32 = 1;
/// What a server kept is dropped when it has been away for longer, milliseconds.
const KEPT_FOR: i64 = 90_000;
/// How long a file that somebody has may take to become free: a server that is just ending has it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Times with `_ms` are Unix milliseconds, `created` is Unix seconds.
const TABLES: &str = "
CREATE TABLE server (alive_ms INTEGER NOT NULL) STRICT;
INSERT INTO server VALUES (0);
CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    name TEXT NOT NULL,
    by_text INTEGER NOT NULL,
    created INTEGER NOT NULL,
    creator TEXT NOT NULL,
    closed_ms INTEGER,
    UNIQUE (app, name, by_text, created)
) STRICT;
CREATE INDEX room_by_time ON room (app, created);
CREATE TABLE stay (
    id INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    joined_ms INTEGER NOT NULL,
    left_ms INTEGER,
    device TEXT NOT NULL,
    sdk TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX stay_by_time ON stay (room, joined_ms);
CREATE TABLE kept (key TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// Opens a file, or memory, so that nobody else has it, and ends what a server that was killed left
/// open; `now` in Unix milliseconds.
pub(super) fn open(file: Option<&Path>, now: i64) -> Result<Connection, HistoryError> {
    let path = file.unwrap_or(Path::new(":memory:"));
    let connection = match file {
        None => Connection::open_in_memory(),
        Some(file) => {
            create(file).map_err(|error| unusable(file, &error))?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(file, flags)
        }
    };
    let mut connection = connection.map_err(|error| refused(path, &error))?;
    prepare(&mut connection, path)?;
    recover(&mut connection, now).map_err(|error| refused(path, &error))?;
    Ok(connection)
}

/// Makes an empty file that only its owner may read: addresses of people stand in it. SQLite gives the
/// files beside it the same rights.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Looks whose file it is before anything in it is changed.
fn prepare(connection: &mut Connection, file: &Path) -> Result<(), HistoryError> {
    let wrong = |error: rusqlite::Error| refused(file, &error);
    connection.busy_timeout(PATIENCE).map_err(wrong)?;
    // The locks are kept until the end, so that a second server finds them.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(wrong)?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (owner, found) = (number("application_id").map_err(wrong)?, number("user_version").map_err(wrong)?);
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(wrong)?;
    match (owner, tables) {
        (OURS, _) if found > VERSION => {
            return Err(HistoryError::Newer { file: file.to_owned(), found, known: VERSION });
        }
        (OURS, _) | (0, 0) => {}
        _ => return Err(HistoryError::Foreign { file: file.to_owned() }),
    }
    // A commit is on its way to the disk then, and waits for it only now and again: a program that is
    // killed loses none, a machine without power may lose the last ones.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(wrong)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(wrong)?;
    let made = connection.transaction().and_then(|all| {
        if found == 0 {
            all.execute_batch(TABLES)?;
            all.pragma_update(None, "application_id", OURS)?;
            all.pragma_update(None, "user_version", VERSION)?;
        }
        // The first word in a file takes the lock, also where all is there.
        all.execute("UPDATE server SET alive_ms = alive_ms", [])?;
        all.commit()
    });
    made.map_err(wrong)
}

/// What was open when the last server ended has ended with it; what it kept holds only for a while.
fn recover(connection: &mut Connection, now: i64) -> rusqlite::Result<()> {
    let all = connection.transaction()?;
    let alive: i64 = all.query_row("SELECT alive_ms FROM server", [], |row| row.get(0))?;
    // Nothing ends before it began, whatever the clock did.
    all.execute("UPDATE stay SET left_ms = max(joined_ms, ?1) WHERE left_ms IS NULL", [alive])?;
    all.execute("UPDATE room SET closed_ms = max(created * 1000, ?1) WHERE closed_ms IS NULL", [alive])?;
    if now.saturating_sub(alive) > KEPT_FOR {
        all.execute("DELETE FROM kept", [])?;
    }
    prune(&all, now)?;
    live(&all, now)?;
    all.commit()
}

/// Writes down that the server runs at `now`.
pub(super) fn live(database: &Connection, now: i64) -> rusqlite::Result<()> {
    database.prepare("UPDATE server SET alive_ms = ?1")?.execute([now]).map(drop)
}

/// Forgets what ended too long ago.
pub(super) fn prune(database: &Connection, now: i64) -> rusqlite::Result<()> {
    let before = now.saturating_sub(i64::try_from(REMEMBERED).unwrap_or(i64::MAX).saturating_mul(1000));
    database.execute("DELETE FROM stay WHERE left_ms < ?1", [before])?;
    database.execute("DELETE FROM room WHERE closed_ms < ?1", [before]).map(drop)
}

/// Keeps a text, or forgets it.
pub(super) fn keep(database: &Connection, key: &str, state: Option<&str>) -> rusqlite::Result<()> {
    match state {
        Some(state) => {
            database.prepare("INSERT OR REPLACE INTO kept VALUES (?1, ?2)")?.execute(params![key, state])
        }
        None => database.prepare("DELETE FROM kept WHERE key = ?1")?.execute([key]),
    }
    .map(drop)
}

/// All that is kept.
pub(super) fn kept(database: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut rows = database.prepare("SELECT key, state FROM kept ORDER BY key")?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// An error of SQLite while a file is being opened, as the operator can mend it.
fn refused(file: &Path, error: &rusqlite::Error) -> HistoryError {
    let file_of = || file.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => HistoryError::Locked { file: file_of() },
        Some(ErrorCode::NotADatabase) => HistoryError::Foreign { file: file_of() },
        _ => unusable(file, error),
    }
}

fn unusable(file: &Path, reason: &dyn std::fmt::Display) -> HistoryError {
    HistoryError::Unusable { file: file.to_owned(), reason: reason.to_string() }
}
