//! `POST /v1/role`: what somebody in a live room is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use confab_protocol::private_map_key::{self, Privilege};
use confab_protocol::{Code, EnterAnswer, Fault, Role, RoomId, Scene, SdkAppId};
use tracing::{info, warn};

use super::v1::{self, Refusal, answered, members, parameters};
use super::{Guard, Shared, origin, read, session};
use crate::attempts::Name;
use crate::clock::unix_now;
use crate::control::{RoleError, Rooms};

/// Changes somebody's role. Who asks shows the token of their session, or what they entered with.
pub(crate) async fn role(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = try_role(&shared, request).await.map(|()| EnterAnswer::default());
    answered("role", &shared, answer)
}

/// Whose role it is, and what a permission that they brought allows.
struct Asked {
    key: String,
    user: String,
    fresh: Option<Privilege>,
}

async fn try_role(shared: &Shared, request: Request) -> Result<(), Refusal> {
    let (head, body) = request.into_parts();
    let mut raw = parameters(members(&read(body, v1::BODY_LIMIT).await?)?)?;
    origin::check_signed(&head.headers, shared.config().nameless)?;
    let role = raw.role.ok_or_else(|| Fault::new(Code::INVALID_ROLE))?;
    let guard = Guard::new(shared, &head.extensions, "role");
    let asked = match session::of(shared, &head.headers, guard).await? {
        Some(session) => {
            let Some((app, room, user)) = session.person() else {
                let nobody = "A role is changed with the session's token, not with an administrator's.";
                return Err(Fault::new(Code::INVALID_PARAMETER).with_message(nobody).into());
            };
            let ticket = raw.private_map_key.as_deref();
            let fresh = ticket.map(|ticket| fresh(shared, guard, ticket, app, user, &room)).transpose()?;
            Asked { key: session.room.clone(), user: user.to_owned(), fresh }
        }
        None => {
            // Outside the live scenes a role is no parameter; whether the room is one is checked below.
            raw.scene = Some(Scene::Live);
            let brought = raw.private_map_key.is_some();
            let entry = v1::believed(guard, raw, None, &shared.config(), unix_now())?;
            let fresh = brought.then_some(entry.granted);
            Asked { key: entry.room.key(entry.app), user: entry.user.as_str().to_owned(), fresh }
        }
    };
    change(shared, asked, role).await
}

async fn change(shared: &Shared, asked: Asked, role: Role) -> Result<(), Refusal> {
    let Asked { key, user, fresh } = asked;
    let (rule_key, rule_user) = (key.clone(), user.clone());
    let rule = move |rooms: &mut Rooms, now| rooms.set_role(&rule_key, &rule_user, role, fresh, now);
    let (before, performed) = shared.control.have_done(rule).await?;
    let before = before.map_err(|error| fault(error, &key))?;
    if performed.failed {
        warn!(user, "role not changed");
        return Err(Fault::new(Code::SERVER_PROCESS_FAILED).into());
    }
    if before != role {
        info!(user, role = %role, "role changed");
    }
    Ok(())
}

/// What a permission allows that somebody brings to their session.
fn fresh(
    shared: &Shared,
    guard: Guard<'_>,
    ticket: &str,
    app: SdkAppId,
    user: &str,
    room: &RoomId,
) -> Result<Privilege, Refusal> {
    let name = Name::person(i64::from(app.0), user);
    let config = shared.config();
    let key_of = |app: SdkAppId| config.app_key(app.0);
    let verified = private_map_key::verify(ticket, app, key_of, user, room, unix_now());
    verified.map(|permission| permission.bits).map_err(|error| guard.refused(Some(name), error.into()))
}

fn fault(error: RoleError, key: &str) -> Fault {
    match error {
        RoleError::NoRoom => Fault::new(Code::CENTER_ROOM_NOT_EXIST),
        RoleError::NotInRoom => Fault::new(Code::REFUSED).with_message("You are not in the room."),
        RoleError::NoEntrance => Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM)
            .with_message("Your permission does not let you into this room."),
        RoleError::NothingToSend => Fault::new(Code::INVALID_PRIVATE_MAP_KEY)
            .with_message("Your permission is for the audience: it lets you send nothing."),
        RoleError::Scene(scene) => {
            let kind = scene.map_or("no scene", Scene::name);
            let room = RoomId::from_key(key).map(|(_, room)| room.to_string()).unwrap_or_default();
            Fault::new(Code::BAD_SCENE_OR_ROLE).with_message(format!(
                "Roles exist in the scenes live and voiceChatRoom only; room {room} has {kind}."
            ))
        }
    }
}
