//! Telling people how a room stands, and who waits at its door.

use std::time::{Duration, Instant};

use confab_protocol::Notice;

use crate::control::effect::{Agenda, Order};
use crate::control::room::Room;

/// How long a changed number of viewers may wait to be told.
pub(super) const AUDIENCE_PAUSE: Duration = Duration::from_secs(2);

/// Tells hosts who waits: all where that has changed, else those who are new. Who is no host any more waits
/// for nobody.
pub(super) fn waiting(room: &mut Room, key: &str, agenda: &mut Agenda) {
    let (changed, people, hosts) = (room.waiting.take_changed(), room.waiting.people(), room.hosts());
    let no_more = |one: &&String| !hosts.contains(one) && room.is_present(one);
    let former: Vec<String> = room.told.hosts.iter().filter(no_more).cloned().collect();
    if room.told.waiting && !former.is_empty() {
        agenda.order(key, Order::Notice(Notice::Waiting { people: Vec::new() }, former));
    }
    if changed {
        room.told.waiting = !people.is_empty();
    }
    let is_new = |host: &&String| !people.is_empty() && !room.told.hosts.contains(host);
    let to: Vec<String> = hosts.iter().filter(|host| changed || is_new(host)).cloned().collect();
    room.told.hosts = hosts;
    if !to.is_empty() {
        agenda.order(key, Order::Notice(Notice::Waiting { people }, to));
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
