//! Questions to the room service by somebody who is in a room, with the token of their session.

use super::route::Route;
use super::service::Service;
use crate::room::REACH;
use confab_protocol::{EnterAnswer, Fault, HostAction, Role, UserSigText};
use serde_json::{Map, Value, json};

/// The token of a session. Never printed.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Asks for another role, with a fresh permission where the application wants one.
pub(crate) async fn change_role(
    route: &Route,
    token: &Token,
    role: Role,
    permission: Option<&UserSigText>,
) -> Result<(), Fault> {
    let mut body = json!({ "role": role });
    if let Some(permission) = permission {
        body["privateMapKey"] = Value::from(permission.0.as_str());
    }
    post(route, token, "/v1/role", &body).await
}

/// Does what a host does.
pub(crate) async fn act(route: &Route, token: &Token, action: &HostAction) -> Result<(), Fault> {
    let body = match serde_json::to_value(action) {
        Ok(Value::Object(mut members)) => {
            members.remove("action");
            members
        }
        Ok(_) | Err(_) => Map::new(),
    };
    post(route, token, &format!("/v1/room/{}", action.name()), &Value::Object(body)).await
}

async fn post(route: &Route, token: &Token, path: &str, body: &Value) -> Result<(), Fault> {
    let asked = async {
        let way = route.way(REACH).await?;
        let service = Service::new(route.server(), &way, REACH)?;
        service.post::<EnterAnswer>(path, body, Some(&token.0)).await
    };
    match asked.await {
        Ok(answer) => answer.refusal().map_or(Ok(()), Err),
        Err(failure) => Err(failure.fault()),
    }
}
