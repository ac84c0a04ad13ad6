//! The checks before a websocket is accepted.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use confab_signal::{Claims, JoinQuery, limit};

use super::{Admission, Refusal, State};
use crate::clock::unix_now;
use crate::engine::{Kinds, Permission};
use crate::happening::ClientInfo;
use crate::sfu::Join;

/// Longest text of what a client says of itself, characters.
const CLIENT_TEXT: usize = 64;

/// Somebody who may come in: as a new participant, or going on with session `resume`.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) join: Join,
    pub(crate) resume: Option<String>,
}

/// Reads query and token and asks for admission.
pub(super) async fn pass(
    state: &State,
    headers: &HeaderMap,
    query: &str,
    from: Option<IpAddr>,
) -> Result<Entrance, Refusal> {
    let query = JoinQuery::parse(query).map_err(Refusal::bad_request)?;
    let token = bearer(headers).unwrap_or(&query.access_token);
    if token.is_empty() {
        return Err(Refusal::unauthorized("no token"));
    }
    let claims = Claims::verify(token, |issuer| state.keys.secret(issuer), unix_now())
        .map_err(|error| state.admit.wrong_token(from).unwrap_or_else(|| Refusal::unauthorized(error)))?;
    check(&claims)?;
    // A second connection that only sends, beside the person's own.
    let sends_only = !query.publish.is_empty();
    let identity = if sends_only { format!("{}#{}", claims.sub, query.publish) } else { claims.sub.clone() };
    if identity.len() > limit::NAME {
        return Err(Refusal::bad_request("identity is too long"));
    }
    let admission = state.admit.admit(&claims.video.room, &identity, &claims, client(&query, from)).await?;
    Ok(entrance(query, claims, identity, admission))
}

/// Somebody who was admitted as `identity`, as the rooms take them.
pub(crate) fn entrance(query: JoinQuery, claims: Claims, identity: String, admission: Admission) -> Entrance {
    let sends_only = !query.publish.is_empty();
    let mut permission = admission.permission.unwrap_or_else(|| granted(&claims));
    if sends_only {
        permission.subscribe = Kinds::NONE;
    }
    let may_update_metadata = claims.video.can_update_own_metadata.unwrap_or(false);
    let mut attributes: std::collections::HashMap<_, _> = claims.attributes.into_iter().collect();
    if may_update_metadata {
        attributes.extend(query.attributes);
    }
    attributes.extend(admission.attributes);
    let join = Join {
        ticket: admission.ticket,
        room: claims.video.room,
        identity,
        name: claims.name,
        metadata: claims.metadata,
        attributes,
        permission,
        sources: claims.video.can_publish_sources,
        may_update_metadata,
        publishing: admission.publishing,
        seat: admission.seat,
        auto_subscribe: query.auto_subscribe && !sends_only,
        client_protocol: i32::try_from(query.client_protocol).unwrap_or(i32::MAX),
    };
    Entrance { join, resume: query.reconnect.then_some(query.sid) }
}

fn check(claims: &Claims) -> Result<(), Refusal> {
    if !claims.video.room_join {
        return Err(Refusal::unauthorized("the token does not grant joining a room"));
    }
    if claims.sub.is_empty() {
        return Err(Refusal::bad_request("identity cannot be empty"));
    }
    if claims.video.room.is_empty() {
        return Err(Refusal::bad_request("no room name"));
    }
    if claims.video.room.len() > limit::NAME || claims.name.len() > limit::NAME {
        return Err(Refusal::bad_request("room or name is too long"));
    }
    Ok(())
}

fn granted(claims: &Claims) -> Permission {
    Permission {
        publish: Kinds::all_if(claims.video.may_publish()),
        subscribe: Kinds::all_if(claims.video.may_subscribe()),
        can_publish_data: claims.video.may_publish_data(),
        hidden: claims.video.hidden,
    }
}

/// What the client says of itself, in bounded texts.
fn client(query: &JoinQuery, address: Option<IpAddr>) -> ClientInfo {
    let short = |text: &str| text.chars().take(CLIENT_TEXT).collect::<String>();
    ClientInfo {
        os: short(&query.os.to_lowercase()),
        device: short(&query.device_model),
        sdk: short(&format!("{} {}", query.sdk, query.version)),
        browser: !query.browser.is_empty() || query.sdk == "js",
        address,
    }
}

/// The token that a request shows in its head.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
