//! The task behind one attempt.

use super::farewell::Farewell;
use super::negotiate::{Publisher, Subscriber};
use super::{News, Order, Setup};
use crate::room::{ASK_AGAIN, Attempt, Ending, Failure, REACH};
use crate::signalling::{Admission, Answered, Heard, Socket, Token, ask, unreachable};
use crate::transport::{Path, Peer, PeerEvent, Plan, Side, data};
use confab_protocol::{Notice, ServerAddress};
use confab_signal::lk;
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::RTCPeerConnectionState;

/// Events of the peer connections that may wait; they come in short bursts while connecting.
pub(super) const EVENTS: usize = 256;
/// The least time for the signalling to accept a connection, however late the room service answered.
const SIGNALLING_REACH: Duration = Duration::from_secs(1);
/// Until the server says otherwise.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs one attempt until it is stopped.
pub(super) async fn run(
    setup: Setup,
    news: mpsc::Sender<(Attempt, Instant, News)>,
    orders: mpsc::Receiver<Order>,
    stop: CancellationToken,
    tell: oneshot::Receiver<bool>,
) {
    let (events, event_receiver) = mpsc::channel(EVENTS);
    let mut driver = Driver {
        attempt: setup.attempt,
        setup,
        news,
        orders,
        events,
        event_receiver,
        socket: None,
        plan: None,
        publisher: Publisher::default(),
        subscriber: Subscriber::default(),
        channels: JoinSet::new(),
        connected: false,
        farewell: Farewell::default(),
        heard: Instant::now(),
        ping: tokio::time::interval(PING_INTERVAL),
        ping_timeout: PING_TIMEOUT,
        round_trip: 0,
    };
    driver.ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let last = driver.prepare_and_drive(&stop).await;
    if let Some(last) = last {
        let _ = stop.run_until_cancelled(driver.tell(last)).await;
        stop.cancelled().await;
    }
    driver.finish(tell.await.unwrap_or(true)).await;
}

pub(super) struct Driver {
    pub(super) attempt: Attempt,
    pub(super) setup: Setup,
    pub(super) news: mpsc::Sender<(Attempt, Instant, News)>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) events: mpsc::Sender<PeerEvent>,
    pub(super) event_receiver: mpsc::Receiver<PeerEvent>,
    pub(super) socket: Option<Socket>,
    /// What connections are made by.
    pub(super) plan: Option<Plan>,
    pub(super) publisher: Publisher,
    pub(super) subscriber: Subscriber,
    /// One reader a data channel.
    pub(super) channels: JoinSet<()>,
    pub(super) connected: bool,
    pub(super) farewell: Farewell,
    /// When the server was last heard.
    pub(super) heard: Instant,
    pub(super) ping: tokio::time::Interval,
    pub(super) ping_timeout: Duration,
    /// How long the latest ping was on its way there and back, ms; 0 before the first.
    round_trip: i64,
}

/// The task goes on, or these are its last news.
pub(super) type Step = Result<(), News>;

impl Driver {
    async fn tell(&self, news: News) {
        // Nobody to tell is no trouble: the owner is about to close us.
        let _ = self.news.send((self.attempt, Instant::now(), news)).await;
    }

    /// The last news, or nothing when it was stopped.
    async fn prepare_and_drive(&mut self, stop: &CancellationToken) -> Option<News> {
        let Setup { params, stay, route, .. } = &self.setup;
        let (params, stay, route) = (params.clone(), stay.clone(), route.clone());
        let reach_by = tokio::time::Instant::now() + REACH;
        let looked_up = tokio::time::timeout_at(reach_by, local_addresses(self.setup.route.server()));
        let Ok(local) = stop.run_until_cancelled(looked_up).await? else {
            return Some(News::Failed(unreachable(self.setup.route.server())));
        };
        let known = self.setup.admission.take();
        let asked = async {
            match known {
                Some(admission) => Ok(Answered::Admitted(admission)),
                None => ask(&route, &params, stay.clone(), remaining(reach_by)).await,
            }
        };
        // The question to the room service may be dropped; the peer connections may not.
        let (prepared, answered) = tokio::join!(
            self.prepare(Plan { local: local.clone(), ice_servers: Vec::new() }),
            stop.run_until_cancelled(asked)
        );
        let mut answered = answered?;
        while let Ok(Answered::Waiting) = answered {
            self.tell(News::Waiting).await;
            let again = async {
                tokio::time::sleep(ASK_AGAIN).await;
                ask(&route, &params, stay.clone(), REACH).await
            };
            answered = stop.run_until_cancelled(again).await?;
        }
        let admission = match answered {
            Ok(Answered::Admitted(admission)) => admission,
            Ok(Answered::Waiting) => return None,
            Err(failure) => return Some(News::Failed(failure)),
        };
        self.tell(News::Admitted(Token(admission.token.clone()))).await;
        let mut offer = prepared;
        if offer.is_ok() && !admission.ice_servers.is_empty() {
            self.close_peers().await;
            offer = self.prepare(Plan { local, ice_servers: admission.ice_servers.clone() }).await;
        }
        match offer {
            Ok(requests) => {
                let reach = remaining(reach_by).max(SIGNALLING_REACH);
                stop.run_until_cancelled(self.drive(&admission, requests, reach)).await
            }
            Err(error) => Some(News::Failed(Failure::Broken(format!(
                "No connection could be prepared on this computer: {error}."
            )))),
        }
    }

    /// Opens the signalling and follows it to its end.
    async fn drive(&mut self, admission: &Admission, requests: Vec<Request>, reach: Duration) -> News {
        match Socket::open(&self.setup.route, admission, &self.setup.agent, self.setup.subscribes, reach)
            .await
        {
            Ok(socket) => self.socket = Some(socket),
            Err(failure) => return News::Failed(failure),
        }
        self.heard = Instant::now();
        let mut step = self.send_all(requests).await;
        while step.is_ok() {
            step = self.step().await;
        }
        step.err().unwrap_or(News::Lost)
    }

    async fn step(&mut self) -> Step {
        let Some(socket) = self.socket.as_mut() else { return Err(News::Lost) };
        let grace = self.farewell.until().map(tokio::time::Instant::from);
        let late =
            [(Side::Publisher, self.publisher.connect_by), (Side::Subscriber, self.subscriber.connect_by)]
                .into_iter()
                .filter_map(|(side, by)| Some((by?, side)))
                .min_by_key(|(by, _)| *by);
        tokio::select! {
            heard = socket.next() => self.hear(heard).await,
            Some(event) = self.event_receiver.recv() => self.event(event).await,
            Some(order) = self.orders.recv() => self.order(order).await,
            _ = self.ping.tick() => self.ping().await,
            () = reached(grace) => Err(self.ended()),
            () = reached(late.map(|(by, _)| by)) => {
                tracing::info!(side = ?late.map(|(_, side)| side), "a peer connection was not up in time");
                Err(self.ended())
            }
        }
    }

    pub(super) async fn send(&mut self, request: Request) -> Step {
        self.send_all(vec![request]).await
    }

    async fn send_all(&mut self, requests: Vec<Request>) -> Step {
        let Some(socket) = &mut self.socket else { return Err(News::Lost) };
        if requests.is_empty() || socket.send_all(requests).await { Ok(()) } else { Err(self.ended()) }
    }

    /// What the end of the signalling means.
    fn ended(&mut self) -> News {
        self.farewell.end().into()
    }

    async fn ping(&mut self) -> Step {
        if self.heard.elapsed() > self.ping_timeout {
            tracing::info!("the server has not been heard for too long");
            return Err(self.ended());
        }
        self.send(Request::PingReq(lk::Ping { timestamp: unix_ms(), rtt: self.round_trip })).await
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "LiveKit has more messages than a room needs")]
    async fn hear(&mut self, heard: Heard) -> Step {
        self.heard = Instant::now();
        let response = match heard {
            Heard::Response(response) => *response,
            Heard::Closed(why) => {
                // A notice may still be on its way by the other connection.
                if let Some(until) = self.farewell.until() {
                    self.await_notice(until.into()).await?;
                }
                tracing::debug!(why, "the signalling ended");
                return Err(self.ended());
            }
        };
        match response {
            Response::Join(join) => {
                self.set_ping(&join);
                self.tell(News::Seated(Box::new(join))).await;
            }
            Response::Answer(answer) => return self.take_answer(answer).await,
            Response::Offer(offer) => return self.take_offer(offer).await,
            Response::Trickle(trickle) => self.trickle(&trickle).await,
            Response::Update(update) => self.tell(News::People(update.participants)).await,
            Response::RoomUpdate(update) => {
                self.tell(News::Room(update.room.unwrap_or_default().metadata)).await;
            }
            Response::SpeakersChanged(changed) => self.tell(News::Speakers(changed.speakers)).await,
            Response::ConnectionQuality(told) => self.tell(News::Qualities(told.updates)).await,
            // At least 1: 0 would say that it is not known.
            Response::PongResp(pong) => {
                self.round_trip = unix_ms().saturating_sub(pong.last_ping_timestamp).max(1);
            }
            Response::TrackPublished(published) => self.published(published).await,
            Response::TrackUnpublished(unpublished) => {
                self.tell(News::Withdrawn { sid: unpublished.track_sid }).await;
            }
            Response::Mute(mute) => self.tell(News::Muted { sid: mute.sid, muted: mute.muted }).await,
            Response::RequestResponse(answer) => self.answered(answer).await,
            Response::SubscriptionPermissionUpdate(update) => {
                self.tell(News::Allowed { sid: update.track_sid, allowed: update.allowed }).await;
            }
            Response::Leave(leave) => {
                return self.farewell.leave(&leave, Instant::now()).map_or(Ok(()), |end| Err(end.into()));
            }
            // Not what it holds: a new token would be in the log.
            other => tracing::trace!(kind = ?std::mem::discriminant(&other), "not needed"),
        }
        Ok(())
    }

    fn set_ping(&mut self, join: &lk::JoinResponse) {
        let seconds =
            |value: i32| u64::try_from(value).ok().filter(|&value| value > 0).map(Duration::from_secs);
        if let Some(interval) = seconds(join.ping_interval) {
            // The first at once: the second already tells how long it took.
            self.ping = tokio::time::interval(interval);
            self.ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        self.ping_timeout = seconds(join.ping_timeout).unwrap_or(PING_TIMEOUT);
    }

    /// Hears only the peer connections until the grace is over.
    async fn await_notice(&mut self, until: tokio::time::Instant) -> Step {
        while let Ok(Some(event)) = tokio::time::timeout_at(until, self.event_receiver.recv()).await {
            if let PeerEvent::Notice(notice) = event {
                self.noticed(notice).await?;
            } else if let PeerEvent::Channel(channel) = event {
                self.read_channel(channel);
            }
        }
        Ok(())
    }

    async fn published(&mut self, published: lk::TrackPublishedResponse) {
        let sid = published.track.map(|track| track.sid).unwrap_or_default();
        match self.publisher.tracks.get(published.cid.as_str()) {
            Some(track) => {
                let track = track.clone();
                self.tell(News::Published { cid: published.cid, sid, track }).await;
            }
            None => tracing::debug!(cid = published.cid, "a track that we do not have was published"),
        }
    }

    async fn answered(&mut self, answer: lk::RequestResponse) {
        let reason = answer.reason();
        if matches!(reason, lk::request_response::Reason::Ok | lk::request_response::Reason::Queued) {
            return;
        }
        let cid = match answer.request {
            Some(lk::request_response::Request::AddTrack(request)) => request.cid,
            _ => String::new(),
        };
        self.tell(News::NotPublished { cid, reason, message: answer.message }).await;
    }

    async fn event(&mut self, event: PeerEvent) -> Step {
        match event {
            PeerEvent::State(side, state) => return self.state(side, state).await,
            PeerEvent::Candidate(side, candidate) => return self.late_candidate(side, &candidate).await,
            PeerEvent::Channel(channel) => self.read_channel(channel),
            PeerEvent::Notice(notice) => return self.noticed(notice).await,
            PeerEvent::Track(track) => {
                let sid = track.track_id().await;
                let asks = self.subscriber.peer.as_ref().map(Peer::asks).unwrap_or_default();
                self.tell(News::Track { sid, track, asks }).await;
            }
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only three states mean anything here")]
    async fn state(&mut self, side: Side, state: RTCPeerConnectionState) -> Step {
        tracing::debug!(?side, %state, "peer connection");
        match state {
            RTCPeerConnectionState::Connected => {
                match side {
                    Side::Publisher => self.publisher.connect_by = None,
                    Side::Subscriber => self.subscriber.connect_by = None,
                }
                if !std::mem::replace(&mut self.connected, true) {
                    self.tell(News::Connected).await;
                }
                if side == Side::Publisher {
                    self.tell(News::CanSend).await;
                }
                Ok(())
            }
            RTCPeerConnectionState::Failed if self.farewell.is_unheard() => Err(News::Lost),
            RTCPeerConnectionState::Closed => {
                self.farewell.media_closed(Instant::now());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads a data channel of the server until it closes. Only notices are passed on as events:
    /// whatever else others send must not crowd out what the connection itself has to say.
    fn read_channel(&mut self, channel: Arc<dyn DataChannel>) {
        let (events, messages, attempt) = (self.events.clone(), self.setup.messages.clone(), self.attempt);
        self.channels.spawn(async move {
            while let Some(event) = channel.poll().await {
                let Some(packet) = data(&event).and_then(|bytes| packet(&bytes)) else { continue };
                if let Some(message) = confab_signal::message::read(&packet) {
                    if messages.try_send((attempt, message)).is_err() {
                        tracing::debug!("a message was dropped: they come faster than they are taken");
                    }
                } else if let Some(notice) = confab_signal::data::notice(&packet)
                    && events.send(PeerEvent::Notice(notice)).await.is_err()
                {
                    return;
                }
            }
        });
    }

    async fn noticed(&mut self, notice: Notice) -> Step {
        match Ending::from_notice(notice.clone()) {
            Some(ending) => Err(News::Ended(ending)),
            None => {
                self.tell(News::Notice(notice)).await;
                Ok(())
            }
        }
    }

    async fn order(&mut self, order: Order) -> Step {
        match order {
            Order::Publish(publication) => self.publish(&publication).await,
            Order::Unpublish { cid } => self.unpublish(cid).await,
            Order::Mute { sid, muted } => self.send(Request::Mute(lk::MuteTrackRequest { sid, muted })).await,
            Order::Subscribe { sids, on } => {
                let update = lk::UpdateSubscription { track_sids: sids, subscribe: on, ..Default::default() };
                self.send(Request::Subscription(update)).await
            }
            Order::Pause { sids, paused } => {
                // There is one quality for now, and what is not said would be the lowest.
                let quality = lk::VideoQuality::High as i32;
                let settings = lk::UpdateTrackSettings {
                    track_sids: sids,
                    disabled: paused,
                    quality,
                    ..Default::default()
                };
                self.send(Request::TrackSetting(settings)).await
            }
            Order::Send(outbound) => {
                if let Some(outlets) = &self.publisher.outlets {
                    outlets.send(outbound);
                }
                Ok(())
            }
            Order::Path(answer) => {
                let mut found = Path::default();
                for peer in [&self.subscriber.peer, &self.publisher.peer].into_iter().flatten() {
                    found = found.worse(peer.path(Instant::now()).await);
                }
                let _ = answer.send(found);
                Ok(())
            }
        }
    }

    async fn close_peers(&mut self) {
        let peers = [self.publisher.peer.take(), self.subscriber.peer.take()];
        let [publisher, subscriber] = peers.map(|peer| async {
            if let Some(peer) = peer {
                peer.close().await;
            }
        });
        tokio::join!(publisher, subscriber);
        self.publisher = Publisher::default();
        self.subscriber = Subscriber::default();
    }

    async fn finish(mut self, tell: bool) {
        if let Some(socket) = self.socket.take() {
            socket.close(tell).await;
        }
        self.close_peers().await;
        self.channels.shutdown().await;
    }
}

/// A data packet, if it can be read.
fn packet(bytes: &[u8]) -> Option<lk::DataPacket> {
    confab_signal::data::decode(bytes)
        .inspect_err(|error| tracing::debug!(%error, "a data packet was ignored"))
        .ok()
}

/// Milliseconds since 1970.
fn unix_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or_default()
}

/// Waits until then; for ever where there is no time.
async fn reached(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn remaining(by: tokio::time::Instant) -> Duration {
    by.saturating_duration_since(tokio::time::Instant::now())
}

/// The address from which this computer reaches the server: loopback counts only when it does.
async fn local_addresses(server: &ServerAddress) -> Vec<IpAddr> {
    let (host, port) = server.endpoint();
    let Ok(mut found) = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await else {
        return Vec::new();
    };
    let Some(address) = found.find(SocketAddr::is_ipv4) else { return Vec::new() };
    let routed = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect(address).map(|()| socket))
        .and_then(|socket| socket.local_addr());
    routed.map(|address| vec![address.ip()]).unwrap_or_default()
}
