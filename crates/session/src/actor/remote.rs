//! What others send: which tracks are taken, decoded and played.

use super::Actor;
use crate::link::Order;
use crate::session::Receive;
use crate::subscribe::people::{Content, RemoteTrack};
use crate::subscribe::video::{VideoIn, Whose};
use crate::subscribe::voice::VoiceIn;
use crate::transport::Asks;
use confab_protocol::{Participant, StreamType};
use std::collections::HashMap;
use std::sync::Arc;
use webrtc::media_stream::track_remote::TrackRemote;

#[derive(Debug, Default)]
pub(super) struct Remote {
    /// By the server's id of the track.
    pub(super) videos: HashMap<String, VideoIn>,
    pub(super) voices: HashMap<String, VoiceIn>,
    /// Whether the server sends a track, as it was last told.
    sent: HashMap<String, bool>,
    /// Pictures that the app wants, or wants no longer; where it said neither, [`Receive`] decides.
    views: HashMap<(String, StreamType), bool>,
}

impl Remote {
    /// Ends every stream; what the app shows is remembered.
    pub(super) async fn stop_all(&mut self) {
        self.sent.clear();
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
    }

    /// Tells the server which tracks are wanted and which are not, where that changed.
    pub(super) fn subscribe(&mut self) {
        let tracks: Vec<RemoteTrack> = self.people.tracks().collect();
        self.remote.sent.retain(|sid, _| tracks.iter().any(|track| track.sid == *sid));
        let all = self.config.receive == Receive::All;
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for track in &tracks {
            let wanted = self.wants(track);
            // Without a word from us the server sends everything or nothing, as it was told on joining.
            let sent = self.remote.sent.entry(track.sid.clone()).or_insert(all);
            match (wanted, *sent) {
                (true, false) => on.push(track.sid.clone()),
                (false, true) => off.push(track.sid.clone()),
                (true, true) | (false, false) => {}
            }
            *sent = wanted;
        }
        for (sids, on) in [(on, true), (off, false)] {
            if !sids.is_empty() {
                self.order(Order::Subscribe { sids, on });
            }
        }
    }

    fn wants(&self, track: &RemoteTrack) -> bool {
        let receive = self.config.receive;
        match stream_type(track.content) {
            None => receive != Receive::None,
            Some(stream) => {
                let said = self.remote.views.get(&(track.user_id.clone(), stream));
                said.copied().unwrap_or(receive == Receive::All)
            }
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

    /// The app shows somebody's picture, or no longer.
    pub(super) fn view(&mut self, user: &str, stream: StreamType, on: bool) {
        // There is one size of camera picture for now.
        let stream = if stream == StreamType::Small { StreamType::Big } else { stream };
        let view = (user.to_owned(), stream);
        self.remote.views.insert(view, on);
        self.subscribe();
        for video in self.remote.videos.values() {
            if video.whose.user_id == user && video.whose.stream == stream {
                video.set_shown(on);
            }
        }
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
                let heard = person.sends(Content::Voice);
                let level = voice.map_or((person.level * 100.0) as u8, VoiceIn::level);
                Participant {
                    user_id: user_id.to_owned(),
                    name: person.name.clone(),
                    role: person.role,
                    video_available: person.sends(Content::Camera),
                    audio_available: heard,
                    video_size: frame.map(|frame| (frame.buffer.width(), frame.buffer.height())),
                    audio_level: if heard { level } else { 0 },
                    speaking: heard && person.speaking,
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
