//! `POST /v1/room/...`: what hosts do, authorised by the token of their session.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use confab_protocol::{Code, EnterAnswer, Fault, HostAction};
use serde_json::{Map, Value};
use tracing::info;

use super::v1::{Refusal, answered, members, unreadable};
use super::{Guard, Shared, origin, read, session, words};
use crate::control::Rooms;

/// A user id and a few flags.
const BODY_LIMIT: usize = 4 * 1024;
/// What an action is chosen by, which stands in the path.
const ACTION: &str = "action";

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
    let name = name.ok_or_else(no_such_action)?;
    // What needs no parameters needs no body.
    let members = if body.is_empty() { Map::new() } else { members(&body)? };
    let action = read_action(name, members)?;
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

fn no_such_action() -> Fault {
    let known = HostAction::NAMES.join(", ");
    Fault::new(Code::NOT_SUPPORTED).with_message(format!("Hosts can do: invite, {known}."))
}

/// Reads an action from the members of its body. Serde reads one that is chosen by its name without saying
/// which member is wrong, so each is read alone first.
fn read_action(name: &'static str, mut members: Map<String, Value>) -> Result<HostAction, Refusal> {
    // An action without parameters would be read with any, and one that names itself as that.
    let odd = members.keys().find(|member| name == HostAction::Dismiss.name() || *member == ACTION);
    if let Some(odd) = odd {
        return Err(unreadable(&format!("there is no field {odd}")));
    }
    for (member, value) in &members {
        let alone = Map::from_iter([(ACTION.to_owned(), name.into()), (member.clone(), value.clone())]);
        let read = serde_json::from_value::<HostAction>(Value::Object(alone));
        if let Some(why) = read.err().and_then(|error| words::plain_alone(member, &error)) {
            return Err(unreadable(&why));
        }
    }
    members.insert(ACTION.to_owned(), name.into());
    serde_path_to_error::deserialize(Value::Object(members))
        .map_err(|error| unreadable(&words::plain(&error)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(name: &'static str, body: Value) -> String {
        let Value::Object(members) = body else { panic!("{body} is no object") };
        let Err(Refusal::Unreadable(sentence)) = read_action(name, members) else {
            panic!("{name} was read")
        };
        sentence
    }

    #[test]
    fn what_is_wrong_with_an_action_is_said_with_the_members_name() {
        let cases = [
            ("remove", json!({}), "userId is missing"),
            ("coHost", json!({ "userId": "bob" }), "on is missing"),
            ("stopVideo", json!({ "userId": null }), "userId must be a text"),
            ("mute", json!({ "userId": 5, "allowUnmute": false }), "userId must be a text"),
            ("mute", json!({ "userId": "bob", "allowUnmute": "no" }), "allowUnmute must be true or false"),
            ("lock", json!({ "on": 1 }), "on must be true or false"),
            ("coHost", json!({ "on": [] }), "on must be true or false"),
            ("remove", json!({ "userId": "bob", "ban": null }), "ban must be true or false"),
            (
                "deny",
                json!({ "userId": "b b" }),
                "userId: The user id has the character ' ' at place 2; only A-Z a-z 0-9 _ and - are allowed",
            ),
            ("remove", json!({ "userID": "bob" }), "there is no field userID, only userId, ban"),
            ("lock", json!({ "on": true, "seat": 1 }), "there is no field seat, only on"),
            ("dismiss", json!({ "userId": "bob" }), "there is no field userId"),
            ("lock", json!({ "action": "unban", "on": true }), "there is no field action"),
        ];
        for (name, body, why) in cases {
            assert_eq!(said(name, body), format!("The request cannot be read: {why}."));
        }
    }

    #[test]
    fn an_action_is_read_with_all_its_members() {
        let Value::Object(members) = json!({ "userId": "bob", "ban": true }) else { panic!("an object") };
        let Ok(action) = read_action("remove", members) else { panic!("it is a good one") };
        assert_eq!(action, HostAction::Remove { user_id: "bob".parse().unwrap(), ban: true });
        for name in HostAction::NAMES.into_iter().filter(|name| ["mute", "dismiss"].contains(name)) {
            assert!(read_action(name, Map::new()).is_ok_and(|action| action.name() == name));
        }
    }

    #[test]
    fn an_action_that_is_not_known_is_answered_with_all_that_are() {
        let known = no_such_action().message;
        for name in HostAction::NAMES.into_iter().chain(["invite"]) {
            assert!(known.contains(&format!(" {name}")), "{name} is not in {known}");
        }
    }
}
