//! What listeners were told, held against itself: whoever goes had come, whoever comes had gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::happening::{Happening, What};

/// Who is in which room, by what was told.
#[derive(Debug, Default)]
pub(super) struct Record {
    open: BTreeMap<String, Open>,
}

#[derive(Debug)]
struct Open {
    created: u64,
    inside: BTreeSet<String>,
}

impl Record {
    /// The server was away: rooms that were kept go on, without their people.
    pub(super) fn restart(&mut self, kept: &BTreeMap<String, String>) {
        self.open.retain(|key, _| kept.contains_key(key));
        self.open.values_mut().for_each(|open| open.inside.clear());
    }

    /// Takes what was told, unless it does not fit what was told before.
    pub(super) fn take(&mut self, happening: &Happening) -> Result<(), String> {
        let Happening { app, room, created, what, .. } = happening;
        let key = room.key(*app);
        let wrong = |why: &str| Err(format!("listeners were told {what:?} of {key}, and {why}"));
        if let What::RoomCreated { .. } = what {
            let open = Open { created: *created, inside: BTreeSet::new() };
            let before = self.open.insert(key.clone(), open);
            return if before.is_some() { wrong("it was there") } else { Ok(()) };
        }
        let Some(open) = self.open.get_mut(&key) else { return wrong("it was not there") };
        if open.created != *created {
            return wrong("it was created at another time");
        }
        match what {
            What::RoomClosed { .. } if !open.inside.is_empty() => return wrong("somebody was in"),
            What::RoomClosed { .. } => drop(self.open.remove(&key)),
            What::Entered { user, again, .. } => {
                if !open.inside.insert(user.to_string()) && !again {
                    return wrong("they were in");
                }
            }
            What::Left { user, .. } if !open.inside.remove(user.as_str()) => return wrong("they were out"),
            What::RoleChanged { user, .. } | What::Media { user, .. }
                if !open.inside.contains(user.as_str()) =>
            {
                return wrong("they were out");
            }
            What::RoomCreated { .. } | What::Left { .. } | What::RoleChanged { .. } | What::Media { .. } => {}
        }
        Ok(())
    }

    /// Who is in that room.
    pub(super) fn inside(&self, key: &str) -> BTreeSet<String> {
        self.open.get(key).map(|open| open.inside.clone()).unwrap_or_default()
    }
}
