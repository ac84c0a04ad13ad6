//! The actor's own loop: requests, the session's events and finished jobs, one after the other.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use confab_media::{CameraSource, Device, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Event, Fault, Invitation, InvitationError, Participant};
use confab_session::{Receive, Session};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{debug, error, warn};

use super::chosen::Chosen;
use super::devices::Around;
use super::{Answer, AppKey, Options};
use crate::hosting::{Networks, Running};
use crate::nearby::Browser;
use crate::{
    AppState, Host, Hosting, NearbyView, Phase, PresenterView, Request, SpeakerView, Stage, Store, ViewEvent,
};

/// How often people are looked at for loudness and size while in a room.
const LOOK: Duration = Duration::from_millis(250);
/// How long leaving may take when the app closes.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where an answer goes.
pub(super) type Reply = oneshot::Sender<Answer>;

/// What handles send to the actor.
#[derive(Debug)]
pub(super) enum Order {
    Call { request: Box<Request>, reply: Reply },
    Presented { presenter: PresenterView, warning: Option<String> },
    Close { done: oneshot::Sender<()> },
}

/// What a job found out and the actor takes in.
#[derive(Debug)]
pub(super) enum Change {
    None,
    /// An entry was not accepted after the state had shown it.
    EntryRefused,
    /// Another room was not asked for after the state had shown it.
    SwitchRefused,
    /// A host keeps the microphone muted.
    StaysMuted,
    CameraFailed(Fault),
    MicrophoneFailed(Fault),
    CameraChosen(CameraSource),
    MicrophoneChosen(MicrophoneSource),
    SpeakerChosen(SpeakerSink),
    People(Vec<Participant>),
    HostingStarted(Box<Running>),
    HostingFailed,
    HostingStopped,
}

/// A job's end.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) change: Change,
    pub(super) reply: Option<(Reply, Answer)>,
}

/// Whether rooms are open on this computer.
#[derive(Debug)]
pub(super) enum HostingNow {
    No,
    Changing,
    Yes(Box<Running>),
}

impl HostingNow {
    /// What is told of the rooms opened here when it changes by itself; nothing when it cannot.
    async fn changed(&mut self) -> Option<Hosting> {
        match self {
            HostingNow::Yes(running) => running.changed().await,
            HostingNow::No | HostingNow::Changing => None,
        }
    }
}

pub(super) struct Actor<H> {
    pub(super) session: Session,
    pub(super) stage: Stage,
    pub(super) host: Arc<H>,
    pub(super) store: Arc<Store>,
    pub(super) keys: Vec<AppKey>,
    pub(super) chosen: Chosen,
    pub(super) state: AppState,
    pub(super) hosting: HostingNow,
    pub(super) networks: Networks,
    /// Whose pictures are received, as the app was started.
    pub(super) receive_at_first: Receive,
    /// The same for the next entry, and for this one.
    pub(super) receive_next: Receive,
    pub(super) receive: Receive,
    /// The people whose pictures the page shows, where only those are received.
    pub(super) shown: BTreeSet<String>,
    /// Those whose pictures were asked for by name: they are received although nothing shows them, as
    /// is so while no picture has come yet.
    pub(super) asked: BTreeSet<String>,
    /// The devices of this computer as last seen; nothing before the first look.
    pub(super) around: Option<Vec<Device>>,
    /// An invitation, or what is wrong with it, that the page has not taken yet.
    pub(super) invited: Option<Result<Invitation, InvitationError>>,
    /// Looks for others in the network while somebody wants to know.
    pub(super) nearby: Option<Browser>,
    jobs: JoinSet<Done>,
    looking: bool,
    sent: AppState,
}

impl<H: Host> Actor<H> {
    pub(super) fn new(options: Options, session: Session, stage: Stage, host: Arc<H>, store: Store) -> Self {
        let Options { camera, microphone, speaker, receive, server, keys, networks, .. } = options;
        // An entry that needs it says what is wrong.
        let user_id = store.user_id().map(|user| user.to_string()).unwrap_or_default();
        let chosen = Chosen { camera, microphone, speaker };
        let mut state = AppState::new(user_id, server);
        state.selected = chosen.view();
        Self {
            session,
            stage,
            host,
            store: Arc::new(store),
            keys,
            chosen,
            state,
            hosting: HostingNow::No,
            networks,
            receive_at_first: receive,
            receive_next: receive,
            receive,
            shown: BTreeSet::new(),
            asked: BTreeSet::new(),
            around: None,
            invited: None,
            nearby: None,
            jobs: JoinSet::new(),
            looking: false,
            sent: AppState::default(),
        }
    }

    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut events: mpsc::Receiver<Event>,
        mut around: Around,
    ) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let told = loop {
            let inside = matches!(self.state.phase, Phase::In | Phase::Reconnecting);
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Call { request, reply }) => self.on_request(*request, reply).await,
                    Some(Order::Presented { presenter, warning }) => self.on_presented(presenter, warning),
                    Some(Order::Close { done }) => break Some(done),
                    None => break None,
                },
                event = events.recv() => match event {
                    Some(event) => self.on_event(event).await,
                    None => {
                        error!("the session ended by itself");
                        break None;
                    }
                },
                Some(job) = self.jobs.join_next() => match job {
                    Ok(done) => self.on_done(done),
                    Err(failure) => error!(%failure, "a job broke off"),
                },
                Some(devices) = around.changed() => self.on_devices(devices).await,
                Some(hosting) = self.hosting.changed() => self.state.hosting = Some(hosting),
                Some(found) = news(&mut self.nearby) => self.state.on_nearby(found),
                _ = look.tick(), if inside => self.look().await,
            }
            self.publish();
        };
        self.end(&mut events).await;
        around.close().await;
        if let Some(done) = told {
            // Who asked may have gone meanwhile.
            let _ = done.send(());
        }
    }

    /// Starts a job. Its first step, which hands the wish on to the session, is taken here and now
    /// so that wishes keep their order.
    pub(super) async fn start(&mut self, job: impl Future<Output = Done> + Send + 'static) {
        let mut job = Box::pin(job);
        match poll_fn(|context| Poll::Ready(job.as_mut().poll(context))).await {
            Poll::Ready(done) => self.on_done(done),
            Poll::Pending => {
                self.jobs.spawn(job);
            }
        }
    }

    fn on_done(&mut self, done: Done) {
        match done.change {
            Change::None => {}
            Change::EntryRefused => self.state.on_enter_refused(),
            Change::SwitchRefused => self.state.on_switch_refused(),
            Change::StaysMuted => self.state.microphone.muted = true,
            Change::CameraFailed(fault) => self.state.on_camera_failed(fault),
            Change::MicrophoneFailed(fault) => self.state.on_microphone_failed(fault),
            Change::CameraChosen(camera) => {
                self.chosen.camera = Some(camera);
                self.state.selected = self.chosen.view();
            }
            Change::MicrophoneChosen(microphone) => {
                self.chosen.microphone = Some(microphone);
                self.state.selected = self.chosen.view();
            }
            Change::SpeakerChosen(speaker) => {
                self.chosen.speaker = speaker;
                self.state.speaker = SpeakerView::default();
                self.state.selected = self.chosen.view();
            }
            Change::People(people) => {
                self.looking = false;
                if matches!(self.state.phase, Phase::In | Phase::Reconnecting) {
                    self.state.on_people(people);
                }
            }
            Change::HostingStarted(running) => {
                self.state.hosting = Some(running.info.clone());
                self.hosting = HostingNow::Yes(running);
            }
            Change::HostingFailed => self.hosting = HostingNow::No,
            Change::HostingStopped => {
                self.hosting = HostingNow::No;
                self.state.hosting = None;
            }
        }
        if let Some((reply, answer)) = done.reply {
            // Who asked may have gone meanwhile.
            let _ = reply.send(answer);
        }
    }

    async fn on_event(&mut self, event: Event) {
        self.state.on_event(&event, unix_ms());
        if let Event::OnRemoteUserLeaveRoom { user_id, .. } = &event {
            self.asked.remove(user_id);
        } else if matches!(event, Event::OnExitRoom { .. }) {
            self.asked.clear();
        }
        let moved = matches!(
            event,
            Event::OnEnterRoom { .. }
                | Event::OnSwitchRoom { .. }
                | Event::OnRemoteUserEnterRoom { .. }
                | Event::OnRemoteUserLeaveRoom { .. }
                | Event::OnUserVideoAvailable { .. }
                | Event::OnUserAudioAvailable { .. }
                | Event::OnFirstVideoFrame { .. }
        );
        if let Event::OnUserVideoAvailable { user_id, available: true } = &event
            && (self.shown.contains(user_id) || self.asked.contains(user_id))
        {
            self.view(user_id.clone(), true).await;
        }
        self.host.emit(crate::Event::Room(event));
        if moved {
            self.look().await;
        }
    }

    fn on_presented(&mut self, presenter: PresenterView, warning: Option<String>) {
        self.state.presenter = Some(presenter);
        if let Some(message) = warning {
            let fault = Fault::new(Code::VIDEO_RENDER_FAILED).with_message(message);
            self.host.emit(crate::Event::Room(Event::warning(&fault)));
        }
    }

    /// Asks who is there; the answer comes as a change.
    async fn look(&mut self) {
        if self.looking || !matches!(self.state.phase, Phase::In | Phase::Reconnecting) {
            return;
        }
        self.looking = true;
        let session = self.session.clone();
        let job = async move { Done { change: Change::People(session.participants().await), reply: None } };
        self.start(job).await;
    }

    /// Receives the pictures of those whom the page shows and no others, where that was chosen.
    pub(super) async fn on_shown(&mut self) {
        if self.receive != Receive::OnDemand {
            return;
        }
        let tiles = self.stage.scene().tiles;
        let now: BTreeSet<String> =
            tiles.into_iter().filter(|tile| !tile.id.is_local()).map(|tile| tile.id.0).collect();
        let before = std::mem::replace(&mut self.shown, now.clone());
        for user in now.difference(&before) {
            self.view(user.clone(), true).await;
        }
        for user in before.difference(&now).filter(|user| !self.asked.contains(*user)).collect::<Vec<_>>() {
            self.view(user.clone(), false).await;
        }
    }

    pub(super) async fn view(&mut self, user: String, on: bool) {
        let session = self.session.clone();
        let job = async move {
            let asked = match on {
                true => session.start_remote_view(&user, 0).await,
                false => session.stop_remote_view(&user, 0).await,
            };
            if let Err(fault) = asked {
                // They may have no camera on; the next onUserVideoAvailable asks again.
                debug!(%user, on, code = fault.code, "the view did not change");
            }
            Done { change: Change::None, reply: None }
        };
        self.start(job).await;
    }

    /// Tells the page when something changed.
    fn publish(&mut self) {
        if self.state != self.sent {
            self.stage.follow(&self.state);
            self.sent = self.state.clone();
            let state = ViewEvent::State(Box::new(self.state.clone()));
            self.host.emit(crate::Event::View(state));
        }
    }

    async fn end(mut self, events: &mut mpsc::Receiver<Event>) {
        if self.state.phase != Phase::Idle {
            let session = self.session.clone();
            let leave = tokio::spawn(async move { session.exit_room().await });
            if tokio::time::timeout(FAREWELL, self.until_out(events)).await.is_err() {
                warn!("leaving took too long");
                leave.abort();
            }
        }
        self.jobs.shutdown().await;
        if let HostingNow::Yes(running) = std::mem::replace(&mut self.hosting, HostingNow::No) {
            self.state.hosting = None;
            // A panic in it was logged where it happened.
            let _ = tokio::task::spawn_blocking(move || running.stop()).await;
        }
        self.publish();
        self.stage.close();
        self.session.close().await;
    }

    async fn until_out(&mut self, events: &mut mpsc::Receiver<Event>) {
        while self.state.phase != Phase::Idle {
            let Some(event) = events.recv().await else { return };
            self.state.on_event(&event, unix_ms());
            self.host.emit(crate::Event::Room(event));
            self.publish();
        }
    }

    pub(super) fn answer(reply: Reply, answer: Answer) {
        // Who asked may have gone meanwhile.
        let _ = reply.send(answer);
    }
}

/// Who is in the network when that changes; nothing when nobody looks.
async fn news(nearby: &mut Option<Browser>) -> Option<Vec<NearbyView>> {
    nearby.as_mut()?.changed().await
}

/// Milliseconds since 1970.
pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
