use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ExitCause, ExitReason, Fault, LeaveReason, Statistics};

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
    /// The connection is gone.
    OnConnectionLost,
    /// It is being looked for, perhaps again.
    OnTryToReconnect,
    /// It is back.
    OnConnectionRecovery,
    /// Every two seconds in a room.
    OnStatistics(Statistics),
    /// How loud people are, while in a room.
    OnUserVoiceVolume {
        /// One entry a person who is heard; "" is me.
        volumes: Vec<Volume>,
    },
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
    /// The error event that goes with a failure.
    pub fn error(fault: &Fault) -> Self {
        Self::OnError { code: fault.code, detail: fault.detail, message: fault.message.clone() }
    }

    /// The warning event that goes with a complaint.
    pub fn warning(fault: &Fault) -> Self {
        Self::OnWarning { code: fault.code, message: fault.message.clone() }
    }

    /// Whether it only measures something that the next one of its kind measures again.
    pub fn is_figure(&self) -> bool {
        matches!(self, Self::OnStatistics(_) | Self::OnUserVoiceVolume { .. })
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
        assert_eq!(json(Event::OnConnectionLost), r#"{"event":"onConnectionLost"}"#);
    }

    #[test]
    fn an_error_tells_its_closer_code_only_where_there_is_one() {
        let plain = Fault::new(crate::Code::ROOM_FULL);
        assert!(!serde_json::to_string(&Event::error(&plain)).unwrap().contains("detail"));
        let closer = plain.with_detail(crate::Code::SIG_EXPIRED);
        assert!(serde_json::to_string(&Event::error(&closer)).unwrap().contains(r#""detail":-70001"#));
    }
}
