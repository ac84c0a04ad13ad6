//! Who may open signalling: people with a seat from `/v1/enter`, and clients with a token of a
//! configured API key.

use std::collections::HashMap;

use async_trait::async_trait;
use confab_protocol::{ROLE_ATTRIBUTE, Role};
use confab_signal::Claims;

use super::Shared;
use crate::control::Stopped;
use crate::engine::Permission;
use crate::ws::{Admission, Admit, Refusal, TokenKeys};

impl TokenKeys for Shared {
    fn secret(&self, issuer: &str) -> Option<String> {
        let configured = || self.config.api_key.iter().find(|key| key.key == issuer);
        self.issuer.secret(issuer).map(str::to_owned).or_else(|| configured().map(|key| key.secret.clone()))
    }
}

#[async_trait]
impl Admit for Shared {
    async fn admit(&self, room: &str, identity: &str, claims: &Claims) -> Result<Admission, Refusal> {
        let (key, user) = (room.to_owned(), identity.to_owned());
        let stopped = |stopped: Stopped| Refusal { status: 503, message: stopped.to_string() };
        if !self.issuer.issued(&claims.iss) {
            let visit = self.control.with(move |rooms, now| rooms.visits(&key, &user, now));
            visit.await.map_err(stopped)?;
            return Ok(Admission::plain());
        }
        if identity != claims.sub {
            // One person was let in and one seat is counted.
            return Err(Refusal {
                status: 400,
                message: "publish is not possible with a seat of the room service".to_owned(),
            });
        }
        let taken = self.control.with(move |rooms, now| rooms.take(&key, &user, now)).await;
        let taken = taken.map_err(stopped)?;
        let taken = taken.ok_or_else(|| {
            Refusal::unauthorized("the seat was not taken in time or was taken away; enter the room again")
        })?;
        let (permission, attributes) = taken.new_role.map_or_else(Default::default, |role| {
            let attributes = HashMap::from([(ROLE_ATTRIBUTE.to_owned(), role.name().to_owned())]);
            (Some(permission(role, claims)), attributes)
        });
        Ok(Admission { seat: Admission::ENTERED_SEAT, permission, attributes })
    }
}

/// What somebody may do whose role has changed since the token was made.
fn permission(role: Role, claims: &Claims) -> Permission {
    let anchor = role == Role::Anchor;
    Permission {
        can_publish: anchor,
        can_subscribe: claims.video.may_subscribe(),
        can_publish_data: anchor,
        hidden: !anchor,
    }
}
