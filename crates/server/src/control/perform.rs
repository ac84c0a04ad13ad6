//! Has the engine do what the rules want, one thing after the other.

use std::sync::Arc;

use confab_protocol::NOTICE_TOPIC;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use super::effect::Order;
use crate::engine::{Engine, EngineError};

/// What the performer gets.
#[derive(Debug)]
pub(crate) enum Step {
    /// Do this in that room.
    Order(String, Order),
    /// What follows belongs together.
    Begin,
    /// Say how everything went since then.
    Report(oneshot::Sender<Performed>),
}

/// How some orders went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Performed {
    /// The engine knew the room of one of them.
    pub(crate) known: bool,
    /// One failed otherwise than by a room or person that is gone.
    pub(crate) failed: bool,
}

/// Performs until nobody gives orders any more.
pub(super) async fn run(engine: Arc<dyn Engine>, mut steps: mpsc::Receiver<Step>) {
    let mut performed = Performed::default();
    while let Some(step) = steps.recv().await {
        match step {
            Step::Order(room, order) => {
                let done = perform(engine.as_ref(), &room, order).await;
                performed.known |= done.known;
                performed.failed |= done.failed;
            }
            Step::Begin => performed = Performed::default(),
            // Who asked may be gone.
            Step::Report(reply) => drop(reply.send(performed)),
        }
    }
}

/// Has the engine do one thing. People and rooms that are gone meanwhile are no failure.
pub(crate) async fn perform(engine: &dyn Engine, room: &str, order: Order) -> Performed {
    let done = match order {
        Order::Permission(who, permission) => engine.set_permission(room, &who, permission).await,
        Order::Attributes(who, attributes) => engine.set_attributes(room, &who, attributes).await,
        Order::Silence(who, kind) => engine.silence(room, &who, kind).await,
        Order::Remove(who, notice) => engine.remove(room, &who, notice).await,
        Order::Dismiss(notice) => engine.dismiss(room, notice).await,
        Order::Notice(notice, to) => engine.send_data(room, NOTICE_TOPIC, notice.to_json(), to).await,
        Order::Metadata(text) => engine.set_metadata(room, text).await,
    };
    match done {
        Ok(()) => Performed { known: true, failed: false },
        Err(error @ (EngineError::NoParticipant | EngineError::NoTrack)) => {
            debug!(%error, "nothing to do");
            Performed { known: true, failed: false }
        }
        Err(EngineError::NoRoom) => Performed::default(),
        Err(error @ EngineError::Stopped) => {
            warn!(%error, "the engine failed");
            Performed { known: false, failed: true }
        }
    }
}
