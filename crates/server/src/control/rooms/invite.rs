//! Letting one person in.

use std::time::Instant;

use confab_protocol::{Code, Fault, OneTimeTicket};

use super::Rooms;
use crate::control::By;
use crate::control::invites::NoEntrance;
use crate::control::rights::{self, Standing};

impl Rooms {
    /// Makes a ticket good for one person, if whoever asks is a host.
    pub(crate) fn invite(
        &mut self,
        key: &str,
        by: &By,
        ticket: &OneTimeTicket,
        now: Instant,
    ) -> Result<(), Fault> {
        self.expire(now);
        let room = self.rooms.get_mut(key).ok_or_else(|| Fault::new(Code::CENTER_ROOM_NOT_EXIST))?;
        let standing = by.name().map_or(Standing::Administrator, |user| room.standing(user));
        let refused = |why: String| Fault::new(Code::REFUSED).with_message(why);
        rights::is_host(standing).map_err(|forbidden| refused(forbidden.sentence().to_owned()))?;
        let added = room.invites.add(ticket, self.agenda.unix());
        added.map_err(|many| refused(many.to_string()))?;
        room.touched = true;
        self.settle(key, now);
        Ok(())
    }

    /// Makes a ticket the one of a person, before they enter with it.
    pub(crate) fn take_invite(
        &mut self,
        key: &str,
        ticket: &OneTimeTicket,
        user: &str,
        now: Instant,
    ) -> Result<(), NoEntrance> {
        self.expire(now);
        let room = self.rooms.get_mut(key).ok_or(NoEntrance::Unknown)?;
        room.invites.take(ticket, user, self.agenda.unix())?;
        room.touched = true;
        self.settle(key, now);
        Ok(())
    }
}
