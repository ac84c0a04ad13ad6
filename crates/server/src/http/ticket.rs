//! `POST /v1/ticket`: signatures for guests.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use confab_protocol::private_map_key::{PrivateMapKey, Privilege};
use confab_protocol::{
    Code, DisplayName, EnterAnswer, Fault, GuestSecret, OneTimeTicket, Passcode, RoomId, SdkAppId,
    TicketAnswer, TicketRequest, TicketRoom, UserId,
};
use rand::RngExt;
use serde_json::Value;
use tracing::{info, warn};

use super::v1::{Refusal, later, members, unreadable};
use super::{Guard, Shared, origin, read, words};
use crate::attempts::{Name, TooOften};
use crate::clock::unix_now;
use crate::config::{AppConfig, Config};

const BODY_LIMIT: usize = 8 * 1024;
/// How long a ticket holds, seconds.
const DAY: u64 = 86_400;

/// Gives a guest a signature for one room, where the application takes guests.
pub(crate) async fn ticket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (status, answer) = match try_ticket(&shared, request).await {
        Ok(answer) => {
            info!(app = answer.sdk_app_id, user = answer.user_id, "ticket given");
            (StatusCode::OK, answer)
        }
        Err(Refusal::Fault(fault)) => {
            info!(code = fault.code, "ticket refused");
            (StatusCode::OK, TicketAnswer::from(fault))
        }
        Err(refusal) => {
            let (status, answer) = refusal.answer("ticket");
            let EnterAnswer { code, message, retry_after, .. } = answer;
            (status, TicketAnswer { code, message, retry_after, ..TicketAnswer::default() })
        }
    };
    shared.metrics.v1("ticket", answer.code);
    later(answer.retry_after, (status, Json(answer)).into_response())
}

async fn try_ticket(shared: &Shared, request: Request) -> Result<TicketAnswer, Refusal> {
    let (head, body) = request.into_parts();
    let asked = asked(body).await?;
    let config = shared.config();
    origin::check(&head.headers, config.nameless)?;
    let guard = Guard::new(shared, &head.extensions, "ticket");
    let guest = Guest::of(&config, asked)?;
    match guest.ticket.clone() {
        None => check_passcode(&guest, |said, wanted| guard.passcode(guest.known, said, wanted))?,
        Some(ticket) => take_invite(shared, guard, &guest, ticket).await?,
    }
    Ok(guest.sign(unix_now())?)
}

/// Makes a host's ticket the guest's.
async fn take_invite(
    shared: &Shared,
    guard: Guard<'_>,
    guest: &Guest<'_>,
    ticket: OneTimeTicket,
) -> Result<(), Refusal> {
    let (key, user) = (guest.room.key(SdkAppId(guest.app.id)), guest.user.as_str().to_owned());
    let taken = shared.control.with(move |rooms, now| rooms.take_invite(&key, &ticket, &user, now)).await?;
    taken.map_err(|why| guard.no_entrance(guest.known, why))
}

async fn asked(body: Body) -> Result<TicketRequest, Refusal> {
    let cannot = |error: &dyn std::fmt::Display| unreadable(&error.to_string());
    let body = read(body, BODY_LIMIT).await?;
    let json = Value::Object(members(&body)?);
    serde_path_to_error::deserialize(json).map_err(|error| cannot(&words::plain(&error)))
}

/// Somebody whose request is good, apart from what they show for it.
struct Guest<'a> {
    app: &'a AppConfig,
    user: UserId,
    /// In whose name they try, where they keep a secret.
    known: Option<Name>,
    room: RoomId,
    passcode: Option<Passcode>,
    ticket: Option<OneTimeTicket>,
}

impl Guest<'_> {
    /// Checks the application, then what is asked for.
    fn of(config: &Config, asked: TicketRequest) -> Result<Guest<'_>, Fault> {
        let app = application(config, asked.sdk_app_id)?;
        if let Some(name) = asked.name.filter(|name| !name.trim().is_empty()) {
            DisplayName::try_from(name)
                .map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))?;
        }
        let room = match asked.room {
            TicketRoom::Number(number) => RoomId::number(number),
            TicketRoom::Text(text) => RoomId::text(&text),
        };
        let room = room.map_err(|error| Fault::new(Code::INVALID_ROOM_ID).with_message(error.to_string()))?;
        let keeps = asked.guest.is_some();
        let user = asked.guest.unwrap_or_else(|| GuestSecret::new(rand::rng().random())).user_id();
        let known = keeps.then(|| Name::person(i64::from(app.id), user.as_str()));
        let (passcode, ticket) = (asked.passcode, asked.ticket);
        Ok(Guest { app, user, known, room, passcode, ticket })
    }

    /// Their signature, which allows all: who watches may come forward later. `now` is Unix time in seconds.
    fn sign(self, now: u64) -> Result<TicketAnswer, Fault> {
        let app = SdkAppId(self.app.id);
        let account = self.user.as_str().to_owned();
        let bits = Privilege::ALL;
        let content = PrivateMapKey { account, app, room: self.room, expires: 0, bits };
        let sig = content.sign(&self.app.key, DAY, now).ok_or_else(|| {
            warn!("a ticket could not be made");
            Fault::new(Code::SERVER_PROCESS_FAILED)
        })?;
        Ok(TicketAnswer {
            sdk_app_id: Some(app.0),
            user_id: Some(self.user.as_str().to_owned()),
            user_sig: Some(sig),
            ..TicketAnswer::default()
        })
    }
}

fn application(config: &Config, asked: Option<u32>) -> Result<&AppConfig, Fault> {
    let mut open = config.app.iter().filter(|app| app.guests && asked.is_none_or(|id| id == app.id));
    match (open.next(), open.next(), asked) {
        (Some(app), None, _) => Ok(app),
        (Some(_), Some(_), _) => Err(Fault::new(Code::INVALID_SDK_APP_ID)
            .with_message("Several applications of this server take guests; say which by sdkAppId.")),
        (None, _, Some(id)) => Err(no_guests(format!("The SDKAppID {id} takes no guests on this server"))),
        (None, _, None) => Err(no_guests("This server takes no guests".to_owned())),
    }
}

fn no_guests(what: String) -> Fault {
    Fault::new(Code::INVALID_USER_SIG)
        .with_message(format!("{what}; ask the person who runs it for a UserSig."))
}

/// Asks a guest for the passcode, where the application has one; `look` compares what they say with it.
fn check_passcode(
    guest: &Guest<'_>,
    look: impl FnOnce(&str, &str) -> Result<bool, TooOften>,
) -> Result<(), Refusal> {
    let Some(wanted) = &guest.app.passcode else { return Ok(()) };
    let refused = |why: &str| Err(Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM).with_message(why).into());
    let Some(said) = &guest.passcode else {
        return refused("This server asks guests for a passcode.");
    };
    if look(&said.0, wanted)? {
        Ok(())
    } else {
        refused("The passcode is not the one that this server asks for.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::check;
    use confab_protocol::{RawEnterParams, Role, Scene};

    const NOW: u64 = 1_700_000_000;

    fn config(apps: Vec<AppConfig>) -> Config {
        Config { app: apps, ..Config::default() }
    }

    fn open(id: u32) -> AppConfig {
        AppConfig { guests: true, ..AppConfig::new(id, format!("key-{id}")) }
    }

    /// What somebody gets without a one-time ticket.
    fn grant(config: &Config, asked: TicketRequest, now: u64) -> Result<TicketAnswer, Fault> {
        let guest = Guest::of(config, asked)?;
        match check_passcode(&guest, |said, wanted| Ok(said == wanted)) {
            Ok(()) => guest.sign(now),
            Err(Refusal::Fault(fault)) => Err(fault),
            Err(_) => panic!("a passcode is good, missing or wrong"),
        }
    }

    fn asking(json: serde_json::Value) -> TicketRequest {
        serde_json::from_value(json).unwrap()
    }

    fn entry(ticket: &TicketAnswer, room: i64) -> RawEnterParams {
        RawEnterParams {
            sdk_app_id: ticket.sdk_app_id.map(i64::from),
            user_id: ticket.user_id.clone(),
            user_sig: ticket.user_sig.clone(),
            room_id: Some(room),
            ..RawEnterParams::default()
        }
    }

    #[test]
    fn a_ticket_lets_its_guest_into_its_room_for_a_day() {
        let config = config(vec![AppConfig::new(3, "closed"), open(7)]);
        let asked = asking(serde_json::json!({
            "name": "Ada", "room": 5, "scene": 0, "role": 20, "guest": "00".repeat(16)
        }));
        let ticket = grant(&config, asked.clone(), NOW).unwrap();
        assert_eq!((ticket.code, ticket.sdk_app_id), (0, Some(7)));
        let raw = entry(&ticket, 5);
        let allowed = check(raw.clone(), None, &config, NOW + DAY - 1).unwrap();
        assert_eq!(allowed.granted, Privilege::ALL);
        let late = check(raw, None, &config, NOW + DAY).unwrap_err();
        assert_eq!((late.code, late.detail), (-100_018, Some(-70001)));
        let other = check(entry(&ticket, 6), None, &config, NOW).unwrap_err();
        assert_eq!(other.code, -102_011);
        assert!(other.message.contains("room 5") && other.message.contains('6'), "{}", other.message);
        assert_eq!(grant(&config, asked, NOW).unwrap().user_id, ticket.user_id, "the same person again");
        let anybody = asking(serde_json::json!({ "room": "5" }));
        let (one, two) = (grant(&config, anybody.clone(), NOW), grant(&config, anybody, NOW));
        assert_ne!(one.unwrap().user_id, two.unwrap().user_id);
    }

    #[test]
    fn a_guest_who_asked_to_watch_may_send_later() {
        let config = config(vec![open(7)]);
        let asked = asking(serde_json::json!({ "room": 5, "scene": "live", "role": "audience" }));
        let ticket = grant(&config, asked, NOW).unwrap();
        let enter = |role| {
            let raw = RawEnterParams { scene: Some(Scene::Live), role: Some(role), ..entry(&ticket, 5) };
            check(raw, None, &config, NOW)
        };
        for role in Role::ALL {
            assert_eq!(enter(role).unwrap().granted, Privilege::ALL);
        }
    }

    #[test]
    fn nobody_is_a_guest_where_none_are_taken() {
        let refused = |apps: Vec<AppConfig>, json: serde_json::Value| {
            let fault = grant(&config(apps), asking(json), NOW).unwrap_err();
            assert!(!fault.message.is_empty());
            fault.code
        };
        let any = || serde_json::json!({ "room": 5 });
        assert_eq!(refused(vec![AppConfig::new(3, "closed")], any()), -3320);
        assert_eq!(refused(vec![open(7), open(8)], any()), -3317);
        assert_eq!(refused(vec![open(7)], serde_json::json!({ "room": 5, "sdkAppId": 8 })), -3320);
        assert_eq!(refused(vec![open(7)], serde_json::json!({ "room": 0 })), -3318);
        assert_eq!(refused(vec![open(7)], serde_json::json!({ "room": "ä" })), -3318);
        assert_eq!(refused(vec![open(7)], serde_json::json!({ "room": 5, "name": "\u{7}" })), -2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_said_in_words() {
        let said = async |body: &'static str| match asked(Body::from(body)).await {
            Err(Refusal::Unreadable(sentence)) => sentence,
            _ => panic!("{body} was read"),
        };
        for odd in ["[]", "null", "5"] {
            assert_eq!(said(odd).await, "The request is not a JSON object.");
        }
        for odd in [r#"{"room":{}}"#, r#"{"room":1180591620717411303424}"#, r#"{"room":5.5}"#] {
            assert_eq!(
                said(odd).await,
                "The request cannot be read: room must be a room's number or its text."
            );
        }
        assert!(
            asked(Body::from(r#"{"room":5.0}"#)).await.is_ok_and(|asked| asked.room == TicketRoom::Number(5))
        );
    }

    #[test]
    fn a_passcode_is_asked_for_and_compared() {
        let app = AppConfig { passcode: Some("open sesame".into()), ..open(7) };
        let say = |said: Option<&str>| {
            let passcode = said.map(|word| Passcode(word.to_owned()));
            grant(
                &config(vec![app.clone()]),
                TicketRequest { passcode, ..asking(serde_json::json!({ "room": 5 })) },
                NOW,
            )
        };
        say(Some("open sesame")).unwrap();
        for (said, word) in [(None, "asks guests"), (Some("open"), "not the one"), (Some(""), "not the one")]
        {
            let fault = say(said).unwrap_err();
            assert_eq!(fault.code, -102_011);
            assert!(fault.message.contains(word), "{}", fault.message);
        }
    }
}
