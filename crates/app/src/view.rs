use confab_protocol::{EnterParams, Event, ExitCause, ExitReason, Fault, Participant, Role, Scene};
use serde::Serialize;
use ts_rs::TS;

use crate::{SelectedDevices, VoiceProcessing};

/// Where the app stands with its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// In no room.
    #[default]
    Idle,
    /// Asked to enter.
    Entering,
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
    /// Which devices are used.
    pub selected: SelectedDevices,
    /// What is done to the sound of the microphone.
    pub voice_processing: VoiceProcessing,
    /// Everybody else in the room.
    pub participants: Vec<Participant>,
    /// How the last room ended, until the next is entered.
    pub exit: Option<ExitView>,
    /// Who I am where I give no user id; empty when that cannot be kept on this computer.
    pub user_id: String,
    /// The server that is meant where none is named, where the app was started with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
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
    /// Why it does not work.
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
    /// Why it does not work.
    pub fault: Option<Fault>,
}

/// Rooms opened on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hosting {
    /// The address for this computer.
    pub server: String,
    /// The addresses that others type, `host:port`.
    pub addresses: Vec<String>,
    /// The application that this app signs for.
    pub sdk_app_id: u32,
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
        Self {
            server: params.server.clone(),
            sdk_app_id: params.app().map(|app| app.0),
            room_id: params.room.as_number(),
            str_room_id: params.room.as_text().map(str::to_owned),
            scene: params.scene,
            role: params.role,
            user_id,
            name,
            entered_at: None,
        }
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
            Phase::Entering | Phase::In | Phase::Reconnecting => false,
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
            Event::OnExitRoom { reason, cause, by, message } => {
                let (by, message) = (by.clone(), message.clone());
                self.exit = Some(ExitView { reason: *reason, cause: *cause, by, message });
                self.camera = CameraView::default();
                self.microphone = MicrophoneView::default();
                self.out();
            }
            Event::OnConnectionLost | Event::OnTryToReconnect if self.phase == Phase::In => {
                self.phase = Phase::Reconnecting;
                let people = std::mem::take(&mut self.participants);
                self.on_people(people);
            }
            Event::OnConnectionRecovery if self.phase == Phase::Reconnecting => self.phase = Phase::In,
            Event::OnCameraDidReady => self.camera.ready = true,
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

    /// A device that failed while it ran is off and says why.
    fn on_error(&mut self, fault: &Fault) {
        match fault.code {
            -1301 | -1314 | -1315 | -1316 if self.camera.on => {
                self.on_camera_failed(fault.clone());
            }
            -1302 | -1317 | -1318 | -1319 if self.microphone.on => {
                self.on_microphone_failed(fault.clone());
            }
            _ => {}
        }
    }

    fn out(&mut self) {
        self.participants.clear();
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
mod tests {
    use confab_protocol::RawEnterParams;

    use super::*;

    fn room(number: i64) -> RoomView {
        let raw = RawEnterParams {
            sdk_app_id: Some(1),
            user_id: Some("me".into()),
            user_sig: Some("s".into()),
            room_id: Some(number),
            ..RawEnterParams::default()
        };
        RoomView::of(&raw.check().unwrap().0)
    }

    fn exit(cause: ExitCause) -> Event {
        Event::OnExitRoom { reason: cause.reason(), cause, by: None, message: String::new() }
    }

    fn inside() -> AppState {
        let mut state = AppState::default();
        state.on_enter_asked(Some(room(1)));
        state.on_event(&Event::OnEnterRoom { result: 20 }, 77);
        state
    }

    #[test]
    fn nobody_is_known_to_speak_while_the_connection_is_lost() {
        let speaker = Participant {
            user_id: "ann".to_owned(),
            name: "Ann".to_owned(),
            role: Role::Anchor,
            video_available: true,
            audio_available: true,
            video_size: None,
            audio_level: 70,
            speaking: true,
        };
        let mut state = inside();
        state.on_people(vec![speaker.clone()]);
        assert!(state.participants[0].speaking);
        state.on_event(&Event::OnConnectionLost, 80);
        assert!(!state.participants[0].speaking);
        state.on_people(vec![speaker]);
        assert_eq!((state.participants[0].speaking, state.participants[0].audio_level), (false, 0));
    }

    #[test]
    fn a_room_is_entered_and_left() {
        let mut state = inside();
        assert_eq!(state.phase, Phase::In);
        assert_eq!(state.room.as_ref().unwrap().entered_at, Some(77));
        state.on_exit_asked();
        assert_eq!(state.phase, Phase::Exiting);
        state.on_event(&exit(ExitCause::Left), 78);
        assert_eq!((state.phase, state.room), (Phase::Idle, None));
        assert_eq!(state.exit.unwrap().cause, ExitCause::Left);
    }

    #[test]
    fn a_refused_entry_leaves_nothing_behind() {
        let mut state = AppState::default();
        state.on_enter_asked(None);
        assert_eq!(state.phase, Phase::Entering);
        state.on_event(&Event::OnEnterRoom { result: -3318 }, 1);
        assert_eq!(state, AppState::default());
    }

    #[test]
    fn being_removed_turns_the_devices_off_and_keeps_the_reason() {
        let mut state = inside();
        state.camera = CameraView { on: true, ready: true, ..CameraView::default() };
        state.microphone.on = true;
        state.on_event(&exit(ExitCause::Removed), 1);
        assert_eq!((state.camera.on, state.microphone.on), (false, false));
        assert_eq!(state.exit.unwrap().reason, ExitReason::Removed);
    }

    #[test]
    fn an_entry_asked_for_while_leaving_begins_when_the_room_is_left() {
        let mut state = inside();
        state.on_exit_asked();
        state.on_enter_asked(Some(room(2)));
        assert_eq!(state.room.as_ref().unwrap().room_id, Some(1));
        state.on_event(&exit(ExitCause::Left), 1);
        assert_eq!(state.phase, Phase::Entering);
        assert_eq!(state.room.unwrap().room_id, Some(2));
    }

    #[test]
    fn an_entry_refused_while_inside_changes_nothing() {
        let mut state = inside();
        let before = state.clone();
        state.on_enter_asked(Some(room(2)));
        assert_eq!(state, before);
    }

    #[test]
    fn a_lost_connection_shows_until_it_is_back() {
        let mut state = inside();
        state.on_event(&Event::OnConnectionLost, 1);
        assert_eq!(state.phase, Phase::Reconnecting);
        state.on_event(&Event::OnConnectionRecovery, 2);
        assert_eq!(state.phase, Phase::In);
        assert_eq!(state.room.unwrap().entered_at, Some(77));
    }

    #[test]
    fn a_camera_that_fails_is_off_and_says_why() {
        let mut state = inside();
        state.camera.on = true;
        state.on_event(&Event::OnError { code: -1301, detail: None, message: "gone".into() }, 1);
        assert!(!state.camera.on);
        assert_eq!(state.camera.fault.unwrap().message, "gone");
        assert_eq!(state.phase, Phase::In);
    }

    #[test]
    fn a_muted_microphone_does_not_speak() {
        let mut state = inside();
        state.microphone.on = true;
        state.on_own_level(50);
        assert!(state.microphone.speaking);
        state.microphone.muted = true;
        state.on_own_level(50);
        assert!(!state.microphone.speaking && state.microphone.level == 0);
    }
}
