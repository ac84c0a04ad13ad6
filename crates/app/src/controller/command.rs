//! What the actor does for each request.

use confab_protocol::{Code, Fault, OtherRoom, RawEnterParams, SdkAppId, UserId, server_address, user_sig};
use confab_scene::{Scene, SceneError};
use serde_json::Value;

use super::Answer;
use super::actor::{Actor, Change, HostingNow, Reply, unix_ms};
use super::{devices, jobs};
use crate::hosting::Opening;
use crate::{Host, MadeTicket, Request, RoomView, SignedUser, StoreError};

/// How long a signature holds that this app makes, seconds.
const DAY: u64 = 86_400;

impl<H: Host> Actor<H> {
    pub(super) async fn on_request(&mut self, request: Request, reply: Reply) {
        let session = self.session.clone();
        match request {
            Request::EnterRoom(raw) => self.enter(raw, reply).await,
            Request::ExitRoom {} => {
                self.state.on_exit_asked();
                self.start(jobs::plain(reply, async move { session.exit_room().await })).await;
            }
            Request::StartLocalVideo { source } => self.start_local_video(source.as_deref(), reply).await,
            Request::StopLocalVideo {} => self.stop_local_video(reply).await,
            Request::MuteLocalVideo { mute } => self.mute_local_video(mute, reply).await,
            Request::StartLocalAudio { source } => self.start_local_audio(source.as_deref(), reply).await,
            Request::StopLocalAudio {} => self.stop_local_audio(reply).await,
            Request::MuteLocalAudio { mute } => self.mute_local_audio(mute, reply).await,
            Request::StartRemoteView { user_id, stream_type } => {
                let stream = stream_type.unwrap_or_default();
                self.asked.insert(user_id.clone());
                let job = async move { session.start_remote_view(&user_id, stream).await };
                self.start(jobs::plain(reply, job)).await;
            }
            Request::StopRemoteView { user_id, stream_type } => {
                let stream = stream_type.unwrap_or_default();
                self.asked.remove(&user_id);
                let job = async move { session.stop_remote_view(&user_id, stream).await };
                self.start(jobs::plain(reply, job)).await;
            }
            Request::SnapshotVideo { user_id } => {
                let user = user_id.unwrap_or_default();
                self.start(jobs::snapshot(reply, self.stage.clone(), user)).await;
            }
            Request::ListDevices { kind } => {
                let job = jobs::blocking(move || jobs::value(&devices::list(kind)?));
                self.start(jobs::answered(reply, job)).await;
            }
            Request::SelectDevice { kind, device_id } => self.select(kind, &device_id, reply).await,
            Request::SetVoiceProcessing { echo_cancellation, noise_suppression, auto_gain_control } => {
                let given = [echo_cancellation, noise_suppression, auto_gain_control];
                self.set_voice_processing(given, reply).await;
            }
            Request::Participants {} => {
                let job = async move { jobs::value(&session.participants().await) };
                self.start(jobs::answered(reply, job)).await;
            }
            Request::Statistics {} => {
                let job = async move { jobs::value(&session.statistics().await) };
                self.start(jobs::answered(reply, job)).await;
            }
            Request::StageSnapshot {} => {
                let job = jobs::stage_snapshot(reply, self.stage.clone(), self.host.clone());
                self.start(job).await;
            }
            Request::HostRoom { port, lan, outside, passcode, waiting_room } => {
                self.host_room(Opening { port, lan, outside, passcode, waiting_room }, reply).await;
            }
            Request::StopHosting {} => self.stop_hosting(reply).await,
            Request::MakeUserSig { sdk_app_id, user_id, expire } => {
                Self::answer(reply, self.make_user_sig(sdk_app_id, user_id, expire));
            }
            Request::SetStage(scene) => self.set_stage(scene, reply).await,
            Request::GetState {} => Self::answer(reply, jobs::value(&self.state)),
            Request::SetDefaultStreamRecvMode { audio, video } => {
                self.set_receive_mode(audio, video, reply).await;
            }
            Request::MuteRemoteVideoStream { user_id, stream_type, mute } => {
                let stream = stream_type.unwrap_or_default();
                let job = async move { session.mute_remote_video_stream(&user_id, stream, mute).await };
                self.have(reply, job).await;
            }
            Request::MuteAllRemoteVideoStreams { mute } => {
                self.have(reply, async move { session.mute_all_remote_video_streams(mute).await }).await;
            }
            Request::MuteRemoteAudio { user_id, mute } => {
                self.have(reply, async move { session.mute_remote_audio(&user_id, mute).await }).await;
            }
            Request::MuteAllRemoteAudio { mute } => {
                self.have(reply, async move { session.mute_all_remote_audio(mute).await }).await;
            }
            Request::SendCustomCmdMsg { cmd_id, data, reliable, ordered } => {
                self.send_message(cmd_id, &data.0, [reliable, ordered], reply).await;
            }
            Request::SwitchRole { role, private_map_key } => {
                let permission = private_map_key.filter(|key| !key.0.is_empty());
                self.have(reply, async move { session.switch_role(role, permission).await }).await;
            }
            Request::SwitchRoom(to) => self.switch_room(to, reply).await,
            Request::CancelSwitchRoom {} => {
                self.have(reply, async move { session.cancel_switch_room().await }).await;
            }
            Request::HostAction(action) => {
                self.have(reply, async move { session.act(action).await }).await;
            }
            Request::ParseInvitation { text } => Self::parse_invitation(&text, reply),
            Request::MakeInvitation(raw) => self.make_invitation(raw, reply),
            Request::MakeTicket {} => self.make_ticket(reply).await,
            Request::OpenInvitation { text } => self.open_invitation(&text, reply),
            Request::TakeInvitation {} => self.take_invitation(reply),
            Request::StartNearby {} => self.start_nearby(reply),
            Request::StopNearby {} => self.stop_nearby(reply),
        }
    }

    /// Changes what is done to our own voice; what is not given stays: echo, noise, gain.
    async fn set_voice_processing(&mut self, given: [Option<bool>; 3], reply: Reply) {
        let wanted = &mut self.state.voice_processing;
        let is =
            [&mut wanted.echo_cancellation, &mut wanted.noise_suppression, &mut wanted.auto_gain_control];
        for (is, given) in is.into_iter().zip(given) {
            *is = given.unwrap_or(*is);
        }
        let processing = (*wanted).into();
        let session = self.session.clone();
        self.have(reply, async move { session.set_processing(processing).await }).await;
    }

    /// Makes what lets one person in once.
    async fn make_ticket(&mut self, reply: Reply) {
        let session = self.session.clone();
        let job = async move {
            let ticket = session.invite_ticket().await?.into();
            jobs::value(&MadeTicket { ticket })
        };
        self.start(jobs::answered(reply, job)).await;
    }

    /// Has the session do something that answers with null.
    async fn have(&mut self, reply: Reply, job: impl Future<Output = Result<(), Fault>> + Send + 'static) {
        self.start(jobs::plain(reply, job)).await;
    }

    async fn set_stage(&mut self, scene: Scene, reply: Reply) {
        let checked = scene.check();
        if checked.is_ok() {
            self.stage.set(scene);
            self.on_shown().await;
        }
        let refused = |error: SceneError| {
            Fault::new(Code::INVALID_PARAMETER).with_message(format!("The stage cannot be drawn: {error}."))
        };
        Self::answer(reply, checked.map(|()| Value::Null).map_err(refused));
    }

    async fn enter(&mut self, raw: RawEnterParams, reply: Reply) {
        let raw = match self.fill(raw) {
            Ok(raw) => raw,
            Err(fault) => return Self::answer(reply, Err(fault)),
        };
        let view = raw.clone().check().ok().map(|(params, _)| RoomView::of(&params));
        let shown = self.state.on_enter_asked(view);
        if shown {
            self.begin_to_receive().await;
        }
        let session = self.session.clone();
        let job = async move {
            match session.enter_room(raw).await {
                Ok(()) => jobs::done(reply, Change::None, Ok(Value::Null)),
                Err(fault) if shown => jobs::done(reply, Change::EntryRefused, Err(fault)),
                Err(fault) => jobs::done(reply, Change::None, Err(fault)),
            }
        };
        self.start(job).await;
    }

    async fn switch_room(&mut self, to: OtherRoom, reply: Reply) {
        // The outcome is an event, which may come before the answer.
        let shown = self.state.on_switch_asked(&to);
        let session = self.session.clone();
        let job = async move {
            match session.switch_room(to).await {
                Ok(()) => jobs::done(reply, Change::None, Ok(Value::Null)),
                Err(fault) if shown => jobs::done(reply, Change::SwitchRefused, Err(fault)),
                Err(fault) => jobs::done(reply, Change::None, Err(fault)),
            }
        };
        self.start(job).await;
    }

    /// Fills in what this computer knows: for the rooms opened here where they are, a signature where
    /// it has a key, and else who its user is as a guest. What was given stays.
    fn fill(&self, mut raw: RawEnterParams) -> Result<RawEnterParams, Fault> {
        if raw == RawEnterParams::default() {
            return Ok(raw);
        }
        let me = || self.store.guest().map_err(|error| store_fault(&error));
        if let HostingNow::Yes(running) = &self.hosting {
            let app = i64::from(running.info.sdk_app_id);
            let same_server = raw.server.as_ref().is_none_or(|server| *server == running.info.server);
            if same_server && raw.sdk_app_id.is_none_or(|given| given == app) {
                raw.server = Some(running.info.server.clone());
                raw.sdk_app_id = Some(app);
            }
        }
        if raw.server.is_none() {
            raw.server.clone_from(&self.state.server);
        }
        // Another server knows nothing of the key that the app was started with.
        let place = |of: &Option<String>| of.as_deref().map(|text| server_address(Some(text)).ok());
        if let (None, [only], true) =
            (raw.sdk_app_id, self.keys.as_slice(), place(&raw.server) == place(&self.state.server))
        {
            raw.sdk_app_id = Some(i64::from(only.app.0));
        }
        let app = raw.sdk_app_id.and_then(|id| u32::try_from(id).ok());
        let key = app.and_then(|app| self.key(Some(app)));
        let guest = raw.user_sig.is_none() && key.is_none();
        match (&raw.user_id, &raw.guest) {
            (None, None) if guest => raw.guest = Some(me()?.clone().into()),
            (None, _) if !guest => raw.user_id = Some(me()?.user_id().to_string()),
            // A signature that is missing for a given user is the entry's fault to tell.
            _ => {}
        }
        if let (None, Some((app, key)), Some(user)) = (&raw.user_sig, key, &raw.user_id) {
            raw.user_sig = Some(user_sig::sign(SdkAppId(app), key, user, DAY, unix_ms() / 1000, None));
        }
        Ok(raw)
    }

    /// The key of an application, or of any.
    fn key(&self, app: Option<u32>) -> Option<(u32, &str)> {
        let hosted = match &self.hosting {
            HostingNow::Yes(running) => Some((running.info.sdk_app_id, running.key.as_str())),
            HostingNow::No | HostingNow::Changing => None,
        };
        let others = self.keys.iter().map(|key| (key.app.0, key.key.as_str()));
        hosted.into_iter().chain(others).find(|(id, _)| app.is_none_or(|app| app == *id))
    }

    fn make_user_sig(&self, app: Option<u32>, user: Option<String>, expire: Option<u64>) -> Answer {
        let (id, key) = self.key(app).ok_or_else(|| {
            Fault::new(Code::REFUSED).with_message(
                "This app has no key to sign with; ask the server of your application for a UserSig.",
            )
        })?;
        let user = match user {
            Some(text) => UserId::try_from(text)
                .map_err(|error| Fault::new(Code::INVALID_USER_ID).with_message(error.to_string()))?,
            None => self.store.user_id().map_err(|error| store_fault(&error))?,
        };
        let (now, expire) = (unix_ms() / 1000, expire.unwrap_or(DAY));
        let user_sig = user_sig::sign(SdkAppId(id), key, user.as_str(), expire, now, None);
        jobs::value(&SignedUser { sdk_app_id: id, user_id: user.to_string(), user_sig })
    }
}

pub(super) fn store_fault(error: &StoreError) -> Fault {
    Fault::new(Code::FAILED).with_message(format!("{error}."))
}
