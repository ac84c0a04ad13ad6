use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::guest::{Guest, GuestSecret, Passcode};
use crate::{Code, DisplayName, Fault, Role, RoomId, Scene, SdkAppId, UserId};

/// The server that is asked when none is named: the one on this computer.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7880";

/// Longest address of a server, bytes.
const SERVER_LIMIT: usize = 512;

/// Longest host name and its port, bytes.
const AUTHORITY_LIMIT: usize = 253 + ":65535".len();

/// Port of a server named without scheme and port.
const DEFAULT_PORT: u16 = 7880;

/// A UserSig or PrivateMapKey as text. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSigText(pub String);

impl fmt::Debug for UserSigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What somebody asks to enter with, as it came: everything may be missing.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[ts(optional_fields)]
pub struct RawEnterParams {
    /// The server's address: `host`, `host:port` or `http(s)://...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Application.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole_number")]
    pub sdk_app_id: Option<i64>,
    /// Who enters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Their signature. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_sig: Option<String>,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The room by number; 0 means that the text counts.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole_number")]
    pub room_id: Option<i64>,
    /// The room by text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub str_room_id: Option<String>,
    /// What kind of room; a video call when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene: Option<Scene>,
    /// What they may do; an anchor when left out, and in call scenes always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Permission ticket. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_map_key: Option<String>,
    /// Enters as a guest where neither userId nor userSig is given: 32 to 64 hexadecimal digits, made
    /// at random and kept, that lead to the user id. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// What the server asks of its guests, if it does. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
}

/// Reads a whole number; one beyond `i64` becomes the nearest, which no check lets pass.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct WholeNumber;

    impl Visitor<'_> for WholeNumber {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            Ok(i64::try_from(number).unwrap_or(i64::MAX))
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
            // The cast ends at the limits of i64.
            let whole = number.fract() == 0.0;
            whole
                .then_some(number as i64)
                .ok_or_else(|| E::invalid_type(de::Unexpected::Float(number), &self))
        }
    }

    struct Given(i64);

    impl<'de> Deserialize<'de> for Given {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(WholeNumber).map(Given)
        }
    }

    Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
}

impl fmt::Debug for RawEnterParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEnterParams")
            .field("server", &self.server)
            .field("sdk_app_id", &self.sdk_app_id)
            .field("user_id", &self.user_id)
            .field("room_id", &self.room_id)
            .field("str_room_id", &self.str_room_id)
            .field("scene", &self.scene)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What somebody enters with, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct EnterParams {
    /// Address of the server without a slash at its end.
    pub server: String,
    /// Who enters.
    pub user_id: UserId,
    /// What they show for it.
    pub proof: Proof,
    /// The name to show.
    pub name: Option<DisplayName>,
    /// Which room.
    pub room: RoomId,
    /// What kind of room.
    pub scene: Scene,
    /// What they may do.
    pub role: Role,
    /// Permission ticket.
    pub private_map_key: Option<UserSigText>,
}

/// How somebody shows that they may be who they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// With a signature of the application, which is not 0; the text is not empty.
    Sig(SdkAppId, UserSigText),
    /// With one that the server makes for guests.
    Guest(Guest),
}

impl EnterParams {
    /// The application, as far as it is known before the server was asked.
    pub fn app(&self) -> Option<SdkAppId> {
        match &self.proof {
            Proof::Sig(app, _) => Some(*app),
            Proof::Guest(guest) => guest.app,
        }
    }
}

impl RawEnterParams {
    /// Checks everything that can be checked without a server, in TRTC's order, and returns
    /// warnings for what was mended. The failure has one of the codes -3316 to -3320, or -2.
    pub fn check(self) -> Result<(EnterParams, Vec<Fault>), Fault> {
        let nothing = self.sdk_app_id.is_none()
            && self.user_id.is_none()
            && self.user_sig.is_none()
            && self.guest.is_none()
            && self.room_id.is_none()
            && self.str_room_id.is_none();
        if nothing {
            return Err(Fault::new(Code::ROOM_PARAM_NULL));
        }
        let mut warnings = Vec::new();
        let (user_id, user_sig) = (present(self.user_id), present(self.user_sig));
        let secret = self.guest.filter(|_| user_id.is_none() && user_sig.is_none());
        let app = match self.sdk_app_id {
            None | Some(0) if secret.is_some() => None,
            given => Some(check_app(given)?),
        };
        let room = check_room(self.room_id, self.str_room_id.as_deref(), &mut warnings)?;
        let (user_id, proof) = match secret {
            Some(secret) => check_guest(secret, app, present(self.passcode))?,
            None => check_signed(user_id, app, user_sig)?,
        };
        let name = check_name(self.name)?;
        let server = server_url(self.server.as_deref())?;
        let scene = self.scene.unwrap_or_default();
        let role = if scene.is_live() { self.role.unwrap_or_default() } else { Role::Anchor };
        let params = EnterParams {
            server,
            user_id,
            proof,
            name,
            room,
            scene,
            role,
            private_map_key: present(self.private_map_key).map(UserSigText),
        };
        Ok((params, warnings))
    }
}

/// An empty text counts as none.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn check_app(given: Option<i64>) -> Result<SdkAppId, Fault> {
    let wrong = |message: String| Fault::new(Code::INVALID_SDK_APP_ID).with_message(message);
    match given {
        None => Err(wrong("The SDKAppID is missing.".to_owned())),
        Some(number) => match u32::try_from(number) {
            Ok(fits @ 1..) => Ok(SdkAppId(fits)),
            Ok(_) | Err(_) => Err(wrong(format!(
                "The SDKAppID {number} is not possible; it must be between 1 and 4294967295."
            ))),
        },
    }
}

fn check_signed(
    user: Option<String>,
    app: Option<SdkAppId>,
    sig: Option<String>,
) -> Result<(UserId, Proof), Fault> {
    let user = check_user(user)?;
    let sig = sig.ok_or_else(|| Fault::new(Code::INVALID_USER_SIG))?;
    let app = app.ok_or_else(|| Fault::new(Code::INVALID_SDK_APP_ID))?;
    Ok((user, Proof::Sig(app, UserSigText(sig))))
}

fn check_guest(
    secret: String,
    app: Option<SdkAppId>,
    passcode: Option<String>,
) -> Result<(UserId, Proof), Fault> {
    let secret = GuestSecret::try_from(secret)
        .map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(format!("guest: {error}.")))?;
    let guest = Guest { app, passcode: passcode.map(Passcode), secret };
    Ok((guest.secret.user_id(), Proof::Guest(guest)))
}

fn check_room(number: Option<i64>, text: Option<&str>, warnings: &mut Vec<Fault>) -> Result<RoomId, Fault> {
    let wrong = |error: crate::RoomIdError| Fault::new(Code::INVALID_ROOM_ID).with_message(error.to_string());
    match (number, text.filter(|text| !text.is_empty())) {
        // TRTC reads room number 0 as "the text counts".
        (None | Some(0), Some(text)) => RoomId::text(text).map_err(wrong),
        (Some(number), ignored) => {
            let room = RoomId::number(number).map_err(wrong)?;
            if let Some(text) = ignored {
                warnings.push(Fault::new(Code::INVALID_PARAMETER).with_message(format!(
                    "Both a room number and a room name were given; the number {number} is used and the name {text:?} is ignored."
                )));
            }
            Ok(room)
        }
        (None, None) => Err(Fault::new(Code::INVALID_ROOM_ID).with_message(
            "The room is missing: give roomId, a number from 1 to 4294967294, or strRoomId, a text.",
        )),
    }
}

fn check_user(given: Option<String>) -> Result<UserId, Fault> {
    UserId::try_from(given.unwrap_or_default())
        .map_err(|error| Fault::new(Code::INVALID_USER_ID).with_message(error.to_string()))
}

fn check_name(given: Option<String>) -> Result<Option<DisplayName>, Fault> {
    let Some(text) = given.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let name = DisplayName::try_from(text);
    name.map(Some).map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))
}

/// The server's address in one form: scheme, host, perhaps a port and a path, no slash at the end. The
/// one on this computer where none is given; what cannot be read is -2.
pub fn server_url(given: Option<&str>) -> Result<String, Fault> {
    let given = given.map(str::trim).unwrap_or_default();
    let text = given.trim_end_matches('/');
    if text.is_empty() {
        return Ok(DEFAULT_SERVER.to_owned());
    }
    let wrong = || {
        let shown: String = given.chars().take(80).collect();
        let more = if shown.len() < given.len() { "…" } else { "" };
        Fault::new(Code::INVALID_PARAMETER).with_message(format!(
            "The server address \"{}{more}\" cannot be read; write it like 192.168.1.20:7880.",
            shown.escape_debug()
        ))
    };
    if text.len() > SERVER_LIMIT {
        return Err(wrong());
    }
    let (scheme, rest) = match text.split_once("://") {
        Some(("http" | "ws", rest)) => ("http://", rest),
        Some(("https" | "wss", rest)) => {
            return Err(Fault::new(Code::INVALID_PARAMETER).with_message(format!(
                "Encrypted addresses cannot be reached yet; if the server also listens without, write http://{rest}."
            )));
        }
        Some(_) => return Err(wrong()),
        None => ("", text),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let printable = rest.chars().all(|c| c.is_ascii_graphic() && !"?#@\\\"<>".contains(c));
    let good = printable && authority.len() <= AUTHORITY_LIMIT;
    let port = port_of(authority).filter(|_| good).ok_or_else(wrong)?;
    Ok(match (scheme, port) {
        ("", Port::None) => {
            let path = rest.strip_prefix(authority).unwrap_or_default();
            format!("http://{authority}:{DEFAULT_PORT}{path}")
        }
        ("", Port::Given) => format!("http://{rest}"),
        (scheme, _) => format!("{scheme}{rest}"),
    })
}

enum Port {
    Given,
    None,
}

/// Whether `host`, `host:port` or `[v6]:port` names a port; None when it is none of these.
fn port_of(authority: &str) -> Option<Port> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return None;
    }
    match port {
        None => Some(Port::None),
        Some(port) => port.parse::<u16>().ok().filter(|port| *port != 0).map(|_| Port::Given),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good() -> RawEnterParams {
        RawEnterParams {
            sdk_app_id: Some(1_400_000_000),
            user_id: Some("alice".into()),
            user_sig: Some("sig".into()),
            room_id: Some(123),
            ..RawEnterParams::default()
        }
    }

    fn refusal(change: impl FnOnce(&mut RawEnterParams)) -> Fault {
        let mut raw = good();
        change(&mut raw);
        raw.check().unwrap_err()
    }

    #[test]
    fn a_number_of_any_size_reaches_the_check_and_anything_else_is_named() {
        let read = |room: &str| serde_json::from_str::<RawEnterParams>(&format!(r#"{{"roomId":{room}}}"#));
        for room in ["-1", "4294967295", "18446744073709551616", "1e30", "123456789012345678901234567890"] {
            let given = read(room).unwrap().room_id;
            assert_eq!(refusal(|raw| raw.room_id = given).code, -3318, "{room}");
        }
        assert_eq!(read("5").unwrap().room_id, Some(5));
        assert_eq!(read("null").unwrap().room_id, None);
        for wrong in ["1.5", r#""abc""#, "[]", "true"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("expected a whole number"), "{wrong}: {error}");
        }
    }

    #[test]
    fn good_parameters_pass_with_trtc_defaults() {
        let (params, warnings) = good().check().unwrap();
        assert!(warnings.is_empty());
        assert_eq!(params.server, DEFAULT_SERVER);
        assert_eq!(params.room, RoomId::number(123).unwrap());
        assert_eq!((params.scene, params.role), (Scene::VideoCall, Role::Anchor));
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(RawEnterParams::default().check().unwrap_err().code, -3316);
        assert_eq!(refusal(|raw| raw.sdk_app_id = Some(0)).code, -3317);
        assert_eq!(refusal(|raw| raw.sdk_app_id = Some(1 << 40)).code, -3317);
        assert_eq!(refusal(|raw| raw.room_id = None).code, -3318);
        assert_eq!(refusal(|raw| raw.room_id = Some(0)).code, -3318);
        assert_eq!(refusal(|raw| raw.user_id = None).code, -3319);
        assert_eq!(refusal(|raw| raw.user_sig = Some(String::new())).code, -3320);
        assert_eq!(refusal(|raw| raw.server = Some("ftp://x".into())).code, -2);
    }

    #[test]
    fn a_room_out_of_range_is_named_in_the_sentence() {
        assert!(refusal(|raw| raw.room_id = Some(4_294_967_295)).message.contains("4294967295"));
        let slash = refusal(|raw| {
            raw.room_id = None;
            raw.str_room_id = Some("a/b".into());
        });
        assert_eq!(slash.code, -3318);
        assert!(slash.message.contains("'/' at place 2"));
    }

    #[test]
    fn of_two_room_ids_the_number_wins_and_a_warning_says_so() {
        let raw = RawEnterParams { str_room_id: Some("123".into()), ..good() };
        let (params, warnings) = raw.check().unwrap();
        assert_eq!(params.room, RoomId::number(123).unwrap());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message.contains("number 123 is used"));
    }

    #[test]
    fn room_number_zero_leaves_the_word_to_the_text() {
        let raw = RawEnterParams { room_id: Some(0), str_room_id: Some("x".into()), ..good() };
        assert_eq!(raw.check().unwrap().0.room, RoomId::text("x").unwrap());
    }

    #[test]
    fn a_role_counts_in_live_scenes_only() {
        let role = |scene| {
            let raw = RawEnterParams { scene: Some(scene), role: Some(Role::Audience), ..good() };
            raw.check().unwrap().0.role
        };
        assert_eq!(role(Scene::VideoCall), Role::Anchor);
        assert_eq!(role(Scene::Live), Role::Audience);
    }

    #[test]
    fn server_addresses_come_into_one_form() {
        let read = |text: &str| server_url(Some(text)).ok();
        let same = |text: &str, form: &str| assert_eq!(read(text).as_deref(), Some(form), "{text}");
        same("", DEFAULT_SERVER);
        same("192.168.1.20", "http://192.168.1.20:7880");
        same("host:99/", "http://host:99");
        same("http://host", "http://host");
        same("ws://host/base/", "http://host/base");
        same("[::1]", "http://[::1]:7880");
        for wrong in
            ["http://", "a b", "host:0", "host:99999", "host:x", "[::1", "u@h", "h?x=1", "::1", "wss://host"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wrong_server_address_is_repeated_as_given_and_shortened() {
        let said = |text: &str| server_url(Some(text)).unwrap_err().message;
        assert!(said("http://").contains("\"http://\""), "{}", said("http://"));
        assert!(said("a\nb").contains("\"a\\nb\""), "{}", said("a\nb"));
        for long in ["h".repeat(100_000), format!("https://{}", "h".repeat(600)), "é".repeat(300)] {
            assert!(said(&long).contains('…') && said(&long).len() < 300, "{}", said(&long));
        }
        let name = format!("{}.example", "h".repeat(260));
        assert!(said(&name).contains("cannot be read"));
    }

    #[test]
    fn unknown_fields_and_secrets() {
        let unknown = serde_json::from_str::<RawEnterParams>(r#"{"roomID":1}"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `roomID`"));
        let raw = RawEnterParams { user_sig: Some("planted".into()), ..good() };
        assert!(!format!("{raw:?}").contains("planted"));
        assert!(!format!("{:?}", raw.check().unwrap()).contains("planted"));
    }

    proptest! {
        #[test]
        fn any_parameters_are_taken_or_refused(
            app in any::<Option<i64>>(), user in any::<Option<String>>(), sig in any::<Option<String>>(),
            room in any::<Option<i64>>(), text in any::<Option<String>>(), server in any::<Option<String>>(),
        ) {
            let raw = RawEnterParams {
                server, sdk_app_id: app, user_id: user, user_sig: sig, room_id: room, str_room_id: text,
                ..RawEnterParams::default()
            };
            if let Err(fault) = raw.check() {
                prop_assert!(fault.code == -2 || (-3320..=-3316).contains(&fault.code));
            }
        }

        #[test]
        fn a_server_address_once_read_stays_as_it_is(text in "[a-z0-9.:/\\[\\]]{0,20}") {
            if let Ok(server) = server_url(Some(&text)) {
                prop_assert_eq!(server_url(Some(&server)).unwrap(), server);
            }
        }
    }
}
