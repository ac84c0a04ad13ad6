//! What others send: which tracks are taken, decoded and played.

use super::Actor;
use crate::link::Order;
use crate::subscribe::people::{Content, RemoteTrack};
use crate::subscribe::taken::{Step, Taken};
use crate::subscribe::video::{VideoIn, Whose};
use crate::subscribe::voice::VoiceIn;
use crate::subscribe::wishes::{Change, Mode, Wish, Wishes};
use crate::transport::Asks;
use confab_protocol::{Code, Event, Fault, Participant, StreamType};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use webrtc::media_stream::track_remote::TrackRemote;

#[derive(Debug)]
pub(super) struct Remote {
    /// By the server's id of the track.
    pub(super) videos: HashMap<String, VideoIn>,
    pub(super) voices: HashMap<String, VoiceIn>,
    taken: Taken,
    /// What the app wants of others.
    pub(super) wishes: Wishes,
    /// Pictures of which the app was told that we may not see them.
    pub(super) unseen: HashSet<(String, StreamType)>,
    /// The app was told that we may hear nobody.
    pub(super) unheard: bool,
}

impl Remote {
    /// Nobody is received yet, and without another word so much of everybody will be.
    pub(super) fn new(mode: Mode) -> Self {
        let (videos, voices, unseen) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { videos, voices, taken: Taken::default(), wishes: Wishes::new(mode), unseen, unheard: false }
    }

    /// A connection begins; whether everything is to come on it without being asked for.
    pub(super) fn begin(&mut self) -> bool {
        let all = self.wishes.takes_all();
        self.taken = Taken::new(all);
        all
    }

    /// Ends every stream; what the app wants is remembered.
    pub(super) async fn stop_all(&mut self) {
        self.taken = Taken::default();
        for (_, video) in self.videos.drain() {
            video.stop().await;
        }
        for (_, voice) in self.voices.drain() {
            voice.stop().await;
        }
    }
}

impl Actor {
    /// A track of somebody else arrives.
    pub(super) async fn track(&mut self, sid: String, track: Arc<dyn TrackRemote>, asks: Asks) {
        let Some(known) = self.people.track(&sid) else {
            tracing::debug!(sid, "a track of nobody we know");
            return;
        };
        if let Some(before) = self.remote.videos.remove(&sid) {
            before.stop().await;
        }
        if let Some(before) = self.remote.voices.remove(&sid) {
            before.stop().await;
        }
        let failed = match stream_type(known.content) {
            Some(stream) => {
                let slot = self.shared.open(&known.user_id, stream);
                let whose = Whose { user_id: known.user_id, stream };
                VideoIn::start(track, asks, whose, slot, self.inside.clone())
                    .map(|video| drop(self.remote.videos.insert(sid, video)))
                    .err()
            }
            None => match self.audio_engine().await {
                Ok(engine) => VoiceIn::start(track, known.user_id, &engine, self.inside.clone())
                    .map(|voice| drop(self.remote.voices.insert(sid, voice)))
                    .err(),
                Err(fault) => return self.complain(&fault),
            },
        };
        if let Some(error) = failed {
            tracing::error!(%error, "a track cannot be received");
        }
        self.gate();
    }

    /// The server lets us have somebody's track, or does not. That we may not see a picture, or hear
    /// anybody, is told once, until we may.
    pub(super) fn allowed(&mut self, sid: &str, allowed: bool) {
        let Some(track) = self.people.track(sid) else {
            return tracing::debug!(sid, allowed, "a track of nobody we know");
        };
        let (user, Some(stream)) = (track.user_id, stream_type(track.content)) else {
            if !track.shared && !std::mem::replace(&mut self.remote.unheard, !allowed) && !allowed {
                let why = "You may not hear anybody in this room; ask whoever runs the meeting.";
                let fault = Fault::new(Code::INVALID_PRIVATE_MAP_KEY).with_message(why);
                self.emit_in_room(Event::error(&fault));
            }
            return;
        };
        let name = self.people.name(&user).unwrap_or(&user).to_owned();
        if allowed {
            self.remote.unseen.remove(&(user, stream));
        } else if self.remote.unseen.insert((user, stream)) {
            let what = if stream == StreamType::Sub { "the shared screen" } else { "the picture" };
            let fault = Fault::new(Code::NO_PRIVILEGE_REQUEST_VIDEO)
                .with_message(format!("You may not see {what} of {name} in this room."));
            self.emit_in_room(Event::error(&fault));
        }
    }

    /// Tells the server which tracks are wanted and which are not, where that changed.
    pub(super) fn subscribe(&mut self) {
        let wishes = &self.remote.wishes;
        let wanted: Vec<(String, Wish)> =
            self.people.tracks().map(|track| (track.sid.clone(), wishes.of(&track))).collect();
        for (step, sids) in self.remote.taken.follow(&wanted) {
            self.order(match step {
                Step::Pause => Order::Pause { sids, paused: true },
                Step::Leave => Order::Subscribe { sids, on: false },
                Step::Resume => Order::Pause { sids, paused: false },
                Step::Take => Order::Subscribe { sids, on: true },
            });
        }
        self.gate();
    }

    /// Takes what is wanted and nothing else of what comes, which may still be on its way.
    fn gate(&self) {
        let Remote { videos, voices, wishes, .. } = &self.remote;
        let wish = |sid: &str| self.people.track(sid).map(|track: RemoteTrack| wishes.of(&track));
        for (sid, video) in videos {
            if let Some(wish) = wish(sid) {
                video.set_muted(wish == Wish::Hold);
                video.set_shown(wish != Wish::Leave);
            }
        }
        for (sid, voice) in voices {
            voice.set_muted(wish(sid).is_some_and(|wish| wish != Wish::Take));
        }
    }

    /// Keeps the slots in step with who is there and tells the app.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some events touch the slots")]
    pub(super) fn told_about_others(&mut self, events: Vec<Event>) {
        for event in events {
            match &event {
                Event::OnRemoteUserEnterRoom { user_id, .. } => {
                    self.shared.open(user_id, StreamType::Big);
                }
                Event::OnRemoteUserLeaveRoom { user_id, .. } => {
                    self.shared.close(Some(user_id));
                    self.messages.incoming.forget(user_id);
                }
                Event::OnUserVideoAvailable { user_id, available } => {
                    self.picture_changed(user_id, StreamType::Big, *available);
                }
                Event::OnUserSubStreamAvailable { user_id, available } => {
                    self.picture_changed(user_id, StreamType::Sub, *available);
                }
                _ => {}
            }
            self.emit_in_room(event);
        }
    }

    /// Takes somebody's last picture away, or expects a first one.
    fn picture_changed(&self, user: &str, stream: StreamType, available: bool) {
        if let (Some(slot), false) = (self.shared.slot(user, stream), available) {
            slot.clear();
        }
        let theirs = |video: &&VideoIn| video.whose.user_id == user && video.whose.stream == stream;
        if available {
            self.remote.videos.values().filter(theirs).for_each(VideoIn::begin_again);
        }
    }

    /// Ends the streams of tracks that are no more.
    pub(super) async fn drop_gone(&mut self) {
        let gone = |sid: &String| self.people.track(sid).is_none();
        let videos: Vec<String> = self.remote.videos.keys().filter(|sid| gone(sid)).cloned().collect();
        let voices: Vec<String> = self.remote.voices.keys().filter(|sid| gone(sid)).cloned().collect();
        for sid in videos {
            if let Some(video) = self.remote.videos.remove(&sid) {
                video.stop().await;
            }
        }
        for sid in voices {
            if let Some(voice) = self.remote.voices.remove(&sid) {
                voice.stop().await;
            }
        }
    }

    /// The app wants something else of the others from now on.
    pub(super) fn want(&mut self, change: Change) {
        self.remote.wishes.change(change);
        self.subscribe();
    }

    /// Takes away pictures that nobody looks at.
    pub(super) fn tidy(&self) {
        self.remote.videos.values().for_each(VideoIn::tidy);
    }

    /// Everybody else, as the page sees them.
    pub(super) fn participants(&self) -> Vec<Participant> {
        self.people
            .iter()
            .map(|(user_id, person)| {
                let frame = self.shared.slot(user_id, StreamType::Big).and_then(|slot| slot.latest());
                let voice = self.remote.voices.values().find(|voice| voice.user_id == user_id);
                let audio_muted = self.remote.wishes.is_voice_muted(user_id);
                let heard = person.sends(Content::Voice) && !audio_muted;
                let level = voice.map_or((person.level * 100.0) as u8, VoiceIn::level);
                Participant {
                    user_id: user_id.to_owned(),
                    name: person.name.clone(),
                    role: person.role,
                    video_available: person.sends(Content::Camera),
                    audio_available: person.sends(Content::Voice),
                    screen_available: person.sends(Content::Screen),
                    video_size: frame.map(|frame| (frame.buffer.width(), frame.buffer.height())),
                    audio_level: if heard { level } else { 0 },
                    speaking: heard && person.speaking,
                    video_muted: self.remote.wishes.is_picture_muted(user_id, StreamType::Big),
                    audio_muted,
                }
            })
            .collect()
    }
}

fn stream_type(content: Content) -> Option<StreamType> {
    match content {
        Content::Voice => None,
        Content::Camera => Some(StreamType::Big),
        Content::Screen => Some(StreamType::Sub),
    }
}
