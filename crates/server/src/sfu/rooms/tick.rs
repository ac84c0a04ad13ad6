//! What happens because time passes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_signal::lk;
use lk::signal_response::Message;

use super::Rooms;
use crate::sfu::arena::Key;
use crate::sfu::person::Person;
use crate::sfu::room::Room;
use crate::sfu::speakers::Change;

/// How often people and rooms are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often, while somebody is being seen off.
const QUICK_TICK: Duration = Duration::from_millis(10);

impl Rooms {
    /// When [`Rooms::expire`] or [`Rooms::forward`] has something to do, at the latest.
    pub(crate) fn next_wake(&self) -> Instant {
        let timers = self.timers.next().unwrap_or(self.next_tick);
        let forward = self.forward.deadline().unwrap_or(self.next_tick);
        self.next_tick.min(timers).min(forward)
    }

    /// Drives the connections whose time has come, then looks after people and rooms.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((key, at)) = self.timers.pop(now) {
            let Some(peer) = self.peers.get_mut(key).filter(|peer| peer.scheduled == Some(at)) else {
                continue;
            };
            peer.scheduled = None;
            if peer.deadline <= now {
                peer.wake(now);
            }
            self.pump(key, now);
        }
        self.settle(now);
        if now >= self.next_tick {
            self.tick(now);
            self.settle(now);
            let pause = if self.departing.is_empty() { TICK } else { QUICK_TICK };
            self.next_tick = now + pause;
        } else if !self.departing.is_empty() {
            self.next_tick = self.next_tick.min(now + QUICK_TICK);
        }
    }

    fn tick(&mut self, now: Instant) {
        self.reports.flush();
        self.ask_again(now);
        self.see_off(now);
        for key in self.people.keys() {
            self.check_person(key, now);
        }
        for key in self.rooms.keys() {
            self.speakers(key, now);
            self.reaches(key, now);
        }
    }

    /// Tells a room who speaks now.
    fn speakers(&mut self, key: Key<Room>, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if !room.speakers.due(now) {
            return;
        }
        let mut levels: HashMap<String, f32> = HashMap::new();
        for person in room.people.iter().filter_map(|person| self.people.get(*person)) {
            for track in &person.tracks {
                let Some(track) = self.tracks.get_mut(*track).filter(|track| !track.video) else { continue };
                let level = track.meter.take();
                let level = if track.info.muted { 0.0 } else { level };
                let known = levels.entry(person.sid.clone()).or_default();
                *known = known.max(level);
            }
        }
        let changes = room.speakers.update(levels);
        if !changes.is_empty() {
            self.tell_room(key, &speakers_changed(changes), now);
        }
    }

    /// Tells somebody who has come, or come back, who speaks in their room.
    pub(super) fn tell_speakers(&mut self, key: Key<Person>, now: Instant) {
        let room = self.people.get(key).and_then(|person| self.rooms.get(person.room));
        let present = room.map(|room| room.speakers.present()).unwrap_or_default();
        if !present.is_empty() {
            self.tell(key, speakers_changed(present), now);
        }
    }
}

fn speakers_changed(changes: Vec<Change>) -> Message {
    let speakers = changes.into_iter().map(|change| lk::SpeakerInfo {
        sid: change.sid,
        level: change.level,
        active: change.active,
    });
    Message::SpeakersChanged(lk::SpeakersChanged { speakers: speakers.collect() })
}
