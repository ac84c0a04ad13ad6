//! Who may open signalling: people with a seat from `/v1/enter`, and clients with a token of a
//! configured API key.

use std::collections::HashMap;
use std::net::IpAddr;

use async_trait::async_trait;
use confab_protocol::ROLE_ATTRIBUTE;
use confab_signal::Claims;

use super::{Guard, Shared};
use crate::control::{Rooms, Stopped, Taken};
use crate::happening::ClientInfo;
use crate::ws::{Admission, Admit, Refusal, TokenKeys};

impl TokenKeys for Shared {
    fn secret(&self, issuer: &str) -> Option<String> {
        let configured = || {
            let config = self.config();
            config.api_key.iter().find(|key| key.key == issuer).map(|key| key.secret.clone())
        };
        self.issuer.secret(issuer).map(str::to_owned).or_else(configured)
    }
}

#[async_trait]
impl Admit for Shared {
    async fn admit(
        &self,
        room: &str,
        identity: &str,
        claims: &Claims,
        client: ClientInfo,
    ) -> Result<Admission, Refusal> {
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
        let ticket = claims.jti.parse().ok();
        let claim = move |rooms: &mut Rooms, now| rooms.claim(&key, &user, ticket, client, now);
        let taken = self.control.with(claim).await.map_err(stopped)?.ok_or_else(no_seat)?;
        Ok(seated(taken, ticket))
    }

    fn wrong_token(&self, from: Option<IpAddr>) -> Option<Refusal> {
        let often = Guard::from(self, from, "rtc").wrong(None).err()?;
        Some(Refusal { status: 429, message: often.to_string() })
    }
}

/// The terms of somebody who takes the seat that they were given by that entry.
pub(crate) fn seated(taken: Taken, ticket: Option<u64>) -> Admission {
    Admission {
        ticket,
        seat: Admission::ENTERED_SEAT,
        publishing: Some(taken.publishing),
        permission: taken.permission,
        attributes: HashMap::from([(ROLE_ATTRIBUTE.to_owned(), taken.role.name().to_owned())]),
    }
}

/// There is no seat that the token takes.
pub(crate) fn no_seat() -> Refusal {
    Refusal::unauthorized("the seat was not taken in time or was taken away; enter the room again")
}
