//! Tencent Cloud's REST interface (API 3.0, version 2019-07-22): removing, dismissing, and what has been.

mod action;
mod answer;
mod describe;
mod limit;
mod parameters;
pub(crate) mod signature;

use std::cell::Cell;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use confab_protocol::{RoomId, SdkAppId};
use serde_json::{Map, Value};
use tracing::info;

use crate::attempts::Name;
use crate::clock::unix_now;
use crate::control::Rooms;
use crate::history::Unanswered;
use crate::http::{BodyError, Guard, ObjectError, Shared, read};
use action::Action;
pub(crate) use action::{MAX_USERS, Offered, VERSION};
use answer::{RestError, envelope};
pub(crate) use describe::MOST;
pub(crate) use limit::{Limit, MOST_A_SECOND};
use parameters::Parameters;
use signature::{hmac, tc3};

/// Ten user ids and a room fit many times over.
const BODY_LIMIT: usize = 64 * 1024;

/// What an action is counted under when it is none of ours: names are the caller's text.
const OTHER: &str = "other";

/// The members of an answer beside its id.
type Members = Map<String, Value>;

/// Answers `/`. Without an action it says that the server is there: LiveKit's SDKs ask that.
pub(crate) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    if asks && !names_an_action(request.headers(), request.uri()) {
        return "OK".into_response();
    }
    let (mut counted, now) = (OTHER, unix_now());
    let result = match believed(&shared, request, now).await {
        Ok(asked) => {
            counted = asked.action.name();
            perform(&shared, asked, now).await
        }
        Err(error) => Err(error),
    };
    let code = result.as_ref().err().map_or("", |error| error.code);
    info!(action = counted, code, "REST action");
    shared.metrics.rest(counted, code);
    envelope(result)
}

/// In a header, or in the query as the older signature has it.
fn names_an_action(headers: &HeaderMap, uri: &Uri) -> bool {
    headers.contains_key("x-tc-action") || pairs(query(uri)).iter().any(|(name, _)| name == "Action")
}

fn query(uri: &Uri) -> &[u8] {
    uri.query().unwrap_or_default().as_bytes()
}

/// The pairs of a query or a form.
fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// What somebody asks for whose key is known.
struct Asked {
    /// SecretId.
    id: String,
    action: Offered,
    parameters: Result<Parameters, ObjectError>,
}

/// What a request says, whichever way it is signed.
struct Said {
    /// SecretId.
    id: String,
    name: String,
    version: Option<String>,
    parameters: Result<Parameters, ObjectError>,
}

/// Reads a request and looks who signed it, and whether what they ask for is offered.
async fn believed(shared: &Shared, request: Request, now: u64) -> Result<Asked, RestError> {
    let (head, body) = request.into_parts();
    if !matches!(head.method, Method::GET | Method::POST) {
        return Err(RestError::new("UnsupportedProtocol", "only GET and POST are supported"));
    }
    let body = read(body, BODY_LIMIT).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => RestError::new("RequestSizeLimitExceeded", error.to_string()),
        BodyError::TooSlow | BodyError::Broken => RestError::new("InvalidRequest", error.to_string()),
    })?;
    let config = shared.config();
    let key_of = |id: &str| config.cloud_key.iter().find(|key| key.id == id).map(|key| key.key.clone());
    let claimed = Cell::new(None);
    let key_of = |id: &str| {
        claimed.set(Some(Name::key(id)));
        key_of(id)
    };
    let said = match text(&head.headers, "x-tc-action") {
        Some(name) => by_headers(&head, &body, name, key_of, now),
        None => by_parameters(&head, &body, key_of, now),
    };
    let said = guarded(Guard::new(shared, &head.extensions, "rest"), claimed.get(), said)?;
    match said.version.as_deref() {
        Some(VERSION) => {}
        Some(_) => return Err(RestError::new("NoSuchVersion", format!("the only version is {VERSION}"))),
        None => return Err(RestError::new("MissingParameter", "the request names no version")),
    }
    Ok(Asked { id: said.id, action: Offered::named(&said.name)?, parameters: said.parameters })
}

/// Counts a signature that was wrong.
fn guarded(guard: Guard<'_>, name: Option<Name>, said: Result<Said, RestError>) -> Result<Said, RestError> {
    if let Err(RestError { code: "AuthFailure.SignatureFailure" | "AuthFailure.SecretIdNotFound", .. }) = said
    {
        guard.wrong(name)?;
    }
    said
}

/// TC3-HMAC-SHA256: all but the parameters stands in headers.
fn by_headers(
    head: &Parts,
    body: &Bytes,
    name: String,
    key_of: impl Fn(&str) -> Option<String>,
    now: u64,
) -> Result<Said, RestError> {
    let get = head.method == Method::GET;
    let query = head.uri.query().unwrap_or_default();
    // What a GET signs is its query; a body beside it counts for nothing.
    let signed_body = if get { &[][..] } else { &body[..] };
    let signed =
        tc3::Request { method: head.method.as_str(), query, headers: &head.headers, body: signed_body };
    let id = tc3::verify(signed, key_of, now)?;
    let parameters =
        if get { Parameters::from_query(pairs(query.as_bytes())) } else { Parameters::from_json(body) };
    Ok(Said { id, name, version: text(&head.headers, "x-tc-version"), parameters })
}

/// HmacSHA1 and HmacSHA256: all stands in the query of a GET or the form of a POST.
fn by_parameters(
    head: &Parts,
    body: &Bytes,
    key_of: impl Fn(&str) -> Option<String>,
    now: u64,
) -> Result<Said, RestError> {
    let pairs = pairs(if head.method == Method::GET { query(&head.uri) } else { body });
    let host = text(&head.headers, header::HOST.as_str()).unwrap_or_default();
    let signed = hmac::Request { method: head.method.as_str(), host: &host, pairs: &pairs };
    let Some(name) = signed.get("Action") else {
        let message = "the request has neither an X-TC-Action header nor a parameter Action";
        return Err(RestError::new("MissingParameter", message));
    };
    let id = hmac::verify(signed, key_of, now)?;
    let version = signed.get("Version").map(str::to_owned);
    Ok(Said { id, name: name.to_owned(), version, parameters: Parameters::from_query(signed.own()) })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Does what is asked for, unless it is asked too often.
async fn perform(shared: &Shared, asked: Asked, now: u64) -> Result<Members, RestError> {
    let Asked { id, action, parameters } = asked;
    let name = action.name();
    let admitted =
        shared.limit.lock().unwrap_or_else(PoisonError::into_inner).admit(&id, name, Instant::now());
    if !admitted {
        let message =
            format!("more than {MOST_A_SECOND} requests a second for {name}; wait a second and ask again");
        return Err(RestError::new("RequestLimitExceeded", message));
    }
    let parameters = parameters.map_err(|error| action.unreadable(&error))?;
    let action = Action::parse(action, &parameters, now)?;
    if shared.config().app_key(action.app().0).is_none() {
        let message = format!("the SdkAppId {} is not known to this server", action.app());
        return Err(RestError::new("UnauthorizedOperation.SdkAppId", message));
    }
    info!(?action, "asked by a cloud key");
    let history = &shared.listeners.history;
    let failed = |error: Unanswered| RestError::new("InternalError.DBError", error.to_string());
    match action {
        Action::Remove { app, room, users } => remove(shared, app, room, users).await,
        Action::Dismiss { app, room } => dismiss(shared, app, room).await,
        Action::Rooms(query) => {
            let rows = history.rooms(query.clone()).await.map_err(failed)?;
            Ok(describe::room_list(&query, &rows, now))
        }
        Action::Stays(query) => {
            let (total, rows) = history.stays(query.clone()).await.map_err(failed)?;
            Ok(describe::user_list(&query, total, &rows, now))
        }
    }
}

/// Frees the seats first, so that nobody comes back with the token they had, then the engine tells. A
/// room that only one of the two knows is a room.
async fn remove(
    shared: &Shared,
    app: SdkAppId,
    room: RoomId,
    users: Vec<String>,
) -> Result<Members, RestError> {
    carry_out(shared, move |rooms, now| rooms.remove(&room.key(app), &users, None, now).is_ok()).await
}

/// The same for a whole room.
async fn dismiss(shared: &Shared, app: SdkAppId, room: RoomId) -> Result<Members, RestError> {
    carry_out(shared, move |rooms, now| rooms.dismiss(&room.key(app), None, now).is_ok()).await
}

/// Nothing but its id stands in the answer of what was done.
async fn carry_out(
    shared: &Shared,
    rule: impl FnOnce(&mut Rooms, Instant) -> bool + Send + 'static,
) -> Result<Members, RestError> {
    let (known, performed) = shared.control.have_done(rule).await.map_err(|error| stopped(&error))?;
    if performed.failed {
        Err(RestError::new("InternalError", "the media engine did not do it"))
    } else if known || performed.known {
        Ok(Members::new())
    } else {
        Err(RestError::new("FailedOperation.RoomNotExist", "the room does not exist"))
    }
}

fn stopped(error: &dyn std::fmt::Display) -> RestError {
    RestError::new("InternalError", error.to_string())
}
