//! One room: who is in it or expected, who its hosts are, and how it stands.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use confab_protocol::{Code, Fault, Limits, RoomState, Scene};
use serde::{Deserialize, Serialize};

use super::Entry;
use super::effect::Order;
use super::invites::{Invites, NoEntrance};
use super::rights::Standing;
use super::seat::Seat;
use super::waiting::{Answer, WaitingRoom};

/// How long a room that outlived a restart waits for its people.
pub(crate) const RETURN: Duration = Duration::from_secs(90);
/// People a room keeps out at once.
pub(crate) const MOST_BANNED: usize = 1000;
/// People of whom a room remembers that they may not unmute when they come back, or that they may.
pub(crate) const MOST_HUSHED: usize = 1000;

/// A room with somebody in it or expected in it.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// None where only people with plain LiveKit tokens came.
    pub(crate) scene: Option<Scene>,
    pub(crate) seats: HashMap<String, Seat>,
    /// An empty live room is kept until then.
    pub(crate) lingers: Option<Instant>,
    /// When the first one was in, Unix seconds.
    pub(crate) created: Option<u64>,
    pub(crate) owner: Option<String>,
    /// In the order in which they became it.
    pub(crate) co_hosts: Vec<String>,
    pub(crate) banned: BTreeSet<String>,
    pub(crate) locked: bool,
    /// Those who come wait.
    pub(crate) waits: bool,
    /// Those who come may not unmute.
    pub(crate) muted_all: bool,
    /// But these may, whom a host allowed it since.
    pub(crate) allowed: BTreeSet<String>,
    pub(crate) waiting: WaitingRoom,
    /// What lets one person in each.
    pub(crate) invites: Invites,
    /// Who may not unmute when they come back.
    pub(crate) hushed_away: BTreeSet<String>,
    /// Its people are expected back after a restart of the server.
    pub(crate) restored: Option<Restored>,
    /// When it is looked at again.
    pub(crate) scheduled: Option<Instant>,
    /// What everybody was told last.
    pub(crate) told: Told,
    /// Something has changed that people are told, or that is kept.
    pub(crate) touched: bool,
    /// The number of viewers has changed.
    pub(crate) audience_changed: bool,
}

/// A room that outlived a restart, and who of it is not back yet.
#[derive(Debug)]
pub(crate) struct Restored {
    /// They are expected until then.
    until: Instant,
    /// The owner and co-hosts.
    hosts: BTreeSet<String>,
    /// Who had been let into a room that lets nobody else in, or makes them wait.
    members: BTreeSet<String>,
}

/// What was told and kept last, so that only changes are.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) state: Option<RoomState>,
    pub(crate) kept: Option<String>,
    /// Hosts who were told who waits and who is kept out.
    pub(crate) hosts: Vec<String>,
    /// Somebody waited when they were told last.
    pub(crate) waiting: bool,
    /// Who was kept out when they were told last.
    pub(crate) banned: BTreeSet<String>,
    /// A changed number of viewers alone waits until then.
    pub(crate) again: Option<Instant>,
}

/// What of a room outlives a restart.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    scene: Option<Scene>,
    created: Option<u64>,
    owner: Option<String>,
    co_hosts: Vec<String>,
    banned: BTreeSet<String>,
    locked: bool,
    waits: bool,
    muted_all: bool,
    hushed: BTreeSet<String>,
    #[serde(default)]
    allowed: BTreeSet<String>,
    members: BTreeSet<String>,
    #[serde(default)]
    invites: Invites,
}

/// Why somebody is not given a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not at all.
    Fault(Fault),
    /// Not by their one-time ticket.
    NoEntrance(NoEntrance),
    /// Not yet: a host has to admit them.
    Waiting,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused::Fault(fault)
    }
}

impl From<NoEntrance> for Refused {
    fn from(why: NoEntrance) -> Refused {
        Refused::NoEntrance(why)
    }
}

impl Room {
    /// Whether somebody may enter: scene, then what hosts forbid, then capacity. `unix` is Unix time in
    /// seconds.
    pub(crate) fn admit(
        &mut self,
        entry: &Entry,
        limits: Limits,
        unix: u64,
        now: Instant,
    ) -> Result<(), Refused> {
        let (room, user) = (&entry.room, entry.user.as_str());
        if let Some(scene) = self.scene.filter(|scene| *scene != entry.scene) {
            let (has, asked) = (scene.name(), entry.scene.name());
            return Err(Fault::new(Code::BAD_SCENE_OR_ROLE)
                .with_message(format!(
                    "Room {room} is open with the scene {has} and you asked for {asked}; enter it as {has}."
                ))
                .into());
        }
        let refuse = |why: String| Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM).with_message(why).into();
        if self.banned.contains(user) {
            return Err(refuse(format!("A host removed you from room {room} for as long as it is open.")));
        }
        if !self.is_member(user) {
            if self.locked {
                return Err(refuse(format!("Room {room} is locked; a host can open it again.")));
            }
            if let Some(ticket) = &entry.invite {
                self.invites.take(ticket, user, unix)?;
                self.touched = true;
            } else if self.waits && self.has_doorkeeper() {
                let name = entry.name.as_ref().map(|name| name.as_str()).unwrap_or_default();
                match self.waiting.knock(user, name, now) {
                    Answer::Admitted => {}
                    Answer::Wait => return Err(Refused::Waiting),
                    Answer::Denied => return Err(refuse("The host did not let you in.".to_owned())),
                    Answer::Full => {
                        let many = format!("Too many people wait to enter room {room}; try again later.");
                        return Err(refuse(many));
                    }
                }
            }
        }
        let others = self.seats.len() - usize::from(self.seats.contains_key(user));
        if others >= limits.online as usize {
            let full = format!("Room {room} is full: {} people are in it.", limits.online);
            return Err(Fault::new(Code::ROOM_FULL).with_message(full).into());
        }
        Ok(())
    }

    /// Whether somebody has a seat, or had one when the server was stopped.
    fn is_member(&self, user: &str) -> bool {
        let member = |restored: &Restored| restored.members.contains(user);
        self.seats.contains_key(user) || self.restored.as_ref().is_some_and(member)
    }

    /// The seat of somebody who is let in.
    pub(crate) fn seat(&mut self, user: &str) -> &mut Seat {
        let forbidden = self.muted_all && !self.is_host(user) && !self.allowed.contains(user);
        self.seats.entry(user.to_owned()).or_insert_with(|| {
            let away = self.hushed_away.remove(user);
            Seat { hushed: forbidden || away, ..Seat::default() }
        })
    }

    /// Takes a seat away. Whom a host keeps from unmuting, finds it so when they come back.
    pub(crate) fn drop_seat(&mut self, user: &str) -> Option<Seat> {
        let seat = self.seats.remove(user)?;
        self.touched |= seat.hushed;
        // Where nobody may unmute everybody finds it so.
        if seat.hushed && !self.muted_all && self.hushed_away.len() < MOST_HUSHED {
            self.hushed_away.insert(user.to_owned());
        }
        Some(seat)
    }

    /// Somebody who was expected after a restart is there, or is put out: what they had is theirs no more
    /// once they go.
    pub(crate) fn is_back(&mut self, user: &str) {
        if let Some(Restored { hosts, members, .. }) = &mut self.restored {
            for set in [hosts, members] {
                self.touched |= set.remove(user);
            }
        }
    }

    /// Whether anybody is there who can be told something.
    pub(crate) fn has_listeners(&self) -> bool {
        self.seats.values().any(|seat| seat.present)
    }

    /// Whether there is, or is about to be, somebody who can let others in.
    fn has_doorkeeper(&self) -> bool {
        self.owner.is_some() || self.seats.values().any(|seat| seat.takes_part(self.scene))
    }

    /// Whether somebody is in the room.
    pub(crate) fn is_present(&self, user: &str) -> bool {
        self.seats.get(user).is_some_and(|seat| seat.present)
    }

    /// What somebody may act as in the room.
    pub(crate) fn standing(&self, user: &str) -> Standing {
        if self.is_present(user) { self.rank(user) } else { Standing::Outside }
    }

    /// What somebody is in the room to those who act; hosts are hosts while they are away, too.
    pub(crate) fn rank(&self, user: &str) -> Standing {
        if self.owner.as_deref() == Some(user) {
            return Standing::Owner;
        }
        if self.co_hosts.iter().any(|host| host == user) {
            return Standing::CoHost;
        }
        match self.seats.get(user).filter(|seat| seat.present) {
            None => Standing::Outside,
            Some(seat) if seat.is_viewer(self.scene) => Standing::Audience,
            Some(_) => Standing::Anchor,
        }
    }

    /// Whether somebody is the owner or a co-host.
    pub(crate) fn is_host(&self, user: &str) -> bool {
        self.owner.as_deref() == Some(user) || self.co_hosts.iter().any(|host| host == user)
    }

    /// The owner and co-hosts who are in the room.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let all = self.owner.iter().chain(&self.co_hosts);
        all.filter(|user| self.seats.get(*user).is_some_and(|seat| seat.present)).cloned().collect()
    }

    /// Whether somebody can be a host: they came by the room service, and do not only watch.
    pub(crate) fn can_host(&self, user: &str) -> bool {
        self.seats.get(user).is_some_and(|seat| seat.is_entered() && seat.takes_part(self.scene))
    }

    /// Lets hosts go who are gone or only watch. The owner is followed by the co-host, or else the anchor,
    /// who has been there longest; an order where that changes what they may do.
    pub(crate) fn succeed(&mut self) -> Option<Order> {
        let away = |user: &str| self.restored.as_ref().is_some_and(|restored| restored.hosts.contains(user));
        let stays = |user: &String| away(user) || self.can_host(user);
        let owner = self.owner.clone().filter(stays);
        let co_hosts: Vec<String> = self.co_hosts.iter().filter(|host| stays(host)).cloned().collect();
        (self.owner, self.co_hosts) = (owner, co_hosts);
        if self.owner.is_some() {
            return None;
        }
        let longest = |wanted: &dyn Fn(&str, &Seat) -> bool| {
            let fits = self.seats.iter().filter(|(user, seat)| seat.present && wanted(user, seat));
            fits.min_by_key(|(_, seat)| seat.arrival).map(|(user, _)| user.clone())
        };
        let co_host = longest(&|user, _| self.co_hosts.iter().any(|host| host == user));
        let anchor = || longest(&|_, seat| seat.granted.is_some() && !seat.is_viewer(self.scene));
        let next = co_host.or_else(anchor)?;
        self.co_hosts.retain(|host| *host != next);
        self.owner = Some(next.clone());
        self.unhush(&next)
    }

    /// Lets somebody unmute again, who became a host; an order where they were kept from it.
    pub(crate) fn unhush(&mut self, user: &str) -> Option<Order> {
        let seat = self.seats.get_mut(user).filter(|seat| seat.hushed)?;
        seat.hushed = false;
        Some(Order::Permission(user.to_owned(), seat.permission(self.scene)?))
    }

    /// What everybody in the room is to know.
    pub(crate) fn state(&self) -> RoomState {
        let present = || self.seats.iter().filter(|(_, seat)| seat.present);
        // Nobody hears the names of those who only watch.
        let seen = || present().filter(|(_, seat)| !seat.is_viewer(self.scene));
        let mut forbidden: Vec<String> =
            seen().filter(|(_, seat)| seat.hushed).map(|(user, _)| user.clone()).collect();
        forbidden.sort();
        let audience = present().filter(|(_, seat)| seat.is_viewer(self.scene)).count();
        RoomState {
            owner: self.owner.clone(),
            co_hosts: self.co_hosts.clone(),
            locked: self.locked,
            waiting_room: self.waits,
            muted_all: self.muted_all,
            forbidden,
            // Only hosts hear those names.
            banned: Vec::new(),
            audience: u32::try_from(audience).unwrap_or(u32::MAX),
        }
    }

    /// What is to outlive a restart; None where nobody was in yet, or a new room would be the same.
    pub(crate) fn to_keep(&self) -> Option<String> {
        self.created?;
        let told = self.locked || self.waits || self.muted_all;
        let hushed = self.seats.iter().filter(|(_, seat)| seat.hushed).map(|(user, _)| user.clone());
        let hushed: BTreeSet<String> = hushed.chain(self.hushed_away.iter().cloned()).collect();
        let named = !self.banned.is_empty() || !hushed.is_empty() || !self.invites.is_empty();
        if self.owner.is_none() && !told && !named {
            return None;
        }
        let guarded = self.locked || self.waits;
        let present = || self.seats.iter().filter(|(_, seat)| seat.present).map(|(user, _)| user.clone());
        let members = self.restored.iter().flat_map(|restored| restored.members.iter().cloned());
        let kept = Kept {
            scene: self.scene,
            created: self.created,
            owner: self.owner.clone(),
            co_hosts: self.co_hosts.clone(),
            banned: self.banned.clone(),
            locked: self.locked,
            waits: self.waits,
            muted_all: self.muted_all,
            hushed,
            allowed: self.allowed.clone(),
            members: if guarded { present().chain(members).collect() } else { BTreeSet::new() },
            invites: self.invites.clone(),
        };
        // Texts and flags only, so writing it cannot fail.
        serde_json::to_string(&kept).ok()
    }

    /// A room as it was kept, without its people; None for a text that is none of ours.
    pub(crate) fn restore(text: &str, now: Instant) -> Option<Room> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        let hosts = kept.owner.iter().chain(&kept.co_hosts).cloned().collect();
        Some(Room {
            scene: kept.scene,
            created: kept.created,
            owner: kept.owner,
            co_hosts: kept.co_hosts,
            banned: kept.banned,
            locked: kept.locked,
            waits: kept.waits,
            muted_all: kept.muted_all,
            allowed: kept.allowed,
            invites: kept.invites,
            hushed_away: kept.hushed,
            restored: Some(Restored { until: now + RETURN, hosts, members: kept.members }),
            told: Told { kept: Some(text.to_owned()), ..Told::default() },
            ..Room::default()
        })
    }

    /// Whether nothing keeps the room any more.
    pub(crate) fn is_over(&self) -> bool {
        self.seats.is_empty() && self.lingers.is_none() && self.restored.is_none()
    }

    /// When time changes something in it, apart from its seats.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let restored = self.restored.as_ref().map(|restored| restored.until);
        [self.lingers, restored, self.told.again, self.waiting.deadline()].into_iter().flatten().min()
    }

    /// Drops what time is over: an empty live room, those who wait no more, those who did not come back
    /// after a restart.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.touched |= self.restored.take_if(|restored| restored.until <= now).is_some();
        self.lingers.take_if(|until| *until <= now);
        self.waiting.expire(now);
    }

    /// Drops the seat of somebody who was expected and did not come.
    pub(crate) fn expire_seat(&mut self, user: &str, now: Instant) {
        let Some(seat) = self.seats.get_mut(user) else { return };
        let late = seat.reserved.take_if(|reservation| reservation.until <= now).is_some();
        if !seat.present && seat.reserved.is_none() {
            self.drop_seat(user);
        }
        // A host may be one only by what was expected.
        self.touched |= late && self.is_host(user);
    }

    /// Somebody has come, gone or changed their role, who is, or was, a viewer or not.
    pub(crate) fn moved(&mut self, user: &str, viewer: bool) {
        self.audience_changed |= viewer;
        self.touched |= !viewer || self.is_host(user) || self.locked || self.waits;
    }
}
