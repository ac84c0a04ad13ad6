//! Who else is in the room and what they send, and which events that makes. Pure.

use confab_protocol::{Event, LeaveReason, Quality, ROLE_ATTRIBUTE, Role};
use confab_signal::{lk, quality};
use std::collections::{BTreeMap, HashMap};

/// What a remote track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Content {
    /// Somebody's voice.
    Voice,
    /// Somebody's camera.
    Camera,
    /// Somebody's shared screen.
    Screen,
}

/// A remote track and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteTrack {
    /// LiveKit's id, `TR_...`.
    pub(crate) sid: String,
    pub(crate) user_id: String,
    pub(crate) content: Content,
    /// It belongs to a shared screen, as its sound does.
    pub(crate) shared: bool,
}

/// Somebody else in the room.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// LiveKit's id, `PA_...`; a new one after a full reconnect.
    pub(crate) sid: String,
    /// The name to show.
    pub(crate) name: String,
    pub(crate) role: Role,
    version: u32,
    tracks: Vec<Track>,
    /// Loudness 0.0..=1.0 as the server last told.
    pub(crate) level: f32,
    /// Whether the server counts them as speaking.
    pub(crate) speaking: bool,
    /// How well they reach the server, as it last told.
    pub(crate) reach: Quality,
}

#[derive(Clone, Debug, PartialEq)]
struct Track {
    sid: String,
    content: Content,
    shared: bool,
    muted: bool,
}

impl Person {
    /// Whether they send this, unmuted.
    pub(crate) fn sends(&self, content: Content) -> bool {
        self.tracks.iter().any(|track| track.content == content && !track.muted)
    }
}

/// Everybody else in the room.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Our own identity, whose updates are not about somebody else.
    own: String,
    people: BTreeMap<String, Person>,
    /// Reasons that the server told before the leaving itself.
    reasons: HashMap<String, LeaveReason>,
}

impl People {
    /// Nobody yet; `own` is our identity.
    pub(crate) fn new(own: impl Into<String>) -> Self {
        Self { own: own.into(), ..Self::default() }
    }

    /// Everybody who is there, by user id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Person)> {
        self.people.iter().map(|(id, person)| (id.as_str(), person))
    }

    /// The name to show of somebody who is there.
    pub(crate) fn name(&self, user_id: &str) -> Option<&str> {
        self.people.get(user_id).map(|person| person.name.as_str())
    }

    /// Everything that others send, muted or not.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = RemoteTrack> {
        self.people.iter().flat_map(|(user_id, person)| {
            person.tracks.iter().map(|track| RemoteTrack {
                sid: track.sid.clone(),
                user_id: user_id.clone(),
                content: track.content,
                shared: track.shared,
            })
        })
    }

    /// Whose track this is.
    pub(crate) fn track(&self, sid: &str) -> Option<RemoteTrack> {
        self.tracks().find(|track| track.sid == sid)
    }

    /// The whole list, as after joining: whoever is not in it has left meanwhile.
    pub(crate) fn replace(&mut self, infos: &[lk::ParticipantInfo]) -> Vec<Event> {
        let gone: Vec<String> = self
            .people
            .keys()
            .filter(|id| !infos.iter().any(|info| info.identity == **id))
            .cloned()
            .collect();
        let mut events = Vec::new();
        for user_id in gone {
            self.leave(&user_id, LeaveReason::TimedOut, &mut events);
        }
        events.extend(self.update(infos));
        events
    }

    /// Changes of some people.
    pub(crate) fn update(&mut self, infos: &[lk::ParticipantInfo]) -> Vec<Event> {
        let mut events = Vec::new();
        for (at, info) in infos.iter().enumerate() {
            // Somebody who entered again has not left: the new stay is told in the same breath.
            let stays = is_gone(info)
                && infos[at + 1..].iter().any(|later| later.identity == info.identity && !is_gone(later));
            if info.identity != self.own && !info.identity.is_empty() && !stays {
                self.update_one(info, &mut events);
            }
        }
        events
    }

    /// The server told why somebody leaves, before it tells that they do.
    pub(crate) fn will_leave(&mut self, user_id: &str, reason: LeaveReason) {
        if self.people.contains_key(user_id) {
            self.reasons.insert(user_id.to_owned(), reason);
        }
    }

    /// How loud people are now; those not named stay as they were.
    pub(crate) fn speakers(&mut self, speakers: &[lk::SpeakerInfo]) {
        for speaker in speakers {
            if let Some(person) = self.people.values_mut().find(|person| person.sid == speaker.sid) {
                person.speaking = speaker.active;
                person.level = if speaker.active { speaker.level } else { 0.0 };
            }
        }
    }

    /// How well people reach the server now; those not named stay as they were.
    pub(crate) fn qualities(&mut self, told: &[lk::ConnectionQualityInfo]) {
        for info in told {
            if let Some(person) = self.people.values_mut().find(|person| person.sid == info.participant_sid) {
                person.reach = quality::decode(info);
            }
        }
    }

    fn update_one(&mut self, info: &lk::ParticipantInfo, events: &mut Vec<Event>) {
        let known = self.people.get(&info.identity);
        let same = known.is_some_and(|person| person.sid == info.sid);
        if is_gone(info) {
            // The end of an earlier stay of somebody who is back already is no news.
            if same {
                self.leave(&info.identity, leave_reason(info.disconnect_reason()), events);
            }
            return;
        }
        if same && known.is_some_and(|person| info.version < person.version) {
            return;
        }
        let role = role(info);
        if role == Role::Audience {
            self.leave(&info.identity, LeaveReason::BecameAudience, events);
            return;
        }
        let name = if info.name.is_empty() { info.identity.clone() } else { info.name.clone() };
        if known.is_none() {
            events.push(Event::OnRemoteUserEnterRoom { user_id: info.identity.clone(), name: name.clone() });
        }
        let person = self.people.entry(info.identity.clone()).or_insert_with(|| Person {
            sid: info.sid.clone(),
            name: name.clone(),
            role,
            version: info.version,
            tracks: Vec::new(),
            level: 0.0,
            speaking: false,
            reach: Quality::Unknown,
        });
        if person.sid != info.sid {
            // Another stay, of which the server tells anew.
            person.reach = Quality::Unknown;
        }
        person.sid.clone_from(&info.sid);
        person.name = name;
        person.role = role;
        person.version = info.version;
        let tracks = info.tracks.iter().filter_map(track).collect();
        set_tracks(&info.identity, person, tracks, events);
    }

    fn leave(&mut self, user_id: &str, reason: LeaveReason, events: &mut Vec<Event>) {
        let Some(mut person) = self.people.remove(user_id) else { return };
        let reason = self.reasons.remove(user_id).unwrap_or(reason);
        set_tracks(user_id, &mut person, Vec::new(), events);
        events.push(Event::OnRemoteUserLeaveRoom { user_id: user_id.to_owned(), reason });
    }
}

/// Replaces what a person sends and tells what became available or ceased, voice first.
fn set_tracks(user_id: &str, person: &mut Person, tracks: Vec<Track>, events: &mut Vec<Event>) {
    const ORDER: [Content; 3] = [Content::Voice, Content::Camera, Content::Screen];
    let before = ORDER.map(|content| person.sends(content));
    person.tracks = tracks;
    for (content, before) in ORDER.into_iter().zip(before) {
        let available = person.sends(content);
        if available != before {
            let user_id = user_id.to_owned();
            events.push(match content {
                Content::Voice => Event::OnUserAudioAvailable { user_id, available },
                Content::Camera => Event::OnUserVideoAvailable { user_id, available },
                Content::Screen => Event::OnUserSubStreamAvailable { user_id, available },
            });
        }
    }
}

fn is_gone(info: &lk::ParticipantInfo) -> bool {
    info.state() == lk::participant_info::State::Disconnected
}

fn track(info: &lk::TrackInfo) -> Option<Track> {
    let content = match (info.r#type(), info.source()) {
        (lk::TrackType::Audio, _) => Content::Voice,
        (lk::TrackType::Video, lk::TrackSource::ScreenShare) => Content::Screen,
        (lk::TrackType::Video, _) => Content::Camera,
        (lk::TrackType::Data, _) => return None,
    };
    let shared = matches!(info.source(), lk::TrackSource::ScreenShare | lk::TrackSource::ScreenShareAudio);
    Some(Track { sid: info.sid.clone(), content, shared, muted: info.muted })
}

/// Somebody without the attribute came by a plain LiveKit token, which knows no roles.
fn role(info: &lk::ParticipantInfo) -> Role {
    match info.attributes.get(ROLE_ATTRIBUTE).map(String::as_str) {
        Some("audience" | "21") => Role::Audience,
        _ => Role::Anchor,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most reasons mean that somebody left")]
fn leave_reason(reason: lk::DisconnectReason) -> LeaveReason {
    use lk::DisconnectReason as Reason;
    match reason {
        Reason::ConnectionTimeout | Reason::SignalClose | Reason::MediaFailure | Reason::JoinFailure => {
            LeaveReason::TimedOut
        }
        Reason::ParticipantRemoved | Reason::RoomDeleted => LeaveReason::Removed,
        _ => LeaveReason::Left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lk::participant_info::State;

    fn info(id: &str, version: u32, tracks: Vec<lk::TrackInfo>) -> lk::ParticipantInfo {
        lk::ParticipantInfo {
            sid: format!("PA_{id}"),
            identity: id.into(),
            name: format!("{id} the guest"),
            state: State::Active as i32,
            version,
            tracks,
            ..Default::default()
        }
    }

    fn gone(id: &str, reason: lk::DisconnectReason) -> lk::ParticipantInfo {
        let mut info = info(id, 99, Vec::new());
        info.set_state(State::Disconnected);
        info.set_disconnect_reason(reason);
        info
    }

    fn media(sid: &str, kind: lk::TrackType, muted: bool) -> lk::TrackInfo {
        lk::TrackInfo { sid: sid.into(), r#type: kind as i32, muted, ..Default::default() }
    }

    fn both(muted: bool) -> Vec<lk::TrackInfo> {
        vec![media("TR_V", lk::TrackType::Video, muted), media("TR_A", lk::TrackType::Audio, muted)]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a test looks for the events it is about")]
    fn brief(events: &[Event]) -> Vec<String> {
        events
            .iter()
            .map(|event| match event {
                Event::OnRemoteUserEnterRoom { user_id, .. } => format!("{user_id} in"),
                Event::OnRemoteUserLeaveRoom { user_id, reason } => {
                    format!("{user_id} out {}", u8::from(*reason))
                }
                Event::OnUserAudioAvailable { user_id, available } => format!("{user_id} voice {available}"),
                Event::OnUserVideoAvailable { user_id, available } => format!("{user_id} camera {available}"),
                Event::OnUserSubStreamAvailable { user_id, available } => {
                    format!("{user_id} screen {available}")
                }
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn somebody_comes_sends_mutes_and_leaves_in_trtcs_order() {
        let mut people = People::new("me");
        assert_eq!(
            brief(&people.update(&[info("bob", 1, both(false))])),
            ["bob in", "bob voice true", "bob camera true"]
        );
        assert_eq!(
            brief(&people.update(&[info("bob", 2, both(true))])),
            ["bob voice false", "bob camera false"]
        );
        people.update(&[info("bob", 3, both(false))]);
        assert_eq!(
            brief(&people.update(&[gone("bob", lk::DisconnectReason::ClientInitiated)])),
            ["bob voice false", "bob camera false", "bob out 0"]
        );
        assert!(people.iter().next().is_none());
    }

    #[test]
    fn an_update_about_ourselves_is_no_news() {
        assert!(People::new("me").update(&[info("me", 1, both(false))]).is_empty());
    }

    #[test]
    fn an_older_version_changes_nothing() {
        let mut people = People::new("me");
        people.update(&[info("bob", 5, both(false))]);
        assert!(people.update(&[info("bob", 4, Vec::new())]).is_empty());
    }

    #[test]
    fn the_end_of_an_earlier_stay_of_somebody_who_is_back_is_no_news() {
        let mut people = People::new("me");
        people.update(&[info("bob", 1, both(false))]);
        let mut back = info("bob", 0, both(false));
        back.sid = "PA_second".into();
        assert!(people.update(&[back]).is_empty());
        assert!(people.update(&[gone("bob", lk::DisconnectReason::DuplicateIdentity)]).is_empty());
        assert!(people.people.contains_key("bob"));
    }

    #[test]
    fn somebody_who_enters_again_has_not_left() {
        let mut people = People::new("me");
        people.update(&[info("bob", 5, both(false))]);
        let mut again = info("bob", 1, Vec::new());
        again.sid = "PA_second".into();
        let events = people.update(&[gone("bob", lk::DisconnectReason::DuplicateIdentity), again]);
        assert_eq!(brief(&events), ["bob voice false", "bob camera false"]);
        // Without a new stay that others may see it is a leave, and nobody put them out.
        let mut ended = gone("bob", lk::DisconnectReason::DuplicateIdentity);
        ended.sid = "PA_second".into();
        assert_eq!(brief(&people.update(&[ended])), ["bob out 0"]);
    }

    #[test]
    fn the_servers_word_on_a_leaving_counts_more_than_livekits_reason() {
        let mut people = People::new("me");
        people.update(&[info("bob", 1, Vec::new())]);
        people.will_leave("bob", LeaveReason::BecameAudience);
        let left = people.update(&[gone("bob", lk::DisconnectReason::ClientInitiated)]);
        assert_eq!(brief(&left), ["bob out 3"]);
    }

    #[test]
    fn an_anchor_who_steps_down_leaves_with_reason_3_and_may_come_back() {
        let mut people = People::new("me");
        people.update(&[info("bob", 1, both(false))]);
        let mut stepped = info("bob", 2, Vec::new());
        stepped.attributes.insert(ROLE_ATTRIBUTE.into(), "audience".into());
        assert_eq!(brief(&people.update(&[stepped])), ["bob voice false", "bob camera false", "bob out 3"]);
        assert_eq!(brief(&people.update(&[info("bob", 3, Vec::new())])), ["bob in"]);
    }

    #[test]
    fn after_a_reconnect_only_the_differences_are_told() {
        let mut people = People::new("me");
        people.update(&[info("bob", 9, both(false)), info("eve", 1, Vec::new())]);
        let mut bob = info("bob", 0, both(false));
        bob.sid = "PA_second".into();
        let events = people.replace(&[bob, info("kim", 1, Vec::new())]);
        assert_eq!(brief(&events), ["eve out 1", "kim in"]);
    }

    #[test]
    fn what_the_server_tells_of_a_connection_is_of_one_stay() {
        let mut people = People::new("me");
        people.update(&[info("bob", 1, Vec::new())]);
        people.qualities(&[quality::encode("PA_bob", Quality::Bad).unwrap()]);
        assert_eq!(people.people["bob"].reach, Quality::Bad);
        people.update(&[info("bob", 2, Vec::new())]);
        assert_eq!(people.people["bob"].reach, Quality::Bad);
        let mut again = info("bob", 0, Vec::new());
        again.sid = "PA_second".into();
        people.update(&[again]);
        assert_eq!(people.people["bob"].reach, Quality::Unknown);
    }

    #[test]
    fn a_shared_screen_is_the_sub_stream() {
        let mut screen = media("TR_S", lk::TrackType::Video, false);
        screen.set_source(lk::TrackSource::ScreenShare);
        let mut people = People::new("me");
        assert_eq!(brief(&people.update(&[info("bob", 1, vec![screen])])), ["bob in", "bob screen true"]);
        assert_eq!(people.track("TR_S").unwrap().content, Content::Screen);
        assert_eq!(people.track("TR_S").unwrap().user_id, "bob");
    }

    #[test]
    fn somebody_without_a_name_is_shown_by_identity() {
        let mut plain = info("python client", 1, Vec::new());
        plain.name.clear();
        let events = People::new("me").update(&[plain]);
        let [Event::OnRemoteUserEnterRoom { user_id, name }] = &events[..] else { panic!("{events:?}") };
        assert_eq!((user_id.as_str(), name.as_str()), ("python client", "python client"));
    }
}
