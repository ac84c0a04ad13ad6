//! The ways on which our messages leave: the publisher's two data channels, a task each.

use crate::transport::Channels;
use bytes::BytesMut;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// Messages that may wait for a channel to open: two seconds' worth of all that may be sent.
const WAITING: usize = 64;

/// A message on its way out. Whoever waits for `sent` learns by its end that it was not. What it says is
/// never printed.
pub(crate) struct Outbound {
    pub(crate) bytes: Vec<u8>,
    pub(crate) reliable: bool,
    pub(crate) sent: oneshot::Sender<()>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("bytes", &self.bytes.len())
            .field("reliable", &self.reliable)
            .finish_non_exhaustive()
    }
}

/// The ways out of one publisher connection.
pub(super) struct Outlets {
    reliable: mpsc::Sender<Outbound>,
    lossy: mpsc::Sender<Outbound>,
}

impl Outlets {
    /// Starts both tasks; they end with their channels, and with `tasks`.
    pub(super) fn open(channels: Channels, tasks: &mut JoinSet<()>) -> Self {
        let mut open = |channel| {
            let (queue, waiting) = mpsc::channel(WAITING);
            tasks.spawn(carry(channel, waiting));
            queue
        };
        Self { reliable: open(channels.reliable), lossy: open(channels.lossy) }
    }

    /// Sends a message as soon as its channel is open; it is dropped where too many wait.
    pub(super) fn send(&self, outbound: Outbound) {
        let queue = if outbound.reliable { &self.reliable } else { &self.lossy };
        if queue.try_send(outbound).is_err() {
            tracing::debug!("a message was not sent: its channel does not open");
        }
    }
}

async fn carry(channel: Arc<dyn DataChannel>, mut waiting: mpsc::Receiver<Outbound>) {
    let mut open = false;
    loop {
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => open = true,
                Some(DataChannelEvent::OnClose) | None => return,
                Some(_) => {}
            },
            outbound = waiting.recv(), if open => {
                let Some(outbound) = outbound else { return };
                match channel.send(BytesMut::from(outbound.bytes.as_slice())).await {
                    // Whoever asked may have gone.
                    Ok(()) => drop(outbound.sent.send(())),
                    Err(error) => tracing::debug!(%error, "a message was not sent"),
                }
            }
        }
    }
}
