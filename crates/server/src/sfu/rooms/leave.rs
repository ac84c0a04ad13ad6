//! Going out: told why, then disconnected. The notice travels by data channel, so the leave message
//! waits until it is acknowledged (but not long), and the connections close last.

use std::time::{Duration, Instant};

use confab_protocol::{LeaveReason, Notice};
use confab_signal::{data, lk};
use lk::DisconnectReason;
use lk::leave_request::Action;
use lk::participant_info::State;
use lk::signal_response::Message;

use super::Rooms;
use crate::engine::EngineEvent;
use crate::sfu::arena::Key;
use crate::sfu::peer::Peer;
use crate::sfu::person::{Leaving, Person};
use crate::sfu::room::Room;

/// How long the leave message waits for the notice to arrive.
const NOTICE_WAIT: Duration = Duration::from_millis(400);
/// The same for somebody who has only just come and whose channel is still to open.
const LATE_NOTICE_WAIT: Duration = Duration::from_secs(1);
/// How long connections may take to close.
const CLOSE_WAIT: Duration = Duration::from_millis(300);
/// How long after its media, or its websocket, a client's goodbye may come.
const GOODBYE_WAIT: Duration = Duration::from_secs(1);
/// The same for a client that ended its media itself: it cannot resume, so its goodbye is still on the
/// way, and over a line that stalled TCP takes its time.
const LATE_GOODBYE_WAIT: Duration = Duration::from_secs(10);
/// Joined but never connected.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(60);
/// A websocket that is gone while media flows may come back at least this long.
const RESUME_WAIT: Duration = Duration::from_secs(15);

/// Why somebody goes out and what is said about it.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    pub(super) reason: DisconnectReason,
    /// What only our own clients understand, said first.
    pub(super) notice: Option<Notice>,
    /// What the room service is told; `None` when the same identity stays in the room.
    pub(super) left: Option<LeaveReason>,
}

impl Departure {
    /// The connection was lost and nobody came back.
    fn timed_out(reason: DisconnectReason) -> Departure {
        Departure { reason, notice: None, left: Some(LeaveReason::TimedOut) }
    }
}

impl Rooms {
    /// Takes somebody out of their room at once and tells the others; the goodbye follows.
    pub(super) fn depart(&mut self, key: Key<Person>, departure: Departure, now: Instant) {
        let Some(room) = self.room_of(key) else { return };
        if let Some(gone) = self.take_out(key, departure, now) {
            let update = lk::ParticipantUpdate { participants: vec![gone] };
            self.tell_room(room, &Message::Update(update), now);
        }
        self.unseat(room);
    }

    /// Takes people out who all go at once: none of them has to hear that the others do.
    pub(super) fn depart_all(&mut self, people: Vec<Key<Person>>, departure: &Departure, now: Instant) {
        for key in people {
            let Some(room) = self.room_of(key) else { continue };
            self.take_out(key, departure.clone(), now);
            self.unseat(room);
        }
    }

    /// The room of somebody who is not on their way out yet.
    fn room_of(&self, key: Key<Person>) -> Option<Key<Room>> {
        self.people.get(key).filter(|person| person.leaving.is_none()).map(|person| person.room)
    }

    /// Takes somebody out without a word to the others and with the seat still in the books; gives what
    /// the others are to be told, if anything.
    pub(super) fn take_out(
        &mut self,
        key: Key<Person>,
        departure: Departure,
        now: Instant,
    ) -> Option<lk::ParticipantInfo> {
        let person = self.people.get_mut(key)?;
        if person.leaving.is_some() {
            return None;
        }
        person.leaving = Some(Leaving { leave: None, unsaid: None, leave_by: now, gone_by: now });
        person.state = State::Disconnected;
        person.wanted.clear();
        let (room, primary) = (person.room, person.primary());
        tracing::info!(
            identity = person.identity,
            sid = person.sid,
            reason = departure.reason.as_str_name(),
            "left"
        );
        self.stop_outputs(key);
        self.withdraw_all(key, now);
        let gone = self.unlist(key, room, departure.reason);
        if let Some(reason) = departure.left {
            self.report(key, |room, identity| EngineEvent::Left { room, identity, reason });
        }
        // Somebody who has only just come may not have a channel open yet: it is said as soon as they do.
        let open = self.peers.get(primary).is_some_and(|peer| peer.reliable.is_some());
        let wait = match &departure.notice {
            None => Duration::ZERO,
            Some(_) if open => NOTICE_WAIT,
            Some(_) => LATE_NOTICE_WAIT,
        };
        let unsaid = departure.notice.filter(|notice| !self.notify(primary, notice, now));
        if let Some(person) = self.people.get_mut(key)
            && let Some(leaving) = &mut person.leaving
        {
            // Somebody who said goodbye themselves needs no answer.
            let said = departure.reason == DisconnectReason::ClientInitiated;
            leaving.leave = (!said).then(|| leave(departure.reason, Action::Disconnect));
            leaving.unsaid = unsaid;
            leaving.leave_by = now + wait;
            leaving.gone_by = now + wait + CLOSE_WAIT;
        }
        self.departing.push(key);
        gone
    }

    /// Goes on with the goodbyes of those who are out.
    pub(super) fn see_off(&mut self, now: Instant) {
        for key in std::mem::take(&mut self.departing) {
            self.say_unsaid(key, now);
            let Some(person) = self.people.get_mut(key) else { continue };
            let (publisher, subscriber, primary) = (person.publisher, person.subscriber, person.primary());
            let delivered = self.peers.get_mut(primary).is_none_or(Peer::has_delivered);
            let Some(leaving) = &mut person.leaving else { continue };
            let heard = delivered && leaving.unsaid.is_none();
            if !heard && now < leaving.leave_by {
                self.departing.push(key);
                continue;
            }
            let gone_by = leaving.gone_by;
            if person.link.to.is_some() || leaving.leave.is_some() {
                if let Some(leave) = leaving.leave.take() {
                    person.link.send(Message::Leave(leave), now);
                }
                person.link.drop_now(now);
                for side in [publisher, subscriber] {
                    self.close(side, now);
                }
            }
            let closing = |key: Key<Peer>| self.peers.get(key).is_some_and(|peer| peer.rtc.is_alive());
            if now < gone_by && (closing(publisher) || closing(subscriber)) {
                self.departing.push(key);
                continue;
            }
            self.people.remove(key);
            for side in [publisher, subscriber] {
                self.forget(side, now);
            }
        }
    }

    fn say_unsaid(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let primary = person.primary();
        let Some(notice) = person.leaving.as_mut().and_then(|leaving| leaving.unsaid.take()) else { return };
        let lives = self.peers.get(primary).is_some_and(|peer| peer.rtc.is_alive());
        if lives
            && !self.notify(primary, &notice, now)
            && let Some(leaving) = self.people.get_mut(key).and_then(|person| person.leaving.as_mut())
        {
            leaving.unsaid = Some(notice);
        }
    }

    /// A connection failed, fell silent or was closed by the other side.
    pub(super) fn lost(&mut self, key: Key<Peer>, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let was_connected = peer.connected;
        let Some(person) = self.people.get_mut(peer.owner) else { return };
        if person.primary() != key || person.leaving.is_some() || person.lost.is_some() || !was_connected {
            return;
        }
        tracing::info!(identity = person.identity, sid = person.sid, "connection lost, the seat is kept");
        person.lost = Some(now);
    }

    /// Looks whether somebody has to go because their time is over.
    pub(super) fn check_person(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        if person.leaving.is_some() {
            return;
        }
        let primary = person.primary();
        let silent = self.peers.get(primary).is_some_and(|peer| peer.connected && !peer.is_alive(now));
        let failed = self.peers.get(primary).is_some_and(|peer| !peer.rtc.is_alive());
        let goodbye = if failed { LATE_GOODBYE_WAIT } else { GOODBYE_WAIT };
        match person.lost {
            None if silent => self.lost(primary, now),
            Some(_) if !silent && !failed => person.lost = None,
            // Who closes their connections is about to say goodbye here; who does not may resume.
            Some(since) if now.saturating_duration_since(since) >= goodbye => {
                let resume = leave(DisconnectReason::ConnectionTimeout, Action::Resume);
                person.link.send(Message::Leave(resume), now);
                person.link.drop_now(now);
            }
            None | Some(_) => {}
        }
        self.check_link(key, now);
        self.check_seat(key, now);
    }

    /// Somebody whose websocket closed before they ever connected does not come back to this seat. Their
    /// goodbye or their media may still be on the way.
    fn check_link(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let gone = person.link.is_lost(now)
            && person.link.lost.is_some_and(|lost| now.saturating_duration_since(lost) >= GOODBYE_WAIT);
        if person.leaving.is_none() && gone && person.state != State::Active {
            self.depart(key, Departure::timed_out(DisconnectReason::SignalClose), now);
        }
    }

    fn check_seat(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(key).filter(|person| person.leaving.is_none()) else { return };
        let over = |since: Option<Instant>, wait: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= wait)
        };
        let never = person.state != State::Active && over(Some(person.joined), CONNECT_WAIT);
        let lost = over(person.lost, person.seat);
        let unheard = over(person.link.lost, person.seat.max(RESUME_WAIT));
        if never {
            self.depart(key, Departure::timed_out(DisconnectReason::JoinFailure), now);
        } else if lost || unheard {
            self.depart(key, Departure::timed_out(DisconnectReason::ConnectionTimeout), now);
        }
    }

    /// Ends a person's session so that the client starts a new one by itself.
    pub(super) fn mismatch(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        person.link.send(Message::Leave(leave(DisconnectReason::StateMismatch, Action::Reconnect)), now);
        person.link.drop_now(now);
        self.depart(key, Departure::timed_out(DisconnectReason::StateMismatch), now);
    }

    /// Takes somebody off the room's list; gives their last state, if others know of them.
    fn unlist(
        &mut self,
        key: Key<Person>,
        room: Key<Room>,
        reason: DisconnectReason,
    ) -> Option<lk::ParticipantInfo> {
        if let Some(room) = self.rooms.get_mut(room) {
            room.people.retain(|other| *other != key);
        }
        let person = self.people.get_mut(key)?;
        person.version += 1;
        person.is_visible().then(|| {
            let mut info = person.info(Vec::new());
            info.disconnect_reason = reason.into();
            info
        })
    }

    /// Says a notice over somebody's connection; false when there is none to say it over.
    fn notify(&mut self, primary: Key<Peer>, notice: &Notice, now: Instant) -> bool {
        let Some(peer) = self.peers.get_mut(primary).filter(|peer| peer.connected) else { return false };
        let said = peer.send(true, &data::encode(&data::notice_packet(notice)));
        peer.wake(now);
        self.pump(primary, now);
        said
    }

    /// Frees a seat in the books. A room that nobody is in any more is closed, and that is reported
    /// before another worker may open one of its name.
    pub(super) fn unseat(&mut self, room: Key<Room>) {
        let Some(name) = self.rooms.get(room).map(|room| room.name.clone()) else { return };
        if self.rooms.get(room).is_some_and(|room| room.people.is_empty()) {
            let Some(room) = self.rooms.remove(room) else { return };
            tracing::info!(room = room.name, "room closed");
            self.by_name.remove(&room.name);
            self.reports.push(EngineEvent::RoomClosed { room: room.name });
        }
        self.directory.leave(&name);
    }

    fn close(&mut self, key: Key<Peer>, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.connected && peer.rtc.close().is_ok() {
            self.pump(key, now);
        } else if let Some(peer) = self.peers.get_mut(key) {
            peer.rtc.disconnect();
        }
    }

    fn forget(&mut self, key: Key<Peer>, now: Instant) {
        let Some(peer) = self.peers.remove(key) else { return };
        for address in &peer.addresses {
            if self.by_address.get(address) == Some(&key) {
                self.by_address.remove(address);
                self.outbox.streams.end(*address, now);
            }
        }
        for fragment in &peer.fragments {
            self.by_fragment.remove(fragment);
        }
    }
}

/// The message that ends signalling.
pub(crate) fn leave(reason: DisconnectReason, action: Action) -> lk::LeaveRequest {
    lk::LeaveRequest {
        can_reconnect: action != Action::Disconnect,
        reason: reason.into(),
        action: action.into(),
        regions: None,
    }
}
