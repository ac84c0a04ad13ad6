//! Data packets: from one client's channel to the others', and from the server.

use std::collections::HashSet;
use std::time::Instant;

use confab_signal::{data, lk};
use lk::data_packet::{Kind, Value};
use str0m::channel::ChannelId;

use super::Rooms;
use crate::sfu::arena::Key;
use crate::sfu::peer::Peer;
use crate::sfu::person::Person;

impl Rooms {
    /// A message came on a data channel.
    pub(super) fn data(&mut self, key: Key<Peer>, channel: ChannelId, bytes: &[u8], now: Instant) {
        let Some(peer) = self.peers.get(key) else { return };
        let reliable = peer.reliable == Some(channel);
        if !reliable && peer.lossy != Some(channel) {
            return;
        }
        let owner = peer.owner;
        let Some(person) = self.people.get_mut(owner) else { return };
        if !person.permission.can_publish_data || person.leaving.is_some() {
            return;
        }
        let Ok(mut packet) = data::decode(bytes) else {
            tracing::debug!(length = bytes.len(), "data packet cannot be read");
            return;
        };
        if !forwarded(&packet) {
            return;
        }
        if let Err(why) = person.messages.pass(&packet, now) {
            tracing::trace!(sid = person.sid, %why, "message not passed on");
            return;
        }
        sign(&mut packet, person, reliable);
        let destinations = destinations(&packet);
        let message = data::encode(&packet);
        for other in self.everybody_but(owner) {
            self.deliver(other, &destinations, reliable, &message, now);
        }
    }

    /// Sends a packet of the server's to those of `people` whom it names.
    pub(super) fn send_packet(&mut self, people: &[Key<Person>], packet: &lk::DataPacket, now: Instant) {
        let destinations = destinations(packet);
        let message = data::encode(packet);
        for person in people {
            self.deliver(*person, &destinations, true, &message, now);
        }
    }

    fn deliver(
        &mut self,
        key: Key<Person>,
        destinations: &Destinations,
        reliable: bool,
        message: &[u8],
        now: Instant,
    ) {
        let Some(person) = self.people.get(key).filter(|person| destinations.include(person)) else { return };
        let primary = person.primary();
        let Some(peer) = self.peers.get_mut(primary) else { return };
        if !peer.send(reliable, message) {
            tracing::debug!(sid = person.sid, reliable, "data packet not delivered: no room or no channel");
            return;
        }
        peer.wake(now);
        self.pump(primary, now);
    }
}

/// To whom a packet goes; nobody named means everybody.
struct Destinations {
    names: HashSet<String>,
    sids: HashSet<String>,
}

impl Destinations {
    fn include(&self, person: &Person) -> bool {
        let everybody = self.names.is_empty() && self.sids.is_empty();
        everybody || self.names.contains(&person.identity) || self.sids.contains(&person.sid)
    }
}

/// Whether a client may send such a packet at all.
#[allow(deprecated, reason = "an old form that is refused has to be named")]
fn forwarded(packet: &lk::DataPacket) -> bool {
    match &packet.value {
        // The server says who speaks; metrics are for a server that collects them.
        None | Some(Value::Speaker(_) | Value::Metrics(_)) => false,
        Some(
            Value::User(_)
            | Value::SipDtmf(_)
            | Value::Transcription(_)
            | Value::ChatMessage(_)
            | Value::RpcRequest(_)
            | Value::RpcAck(_)
            | Value::RpcResponse(_)
            | Value::StreamHeader(_)
            | Value::StreamChunk(_)
            | Value::StreamTrailer(_)
            | Value::EncryptedPacket(_),
        ) => true,
    }
}

/// Puts the sender's own name on a packet, whatever it said.
#[allow(deprecated, reason = "older clients read the names inside the user packet")]
fn sign(packet: &mut lk::DataPacket, person: &Person, reliable: bool) {
    packet.kind = i32::from(if reliable { Kind::Reliable } else { Kind::Lossy });
    packet.participant_identity = person.identity.clone();
    packet.participant_sid = person.sid.clone();
    if let Some(Value::User(user)) = &mut packet.value {
        user.participant_identity = person.identity.clone();
        user.participant_sid = person.sid.clone();
    }
}

#[allow(deprecated, reason = "older clients put the destinations inside the user packet")]
fn destinations(packet: &lk::DataPacket) -> Destinations {
    let mut names: HashSet<String> = packet.destination_identities.iter().cloned().collect();
    let mut sids = HashSet::new();
    if let Some(Value::User(user)) = &packet.value {
        names.extend(user.destination_identities.iter().cloned());
        sids.extend(user.destination_sids.iter().cloned());
    }
    Destinations { names, sids }
}
