//! What has happened, as rows.

use confab_protocol::{LeaveReason, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::happening::{ClientInfo, Happening, What};

/// Writes down one happening. Roles and media leave no row.
pub(super) fn record(database: &Connection, happening: &Happening) -> rusqlite::Result<()> {
    let at = Row::of(happening);
    match &happening.what {
        What::RoomCreated { by } => {
            at.end_earlier(database)?;
            at.open(database, by).map(drop)
        }
        What::RoomClosed { .. } => at.close(database),
        What::Entered { user, again, client, .. } => at.enter(database, user, *again, client),
        // Who watches on has not left.
        What::Left { reason: LeaveReason::BecameAudience, .. } => Ok(()),
        What::Left { user, .. } => at.leave(database, user),
        What::RoleChanged { .. } | What::Media { .. } => Ok(()),
    }
}

/// Which row of `room`, and when.
struct Row {
    app: u32,
    name: String,
    by_text: bool,
    created: i64,
    at: i64,
}

impl Row {
    fn of(happening: &Happening) -> Row {
        let (number, text) = (happening.room.as_number(), happening.room.as_text());
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Row {
            app: happening.app.0,
            name: number.map_or_else(|| text.unwrap_or_default().to_owned(), |number| number.to_string()),
            by_text: text.is_some(),
            created: whole(happening.created),
            at: whole(happening.at_ms),
        }
    }

    fn find(&self, database: &Connection) -> rusqlite::Result<Option<i64>> {
        database
            .prepare("SELECT id FROM room WHERE app = ?1 AND name = ?2 AND by_text = ?3 AND created = ?4")?
            .query_row(params![self.app, self.name, self.by_text, self.created], |row| row.get(0))
            .optional()
    }

    /// The row of an open room: a new one, or one that a server before this one left behind.
    fn open(&self, database: &Connection, by: &UserId) -> rusqlite::Result<i64> {
        database
            .prepare(
                "INSERT INTO room (app, name, by_text, created, creator) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET closed_ms = NULL RETURNING id",
            )?
            .query_row(params![self.app, self.name, self.by_text, self.created, by.as_str()], |row| {
                row.get(0)
            })
    }

    /// A room of that name whose end was lost has ended, because there is a new one.
    fn end_earlier(&self, database: &Connection) -> rusqlite::Result<()> {
        let rooms: Vec<i64> = database
            .prepare(
                "SELECT id FROM room WHERE app = ?1 AND name = ?2 AND by_text = ?3 AND created <> ?4
                 AND closed_ms IS NULL",
            )?
            .query_map(params![self.app, self.name, self.by_text, self.created], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        rooms.into_iter().try_for_each(|room| self.end(database, room))
    }

    fn close(&self, database: &Connection) -> rusqlite::Result<()> {
        match self.find(database)? {
            Some(room) => self.end(database, room),
            None => Ok(()),
        }
    }

    fn end(&self, database: &Connection, room: i64) -> rusqlite::Result<()> {
        database
            .prepare("UPDATE stay SET left_ms = ?2 WHERE room = ?1 AND left_ms IS NULL")?
            .execute(params![room, self.at])?;
        database
            .prepare("UPDATE room SET closed_ms = ?2 WHERE id = ?1 AND closed_ms IS NULL")?
            .execute(params![room, self.at])
            .map(drop)
    }

    /// Who comes back to a stay that is open goes on with it; anybody else begins one.
    fn enter(
        &self,
        database: &Connection,
        user: &UserId,
        again: bool,
        client: &ClientInfo,
    ) -> rusqlite::Result<()> {
        let room = self.open(database, user)?;
        if again && self.is_in(database, room, user)? {
            return Ok(());
        }
        self.out(database, room, user)?;
        let device = if client.device.is_empty() { &client.os } else { &client.device };
        let address = client.address.map(|address| address.to_string()).unwrap_or_default();
        database
            .prepare(
                "INSERT INTO stay (room, user, joined_ms, device, sdk, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![room, user.as_str(), self.at, device, client.sdk, address])
            .map(drop)
    }

    fn leave(&self, database: &Connection, user: &UserId) -> rusqlite::Result<()> {
        match self.find(database)? {
            Some(room) => self.out(database, room, user),
            None => Ok(()),
        }
    }

    fn is_in(&self, database: &Connection, room: i64, user: &UserId) -> rusqlite::Result<bool> {
        database
            .prepare("SELECT 1 FROM stay WHERE room = ?1 AND user = ?2 AND left_ms IS NULL")?
            .exists(params![room, user.as_str()])
    }

    fn out(&self, database: &Connection, room: i64, user: &UserId) -> rusqlite::Result<()> {
        database
            .prepare("UPDATE stay SET left_ms = ?3 WHERE room = ?1 AND user = ?2 AND left_ms IS NULL")?
            .execute(params![room, user.as_str(), self.at])
            .map(drop)
    }
}
