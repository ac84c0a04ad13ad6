//! A room: its name and who is in it.

use std::time::Instant;

use confab_signal::lk;

use super::arena::Key;
use super::person::Person;
use super::reach;
use super::speakers::Speakers;

/// A room on one worker.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) sid: String,
    pub(crate) created_ms: i64,
    /// The application's own text.
    pub(crate) metadata: String,
    /// How many people may send, where the room service has rules for the room.
    pub(crate) publishing: Option<u32>,
    /// In the order of joining.
    pub(crate) people: Vec<Key<Person>>,
    pub(crate) speakers: Speakers,
    /// When it is looked next how well people reach us.
    pub(crate) reach_due: Instant,
}

impl Room {
    pub(crate) fn new(name: String, now: Instant, now_ms: i64) -> Room {
        Room {
            name,
            sid: super::ids::room(),
            created_ms: now_ms,
            metadata: String::new(),
            publishing: None,
            people: Vec::new(),
            speakers: Speakers::new(now),
            reach_due: now + reach::INTERVAL,
        }
    }

    /// What clients know of the room.
    pub(crate) fn info(&self) -> lk::Room {
        lk::Room {
            sid: self.sid.clone(),
            name: self.name.clone(),
            metadata: self.metadata.clone(),
            creation_time: self.created_ms / 1000,
            creation_time_ms: self.created_ms,
            num_participants: u32::try_from(self.people.len()).unwrap_or(u32::MAX),
            enabled_codecs: codecs(),
            ..lk::Room::default()
        }
    }
}

/// What may be published.
pub(crate) fn codecs() -> Vec<lk::Codec> {
    let codec = |mime: &str| lk::Codec { mime: mime.to_owned(), fmtp_line: String::new() };
    vec![codec("audio/opus"), codec("video/h264")]
}
