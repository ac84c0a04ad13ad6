//! The devices of this computer in use.

use std::pin::Pin;

use confab_media::{CameraSource, MicrophoneSource, SpeakerSink};
use confab_protocol::Fault;
use serde_json::Value;

use super::actor::{Actor, Change, Reply};
use super::{chosen, devices, jobs};
use crate::{CameraView, DeviceKind, Host, MicrophoneView};

/// A device being tried.
type Tried = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl<H: Host> Actor<H> {
    pub(super) async fn start_local_video(&mut self, named: Option<&str>, reply: Reply) {
        match self.chosen.camera(named) {
            Ok(camera) => self.start_camera(camera, reply).await,
            Err(fault) => {
                self.state.on_camera_failed(fault.clone());
                Self::answer(reply, Err(fault));
            }
        }
    }

    pub(super) async fn stop_local_video(&mut self, reply: Reply) {
        self.state.camera = CameraView::default();
        let session = self.session.clone();
        self.start(jobs::plain(reply, async move { session.stop_local_video().await })).await;
    }

    pub(super) async fn mute_local_video(&mut self, mute: bool, reply: Reply) {
        self.state.camera.muted = mute;
        let session = self.session.clone();
        self.start(jobs::plain(reply, async move { session.mute_local_video(mute).await })).await;
    }

    pub(super) async fn start_local_audio(&mut self, named: Option<&str>, reply: Reply) {
        match self.chosen.microphone(named) {
            Ok(microphone) => self.start_microphone(microphone, reply).await,
            Err(fault) => {
                self.state.on_microphone_failed(fault.clone());
                Self::answer(reply, Err(fault));
            }
        }
    }

    pub(super) async fn stop_local_audio(&mut self, reply: Reply) {
        self.state.microphone = MicrophoneView::default();
        let session = self.session.clone();
        self.start(jobs::plain(reply, async move { session.stop_local_audio().await })).await;
    }

    pub(super) async fn mute_local_audio(&mut self, mute: bool, reply: Reply) {
        self.state.microphone.muted = mute;
        let session = self.session.clone();
        let job = async move {
            match session.mute_local_audio(mute).await {
                Ok(()) => jobs::done(reply, Change::None, Ok(Value::Null)),
                Err(fault) => jobs::done(reply, Change::StaysMuted, Err(fault)),
            }
        };
        self.start(job).await;
    }

    async fn start_camera(&mut self, camera: CameraSource, reply: Reply) {
        // One that runs goes on until another has started, and when that cannot.
        let runs = self.state.camera.on;
        if !runs {
            let muted = self.state.camera.muted;
            self.state.camera = CameraView { on: true, muted, ..CameraView::default() };
        }
        let session = self.session.clone();
        let job = async move {
            match session.start_local_video(camera).await {
                Ok(()) => jobs::done(reply, Change::None, Ok(Value::Null)),
                Err(fault) if runs => jobs::done(reply, Change::None, Err(fault)),
                Err(fault) => jobs::done(reply, Change::CameraFailed(fault.clone()), Err(fault)),
            }
        };
        self.start(job).await;
    }

    async fn start_microphone(&mut self, microphone: MicrophoneSource, reply: Reply) {
        let runs = self.state.microphone.on;
        if !runs {
            let muted = self.state.microphone.muted;
            self.state.microphone = MicrophoneView { on: true, muted, ..MicrophoneView::default() };
        }
        let session = self.session.clone();
        let job = async move {
            match session.start_local_audio(microphone).await {
                Ok(()) => jobs::done(reply, Change::None, Ok(Value::Null)),
                Err(fault) if runs => jobs::done(reply, Change::None, Err(fault)),
                Err(fault) => jobs::done(reply, Change::MicrophoneFailed(fault.clone()), Err(fault)),
            }
        };
        self.start(job).await;
    }

    /// Uses another device from now on. One that is not there, or does not start, changes nothing.
    pub(super) async fn select(&mut self, kind: DeviceKind, id: &str, reply: Reply) {
        let session = self.session.clone();
        match kind {
            DeviceKind::Camera => {
                let camera = chosen::device(id, |name| CameraSource::Device(Some(name)));
                let wanted = camera.clone();
                let tried: Tried = match self.state.camera.on {
                    true => Box::pin(async move { session.start_local_video(wanted).await }),
                    false => Box::pin(jobs::blocking(move || devices::check_camera(&wanted))),
                };
                self.start(jobs::choose(reply, tried, Change::CameraChosen(camera))).await;
            }
            DeviceKind::Microphone => {
                let microphone = chosen::device(id, |name| MicrophoneSource::Device(Some(name)));
                let wanted = microphone.clone();
                let tried: Tried = match self.state.microphone.on {
                    true => Box::pin(async move { session.start_local_audio(wanted).await }),
                    false => Box::pin(jobs::blocking(move || devices::check_microphone(&wanted))),
                };
                self.start(jobs::choose(reply, tried, Change::MicrophoneChosen(microphone))).await;
            }
            DeviceKind::Speaker => {
                let speaker = chosen::device(id, |name| SpeakerSink::Device(Some(name)));
                let wanted = speaker.clone();
                let tried = async move { session.set_speaker(wanted).await };
                self.start(jobs::choose(reply, tried, Change::SpeakerChosen(speaker))).await;
            }
        }
    }
}
