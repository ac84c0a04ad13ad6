//! What the room service asks.

use std::collections::HashMap;
use std::time::Instant;

use confab_protocol::{LeaveReason, Notice};
use confab_signal::lk;
use lk::DisconnectReason;
use lk::signal_response::Message;

use super::Rooms;
use super::leave::Departure;
use crate::engine::{EngineError, Kind, Permission};
use crate::sfu::arena::Key;
use crate::sfu::command::Ask;
use crate::sfu::person::Person;
use crate::sfu::room::Room;

impl Rooms {
    /// Does what is asked and answers. Who asked may have stopped waiting, so answers may be lost.
    pub(super) fn ask(&mut self, ask: Ask, now: Instant) {
        match ask {
            Ask::Ports { reply } => {
                let _ = reply.send(Ok(self.addresses.ports().collect()));
            }
            Ask::Outside { ports, reply } => {
                self.addresses.set_outside(&ports);
                let _ = reply.send(Ok(()));
            }
            Ask::Rooms { reply } => {
                let _ = reply.send(Ok(self.rooms.values().map(Room::info).collect()));
            }
            Ask::Participants { room, reply } => {
                let _ = reply.send(self.participants(&room));
            }
            Ask::Remove { room, identity, notice, reply } => {
                let found = self.find(&room, &identity);
                let _ = reply.send(found.map(|key| {
                    self.depart(key, removal(DisconnectReason::ParticipantRemoved, &notice), now);
                }));
            }
            Ask::Dismiss { room, notice, reply } => {
                let _ = reply.send(self.dismiss(&room, &notice, now));
            }
            Ask::Permission { room, identity, permission, reply } => {
                let found = self.find(&room, &identity);
                let _ = reply.send(found.map(|key| self.permit(key, permission, now)));
            }
            Ask::Attributes { room, identity, attributes, reply } => {
                let found = self.find(&room, &identity);
                let _ = reply.send(found.map(|key| {
                    if let Some(person) = self.people.get_mut(key) {
                        person.merge_attributes(attributes);
                    }
                    self.announce(key, now);
                }));
            }
            Ask::Mute { room, identity, track, muted, reply } => {
                let _ = reply.send(self.mute_by_server(&room, &identity, track, muted, now));
            }
            Ask::Silence { room, identity, kind, reply } => {
                let found = self.find(&room, &identity);
                let _ = reply.send(found.map(|key| self.silence(key, kind, now)));
            }
            Ask::Metadata { room, metadata, reply } => {
                let _ = reply.send(self.set_metadata(&room, metadata, now));
            }
            Ask::Data { room, packet, reply } => {
                let people = self.room(&room).map(|room| room.people.clone());
                let _ = reply.send(people.map(|people| self.send_packet(&people, &packet, now)));
            }
            Ask::Shutdown { notice, reply } => {
                // Where the notice does not get through, this alone says that it is over.
                let over = notice.is_some();
                let departure = Departure {
                    reason: if over {
                        DisconnectReason::RoomDeleted
                    } else {
                        DisconnectReason::ServerShutdown
                    },
                    notice,
                    left: Some(LeaveReason::Left),
                };
                self.depart_all(self.people.keys(), &departure, now);
                self.stopping = Some(reply);
            }
        }
    }

    fn room(&self, name: &str) -> Result<&Room, EngineError> {
        let room = self.by_name.get(name).and_then(|key| self.rooms.get(*key));
        room.ok_or(EngineError::NoRoom)
    }

    fn participants(&self, room: &str) -> Result<Vec<lk::ParticipantInfo>, EngineError> {
        Ok(self.room(room)?.people.iter().filter_map(|key| self.info(*key)).collect())
    }

    fn dismiss(&mut self, room: &str, notice: &Notice, now: Instant) -> Result<(), EngineError> {
        let people = self.room(room)?.people.clone();
        self.depart_all(people, &removal(DisconnectReason::RoomDeleted, notice), now);
        Ok(())
    }

    fn mute_by_server(
        &mut self,
        room: &str,
        identity: &str,
        sid: String,
        muted: bool,
        now: Instant,
    ) -> Result<(), EngineError> {
        let key = self.find(room, identity)?;
        if !self.mute(key, &sid, muted, true, now) {
            return Err(EngineError::NoTrack);
        }
        self.tell(key, Message::Mute(lk::MuteTrackRequest { sid, muted }), now);
        Ok(())
    }

    fn silence(&mut self, key: Key<Person>, kind: Kind, now: Instant) {
        if kind == Kind::Screen {
            return self.withdraw_kind(key, kind, now);
        }
        let Some(person) = self.people.get(key) else { return };
        let meant = self.sent_by(person).filter(|info| !info.muted && Kind::of_track(info) == kind);
        for sid in meant.map(|info| info.sid.clone()).collect::<Vec<_>>() {
            self.mute(key, &sid, true, true, now);
            self.tell(key, Message::Mute(lk::MuteTrackRequest { sid, muted: true }), now);
        }
    }

    fn set_metadata(&mut self, room: &str, metadata: String, now: Instant) -> Result<(), EngineError> {
        let key = *self.by_name.get(room).ok_or(EngineError::NoRoom)?;
        let room = self.rooms.get_mut(key).ok_or(EngineError::NoRoom)?;
        room.metadata = metadata;
        let update = lk::RoomUpdate { room: Some(room.info()) };
        self.tell_room(key, &Message::RoomUpdate(update), now);
        Ok(())
    }

    fn permit(&mut self, key: Key<Person>, permission: Permission, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let before = std::mem::replace(&mut person.permission, permission);
        if before == permission {
            return;
        }
        self.withdraw_forbidden(key, now);
        if permission.hidden && !before.hidden {
            self.conceal(key, now);
        } else if before.hidden && !permission.hidden {
            self.announce_to_others(key, None, now);
        }
        self.announce(key, now);
        if let Some(person) = self.people.get_mut(key) {
            let mut wanted = std::mem::take(&mut person.wanted);
            wanted.retain(|track| self.tracks.get(*track).is_some_and(|track| person.may_receive(track)));
            person.wanted = wanted;
        }
        self.stop_outputs(key);
        self.allow_again(key, now);
        self.subscribe_to_all(key, now);
        self.negotiate(key, now);
    }

    /// For the others, somebody who becomes hidden has left.
    fn conceal(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let mut info = person.info(Vec::new());
        info.state = lk::participant_info::State::Disconnected.into();
        let update = lk::ParticipantUpdate { participants: vec![info] };
        self.tell_others(key, &Message::Update(update), now);
    }
}

impl Person {
    /// Sets attributes; an empty value removes one.
    pub(super) fn merge_attributes(&mut self, attributes: HashMap<String, String>) {
        for (name, value) in attributes {
            if value.is_empty() {
                self.attributes.remove(&name);
            } else {
                self.attributes.insert(name, value);
            }
        }
    }
}

fn removal(reason: DisconnectReason, notice: &Notice) -> Departure {
    Departure { reason, notice: Some(notice.clone()), left: Some(LeaveReason::Removed) }
}
