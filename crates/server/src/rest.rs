//! Tencent Cloud's REST interface (API 3.0, version 2019-07-22) for removing and dismissing.

mod action;
mod answer;
pub(crate) mod tc3;

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use confab_protocol::{ExitCause, Notice};
use tracing::{info, warn};

use crate::control::Rooms;
use crate::engine::EngineError;
use crate::http::{BodyError, Shared, read, unix_now};
use action::{Action, Parameters, VERSION};
use answer::{RestError, envelope};

/// Ten user ids and a room fit many times over.
const BODY_LIMIT: usize = 64 * 1024;

/// What an action is counted under when it is none of ours: names are the caller's text.
const OTHER: &str = "other";

/// Answers `/`. Without an action it says that the server is there: LiveKit's SDKs ask that.
pub(crate) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let name = action_name(request.headers(), request.uri());
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    if name.is_none() && asks {
        return "OK".into_response();
    }
    let result = perform(&shared, name.as_deref(), request).await;
    let counted = match (&result, name.as_deref()) {
        (Err(RestError { code: "InvalidAction", .. }), _) | (_, None) => OTHER,
        // An unauthenticated caller chooses the name freely.
        (Err(error), _) if error.code.starts_with("AuthFailure") => OTHER,
        (_, Some(name)) => name,
    };
    let code = result.as_ref().map_or_else(|error| error.code, |()| "");
    info!(action = counted, code, "REST action");
    shared.metrics.rest(counted, code);
    envelope(&result)
}

/// The action a request names: in a header, or in the query as the older signature has it.
fn action_name(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(name) = headers.get("x-tc-action") {
        return Some(String::from_utf8_lossy(name.as_bytes()).into_owned());
    }
    pairs(uri).into_iter().find_map(|(name, value)| (name == "Action").then_some(value))
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

async fn perform(shared: &Shared, name: Option<&str>, request: Request) -> Result<(), RestError> {
    let (head, body) = request.into_parts();
    if !matches!(head.method, Method::GET | Method::POST) {
        return Err(RestError::new("UnsupportedProtocol", "only GET and POST are supported"));
    }
    let body = read(body, BODY_LIMIT).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => RestError::new("RequestSizeLimitExceeded", error.to_string()),
        BodyError::TooSlow | BodyError::Broken => RestError::new("InvalidRequest", error.to_string()),
    })?;
    let name =
        name.ok_or_else(|| RestError::new("MissingParameter", "the request has no X-TC-Action header"))?;
    let query = head.uri.query().unwrap_or_default();
    // What a GET signs is its query; a body beside it counts for nothing.
    let signed_body = if head.method == Method::GET { &[][..] } else { &body[..] };
    let signed =
        tc3::Request { method: head.method.as_str(), query, headers: &head.headers, body: signed_body };
    let keys = &shared.config.cloud_key;
    let key_of = |id: &str| keys.iter().find(|key| key.id == id).map(|key| key.key.clone());
    tc3::verify(signed, key_of, unix_now())?;
    check_version(&head.headers)?;
    let parameters = if head.method == Method::GET {
        Parameters::from_query(pairs(&head.uri))
    } else {
        Parameters::from_json(&body)?
    };
    let action = Action::parse(name, parameters)?;
    if shared.config.app_key(action.app().0).is_none() {
        let message = format!("the SdkAppId {} is not known to this server", action.app());
        return Err(RestError::new("UnauthorizedOperation.SdkAppId", message));
    }
    info!(?action, "asked by a cloud key");
    carry_out(shared, action).await
}

fn check_version(headers: &HeaderMap) -> Result<(), RestError> {
    match headers.get("x-tc-version").map(|version| version.as_bytes()) {
        Some(version) if version == VERSION.as_bytes() => Ok(()),
        Some(_) => Err(RestError::new("NoSuchVersion", format!("the only version is {VERSION}"))),
        None => Err(RestError::new("MissingParameter", "the request has no X-TC-Version header")),
    }
}

/// Frees the seats first, so that nobody comes back with the token they had, then tells the
/// engine. A room that only one of the two knows is a room.
async fn carry_out(shared: &Shared, action: Action) -> Result<(), RestError> {
    let stopped = |error: &dyn std::fmt::Display| RestError::new("InternalError", error.to_string());
    let mut known;
    let key;
    match action {
        Action::Remove { app, room, users } => {
            key = room.key(app);
            let (rule_key, rule_users) = (key.clone(), users.clone());
            let rule = move |rooms: &mut Rooms, now| rooms.remove(&rule_key, &rule_users, now);
            known = shared.control.with(rule).await.map_err(|error| stopped(&error))?.is_ok();
            for user in &users {
                let notice = Notice::exit(ExitCause::Removed, None);
                known |= there(shared.engine.remove(&key, user, notice).await).map_err(|e| stopped(&e))?;
            }
        }
        Action::Dismiss { app, room } => {
            key = room.key(app);
            let rule_key = key.clone();
            let rule = move |rooms: &mut Rooms, now| rooms.dismiss(&rule_key, now);
            known = shared.control.with(rule).await.map_err(|error| stopped(&error))?.is_ok();
            let notice = Notice::exit(ExitCause::Dismissed, None);
            known |= there(shared.engine.dismiss(&key, notice).await).map_err(|e| stopped(&e))?;
        }
    }
    if known {
        Ok(())
    } else {
        Err(RestError::new("FailedOperation.RoomNotExist", "the room does not exist"))
    }
}

/// Whether the engine knew the room. Somebody who is not in it is no error.
fn there(result: Result<(), EngineError>) -> Result<bool, EngineError> {
    match result {
        Ok(()) | Err(EngineError::NoParticipant) => Ok(true),
        Err(EngineError::NoRoom) => Ok(false),
        Err(error) => {
            warn!(%error, "the engine failed");
            Err(error)
        }
    }
}
