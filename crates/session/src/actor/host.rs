//! What is asked of the room service while in a room: another role, what hosts do.

use super::switch::Crossing;
use super::{Actor, Inside, Reply};
use crate::room::{NOT_IN_ROOM, Phase};
use crate::signalling::{Route, Token, act, change_role, invite};
use confab_protocol::{
    Code, EnterParams, Event, Fault, HostAction, Notice, OneTimeTicket, Role, RoomState, UserSigText,
};
use std::sync::Arc;

/// What the room service has answered about another role.
#[derive(Debug)]
pub(crate) struct Asked {
    role: Role,
    permission: Option<UserSigText>,
    /// What the server had told of our role before.
    told: Option<Role>,
    done: Result<(), Fault>,
}

/// What belongs to the present room.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Shows the room service who we are.
    pub(super) token: Option<Token>,
    /// How the room stands, as the app was told.
    state: Option<RoomState>,
    /// Who is kept out, where we are told.
    banned: Vec<String>,
    /// Somebody waits, as the app was told.
    waits: bool,
    /// A role that was asked for and not told yet.
    switching: Option<Role>,
    /// The room service is asked for a role.
    asking: bool,
    /// The way to another room, while that is asked for a seat.
    pub(super) crossing: Option<Crossing>,
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
        if self.standing.asking {
            let why = "Another role is asked for already; wait for its answer.";
            return drop(reply.send(Err(Fault::new(Code::REFUSED).with_message(why))));
        }
        let _ = reply.send(Ok(()));
        (self.standing.switching, self.standing.asking) = (Some(role), true);
        let (inside, told) = (self.inside.clone(), self.local.may.role);
        self.asking.spawn(async move {
            let done = change_role(&route, &token, role, permission.as_ref()).await;
            let _ = inside.send(Inside::Role(Asked { role, permission, told, done })).await;
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

    /// Makes what lets one person in once; the answer is the server's.
    pub(super) fn invite_ticket(&mut self, reply: Reply<Result<OneTimeTicket, Fault>>) {
        let (_, token, route) = match self.present() {
            Ok(present) => present,
            Err(fault) => return drop(reply.send(Err(fault))),
        };
        self.acting.spawn(async move {
            let _ = reply.send(invite(&route, &token).await);
        });
    }

    /// What we are in the room with.
    pub(super) fn present(&self) -> Result<(Arc<EnterParams>, Token, Arc<Route>), Fault> {
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
    pub(super) fn role_answered(&mut self, Asked { role, permission, told, done }: Asked) {
        self.standing.asking = false;
        match done {
            // What the server has told since then counts more: a host may have wanted something else.
            Ok(()) => {
                let now = self.local.may.role.filter(|now| Some(*now) != told);
                self.in_role(now.unwrap_or(role), permission);
            }
            Err(fault) => {
                self.standing.switching = None;
                let role = self.params.as_ref().map(|params| params.role).unwrap_or_default();
                self.emit(Event::OnSwitchRole { code: fault.code, message: fault.message, role });
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
        }
    }

    /// Whether a host keeps us from unmuting, as far as the room says.
    pub(super) fn is_muted_by_host(&self) -> bool {
        let own = self.params.as_ref().map(|params| params.user_id.as_str());
        let says = |state: &RoomState| {
            state.muted_all || state.forbidden.iter().any(|user| Some(user.as_str()) == own)
        };
        self.standing.state.as_ref().is_some_and(says)
    }

    /// The room's metadata, which is how it stands.
    pub(super) fn room_stands(&mut self, metadata: &str) {
        let Some(state) = RoomState::from_metadata(metadata) else { return };
        self.stands(RoomState { banned: self.standing.banned.clone(), ..state });
    }

    fn stands(&mut self, state: RoomState) {
        if self.standing.state.as_ref() != Some(&state) {
            self.standing.state = Some(state.clone());
            self.emit_in_room(Event::OnRoomState(state));
        }
    }

    /// Another connection begins: what only hosts hear is told anew where there is something to tell.
    pub(super) fn forget_lists(&mut self) {
        self.standing.banned.clear();
        if std::mem::take(&mut self.standing.waits) {
            self.emit_in_room(Event::OnWaitingList { people: Vec::new() });
        }
    }

    /// What the server tells beyond LiveKit's messages, and what is no exit.
    pub(super) fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::UserLeft { user_id, reason } => self.people.will_leave(&user_id, reason),
            Notice::Host { what, by } => self.emit_in_room(Event::OnHostAction { what, by }),
            Notice::Waiting { people } => {
                self.standing.waits = !people.is_empty();
                self.emit_in_room(Event::OnWaitingList { people });
            }
            Notice::Banned { people } => {
                self.standing.banned.clone_from(&people);
                if let Some(state) = self.standing.state.clone() {
                    self.stands(RoomState { banned: people, ..state });
                }
            }
            Notice::Exit { .. } => {}
        }
    }
}
