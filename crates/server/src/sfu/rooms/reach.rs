//! Telling a room how well each of its people reaches the server.

use std::time::Instant;

use confab_protocol::Quality;
use confab_signal::{lk, quality};
use lk::signal_response::Message;

use super::Rooms;
use crate::sfu::arena::Key;
use crate::sfu::person::Person;
use crate::sfu::reach::{Counted, INTERVAL};
use crate::sfu::room::Room;

impl Rooms {
    /// Looks at everybody in a room, if it is time, and tells what changed.
    pub(super) fn reaches(&mut self, key: Key<Room>, now: Instant) {
        let Some(room) = self.rooms.get_mut(key).filter(|room| now >= room.reach_due) else { return };
        room.reach_due = now + INTERVAL;
        let people = room.people.clone();
        let changed: Vec<_> = people.iter().copied().filter(|person| self.look(*person, now)).collect();
        if !changed.is_empty() {
            for to in people {
                self.tell_reaches(to, &changed, now);
            }
        }
    }

    /// Tells somebody who has come, or come back, how well everybody reaches us.
    pub(super) fn tell_all_reaches(&mut self, to: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(to) else { return };
        let people = self.people_of(person.room);
        self.tell_reaches(to, &people, now);
    }

    fn look(&mut self, key: Key<Person>, now: Instant) -> bool {
        let Rooms { people, peers, tracks, .. } = self;
        let Some(person) = people.get_mut(key) else { return false };
        let mut voice = Counted::default();
        for track in &person.tracks {
            if let Some(track) = tracks.get_mut(*track) {
                voice += track.arrivals.take();
            }
        }
        if person.lost.is_some() {
            return person.reach.cut();
        }
        let connected = [person.publisher, person.subscriber].into_iter().filter_map(|side| peers.get(side));
        let heard = connected.filter(|peer| peer.connected).map(|peer| peer.heard).max();
        person.reach.look(heard, voice, now)
    }

    /// Tells somebody how well those people reach us, themselves among them. Nobody hears of
    /// themselves that they are lost: who hears it is not, and clients start anew on that word.
    fn tell_reaches(&mut self, to: Key<Person>, about: &[Key<Person>], now: Instant) {
        let known = about.iter().filter_map(|key| {
            let person = self.people.get(*key)?;
            let told = person.reach.quality();
            let may_hear = if *key == to { told != Quality::Down } else { person.is_visible() };
            may_hear.then(|| quality::encode(&person.sid, told)).flatten()
        });
        let updates: Vec<_> = known.collect();
        if !updates.is_empty() {
            let update = lk::ConnectionQualityUpdate { updates };
            self.tell(to, Message::ConnectionQuality(update), now);
        }
    }
}
