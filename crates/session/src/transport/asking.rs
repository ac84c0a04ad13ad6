//! Asks for key frames of what we receive. The stack's own way goes through the receiver that a
//! track had first, which is gone after the track was unsubscribed and subscribed to again.

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Streams, by SSRC, of which a key frame is wanted. Requests leave with the next timer of the
/// connection, which is the NACK generator's: within 20 ms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks(Arc<Mutex<Vec<u32>>>);

impl Asks {
    /// Asks for a key frame of the stream.
    pub(crate) fn ask(&self, ssrc: u32) {
        let mut wanted = self.wanted();
        if !wanted.contains(&ssrc) {
            wanted.push(ssrc);
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interceptor.
pub(super) struct Asking {
    asks: Asks,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Asking {
    pub(super) fn new(asks: Asks) -> Self {
        Self { asks, reads: VecDeque::new(), writes: VecDeque::new() }
    }

    fn take_up(&mut self, now: Instant) {
        for media_ssrc in std::mem::take(&mut *self.asks.wanted()) {
            let loss = PictureLossIndication { sender_ssrc: 0, media_ssrc };
            let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(loss)]));
            self.writes.push_back(TaggedPacket { now, transport: TransportContext::default(), message });
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Asking {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.take_up(packet.now);
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.take_up(now);
        Ok(())
    }
}

impl Interceptor for Asking {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::wildcard_enum_match_arm, reason = "a test sends reports only")]
    fn wishes_become_one_request_each() {
        let asks = Asks::default();
        let mut asking = Asking::new(asks.clone());
        for ssrc in [7, 8, 7] {
            asks.ask(ssrc);
        }
        asking.handle_timeout(Instant::now()).unwrap();
        let sent: Vec<u32> = std::iter::from_fn(|| asking.poll_write())
            .map(|packet| match &packet.message.packet {
                Packet::Rtcp(reports) => {
                    reports[0].as_any().downcast_ref::<PictureLossIndication>().unwrap().media_ssrc
                }
                _ => panic!("no report"),
            })
            .collect();
        assert_eq!(sent, [7, 8]);
        asking.handle_timeout(Instant::now()).unwrap();
        assert!(asking.poll_write().is_none());
    }
}
