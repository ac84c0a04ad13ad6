//! `POST /v1/enter` and `POST /v1/role`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use confab_protocol::{
    Code, EnterAnswer, ExitCause, Fault, LeaveReason, NOTICE_TOPIC, Notice, ROLE_ATTRIBUTE, RawEnterParams,
    Role, Scene, Stay,
};
use serde_json::{Map, Value};
use tracing::{info, warn};

use super::{BodyError, Shared, read, unix_now};
use crate::control::{Entry, RoleError, Rooms, Stopped, check};
use crate::engine::{EngineError, Permission};

/// A UserSig and a PrivateMapKey have less than 4 kB together.
const BODY_LIMIT: usize = 64 * 1024;

/// Why an answer is not code 0.
enum Refusal {
    /// The request cannot be read: status 400.
    Unreadable(String),
    /// The stay that the client returns to is over: status 200.
    Over(ExitCause),
    /// Everything else: status 200.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
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

/// Changes what somebody in a live room is.
pub(crate) async fn role(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = try_role(&shared, request).await.map(|()| EnterAnswer::default());
    answered("role", &shared, answer)
}

async fn try_enter(shared: &Shared, request: Request) -> Result<EnterAnswer, Refusal> {
    let (head, body) = request.into_parts();
    let mut members = members(&read(body, BODY_LIMIT).await?)?;
    let stay = stay(&mut members)?;
    let raw = parameters(members)?;
    let now = unix_now();
    let entry = check(raw, stay, &shared.config, now)?;
    let asked = entry.clone();
    let url = signalling_url(&head.headers)?;
    let rule = move |rooms: &mut Rooms, now| match rooms.ended(&asked, now) {
        Some(cause) => Err(Refusal::Over(cause)),
        None => Ok(rooms.reserve(&asked, now)?),
    };
    let limits = shared.control.with(rule).await??;
    let token = shared.issuer.token(&entry, now).map_err(|error| {
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

async fn try_role(shared: &Shared, request: Request) -> Result<(), Refusal> {
    let mut raw = parameters(members(&read(request.into_body(), BODY_LIMIT).await?)?)?;
    let role = raw.role.ok_or_else(|| Fault::new(Code::INVALID_ROLE))?;
    // Outside the live scenes a role is no parameter; whether the room is one is checked below.
    raw.scene = Some(Scene::Live);
    let entry = check(raw, None, &shared.config, unix_now())?;
    if role == Role::Anchor && !entry.may_publish {
        return Err(Fault::new(Code::INVALID_PRIVATE_MAP_KEY).into());
    }
    let (key, user) = (entry.room.key(entry.app), entry.user.as_str().to_owned());
    let before = shared.control.with(move |rooms, _| rooms.set_role(&key, &user, role)).await?;
    let before = before.map_err(|error| role_fault(error, &entry))?;
    if before != role {
        change_role(shared, &entry).await.map_err(|error| {
            warn!(room = %entry.room, user = %entry.user, %error, "role not changed");
            Fault::new(Code::SERVER_PROCESS_FAILED)
        })?;
        info!(app = entry.app.0, room = %entry.room, user = %entry.user, role = %role, "role changed");
    }
    Ok(())
}

/// Tells the engine and everybody in the room. Somebody who steps down stays visible to LiveKit;
/// our clients drop them from the list by the notice.
async fn change_role(shared: &Shared, entry: &Entry) -> Result<(), EngineError> {
    let (room, user) = (entry.room.key(entry.app), entry.user.as_str());
    let anchor = entry.role == Role::Anchor;
    let permission = Permission {
        can_publish: anchor,
        can_subscribe: entry.may_subscribe,
        can_publish_data: anchor,
        hidden: false,
    };
    if !anchor {
        let notice = Notice::UserLeft { user_id: user.to_owned(), reason: LeaveReason::BecameAudience };
        shared.engine.send_data(&room, NOTICE_TOPIC, notice.to_json(), Vec::new()).await?;
    }
    let attributes = HashMap::from([(ROLE_ATTRIBUTE.to_owned(), entry.role.name().to_owned())]);
    shared.engine.set_attributes(&room, user, attributes).await?;
    shared.engine.set_permission(&room, user, permission).await
}

fn role_fault(error: RoleError, entry: &Entry) -> Fault {
    match error {
        RoleError::NoRoom => Fault::new(Code::CENTER_ROOM_NOT_EXIST),
        RoleError::NotInRoom => Fault::new(Code::REFUSED).with_message("You are not in the room."),
        RoleError::Scene(scene) => {
            let kind = scene.map_or("no scene", Scene::name);
            Fault::new(Code::BAD_SCENE_OR_ROLE).with_message(format!(
                "Roles exist in the scenes live and voiceChatRoom only; room {} has {kind}.",
                entry.room
            ))
        }
    }
}

fn members(body: &Bytes) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::Unreadable("The request is not a JSON object.".to_owned())),
        Err(error) => Err(Refusal::Unreadable(format!("The request is not JSON: {error}."))),
    }
}

/// Takes the stay, which is no parameter of TRTC, out of the request.
fn stay(members: &mut Map<String, Value>) -> Result<Option<Stay>, Refusal> {
    let given = members.remove("stay").unwrap_or_default();
    let read: Option<Stay> = serde_path_to_error::deserialize(given)
        .map_err(|error| Refusal::Unreadable(format!("The request cannot be read: stay: {error}.")))?;
    if let Some(Err(why)) = read.as_ref().map(Stay::check) {
        return Err(Refusal::Unreadable(format!("The request cannot be read: {why}.")));
    }
    Ok(read)
}

/// Reads the parameters. A scene or role that does not exist is a wrong parameter, everything else
/// that has no place in the request makes it unreadable.
fn parameters(members: Map<String, Value>) -> Result<RawEnterParams, Refusal> {
    for (member, code) in [("scene", Code::BAD_SCENE_OR_ROLE), ("role", Code::INVALID_ROLE)] {
        let given = members.get(member).filter(|given| !given.is_null()).cloned();
        let Some(given) = given else { continue };
        let read = if member == "scene" {
            serde_json::from_value::<Scene>(given).err()
        } else {
            serde_json::from_value::<Role>(given).err()
        };
        if let Some(error) = read {
            return Err(Fault::new(code).with_message(format!("{error}.")).into());
        }
    }
    serde_path_to_error::deserialize(Value::Object(members))
        .map_err(|error| Refusal::Unreadable(format!("The request cannot be read: {error}.")))
}

/// Signalling is where this request came to, so a name or tunnel that led here leads there too.
fn signalling_url(headers: &HeaderMap) -> Result<String, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str())
        .filter(|host| !host.is_empty())
        .ok_or_else(|| Refusal::Unreadable("The request has no Host header.".to_owned()))?;
    let scheme = if text("x-forwarded-proto") == Some("https") { "wss" } else { "ws" };
    Ok(format!("{scheme}://{host}"))
}

fn answered(what: &'static str, shared: &Shared, answer: Result<EnterAnswer, Refusal>) -> Response {
    let (status, answer) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refusal::Fault(fault)) => {
            info!(what, code = fault.code, detail = fault.detail, "refused");
            (StatusCode::OK, EnterAnswer::from(fault))
        }
        Err(Refusal::Over(cause)) => {
            info!(what, ?cause, "refused, the stay is over");
            let fault = Fault::new(Code::REFUSED).with_message(cause.sentence());
            (StatusCode::OK, EnterAnswer { cause: Some(cause), ..EnterAnswer::from(fault) })
        }
        // The sentence may repeat parts of the body, so it goes to the sender only.
        Err(Refusal::Unreadable(sentence)) => {
            info!(what, "unreadable request");
            let fault = Fault::new(Code::INVALID_PARAMETER).with_message(sentence);
            (StatusCode::BAD_REQUEST, EnterAnswer::from(fault))
        }
    };
    shared.metrics.v1(what, answer.code);
    (status, Json(answer)).into_response()
}
