//! What the rules of the room service want done.

use std::collections::HashMap;

use confab_protocol::{Notice, ROLE_ATTRIBUTE, Role, RoomId};

use crate::engine::{Kind, Permission};
use crate::happening::{Happening, What};

/// One thing to do, in the order in which the rules say so.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// The engine does it.
    Order {
        /// Wire name of the room.
        room: String,
        /// What.
        order: Order,
    },
    /// History and callbacks are told.
    Tell(Happening),
    /// What is to outlive a restart of the server; None forgets the room.
    Keep {
        /// Wire name of the room.
        room: String,
        /// JSON.
        state: Option<String>,
    },
}

/// What the engine is to do in a room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    /// Let somebody do this from now on.
    Permission(String, Permission),
    /// Set attributes of somebody.
    Attributes(String, HashMap<String, String>),
    /// Mute everything of that kind that somebody sends.
    Silence(String, Kind),
    /// Put somebody out.
    Remove(String, Notice),
    /// End the room.
    Dismiss(Notice),
    /// Tell these people, or everybody when none is named.
    Notice(Notice, Vec<String>),
    /// Set the room's metadata.
    Metadata(String),
}

impl Order {
    /// Everybody is to see that somebody is in that role.
    pub(crate) fn role(identity: &str, role: Role) -> Order {
        let attributes = HashMap::from([(ROLE_ATTRIBUTE.to_owned(), role.name().to_owned())]);
        Order::Attributes(identity.to_owned(), attributes)
    }
}

/// Collects effects.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    effects: Vec<Effect>,
    /// Unix time of what is being done, milliseconds.
    unix_ms: u64,
    /// What is kept stays as it is.
    frozen: bool,
}

impl Agenda {
    /// From now on it is that time, Unix milliseconds.
    pub(crate) fn set_time(&mut self, unix_ms: u64) {
        self.unix_ms = unix_ms;
    }

    /// From now on what is kept stays as it is, because the server stops and people are expected back.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Unix seconds.
    pub(crate) fn unix(&self) -> u64 {
        self.unix_ms / 1000
    }

    /// Everything since the last call.
    pub(crate) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn order(&mut self, room: &str, order: Order) {
        self.effects.push(Effect::Order { room: room.to_owned(), order });
    }

    /// A room is over that was created at that Unix time, in seconds, if anybody came, and `kept` where it
    /// was to outlive a restart. One that is kept while the server stops goes on when that is back.
    pub(crate) fn over(&mut self, key: &str, created: Option<u64>, kept: bool, by: Option<&str>) {
        if kept && self.frozen {
            return;
        }
        if let Some(created) = created {
            self.happened(key, created, What::RoomClosed { by: by.and_then(|by| by.parse().ok()) });
        }
        if kept {
            self.keep(key, None);
        }
    }

    /// Whether what is kept stays as it is.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    pub(crate) fn keep(&mut self, room: &str, state: Option<String>) {
        self.effects.push(Effect::Keep { room: room.to_owned(), state });
    }

    /// Notes what has happened in a room that was created at that Unix time, in seconds. Rooms of other
    /// names than the room service's are nobody's.
    pub(crate) fn happened(&mut self, key: &str, created: u64, what: What) {
        if let Some((app, room)) = RoomId::from_key(key) {
            self.effects.push(Effect::Tell(Happening { app, room, created, at_ms: self.unix_ms, what }));
        }
    }
}
