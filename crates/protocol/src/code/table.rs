//! The codes: a constant, the number, TRTC's newest name, what to tell people.

use super::{Code, Row};

macro_rules! codes {
    ($($constant:ident = $number:literal, $name:literal, $sentence:literal;)+) => {
        impl Code {
            $(#[doc = concat!("`", $name, "`: ", $sentence)] pub const $constant: Self = Self($number);)+
        }

        pub(super) const ROWS: &[Row] =
            &[$(Row { number: $number, name: $name, sentence: $sentence }),+];
    };
}

codes! {
    // General.
    OK = 0, "ERR_NULL", "Everything went well.";
    FAILED = -1, "ERR_FAILED", "Something went wrong; please try again.";
    INVALID_PARAMETER = -2, "ERR_INVALID_PARAMETER", "One of the values given is not valid.";
    REFUSED = -3, "ERR_REFUSED", "That is not possible right now.";
    NOT_SUPPORTED = -4, "ERR_NOT_SUPPORTED", "That is not supported here.";
    REQUEST_SERVER_TIMEOUT = -6, "ERR_REQUEST_SERVER_TIMEOUT", "The server did not answer in time; please try again.";
    SERVER_PROCESS_FAILED = -7, "ERR_SERVER_PROCESS_FAILED", "The server could not do that; please try again.";
    DISCONNECTED = -8, "ERR_DISCONNECTED", "The connection to the server is gone.";

    // Entry and exit.
    ENTER_ROOM_FAILED = -3301, "ERR_TRTC_ENTER_ROOM_FAILED", "The room could not be entered; please try again.";
    HEARTBEAT_FAILED = -3302, "ERR_ROOM_HEARTBEAT_FAIL", "The server stopped answering; the connection is being restored.";
    REQUEST_IP_TIMEOUT = -3307, "ERR_TRTC_REQUEST_IP_TIMEOUT", "The server cannot be reached; check its address and your network.";
    CONNECT_SERVER_TIMEOUT = -3308, "ERR_TRTC_CONNECT_SERVER_TIMEOUT", "The server took the connection but did not answer; please try again later.";
    ROOM_PARAM_NULL = -3316, "ERR_TRTC_ROOM_PARAM_NULL", "Nothing was given to enter with: a room, a user id, its signature and an application are needed.";
    INVALID_SDK_APP_ID = -3317, "ERR_TRTC_INVALID_SDK_APPID", "The SDKAppID is missing or not valid.";
    INVALID_ROOM_ID = -3318, "ERR_TRTC_INVALID_ROOM_ID", "The room is missing or not valid.";
    INVALID_USER_ID = -3319, "ERR_TRTC_INVALID_USER_ID", "The user id is missing or not valid.";
    INVALID_USER_SIG = -3320, "ERR_TRTC_INVALID_USER_SIG", "The UserSig is missing; ask the server of your application for one.";
    QUIT_ROOM_TIMEOUT = -3325, "ERR_ROOM_REQUEST_QUIT_ROOM_TIMEOUT", "The server did not confirm in time that you left; you are out of the room anyway.";
    CONNECT_OTHER_ROOM_TIMEOUT = -3326, "ERR_TRTC_CONNECT_OTHER_ROOM_TIMEOUT", "The other room did not answer in time.";
    DISCONNECT_OTHER_ROOM_TIMEOUT = -3327, "ERR_TRTC_DISCONNECT_OTHER_ROOM_TIMEOUT", "The link to the other room could not be ended in time.";
    CONNECT_OTHER_ROOM_INVALID_PARAMETER = -3328, "ERR_TRTC_CONNECT_OTHER_ROOM_INVALID_PARAMETER", "The other room to link with is not described correctly.";
    CONNECT_OTHER_ROOM_AS_AUDIENCE = -3330, "ERR_TRTC_CONNECT_OTHER_ROOM_AS_AUDIENCE", "Only an anchor can link with another room.";
    ENTER_ROOM_REFUSED = -3340, "ERR_TRTC_ENTER_ROOM_REFUSED", "You are in a room or entering one already; leave it first.";

    // Devices, capture, encode.
    CAMERA_START_FAILED = -1301, "ERR_CAMERA_START_FAIL", "The camera could not be opened; check that it is connected, or choose another one.";
    MIC_START_FAILED = -1302, "ERR_MIC_START_FAIL", "The microphone could not be opened; check that it is connected, or choose another one.";
    VIDEO_ENCODE_FAILED = -1303, "ERR_VIDEO_ENCODE_FAIL", "Your picture could not be encoded; turn the camera off and on again.";
    AUDIO_ENCODE_FAILED = -1304, "ERR_AUDIO_ENCODE_FAIL", "Your sound could not be encoded; turn the microphone off and on again.";
    UNSUPPORTED_RESOLUTION = -1305, "ERR_UNSUPPORTED_RESOLUTION", "The camera does not have this picture size; choose another one.";
    UNSUPPORTED_SAMPLE_RATE = -1306, "ERR_UNSUPPORTED_SAMPLERATE", "The sound device runs at a rate that cannot be used; choose another one.";
    SCREEN_CAPTURE_START_FAILED = -1308, "ERR_SCREEN_CAPTURE_START_FAIL", "The screen could not be shared; check that this is permitted.";
    SCREEN_CAPTURE_UNSUPPORTED = -1309, "ERR_SCREEN_CAPTURE_UNSURPORT", "The screen cannot be shared on this computer.";
    CAMERA_NOT_AUTHORIZED = -1314, "ERR_CAMERA_NOT_AUTHORIZED", "The camera may not be used; permit it in the settings of your computer.";
    CAMERA_SET_PARAM_FAILED = -1315, "ERR_CAMERA_SET_PARAM_FAIL", "The camera refused its settings; choose another picture size or camera.";
    CAMERA_OCCUPIED = -1316, "ERR_CAMERA_OCCUPY", "The camera is in use by another program; close that one and try again.";
    MIC_NOT_AUTHORIZED = -1317, "ERR_MIC_NOT_AUTHORIZED", "The microphone may not be used; permit it in the settings of your computer.";
    MIC_SET_PARAM_FAILED = -1318, "ERR_MIC_SET_PARAM_FAIL", "The microphone refused its settings; choose another one.";
    MIC_OCCUPIED = -1319, "ERR_MIC_OCCUPY", "The microphone is in use by another program; close that one and try again.";
    MIC_STOP_FAILED = -1320, "ERR_MIC_STOP_FAIL", "The microphone could not be stopped.";
    SPEAKER_START_FAILED = -1321, "ERR_SPEAKER_START_FAIL", "The speaker could not be opened; check that it is connected, or choose another one.";
    SPEAKER_SET_PARAM_FAILED = -1322, "ERR_SPEAKER_SET_PARAM_FAIL", "The speaker refused its settings; choose another one.";
    SPEAKER_STOP_FAILED = -1323, "ERR_SPEAKER_STOP_FAIL", "The speaker could not be stopped.";
    SYSTEM_SOUND_START_FAILED = -1330, "ERR_AUDIO_PLUGIN_START_FAIL", "The sound of the computer could not be shared.";
    SCREEN_CAPTURE_STOPPED = -7001, "ERR_SCREEN_CAPTURE_STOPPED", "The computer ended the sharing of the screen.";

    // Scheduler server.
    SERVER_UNPACKING_ERROR = -100000, "ERR_SERVER_INFO_UNPACKING_ERROR", "The server could not read the request; the app may be too old or too new for it.";
    SERVER_TOKEN_ERROR = -100001, "ERR_SERVER_INFO_TOKEN_ERROR", "The server refused the token; enter the room again.";
    SERVER_ALLOCATE_ACCESS_FAILED = -100002, "ERR_SERVER_INFO_ALLOCATE_ACCESS_FAILED", "The server has no place for this meeting; please try again later.";
    SERVER_TOKEN_TIMEOUT = -100004, "ERR_SERVER_INFO_TOKEN_TIMEOUT", "The token is too old; enter the room again.";
    INVALID_PRIVATE_MAP_KEY = -100006, "ERR_TRTC_INVALID_PRIVATE_MAPKEY", "The permission ticket is missing or does not allow this; ask whoever runs the meeting for a new one.";
    SERVER_DATABASE = -100009, "ERR_SERVER_INFO_DATABASE", "The server could not keep the room; please try again later.";
    SERVER_BAD_ROOM_ID = -100010, "ERR_SERVER_INFO_BAD_ROOMID", "The server does not take this room.";
    BAD_SCENE_OR_ROLE = -100011, "ERR_SERVER_INFO_BAD_SCENE_OR_ROLE", "The room is of another kind than the one asked for; choose the scene of those inside.";
    SERVICE_SUSPENDED = -100013, "ERR_TRTC_SERVICE_SUSPENDED", "The service is suspended for this application; ask whoever runs it.";
    ROOM_TEXT_INVALID_CHARACTERS = -100014, "ERR_SERVER_INFO_STRGROUP_HAS_INVALID_CHARS", "The room name has characters that are not allowed.";
    SERVER_LACKS_SDK_APP_ID = -100015, "ERR_SERVER_INFO_LACK_SDKAPPID", "The server misses the SDKAppID.";
    SERVER_INVALID_REQUEST = -100016, "ERR_SERVER_INFO_INVALID", "The server does not take this request.";
    USER_SIG_CHECK_FAILED = -100018, "ERR_TRTC_USER_SIG_CHECK_FAILED", "The UserSig is wrong or expired; ask the server of your application for a new one.";

    // Access and room server.
    ACCESS_TOKEN_TIMEOUT = -101000, "ERR_SERVER_ACC_TOKEN_TIMEOUT", "The token is too old; enter the room again.";
    ACCESS_ROOM_NOT_EXIST = -101003, "ERR_SERVER_ACC_ROOM_NOT_EXIST", "The room does not exist any more.";
    CENTER_SYSTEM_ERROR = -102000, "ERR_SERVER_CENTER_SYSTEM_ERROR", "The server has a fault; please try again later.";
    CENTER_INVALID_ROOM_ID = -102001, "ERR_SERVER_CENTER_INVALID_ROOMID", "The server does not take this room.";
    CENTER_CREATE_ROOM_FAILED = -102002, "ERR_SERVER_CENTER_CREATE_ROOM_FAILED", "The room could not be opened; please try again later.";
    CENTER_ROOM_NOT_EXIST = -102005, "ERR_SERVER_CENTER_ROOM_NOT_EXIST", "The room does not exist any more.";
    CENTER_FIND_USER_FAILED = -102007, "ERR_SERVER_CENTER_FIND_USER_FAILED", "This person is not in the room.";
    SWITCHED_TERMINAL_TOO_OFTEN = -102008, "ERR_SERVER_CENTER_SWITCH_TERMINATION_FREQUENTLY", "You changed between computers too often; please wait a little.";
    NO_PRIVILEGE_CREATE_ROOM = -102010, "ERR_SERVER_CENTER_NO_PRIVILEDGE_CREATE_ROOM", "You may not open this room; ask whoever runs the meeting.";
    NO_PRIVILEGE_ENTER_ROOM = -102011, "ERR_SERVER_CENTER_NO_PRIVILEDGE_ENTER_ROOM", "You may not enter this room; ask whoever runs the meeting.";
    NO_PRIVILEGE_PUSH_VIDEO = -102013, "ERR_SERVER_CENTER_NO_PRIVILEDGE_PUSH_VIDEO", "You may not send video in this room.";
    NO_PRIVILEGE_PUSH_SUB_VIDEO = -102015, "ERR_SCREEN_SHARE_NOT_AUTHORIZED", "You may not share your screen in this room.";
    SUB_VIDEO_OCCUPIED = -102016, "ERR_SCREEN_SHRAE_OCCUPIED_BY_OTHER", "Somebody else is sharing a screen; wait until they stop.";
    USER_WAS_DELETED = -102018, "ERR_SERVER_CENTER_USER_WAS_DELETED", "This user was deleted.";
    NO_PRIVILEGE_REQUEST_VIDEO = -102019, "ERR_SERVER_CENTER_NO_PRIVILEDGE_REQUEST_VIDEO", "You may not see video in this room.";
    CENTER_ROOM_ID_ILLEGAL = -102029, "ERR_SERVER_CENTER_INVALID_ROOM_ID", "The server does not take this room.";
    ROOM_ID_TOO_LONG = -102030, "ERR_SERVER_CENTER_ROOM_ID_TOO_LONG", "The room name is too long.";
    ROOM_FULL = -102052, "ERR_SERVER_CENTER_ROOM_FULL", "The room is full; wait until somebody leaves.";
    CENTER_JSON_UNREADABLE = -102053, "ERR_SERVER_CENTER_DECODE_JSON_FAIL", "The server could not read the request.";
    INVALID_ROLE = -102055, "ERR_SERVER_CENTER_INVALID_ROLE", "This role does not exist; it is anchor or audience.";

    // Account and UserSig, as the detail of -100018.
    SIG_EXPIRED = -70001, "ERR_SERVER_SSO_SIG_EXPIRED", "The UserSig has expired; ask the server of your application for a new one.";
    SIG_GARBLED = -70003, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_1", "The UserSig cannot be read; it may have been cut off.";
    SIG_GARBLED_2 = -70004, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_2", "The UserSig cannot be read; it may have been cut off.";
    SIG_INCOMPLETE = -70005, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_3", "The UserSig misses one of its parts.";
    SIG_INCOMPLETE_2 = -70006, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_4", "The UserSig did not pass the check.";
    SIG_INCOMPLETE_3 = -70007, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_5", "The UserSig did not pass the check.";
    SIG_INCOMPLETE_4 = -70008, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_6", "The UserSig did not pass the check.";
    SIG_WRONG_KEY = -70009, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_7", "The UserSig was not made with the key of this application.";
    SIG_INCOMPLETE_5 = -70010, "ERR_SERVER_SSO_SIG_VERIFICATION_FAILED_8", "The UserSig did not pass the check.";
    SIG_OTHER_USER = -70013, "ERR_SERVER_SSO_SIG_VERIFICATION_ID_NOT_MATCH", "The UserSig was made for another user id.";
    SIG_OTHER_APP = -70014, "ERR_SERVER_SSO_APPID_NOT_MATCH", "The UserSig was made for another application.";
    SIG_TICKET_TIMEOUT = -70017, "ERR_SERVER_SSO_VERIFICATION_EXPIRED", "The check of the account took too long; please try again.";
    SIG_TICKET_FAILED = -70018, "ERR_SERVER_SSO_VERIFICATION_FAILED", "The check of the account failed.";
    SIG_APP_NOT_FOUND = -70020, "ERR_SERVER_SSO_APPID_NOT_FOUND", "The server does not know this SDKAppID.";
    FAILED_TOO_OFTEN = -70050, "ERR_SERVER_SSO_FAILED_TOO_OFTEN", "Too many attempts have failed; wait a minute and try again.";
    ACCOUNT_BLOCKED = -70051, "ERR_SERVER_SSO_ACCOUNT_IN_BLACKLIST", "This account is blocked.";
    SIG_NO_LONGER_VALID = -70052, "ERR_SERVER_SSO_SIG_INVALID", "The UserSig is no longer valid; ask the server of your application for a new one.";
    ACCOUNT_LIMITED = -70114, "ERR_SERVER_SSO_LIMITED_BY_SECURITY", "This account is limited for reasons of security.";
    LOGIN_STATUS_INVALID = -70221, "ERR_SERVER_SSO_INVALID_LOGIN_STATUS", "This account is not logged in.";
    APP_ID_WRONG = -70252, "ERR_SERVER_SSO_APPID_ERROR", "The SDKAppID is wrong.";
    TICKET_CHECK_FAILED = -70346, "ERR_SERVER_SSO_TICKET_VERIFICATION_FAILED", "The account's ticket did not pass the check.";
    TICKET_EXPIRED = -70347, "ERR_SERVER_SSO_TICKET_EXPIRED", "The account's ticket has expired.";
    TOO_MANY_ACCOUNTS = -70398, "ERR_SERVER_SSO_ACCOUNT_EXCEED_PURCHASES", "The application has more accounts than it may have.";
    ACCOUNT_INTERNAL_ERROR = -70500, "ERR_SERVER_SSO_INTERNAL_ERROR", "The account service has a fault; please try again.";

    // Warnings.
    NET_BUSY = 1101, "WARNING_NET_BUSY", "Your network is too slow to send everything; the picture may be reduced.";
    HARDWARE_ENCODER_FAILED = 1103, "WARNING_HW_ENCODER_START_FAIL", "The graphics hardware cannot encode; the processor does it.";
    ENCODER_TO_HARDWARE = 1107, "WARNING_VIDEO_ENCODER_SW_TO_HW", "The processor is busy; the graphics hardware encodes now.";
    INSUFFICIENT_CAPTURE_FPS = 1108, "WARNING_INSUFFICIENT_CAPTURE_FPS", "The camera delivers fewer pictures than asked for; more light may help.";
    REDUCED_CAPTURE_RESOLUTION = 1110, "WARNING_REDUCE_CAPTURE_RESOLUTION", "The camera's picture size was lowered to spare the computer.";
    NO_CAMERA = 1111, "WARNING_CAMERA_DEVICE_EMPTY", "No camera was found; connect one to be seen.";
    CAMERA_NOT_PERMITTED = 1112, "WARNING_CAMERA_NOT_AUTHORIZED", "The camera may not be used; permit it in the settings of your computer.";
    NO_MICROPHONE = 1201, "WARNING_MICROPHONE_DEVICE_EMPTY", "No microphone was found; connect one to be heard.";
    NO_SPEAKER = 1202, "WARNING_SPEAKER_DEVICE_EMPTY", "No speaker was found; connect one to hear others.";
    MICROPHONE_NOT_PERMITTED = 1203, "WARNING_MICROPHONE_NOT_AUTHORIZED", "The microphone may not be used; permit it in the settings of your computer.";
    MICROPHONE_ABNORMAL = 1204, "WARNING_MICROPHONE_DEVICE_ABNORMAL", "The microphone does not work or is in use by another program.";
    SPEAKER_ABNORMAL = 1205, "WARNING_SPEAKER_DEVICE_ABNORMAL", "The speaker does not work or is in use by another program.";
    SCREEN_CAPTURE_NOT_PERMITTED = 1206, "WARNING_SCREEN_CAPTURE_NOT_AUTHORIZED", "The screen may not be recorded; permit it in the settings of your computer.";
    VIDEO_FRAME_DECODE_FAILED = 2101, "WARNING_VIDEO_FRAME_DECODE_FAIL", "A picture could not be decoded; a new one was asked for.";
    AUDIO_FRAME_DECODE_FAILED = 2102, "WARNING_AUDIO_FRAME_DECODE_FAIL", "A piece of sound could not be decoded.";
    RECEIVE_LAG = 2104, "WARNING_RECV_DATA_LAG", "Data arrives unevenly; the network may be unstable.";
    VIDEO_PLAY_LAG = 2105, "WARNING_VIDEO_PLAY_LAG", "The picture stands still from time to time; the network may be unstable.";
    VIDEO_RENDER_FAILED = 2110, "WARNING_VIDEO_RENDER_FAIL", "The picture could not be drawn.";
    ROOM_DISCONNECTED = 5101, "WARNING_ROOM_DISCONNECT", "The connection to the room is lost; it is being restored.";
    ROOM_RECONNECTING = 5102, "WARNING_ROOM_RECONNECT", "The connection to the room is being restored.";
    ROOM_NET_BUSY = 5103, "WARNING_ROOM_NET_BUSY", "Your network is too slow to send everything.";
    AUDIENCE_CANNOT_PUBLISH = 6001, "WARNING_IGNORE_UPSTREAM_FOR_AUDIENCE", "You are in the audience, so your camera and microphone are not sent.";
    AUDIO_RECORDING_WRITE_FAILED = 7001, "WARNING_AUDIO_RECORDING_WRITE_FAIL", "The sound recording could not be written; check the free space.";
    HOWLING_DETECTED = 7002, "WARNING_MICROPHONE_HOWLING_DETECTED", "The microphone hears the speaker; use headphones or turn the volume down.";
}
