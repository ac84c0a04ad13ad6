//! What of our own picture and sound is sent, and how that stands with the server.

use super::refusal::{may_not_speak, refusal};
use super::{Engine, Local, May};
use crate::actor::Actor;
use crate::link::{Kind, Order, Publication};
use crate::publish::camera::{CameraOut, CameraStream};
use crate::publish::voice::{VoiceOut, VoiceStream};
use crate::session::SessionConfig;
use crate::transport::LocalTrack;
use confab_protocol::{Code, Event, Fault, ROLE_ATTRIBUTE, Role};
use confab_signal::lk;
use lk::request_response::Reason;
use std::sync::Arc;

/// How one of our streams stands with the server.
#[derive(Debug)]
pub(in crate::actor) struct Sending<S> {
    /// Told to the link.
    asked: bool,
    /// The server did not take it; it is not asked again before something has changed.
    refused: bool,
    /// The server's id and the stream, once it is taken.
    stream: Option<(String, Arc<S>)>,
    /// What the server believes.
    announced_muted: bool,
}

impl<S> Default for Sending<S> {
    fn default() -> Self {
        Self { asked: false, refused: false, stream: None, announced_muted: false }
    }
}

impl<S> Sending<S> {
    /// The stream, once the server has taken it.
    pub(in crate::actor) fn stream(&self) -> Option<&Arc<S>> {
        self.stream.as_ref().map(|(_, stream)| stream)
    }

    /// The server may take by now what it refused.
    pub(super) fn may_again(&mut self) {
        self.refused = false;
    }

    fn is(&self, sid: &str) -> bool {
        self.stream.as_ref().is_some_and(|(known, _)| known == sid)
    }
}

impl Local {
    /// What is sent from the start of a connection.
    pub(in crate::actor) fn publications(&mut self, config: &SessionConfig) -> Vec<Publication> {
        let mut publications = Vec::new();
        if self.microphone.is_some() && self.may.voice {
            self.voice = Sending { asked: true, announced_muted: self.voice_muted, ..Sending::default() };
            publications.push(Publication { kind: Kind::Voice, muted: self.voice_muted });
        }
        if self.camera.is_some() && self.may.camera {
            self.video = Sending { asked: true, announced_muted: self.camera_muted, ..Sending::default() };
            publications.push(Publication { kind: camera_kind(config), muted: self.camera_muted });
        }
        publications
    }

    /// Ends what is sent; devices stay open.
    pub(in crate::actor) async fn stop_sending(&mut self) {
        self.can_send = false;
        if let Some(out) = self.camera_out.take() {
            out.stop().await;
        }
        if let Some(out) = self.voice_out.take() {
            out.stop().await;
        }
        self.video = Sending::default();
        self.voice = Sending::default();
    }
}

impl Actor {
    /// What we send goes through from now on.
    pub(in crate::actor) fn can_send(&mut self) {
        self.local.can_send = true;
        self.keep_in_step();
    }

    /// The server has taken one of our tracks.
    pub(in crate::actor) fn published(&mut self, cid: &str, sid: String, track: LocalTrack) {
        if cid == Kind::Voice.cid() {
            self.local.voice.stream = Some((sid, Arc::new(VoiceStream::new(track))));
        } else {
            self.local.video.stream = Some((sid, Arc::new(CameraStream::new(track))));
        }
        self.keep_in_step();
    }

    /// The server does not take one of our tracks; we stay in the room.
    pub(in crate::actor) fn not_published(&mut self, cid: &str, reason: Reason, message: &str) {
        let voice = cid == Kind::Voice.cid();
        let cid = if voice {
            self.local.voice = Sending { refused: true, ..Sending::default() };
            Kind::Voice.cid()
        } else {
            self.local.video = Sending { refused: true, ..Sending::default() };
            camera_kind(&self.config).cid()
        };
        // It leaves the next offer too.
        self.order(Order::Unpublish { cid });
        // Where the permission is not there, or was taken back while we asked, what the server tells of us
        // says so.
        let known = self.is_audience() || if voice { self.is_hushed() } else { !self.local.may.camera };
        if reason != Reason::NotAllowed || !known {
            let event = Event::complaint(&refusal(reason, voice, message));
            self.emit_in_room(event);
        }
    }

    /// The server took one of our tracks away: it leaves the next offer too.
    pub(in crate::actor) async fn withdrawn(&mut self, sid: &str) {
        if self.local.video.is(sid) {
            if let Some(out) = self.local.camera_out.take() {
                out.stop().await;
            }
            self.local.video = Sending::default();
            self.order(Order::Unpublish { cid: camera_kind(&self.config).cid() });
        } else if self.local.voice.is(sid) {
            if let Some(out) = self.local.voice_out.take() {
                out.stop().await;
            }
            self.local.voice = Sending::default();
            self.order(Order::Unpublish { cid: Kind::Voice.cid() });
        }
    }

    /// An administrator muted one of our tracks, or gave it back.
    pub(in crate::actor) fn muted_by_server(&mut self, sid: &str, muted: bool) {
        if self.local.video.is(sid) {
            self.local.camera_muted = muted;
            self.local.video.announced_muted = muted;
            self.emit_in_room(Event::OnLocalVideoMuted { muted });
        } else if self.local.voice.is(sid) {
            self.local.voice_muted = muted;
            self.local.voice.announced_muted = muted;
            self.emit_in_room(Event::OnLocalAudioMuted { muted });
        }
        self.keep_in_step();
    }

    /// The server says what we are and may do.
    pub(in crate::actor) fn own_changed(&mut self, own: &lk::ParticipantInfo) {
        self.messages.may_send = own.permission.as_ref().is_none_or(|permission| permission.can_publish_data);
        let before = std::mem::replace(&mut self.local.may, may(own));
        let now = self.local.may;
        if before.role != now.role {
            // The same as before may be older than the answer to a switch.
            if let Some(role) = now.role {
                self.in_role(role, None);
            }
            self.warn_unsent(true, true);
        } else if before.camera && !now.camera && !self.is_audience() {
            self.warn_unsent(true, false);
        }
        if now.voice && !before.voice {
            self.local.voice.may_again();
        }
        if now.camera && !before.camera {
            self.local.video.may_again();
        }
        self.hush();
        self.keep_in_step();
    }

    /// Somebody who is not let speak stays muted, so that nobody is heard all at once when they are let.
    pub(super) fn hush(&mut self) {
        if self.is_hushed() && !self.local.voice_muted {
            self.local.voice_muted = true;
            self.emit_in_room(Event::OnLocalAudioMuted { muted: true });
        }
    }

    /// Whether we may not speak although we are no mere viewer.
    pub(super) fn is_hushed(&self) -> bool {
        self.params.as_ref().is_some_and(|params| self.local.may.hushes(params.role, params.scene))
    }

    fn is_audience(&self) -> bool {
        self.params.as_ref().is_some_and(|params| params.scene.is_live() && params.role == Role::Audience)
    }

    /// Somebody who opens a camera or a microphone learns that it is not sent, and why; which of them is
    /// looked at is said.
    pub(in crate::actor) fn warn_unsent(&mut self, camera: bool, microphone: bool) {
        let role = self.params.as_ref().map(|params| params.role);
        // Where our role is ahead of what the server tells of us, that comes.
        let told = self.local.may.role.is_none_or(|told| Some(told) == role);
        if !matches!(self.room.phase(), crate::room::Phase::In) || !told {
            return;
        }
        let camera = camera && self.local.camera.is_some();
        let microphone = microphone && self.local.microphone.is_some();
        let voice_only = self.params.as_ref().is_some_and(|params| params.scene.is_voice());
        if self.is_audience() {
            if camera || microphone {
                self.complain(&Fault::new(Code::AUDIENCE_CANNOT_PUBLISH));
            }
            return;
        }
        if microphone && !self.local.may.voice && !self.is_muted_by_host() {
            self.complain(&may_not_speak());
        }
        if camera && voice_only {
            let why = "This room carries voices only, so your camera is not sent.";
            self.emit(Event::warning(&Fault::new(Code::NOT_SUPPORTED).with_message(why)));
        } else if camera && !self.local.may.camera {
            self.complain(&Fault::new(Code::NO_PRIVILEGE_PUSH_VIDEO));
        }
    }

    /// Publishes, starts, pauses and mutes so that what is sent fits what is open.
    pub(super) fn keep_in_step(&mut self) {
        let local = &mut self.local;
        if let Some(engine) = local.engine() {
            engine.set_muted(local.voice_muted);
        }
        if self.link.is_none() {
            return;
        }
        let mut orders = Vec::new();
        if local.may.camera {
            let video = (local.camera.is_some(), local.camera_muted);
            announce(&mut local.video, camera_kind(&self.config), video, &mut orders);
        }
        if local.may.voice {
            let voice = (local.microphone.is_some(), local.voice_muted);
            announce(&mut local.voice, Kind::Voice, voice, &mut orders);
        }
        for order in orders {
            self.order(order);
        }
        self.start_camera_out();
        self.start_voice_out();
    }

    fn start_camera_out(&mut self) {
        let local = &mut self.local;
        if let Some(out) = &local.camera_out {
            out.set_paused(local.camera_muted);
            return;
        }
        let (Some(stream), true, true) = (local.video.stream(), local.can_send, local.camera.is_some())
        else {
            return;
        };
        let frames = self.shared.local.clone();
        match CameraOut::start(self.config.video, frames, stream.clone(), self.inside.clone()) {
            Ok(out) => {
                out.set_paused(local.camera_muted);
                local.camera_out = Some(out);
            }
            Err(error) => {
                self.device_fault(&error);
            }
        }
    }

    fn start_voice_out(&mut self) {
        let local = &mut self.local;
        if let (None, Some(stream), true, true, Engine::On { encoded, .. }) = (
            &local.voice_out,
            local.voice.stream(),
            local.can_send,
            local.microphone.is_some(),
            &local.engine,
        ) {
            local.voice_out = Some(VoiceOut::start(encoded.clone(), stream.clone(), self.inside.clone()));
        }
    }
}

/// Publishes a stream that is open, and tells the server when it is muted or closed.
fn announce<S>(sending: &mut Sending<S>, kind: Kind, (open, muted): (bool, bool), orders: &mut Vec<Order>) {
    let muted = muted || !open;
    if !sending.asked {
        if open && !sending.refused {
            (sending.asked, sending.announced_muted) = (true, muted);
            orders.push(Order::Publish(Publication { kind, muted }));
        }
    } else if let Some((sid, _)) = &sending.stream
        && sending.announced_muted != muted
    {
        sending.announced_muted = muted;
        orders.push(Order::Mute { sid: sid.clone(), muted });
    }
}

/// What a participant may send, as the server tells it.
fn may(own: &lk::ParticipantInfo) -> May {
    let role = own.attributes.get(ROLE_ATTRIBUTE).and_then(|role| role.parse().ok());
    let Some(permission) = &own.permission else { return May { voice: true, camera: true, role } };
    let sources = &permission.can_publish_sources;
    let from = |source: lk::TrackSource| {
        permission.can_publish && (sources.is_empty() || sources.contains(&i32::from(source)))
    };
    May { voice: from(lk::TrackSource::Microphone), camera: from(lk::TrackSource::Camera), role }
}

fn camera_kind(config: &SessionConfig) -> Kind {
    let video = config.video;
    Kind::Camera { width: video.width, height: video.height, bitrate: video.bitrate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::Scene;

    #[test]
    fn whoever_comes_on_the_stage_is_not_taken_for_muted_before_the_server_says_that_they_may_speak() {
        let told = |role: Role, publishes: bool| {
            let permission = lk::ParticipantPermission { can_publish: publishes, ..Default::default() };
            let attributes = [(ROLE_ATTRIBUTE.to_owned(), role.name().to_owned())].into();
            may(&lk::ParticipantInfo { permission: Some(permission), attributes, ..Default::default() })
        };
        for (may, role, scene, hushed) in [
            (told(Role::Audience, false), Role::Audience, Scene::Live, false),
            // The answer to the switch is there, and what the server tells of us is not.
            (told(Role::Audience, false), Role::Anchor, Scene::Live, false),
            (told(Role::Audience, true), Role::Anchor, Scene::Live, false),
            (told(Role::Anchor, true), Role::Anchor, Scene::Live, false),
            (told(Role::Anchor, false), Role::Anchor, Scene::Live, true),
            (told(Role::Anchor, false), Role::Anchor, Scene::VideoCall, true),
            (May::default(), Role::Audience, Scene::Live, false),
            (May::default(), Role::Anchor, Scene::Live, true),
        ] {
            assert_eq!(may.hushes(role, scene), hushed, "{may:?} as {role}");
        }
    }
}
