//! Everything that the app can be asked, and the answers that have a form of their own.

use confab_protocol::{
    Code, Fault, HostAction, OtherRoom, Passcode, RawEnterParams, Role, Scene as RoomScene, UserSigText,
};
use confab_scene::Scene;
use serde::de::Error as _;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use serde_path_to_error::Track;
use ts_rs::TS;

use crate::{DeviceKind, InvitationText};

/// The one list of commands, for every host: TRTC's names in snake_case. In JSON:
/// `{"command": "enter_room", "args": {...}}`; `args` may be left out where nothing is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    remote = "Self",
    tag = "command",
    content = "args",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(optional_fields)]
pub enum Request {
    /// Enters a room. Answers null when accepted; the outcome is onEnterRoom. Without `userSig` the
    /// app signs itself where it has the key (while hosting, or where it was started with one), and
    /// enters as a guest elsewhere; without `userId` too, as the person stored for this computer.
    /// While hosting, or where the app was started with a server, `server` may be left out.
    EnterRoom(RawEnterParams),
    /// Leaves; onExitRoom follows where there was a room.
    ExitRoom {},
    /// Opens the camera and sends it: `test`, `file:PATH`, `device[:NAME]`, or the selected one.
    StartLocalVideo {
        /// The camera.
        source: Option<String>,
    },
    /// Closes the camera.
    StopLocalVideo {},
    /// Keeps the camera open and sends nothing, or sends again.
    MuteLocalVideo {
        /// Whether to stop sending.
        mute: bool,
    },
    /// Opens the microphone and sends it: `tone`, `file:PATH`, `device[:NAME]`, or the selected one.
    StartLocalAudio {
        /// The microphone.
        source: Option<String>,
    },
    /// Closes the microphone.
    StopLocalAudio {},
    /// Keeps the microphone open and sends silence, or sends again.
    MuteLocalAudio {
        /// Whether to send silence.
        mute: bool,
    },
    /// Receives somebody's picture.
    StartRemoteView {
        /// Who.
        user_id: String,
        /// 0 big (when left out), 1 small, 2 sub.
        stream_type: Option<u8>,
    },
    /// Stops receiving it.
    StopRemoteView {
        /// Who.
        user_id: String,
        /// 0 big (when left out), 1 small, 2 sub.
        stream_type: Option<u8>,
    },
    /// Somebody's last picture as a PNG file, a [`Picture`].
    SnapshotVideo {
        /// Who; "" or left out is me.
        user_id: Option<String>,
    },
    /// The devices of this computer, a list of [`crate::DeviceView`].
    ListDevices {
        /// Only this kind.
        kind: Option<DeviceKind>,
    },
    /// Uses another device from now on, also where one is in use.
    SelectDevice {
        /// Which kind.
        kind: DeviceKind,
        /// From `list_devices`, or what the start commands and flags take.
        device_id: String,
    },
    /// Takes echo, noise and uneven levels out of the microphone's sound, or no longer; what is left
    /// out stays as it is. Only the sound of devices is changed.
    SetVoiceProcessing {
        /// What the speaker plays.
        echo_cancellation: Option<bool>,
        /// Steady noise.
        noise_suppression: Option<bool>,
        /// Quiet and loud voices.
        auto_gain_control: Option<bool>,
    },
    /// Everybody else in the room.
    Participants {},
    /// How the connection and the streams do.
    Statistics {},
    /// The stage as a PNG file, a [`Picture`].
    StageSnapshot {},
    /// Opens rooms on this computer; answers [`crate::Hosting`]. Where they are open already it changes who
    /// may come in from then on: other computers, people outside, by which passcode, and whether they wait.
    /// Who is in a room stays there. Refused with -3 where they are open on another port.
    HostRoom {
        /// Which port; 7880, or another one if that is taken, when left out.
        port: Option<u16>,
        /// Whether other computers may come in; as it is when left out, and not at first.
        lan: Option<bool>,
        /// Whether people outside this network may come in too, by a port that the router is asked for;
        /// then other computers of the network may as well. As it is when left out, and not at first.
        outside: Option<bool>,
        /// What guests have to say to be let in, at most 256 characters; it is in the invitations that are
        /// made here. Empty for nothing; as it is when left out, and nothing at first. Never logged.
        passcode: Option<Passcode>,
        /// Whether those who come wait until a host of their room admits them, unless such a host changes
        /// that. As it is when left out, and not at first.
        waiting_room: Option<bool>,
    },
    /// Closes them; everybody inside is told.
    StopHosting {},
    /// Signs for somebody where this app has the key; answers [`SignedUser`].
    MakeUserSig {
        /// Which application; the hosted one when left out.
        sdk_app_id: Option<u32>,
        /// Who; the user id stored for this computer when left out.
        user_id: Option<String>,
        /// How long it holds, seconds; a day when left out.
        expire: Option<u64>,
    },
    /// Which tile is where, in physical pixels.
    SetStage(Scene),
    /// All of the state.
    GetState {},
    /// What is received without being asked for, from the next entry on. Without `audio` the voices come
    /// that are unmuted with `mute_remote_audio`; without `video` the pictures of `start_remote_view`.
    SetDefaultStreamRecvMode {
        /// Every voice.
        audio: bool,
        /// Every picture; in the window, those that it shows.
        video: bool,
    },
    /// Stops receiving somebody's picture, of which the last one stays, or receives it again. As with all
    /// mutes of others the state shows it, it may be asked for before an entry, and an exit ends it.
    MuteRemoteVideoStream {
        /// Who.
        user_id: String,
        /// 0 big (when left out), 1 small, 2 sub.
        stream_type: Option<u8>,
        /// Whether to stop.
        mute: bool,
    },
    /// The same for everybody's pictures, also of those who come later; what is said later about one
    /// person holds for that one.
    MuteAllRemoteVideoStreams {
        /// Whether to stop.
        mute: bool,
    },
    /// Stops receiving and playing somebody's voice, or receives it again.
    MuteRemoteAudio {
        /// Who.
        user_id: String,
        /// Whether to stop.
        mute: bool,
    },
    /// The same for everybody's voices, also of those who come later; what is said later about one person
    /// holds for that one.
    MuteAllRemoteAudio {
        /// Whether to stop.
        mute: bool,
    },
    /// Sends a message of the app's own to everybody in the room, who get onRecvCustomCmdMsg: at most
    /// 1000 bytes each, 30 messages and 8192 bytes a second. An error means that it was not sent.
    SendCustomCmdMsg {
        /// What it is about, 1 to 10.
        cmd_id: i64,
        /// What it says, in base64.
        #[ts(as = "String")]
        data: MessageData,
        /// Whether it is sent again until it comes; both this and `ordered`, or neither.
        reliable: bool,
        /// Whether those of one cmdId come in their order.
        ordered: bool,
    },
    /// Becomes an anchor or one of the audience of a live room without leaving it. Answers null when
    /// accepted; the outcome is onSwitchRole.
    SwitchRole {
        /// What to be.
        role: Role,
        /// A fresh permission ticket, where the application asks for one.
        #[ts(as = "Option<String>")]
        private_map_key: Option<UserSigText>,
    },
    /// Goes to another room in one step, with devices as they are. Answers null when accepted; the outcome
    /// is onSwitchRoom, and a refusal changes nothing. Where a host there has to let me in I stay here until
    /// then, and the state says so. Refused with -3 while on such a way already.
    SwitchRoom(OtherRoom),
    /// Stays in this room while the other one has not let me in yet; onSwitchRoom with -3 follows.
    CancelSwitchRoom {},
    /// Does what a host does: mute, allowUnmute, stopVideo, stopShare, remove, unban, lock, waitingRoom,
    /// admit, deny, handOver, coHost, dismiss. Answers when it is done.
    HostAction(HostAction),
    /// Reads an invitation from a link, a page's address or the text around them; answers what
    /// `enter_room` takes, or says which part is wrong.
    ParseInvitation {
        /// The text, at most 64 KiB.
        text: InvitationText,
    },
    /// An invitation in every form, [`crate::InvitationForms`]: to the room that one is in, where none is
    /// given, and to the server that others reach it by. A passcode or ticket is in it if given here; without
    /// a ticket the passcode of the rooms opened here is in invitations to them.
    MakeInvitation(RawEnterParams),
    /// Makes what lets one person into the room that one is in, once, past its passcode and waiting room;
    /// answers [`MadeTicket`]. For hosts and co-hosts; `make_invitation` takes it.
    MakeTicket {},
    /// Opens an invitation as the system does when somebody clicks on the link: `invited` follows.
    /// Refused like `parse_invitation`; the window shows what is wrong.
    OpenInvitation {
        /// The text, at most 64 KiB.
        text: InvitationText,
    },
    /// The invitation that was opened, once, as `parse_invitation` answers; null where there is none.
    TakeInvitation {},
    /// Looks for computers in this network that let others in; they are `nearby` in the state.
    StartNearby {},
    /// Looks no longer.
    StopNearby {},
}

/// The name of every command, in the order of [`Request`].
pub const COMMANDS: [&str; 39] = [
    "enter_room",
    "exit_room",
    "start_local_video",
    "stop_local_video",
    "mute_local_video",
    "start_local_audio",
    "stop_local_audio",
    "mute_local_audio",
    "start_remote_view",
    "stop_remote_view",
    "snapshot_video",
    "list_devices",
    "select_device",
    "set_voice_processing",
    "participants",
    "statistics",
    "stage_snapshot",
    "host_room",
    "stop_hosting",
    "make_user_sig",
    "set_stage",
    "get_state",
    "set_default_stream_recv_mode",
    "mute_remote_video_stream",
    "mute_all_remote_video_streams",
    "mute_remote_audio",
    "mute_all_remote_audio",
    "send_custom_cmd_msg",
    "switch_role",
    "switch_room",
    "cancel_switch_room",
    "host_action",
    "parse_invitation",
    "make_invitation",
    "make_ticket",
    "open_invitation",
    "take_invitation",
    "start_nearby",
    "stop_nearby",
];

/// What a message of the app's own says, in base64. Printed as its length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageData(pub String);

impl From<&str> for MessageData {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for MessageData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A picture as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Picture {
    /// A PNG file in base64.
    pub png: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Somebody with a signature.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignedUser {
    /// Application.
    pub sdk_app_id: u32,
    /// Who.
    pub user_id: String,
    /// The signature. Never logged.
    pub user_sig: String,
}

impl std::fmt::Debug for SignedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedUser").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// What lets one person into a room once.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
pub struct MadeTicket {
    /// For `make_invitation`. Never logged.
    pub ticket: String,
}

impl std::fmt::Debug for MadeTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MadeTicket(***)")
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl Request {
    /// Reads `{"command": ..., "args": {...}}`.
    ///
    /// # Errors
    ///
    /// -102055 and -100011 where a role or a scene does not exist, and -2 where anything else cannot be read.
    pub fn read(request: Value) -> Result<Self, Fault> {
        let code = unreadable(&request["args"]);
        serde_json::from_value(request).map_err(|error| Fault { code: code.0, ..Fault::unreadable(error) })
    }
}

/// The code of arguments that cannot be read.
fn unreadable(args: &Value) -> Code {
    let given = |name: &str| args.get(name).filter(|given| !given.is_null());
    if given("role").is_some_and(|role| Role::deserialize(role).is_err()) {
        Code::INVALID_ROLE
    } else if given("scene").is_some_and(|scene| RoomScene::deserialize(scene).is_err()) {
        Code::BAD_SCENE_OR_ROLE
    } else {
        Code::INVALID_PARAMETER
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        match fields.get("command") {
            Some(Value::String(name)) if COMMANDS.contains(&name.as_str()) => {}
            Some(Value::String(name)) => {
                let all = COMMANDS.join(", ");
                return Err(D::Error::custom(format!("there is no command {name:?}; there are {all}")));
            }
            Some(_) => return Err(D::Error::custom("\"command\" is not a text")),
            None => return Err(D::Error::custom("\"command\" is missing")),
        }
        if let Some(name) = fields.keys().find(|name| !["command", "args"].contains(&name.as_str())) {
            return Err(D::Error::custom(format!("unknown field `{name}` beside \"command\" and \"args\"")));
        }
        let command = fields.remove("command").unwrap_or_default();
        let args = match fields.remove("args") {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(args @ Value::Object(_)) => args,
            Some(_) => return Err(D::Error::custom("\"args\" is not an object")),
        };
        // The command first, so that what is wrong behind it is found in its place.
        let ordered = MapDeserializer::new([("command", command), ("args", args)].into_iter());
        let mut track = Track::new();
        let read: Result<Self, serde_json::Error> =
            Self::deserialize(serde_path_to_error::Deserializer::new(ordered, &mut track));
        read.map_err(|error| {
            let path = track.path().to_string();
            match path.strip_prefix("args.") {
                Some(field) => D::Error::custom(format!("{field}: {error}")),
                None => D::Error::custom(error),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Request, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn every_command_is_known_by_its_name() {
        for name in COMMANDS {
            if let Err(error) = read(&format!(r#"{{"command":"{name}"}}"#)) {
                assert!(error.contains("missing field"), "{name}: {error}");
            }
        }
        let unknown = read(r#"{"command":"enter"}"#).unwrap_err();
        assert!(unknown.contains("there is no command \"enter\"; there are enter_room, "), "{unknown}");
    }

    #[test]
    fn args_may_be_left_out_where_none_are_needed() {
        assert_eq!(read(r#"{"command":"exit_room"}"#), Ok(Request::ExitRoom {}));
        assert_eq!(read(r#"{"command":"exit_room","args":null}"#), Ok(Request::ExitRoom {}));
        assert_eq!(read(r#"{"command":"exit_room","args":{}}"#), Ok(Request::ExitRoom {}));
        let camera = Request::StartLocalVideo { source: None };
        assert_eq!(read(r#"{"command":"start_local_video"}"#), Ok(camera));
    }

    #[test]
    fn fields_have_trtc_names_in_camel_case() {
        let enter = read(
            r#"{"command":"enter_room","args":{"sdkAppId":1,"userId":"a","strRoomId":"x","scene":"live","role":"audience"}}"#,
        );
        let Ok(Request::EnterRoom(raw)) = enter else { panic!("{enter:?}") };
        assert_eq!((raw.sdk_app_id, raw.str_room_id.as_deref()), (Some(1), Some("x")));
        let view = read(r#"{"command":"start_remote_view","args":{"userId":"bob","streamType":2}}"#);
        assert_eq!(view, Ok(Request::StartRemoteView { user_id: "bob".into(), stream_type: Some(2) }));
    }

    #[test]
    fn secrets_and_messages_are_never_printed() {
        for (command, args) in [
            ("enter_room", r#"{"userSig":"planted","privateMapKey":"planted","passcode":"planted"}"#),
            ("host_room", r#"{"passcode":"planted"}"#),
            ("switch_role", r#"{"role":"anchor","privateMapKey":"planted"}"#),
            ("switch_room", r#"{"roomId":1,"userSig":"planted","privateMapKey":"planted"}"#),
            ("send_custom_cmd_msg", r#"{"cmdId":1,"data":"planted","reliable":true,"ordered":true}"#),
        ] {
            let request = read(&format!(r#"{{"command":"{command}","args":{args}}}"#)).unwrap();
            assert!(!format!("{request:?}").contains("planted"), "{request:?}");
        }
        let error = read(r#"{"command":"host_room","args":{"passcode":5}}"#).unwrap_err();
        assert!(error.contains("passcode: invalid type: integer"), "{error}");
    }

    #[test]
    fn an_invitation_is_never_printed() {
        let args = r#"{"text":"confab://join?passcode=planted"}"#;
        for name in ["parse_invitation", "open_invitation"] {
            let request = read(&format!(r#"{{"command":"{name}","args":{args}}}"#)).unwrap();
            assert!(!format!("{request:?}").contains("planted"), "{request:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, said) in [
            ("[]", "invalid type: sequence"),
            ("{}", "\"command\" is missing"),
            (r#"{"command":7}"#, "\"command\" is not a text"),
            (r#"{"command":"exit_room","extra":1}"#, "unknown field `extra`"),
            (r#"{"command":"mute_local_audio","args":{"muted":true}}"#, "unknown field `muted`"),
            (r#"{"command":"mute_local_audio"}"#, "missing field `mute`"),
            (r#"{"command":"enter_room","args":{"scene":9}}"#, "scene: The scene 9 does not exist"),
            (r#"{"command":"enter_room","args":{"userId":5}}"#, "userId: invalid type: integer"),
            (r#"{"command":"exit_room","args":[]}"#, "\"args\" is not an object"),
            (r#"{"command":"send_custom_cmd_msg","args":{"cmdId":"1"}}"#, "cmdId: invalid type: string"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
    }

    #[test]
    fn a_request_survives_json() {
        let all = [
            Request::ExitRoom {},
            Request::MuteLocalVideo { mute: true },
            Request::SelectDevice { kind: DeviceKind::Camera, device_id: "test".into() },
            Request::SetStage(Scene::default()),
            Request::MuteRemoteVideoStream { user_id: "bob".into(), stream_type: Some(2), mute: true },
            Request::SendCustomCmdMsg { cmd_id: 1, data: "aGk=".into(), reliable: true, ordered: true },
            Request::SwitchRole { role: Role::Anchor, private_map_key: Some(UserSigText("eJw".into())) },
            Request::SwitchRole { role: Role::Audience, private_map_key: None },
        ];
        for request in all {
            let json = serde_json::to_string(&request).unwrap();
            assert_eq!(read(&json), Ok(request), "{json}");
        }
    }
}
