//! Events of the room that wait until the entry is told. Pure.

use confab_protocol::Event;

/// Events that may wait: more than a full room makes, and half of what may wait for the app.
const HELD: usize = 2048;

/// Events that wait, in their order.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: Vec<Event>,
    /// That some are lost was said.
    told: bool,
}

impl Held {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Keeps an event. Where too many wait, the oldest that only measures something makes room for one
    /// that does not; else the new one is lost.
    pub(super) fn push(&mut self, event: Event) {
        if self.events.len() >= HELD {
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(held = HELD, "too many events wait for the entry, and some are lost");
            }
            let figure = self.events.iter().position(Event::is_figure).filter(|_| !event.is_figure());
            let Some(figure) = figure else { return };
            self.events.remove(figure);
        }
        self.events.push(event);
    }

    /// Everything that waits; then nothing does.
    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(self).events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(number: usize) -> Event {
        Event::OnRemoteUserEnterRoom { user_id: number.to_string(), name: String::new() }
    }

    fn figure() -> Event {
        Event::OnUserVoiceVolume { volumes: Vec::new() }
    }

    #[test]
    fn events_wait_in_their_order_and_too_many_are_lost() {
        let mut held = Held::default();
        (0..HELD + 5).for_each(|number| held.push(came(number)));
        assert_eq!(held.take(), (0..HELD).map(came).collect::<Vec<_>>());
        held.push(came(7));
        assert_eq!((held.len(), held.take()), (1, vec![came(7)]));
    }

    #[test]
    fn what_is_only_measured_makes_room_for_what_is_not() {
        let mut held = Held::default();
        held.push(figure());
        (1..HELD).for_each(|number| held.push(came(number)));
        held.push(figure());
        held.push(came(HELD));
        held.push(came(HELD + 1));
        assert_eq!(held.take(), (1..=HELD).map(came).collect::<Vec<_>>());
    }
}
