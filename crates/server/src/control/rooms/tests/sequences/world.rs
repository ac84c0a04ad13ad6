//! The rooms, the model, and between them a stand-in for the engine that does what it is told.

mod check;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use confab_protocol::private_map_key::Privilege;
use confab_protocol::{
    Fault, HostAction, LeaveReason, Limits, Notice, OneTimeTicket, ROLE_ATTRIBUTE, Role, RoomId, SdkAppId,
    Stay,
};

use super::command::{Command, How, KEYS, NAMES, Sequence, Staying};
use super::model::{Done, Entering, Model, SEAT};
use super::record::Record;
use crate::config::SceneLimits;
use crate::control::effect::{Effect, Order};
use crate::control::rooms::{By, Rooms};
use crate::control::{Entry, Refused};
use crate::engine::{Kind, Permission};
use crate::happening::ClientInfo;

/// Unix time at which sequences begin, ms.
const EPOCH: u64 = 1_700_000_000_000;

/// All of it.
pub(super) struct World {
    limits: SceneLimits,
    rooms: Rooms,
    model: Model,
    begin: Instant,
    /// Time is looked at in large steps only, as by a task that was kept busy.
    coarse: bool,
    /// What the engine has, by room.
    engine: BTreeMap<usize, Meeting>,
    /// What it has not told yet.
    events: VecDeque<Left>,
    clients: HashMap<(usize, usize), Client>,
    /// What listeners were told.
    record: Record,
    /// What is to outlive a restart.
    kept: BTreeMap<String, String>,
    stays: usize,
    /// The last ticket of each room.
    invites: BTreeMap<usize, OneTimeTicket>,
    tickets: usize,
    /// Entries whose people were put out on their way from the door, and until when they are known.
    put_out: BTreeMap<u64, u64>,
}

/// A room of the engine.
#[derive(Default)]
struct Meeting {
    metadata: String,
    people: BTreeMap<usize, Person>,
}

/// Somebody in it.
#[derive(Default)]
struct Person {
    permission: Option<Permission>,
    role: Option<Role>,
    /// Who waits, as they heard.
    waiting: Vec<String>,
    /// Who is kept out, as they heard.
    banned: Vec<String>,
}

/// Somebody is out, or where nobody is named the room is closed.
struct Left {
    at: usize,
    who: Option<usize>,
    reason: LeaveReason,
}

/// What somebody has in hand for a room.
#[derive(Default)]
struct Client {
    tickets: Vec<u64>,
    stay: Option<String>,
    /// They are at the door.
    knocked: Option<Knocked>,
}

/// Somebody on the way from the door to their seat.
#[derive(Clone, Copy)]
struct Knocked {
    ticket: u64,
    role: Role,
    permission: Option<Permission>,
    /// They were put out on it.
    out: bool,
}

/// What was ordered by one command.
#[derive(Debug, Default)]
struct Ordered {
    silenced: Vec<(String, Kind)>,
    /// Words of hosts, and to whom.
    words: Vec<(HostAction, Option<String>, Vec<String>)>,
    effects: usize,
}

fn place(user: &str) -> Option<usize> {
    NAMES.iter().position(|name| *name == user)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?}, and has to be {wanted:?}")) }
}

impl World {
    pub(super) fn new(sequence: &Sequence) -> World {
        let limits = Limits { online: sequence.online, publishing: 50 };
        let limits = SceneLimits { call: limits, live: limits };
        let mut rooms = Rooms::new(limits);
        rooms.set_time(EPOCH);
        World {
            limits,
            rooms,
            model: Model::new(sequence.online),
            begin: Instant::now(),
            coarse: sequence.seed.is_multiple_of(5),
            engine: BTreeMap::new(),
            events: VecDeque::new(),
            clients: HashMap::new(),
            record: Record::default(),
            kept: BTreeMap::new(),
            stays: 0,
            invites: BTreeMap::new(),
            tickets: 0,
            put_out: BTreeMap::new(),
        }
    }

    fn now(&self) -> Instant {
        self.begin + Duration::from_millis(self.model.now)
    }

    /// Does it to both, and compares them.
    pub(super) fn run(&mut self, command: &Command) -> Result<(), String> {
        match command {
            Command::Ask { who, room, how } => drop(self.ask(*who, *room, *how)?),
            Command::Knock { who, room, earlier } => self.knock(*who, *room, *earlier)?,
            Command::Arrive { who, room } => self.arrive(*who, *room)?,
            Command::Enter { who, room, how } => {
                if self.ask(*who, *room, *how)? == Entering::Let {
                    self.knock(*who, *room, false)?;
                    self.arrive(*who, *room)?;
                }
            }
            Command::Visit { who, room } => {
                self.model.visit(*who, *room);
                self.rooms.visits(KEYS[*room], NAMES[*who], self.now());
                self.client(*who, *room).knocked = None;
                self.come(*who, *room, Person::default(), None)?;
            }
            Command::Leave { who, room } => {
                self.client(*who, *room).stay = None;
                self.take_out(*who, *room, LeaveReason::Left);
            }
            Command::Lose { who, room } => self.take_out(*who, *room, LeaveReason::TimedOut),
            Command::Send { who, room, kind, on } => {
                if self.engine.get(room).is_some_and(|meeting| meeting.people.contains_key(who)) {
                    self.rooms.sends(KEYS[*room], NAMES[*who], *kind, *on);
                }
            }
            Command::Role { who, room, role, fresh } => {
                // Permissions come with a token of the room service only.
                let entered = self.model.rooms.get(room).and_then(|room| room.permission(*who));
                let fresh = fresh.filter(|_| entered.is_some());
                let wanted = self.model.role(*who, *room, *role, fresh);
                let fresh = fresh.map(Privilege);
                let found = self.rooms.set_role(KEYS[*room], NAMES[*who], *role, fresh, self.now());
                same("the role may change", found.is_ok(), wanted)?;
            }
            Command::Act { by, room, action } => self.act(*by, *room, action)?,
            Command::Invite { by, room } => self.invite(*by, *room)?,
            Command::Remove { who, room } => {
                let users: Vec<String> = who.iter().map(|who| NAMES[*who].to_owned()).collect();
                let found = self.rooms.remove(KEYS[*room], &users, None, self.now());
                same("there is a room to remove from", found.is_ok(), self.model.remove(who, *room))?;
            }
            Command::Dismiss { room } => {
                let found = self.rooms.dismiss(KEYS[*room], None, self.now());
                same("there is a room to dismiss", found.is_ok(), self.model.dismiss(*room))?;
            }
            Command::Wait { ms } => self.wait(*ms)?,
            Command::Restart { killed } => self.restart(*killed)?,
        }
        self.settle()?;
        let by_host = |action: &HostAction| matches!(action, HostAction::Remove { .. } | HostAction::Dismiss);
        let put_out = matches!(command, Command::Remove { .. } | Command::Dismiss { .. })
            || matches!(command, Command::Act { action, .. } if by_host(action));
        let has_place = |who, at| self.model.rooms.get(&at).is_some_and(|room| room.has_place(who));
        let expected = |who, at| self.model.rooms.get(&at).is_some_and(|room| room.coming.contains_key(&who));
        for ((who, at), client) in &mut self.clients {
            if put_out
                && let Some(knocked) = &mut client.knocked
                && !knocked.out
                && !has_place(*who, *at)
            {
                knocked.out = true;
                self.put_out.insert(knocked.ticket, self.model.now + SEAT);
            }
            // They were too slow, or it is long ago that they were put out.
            let waited = matches!(command, Command::Wait { .. });
            client.knocked.take_if(|_| waited && !expected(*who, *at));
        }
        self.check()
    }

    fn client(&mut self, who: usize, at: usize) -> &mut Client {
        self.clients.entry((who, at)).or_default()
    }

    fn ask(&mut self, who: usize, at: usize, how: How) -> Result<Entering, String> {
        let (stays, now) = (self.stays, self.now());
        let none = || OneTimeTicket::try_from("none".to_owned()).unwrap();
        let invite = how.invited.then(|| self.invites.get(&at).cloned().unwrap_or_else(none));
        let client = self.client(who, at);
        let back = how.stay == Staying::Back && client.stay.is_some();
        if how.stay != Staying::Unnamed && !back {
            client.stay = Some(format!("{}-{stays}", NAMES[who]));
        }
        let stay = client.stay.clone().filter(|_| how.stay != Staying::Unnamed);
        self.stays += 1;
        let entry = Entry {
            app: SdkAppId(1),
            user: NAMES[who].parse().unwrap(),
            name: None,
            room: if at == 0 { RoomId::number(5_u32).unwrap() } else { RoomId::text("5").unwrap() },
            scene: how.scene,
            role: how.role,
            granted: Privilege(how.rights),
            waits: how.waits,
            invite: invite.clone(),
            stay: stay.clone().map(|id| Stay { id, returning: back }),
        };
        let found = match self.rooms.ended(&entry, now) {
            Some(cause) => Entering::Over(cause),
            None => match self.rooms.reserve(&entry, now) {
                Ok(_) => Entering::Let,
                Err(Refused::Waiting) => Entering::Waits,
                Err(Refused::Fault(fault)) => Entering::Code(fault.code),
                Err(Refused::NoEntrance(why)) => Entering::Code(Fault::from(why).code),
            },
        };
        let how = if how.stay == Staying::Back && !back { How { stay: Staying::New, ..how } } else { how };
        same(
            "the entry",
            found,
            self.model.ask(who, at, how, stay.as_deref(), invite.as_ref().map(OneTimeTicket::as_str)),
        )?;
        if found == Entering::Let {
            let ticket = self.rooms.ticket(&entry);
            same("the number of the entry", ticket, self.model.ticket(who, at))?;
            self.client(who, at).tickets.extend(ticket);
        }
        Ok(found)
    }

    fn knock(&mut self, who: usize, at: usize, earlier: bool) -> Result<(), String> {
        let now = self.now();
        let tickets = &self.client(who, at).tickets;
        let last = tickets.len().checked_sub(1 + usize::from(earlier));
        let Some(ticket) = last.map(|last| tickets[last]) else { return Ok(()) };
        let found = self.rooms.claim(KEYS[at], NAMES[who], Some(ticket), ClientInfo::default(), now);
        let found = found.map(|taken| (taken.role, taken.permission));
        let out = self.put_out.get(&ticket).is_some_and(|until| *until > self.model.now);
        let wanted = if out { None } else { self.model.knock(who, at, ticket) };
        same("the seat", found, wanted)?;
        self.client(who, at).knocked =
            found.map(|(role, permission)| Knocked { ticket, role, permission, out: false });
        Ok(())
    }

    fn arrive(&mut self, who: usize, at: usize) -> Result<(), String> {
        let Some(knocked) = self.client(who, at).knocked.take() else { return Ok(()) };
        let person = Person {
            role: Some(knocked.role),
            permission: knocked.permission,
            waiting: Vec::new(),
            banned: Vec::new(),
        };
        self.come(who, at, person, Some(knocked))
    }

    fn come(
        &mut self,
        who: usize,
        at: usize,
        person: Person,
        knocked: Option<Knocked>,
    ) -> Result<(), String> {
        self.engine.entry(at).or_default().people.insert(who, person);
        if !knocked.is_some_and(|knocked| knocked.out) {
            self.model.arrive(who, at);
        }
        let ticket = knocked.map(|knocked| knocked.ticket);
        ticket.and_then(|ticket| self.put_out.remove(&ticket));
        self.rooms.came(KEYS[at], NAMES[who], ticket, self.now());
        self.perform().map(drop)
    }

    /// The engine lets somebody go.
    fn take_out(&mut self, who: usize, at: usize, reason: LeaveReason) {
        let Some(meeting) = self.engine.get_mut(&at) else { return };
        if meeting.people.remove(&who).is_none() {
            return;
        }
        self.events.push_back(Left { at, who: Some(who), reason });
        if meeting.people.is_empty() {
            self.engine.remove(&at);
            self.events.push_back(Left { at, who: None, reason });
        }
    }

    fn act(&mut self, by: Option<usize>, at: usize, action: &HostAction) -> Result<(), String> {
        self.perform()?;
        let name = by.map(|by| NAMES[by].to_owned());
        let person = name.clone().map_or(By::Administrator, By::Person);
        let inside: BTreeSet<String> = self.engine.get(&at).into_iter().flat_map(Meeting::names).collect();
        let found = self.rooms.act(KEYS[at], &person, action, self.now());
        let mut ordered = self.perform()?;
        let wanted = self.model.act(by, at, action);
        same(
            "the answer",
            found.map_err(|fault| fault.code),
            wanted.clone().map(drop).map_err(|no| no.code()),
        )?;
        let Ok(Done { mut silenced, told }) = wanted else {
            return same("effects of a refusal", ordered.effects, 0);
        };
        silenced.retain(|(user, _)| inside.contains(user));
        ordered.silenced.retain(|(user, _)| inside.contains(user));
        ordered.silenced.sort_by(|one, other| one.0.cmp(&other.0));
        same("silenced", ordered.silenced, silenced)?;
        let dismissed = *action == HostAction::Dismiss;
        let heard = !dismissed && told.as_ref().is_none_or(|told| !told.is_empty());
        let word = heard.then(|| (action.clone(), name, told.unwrap_or_default()));
        same("what people are told", ordered.words, word.into_iter().collect())
    }

    fn invite(&mut self, by: Option<usize>, at: usize) -> Result<(), String> {
        self.tickets += 1;
        let ticket = OneTimeTicket::try_from(format!("ticket {}", self.tickets)).unwrap();
        let person = by.map_or(By::Administrator, |by| By::Person(NAMES[by].to_owned()));
        let found = self.rooms.invite(KEYS[at], &person, &ticket, self.now());
        let wanted = self.model.invite(by, at, ticket.as_str());
        if found.is_ok() {
            self.invites.insert(at, ticket);
        }
        same("the answer", found.map_err(|fault| fault.code), wanted.map_err(|no| no.code()))
    }

    fn wait(&mut self, ms: u64) -> Result<(), String> {
        self.perform()?;
        let end = self.now() + Duration::from_millis(ms);
        self.model.pass(self.model.now + ms);
        if !self.coarse {
            while let Some(at) = self.rooms.deadline().filter(|at| *at < end) {
                self.rooms.expire(at);
            }
        }
        self.rooms.set_time(EPOCH + self.model.now);
        self.rooms.expire(end);
        Ok(())
    }

    /// The server is gone, and so is all but what was kept.
    fn restart(&mut self, killed: bool) -> Result<(), String> {
        if self.model.rooms.values().any(|room| room.uncounted_until > self.model.now) {
            self.wait(2_000)?;
            self.perform()?;
        }
        if !killed {
            self.rooms.freeze();
            for (at, who) in (0..KEYS.len()).flat_map(|at| (0..NAMES.len()).map(move |who| (at, who))) {
                self.take_out(who, at, LeaveReason::Removed);
            }
            while let Some(Left { at, who, reason }) = self.events.pop_front() {
                match who {
                    Some(who) => self.rooms.left(KEYS[at], NAMES[who], reason, self.now()),
                    None => self.rooms.closed(KEYS[at], self.now()),
                }
            }
            self.perform()?;
        }
        self.engine.clear();
        self.record.restart(&self.kept);
        for client in self.clients.values_mut() {
            (client.tickets, client.knocked) = (Vec::new(), None);
        }
        self.put_out.clear();
        self.rooms = Rooms::new(self.limits);
        self.rooms.set_time(EPOCH + self.model.now);
        self.rooms.restore(self.kept.clone().into_iter().collect(), self.now());
        self.model.restart();
        same("effects of a restart", self.perform()?.effects, 0)
    }

    /// Lets the engine do what is ordered and tell what follows, until nothing is left.
    fn settle(&mut self) -> Result<(), String> {
        self.perform()?;
        while let Some(Left { at, who, reason }) = self.events.pop_front() {
            match who {
                Some(who) => {
                    self.rooms.left(KEYS[at], NAMES[who], reason, self.now());
                    self.model.gone(who, at, reason);
                }
                None => self.rooms.closed(KEYS[at], self.now()),
            }
            self.perform()?;
        }
        Ok(())
    }

    /// Does what the rooms ordered.
    fn perform(&mut self) -> Result<Ordered, String> {
        let mut ordered = Ordered::default();
        for effect in self.rooms.effects() {
            ordered.effects += 1;
            match effect {
                Effect::Tell(happening) => self.record.take(&happening)?,
                Effect::Keep { room, state: Some(state) } => drop(self.kept.insert(room, state)),
                Effect::Keep { room, state: None } => drop(self.kept.remove(&room)),
                Effect::Order { room, order } => {
                    let at = KEYS.iter().position(|key| *key == room).ok_or("an order for no room")?;
                    self.obey(at, order, &mut ordered);
                }
            }
        }
        Ok(ordered)
    }

    fn obey(&mut self, at: usize, order: Order, ordered: &mut Ordered) {
        match order {
            Order::Silence(user, kind) => ordered.silenced.push((user, kind)),
            Order::Notice(Notice::Host { what, by }, to) => ordered.words.push((what, by, to)),
            Order::Remove(user, _) => {
                if let Some(who) = place(&user) {
                    self.take_out(who, at, LeaveReason::Removed);
                }
            }
            Order::Dismiss(_) => {
                for who in 0..NAMES.len() {
                    self.take_out(who, at, LeaveReason::Removed);
                }
            }
            Order::Metadata(text) => {
                if let Some(meeting) = self.engine.get_mut(&at) {
                    meeting.metadata = text;
                }
            }
            Order::Permission(user, permission) => {
                if let Some(person) = self.person(at, &user) {
                    person.permission = Some(permission);
                }
            }
            Order::Attributes(user, attributes) => {
                let role = attributes.get(ROLE_ATTRIBUTE).and_then(|role| role.parse().ok());
                if let Some(person) = self.person(at, &user) {
                    person.role = role;
                }
            }
            Order::Notice(Notice::Waiting { people }, to) => {
                for user in to {
                    if let Some(person) = self.person(at, &user) {
                        person.waiting = people.iter().map(|one| one.user_id.clone()).collect();
                    }
                }
            }
            Order::Notice(Notice::Banned { people }, to) => {
                for user in to {
                    if let Some(person) = self.person(at, &user) {
                        person.banned.clone_from(&people);
                    }
                }
            }
            Order::Notice(Notice::Exit { .. } | Notice::UserLeft { .. }, _) => {}
        }
    }

    fn person(&mut self, at: usize, user: &str) -> Option<&mut Person> {
        self.engine.get_mut(&at)?.people.get_mut(&place(user)?)
    }
}

impl Meeting {
    fn names(&self) -> impl Iterator<Item = String> + '_ {
        names(self.people.keys())
    }
}

fn names<'a>(people: impl Iterator<Item = &'a usize>) -> impl Iterator<Item = String> {
    people.map(|who| NAMES[*who].to_owned())
}
