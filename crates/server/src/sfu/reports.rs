//! Engine events on their way to the room service.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::engine::EngineEvent;

/// Events kept while the room service is busy; a media thread never waits for it.
const MAX_BACKLOG: usize = 65_536;

/// Hands events over in order without blocking.
#[derive(Debug)]
pub(crate) struct Reports {
    to: mpsc::Sender<EngineEvent>,
    backlog: VecDeque<EngineEvent>,
}

impl Reports {
    pub(crate) fn new(to: mpsc::Sender<EngineEvent>) -> Reports {
        Reports { to, backlog: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, event: EngineEvent) {
        if self.backlog.len() >= MAX_BACKLOG {
            tracing::warn!("the room service does not take events, one is lost");
            self.backlog.pop_front();
        }
        self.backlog.push_back(event);
        self.flush();
    }

    /// Hands over what there is room for.
    pub(crate) fn flush(&mut self) {
        while !self.backlog.is_empty() {
            match self.to.try_reserve() {
                Ok(place) => {
                    if let Some(event) = self.backlog.pop_front() {
                        place.send(event);
                    }
                }
                Err(mpsc::error::TrySendError::Full(())) => return,
                Err(mpsc::error::TrySendError::Closed(())) => return self.backlog.clear(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reports;
    use crate::engine::EngineEvent;

    #[test]
    fn events_wait_for_a_busy_reader_and_keep_their_order() {
        let (to, mut from) = tokio::sync::mpsc::channel(1);
        let mut reports = Reports::new(to);
        let closed = |room: &str| EngineEvent::RoomClosed { room: room.into() };
        ["a", "b", "c"].into_iter().for_each(|room| reports.push(closed(room)));
        for room in ["a", "b", "c"] {
            assert_eq!(from.try_recv().unwrap(), closed(room));
            reports.flush();
        }
    }
}
