//! What clients and the room service write to each other over HTTP.

use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

use crate::{
    EnterParams, ExitCause, Fault, Guest, GuestSecret, OneTimeTicket, Passcode, Role, RoomId, Scene,
    SdkAppId, UserSigText,
};

/// Body of `POST /v1/enter`. Ids are as the client sent them: the server checks them again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnterRequest {
    /// Application.
    pub sdk_app_id: u32,
    /// Who enters.
    pub user_id: String,
    /// Their signature. Never logged.
    pub user_sig: String,
    /// The room, when it has a number. It wins over the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<u32>,
    /// The room, when it has a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub str_room_id: Option<String>,
    /// [`crate::Scene`] by number.
    pub scene: u8,
    /// [`crate::Role`] by number.
    pub role: u8,
    /// Permission ticket, where the application asks for one. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_map_key: Option<String>,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which stay the entry belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<Stay>,
    /// What lets one person in once, past the waiting room. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<OneTimeTicket>,
}

impl EnterRequest {
    /// What the room service is asked for an entry of this stay, with that signature for `app`.
    pub fn new(params: &EnterParams, app: SdkAppId, sig: &UserSigText, stay: Stay) -> Self {
        let (room_id, str_room_id) = match &params.room {
            RoomId::Number(number) => (Some(*number), None),
            RoomId::Text(text) => (None, Some(text.clone())),
        };
        Self {
            sdk_app_id: app.0,
            user_id: params.user_id.as_str().to_owned(),
            user_sig: sig.0.clone(),
            room_id,
            str_room_id,
            scene: params.scene.number(),
            role: params.role.number(),
            private_map_key: params.private_map_key.as_ref().map(|key| key.0.clone()),
            name: params.name.as_ref().map(|name| name.as_str().to_owned()),
            stay: Some(stay),
            ticket: params.ticket.clone(),
        }
    }
}

/// Body of `POST /v1/ticket`: a guest asks for a signature that lets them into one room for a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TicketRequest {
    /// Which application; the only one that takes guests when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_app_id: Option<u32>,
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The room.
    pub room: TicketRoom,
    /// What kind of room; a video call when left out.
    #[serde(default)]
    pub scene: Scene,
    /// What they want to do; an anchor when left out, and in call scenes always.
    #[serde(default)]
    pub role: Role,
    /// What the application asks of its guests, if it does. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Passcode>,
    /// Leads to the user id, so that a guest is the same person again; another each time when left
    /// out. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestSecret>,
    /// What lets one person in once, in place of the passcode. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<OneTimeTicket>,
}

/// A room as a ticket is asked for it: 123 by number, "123" by text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TicketRoom {
    /// By number; not checked yet.
    Number(i64),
    /// By text; not checked yet.
    Text(String),
}

impl<'de> Deserialize<'de> for TicketRoom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Room;

        impl Visitor<'_> for Room {
            type Value = TicketRoom;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a room's number or its text")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<TicketRoom, E> {
                Ok(TicketRoom::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<TicketRoom, E> {
                Ok(TicketRoom::Number(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<TicketRoom, E> {
                // The room id's own limits are within what a float holds exactly.
                let whole = number.fract() == 0.0 && number.abs() < 9e15;
                whole
                    .then_some(TicketRoom::Number(number as i64))
                    .ok_or_else(|| E::invalid_type(de::Unexpected::Float(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TicketRoom, E> {
                Ok(TicketRoom::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Room)
    }
}

impl TicketRequest {
    /// What the room service is asked before an entry of this guest.
    pub fn new(params: &EnterParams, guest: &Guest) -> Self {
        Self {
            sdk_app_id: guest.app.map(|app| app.0),
            name: params.name.as_ref().map(|name| name.as_str().to_owned()),
            room: match &params.room {
                RoomId::Number(number) => TicketRoom::Number(i64::from(*number)),
                RoomId::Text(text) => TicketRoom::Text(text.clone()),
            },
            scene: params.scene,
            role: params.role,
            passcode: guest.passcode.clone(),
            guest: Some(guest.secret.clone()),
            ticket: params.ticket.clone(),
        }
    }
}

/// Answer of `POST /v1/ticket`: code 0 with a signature, or a code and a sentence.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketAnswer {
    /// 0, or one of [`crate::Code`].
    pub code: i32,
    /// For people, when the code is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds until another attempt is looked at, when too many have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_app_id: Option<u32>,
    /// Who the guest is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Their signature. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_sig: Option<String>,
}

impl From<Fault> for TicketAnswer {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code, message: Some(fault.message), ..Self::default() }
    }
}

impl TicketAnswer {
    /// The refusal in it, or None when it brings a signature.
    pub fn refusal(&self) -> Option<Fault> {
        Fault::of_answer(self.code, None, self.message.as_deref())
    }
}

impl fmt::Debug for TicketAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketAnswer")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// One stay in a room, from the entry that somebody asked for to the exit, however often its
/// connection has to be made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// What the client calls it: 1 to 64 ASCII characters without blanks, another for every stay.
    pub id: String,
    /// The connection was lost and the client comes back by itself: it is refused when the stay
    /// ended meanwhile.
    #[serde(default)]
    pub returning: bool,
}

impl Stay {
    /// Longest id, bytes.
    pub const ID_LIMIT: usize = 64;

    /// Checks the id; the failure says what is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        let good = !self.id.is_empty()
            && self.id.len() <= Self::ID_LIMIT
            && self.id.bytes().all(|byte| byte.is_ascii_graphic());
        if good { Ok(()) } else { Err("the id of a stay has 1 to 64 ASCII characters and no blanks") }
    }
}

impl fmt::Debug for EnterRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterRequest")
            .field("sdk_app_id", &self.sdk_app_id)
            .field("user_id", &self.user_id)
            .field("room_id", &self.room_id)
            .field("str_room_id", &self.str_room_id)
            .field("scene", &self.scene)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/enter`: code 0 with everything signalling needs, or a code and a sentence.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnterAnswer {
    /// 0, or one of [`crate::Code`].
    pub code: i32,
    /// A closer code where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<i32>,
    /// For people, when the code is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds until another attempt is looked at, when too many have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The host lets people in one by one: ask again, with the same stay, until there is a token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// How the stay ended to which somebody wanted to return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<ExitCause>,
    /// Where signalling is, `ws://host:port` or `wss://...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// LiveKit token for it. Never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The room's name on the wire, [`RoomId::key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// STUN and TURN, empty where none is needed; nothing in a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice_servers: Option<Vec<IceServer>>,
    /// What the room holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

impl From<Fault> for EnterAnswer {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code, detail: fault.detail, message: Some(fault.message), ..Self::default() }
    }
}

impl EnterAnswer {
    /// The refusal in it, or None when it admits.
    pub fn refusal(&self) -> Option<Fault> {
        Fault::of_answer(self.code, self.detail, self.message.as_deref())
    }
}

impl fmt::Debug for EnterAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterAnswer")
            .field("code", &self.code)
            .field("detail", &self.detail)
            .field("message", &self.message)
            .field("cause", &self.cause)
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("room", &self.room)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A STUN or TURN server, as WebRTC names its parts.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// `stun:` and `turn:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// For TURN. Never logged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// What a room holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// People at once.
    pub online: u32,
    /// Of them publishing at once.
    pub publishing: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_refusal_survives_the_wire() {
        let fault = Fault::new(Code::USER_SIG_CHECK_FAILED).with_detail(Code::SIG_EXPIRED);
        let json = serde_json::to_string(&EnterAnswer::from(fault.clone())).unwrap();
        let back: EnterAnswer = serde_json::from_str(&json).unwrap();
        assert_eq!(back.refusal(), Some(fault));
    }

    #[test]
    fn a_refusal_without_words_has_those_of_its_code_and_code_0_is_none() {
        let answer = |code| TicketAnswer { code, ..TicketAnswer::default() };
        assert_eq!(answer(-100_018).refusal(), Some(Fault::new(Code::USER_SIG_CHECK_FAILED)));
        assert_eq!(answer(0).refusal(), None);
    }

    #[test]
    fn secrets_are_not_printed() {
        let answer = EnterAnswer { token: Some("planted".into()), ..EnterAnswer::default() };
        assert!(!format!("{answer:?}").contains("planted"));
        let ice = IceServer { credential: "planted".into(), ..IceServer::default() };
        assert!(!format!("{ice:?}").contains("planted"));
    }
}
