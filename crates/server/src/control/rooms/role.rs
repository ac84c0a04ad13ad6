//! Changing what somebody in a live room is.

use std::time::Instant;

use confab_protocol::private_map_key::Privilege;
use confab_protocol::{LeaveReason, Notice, Role, Scene};

use super::Rooms;
use crate::control::effect::Order;
use crate::happening::What;

/// Why a role stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoleError {
    NoRoom,
    NotInRoom,
    /// Roles exist in live scenes only.
    Scene(Option<Scene>),
    /// The permission that they brought does not let them in.
    NoEntrance,
    /// Their permission lets them send nothing.
    NothingToSend,
}

impl Rooms {
    /// Changes somebody's role, and what their permission allows where they brought a fresh one; answers
    /// the role before. Somebody who steps down stays visible to LiveKit's clients; ours drop them from
    /// the list by the notice.
    pub(crate) fn set_role(
        &mut self,
        key: &str,
        identity: &str,
        role: Role,
        fresh: Option<Privilege>,
        now: Instant,
    ) -> Result<Role, RoleError> {
        let room = self.rooms.get_mut(key).ok_or(RoleError::NoRoom)?;
        let scene = room.scene;
        if !scene.is_some_and(Scene::is_live) {
            return Err(RoleError::Scene(scene));
        }
        let seat = room.seats.get_mut(identity).filter(|seat| seat.present).ok_or(RoleError::NotInRoom)?;
        if fresh.is_some_and(|fresh| !fresh.allows(Privilege::ENTER)) {
            return Err(RoleError::NoEntrance);
        }
        let granted = fresh.or(seat.granted);
        if role == Role::Anchor && !granted.is_none_or(crate::control::permission::may_send) {
            return Err(RoleError::NothingToSend);
        }
        let permission_before = seat.permission(scene);
        let before = std::mem::replace(&mut seat.role, role);
        seat.granted = granted;
        seat.stepped_down = role == Role::Audience && (seat.stepped_down || before == Role::Anchor);
        let permission = seat.permission(scene);
        if before == role && permission == permission_before {
            return Ok(before);
        }
        let mut orders: Vec<Order> = permission
            .map(|permission| Order::Permission(identity.to_owned(), permission))
            .into_iter()
            .collect();
        if before != role {
            let attributes = Order::role(identity, role);
            // Nobody is an anchor who may not send yet: they would take themselves for muted by a host.
            if role == Role::Anchor {
                orders.push(attributes);
            } else {
                let reason = LeaveReason::BecameAudience;
                let notice = Notice::UserLeft { user_id: identity.to_owned(), reason };
                orders.splice(0..0, [Order::Notice(notice, Vec::new()), attributes]);
            }
        }
        for order in orders {
            self.agenda.order(key, order);
        }
        if let (Some(created), Ok(user)) = (room.created, identity.parse())
            && before != role
        {
            self.agenda.happened(key, created, What::RoleChanged { user, role });
        }
        room.audience_changed = true;
        room.touched = true;
        self.settle(key, now);
        Ok(before)
    }
}
