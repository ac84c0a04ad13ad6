//! Questions to the room service by somebody who is in a room, with the token of their session.

use super::route::Route;
use super::service::{Service, not_confab};
use crate::room::{Failure, REACH};
use confab_protocol::{Code, EnterAnswer, Fault, HostAction, InviteAnswer, OneTimeTicket, Role, UserSigText};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

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
    let Ok(Value::Object(mut body)) = serde_json::to_value(action) else {
        // Every action is an object of texts and flags; another body would ask for something else.
        return Err(Fault::new(Code::FAILED));
    };
    body.remove("action");
    post(route, token, &format!("/v1/room/{}", action.name()), &Value::Object(body)).await
}

/// Makes what lets one person in once.
pub(crate) async fn invite(route: &Route, token: &Token) -> Result<OneTimeTicket, Fault> {
    let answer: InviteAnswer = question(route, token, "/v1/room/invite", &json!({})).await?;
    match answer.refusal() {
        Some(fault) => Err(fault),
        None => answer.ticket.ok_or_else(|| not_confab(route.server()).fault()),
    }
}

async fn post(route: &Route, token: &Token, path: &str, body: &Value) -> Result<(), Fault> {
    let answer: EnterAnswer = question(route, token, path, body).await?;
    answer.refusal().map_or(Ok(()), Err)
}

async fn question<A: DeserializeOwned>(
    route: &Route,
    token: &Token,
    path: &str,
    body: &Value,
) -> Result<A, Fault> {
    let asked = async {
        let way = route.way(REACH).await?;
        Service::new(route.server(), &way, REACH)?.post(path, body, Some(&token.0)).await
    };
    asked.await.map_err(Failure::fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signalling::answering;
    use confab_protocol::server_address;

    async fn invited(body: &'static str) -> Result<OneTimeTicket, Fault> {
        let server = answering(body).await;
        invite(&Route::new(server_address(Some(&server)).unwrap()), &Token("t".into())).await
    }

    #[tokio::test]
    async fn a_ticket_comes_or_the_servers_word_why_not() {
        assert_eq!(invited(r#"{"code":0,"ticket":"one"}"#).await.unwrap().as_str(), "one");
        let refused = invited(r#"{"code":-3,"message":"Only hosts may do this."}"#).await.unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (-3, "Only hosts may do this."));
        for nonsense in [r#"{"code":0}"#, r#"{"code":0,"ticket":""}"#, "[]"] {
            let broken = invited(nonsense).await.unwrap_err();
            assert!(broken.message.contains("not a Confab server"), "{nonsense}: {broken}");
        }
    }
}
