//! What hosts do.

use std::time::Instant;

use confab_protocol::{Code, Fault, HostAction, Notice, UserId};

use super::{NoSuchRoom, Rooms};
use crate::control::effect::Order;
use crate::control::rights::{Standing, allowed};
use crate::control::room::{MOST_BANNED, MOST_HUSHED, Room};
use crate::engine::Kind;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// Somebody in the room.
    Person(String),
    /// Somebody with a key of the server.
    Administrator,
}

impl By {
    /// The user id of a person.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            By::Person(user) => Some(user),
            By::Administrator => None,
        }
    }
}

impl Rooms {
    /// Whether that session is the one that is in the room now.
    pub(crate) fn holds(&self, key: &str, identity: &str, ticket: Option<u64>) -> bool {
        let seat = self.rooms.get(key).and_then(|room| room.seats.get(identity));
        seat.is_some_and(|seat| seat.present && seat.ticket.is_some() && seat.ticket == ticket)
    }

    /// Does what a host asks, if they may.
    pub(crate) fn act(&mut self, key: &str, by: &By, action: &HostAction, now: Instant) -> Result<(), Fault> {
        self.expire(now);
        let room = self.rooms.get(key).ok_or_else(|| Fault::new(Code::CENTER_ROOM_NOT_EXIST))?;
        let target = action.target().map(UserId::as_str);
        let own = target.is_some() && target == by.name();
        let standing = by.name().map_or(Standing::Administrator, |user| room.standing(user));
        let of_target = target.map_or(Standing::Outside, |user| room.rank(user));
        allowed(action, standing, of_target, own)
            .map_err(|forbidden| Fault::new(Code::REFUSED).with_message(forbidden.sentence()))?;
        if let Some(target) = target.filter(|user| needs_presence(action) && !room.is_present(user)) {
            return Err(absent(target));
        }
        self.carry_out(key, by, action, now)?;
        if let Some(room) = self.rooms.get_mut(key) {
            room.touched = true;
        }
        self.settle(key, now);
        Ok(())
    }

    fn carry_out(&mut self, key: &str, by: &By, action: &HostAction, now: Instant) -> Result<(), Fault> {
        let gone = |_: NoSuchRoom| Fault::new(Code::CENTER_ROOM_NOT_EXIST);
        let room = self.rooms.get_mut(key).ok_or_else(|| gone(NoSuchRoom))?;
        let notice = Notice::Host { what: action.clone(), by: by.name().map(str::to_owned) };
        let mut to = audience(room, action);
        let mut orders = Vec::new();
        match action {
            HostAction::Mute { user_id, allow_unmute } => {
                let whom = user_id.as_ref().map(UserId::as_str);
                orders = mute(room, whom, *allow_unmute);
            }
            HostAction::AllowUnmute { user_id } => {
                orders = allow_unmute(room, user_id.as_ref().map(UserId::as_str));
            }
            HostAction::StopVideo { user_id } => {
                orders.push(Order::Silence(user_id.to_string(), Kind::Video));
            }
            HostAction::StopShare { user_id } => {
                orders.push(Order::Silence(user_id.to_string(), Kind::Screen));
            }
            HostAction::Remove { user_id, ban } => {
                if *ban {
                    self::ban(room, user_id)?;
                } else if !room.seats.contains_key(user_id.as_str()) {
                    return Err(absent(user_id.as_str()));
                }
                self.tell(key, notice, to);
                return self.remove(key, &[user_id.to_string()], by.name(), now).map_err(gone);
            }
            HostAction::Dismiss => return self.dismiss(key, by.name(), now).map_err(gone),
            HostAction::Unban { user_id } => {
                if !room.banned.remove(user_id.as_str()) {
                    let why = format!("{user_id} is not kept out of this room.");
                    return Err(Fault::new(Code::CENTER_FIND_USER_FAILED).with_message(why));
                }
            }
            HostAction::Lock { on } => room.locked = *on,
            HostAction::WaitingRoom { on } => {
                room.waits = *on;
                if !on {
                    room.waiting.admit_all(now);
                }
            }
            HostAction::Admit { user_id: None } => {
                room.waiting.admit_all(now);
                to = Some(room.hosts());
            }
            HostAction::Admit { user_id: Some(user_id) } | HostAction::Deny { user_id } => {
                let admitted = matches!(action, HostAction::Admit { .. });
                if !room.waiting.answer(user_id.as_str(), admitted, now) {
                    let why = format!("{user_id} does not wait to be let in.");
                    return Err(Fault::new(Code::CENTER_FIND_USER_FAILED).with_message(why));
                }
                to = Some(room.hosts());
            }
            HostAction::HandOver { user_id } => orders.extend(hand_over(room, user_id)?),
            HostAction::CoHost { user_id, on } => orders.extend(co_host(room, user_id, *on)?),
        }
        self.tell(key, notice, to);
        for order in orders {
            self.agenda.order(key, order);
        }
        Ok(())
    }

    /// Tells these people, or everybody where none are named.
    fn tell(&mut self, key: &str, notice: Notice, to: Option<Vec<String>>) {
        if to.as_ref().is_none_or(|to| !to.is_empty()) {
            self.agenda.order(key, Order::Notice(notice, to.unwrap_or_default()));
        }
    }
}

/// Who hears of it, where not everybody does: nobody else hears the name of somebody who only watches, or
/// is not in the room.
fn audience(room: &Room, action: &HostAction) -> Option<Vec<String>> {
    let target = action.target()?.as_str();
    match room.seats.get(target).filter(|seat| seat.present) {
        Some(seat) if seat.is_viewer(room.scene) => {
            Some(room.hosts().into_iter().chain([target.to_owned()]).collect())
        }
        Some(_) => None,
        None => Some(room.hosts()),
    }
}

/// Whether the person it is about has to be in the room.
fn needs_presence(action: &HostAction) -> bool {
    match action {
        HostAction::Mute { user_id, .. } | HostAction::AllowUnmute { user_id } => user_id.is_some(),
        HostAction::StopVideo { .. }
        | HostAction::StopShare { .. }
        | HostAction::HandOver { .. }
        | HostAction::CoHost { .. } => true,
        HostAction::Remove { .. }
        | HostAction::Unban { .. }
        | HostAction::Lock { .. }
        | HostAction::WaitingRoom { .. }
        | HostAction::Admit { .. }
        | HostAction::Deny { .. }
        | HostAction::Dismiss => false,
    }
}

fn absent(user: &str) -> Fault {
    Fault::new(Code::CENTER_FIND_USER_FAILED).with_message(format!("{user} is not in the room."))
}

/// Mutes one person, or everybody but hosts; who may not unmute loses the permission to send a voice.
fn mute(room: &mut Room, whom: Option<&str>, allow_unmute: bool) -> Vec<Order> {
    let hosts: Vec<String> = room.owner.iter().chain(&room.co_hosts).cloned().collect();
    room.muted_all |= whom.is_none() && !allow_unmute;
    if !allow_unmute {
        room.allowed.retain(|user| whom.is_some_and(|whom| whom != user));
    }
    let scene = room.scene;
    let mut orders = Vec::new();
    let mut seats: Vec<_> = room.seats.iter_mut().collect();
    seats.sort_by_key(|(_, seat)| seat.arrival);
    for (user, seat) in seats {
        if !whom.map_or_else(|| !hosts.contains(user), |whom| whom == user) {
            continue;
        }
        seat.hushed |= !allow_unmute;
        // Who only watches sends nothing yet.
        if seat.is_viewer(scene) {
            continue;
        }
        orders.push(Order::Silence(user.clone(), Kind::Audio));
        if !allow_unmute {
            orders
                .extend(seat.permission(scene).map(|permission| Order::Permission(user.clone(), permission)));
        }
    }
    orders
}

fn allow_unmute(room: &mut Room, whom: Option<&str>) -> Vec<Order> {
    room.muted_all &= whom.is_some();
    match whom {
        None => {
            room.hushed_away.clear();
            room.allowed.clear();
        }
        Some(user) if room.muted_all && room.allowed.len() < MOST_HUSHED => {
            room.allowed.insert(user.to_owned());
        }
        Some(_) => {}
    }
    let scene = room.scene;
    let meant = |user: &String| whom.is_none_or(|whom| whom == user);
    let mut orders = Vec::new();
    for (user, seat) in room.seats.iter_mut().filter(|(user, seat)| seat.hushed && meant(user)) {
        seat.hushed = false;
        let permission = seat.permission(scene).filter(|_| !seat.is_viewer(scene));
        orders.extend(permission.map(|permission| Order::Permission(user.clone(), permission)));
    }
    orders
}

fn ban(room: &mut Room, user: &UserId) -> Result<(), Fault> {
    if room.banned.len() >= MOST_BANNED && !room.banned.contains(user.as_str()) {
        let many =
            format!("A room keeps out {MOST_BANNED} people at most; dismiss it, or let somebody in again.");
        return Err(Fault::new(Code::REFUSED).with_message(many));
    }
    room.banned.insert(user.to_string());
    Ok(())
}

fn hand_over(room: &mut Room, user: &UserId) -> Result<Option<Order>, Fault> {
    if !room.can_host(user.as_str()) {
        return Err(no_host(user));
    }
    if room.owner.as_deref() == Some(user.as_str()) {
        return Ok(None);
    }
    room.co_hosts.retain(|host| host != user.as_str());
    room.co_hosts.extend(room.owner.replace(user.to_string()));
    Ok(room.unhush(user.as_str()))
}

fn no_host(user: &UserId) -> Fault {
    let why = format!("{user} only watches, or came by another program, and cannot be a host.");
    Fault::new(Code::REFUSED).with_message(why)
}

fn co_host(room: &mut Room, user: &UserId, on: bool) -> Result<Option<Order>, Fault> {
    if room.owner.as_deref() == Some(user.as_str()) {
        let why = format!("{user} is the host of the room; hand it over to somebody else first.");
        return Err(Fault::new(Code::REFUSED).with_message(why));
    }
    if on && !room.can_host(user.as_str()) {
        return Err(no_host(user));
    }
    room.co_hosts.retain(|host| host != user.as_str());
    if !on {
        return Ok(None);
    }
    room.co_hosts.push(user.to_string());
    Ok(room.unhush(user.as_str()))
}
