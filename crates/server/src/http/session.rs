//! Whose request it is, by the token that the session was given at its entry.

use axum::http::HeaderMap;
use confab_protocol::{Code, Fault, RoomId, SdkAppId};
use confab_signal::Claims;

use super::v1::Refusal;
use super::{Guard, Shared};
use crate::clock::unix_now;
use crate::control::By;
use crate::ws::TokenKeys;

/// A session, and what it may act on.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The room's name on the wire.
    pub(crate) room: String,
    /// Who.
    pub(crate) by: By,
}

impl Session {
    /// Application, room and user id of somebody who came by the room service.
    pub(crate) fn person(&self) -> Option<(SdkAppId, RoomId, &str)> {
        let (app, room) = RoomId::from_key(&self.room)?;
        match &self.by {
            By::Person(user) => Some((app, room, user)),
            By::Administrator => None,
        }
    }
}

/// The session of a request that needs one.
pub(crate) async fn needed(
    shared: &Shared,
    headers: &HeaderMap,
    guard: Guard<'_>,
) -> Result<Session, Refusal> {
    of(shared, headers, guard).await?.ok_or_else(|| {
        let none = "The request needs the token of your session (Authorization: Bearer ...).";
        Fault::new(Code::SERVER_TOKEN_ERROR).with_message(none).into()
    })
}

/// The session of a request that has a token; None where there is none. A token that is wrong counts. One
/// of a configured key that administers the room stands for an administrator.
pub(crate) async fn of(
    shared: &Shared,
    headers: &HeaderMap,
    guard: Guard<'_>,
) -> Result<Option<Session>, Refusal> {
    let Some(token) = crate::ws::bearer(headers) else { return Ok(None) };
    let refused = |why: &str| Fault::new(Code::SERVER_TOKEN_ERROR).with_message(why);
    let claims = match Claims::verify(token, |issuer| shared.secret(issuer), unix_now()) {
        Ok(claims) => claims,
        Err(error) => {
            guard.wrong(None)?;
            return Err(refused(&format!("The session's token is not good: {error}.")).into());
        }
    };
    let room = claims.video.room.clone();
    if !shared.issuer.issued(&claims.iss) {
        if claims.video.room_admin && !room.is_empty() {
            return Ok(Some(Session { room, by: By::Administrator }));
        }
        return Err(refused("The token does not administer this room.").into());
    }
    let (key, user, ticket) = (room.clone(), claims.sub.clone(), claims.jti.parse().ok());
    let holds = shared.control.with(move |rooms, _| rooms.holds(&key, &user, ticket)).await?;
    if !holds {
        let gone = "You are not in this room with this session; enter it again.";
        return Err(Fault::new(Code::REFUSED).with_message(gone).into());
    }
    Ok(Some(Session { room, by: By::Person(claims.sub) }))
}
