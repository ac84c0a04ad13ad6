//! The app's own messages: ours on their way out, and those of others.

use super::{Actor, INSIDE};
use crate::link::{Order, Outbound};
use crate::message::{Incoming, Outgoing, Wanted};
use crate::room::{Attempt, Phase};
use confab_protocol::{Code, Fault};
use confab_signal::message::{Received, packet};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Messages of others that may wait; what comes faster than it is taken counts as missed.
const WAITING: usize = 1024;

/// Ends without a word where the message was not sent.
pub(crate) type Sent = oneshot::Receiver<()>;

/// What the actor keeps of messages.
#[derive(Debug)]
pub(super) struct Messages {
    /// The server passes our messages on.
    pub(super) may_send: bool,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    /// For the connections, which put in what others send.
    pub(super) came: mpsc::Sender<(Attempt, Received)>,
    pub(super) waiting: mpsc::Receiver<(Attempt, Received)>,
}

impl Default for Messages {
    fn default() -> Self {
        let (came, waiting) = mpsc::channel(WAITING);
        let (outgoing, incoming) = (Outgoing::default(), Incoming::default());
        Self { may_send: false, outgoing, incoming, came, waiting }
    }
}

impl Actor {
    /// Hands a message to the connection, or says why not. Limits count only what could be sent.
    pub(super) fn send_message(&mut self, wanted: Wanted) -> Result<Sent, Fault> {
        Outgoing::check(&wanted)?;
        let refused = |code, message: &str| Err(Fault::new(code).with_message(message));
        match self.room.phase() {
            Phase::In => {}
            Phase::Reconnecting => {
                return refused(
                    Code::DISCONNECTED,
                    "The message was not sent, because the connection to the room is being restored. Send it \
                     again when it is back.",
                );
            }
            Phase::Idle | Phase::Entering | Phase::Exiting => {
                return refused(Code::REFUSED, "A message can be sent only in a room. Enter one first.");
            }
        }
        if !self.messages.may_send {
            return refused(
                Code::AUDIENCE_CANNOT_PUBLISH,
                "You are in the audience, so your message was not sent. Only anchors can send messages.",
            );
        }
        let (message, reliable) = self.messages.outgoing.next(wanted, Instant::now())?;
        let (sent, is_sent) = oneshot::channel();
        let bytes = confab_signal::data::encode(&packet(&message, reliable));
        self.order(Order::Send(Outbound { bytes, reliable, sent }));
        Ok(is_sent)
    }

    /// Somebody's message came over a connection.
    pub(super) fn message_came(&mut self, attempt: Attempt, received: &Received) {
        let current = self.link.as_ref().is_some_and(|link| link.attempt == attempt);
        // Before the entry is told events wait, and messages leave the others room.
        if !current || self.held.len() >= INSIDE {
            return;
        }
        self.messages.incoming.push(received, Instant::now());
        self.emit_in_room(received.message.event(&received.user_id));
    }

    /// Tells which messages never came, when it is time.
    pub(super) fn tell_missed(&mut self) {
        for event in self.messages.incoming.missed(Instant::now()) {
            self.emit_in_room(event);
        }
    }
}
