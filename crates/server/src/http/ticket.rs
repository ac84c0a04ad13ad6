//! `POST /v1/ticket`: signatures for guests.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use confab_protocol::private_map_key::{PrivateMapKey, Privilege};
use confab_protocol::{
    Code, DisplayName, Fault, GuestSecret, Role, RoomId, SdkAppId, TicketAnswer, TicketRequest, TicketRoom,
};
use rand::RngExt;
use subtle::ConstantTimeEq;
use tracing::{info, warn};

use super::{Shared, read, unix_now};
use crate::config::{AppConfig, Config};

const BODY_LIMIT: usize = 8 * 1024;
/// How long a ticket holds, seconds.
const DAY: u64 = 86_400;

/// Gives a guest a signature for one room, where the application takes guests.
pub(crate) async fn ticket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let unreadable = |why: String| {
        let fault = Fault::new(Code::INVALID_PARAMETER).with_message(why);
        (StatusCode::BAD_REQUEST, fault)
    };
    let body = read(request.into_body(), BODY_LIMIT).await;
    let asked = body.map_err(|error| format!("The request cannot be read: {error}.")).and_then(|body| {
        let json: serde_json::Value =
            serde_json::from_slice(&body).map_err(|error| format!("The request is not JSON: {error}."))?;
        serde_path_to_error::deserialize::<_, TicketRequest>(json)
            .map_err(|error| format!("The request cannot be read: {error}."))
    });
    let answer = asked
        .map_err(unreadable)
        .and_then(|asked| grant(&shared.config, asked, unix_now()).map_err(|fault| (StatusCode::OK, fault)));
    let (status, answer) = match answer {
        Ok(answer) => {
            info!(app = answer.sdk_app_id, user = answer.user_id, "ticket given");
            (StatusCode::OK, answer)
        }
        Err((status, fault)) => {
            info!(code = fault.code, "ticket refused");
            (status, TicketAnswer::from(fault))
        }
    };
    shared.metrics.v1("ticket", answer.code);
    (status, Json(answer)).into_response()
}

/// Checks the application, its passcode, then what is asked for; `now` is Unix time in seconds.
fn grant(config: &Config, asked: TicketRequest, now: u64) -> Result<TicketAnswer, Fault> {
    let app = application(config, asked.sdk_app_id)?;
    check_passcode(app, asked.passcode.as_ref().map(|passcode| passcode.0.as_str()))?;
    if let Some(name) = asked.name.filter(|name| !name.trim().is_empty()) {
        DisplayName::try_from(name)
            .map_err(|error| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))?;
    }
    let room = match asked.room {
        TicketRoom::Number(number) => RoomId::number(number),
        TicketRoom::Text(text) => RoomId::text(&text),
    };
    let room = room.map_err(|error| Fault::new(Code::INVALID_ROOM_ID).with_message(error.to_string()))?;
    let secret = asked.guest.unwrap_or_else(|| GuestSecret::new(rand::rng().random()));
    let user = secret.user_id();
    let content = PrivateMapKey {
        account: user.as_str().to_owned(),
        app: SdkAppId(app.id),
        room,
        expires: 0,
        bits: if asked.scene.is_live() && asked.role == Role::Audience { VIEWER } else { Privilege::ALL },
    };
    let sig = content.sign(&app.key, DAY, now).ok_or_else(|| {
        warn!("a ticket could not be made");
        Fault::new(Code::SERVER_PROCESS_FAILED)
    })?;
    Ok(TicketAnswer {
        sdk_app_id: Some(app.id),
        user_id: Some(user.as_str().to_owned()),
        user_sig: Some(sig),
        ..TicketAnswer::default()
    })
}

/// What a guest may do who wants to watch: open the room, enter it, receive everything.
const VIEWER: Privilege = Privilege(
    Privilege::CREATE.0
        | Privilege::ENTER.0
        | Privilege::RECEIVE_AUDIO.0
        | Privilege::RECEIVE_VIDEO.0
        | Privilege::RECEIVE_SUB.0,
);

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

fn check_passcode(app: &AppConfig, said: Option<&str>) -> Result<(), Fault> {
    let Some(passcode) = &app.passcode else { return Ok(()) };
    let refused = |why: &str| Err(Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM).with_message(why));
    match said {
        None => refused("This server asks guests for a passcode."),
        Some(said) if bool::from(said.as_bytes().ct_eq(passcode.as_bytes())) => Ok(()),
        Some(_) => refused("The passcode is not the one that this server asks for."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::check;
    use confab_protocol::{Passcode, RawEnterParams, Scene};

    const NOW: u64 = 1_700_000_000;

    fn config(apps: Vec<AppConfig>) -> Config {
        Config { app: apps, ..Config::default() }
    }

    fn open(id: u32) -> AppConfig {
        AppConfig { guests: true, ..AppConfig::new(id, format!("key-{id}")) }
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
        assert!(allowed.may_create && allowed.may_publish && allowed.may_subscribe);
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
    fn a_guest_who_asked_to_watch_cannot_send() {
        let config = config(vec![open(7)]);
        let asked = asking(serde_json::json!({ "room": 5, "scene": "live", "role": "audience" }));
        let ticket = grant(&config, asked, NOW).unwrap();
        for role in [Role::Audience, Role::Anchor] {
            let raw = RawEnterParams { scene: Some(Scene::Live), role: Some(role), ..entry(&ticket, 5) };
            let allowed = check(raw, None, &config, NOW).unwrap();
            assert!(!allowed.may_publish && allowed.may_subscribe && allowed.may_create);
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
