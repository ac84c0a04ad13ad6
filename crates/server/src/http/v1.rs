//! `POST /v1/enter`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use confab_protocol::{Code, EnterAnswer, ExitCause, Fault, Limits, RawEnterParams, Role, Scene, Stay};
use serde_json::{Map, Value};
use tracing::{info, warn};

use super::{BodyError, Guard, ObjectError, Shared, guard, object, origin, read, words};
use crate::attempts::{Name, TooOften};
use crate::clock::unix_now;
use crate::config::Config;
use crate::control::{Entry, NoEntrance, Refused, Rooms, Stopped, check};
use crate::proxy::Caller;

/// A UserSig and a PrivateMapKey have less than 4 kB together.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// Why an answer is not code 0.
pub(crate) enum Refusal {
    /// The request cannot be read: status 400.
    Unreadable(String),
    /// The stay that the client returns to is over: status 200.
    Over(ExitCause),
    /// A host has to admit them, so that they ask again: status 200, code 0.
    Waiting,
    /// Too many attempts have failed: status 429, with the time to wait.
    TooOften(TooOften),
    /// Their one-time ticket does not let them in: status 200.
    NoEntrance(NoEntrance),
    /// Everything else: status 200.
    Fault(Fault),
}

impl Refusal {
    /// What the client gets.
    pub(crate) fn answer(self, what: &'static str) -> (StatusCode, EnterAnswer) {
        match self {
            Refusal::NoEntrance(why) => Refusal::Fault(why.into()).answer(what),
            Refusal::Fault(fault) => {
                info!(what, code = fault.code, detail = fault.detail, "refused");
                (StatusCode::OK, EnterAnswer::from(fault))
            }
            Refusal::Over(cause) => {
                info!(what, ?cause, "refused, the stay is over");
                let fault = Fault::new(Code::REFUSED).with_message(cause.sentence());
                (StatusCode::OK, EnterAnswer { cause: Some(cause), ..EnterAnswer::from(fault) })
            }
            Refusal::TooOften(often) => {
                info!(what, by = often.limited.name(), "refused, too many attempts have failed");
                let fault = Fault::new(Code::FAILED_TOO_OFTEN).with_message(often.to_string());
                let answer = EnterAnswer { retry_after: Some(often.seconds()), ..EnterAnswer::from(fault) };
                (StatusCode::TOO_MANY_REQUESTS, answer)
            }
            Refusal::Waiting => (StatusCode::OK, EnterAnswer { waiting: true, ..EnterAnswer::default() }),
            // The sentence may repeat parts of the body, so it goes to the sender only.
            Refusal::Unreadable(sentence) => {
                info!(what, "unreadable request");
                let fault = Fault::new(Code::INVALID_PARAMETER).with_message(sentence);
                (StatusCode::BAD_REQUEST, EnterAnswer::from(fault))
            }
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

impl From<TooOften> for Refusal {
    fn from(often: TooOften) -> Refusal {
        Refusal::TooOften(often)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        match refused {
            Refused::Fault(fault) => Refusal::Fault(fault),
            Refused::NoEntrance(why) => Refusal::NoEntrance(why),
            Refused::Waiting => Refusal::Waiting,
        }
    }
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Refusal {
        Refusal::Fault(Fault::new(Code::SERVER_PROCESS_FAILED).with_message(stopped.to_string()))
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Refusal {
        Refusal::Unreadable(format!("The request cannot be read: {error}."))
    }
}

/// Lets somebody in: a seat for 30 seconds and a token that takes it.
pub(crate) async fn enter(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = try_enter(&shared, request).await;
    answered("enter", &shared, answer)
}

async fn try_enter(shared: &Shared, request: Request) -> Result<EnterAnswer, Refusal> {
    let (head, body) = request.into_parts();
    let mut members = members(&read(body, BODY_LIMIT).await?)?;
    origin::check_signed(&head.headers, shared.config().nameless)?;
    let stay = stay(&mut members)?;
    let raw = parameters(members)?;
    let now = unix_now();
    let guard = Guard::new(shared, &head.extensions, "enter");
    let entry = believed(guard, raw, stay, &shared.config(), now)?;
    let asked = entry.clone();
    let url = signalling_url(&head)?;
    let admitted = shared.control.with(move |rooms, now| admit(rooms, &asked, now)).await?;
    if let Err(Refusal::NoEntrance(why)) = &admitted {
        let name = Name::person(i64::from(entry.app.0), entry.user.as_str());
        return Err(guard.no_entrance(Some(name), *why));
    }
    let (limits, ticket) = admitted?;
    let token = shared.issuer.token(&entry, ticket, now).map_err(|error| {
        warn!(%error, "a token could not be made");
        Fault::new(Code::SERVER_PROCESS_FAILED)
    })?;
    info!(app = entry.app.0, room = %entry.room, user = %entry.user, scene = %entry.scene, role = %entry.role, "entry granted");
    Ok(EnterAnswer {
        url: Some(url),
        token: Some(token),
        room: Some(entry.room.key(entry.app)),
        ice_servers: Some(Vec::new()),
        limits: Some(limits),
        ..EnterAnswer::default()
    })
}

/// Checks an entry, and counts one that shows something wrong.
pub(super) fn believed(
    guard: Guard<'_>,
    raw: RawEnterParams,
    stay: Option<Stay>,
    config: &Config,
    now: u64,
) -> Result<Entry, Refusal> {
    let name = guard::name_of(&raw);
    check(raw, stay, config, now).map_err(|fault| guard.refused(name, fault))
}

/// Gives somebody a seat, unless the stay to which they return is over or the room refuses; answers the
/// entry's number too.
pub(crate) fn admit(
    rooms: &mut Rooms,
    entry: &Entry,
    now: Instant,
) -> Result<(Limits, Option<u64>), Refusal> {
    match rooms.ended(entry, now) {
        Some(cause) => Err(Refusal::Over(cause)),
        None => Ok((rooms.reserve(entry, now)?, rooms.ticket(entry))),
    }
}

pub(super) fn members(body: &Bytes) -> Result<Map<String, Value>, Refusal> {
    object(body).map_err(|error| match error {
        ObjectError::NoObject => Refusal::Unreadable("The request is not a JSON object.".to_owned()),
        ObjectError::NoJson(error) => Refusal::Unreadable(format!("The request is not JSON: {error}.")),
        ObjectError::Twice(_) => unreadable(&error.to_string()),
    })
}

/// Takes the stay, which is no parameter of TRTC, out of the request.
fn stay(members: &mut Map<String, Value>) -> Result<Option<Stay>, Refusal> {
    let given = members.remove("stay").unwrap_or_default();
    let read: Option<Stay> = serde_path_to_error::deserialize(given)
        .map_err(|error| unreadable(&words::plain_in("stay", &error)))?;
    if let Some(Err(why)) = read.as_ref().map(Stay::check) {
        return Err(unreadable(why));
    }
    Ok(read)
}

/// Reads the parameters. A scene or role that does not exist is a wrong parameter, everything else
/// that has no place in the request makes it unreadable.
pub(super) fn parameters(members: Map<String, Value>) -> Result<RawEnterParams, Refusal> {
    for (member, code) in [("scene", Code::BAD_SCENE_OR_ROLE), ("role", Code::INVALID_ROLE)] {
        let given = members.get(member).filter(|given| !given.is_null()).cloned();
        let Some(given) = given else { continue };
        let read = if member == "scene" {
            serde_json::from_value::<Scene>(given).err()
        } else {
            serde_json::from_value::<Role>(given).err()
        };
        if let Some(error) = read {
            return Err(Fault::new(code)
                .with_message(format!("{}.", words::plain_of(member, &error)))
                .into());
        }
    }
    serde_path_to_error::deserialize(Value::Object(members))
        .map_err(|error| unreadable(&words::plain(&error)))
}

/// The request cannot be read; `why` may be a sentence, or a part of one.
pub(super) fn unreadable(why: &str) -> Refusal {
    Refusal::Unreadable(format!("The request cannot be read: {}.", why.trim_end_matches('.')))
}

/// Signalling is where this request came to, so a name or tunnel that led here leads there too; it is
/// encrypted where the request was, or where a proxy says so that is believed.
fn signalling_url(head: &Parts) -> Result<String, Refusal> {
    let host = head.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host
        .filter(|host| !host.is_empty())
        .ok_or_else(|| Refusal::Unreadable("The request has no Host header.".to_owned()))?;
    let encrypted = head.extensions.get::<Caller>().is_some_and(|caller| caller.encrypted);
    let scheme = if encrypted { "wss" } else { "ws" };
    Ok(format!("{scheme}://{host}"))
}

pub(super) fn answered(
    what: &'static str,
    shared: &Shared,
    answer: Result<EnterAnswer, Refusal>,
) -> Response {
    let (status, answer) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err(refusal) => refusal.answer(what),
    };
    shared.metrics.v1(what, answer.code);
    later(answer.retry_after, (status, Json(answer)).into_response())
}

/// An answer that says in its head too when to ask again.
pub(super) fn later(seconds: Option<u64>, mut response: Response) -> Response {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
