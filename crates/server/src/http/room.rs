//! `POST /v1/room/...`: what hosts do, authorised by the token of their session.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use confab_protocol::{Code, EnterAnswer, Fault, HostAction};
use serde_json::Value;
use tracing::info;

use super::v1::{Refusal, answered, members, unreadable};
use super::{Guard, Shared, origin, read, session, words};
use crate::control::Rooms;

/// A user id and a few flags.
const BODY_LIMIT: usize = 4 * 1024;

/// Does what a host asks.
pub(crate) async fn act(
    State(shared): State<Arc<Shared>>,
    Path(action): Path<String>,
    request: Request,
) -> Response {
    let name = HostAction::NAMES.into_iter().find(|name| *name == action);
    let answer = try_act(&shared, name, request).await.map(|()| EnterAnswer::default());
    answered(name.unwrap_or("other"), &shared, answer)
}

async fn try_act(shared: &Shared, name: Option<&'static str>, request: Request) -> Result<(), Refusal> {
    let (head, body) = request.into_parts();
    let body = read(body, BODY_LIMIT).await?;
    origin::check_signed(&head.headers, shared.config().nameless)?;
    let name = name.ok_or_else(|| {
        let known = HostAction::NAMES.join(", ");
        Fault::new(Code::NOT_SUPPORTED).with_message(format!("Hosts can do: {known}."))
    })?;
    // What needs no parameters needs no body.
    let mut members = if body.is_empty() { serde_json::Map::new() } else { members(&body)? };
    // An action without parameters would be read with any.
    if name == HostAction::Dismiss.name()
        && let Some(odd) = members.keys().next()
    {
        return Err(unreadable(&format!("there is no field {odd}")));
    }
    members.insert("action".to_owned(), name.into());
    let action: HostAction = serde_path_to_error::deserialize(Value::Object(members))
        .map_err(|error| unreadable(&words::plain(&error)))?;
    let guard = Guard::new(shared, &head.extensions, "room");
    let session = session::needed(shared, &head.headers, guard).await?;
    let by = session.by.clone();
    let asked = action.clone();
    let rule = move |rooms: &mut Rooms, now| rooms.act(&session.room, &session.by, &asked, now);
    let (done, performed) = shared.control.have_done(rule).await?;
    done?;
    if performed.failed {
        return Err(Fault::new(Code::SERVER_PROCESS_FAILED).into());
    }
    info!(action = name, ?by, target = action.target().map(|user| user.as_str()), "a host acted");
    Ok(())
}
