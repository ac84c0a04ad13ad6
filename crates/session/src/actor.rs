//! The one task that owns a client: it feeds the room machine, carries out what it says, and keeps
//! devices, streams and the connection in step with it.

mod command;
mod computer;
mod held;
mod host;
mod local;
mod message;
mod remote;
mod report;
mod shared;
mod switch;

pub(crate) use command::Command;
pub(crate) use message::Sent;
pub(crate) use shared::Shared;

use crate::link::{Link, News, Order, Setup};
use crate::message::Incoming;
use crate::offload::offload;
use crate::room::{Attempt, Effect, Input, Phase, Room};
use crate::session::SessionConfig;
use crate::signalling::{Admission, Route};
use crate::subscribe::people::People;
use crate::subscribe::video::Whose;
use confab_protocol::{EnterParams, Event, Fault, Role, Stay, StreamType};
use confab_signal::lk;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// News and reports of our own tasks that may wait.
const INSIDE: usize = 256;
/// How often statistics and qualities are told in a room (TRTC).
const FIGURES: Duration = Duration::from_secs(2);
/// How often loudness is told in a room or with a microphone open, while anybody is heard (TRTC
/// recommends 300 ms).
const VOLUME: Duration = Duration::from_millis(300);
/// How often devices are looked after.
const CARE: Duration = Duration::from_millis(250);

pub(crate) type Reply<T> = oneshot::Sender<T>;

/// What our own tasks report.
#[derive(Debug)]
pub(crate) enum Inside {
    /// Our first picture went out.
    CameraSent,
    /// Our first sound went out.
    VoiceSent,
    FirstPicture {
        whose: Whose,
        width: u32,
        height: u32,
    },
    FirstSound {
        user_id: String,
    },
    /// What the room service was asked about another role.
    Role(host::Asked),
    /// What another room was asked.
    Elsewhere(switch::Asked),
}

/// The task's state.
pub(crate) struct Actor {
    config: SessionConfig,
    events: mpsc::Sender<Event>,
    shared: Arc<Shared>,
    room: Room,
    /// What the room is entered with, while there is one.
    params: Option<Arc<EnterParams>>,
    /// The way to the server of these.
    route: Option<Arc<Route>>,
    link: Option<Link>,
    /// A seat that we were given already, for the attempt that is about to begin.
    admission: Option<Admission>,
    news: mpsc::Sender<(Attempt, Instant, News)>,
    news_taken: mpsc::Receiver<(Attempt, Instant, News)>,
    inside: mpsc::Sender<Inside>,
    inside_taken: mpsc::Receiver<Inside>,
    /// Events of the room that came before the entry is told.
    held: held::Held,
    people: People,
    standing: host::Standing,
    /// Questions to the room service about our stay in this room that are on the way.
    asking: JoinSet<()>,
    /// What was asked as a host; it is answered even when it ended the room.
    acting: JoinSet<()>,
    local: local::Local,
    remote: remote::Remote,
    report: report::Report,
    messages: message::Messages,
    /// We are closed once nothing is held any more.
    closing: Vec<Reply<()>>,
    closed: bool,
}

impl Actor {
    pub(crate) fn new(config: SessionConfig, events: mpsc::Sender<Event>, shared: Arc<Shared>) -> Self {
        let (news, news_taken) = mpsc::channel(INSIDE);
        let (inside, inside_taken) = mpsc::channel(INSIDE);
        let remote = remote::Remote::new(config.receive.into());
        Self {
            config,
            events,
            shared,
            room: Room::new(format!("{:032x}", rand::random::<u128>())),
            params: None,
            route: None,
            link: None,
            admission: None,
            news,
            news_taken,
            inside,
            inside_taken,
            held: held::Held::default(),
            people: People::default(),
            standing: host::Standing::default(),
            asking: JoinSet::new(),
            acting: JoinSet::new(),
            local: local::Local::default(),
            remote,
            report: report::Report::default(),
            messages: message::Messages::default(),
            closing: Vec::new(),
            closed: false,
        }
    }

    /// Works until it is closed or nobody holds a handle any more.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut care = tokio::time::interval(CARE);
        care.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut figures = tokio::time::interval(FIGURES);
        figures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut volume = tokio::time::interval(VOLUME);
        volume.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.closed {
            let due = self.room.timeout();
            let sleep = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into());
            let in_room = self.room.phase() == Phase::In;
            tokio::select! {
                command = commands.recv(), if self.closing.is_empty() => match command {
                    Some(command) => self.command(command).await,
                    None => break,
                },
                Some((attempt, at, news)) = self.news_taken.recv() => self.news(attempt, at, news).await,
                Some(inside) = self.inside_taken.recv() => self.inside(inside).await,
                Some((attempt, received)) = self.messages.waiting.recv() => {
                    self.message_came(attempt, &received);
                }
                () = sleep, if due.is_some() => {
                    let effects = self.room.handle_timeout(Instant::now());
                    self.carry_out(effects).await;
                }
                Some(_) = self.asking.join_next() => {}
                Some(_) = self.acting.join_next() => {}
                _ = care.tick() => {
                    self.tidy();
                    self.tell_missed();
                    self.care().await;
                }
                _ = volume.tick(), if in_room || self.local.listens() => self.tell_volumes(),
                _ = figures.tick(), if in_room || self.room.phase() == Phase::Reconnecting => {
                    self.tell_figures().await;
                }
            }
        }
        self.let_go().await;
    }

    /// Leaves whatever there is to leave, lets the devices go and answers those who wait for it.
    async fn let_go(mut self) {
        let effects = self.room.exit();
        self.carry_out(effects).await;
        self.release(true, true).await;
        for reply in self.closing.drain(..) {
            let _ = reply.send(());
        }
    }

    /// Tells the app. An app that does not listen misses events and nothing waits for it.
    fn emit(&mut self, event: Event) {
        if let Err(error) = self.events.try_send(event) {
            tracing::warn!(%error, "an event was lost");
        }
    }

    /// Tells the app what belongs to the room, once the entry is told.
    fn emit_in_room(&mut self, event: Event) {
        if matches!(self.room.phase(), Phase::In | Phase::Reconnecting) {
            self.emit(event);
        } else {
            self.held.push(event);
        }
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut waiting = std::collections::VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Emit(event) => {
                    let entered = matches!(event, Event::OnEnterRoom { result } if result > 0)
                        || matches!(event, Event::OnSwitchRoom { code: 0, .. });
                    self.emit(event);
                    if entered {
                        for event in self.held.take() {
                            self.emit(event);
                        }
                        self.warn_unsent(true, true);
                    }
                }
                Effect::Connect { attempt, stay, params, leaving } => {
                    if leaving {
                        self.leave_for_another().await;
                    }
                    self.connect(attempt, stay, params).await;
                }
                Effect::Release { attempt, tell, devices } => {
                    self.release(tell, devices).await;
                    waiting.extend(self.room.handle(attempt, Input::Released, Instant::now()));
                }
            }
        }
    }

    /// Begins an attempt; what is left of an earlier one goes first, devices and people stay.
    async fn connect(&mut self, attempt: Attempt, stay: Stay, params: Arc<EnterParams>) {
        self.disconnect(false).await;
        if self.params.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &params)) {
            self.people = People::new(params.user_id.as_str());
            self.params = Some(params.clone());
            self.route.take_if(|route| *route.server() != params.server);
            self.remote.wishes.enter();
            self.messages.outgoing.enter(rand::random());
        }
        let route = self.route.get_or_insert_with(|| Arc::new(Route::new(params.server.clone()))).clone();
        let publishes = !params.scene.is_live() || params.role == Role::Anchor;
        self.local.may =
            local::May { voice: publishes, camera: publishes && !params.scene.is_voice(), role: None };
        self.messages.may_send = publishes;
        let setup = Setup {
            attempt,
            stay,
            params,
            route,
            agent: self.config.agent.clone(),
            publications: if publishes { self.local.publications(&self.config) } else { Vec::new() },
            publishes,
            subscribes: self.remote.begin(),
            messages: self.messages.came.clone(),
            admission: self.admission.take(),
        };
        self.link = Some(Link::start(setup, self.news.clone()));
        self.start_engine();
        self.fit_clarity();
    }

    /// Ends the connection and all streams over it.
    async fn disconnect(&mut self, tell: bool) {
        self.local.stop_sending().await;
        self.remote.stop_all().await;
        if let Some(link) = self.link.take() {
            link.close(tell).await;
        }
    }

    /// Leaves a room for another one, with devices and the way to the server as they are.
    async fn leave_for_another(&mut self) {
        self.disconnect(true).await;
        self.forget_room();
    }

    fn forget_room(&mut self) {
        self.asking.abort_all();
        self.shared.close(None);
        self.people = People::default();
        self.standing = host::Standing::default();
        self.params = None;
        self.held = held::Held::default();
        self.report = report::Report::default();
        self.messages.incoming = Incoming::default();
        self.remote.unseen.clear();
        self.remote.unheard = false;
    }

    /// Lets the room go, and the devices too if `devices`.
    async fn release(&mut self, tell: bool, devices: bool) {
        self.disconnect(tell).await;
        self.forget_room();
        self.route = None;
        if devices {
            self.remote.wishes.exit();
            self.local.release().await;
        } else {
            self.local.leave_room().await;
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "news about connecting were handled before")]
    async fn news(&mut self, attempt: Attempt, at: Instant, news: News) {
        if self.link.as_ref().is_none_or(|link| link.attempt != attempt) {
            return;
        }
        let input = match news {
            News::Failed(failure) => Input::Failed(failure),
            News::Waiting => Input::Waiting,
            News::Seated(join) => {
                self.seated(&join);
                Input::Seated
            }
            News::Connected => Input::Connected,
            News::Lost => Input::Lost,
            News::Ended(ending) => Input::Ended(ending),
            other => return self.news_in_room(other).await,
        };
        let effects = self.room.handle(attempt, input, at);
        self.carry_out(effects).await;
    }

    async fn news_in_room(&mut self, news: News) {
        match news {
            News::Admitted(token) => self.standing.token = Some(token),
            News::Room(metadata) => self.room_stands(&metadata),
            News::CanSend => self.can_send(),
            News::People(infos) => self.people_changed(&infos).await,
            News::Speakers(speakers) => self.people.speakers(&speakers),
            News::Qualities(told) => self.people.qualities(&told),
            News::Published { cid, sid, track } => self.published(&cid, sid, track),
            News::NotPublished { cid, reason, message } => self.not_published(&cid, reason, &message),
            News::Withdrawn { sid } => self.withdrawn(&sid).await,
            News::Muted { sid, muted } => self.muted_by_server(&sid, muted),
            News::Track { sid, track, asks } => self.track(sid, track, asks).await,
            News::Allowed { sid, allowed } => self.allowed(&sid, allowed),
            News::Notice(notice) => self.noticed(notice),
            News::Waiting
            | News::Failed(_)
            | News::Seated(_)
            | News::Connected
            | News::Lost
            | News::Ended(_) => {}
        }
    }

    fn seated(&mut self, join: &lk::JoinResponse) {
        self.forget_lists();
        if let Some(own) = &join.participant {
            self.own_changed(own);
        }
        if let Some(room) = &join.room {
            self.room_stands(&room.metadata);
        }
        let events = self.people.replace(&join.other_participants);
        self.told_about_others(events);
        self.subscribe();
    }

    async fn people_changed(&mut self, infos: &[lk::ParticipantInfo]) {
        let own = self.params.as_ref().map(|params| params.user_id.as_str().to_owned());
        if let Some(own) = infos.iter().find(|info| Some(&info.identity) == own.as_ref()) {
            self.own_changed(own);
        }
        let events = self.people.update(infos);
        self.drop_gone().await;
        self.told_about_others(events);
        self.subscribe();
    }

    async fn inside(&mut self, inside: Inside) {
        if !self.is_current(&inside) {
            return;
        }
        match inside {
            Inside::CameraSent => {
                self.emit_in_room(Event::OnSendFirstLocalVideoFrame {
                    stream_type: StreamType::Big.number(),
                });
            }
            Inside::VoiceSent => self.emit_in_room(Event::OnSendFirstLocalAudioFrame),
            Inside::FirstPicture { whose, width, height } => {
                let (user_id, stream_type) = (whose.user_id, whose.stream.number());
                let ours = user_id.is_empty();
                let event = Event::OnFirstVideoFrame { user_id, stream_type, width, height };
                if ours { self.emit(event) } else { self.emit_in_room(event) }
            }
            Inside::Role(asked) => self.role_answered(asked),
            Inside::Elsewhere(asked) => self.elsewhere_answered(asked).await,
            Inside::FirstSound { user_id } => self.emit_in_room(Event::OnFirstAudioFrame { user_id }),
        }
    }

    /// Whether what is reported is still there: a report may come after the end of its stream.
    fn is_current(&self, inside: &Inside) -> bool {
        match inside {
            Inside::CameraSent => self.local.video.stream().is_some(),
            Inside::VoiceSent => self.local.voice.stream().is_some(),
            Inside::Role(_) => self.params.is_some(),
            Inside::Elsewhere(asked) => self.standing.is_crossing(&asked.stay),
            Inside::FirstPicture { whose, .. } if whose.user_id.is_empty() => true,
            Inside::FirstPicture { whose, .. } => {
                self.remote.videos.values().any(|video| video.whose == *whose)
            }
            Inside::FirstSound { user_id } => {
                self.remote.voices.values().any(|voice| voice.user_id == *user_id)
            }
        }
    }

    /// Tells the link something, if there is one.
    fn order(&self, order: Order) {
        if let Some(link) = &self.link {
            link.order(order);
        }
    }

    /// Tells a fault: codes above zero are warnings.
    fn complain(&mut self, fault: &Fault) {
        self.emit(Event::complaint(fault));
    }
}

/// Drops something that joins threads, without holding the runtime up.
async fn drop_aside<T: Send + 'static>(name: &str, value: T) {
    offload(name, move || drop(value)).await;
}
