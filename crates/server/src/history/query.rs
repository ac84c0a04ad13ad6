//! Questions about rooms and stays, and their answers.

use rusqlite::{Connection, Params, Row, params};

/// Which rows of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Counted from 0.
    pub(crate) number: u32,
    /// Rows on a page.
    pub(crate) size: u32,
}

impl Page {
    fn offset(self) -> i64 {
        i64::from(self.number) * i64::from(self.size)
    }
}

/// Rooms that were open at some time from `start` to `end`, both Unix seconds and included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomQuery {
    /// Whose rooms.
    pub(crate) app: u32,
    /// Beginning of the span.
    pub(crate) start: u64,
    /// End of the span.
    pub(crate) end: u64,
    /// The present: what is open has lasted until then.
    pub(crate) now: u64,
    /// Only rooms of this number or text.
    pub(crate) name: Option<String>,
    /// Which of them.
    pub(crate) page: Page,
}

/// One life of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomRow {
    /// Its number or text.
    pub(crate) name: String,
    /// Unix seconds.
    pub(crate) created: i64,
    /// Unix seconds; none while it is open.
    pub(crate) closed: Option<i64>,
    /// Who entered first.
    pub(crate) creator: String,
}

/// Stays in one life of a room that lasted at some time from `start` to `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StayQuery {
    /// Whose room.
    pub(crate) app: u32,
    /// The room's number or text.
    pub(crate) name: String,
    /// When the room was created, Unix seconds.
    pub(crate) created: u64,
    /// Beginning of the span, Unix seconds.
    pub(crate) start: u64,
    /// End of the span, Unix seconds.
    pub(crate) end: u64,
    /// The present, Unix seconds: who is in has stayed until then.
    pub(crate) now: u64,
    /// Only these people.
    pub(crate) users: Option<Vec<String>>,
    /// Which of them.
    pub(crate) page: Page,
}

/// Somebody's stay in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StayRow {
    /// Who.
    pub(crate) user: String,
    /// Unix seconds.
    pub(crate) joined: i64,
    /// Unix seconds; none while they are in.
    pub(crate) left: Option<i64>,
    /// Kind of device, or the operating system; empty when not told.
    pub(crate) device: String,
    /// Name and version of the library; empty when not told.
    pub(crate) sdk: String,
    /// Where they came from; empty when not known.
    pub(crate) address: String,
}

impl RoomQuery {
    /// The rows of the page, oldest first.
    pub(super) fn rows(&self, database: &Connection) -> rusqlite::Result<Vec<RoomRow>> {
        let wanted = params![
            self.app,
            whole(self.end),
            first_ms(self.start),
            self.name,
            last_ms(self.now),
            self.page.size,
            self.page.offset()
        ];
        let text = "SELECT name, created, closed_ms / 1000, creator FROM room
            WHERE app = ?1 AND created <= ?2 AND coalesce(closed_ms, ?5) >= ?3
            AND (?4 IS NULL OR name = ?4) ORDER BY created, id LIMIT ?6 OFFSET ?7";
        all(database, text, wanted, |row| {
            Ok(RoomRow { name: row.get(0)?, created: row.get(1)?, closed: row.get(2)?, creator: row.get(3)? })
        })
    }
}

/// What all questions about stays have in common; the names of the parameters are those of [`StayQuery`].
/// Where a room of a number and one of the same text were created in one second, the number is meant.
const STAYS: &str = "FROM stay WHERE room =
    (SELECT id FROM room WHERE app = ?1 AND name = ?2 AND created = ?3 ORDER BY by_text LIMIT 1)
    AND joined_ms <= ?4 AND coalesce(left_ms, ?7) >= ?5
    AND (?6 IS NULL OR user IN (SELECT value FROM json_each(?6)))";

impl StayQuery {
    /// How many rows there are on all pages.
    pub(super) fn count(&self, database: &Connection) -> rusqlite::Result<u64> {
        let text = format!("SELECT count(*) {STAYS}");
        let wanted = params![
            self.app,
            self.name,
            whole(self.created),
            last_ms(self.end),
            first_ms(self.start),
            self.list(),
            last_ms(self.now)
        ];
        let count: i64 = database.prepare(&text)?.query_row(wanted, |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The rows of the page, oldest first.
    pub(super) fn rows(&self, database: &Connection) -> rusqlite::Result<Vec<StayRow>> {
        let text = format!(
            "SELECT user, joined_ms / 1000, left_ms / 1000, device, sdk, address {STAYS}
             ORDER BY joined_ms, stay.id LIMIT ?8 OFFSET ?9"
        );
        let wanted = params![
            self.app,
            self.name,
            whole(self.created),
            last_ms(self.end),
            first_ms(self.start),
            self.list(),
            last_ms(self.now),
            self.page.size,
            self.page.offset()
        ];
        all(database, &text, wanted, |row| {
            Ok(StayRow {
                user: row.get(0)?,
                joined: row.get(1)?,
                left: row.get(2)?,
                device: row.get(3)?,
                sdk: row.get(4)?,
                address: row.get(5)?,
            })
        })
    }

    /// The people as a list in JSON, which is one parameter however many they are.
    fn list(&self) -> Option<String> {
        self.users.as_ref().map(|users| serde_json::Value::from(users.clone()).to_string())
    }
}

fn all<T>(
    database: &Connection,
    text: &str,
    wanted: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    database.prepare(text)?.query_map(wanted, read)?.collect()
}

/// A number as SQLite holds it.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The first millisecond of a second.
fn first_ms(seconds: u64) -> i64 {
    whole(seconds).saturating_mul(1000)
}

/// The last millisecond of a second.
fn last_ms(seconds: u64) -> i64 {
    first_ms(seconds).saturating_add(999)
}
