//! What people send: announced tracks, the publisher connection's offers, muting, withdrawing.

use std::collections::HashSet;
use std::time::Instant;

use confab_protocol::Code;
use confab_signal::lk;
use lk::request_response::Reason;
use lk::signal_response::Message;
use str0m::media::Mid;

use super::Rooms;
use crate::engine::Kind;
use crate::sfu::arena::Key;
use crate::sfu::ids;
use crate::sfu::keyframe::Gate;
use crate::sfu::peer::Peer;
use crate::sfu::person::{Announced, Person, Unclaimed};
use crate::sfu::reach::Arrivals;
use crate::sfu::sdp::{self, Opus, Section};
use crate::sfu::speakers::Meter;
use crate::sfu::track::Track;

/// Tracks one person may publish or have announced.
const MAX_TRACKS: usize = 32;
/// The longest text a client may put into a track's description.
const MAX_TEXT: usize = 256;

impl Rooms {
    /// The client is going to send a track: it gets its id, or is told why not.
    pub(super) fn add_track(&mut self, key: Key<Person>, request: lk::AddTrackRequest, now: Instant) {
        if let Some((reason, message)) = self.refusal(key, &request) {
            let response = lk::RequestResponse {
                reason: reason.into(),
                message,
                request: Some(lk::request_response::Request::AddTrack(request)),
                ..lk::RequestResponse::default()
            };
            return self.tell(key, Message::RequestResponse(response), now);
        }
        let Some(person) = self.people.get_mut(key) else { return };
        let known = person.announced.iter().find(|known| known.cids.contains(&request.cid));
        let info = known.map_or_else(|| describe(&request), |known| known.info.clone());
        if known.is_none() {
            let mut cids = vec![request.cid.clone()];
            cids.extend(request.simulcast_codecs.iter().map(|codec| codec.cid.clone()));
            person.announced.push(Announced { cids, info: info.clone() });
        }
        let published = lk::TrackPublishedResponse { cid: request.cid, track: Some(info) };
        self.tell(key, Message::TrackPublished(published), now);
        self.claim(key, now);
    }

    /// Why somebody may not announce a track, if they may not.
    fn refusal(&self, key: Key<Person>, request: &lk::AddTrackRequest) -> Option<(Reason, String)> {
        let person = self.people.get(key)?;
        let kind = Kind::of(request.r#type(), request.source());
        if !person.may_publish(request.r#type(), request.source()) {
            let code = match kind {
                Kind::Audio => None,
                Kind::Video => Some(Code::NO_PRIVILEGE_PUSH_VIDEO),
                Kind::Screen => Some(Code::NO_PRIVILEGE_PUSH_SUB_VIDEO),
            };
            let message = "You may not send this here.".to_owned();
            return Some((Reason::NotAllowed, coded(message, code.filter(|_| person.ticket.is_some()))));
        }
        let too_long = [&request.cid, &request.name, &request.stream].iter().any(|t| t.len() > MAX_TEXT);
        if person.announced.len() + person.tracks.len() >= MAX_TRACKS || too_long || request.layers.len() > 8
        {
            let message = "Too many tracks, or too long a description.".to_owned();
            return Some((Reason::LimitExceeded, message));
        }
        let room = self.rooms.get(person.room)?;
        let most = room.publishing?;
        let others = || room.people.iter().filter(|other| **other != key).filter_map(|k| self.people.get(*k));
        let sending = others().filter(|other| other.has_tracks()).count();
        if !person.has_tracks() && sending >= most as usize {
            let message =
                format!("Only {most} may send at a time, and as many do; you can watch and listen.");
            return Some((Reason::LimitExceeded, coded(message, Some(Code::ROOM_FULL))));
        }
        let sharer = others().find(|other| kind == Kind::Screen && self.shares(other))?;
        let name = if sharer.name.is_empty() { &sharer.identity } else { &sharer.name };
        let message = format!("{name} is sharing a screen already.");
        Some((Reason::LimitExceeded, coded(message, Some(Code::SUB_VIDEO_OCCUPIED))))
    }

    /// Whether somebody shares a screen, or is about to.
    fn shares(&self, person: &Person) -> bool {
        self.sent_by(person).any(|info| Kind::of_track(info) == Kind::Screen)
    }

    /// What somebody sends, muted or not, or is about to.
    pub(super) fn sent_by<'a>(&'a self, person: &'a Person) -> impl Iterator<Item = &'a lk::TrackInfo> {
        let tracks = person.tracks.iter().filter_map(|track| self.tracks.get(*track));
        let announced = person.announced.iter().map(|announced| &announced.info);
        tracks.map(|track| &track.info).chain(announced)
    }

    /// The publisher connection's offer: what it no longer sends is withdrawn, what is new is
    /// matched with what was announced, and the answer goes back.
    pub(super) fn publisher_offer(&mut self, key: Key<Person>, offer: lk::SessionDescription, now: Instant) {
        let Some(person) = self.people.get(key) else { return };
        let (side, allowed) = (person.publisher, person.permission.publish.any());
        if !sdp::acceptable(&offer.sdp) {
            tracing::info!(identity = person.identity, "offer of absurd size");
            return self.mismatch(key, now);
        }
        let mut sections = sdp::sections(&offer.sdp);
        let Some(peer) = self.peers.get_mut(side) else { return };
        let Some(answer) = peer.answer(&sdp::receive_only(&offer.sdp, allowed)) else {
            return self.mismatch(key, now);
        };
        self.register(side);
        self.pump(side, now);
        if allowed {
            let refused = self.refuse_sections(key, &mut sections, &answer);
            self.sync_sections(key, &sections, now);
            self.claim(key, now);
            for track_sid in refused {
                let gone = lk::TrackUnpublishedResponse { track_sid };
                self.tell(key, Message::TrackUnpublished(gone), now);
            }
        }
        let mid = sections.into_iter().next().map(|section| section.mid);
        let answer = sdp::finish_answer(&answer, |mid| self.opus(key, mid));
        let answer = lk::SessionDescription {
            r#type: "answer".to_owned(),
            sdp: answer,
            id: offer.id,
            ..lk::SessionDescription::default()
        };
        self.tell(key, Message::Answer(answer), now);
        self.trickle(key, side, mid, now);
    }

    /// Mutes or unmutes a person's own track; true when there is such a track. What the server mutes is
    /// not sent on, whatever the client does, until it is unmuted.
    pub(super) fn mute(
        &mut self,
        key: Key<Person>,
        sid: &str,
        muted: bool,
        by_server: bool,
        now: Instant,
    ) -> bool {
        let Some(person) = self.people.get_mut(key) else { return false };
        if let Some(announced) = person.announced.iter_mut().find(|a| a.info.sid == sid) {
            announced.info.muted = muted;
            return true;
        }
        let mut tracks = person.tracks.iter();
        let track = tracks.find(|track| self.tracks.get(**track).is_some_and(|t| t.info.sid == sid));
        let Some(place) = track.copied() else { return false };
        let Some(track) = self.tracks.get_mut(place) else { return false };
        let passes_again = track.held && !muted;
        track.held = muted && (by_server || track.held);
        if track.info.muted != muted {
            track.info.muted = muted;
            self.announce(key, now);
        }
        if passes_again {
            self.ask_key_frame(place, now);
        }
        true
    }

    /// Takes everything back that a person publishes.
    pub(super) fn withdraw_all(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        person.announced.clear();
        person.unclaimed.clear();
        for track in std::mem::take(&mut person.tracks) {
            self.withdraw(track, now);
        }
    }

    /// Takes back what a person sends of that kind; they may send it again.
    pub(super) fn withdraw_kind(&mut self, key: Key<Person>, kind: Kind, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let is_meant = |info: &lk::TrackInfo| Kind::of_track(info) == kind;
        person.announced.retain(|announced| !is_meant(&announced.info));
        let of_kind = |track: &&Key<Track>| self.tracks.get(**track).is_some_and(|t| is_meant(&t.info));
        let tracks: Vec<Key<Track>> = person.tracks.iter().filter(of_kind).copied().collect();
        if tracks.is_empty() {
            return;
        }
        tracks.into_iter().for_each(|track| self.withdraw(track, now));
        self.announce(key, now);
    }

    /// Takes back what a person may no longer send.
    pub(super) fn withdraw_forbidden(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        if !person.permission.publish.any() {
            return self.withdraw_all(key, now);
        }
        let mut announced = std::mem::take(&mut person.announced);
        announced.retain(|one| person.may_publish(one.info.r#type(), one.info.source()));
        person.announced = announced;
        let Some(person) = self.people.get(key) else { return };
        let forbidden = |track: &&Key<Track>| {
            let info = self.tracks.get(**track).map(|track| &track.info);
            info.is_some_and(|info| !person.may_publish(info.r#type(), info.source()))
        };
        for track in person.tracks.iter().filter(forbidden).copied().collect::<Vec<_>>() {
            self.withdraw(track, now);
        }
    }

    /// Takes one track back: nobody receives it any more and its publisher is told.
    pub(super) fn withdraw(&mut self, key: Key<Track>, now: Instant) {
        let Some(track) = self.tracks.remove(key) else { return };
        tracing::debug!(track = track.info.sid, "track withdrawn");
        if let Some(person) = self.people.get_mut(track.owner) {
            person.tracks.retain(|other| *other != key);
        }
        if let Some(peer) = self.peers.get_mut(track.publisher) {
            peer.sections.retain(|_, other| *other != key);
            peer.sources.retain(|_, other| *other != key);
        }
        let gone = lk::TrackUnpublishedResponse { track_sid: track.info.sid.clone() };
        if self.people.get(track.owner).is_some_and(|person| person.leaving.is_none()) {
            self.tell(track.owner, Message::TrackUnpublished(gone), now);
        }
        self.unsubscribe_all(track.owner, key, &track.info.sid, now);
    }

    /// Sections without a codec that is forwarded here carry nothing; gives the ids of the tracks that
    /// were announced for them, which come to nothing too.
    fn refuse_sections(&mut self, key: Key<Person>, sections: &mut [Section], answer: &str) -> Vec<String> {
        let refused = sdp::refused(answer);
        let Some(person) = self.people.get_mut(key) else { return Vec::new() };
        let mut tracks = Vec::new();
        for section in sections.iter_mut().filter(|section| section.sends && refused.contains(&section.mid)) {
            section.sends = false;
            let mid = Mid::from(section.mid.as_str());
            let unclaimed = Unclaimed { mid, video: section.kind == "video", cid: section.track.clone() };
            tracks.extend(person.take_announced(&unclaimed).map(|announced| announced.info.sid));
        }
        tracks
    }

    /// Compares the offer's sections with the tracks that are known.
    fn sync_sections(&mut self, key: Key<Person>, sections: &[Section], now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let Some(peer) = self.peers.get(person.publisher) else { return };
        let sending: HashSet<Mid> =
            sections.iter().filter(|s| s.sends).map(|s| Mid::from(s.mid.as_str())).collect();
        person.unclaimed.retain(|section| sending.contains(&section.mid));
        for section in sections.iter().filter(|s| s.sends && s.kind != "application") {
            let mid = Mid::from(section.mid.as_str());
            let known = peer.sections.contains_key(&mid) || person.unclaimed.iter().any(|u| u.mid == mid);
            if !known {
                let video = section.kind == "video";
                person.unclaimed.push(Unclaimed { mid, video, cid: section.track.clone() });
            }
        }
        let gone = peer.sections.iter().filter(|(mid, _)| !sending.contains(mid));
        let gone: Vec<_> = gone.map(|(_, track)| *track).collect();
        if !gone.is_empty() {
            gone.into_iter().for_each(|track| self.withdraw(track, now));
            self.announce(key, now);
        }
    }

    /// Joins announced tracks with sections: by the client's own id, else the first of its kind.
    fn claim(&mut self, key: Key<Person>, now: Instant) {
        let Some(person) = self.people.get_mut(key) else { return };
        let mut made = Vec::new();
        let mut unclaimed = Vec::new();
        for section in std::mem::take(&mut person.unclaimed) {
            match person.take_announced(&section) {
                Some(announced) => made.push((section, announced)),
                None => unclaimed.push(section),
            }
        }
        person.unclaimed = unclaimed;
        if made.is_empty() {
            return;
        }
        let publisher = person.publisher;
        for (section, announced) in made {
            self.publish(key, publisher, &section, announced, now);
        }
        self.announce(key, now);
        self.offer_to_room(key, now);
    }

    fn publish(
        &mut self,
        key: Key<Person>,
        publisher: Key<Peer>,
        section: &Unclaimed,
        announced: Announced,
        now: Instant,
    ) {
        let mut info = announced.info;
        info.mid = section.mid.to_string();
        tracing::debug!(track = info.sid, mid = info.mid, "track published");
        let track = self.tracks.insert_with(|_| Track {
            owner: key,
            publisher,
            mid: section.mid,
            info,
            video: section.video,
            held: false,
            pending: Vec::new(),
            source: None,
            heard: now,
            outputs: Vec::new(),
            gate: Gate::default(),
            meter: Meter::default(),
            arrivals: Arrivals::default(),
            watched: false,
        });
        if let Some(person) = self.people.get_mut(key) {
            person.tracks.push(track);
        }
        if let Some(peer) = self.peers.get_mut(publisher) {
            peer.sections.insert(section.mid, track);
        }
    }

    /// What the client shall do with Opus in a section: as it announced the track.
    #[allow(deprecated, reason = "what clients of every age say about their audio")]
    fn opus(&self, key: Key<Person>, mid: &str) -> Option<Opus> {
        let person = self.people.get(key)?;
        let peer = self.peers.get(person.publisher)?;
        let track = peer.sections.get(&Mid::from(mid)).and_then(|track| self.tracks.get(*track))?;
        (!track.video).then_some(Opus { dtx: !track.info.disable_dtx, stereo: track.info.stereo })
    }
}

impl Person {
    /// Whether this person sends something, muted or not, or is about to.
    fn has_tracks(&self) -> bool {
        !self.tracks.is_empty() || !self.announced.is_empty()
    }

    fn take_announced(&mut self, section: &Unclaimed) -> Option<Announced> {
        let kind = i32::from(if section.video { lk::TrackType::Video } else { lk::TrackType::Audio });
        let of_kind = |announced: &Announced| announced.info.r#type == kind;
        let by_cid = self.announced.iter().position(|announced| {
            of_kind(announced) && section.cid.as_ref().is_some_and(|cid| announced.cids.contains(cid))
        });
        let place = by_cid.or_else(|| self.announced.iter().position(of_kind))?;
        Some(self.announced.remove(place))
    }
}

/// A sentence with the code at its end by which our clients know what it is about.
fn coded(message: String, code: Option<Code>) -> String {
    match code {
        Some(code) => format!("{message} ({})", code.0),
        None => message,
    }
}

#[allow(deprecated, reason = "passed on as clients of every age say it")]
fn describe(request: &lk::AddTrackRequest) -> lk::TrackInfo {
    let kind = request.r#type();
    let mime = if kind == lk::TrackType::Audio { "audio/opus" } else { "video/h264" };
    lk::TrackInfo {
        sid: ids::track(kind, request.source()),
        r#type: kind.into(),
        name: request.name.clone(),
        muted: request.muted,
        width: request.width,
        height: request.height,
        disable_dtx: request.disable_dtx,
        source: request.source,
        layers: request.layers.clone(),
        mime_type: mime.to_owned(),
        codecs: vec![lk::SimulcastCodecInfo {
            mime_type: mime.to_owned(),
            cid: request.cid.clone(),
            layers: request.layers.clone(),
            ..lk::SimulcastCodecInfo::default()
        }],
        stereo: request.stereo,
        disable_red: request.disable_red,
        encryption: request.encryption,
        stream: request.stream.clone(),
        audio_features: request.audio_features.clone(),
        backup_codec_policy: request.backup_codec_policy,
        packet_trailer_features: request.packet_trailer_features.clone(),
        ..lk::TrackInfo::default()
    }
}
