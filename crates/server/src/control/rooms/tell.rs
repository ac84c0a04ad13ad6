//! Telling people how a room stands, and its hosts who waits at its door and who is kept out.

use std::time::{Duration, Instant};

use confab_protocol::Notice;

use crate::control::effect::{Agenda, Order};
use crate::control::room::Room;

/// How long a changed number of viewers may wait to be told.
pub(super) const AUDIENCE_PAUSE: Duration = Duration::from_secs(2);

/// Tells hosts who waits and who is kept out: all where that has changed, else those who are new. Who is no
/// host any more hears of nobody.
pub(super) fn hosts(room: &mut Room, key: &str, agenda: &mut Agenda) {
    let hosts = room.hosts();
    let (changed, people) = (room.waiting.take_changed(), room.waiting.people());
    let waits = !people.is_empty();
    let first = Heard { before: room.told.waiting, now: waits, changed };
    for (to, people) in first.tell(room, &hosts, || people) {
        agenda.order(key, Order::Notice(Notice::Waiting { people }, to));
    }
    if changed {
        room.told.waiting = waits;
    }
    let changed = room.told.banned != room.banned;
    let second = Heard { before: !room.told.banned.is_empty(), now: !room.banned.is_empty(), changed };
    for (to, people) in second.tell(room, &hosts, || room.banned.iter().cloned().collect()) {
        agenda.order(key, Order::Notice(Notice::Banned { people }, to));
    }
    if changed {
        room.told.banned.clone_from(&room.banned);
    }
    room.told.hosts = hosts;
}

/// A list that only hosts hear: whether somebody was on it when they were told last, and is now.
struct Heard {
    before: bool,
    now: bool,
    changed: bool,
}

impl Heard {
    /// Who is told what; `people` are those on it.
    fn tell<P>(
        &self,
        room: &Room,
        hosts: &[String],
        people: impl FnOnce() -> Vec<P>,
    ) -> Vec<(Vec<String>, Vec<P>)> {
        let no_more = |one: &&String| !hosts.contains(one) && room.is_present(one);
        let former: Vec<String> =
            room.told.hosts.iter().filter(no_more).filter(|_| self.before).cloned().collect();
        let is_new = |host: &&String| self.now && !room.told.hosts.contains(host);
        let to: Vec<String> = hosts.iter().filter(|host| self.changed || is_new(host)).cloned().collect();
        let mut told = Vec::new();
        if !former.is_empty() {
            told.push((former, Vec::new()));
        }
        if !to.is_empty() {
            told.push((to, people()));
        }
        told
    }
}

/// Tells everybody how the room stands, and keeps it, where that has changed. A number of viewers alone is
/// told with a pause: each of many would be a message to all.
pub(super) fn state(room: &mut Room, key: &str, agenda: &mut Agenda, now: Instant) {
    let due = room.told.again.is_some_and(|at| at <= now);
    if !room.touched && !due {
        if room.audience_changed {
            room.told.again.get_or_insert(now + AUDIENCE_PAUSE);
        }
        return;
    }
    (room.touched, room.audience_changed, room.told.again) = (false, false, None);
    let kept = room.to_keep();
    if kept != room.told.kept && !agenda.is_frozen() {
        agenda.keep(key, kept.clone());
        room.told.kept = kept;
    }
    let state = room.state();
    if room.has_listeners() && *room.told.state.get_or_insert_default() != state {
        agenda.order(key, Order::Metadata(state.to_metadata()));
        room.told.state = Some(state);
    }
}
