//! `POST /v1/room/invite`: a ticket that lets one person in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use confab_protocol::{Code, EnterAnswer, Fault, InviteAnswer, OneTimeTicket};
use rand::RngExt;
use tracing::{info, warn};

use super::v1::{Refusal, later, members, unreadable};
use super::{Guard, Shared, origin, read, session};
use crate::control::Rooms;

/// Nothing is asked for.
const BODY_LIMIT: usize = 1024;
/// Nobody finds a ticket by trying.
const TICKET_BYTES: usize = 16;

/// Gives a host a ticket.
pub(super) async fn invite(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (status, answer) = match try_invite(&shared, request).await {
        Ok(ticket) => (StatusCode::OK, InviteAnswer { ticket: Some(ticket), ..InviteAnswer::default() }),
        Err(refusal) => {
            let (status, EnterAnswer { code, message, retry_after, .. }) = refusal.answer("invite");
            (status, InviteAnswer { code, message, retry_after, ticket: None })
        }
    };
    shared.metrics.v1("invite", answer.code);
    later(answer.retry_after, (status, Json(answer)).into_response())
}

async fn try_invite(shared: &Shared, request: Request) -> Result<OneTimeTicket, Refusal> {
    let (head, body) = request.into_parts();
    let body = read(body, BODY_LIMIT).await?;
    origin::check_signed(&head.headers, shared.config().nameless)?;
    if !body.is_empty()
        && let Some(odd) = members(&body)?.keys().next()
    {
        return Err(unreadable(&format!("there is no field {odd}")));
    }
    let guard = Guard::new(shared, &head.extensions, "invite");
    let session = session::needed(shared, &head.headers, guard).await?;
    let bytes: [u8; TICKET_BYTES] = rand::rng().random();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let ticket = OneTimeTicket::try_from(text).map_err(|error| {
        warn!(%error, "a ticket could not be made");
        Fault::new(Code::SERVER_PROCESS_FAILED)
    })?;
    let (by, given) = (session.by.clone(), ticket.clone());
    let rule = move |rooms: &mut Rooms, now| rooms.invite(&session.room, &session.by, &given, now);
    shared.control.with(rule).await??;
    info!(?by, "a host invites somebody");
    Ok(ticket)
}
