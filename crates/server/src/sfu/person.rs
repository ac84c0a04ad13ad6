//! A participant: who they are, what they may do, and how their signalling stands.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_protocol::Notice;
use confab_signal::lk;
use lk::participant_info::State;
use lk::signal_response::Message;
use str0m::change::SdpPendingOffer;
use str0m::media::Mid;
use tokio::sync::mpsc;

use super::arena::Key;
use super::peer::Peer;
use super::reach::Reach;
use super::room::Room;
use super::rooms::Messages;
use super::track::Track;
use crate::engine::{Kinds, Permission};

/// Somebody in a room.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) room: Key<Room>,
    pub(crate) sid: String,
    pub(crate) identity: String,
    /// The number of the entry by which they came.
    pub(crate) ticket: Option<u64>,
    pub(crate) name: String,
    pub(crate) metadata: String,
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) may_update_metadata: bool,
    pub(crate) permission: Permission,
    /// What they may publish; everything if empty.
    pub(crate) sources: Vec<String>,
    pub(crate) client_protocol: i32,
    pub(crate) auto_subscribe: bool,
    /// How long the seat is kept after the connection was lost.
    pub(crate) seat: Duration,
    pub(crate) state: State,
    pub(crate) version: u32,
    pub(crate) joined_ms: i64,
    pub(crate) joined: Instant,
    pub(crate) publisher: Key<Peer>,
    pub(crate) subscriber: Key<Peer>,
    /// The subscriber connection is the one that decides about being connected.
    pub(crate) subscriber_primary: bool,
    /// Tracks that were announced by add_track and have no section yet.
    pub(crate) announced: Vec<Announced>,
    /// Sending sections that no announced track claims yet.
    pub(crate) unclaimed: Vec<Unclaimed>,
    pub(crate) tracks: Vec<Key<Track>>,
    /// What of it is on the air, as the room service was told.
    pub(crate) sends: Kinds,
    /// Tracks to receive.
    pub(crate) wanted: Vec<Key<Track>>,
    /// Tracks of which they were told that they may not receive them.
    pub(crate) denied: Vec<Key<Track>>,
    /// Tracks that were wanted but are not to be forwarded for now.
    pub(crate) paused: Vec<String>,
    pub(crate) negotiation: Negotiation,
    pub(crate) link: Link,
    /// Since when the primary connection is lost.
    pub(crate) lost: Option<Instant>,
    /// How well they reach us.
    pub(crate) reach: Reach,
    /// What they may send as custom messages.
    pub(crate) messages: Messages,
    /// Set once the person is out of the room and only has to be told.
    pub(crate) leaving: Option<Leaving>,
}

/// A track announced by the client before its media section.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) cids: Vec<String>,
    pub(crate) info: lk::TrackInfo,
}

/// A section the client sends on without having announced a track for it.
#[derive(Debug)]
pub(crate) struct Unclaimed {
    pub(crate) mid: Mid,
    pub(crate) video: bool,
    pub(crate) cid: Option<String>,
}

/// The subscriber connection's offers: at most one is out.
#[derive(Debug, Default)]
pub(crate) struct Negotiation {
    pub(crate) pending: Option<SdpPendingOffer>,
    /// Something changed while an offer was out.
    pub(crate) again: bool,
    pub(crate) id: u32,
    pub(crate) sections: Vec<Outgoing>,
    /// The data channels were offered.
    pub(crate) channels: bool,
}

/// One media section of the subscriber connection.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) mid: Mid,
    pub(crate) video: bool,
    pub(crate) track: Option<Key<Track>>,
    /// Stream and track id that the client knows it by.
    pub(crate) ids: (String, String),
    /// The client has answered an offer with this section.
    pub(crate) answered: bool,
    /// The section is sending as far as negotiated.
    pub(crate) on: bool,
}

/// The way to the client's websocket.
#[derive(Debug)]
pub(crate) struct Link {
    /// Tells one websocket of a person from the next.
    pub(crate) id: u64,
    pub(crate) to: Option<mpsc::Sender<Box<Message>>>,
    /// Since when there is none.
    pub(crate) lost: Option<Instant>,
}

/// The last things said to somebody who is out.
#[derive(Debug)]
pub(crate) struct Leaving {
    /// What could not be said yet, because no channel is open.
    pub(crate) unsaid: Option<Notice>,
    pub(crate) leave: Option<lk::LeaveRequest>,
    /// The leave is sent when the notice is acknowledged, or at this time.
    pub(crate) leave_by: Instant,
    /// The connections are dropped at this time.
    pub(crate) gone_by: Instant,
}

impl Link {
    /// Sends a message; who has too many unread ones loses the link.
    pub(crate) fn send(&mut self, message: Message, now: Instant) {
        let Some(to) = &self.to else { return };
        if to.try_send(Box::new(message)).is_err() {
            tracing::info!("signalling closed or not read, dropped");
            self.drop_now(now);
        }
    }

    /// Closes the websocket once it has sent what is queued.
    pub(crate) fn drop_now(&mut self, now: Instant) {
        if self.to.take().is_some() {
            self.lost = Some(now);
        }
    }

    /// Notices a websocket that went away; true when there is none.
    pub(crate) fn is_lost(&mut self, now: Instant) -> bool {
        if self.to.as_ref().is_some_and(mpsc::Sender::is_closed) {
            self.drop_now(now);
        }
        self.to.is_none()
    }
}

impl Person {
    /// The connection that decides about being connected, and that carries data downstream.
    pub(crate) fn primary(&self) -> Key<Peer> {
        if self.subscriber_primary { self.subscriber } else { self.publisher }
    }

    /// Whether this person may publish a track of that type from there.
    pub(crate) fn may_publish(&self, kind: lk::TrackType, source: lk::TrackSource) -> bool {
        let named = |name: &String| name.eq_ignore_ascii_case(source.as_str_name());
        let allowed = self.permission.publish.allow(kind, source);
        allowed && (self.sources.is_empty() || self.sources.iter().any(named))
    }

    /// Whether this person may receive such a track.
    pub(crate) fn may_receive(&self, track: &Track) -> bool {
        self.permission.subscribe.allow(track.info.r#type(), track.info.source())
    }

    /// The sources this person may publish from, by name; empty when all.
    fn publish_sources(&self) -> Vec<i32> {
        const SOURCES: [(lk::TrackType, lk::TrackSource); 4] = [
            (lk::TrackType::Video, lk::TrackSource::Camera),
            (lk::TrackType::Audio, lk::TrackSource::Microphone),
            (lk::TrackType::Video, lk::TrackSource::ScreenShare),
            (lk::TrackType::Audio, lk::TrackSource::ScreenShareAudio),
        ];
        let allowed = SOURCES.into_iter().filter(|(kind, source)| self.may_publish(*kind, *source));
        let allowed: Vec<i32> = allowed.map(|(_, source)| source.into()).collect();
        if allowed.len() == SOURCES.len() { Vec::new() } else { allowed }
    }

    /// Whether others are told about this person.
    pub(crate) fn is_visible(&self) -> bool {
        !self.permission.hidden
    }

    /// What clients know of this person, with the tracks given.
    pub(crate) fn info(&self, tracks: Vec<lk::TrackInfo>) -> lk::ParticipantInfo {
        lk::ParticipantInfo {
            sid: self.sid.clone(),
            identity: self.identity.clone(),
            name: self.name.clone(),
            metadata: self.metadata.clone(),
            attributes: self.attributes.clone(),
            state: self.state.into(),
            joined_at: self.joined_ms / 1000,
            joined_at_ms: self.joined_ms,
            version: self.version,
            is_publisher: !tracks.is_empty(),
            tracks,
            permission: Some(lk::ParticipantPermission {
                can_subscribe: self.permission.subscribe.any(),
                can_publish: self.permission.publish.any(),
                can_publish_sources: self.publish_sources(),
                can_publish_data: self.permission.can_publish_data,
                hidden: self.permission.hidden,
                can_update_metadata: self.may_update_metadata,
                ..lk::ParticipantPermission::default()
            }),
            client_protocol: self.client_protocol,
            ..lk::ParticipantInfo::default()
        }
    }
}
