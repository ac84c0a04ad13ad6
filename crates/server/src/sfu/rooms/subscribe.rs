//! What people receive: subscriptions, and the subscriber connection's offers.
//!
//! `wanted` says what somebody is to receive; an offer is the difference between that and the
//! sections their connection has. At most one offer is out, changes meanwhile make the next one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_signal::lk;
use lk::signal_response::Message;
use str0m::channel::{ChannelConfig, Reliability};
use str0m::media::{Direction, MediaKind, Mid};

use super::Rooms;
use crate::sfu::arena::Key;
use crate::sfu::person::{Negotiation, Outgoing, Person};
use crate::sfu::sdp;
use crate::sfu::track::{Output, Track};

/// A section is used again only when this many of its kind lie idle: some clients show a track in
/// a used section late, but an offer must not grow for ever.
const IDLE_SECTIONS: usize = 8;
/// Tracks that one person receives at most, and that one message can name: their sections have to fit
/// into one description.
const MAX_WANTED: usize = 1000;
/// Packets of a stream that can be sent again, and for how long.
const REPAIR_PACKETS: usize = 2000;
const REPAIR_AGE: Duration = Duration::from_secs(3);
/// Of what a subscriber is sent within a second, at most this share is sent again; beyond it what they
/// ask for is dropped. Somebody who asks for everything gets it twice, not without end. With the stack's
/// own 0.15 a network that loses a twentieth and reorders came to it: of 450 pictures 297 to 450 arrived.
const REPAIR_SHARE: f32 = 0.5;

impl Rooms {
    /// Wants every track of the room for somebody who takes all.
    pub(super) fn subscribe_to_all(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        if !person.auto_subscribe {
            return;
        }
        let others = self.everybody_but(key).into_iter().filter_map(|other| self.people.get(other));
        let tracks: Vec<Key<Track>> = others.flat_map(|other| other.tracks.iter().copied()).collect();
        self.want(key, &tracks, now);
    }

    /// Wants those of the tracks that somebody may receive, and tells them of the others once; whether
    /// there is something new to receive.
    fn want(&mut self, key: Key<Person>, tracks: &[Key<Track>], now: Instant) -> bool {
        let Some(person) = self.people.get_mut(key) else { return false };
        let mut forbidden = Vec::new();
        let mut allowed = Vec::new();
        for place in tracks {
            match self.tracks.get(*place) {
                Some(track) if person.may_receive(track) => allowed.push(*place),
                Some(_) if !person.denied.contains(place) => forbidden.push(*place),
                Some(_) | None => {}
            }
        }
        forbidden.truncate(MAX_WANTED.saturating_sub(person.denied.len()));
        person.denied.extend(&forbidden);
        let more = person.want(&allowed);
        for track in forbidden {
            self.tell_allowed(key, track, false, now);
        }
        more
    }

    /// Tells somebody of the tracks that they may receive by now.
    pub(super) fn allow_again(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let denied = std::mem::take(&mut person.denied);
        let may = |place: &Key<Track>| self.tracks.get(*place).is_some_and(|track| person.may_receive(track));
        let (allowed, denied): (Vec<_>, Vec<_>) = denied.into_iter().partition(may);
        person.denied = denied;
        for track in allowed {
            self.tell_allowed(key, track, true, now);
        }
    }

    fn tell_allowed(&mut self, key: Key<Person>, track: Key<Track>, allowed: bool, now: Instant) {
        let Some(track) = self.tracks.get(track) else { return };
        let Some(owner) = self.people.get(track.owner) else { return };
        let update = lk::SubscriptionPermissionUpdate {
            participant_sid: owner.sid.clone(),
            track_sid: track.info.sid.clone(),
            allowed,
        };
        self.tell(key, Message::SubscriptionPermissionUpdate(update), now);
    }

    /// Offers a publisher's tracks to everybody in the room who takes all.
    pub(super) fn offer_to_room(&mut self, publisher: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(publisher) else { return };
        let tracks = person.tracks.clone();
        for key in self.everybody_but(publisher) {
            let takes_all = self.people.get(key).is_some_and(|person| person.auto_subscribe);
            if takes_all && self.want(key, &tracks, now) {
                self.negotiate(key, now);
            }
        }
    }

    /// Takes a track that is gone from everybody in its publisher's room.
    pub(super) fn unsubscribe_all(
        &mut self,
        publisher: Key<Person>,
        track: Key<Track>,
        sid: &str,
        now: Instant,
    ) {
        let Some(person) = self.people.get(publisher) else { return };
        for key in self.people_of(person.room) {
            let Some(person) = self.people.get_mut(key) else { continue };
            let before = person.wanted.len();
            person.wanted.retain(|wanted| *wanted != track);
            person.denied.retain(|denied| *denied != track);
            person.paused.retain(|paused| paused != sid);
            if person.wanted.len() != before {
                self.negotiate(key, now);
            }
        }
    }

    /// The client picks tracks itself.
    pub(super) fn subscription(&mut self, key: Key<Person>, wish: &lk::UpdateSubscription, now: Instant) {
        let sids = wish.participant_tracks.iter().flat_map(|tracks| &tracks.track_sids);
        let sids = wish.track_sids.iter().chain(sids).take(MAX_WANTED);
        let tracks: Vec<Key<Track>> = sids.filter_map(|sid| self.track_for(key, sid)).collect();
        if wish.subscribe {
            self.want(key, &tracks, now);
        } else if let Some(person) = self.people.get_mut(key) {
            person.wanted.retain(|wanted| !tracks.contains(wanted));
            self.stop_outputs(key);
        }
        self.negotiate(key, now);
    }

    /// The client pauses or resumes tracks without renegotiation.
    pub(super) fn track_setting(
        &mut self,
        key: Key<Person>,
        setting: &lk::UpdateTrackSettings,
        now: Instant,
    ) {
        for sid in setting.track_sids.iter().take(MAX_WANTED) {
            let Some(track) = self.track_for(key, sid) else { continue };
            if let Some(person) = self.people.get_mut(key) {
                person.paused.retain(|paused| paused != sid);
                if setting.disabled {
                    person.paused.push(sid.clone());
                }
            }
            let Some(found) = self.tracks.get_mut(track) else { continue };
            let mut outputs = found.outputs.iter_mut();
            let output = outputs.find(|o| o.person == key && o.paused != setting.disabled);
            let Some(output) = output else { continue };
            output.pause(setting.disabled);
            if !setting.disabled {
                self.ask_key_frame(track, now);
            }
        }
    }

    /// Makes the next offer if there is something to say and no offer is out.
    pub(super) fn negotiate(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        if person.leaving.is_some() || person.link.to.is_none() {
            return;
        }
        if person.negotiation.pending.is_some() {
            person.negotiation.again = true;
            return;
        }
        self.offer(key, false, now);
    }

    /// New ICE for a client that resumed; an answer that never came is given up.
    pub(super) fn restart(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        person.negotiation.pending = None;
        person.negotiation.sections.retain(|section| section.answered);
        self.offer(key, true, now);
    }

    fn offer(&mut self, key: Key<Person>, restart: bool, now: Instant) {
        let ids = self.wanted_ids(key);
        let Some(person) = self.people.get_mut(key) else { return };
        let Some(peer) = self.peers.get_mut(person.subscriber) else { return };
        let side = person.subscriber;
        let negotiation = &mut person.negotiation;
        for section in &mut negotiation.sections {
            section.track.take_if(|track| !person.wanted.contains(track));
        }
        let (again, new) = negotiation.place(ids);
        for mid in &again {
            // A section used again is a new stream with new sources, so that no old packet is taken for
            // its. The offer names them, so they come before it. The stack's own reset of a stream
            // leaves it to be found by its old source only.
            let mut direct = peer.rtc.direct_api();
            let before = direct.stream_tx_by_mid(*mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
            let Some((ssrc, repair)) = before else { continue };
            direct.remove_stream_tx(ssrc);
            let (main, repair) = (direct.new_ssrc(), repair.map(|_| direct.new_ssrc()));
            direct.declare_stream_tx(main, repair, *mid, None);
        }
        let mut api = peer.rtc.sdp_api();
        if !negotiation.channels {
            negotiation.channels = true;
            for config in channels() {
                api.add_channel_with_config(config);
            }
        }
        for section in &mut negotiation.sections {
            if section.track.is_none() && section.on {
                section.on = false;
                api.set_direction(section.mid, Direction::Inactive);
            }
        }
        for mid in again {
            api.set_direction(mid, Direction::SendOnly);
        }
        for Wanted { track, video, ids } in new {
            let kind = if video { MediaKind::Video } else { MediaKind::Audio };
            let (stream_id, track_id) = ids.clone();
            let mid = api.add_media(kind, Direction::SendOnly, Some(stream_id), Some(track_id), None);
            let track = Some(track);
            negotiation.sections.push(Outgoing { mid, video, track, ids, answered: false, on: true });
        }
        if restart {
            api.ice_restart(true);
        }
        let Some((offer, pending)) = api.apply() else { return };
        negotiation.pending = Some(pending);
        negotiation.again = false;
        negotiation.id += 1;
        let names: HashMap<String, (String, String)> =
            negotiation.sections.iter().map(|s| (s.mid.to_string(), s.ids.clone())).collect();
        let live = negotiation.sections.iter().filter(|section| section.on);
        let description = lk::SessionDescription {
            r#type: "offer".to_owned(),
            sdp: sdp::with_ids(&offer.to_sdp_string(), |mid| names.get(mid).cloned()),
            id: negotiation.id,
            mid_to_track_id: live.map(|s| (s.mid.to_string(), s.ids.1.clone())).collect(),
        };
        let mid = sdp::sections(&description.sdp).into_iter().next().map(|section| section.mid);
        self.tell(key, Message::Offer(description), now);
        self.trickle(key, side, mid, now);
    }

    /// Every wanted track.
    fn wanted_ids(&self, key: Key<Person>) -> Vec<Wanted> {
        let wanted = self.people.get(key).map(|person| person.wanted.as_slice()).unwrap_or_default();
        let ids = |track: &Key<Track>| {
            let found = self.tracks.get(*track)?;
            let owner = self.people.get(found.owner)?;
            let ids = (format!("{}|{}", owner.sid, found.info.sid), found.info.sid.clone());
            Some(Wanted { track: *track, video: found.video, ids })
        };
        wanted.iter().filter_map(ids).collect()
    }

    /// The client's answer: what it accepted flows from now on.
    pub(super) fn subscriber_answer(
        &mut self,
        key: Key<Person>,
        answer: &lk::SessionDescription,
        now: Instant,
    ) {
        let Some(person) = self.people.get_mut(key) else { return };
        let Some(pending) = person.negotiation.pending.take() else { return };
        let side = person.subscriber;
        let Some(peer) = self.peers.get_mut(side) else { return };
        if !sdp::acceptable(&answer.sdp) || !peer.accept(pending, &answer.sdp) {
            tracing::info!(identity = person.identity, "answer does not fit the offer");
            return self.mismatch(key, now);
        }
        for section in &mut person.negotiation.sections {
            section.answered = true;
        }
        let again = std::mem::take(&mut person.negotiation.again);
        self.register(side);
        self.pump(side, now);
        self.start_outputs(key, now);
        if again {
            self.negotiate(key, now);
        }
    }

    /// Connects every answered section with its track.
    fn start_outputs(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let side = person.subscriber;
        let mut started = Vec::new();
        for section in person.negotiation.sections.iter().filter(|section| section.on) {
            let Some(track) = section.track else { continue };
            let Some(found) = self.tracks.get_mut(track) else { continue };
            if found.outputs.iter().any(|output| output.person == key) {
                continue;
            }
            let Some(peer) = self.peers.get_mut(side) else { return };
            let allowed = peer.rtc.media(section.mid).map(|media| media.remote_pts().to_vec());
            let mut direct = peer.rtc.direct_api();
            let (Some(allowed), Some(stream)) = (allowed, direct.stream_tx_by_mid(section.mid, None)) else {
                continue;
            };
            stream.set_rtx_cache(REPAIR_PACKETS, REPAIR_AGE, Some(REPAIR_SHARE));
            let ssrc = stream.ssrc();
            let mut output = Output::new(side, key, ssrc, allowed);
            output.paused = person.paused.contains(&found.info.sid);
            found.outputs.push(output);
            started.push((
                track,
                found.owner,
                found.info.sid.clone(),
                std::mem::replace(&mut found.watched, true),
            ));
        }
        // Before the connection is up a key frame would be lost, and the next one held back; being
        // connected asks again.
        let connected = self.peers.get(side).is_some_and(|peer| peer.connected);
        for (track, owner, track_sid, watched) in started {
            if !watched {
                self.tell(owner, Message::TrackSubscribed(lk::TrackSubscribed { track_sid }), now);
            }
            if connected {
                self.ask_key_frame(track, now);
            }
        }
        self.stop_outputs(key);
    }

    /// Stops every output of a person to which no wish belongs any more.
    pub(super) fn stop_outputs(&mut self, key: Key<Person>) {
        let Some(person) = self.people.get(key) else { return };
        let wanted = person.wanted.clone();
        for section in &person.negotiation.sections {
            let Some(track) = section.track.filter(|track| !wanted.contains(track)) else { continue };
            if let Some(track) = self.tracks.get_mut(track) {
                track.outputs.retain(|output| output.person != key);
            }
        }
    }

    /// A track of somebody else in the person's room.
    fn track_for(&self, key: Key<Person>, sid: &str) -> Option<Key<Track>> {
        let person = self.people.get(key)?;
        let people = self.rooms.get(person.room)?.people.iter().filter(|other| **other != key);
        let mut tracks = people.filter_map(|other| self.people.get(*other)).flat_map(|other| &other.tracks);
        tracks.find(|track| self.tracks.get(**track).is_some_and(|track| track.info.sid == sid)).copied()
    }
}

/// A track that somebody is to receive.
struct Wanted {
    track: Key<Track>,
    video: bool,
    /// Stream and track id that the client knows it by.
    ids: (String, String),
}

impl Negotiation {
    /// Puts tracks that have no section yet into idle ones where enough lie idle. Gives the sections
    /// used again, and the tracks that need new ones.
    fn place(&mut self, wanted: Vec<Wanted>) -> (Vec<Mid>, Vec<Wanted>) {
        let (mut again, mut new) = (Vec::new(), Vec::new());
        for one in wanted {
            if self.sections.iter().any(|section| section.track == Some(one.track)) {
                continue;
            }
            // What goes idle only now is still on for the client.
            let idle = |s: &Outgoing| s.track.is_none() && !s.on && s.answered && s.video == one.video;
            let enough = self.sections.iter().filter(|s| idle(s)).count() >= IDLE_SECTIONS;
            match self.sections.iter_mut().find(|s| enough && idle(s)) {
                Some(section) => {
                    (section.track, section.on, section.ids) = (Some(one.track), true, one.ids);
                    again.push(section.mid);
                }
                None => new.push(one),
            }
        }
        (again, new)
    }
}

impl Person {
    /// Adds tracks to what is wanted; true when one was not wanted yet.
    fn want(&mut self, tracks: &[Key<Track>]) -> bool {
        let before = self.wanted.len();
        for track in tracks {
            if self.wanted.len() < MAX_WANTED && !self.wanted.contains(track) {
                self.wanted.push(*track);
            }
        }
        self.wanted.len() != before
    }
}

fn channels() -> [ChannelConfig; 2] {
    let lossy = Reliability::MaxRetransmits { retransmits: 0 };
    [
        ChannelConfig { label: "_reliable".to_owned(), ..ChannelConfig::default() },
        ChannelConfig {
            label: "_lossy".to_owned(),
            ordered: false,
            reliability: lossy,
            ..ChannelConfig::default()
        },
    ]
}
