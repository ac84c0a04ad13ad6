//! Everything that a session tells.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    ExitCause, ExitReason, Fault, HostAction, LeaveReason, Quality, Role, RoomState, Statistics, Waiting,
};

/// What happened, by TRTC's names (ITRTCCloudCallback). A user id of "" is the local user.
/// In JSON: `{"event": "onEnterRoom", "data": {"result": 125}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", content = "data", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(rename = "RoomEvent")]
#[non_exhaustive]
pub enum Event {
    /// Something cannot go on; to be shown.
    OnError {
        /// One of [`crate::Code`].
        code: i32,
        /// A closer code where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        detail: Option<i32>,
        /// For people.
        message: String,
    },
    /// Something is worse than it should be, and goes on.
    OnWarning {
        /// One of [`crate::Code`].
        code: i32,
        /// For people.
        message: String,
    },
    /// The outcome of an accepted entry, once.
    OnEnterRoom {
        /// Milliseconds that it took, above zero, or the code of the failure, below zero.
        result: i64,
    },
    /// I am out; camera, microphone and speaker are let go.
    OnExitRoom {
        /// TRTC's value.
        reason: ExitReason,
        /// What brought it about.
        cause: ExitCause,
        /// Who did it, where it was a person.
        by: Option<String>,
        /// For people.
        message: String,
    },
    /// Somebody is there.
    OnRemoteUserEnterRoom {
        /// Who.
        user_id: String,
        /// The name to show.
        name: String,
    },
    /// Somebody is gone.
    OnRemoteUserLeaveRoom {
        /// Who.
        user_id: String,
        /// TRTC's value.
        reason: LeaveReason,
    },
    /// Somebody's camera began or ended, by stop or mute.
    OnUserVideoAvailable {
        /// Who.
        user_id: String,
        /// Whether it is sent now.
        available: bool,
    },
    /// Somebody's shared screen began or ended.
    OnUserSubStreamAvailable {
        /// Who.
        user_id: String,
        /// Whether it is sent now.
        available: bool,
    },
    /// Somebody's voice began or ended, by stop or mute.
    OnUserAudioAvailable {
        /// Who.
        user_id: String,
        /// Whether it is sent now.
        available: bool,
    },
    /// The first picture of somebody, or of my own camera, can be drawn.
    OnFirstVideoFrame {
        /// Who; "" is me.
        user_id: String,
        /// 0 big, 1 small, 2 sub.
        stream_type: u8,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The first sound of somebody is played.
    OnFirstAudioFrame {
        /// Who.
        user_id: String,
    },
    /// The first picture of mine went to the server.
    OnSendFirstLocalVideoFrame {
        /// 0 big, 1 small, 2 sub.
        stream_type: u8,
    },
    /// The first sound of mine went to the server.
    OnSendFirstLocalAudioFrame,
    /// The camera is open.
    OnCameraDidReady,
    /// The microphone is open.
    OnMicDidReady,
    /// A camera, microphone or speaker of this computer came or went, or is the one in use or preferred
    /// from now on.
    OnDeviceChange {
        /// Which device.
        device_id: String,
        /// 0 microphone, 1 speaker, 2 camera.
        #[serde(rename = "type")]
        kind: u8,
        /// 0 added, 1 removed, 2 in use, 3 the system's default.
        state: u8,
        /// The name that people know it by.
        name: String,
        /// What to tell people; empty where they need not know or a warning tells them.
        message: String,
    },
    /// The connection is gone.
    OnConnectionLost,
    /// It is being looked for, perhaps again.
    OnTryToReconnect,
    /// It is back.
    OnConnectionRecovery,
    /// Every two seconds in a room.
    OnStatistics(Statistics),
    /// Every two seconds in a room, also while the connection is looked for.
    OnNetworkQuality {
        /// How well I reach the server.
        local: UserQuality,
        /// How well each of the others reaches me, by user id.
        remote: Vec<UserQuality>,
    },
    /// Somebody else muted my microphone, or unmuted it.
    OnLocalAudioMuted {
        /// Whether it is muted now.
        muted: bool,
    },
    /// Somebody else muted my camera, or unmuted it.
    OnLocalVideoMuted {
        /// Whether it is muted now.
        muted: bool,
    },
    /// I am in another role from now on, or not.
    OnSwitchRole {
        /// 0, or the code of the failure.
        code: i32,
        /// For people; empty where it worked.
        message: String,
        /// What I am now.
        role: Role,
    },
    /// I am in another room from now on, or not.
    OnSwitchRoom {
        /// 0, or the code of the failure.
        code: i32,
        /// For people; empty where it worked.
        message: String,
    },
    /// I wait until a host lets me in; onEnterRoom follows. In a room it is the one that switchRoom asked for
    /// of which a host has to let me in: I stay where I am until onSwitchRoom.
    OnWaiting,
    /// Who is host, whether the room is locked, and the like, at the entry and whenever it changes.
    OnRoomState(RoomState),
    /// A host did something.
    OnHostAction {
        /// What.
        #[serde(flatten)]
        what: HostAction,
        /// Who did it, where it was a person in the room.
        by: Option<String>,
    },
    /// Who waits to be admitted; told to hosts.
    OnWaitingList {
        /// In the order in which they came.
        people: Vec<Waiting>,
    },
    /// How loud people are, while in a room.
    OnUserVoiceVolume {
        /// One entry a person who is heard; "" is me.
        volumes: Vec<Volume>,
    },
    /// Somebody sent a message of the app's own.
    OnRecvCustomCmdMsg {
        /// Who.
        user_id: String,
        /// What it is about, 1 to 10.
        cmd_id: u8,
        /// Counted up by the sender within its stay, for each cmdId, and for reliable messages apart
        /// from others.
        seq: u32,
        /// What was sent, in base64.
        data: String,
    },
    /// Reliable messages of somebody never came: a connection was lost on the way. Told within five
    /// seconds after a later one has come.
    OnMissCustomCmdMsg {
        /// Who.
        user_id: String,
        /// What they were about, 1 to 10.
        cmd_id: u8,
        /// One of [`crate::Code`].
        code: i32,
        /// How many, since it was last told.
        missed: u32,
    },
}

/// How well the connection of one person does (TRTCQualityInfo).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UserQuality {
    /// Who; "" is me.
    pub user_id: String,
    /// TRTC's value.
    pub quality: Quality,
}

/// How loud one person is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// Who; "" is me.
    pub user_id: String,
    /// 0 to 100.
    pub volume: u8,
}

impl Event {
    /// The state of a device that is in use from now on, in `onDeviceChange`.
    pub const DEVICE_ACTIVE: u8 = 2;

    /// The error event that goes with a failure.
    pub fn error(fault: &Fault) -> Self {
        Self::OnError { code: fault.code, detail: fault.detail, message: fault.message.clone() }
    }

    /// The event that goes with a fault: its sign tells errors from warnings.
    pub fn complaint(fault: &Fault) -> Self {
        if fault.code > 0 { Self::warning(fault) } else { Self::error(fault) }
    }

    /// The warning event that goes with a complaint.
    pub fn warning(fault: &Fault) -> Self {
        Self::OnWarning { code: fault.code, message: fault.message.clone() }
    }

    /// Whether it only measures something that the next one of its kind measures again.
    pub fn is_figure(&self) -> bool {
        matches!(self, Self::OnStatistics(_) | Self::OnNetworkQuality { .. } | Self::OnUserVoiceVolume { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_trtc_names_and_camel_case_fields() {
        let json = |event: Event| serde_json::to_string(&event).unwrap();
        assert_eq!(
            json(Event::OnEnterRoom { result: 125 }),
            r#"{"event":"onEnterRoom","data":{"result":125}}"#
        );
        assert_eq!(
            json(Event::OnRemoteUserLeaveRoom { user_id: "bob".into(), reason: LeaveReason::Removed }),
            r#"{"event":"onRemoteUserLeaveRoom","data":{"userId":"bob","reason":2}}"#
        );
        assert_eq!(
            json(Event::OnExitRoom {
                reason: ExitReason::Removed,
                cause: ExitCause::EnteredElsewhere,
                by: None,
                message: "m".into()
            }),
            r#"{"event":"onExitRoom","data":{"reason":1,"cause":"entered_elsewhere","by":null,"message":"m"}}"#
        );
        let device = Event::OnDeviceChange {
            device_id: "d".into(),
            kind: 0,
            state: Event::DEVICE_ACTIVE,
            name: "n".into(),
            message: String::new(),
        };
        assert_eq!(
            json(device),
            r#"{"event":"onDeviceChange","data":{"deviceId":"d","type":0,"state":2,"name":"n","message":""}}"#
        );
        let message =
            Event::OnRecvCustomCmdMsg { user_id: "bob".into(), cmd_id: 1, seq: 2, data: "aGk=".into() };
        assert_eq!(
            json(message),
            r#"{"event":"onRecvCustomCmdMsg","data":{"userId":"bob","cmdId":1,"seq":2,"data":"aGk="}}"#
        );
        let missed = Event::OnMissCustomCmdMsg { user_id: "bob".into(), cmd_id: 1, code: -1, missed: 3 };
        assert_eq!(
            json(missed),
            r#"{"event":"onMissCustomCmdMsg","data":{"userId":"bob","cmdId":1,"code":-1,"missed":3}}"#
        );
        assert_eq!(json(Event::OnConnectionLost), r#"{"event":"onConnectionLost"}"#);
        let of = |user: &str, quality| UserQuality { user_id: user.into(), quality };
        let (local, remote) = (of("", Quality::Good), vec![of("bob", Quality::Down)]);
        assert_eq!(
            json(Event::OnNetworkQuality { local, remote }),
            r#"{"event":"onNetworkQuality","data":{"local":{"userId":"","quality":2},"remote":[{"userId":"bob","quality":6}]}}"#
        );
    }

    #[test]
    fn an_error_tells_its_closer_code_only_where_there_is_one() {
        let plain = Fault::new(crate::Code::ROOM_FULL);
        assert!(!serde_json::to_string(&Event::error(&plain)).unwrap().contains("detail"));
        let closer = plain.with_detail(crate::Code::SIG_EXPIRED);
        assert!(serde_json::to_string(&Event::error(&closer)).unwrap().contains(r#""detail":-70001"#));
    }
}
