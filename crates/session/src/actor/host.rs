//! What is asked of the room service while in a room: another role, another room, what hosts do.

use super::{Actor, Inside, Reply};
use crate::room::{Failure, NOT_IN_ROOM, Phase, REACH};
use crate::signalling::{Route, Token, act, ask, change_role};
use confab_protocol::{
    Code, EnterParams, Event, Fault, HostAction, Notice, OtherRoom, Role, RoomState, Stay, UserSigText,
};
use std::sync::Arc;
use std::time::Instant;

/// What the room service has answered.
#[derive(Debug)]
pub(crate) enum Asked {
    /// About another role.
    Role(Role, Option<UserSigText>, Result<(), Fault>),
    /// About another room.
    Room(Box<EnterParams>, Result<(), Fault>),
}

/// What belongs to the present room.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Shows the room service who we are.
    pub(super) token: Option<Token>,
    /// How the room stands, as the app was told.
    state: Option<RoomState>,
    /// A role that was asked for and not told yet.
    switching: Option<Role>,
}

impl Actor {
    /// The call `switchRole`; `onSwitchRole` tells how it went.
    pub(super) fn switch_role(
        &mut self,
        role: Role,
        permission: Option<UserSigText>,
        reply: Reply<Result<(), Fault>>,
    ) {
        let (params, token, route) = match self.present() {
            Ok(present) => present,
            Err(fault) => return drop(reply.send(Err(fault))),
        };
        if !params.scene.is_live() {
            let why = "Everybody in a call may speak and be seen; roles exist in live rooms only.";
            return drop(reply.send(Err(Fault::new(Code::BAD_SCENE_OR_ROLE).with_message(why))));
        }
        let _ = reply.send(Ok(()));
        self.standing.switching = Some(role);
        let inside = self.inside.clone();
        self.asking.spawn(async move {
            let done = change_role(&route, &token, role, permission.as_ref()).await;
            let _ = inside.send(Inside::Asked(Asked::Role(role, permission, done))).await;
        });
    }

    /// The call `switchRoom`: the other room is asked first, so that a refusal costs nothing.
    pub(super) fn switch_room(&mut self, to: OtherRoom, reply: Reply<Result<(), Fault>>) {
        let checked = self.present().and_then(|(params, _, _)| params.elsewhere(to));
        let params = match checked {
            Ok(params) => params,
            Err(fault) => return drop(reply.send(Err(fault))),
        };
        let Some(route) = self.route.clone() else { return };
        let _ = reply.send(Ok(()));
        let inside = self.inside.clone();
        self.asking.spawn(async move {
            // The seat is kept for whoever comes next in our name; the stay is named when we come.
            let stay = Stay { id: "switch".to_owned(), returning: false };
            let done = ask(&route, &params, stay, REACH).await.map(drop).map_err(Failure::fault);
            let _ = inside.send(Inside::Asked(Asked::Room(Box::new(params), done))).await;
        });
    }

    /// Does what a host does; the answer is the server's.
    pub(super) fn act(&mut self, action: HostAction, reply: Reply<Result<(), Fault>>) {
        let (_, token, route) = match self.present() {
            Ok(present) => present,
            Err(fault) => return drop(reply.send(Err(fault))),
        };
        self.acting.spawn(async move {
            let _ = reply.send(act(&route, &token, &action).await);
        });
    }

    /// What we are in the room with.
    fn present(&self) -> Result<(Arc<EnterParams>, Token, Arc<Route>), Fault> {
        let found = (self.params.clone(), self.standing.token.clone(), self.route.clone());
        match (found, self.room.phase()) {
            ((Some(params), Some(token), Some(route)), Phase::In) => Ok((params, token, route)),
            (_, Phase::Reconnecting) => {
                let why = "The connection to the room is being restored; try again when it is back.";
                Err(Fault::new(Code::REFUSED).with_message(why))
            }
            _ => Err(Fault::new(Code::REFUSED).with_message(NOT_IN_ROOM)),
        }
    }

    /// The room service has answered.
    pub(super) async fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Role(role, permission, Ok(())) => self.in_role(role, permission),
            Asked::Role(_, _, Err(fault)) => {
                self.standing.switching = None;
                let role = self.params.as_ref().map(|params| params.role).unwrap_or_default();
                self.emit(Event::OnSwitchRole { code: fault.code, message: fault.message, role });
            }
            Asked::Room(params, Ok(())) => match self.room.switch(*params, Instant::now()) {
                Ok(effects) => self.carry_out(effects).await,
                Err(fault) => self.emit(Event::OnSwitchRoom { code: fault.code, message: fault.message }),
            },
            Asked::Room(_, Err(fault)) => {
                self.complain(&fault);
                self.emit(Event::OnSwitchRoom { code: fault.code, message: fault.message });
            }
        }
    }

    /// We have that role from now on, whoever wanted it; told once.
    pub(super) fn in_role(&mut self, role: Role, permission: Option<UserSigText>) {
        let Some(params) = self.params.as_ref().filter(|params| params.scene.is_live()) else { return };
        let news = params.role != role;
        if news || permission.is_some() {
            let private_map_key = permission.or_else(|| params.private_map_key.clone());
            let params = Arc::new(EnterParams { role, private_map_key, ..params.as_ref().clone() });
            self.room.set_params(params.clone());
            self.params = Some(params);
        }
        if self.standing.switching.take_if(|wanted| *wanted == role).is_some() || news {
            self.emit_in_room(Event::OnSwitchRole { code: 0, message: String::new(), role });
            self.warn_unsent();
        }
    }

    /// The room's metadata, which is how it stands.
    pub(super) fn room_stands(&mut self, metadata: &str) {
        let Some(state) = RoomState::from_metadata(metadata) else { return };
        if self.standing.state.as_ref() != Some(&state) {
            self.standing.state = Some(state.clone());
            self.emit_in_room(Event::OnRoomState(state));
        }
    }

    /// What the server tells beyond LiveKit's messages, and what is no exit.
    pub(super) fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::UserLeft { user_id, reason } => self.people.will_leave(&user_id, reason),
            Notice::Host { what, by } => self.emit_in_room(Event::OnHostAction { what, by }),
            Notice::Waiting { people } => self.emit_in_room(Event::OnWaitingList { people }),
            Notice::Exit { .. } => {}
        }
    }
}
