//! One person's place in a room.

use std::time::{Duration, Instant};

use confab_protocol::private_map_key::Privilege;
use confab_protocol::{ExitCause, LeaveReason, Role, Scene};

use super::Entry;
use super::effect::Order;
use super::ended::Ended;
use super::permission::{is_viewer, permission};
use crate::engine::Permission;
use crate::happening::{ClientInfo, What};

/// How long a seat waits for signalling after `/v1/enter` gave it out.
pub(crate) const RESERVATION: Duration = Duration::from_secs(30);

/// A place that somebody has or is expected on.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    pub(crate) role: Role,
    /// What their permission allows; None for somebody with a LiveKit token of their own.
    pub(crate) granted: Option<Privilege>,
    /// May not unmute.
    pub(crate) hushed: bool,
    /// Became a viewer while in the room: LiveKit's clients go on seeing them.
    pub(crate) stepped_down: bool,
    /// Somebody is expected on it.
    pub(crate) reserved: Option<Reservation>,
    /// Signalling is up, or the engine keeps the seat after a lost connection.
    pub(crate) present: bool,
    /// Counts everybody who came, in order.
    pub(crate) arrival: u64,
    /// The stay of the client that is present, if it named one.
    pub(crate) stay: Option<String>,
    /// The entry by which that client came, if it came by one.
    pub(crate) ticket: Option<u64>,
    /// What that client says of itself.
    pub(crate) client: ClientInfo,
    /// Whoever was at the door last.
    pub(crate) admitted: Option<Admitted>,
}

/// Somebody who is on the way from the door to their seat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted {
    /// The entry that they showed.
    pub(crate) ticket: Option<u64>,
    /// What they were let in as.
    pub(crate) role: Role,
    /// What they may do, as they were told.
    pub(crate) permission: Option<Permission>,
}

/// Somebody who is expected.
#[derive(Debug)]
pub(crate) struct Reservation {
    /// Signalling is expected until then.
    pub(crate) until: Instant,
    /// The stay of the client that is expected, if it named one.
    pub(crate) stay: Option<String>,
    /// It comes back by itself to a stay that was cut off.
    pub(crate) returning: bool,
    /// The entry by which that client comes, if it comes by one.
    pub(crate) ticket: Option<u64>,
    /// The role in which it comes; None for one that finds the role it has.
    pub(crate) role: Option<Role>,
    /// What its permission allows; None for somebody with a LiveKit token of their own.
    pub(crate) granted: Option<Privilege>,
    /// What the client says of itself, once it is at the door.
    pub(crate) client: ClientInfo,
}

impl Seat {
    /// Expects somebody by that entry. Whoever is present stays what they are until then.
    pub(crate) fn expect(&mut self, entry: &Entry, ticket: u64, now: Instant) {
        self.reserved = Some(Reservation {
            until: now + RESERVATION,
            stay: entry.stay.as_ref().map(|stay| stay.id.clone()),
            returning: entry.stay.as_ref().is_some_and(|stay| stay.returning),
            ticket: Some(ticket),
            role: (!self.is_returned_to(entry)).then_some(entry.role),
            granted: Some(entry.granted),
            client: ClientInfo::default(),
        });
    }

    /// Expects the client that is here, which comes back after a lost connection; None for one with a
    /// plain token.
    pub(crate) fn back(&self, client: ClientInfo, now: Instant) -> Option<Reservation> {
        Some(Reservation {
            until: now + RESERVATION,
            stay: self.stay.clone(),
            returning: true,
            ticket: Some(self.ticket?),
            role: None,
            granted: self.granted,
            client,
        })
    }

    /// Whoever is expected is here.
    pub(crate) fn take(&mut self, reservation: Reservation) {
        if let Some(role) = reservation.role {
            self.role = role;
            self.stepped_down = false;
        }
        self.granted = reservation.granted;
        self.stay = reservation.stay;
        self.ticket = reservation.ticket;
        self.client = reservation.client;
    }

    /// What the engine has to be told of somebody who is here, where they are something else by now than
    /// when they were at the door.
    pub(crate) fn correct(&mut self, identity: &str, scene: Option<Scene>) -> Vec<Order> {
        let Some(Admitted { role, permission: before, .. }) = self.admitted.take() else {
            return Vec::new();
        };
        let Some(permission) = self.permission(scene) else { return Vec::new() };
        let mut orders = Vec::new();
        if before != Some(permission) {
            orders.push(Order::Permission(identity.to_owned(), permission));
        }
        if role != self.role {
            orders.push(Order::role(identity, self.role));
        }
        orders
    }

    /// Whoever was present is gone, and somebody is expected still.
    pub(crate) fn vacate(&mut self) {
        let mut reserved = self.reserved.take();
        if let Some(reserved) = &mut reserved {
            reserved.role.get_or_insert(self.role);
        }
        *self = Seat { reserved, hushed: self.hushed, admitted: self.admitted, ..Seat::default() };
    }

    /// What the engine lets them do; None where their own token says it.
    pub(crate) fn permission(&self, scene: Option<Scene>) -> Option<Permission> {
        Some(self.terms(scene, self.role, self.granted?, self.stepped_down))
    }

    /// What they are, and may do, whom the engine lets in on this seat.
    pub(crate) fn admission(&self, scene: Option<Scene>) -> (Role, Option<Permission>) {
        let Some(reserved) = &self.reserved else { return (self.role, self.permission(scene)) };
        let role = reserved.role.unwrap_or(self.role);
        let stepped_down = self.stepped_down && reserved.role.is_none();
        (role, reserved.granted.map(|granted| self.terms(scene, role, granted, stepped_down)))
    }

    fn terms(&self, scene: Option<Scene>, role: Role, granted: Privilege, stepped_down: bool) -> Permission {
        let mut found = permission(scene.unwrap_or_default(), role, granted, self.hushed);
        found.hidden &= !stepped_down;
        found
    }

    /// What somebody counts as who is in a room of that scene.
    pub(crate) fn role_in(&self, scene: Option<Scene>) -> Role {
        if self.is_viewer(scene) { Role::Audience } else { Role::Anchor }
    }

    /// That somebody who was on it is out, for the listeners; None for an identity that is no user id.
    pub(crate) fn farewell(&self, identity: &str, scene: Option<Scene>, reason: LeaveReason) -> Option<What> {
        let user = identity.parse().ok()?;
        Some(What::Left { user, role: self.role_in(scene), reason, client: self.client.clone() })
    }

    /// Whether they only watch, or are going to.
    pub(crate) fn is_viewer(&self, scene: Option<Scene>) -> bool {
        let expected = self.reserved.as_ref().filter(|_| !self.present).and_then(|reserved| reserved.role);
        scene.is_some_and(|scene| is_viewer(scene, expected.unwrap_or(self.role)))
    }

    /// Whether somebody is on it, or is about to be, who does more than watch.
    pub(crate) fn takes_part(&self, scene: Option<Scene>) -> bool {
        let watches = |role: Role| scene.is_some_and(|scene| is_viewer(scene, role));
        !self.is_viewer(scene) || !watches(self.admission(scene).0)
    }

    /// Whether this is the seat of a client that comes back to it: it finds the role that it had.
    fn is_returned_to(&self, entry: &Entry) -> bool {
        let returning = entry.stay.as_ref().filter(|stay| stay.returning);
        self.present && returning.is_some_and(|stay| self.stay.as_ref() == Some(&stay.id))
    }

    /// Whether that entry is not older than the one by which whoever is present came.
    pub(crate) fn is_for(&self, ticket: Option<u64>) -> bool {
        !self.present || ticket >= self.ticket
    }

    /// Whether somebody who came by the room service has it, or is expected on it.
    pub(crate) fn is_entered(&self) -> bool {
        self.ticket.is_some() || self.reserved.as_ref().is_some_and(|reserved| reserved.ticket.is_some())
    }

    /// The entry of whoever is on the way from the door to it, where there is somebody.
    pub(crate) fn at_door(&self) -> Option<u64> {
        self.admitted.and_then(|admitted| admitted.ticket)
    }

    /// Whether another stay has this seat, or is about to take it.
    pub(crate) fn is_taken_from(&self, stay: &str) -> bool {
        let expected = self.reserved.as_ref().and_then(|reservation| reservation.stay.as_deref());
        (self.present && self.stay.as_deref() != Some(stay)) || expected.is_some_and(|other| other != stay)
    }

    /// The seat is taken away: its stays, the present and the expected one, are over.
    pub(crate) fn end(self, ended: &mut Ended, key: &str, user: &str, cause: ExitCause, now: Instant) {
        let expected = self.reserved.and_then(|reservation| reservation.stay);
        for stay in self.stay.into_iter().chain(expected) {
            ended.note(stay, key, user, cause, now);
        }
    }
}
