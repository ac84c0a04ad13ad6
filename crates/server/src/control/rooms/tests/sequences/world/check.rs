//! The rooms, what people and listeners were told of them, and what is kept, against the model.

use std::collections::BTreeSet;

use confab_protocol::RoomState;

use super::super::command::{KEYS, NAMES};
use super::super::model;
use super::{Meeting, World, names, same};

impl World {
    /// Whether everything is as the model says.
    pub(super) fn check(&self) -> Result<(), String> {
        for (at, key) in KEYS.iter().enumerate() {
            let wanted = self.model.rooms.get(&at);
            let found = self.rooms.rooms.get(*key);
            same(&format!("there is a room {key}"), found.is_some(), wanted.is_some())?;
            let nobody = Meeting::default();
            let meeting = self.engine.get(&at).unwrap_or(&nobody);
            let present: BTreeSet<String> = wanted.iter().flat_map(|room| names(room.here.keys())).collect();
            same("in the engine", meeting.names().collect(), present.clone())?;
            same("in by what listeners were told", self.record.inside(key), present.clone())?;
            let (Some(room), Some(wanted)) = (found, wanted) else {
                same("kept of no room", self.kept.get(*key), None)?;
                continue;
            };
            let is_here = room.seats.iter().filter(|(_, seat)| seat.present);
            same("in", is_here.map(|(user, _)| user.clone()).collect(), present)?;
            let comes = room.seats.iter().filter(|(_, seat)| seat.reserved.is_some());
            let comes: BTreeSet<String> = comes.map(|(user, _)| user.clone()).collect();
            same("expected", comes, names(wanted.coming.keys()).collect())?;
            same("how the room stands", room.state(), wanted.state())?;
            let waiting: Vec<String> = names(wanted.waiting.iter().map(|(who, _)| who)).collect();
            let waits: Vec<String> = room.waiting.people().into_iter().map(|one| one.user_id).collect();
            same("waiting", waits, waiting.clone())?;
            same("kept", self.kept.contains_key(*key), wanted.outlives())?;
            if !meeting.people.is_empty() {
                self.check_told(meeting, wanted, &waiting)?;
            }
        }
        Ok(())
    }

    /// Whether those who are in were told how everything is.
    fn check_told(&self, meeting: &Meeting, wanted: &model::Room, waiting: &[String]) -> Result<(), String> {
        let mut told = RoomState::from_metadata(&meeting.metadata).unwrap_or_default();
        let mut state = wanted.state();
        if self.model.now < wanted.uncounted_until {
            for state in [&mut told, &mut state] {
                state.audience = 0;
                state.forbidden.clear();
            }
        }
        same("how the room stands as everybody was told", told, state)?;
        for (who, person) in &meeting.people {
            let name = NAMES[*who];
            if let Some(permission) = wanted.permission(*who) {
                same(&format!("what {name} may do"), person.permission, Some(permission))?;
                let role = wanted.here.get(who).map(|here| here.role);
                same(&format!("the role of {name}"), person.role, role)?;
            }
            let banned: Vec<String> = names(wanted.banned.iter()).collect();
            let heard: (&[String], &[String]) =
                if wanted.is_host(*who) { (waiting, &banned) } else { (&[], &[]) };
            let told = (person.waiting.as_slice(), person.banned.as_slice());
            same(&format!("waiting and kept out, as {name} heard"), told, heard)?;
        }
        Ok(())
    }
}
