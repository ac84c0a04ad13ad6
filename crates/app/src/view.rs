//! The state that a page renders, and how it changes with what happens.

use confab_protocol::{
    Code, EnterParams, Event, ExitCause, ExitReason, Fault, OtherRoom, Participant, Role, RoomState, Scene,
    Trust, Waiting,
};
use serde::Serialize;
use ts_rs::TS;

use crate::{DeviceKind, DeviceView, NearbyView, PresenterView, SelectedDevices, VoiceProcessing};

/// Where the app stands with its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// In no room.
    #[default]
    Idle,
    /// Asked to enter.
    Entering,
    /// Waits until a host lets me in.
    Waiting,
    /// In a room.
    In,
    /// In a room that cannot be reached right now.
    Reconnecting,
    /// Asked to leave.
    Exiting,
}

/// Everything that a page shows of the app: it renders this and keeps nothing of its own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppState {
    /// Where the app stands with its room.
    pub phase: Phase,
    /// The room that it is in, enters or leaves.
    pub room: Option<RoomView>,
    /// Rooms opened on this computer.
    pub hosting: Option<Hosting>,
    /// My camera.
    pub camera: CameraView,
    /// My microphone.
    pub microphone: MicrophoneView,
    /// Where I hear the others.
    pub speaker: SpeakerView,
    /// The devices of this computer now.
    pub devices: Vec<DeviceView>,
    /// Which devices are used.
    pub selected: SelectedDevices,
    /// What is done to the sound of the microphone.
    pub voice_processing: VoiceProcessing,
    /// Everybody else in the room.
    pub participants: Vec<Participant>,
    /// Who is host, whether the room is locked, and the like; nothing before the server told.
    pub room_state: Option<RoomState>,
    /// Who waits to be let in, where I am a host.
    pub waiting: Vec<Waiting>,
    /// The room that takes the place of this one, once it is entered.
    pub switching: Option<SwitchView>,
    /// How the last room ended, until the next is entered.
    pub exit: Option<ExitView>,
    /// Who I am where I give no user id; empty when that cannot be kept on this computer.
    pub user_id: String,
    /// The server that is meant where none is named, where the app was started with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// How the window shows pictures; nothing where there is no window, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub presenter: Option<PresenterView>,
    /// Who lets others into their rooms in this network; nothing while nobody looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub nearby: Option<Vec<NearbyView>>,
    /// An entry that waits until the room is left.
    #[serde(skip)]
    #[ts(skip)]
    next: Option<Option<RoomView>>,
}

/// A room and me in it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    /// Address of the server.
    pub server: String,
    /// Application; unknown to a guest who left the choice to the server.
    pub sdk_app_id: Option<u32>,
    /// The room's number, where it has one.
    pub room_id: Option<u32>,
    /// The room's text, where it has one.
    pub str_room_id: Option<String>,
    /// What kind of room.
    pub scene: Scene,
    /// What I may do.
    pub role: Role,
    /// Who I am.
    pub user_id: String,
    /// The name shown for me.
    pub name: String,
    /// When I was in, milliseconds since 1970.
    pub entered_at: Option<u64>,
    /// Of the certificate that the server is held to, where it is to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fingerprint: Option<String>,
}

/// My camera.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CameraView {
    /// Whether it was started.
    pub on: bool,
    /// Whether it delivers.
    pub ready: bool,
    /// Whether nothing is sent.
    pub muted: bool,
    /// Why it does not work. While it is on it waits for a device, and takes the first that comes.
    pub fault: Option<Fault>,
}

/// My microphone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MicrophoneView {
    /// Whether it was started.
    pub on: bool,
    /// Whether silence is sent.
    pub muted: bool,
    /// Whether I speak now.
    pub speaking: bool,
    /// How loud, 0 to 100.
    pub level: u8,
    /// Why it does not work. While it is on it waits for a device, and takes the first that comes.
    pub fault: Option<Fault>,
}

/// Where I hear the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SpeakerView {
    /// Why I do not hear them.
    pub fault: Option<Fault>,
}

/// Rooms opened on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hosting {
    /// The address for this computer.
    pub server: String,
    /// Whether other computers may come in.
    pub lan: bool,
    /// The addresses that others type, `host:port`, that outside this network first while it is open; this
    /// computer's own as long as only it may come in.
    pub addresses: Vec<String>,
    /// Of the certificate that the server shows to other computers; behind an address and a `#` it lets
    /// no other server pass for this one.
    pub fingerprint: String,
    /// The application that this app signs for.
    pub sdk_app_id: u32,
    /// The way in for people outside this network.
    pub outside: Outside,
    /// Whether guests have to say a passcode; it is in the invitations made here.
    pub passcode: bool,
    /// Whether those who come to a room wait until a host of it admits them, unless such a host changes that.
    pub waiting_room: bool,
}

/// The way to another room, while that one has not let me in.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SwitchView {
    /// The other room, and me in it.
    pub room: RoomView,
    /// A host there has to let me in.
    pub waiting: bool,
}

/// A way in for people outside this network, by a port of the router.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// How it stands.
    pub state: OutsideState,
    /// The address that others type, `host:port`, while it is open.
    pub address: Option<String>,
    /// What stands in the way and what to do, or what is not certain; for people.
    pub message: Option<String>,
}

/// How a way in from outside stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum OutsideState {
    /// Nobody asked for one.
    #[default]
    Off,
    /// The router is looked for and asked.
    Trying,
    /// The router leads people here.
    Open,
    /// It does not; it is tried again by itself.
    Failed,
}

/// How a room ended.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExitView {
    /// TRTC's value.
    pub reason: ExitReason,
    /// What brought it about.
    pub cause: ExitCause,
    /// Who did it, where it was a person.
    pub by: Option<String>,
    /// For people.
    pub message: String,
}

/// A level from which somebody counts as speaking, 0 to 100.
const SPEAKING: u8 = 12;

impl RoomView {
    /// What is shown of somebody who enters with these parameters.
    pub fn of(params: &EnterParams) -> Self {
        let user_id = params.user_id.as_str().to_owned();
        let name = params.name.as_ref().map_or(user_id.as_str(), |name| name.as_str()).to_owned();
        let fingerprint = match params.server.trust {
            Trust::Certificate(fingerprint) => Some(fingerprint.to_string()),
            Trust::Plain | Trust::Authorities | Trust::Whoever => None,
        };
        Self {
            server: params.server.to_string(),
            sdk_app_id: params.app().map(|app| app.0),
            room_id: params.room.as_number(),
            str_room_id: params.room.as_text().map(str::to_owned),
            scene: params.scene,
            role: params.role,
            user_id,
            name,
            entered_at: None,
            fingerprint,
        }
    }

    /// The same in another room.
    pub fn elsewhere(&self, to: &OtherRoom) -> Self {
        let room_id = to.room_id.filter(|id| *id != 0).and_then(|id| u32::try_from(id).ok());
        let str_room_id = to.str_room_id.clone().filter(|_| room_id.is_none());
        Self { room_id, str_room_id, entered_at: None, ..self.clone() }
    }
}

impl CameraView {
    fn works(&mut self) {
        (self.ready, self.fault) = (true, None);
    }
}

impl AppState {
    /// The state of an app of that user, started with that server.
    pub fn new(user_id: String, server: Option<String>) -> Self {
        Self { user_id, server, ..Self::default() }
    }

    /// An entry was asked for; `room` is None when its parameters are wrong. Whether it shows.
    pub fn on_enter_asked(&mut self, room: Option<RoomView>) -> bool {
        match self.phase {
            Phase::Idle => {
                self.phase = Phase::Entering;
                self.room = room;
                self.exit = None;
                true
            }
            Phase::Exiting => {
                self.next = Some(room);
                true
            }
            Phase::Entering | Phase::Waiting | Phase::In | Phase::Reconnecting => false,
        }
    }

    /// An entry that shows was not accepted.
    pub fn on_enter_refused(&mut self) {
        if self.next.take().is_none() && self.phase == Phase::Entering {
            self.out();
        }
    }

    /// The camera could not be started.
    pub fn on_camera_failed(&mut self, fault: Fault) {
        self.camera = CameraView { fault: Some(fault), ..CameraView::default() };
    }

    /// The microphone could not be started.
    pub fn on_microphone_failed(&mut self, fault: Fault) {
        self.microphone = MicrophoneView { fault: Some(fault), ..MicrophoneView::default() };
    }

    /// Another room was asked for in place of this one. Whether it shows: one way at a time.
    pub fn on_switch_asked(&mut self, to: &OtherRoom) -> bool {
        let (Phase::In, Some(room), None) = (self.phase, &self.room, &self.switching) else { return false };
        self.switching = Some(SwitchView { room: room.elsewhere(to), waiting: false });
        true
    }

    /// Another room that shows was not asked for after all.
    pub fn on_switch_refused(&mut self) {
        self.switching = None;
    }

    /// Leaving was asked for.
    pub fn on_exit_asked(&mut self) {
        self.next = None;
        if self.phase != Phase::Idle {
            self.phase = Phase::Exiting;
        }
    }

    /// Takes in what happened in the room; `now` is milliseconds since 1970.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most events change nothing that is shown")]
    pub fn on_event(&mut self, event: &Event, now: u64) {
        match event {
            Event::OnEnterRoom { result } if *result < 0 => self.out(),
            Event::OnEnterRoom { .. } => {
                self.phase = Phase::In;
                if let Some(room) = &mut self.room {
                    room.entered_at = Some(now);
                }
            }
            Event::OnWaiting if self.phase == Phase::Entering => self.phase = Phase::Waiting,
            Event::OnWaiting => {
                if let Some(switching) = &mut self.switching {
                    switching.waiting = true;
                }
            }
            Event::OnSwitchRole { code: 0, role, .. } => {
                if let Some(room) = &mut self.room {
                    room.role = *role;
                }
            }
            Event::OnSwitchRoom { code, .. } => {
                let switching = self.switching.take().filter(|_| *code == 0);
                if let Some(SwitchView { room, .. }) = switching {
                    self.phase = Phase::In;
                    self.room = Some(RoomView { entered_at: Some(now), ..room });
                    self.participants.clear();
                    (self.room_state, self.waiting) = (None, Vec::new());
                }
            }
            Event::OnRoomState(state) => {
                let me = self.room.as_ref().map(|room| room.user_id.as_str()).unwrap_or_default();
                if !state.is_host(me) {
                    self.waiting.clear();
                }
                self.room_state = Some(state.clone());
            }
            Event::OnWaitingList { people } => self.waiting.clone_from(people),
            Event::OnLocalAudioMuted { muted } => self.microphone.muted = *muted,
            Event::OnLocalVideoMuted { muted } => self.camera.muted = *muted,
            Event::OnExitRoom { reason, cause, by, message } => {
                let (by, message) = (by.clone(), message.clone());
                self.exit = Some(ExitView { reason: *reason, cause: *cause, by, message });
                self.camera = CameraView::default();
                self.microphone = MicrophoneView::default();
                self.speaker = SpeakerView::default();
                self.out();
            }
            Event::OnConnectionLost | Event::OnTryToReconnect if self.phase == Phase::In => {
                self.phase = Phase::Reconnecting;
                let people = std::mem::take(&mut self.participants);
                self.on_people(people);
            }
            Event::OnConnectionRecovery if self.phase == Phase::Reconnecting => self.phase = Phase::In,
            Event::OnCameraDidReady => self.camera.works(),
            Event::OnMicDidReady => self.microphone.fault = None,
            Event::OnDeviceChange { kind, state: Event::DEVICE_ACTIVE, .. } => match DeviceKind::of(*kind) {
                Some(DeviceKind::Camera) => self.camera.works(),
                Some(DeviceKind::Microphone) => self.microphone.fault = None,
                Some(DeviceKind::Speaker) => self.speaker.fault = None,
                None => {}
            },
            Event::OnWarning { code, message } => {
                self.on_warning(Fault { code: *code, detail: None, message: message.clone() });
            }
            Event::OnError { code, detail, message } => {
                self.on_error(&Fault { code: *code, detail: *detail, message: message.clone() });
            }
            Event::OnUserVoiceVolume { volumes } => {
                let mine = volumes.iter().find(|volume| volume.user_id.is_empty());
                self.on_own_level(mine.map_or(0, |volume| volume.volume));
            }
            _ => {}
        }
    }

    /// Who is there. While the connection is lost nobody is known to speak.
    pub fn on_people(&mut self, mut people: Vec<Participant>) {
        if self.phase == Phase::Reconnecting {
            for one in &mut people {
                (one.speaking, one.audio_level) = (false, 0);
            }
        }
        self.participants = people;
    }

    /// How loud I am.
    pub fn on_own_level(&mut self, level: u8) {
        let heard = self.microphone.on && !self.microphone.muted;
        self.microphone.level = if heard { level } else { 0 };
        self.microphone.speaking = self.microphone.level >= SPEAKING;
    }

    /// A device that is missing for now is on and says why nothing comes of it.
    fn on_warning(&mut self, fault: Fault) {
        match Code(fault.code) {
            Code::NO_CAMERA | Code::CAMERA_NOT_PERMITTED if self.camera.on => {
                (self.camera.ready, self.camera.fault) = (false, Some(fault));
            }
            Code::NO_MICROPHONE | Code::MICROPHONE_NOT_PERMITTED | Code::MICROPHONE_ABNORMAL
                if self.microphone.on =>
            {
                (self.microphone.speaking, self.microphone.level) = (false, 0);
                self.microphone.fault = Some(fault);
            }
            Code::NO_SPEAKER | Code::SPEAKER_ABNORMAL => self.speaker.fault = Some(fault),
            _ => {}
        }
    }

    /// A device that failed while it ran is off and says why.
    fn on_error(&mut self, fault: &Fault) {
        match Code(fault.code) {
            Code::CAMERA_START_FAILED
            | Code::CAMERA_NOT_AUTHORIZED
            | Code::CAMERA_SET_PARAM_FAILED
            | Code::CAMERA_OCCUPIED
                if self.camera.on =>
            {
                self.on_camera_failed(fault.clone());
            }
            Code::MIC_START_FAILED
            | Code::MIC_NOT_AUTHORIZED
            | Code::MIC_SET_PARAM_FAILED
            | Code::MIC_OCCUPIED
                if self.microphone.on =>
            {
                self.on_microphone_failed(fault.clone());
            }
            Code::SPEAKER_START_FAILED => self.speaker.fault = Some(fault.clone()),
            _ => {}
        }
    }

    fn out(&mut self) {
        self.participants.clear();
        (self.room_state, self.switching) = (None, None);
        self.waiting.clear();
        match self.next.take() {
            Some(room) => {
                self.phase = Phase::Entering;
                self.room = room;
                self.exit = None;
            }
            None => {
                self.phase = Phase::Idle;
                self.room = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
