//! What a client asks over its websocket. A request nobody knows is ignored, never an end.

use std::time::Instant;

use confab_signal::{candidate, limit, lk};
use lk::signal_request::Message as Request;
use lk::signal_response::Message;

use super::Rooms;
use super::leave::Departure;
use crate::clock::signed_ms;
use crate::sfu::arena::Key;
use crate::sfu::peer::Peer;
use crate::sfu::person::Person;

impl Rooms {
    /// Does what a person asks.
    #[allow(deprecated, reason = "an old request that is ignored has to be named")]
    pub(super) fn signal(&mut self, key: Key<Person>, request: Request, now: Instant) {
        match request {
            Request::Offer(offer) => self.publisher_offer(key, offer, now),
            Request::Answer(answer) => self.subscriber_answer(key, &answer, now),
            Request::Trickle(trickle) => self.candidate(key, &trickle, now),
            Request::AddTrack(request) => self.add_track(key, request, now),
            Request::Mute(mute) => {
                self.mute(key, &mute.sid, mute.muted, false, now);
            }
            Request::Subscription(wish) => self.subscription(key, &wish, now),
            Request::TrackSetting(setting) => self.track_setting(key, &setting, now),
            Request::Leave(_) => {
                let left = Departure {
                    reason: lk::DisconnectReason::ClientInitiated,
                    notice: None,
                    left: Some(confab_protocol::LeaveReason::Left),
                };
                self.depart(key, left, now);
            }
            Request::SyncState(state) => self.sync_state(key, &state, now),
            Request::Ping(_) => self.tell(key, Message::Pong(signed_ms()), now),
            Request::PingReq(ping) => {
                if let Some(person) = self.people.get_mut(key) {
                    person.reach.pinged(ping.rtt);
                }
                let pong = lk::Pong { last_ping_timestamp: ping.timestamp, timestamp: signed_ms() };
                self.tell(key, Message::Pong(signed_ms()), now);
                self.tell(key, Message::PongResp(pong), now);
            }
            Request::UpdateMetadata(update) => self.update_metadata(key, update, now),
            Request::UpdateAudioTrack(_)
            | Request::UpdateVideoTrack(_)
            | Request::UpdateLayers(_)
            | Request::SubscriptionPermission(_)
            | Request::Simulate(_)
            | Request::PublishDataTrackRequest(_)
            | Request::UnpublishDataTrackRequest(_)
            | Request::UpdateDataSubscription(_)
            | Request::StoreDataBlobRequest(_)
            | Request::GetDataBlobRequest(_) => {}
        }
    }

    /// Tells a client our candidates for one connection, which are in its description as well.
    pub(super) fn trickle(&mut self, key: Key<Person>, side: Key<Peer>, mid: Option<String>, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let target =
            if side == person.publisher { lk::SignalTarget::Publisher } else { lk::SignalTarget::Subscriber };
        let lines: Vec<String> =
            self.addresses.candidates().map(|candidate| candidate.to_sdp_string()).collect();
        for line in lines {
            let one = candidate::Candidate {
                candidate: line,
                sdp_mid: mid.clone(),
                sdp_m_line_index: Some(0),
                username_fragment: None,
            };
            let Some(candidate_init) = candidate::to_json(&one) else { continue };
            let trickle = lk::TrickleRequest { candidate_init, target: target.into(), r#final: false };
            self.tell(key, Message::Trickle(trickle), now);
        }
    }

    fn candidate(&mut self, key: Key<Person>, trickle: &lk::TrickleRequest, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let side = match trickle.target() {
            lk::SignalTarget::Publisher => person.publisher,
            lk::SignalTarget::Subscriber => person.subscriber,
        };
        let Ok(Some(candidate)) = candidate::from_json(&trickle.candidate_init) else { return };
        if let Some(peer) = self.peers.get_mut(side) {
            peer.add_candidate(&candidate.candidate);
            peer.wake(now);
            self.pump(side, now);
        }
    }

    /// After a resume: what the client still has. Everything it has is known here, except the
    /// tracks it paused.
    fn sync_state(&mut self, key: Key<Person>, state: &lk::SyncState, now: Instant) {
        let setting = lk::UpdateTrackSettings {
            track_sids: state.track_sids_disabled.clone(),
            disabled: true,
            ..lk::UpdateTrackSettings::default()
        };
        self.track_setting(key, &setting, now);
        if let Some(wish) = &state.subscription
            && !wish.subscribe
        {
            self.subscription(key, wish, now);
        }
    }

    fn update_metadata(&mut self, key: Key<Person>, update: lk::UpdateParticipantMetadata, now: Instant) {
        use lk::request_response::Reason;
        let Some(person) = self.people.get_mut(key) else { return };
        let text = |text: &str| text.len();
        // What is there already counts as well, unless it is replaced.
        let kept = person.attributes.iter().filter(|(name, _)| !update.attributes.contains_key(*name));
        let attributes: usize =
            kept.chain(&update.attributes).map(|(name, value)| text(name) + text(value)).sum();
        let too_long = update.name.len() > limit::NAME
            || update.metadata.len() > limit::METADATA
            || attributes > limit::ATTRIBUTES;
        let reason = if !person.may_update_metadata {
            Reason::NotAllowed
        } else if too_long {
            Reason::LimitExceeded
        } else {
            Reason::Ok
        };
        if reason == Reason::Ok {
            if !update.name.is_empty() {
                person.name = update.name;
            }
            if !update.metadata.is_empty() {
                person.metadata = update.metadata;
            }
            person.merge_attributes(update.attributes);
            self.announce(key, now);
        }
        let response = lk::RequestResponse {
            request_id: update.request_id,
            reason: reason.into(),
            ..lk::RequestResponse::default()
        };
        self.tell(key, Message::RequestResponse(response), now);
    }
}
