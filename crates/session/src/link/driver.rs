use super::{Kind, News, Order, Publication, Setup};
use crate::room::{Attempt, Ending, Failure};
use crate::signalling::{Admission, Heard, Socket, ask};
use crate::transport::{LocalTrack, Peer, PeerEvent, Plan, Side, TransportError, data};
use confab_protocol::Notice;
use confab_signal::lk;
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{RTCIceCandidateInit, RTCPeerConnectionState};

/// Events of the peer connections that may wait; they come in short bursts while connecting.
const EVENTS: usize = 256;
/// A `leave` may overtake the notice that says why: they travel on different connections.
const NOTICE_GRACE: Duration = Duration::from_millis(150);
/// Until the server says otherwise.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs one attempt until it is stopped.
pub(super) async fn run(
    setup: Setup,
    news: mpsc::Sender<(Attempt, News)>,
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
        publisher: Publisher::default(),
        subscriber: Subscriber::default(),
        channels: JoinSet::new(),
        connected: false,
        leaving: None,
        heard: Instant::now(),
        ping: tokio::time::interval(PING_INTERVAL),
        ping_timeout: PING_TIMEOUT,
    };
    driver.ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let last = driver.prepare_and_drive(&stop).await;
    if let Some(last) = last {
        let _ = stop.run_until_cancelled(driver.tell(last)).await;
        stop.cancelled().await;
    }
    driver.finish(tell.await.unwrap_or(true)).await;
}

/// Our half: we offer, one offer at a time.
#[derive(Default)]
struct Publisher {
    peer: Option<Peer>,
    /// An offer waits for its answer.
    pending: bool,
    /// Something changed since that offer.
    dirty: bool,
    offers: u32,
    answered: bool,
    early: Vec<RTCIceCandidateInit>,
    tracks: HashMap<&'static str, LocalTrack>,
}

/// Their half: the server offers.
#[derive(Default)]
struct Subscriber {
    peer: Option<Peer>,
    offered: bool,
    early: Vec<RTCIceCandidateInit>,
}

struct Driver {
    attempt: Attempt,
    setup: Setup,
    news: mpsc::Sender<(Attempt, News)>,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<PeerEvent>,
    event_receiver: mpsc::Receiver<PeerEvent>,
    socket: Option<Socket>,
    publisher: Publisher,
    subscriber: Subscriber,
    /// One reader a data channel.
    channels: JoinSet<()>,
    connected: bool,
    /// The server said `leave`; its notice may still come until then.
    leaving: Option<(Ending, tokio::time::Instant)>,
    /// When the server was last heard.
    heard: Instant,
    ping: tokio::time::Interval,
    ping_timeout: Duration,
}

/// The task goes on, or these are its last news.
type Step = Result<(), News>;

impl Driver {
    async fn tell(&self, news: News) {
        // Nobody to tell is no trouble: the owner is about to close us.
        let _ = self.news.send((self.attempt, news)).await;
    }

    /// The last news, or nothing when it was stopped.
    async fn prepare_and_drive(&mut self, stop: &CancellationToken) -> Option<News> {
        let params = self.setup.params.clone();
        let local = local_addresses(&params.server).await;
        // The question to the room service may be dropped; the peer connections may not.
        let (prepared, admission) = tokio::join!(
            self.prepare(Plan { local: local.clone(), ice_servers: Vec::new() }),
            stop.run_until_cancelled(ask(&params))
        );
        let admission = match admission? {
            Ok(admission) => admission,
            Err(failure) => return Some(News::Failed(failure)),
        };
        let mut offer = prepared;
        if offer.is_ok() && !admission.ice_servers.is_empty() {
            self.close_peers().await;
            offer = self.prepare(Plan { local, ice_servers: admission.ice_servers.clone() }).await;
        }
        match offer {
            Ok(requests) => stop.run_until_cancelled(self.drive(&admission, requests)).await,
            Err(error) => Some(News::Failed(Failure::Broken(format!(
                "No connection could be prepared on this computer: {error}."
            )))),
        }
    }

    /// Makes both peer connections and what is sent right behind the upgrade.
    async fn prepare(&mut self, plan: Plan) -> Result<Vec<Request>, TransportError> {
        self.subscriber.peer = Some(Peer::open(Side::Subscriber, &plan, self.events.clone()).await?);
        if !self.setup.publishes {
            return Ok(Vec::new());
        }
        self.publisher.peer = Some(Peer::open(Side::Publisher, &plan, self.events.clone()).await?);
        let mut requests = Vec::new();
        for publication in self.setup.publications.clone() {
            requests.push(self.add(&publication).await?);
        }
        requests.extend(self.next_offer().await?);
        Ok(requests)
    }

    /// Opens the signalling and follows it to its end.
    async fn drive(&mut self, admission: &Admission, requests: Vec<Request>) -> News {
        match Socket::open(admission, &self.setup.agent, self.setup.subscribes).await {
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
        let grace = self.leaving.as_ref().map(|(_, until)| *until);
        tokio::select! {
            heard = socket.next() => self.hear(heard).await,
            Some(event) = self.event_receiver.recv() => self.event(event).await,
            Some(order) = self.orders.recv() => self.order(order).await,
            _ = self.ping.tick() => self.ping().await,
            () = async { tokio::time::sleep_until(grace.unwrap_or_else(tokio::time::Instant::now)).await },
                if grace.is_some() => Err(self.ended()),
        }
    }

    async fn send(&mut self, request: Request) -> Step {
        self.send_all(vec![request]).await
    }

    async fn send_all(&mut self, requests: Vec<Request>) -> Step {
        let Some(socket) = &mut self.socket else { return Err(News::Lost) };
        if requests.is_empty() || socket.send_all(requests).await { Ok(()) } else { Err(self.ended()) }
    }

    /// What the end of the signalling means.
    fn ended(&mut self) -> News {
        match self.leaving.take() {
            Some((ending, _)) => News::Ended(ending),
            None => News::Lost,
        }
    }

    async fn ping(&mut self) -> Step {
        if self.heard.elapsed() > self.ping_timeout {
            tracing::info!("the server has not been heard for too long");
            return Err(self.ended());
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let timestamp = i64::try_from(now.as_millis()).unwrap_or_default();
        self.send(Request::PingReq(lk::Ping { timestamp, rtt: 0 })).await
    }

    async fn hear(&mut self, heard: Heard) -> Step {
        self.heard = Instant::now();
        let response = match heard {
            Heard::Response(response) => *response,
            Heard::Closed(why) => {
                // A notice may still be on its way by the other connection.
                if let Some((_, until)) = &self.leaving {
                    let until = *until;
                    self.await_notice(until).await?;
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
            Response::SpeakersChanged(changed) => self.tell(News::Speakers(changed.speakers)).await,
            Response::TrackPublished(published) => self.published(published).await,
            Response::TrackUnpublished(unpublished) => {
                self.tell(News::Withdrawn { sid: unpublished.track_sid }).await;
            }
            Response::Mute(mute) => self.tell(News::Muted { sid: mute.sid, muted: mute.muted }).await,
            Response::RequestResponse(answer) => self.answered(answer).await,
            Response::Leave(leave) => return self.leave(&leave),
            other => tracing::trace!(?other, "not needed"),
        }
        Ok(())
    }

    fn set_ping(&mut self, join: &lk::JoinResponse) {
        let seconds =
            |value: i32| u64::try_from(value).ok().filter(|&value| value > 0).map(Duration::from_secs);
        if let Some(interval) = seconds(join.ping_interval) {
            self.ping = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
            self.ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        self.ping_timeout = seconds(join.ping_timeout).unwrap_or(PING_TIMEOUT);
    }

    fn leave(&mut self, leave: &lk::LeaveRequest) -> Step {
        match Ending::from_leave(leave) {
            Some(ending) => {
                self.leaving = Some((ending, tokio::time::Instant::now() + NOTICE_GRACE));
                Ok(())
            }
            // The server wants us back: as after any other loss.
            None => Err(News::Lost),
        }
    }

    /// Hears only the peer connections until the grace is over.
    async fn await_notice(&mut self, until: tokio::time::Instant) -> Step {
        while let Ok(Some(event)) = tokio::time::timeout_at(until, self.event_receiver.recv()).await {
            if let PeerEvent::Data(bytes) = event {
                self.data(&bytes).await?;
            } else if let PeerEvent::Channel(channel) = event {
                self.read_channel(channel);
            }
        }
        Ok(())
    }

    async fn take_answer(&mut self, answer: lk::SessionDescription) -> Step {
        let publisher = &mut self.publisher;
        let Some(peer) = &publisher.peer else { return Ok(()) };
        publisher.pending = false;
        if let Err(error) = peer.take_answer(answer.sdp).await {
            return Err(broken("answer", &error));
        }
        publisher.answered = true;
        for candidate in publisher.early.drain(..) {
            note(peer.add_candidate(candidate).await);
        }
        if std::mem::take(&mut publisher.dirty) { self.offer().await } else { Ok(()) }
    }

    async fn take_offer(&mut self, offer: lk::SessionDescription) -> Step {
        let Some(peer) = &self.subscriber.peer else { return Ok(()) };
        let answer = match peer.answer(offer.sdp).await {
            Ok(sdp) => {
                lk::SessionDescription { r#type: "answer".into(), sdp, id: offer.id, ..Default::default() }
            }
            Err(error) => return Err(broken("offer", &error)),
        };
        self.subscriber.offered = true;
        for candidate in self.subscriber.early.drain(..) {
            note(peer.add_candidate(candidate).await);
        }
        self.send(Request::Answer(answer)).await
    }

    async fn trickle(&mut self, trickle: &lk::TrickleRequest) {
        let candidate = match serde_json::from_str::<RTCIceCandidateInit>(&trickle.candidate_init) {
            Ok(candidate) if !candidate.candidate.is_empty() => candidate,
            Ok(_) => return,
            Err(error) => return tracing::debug!(%error, "a candidate cannot be read"),
        };
        let (peer, ready, early) = match trickle.target() {
            lk::SignalTarget::Publisher => {
                (&self.publisher.peer, self.publisher.answered, &mut self.publisher.early)
            }
            lk::SignalTarget::Subscriber => {
                (&self.subscriber.peer, self.subscriber.offered, &mut self.subscriber.early)
            }
        };
        match peer {
            Some(peer) if ready => note(peer.add_candidate(candidate).await),
            Some(_) if early.len() < EVENTS => early.push(candidate),
            Some(_) | None => {}
        }
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
        self.tell(News::NotPublished { reason, message: answer.message }).await;
    }

    async fn event(&mut self, event: PeerEvent) -> Step {
        match event {
            PeerEvent::State(side, state) => return self.state(side, state).await,
            PeerEvent::Candidate(side, candidate) => return self.late_candidate(side, &candidate).await,
            PeerEvent::Channel(channel) => self.read_channel(channel),
            PeerEvent::Data(bytes) => return self.data(&bytes).await,
            PeerEvent::Track(track) => {
                let sid = track.track_id().await;
                self.tell(News::Track { sid, track }).await;
            }
        }
        Ok(())
    }

    async fn state(&mut self, side: Side, state: RTCPeerConnectionState) -> Step {
        tracing::debug!(?side, %state, "peer connection");
        match state {
            RTCPeerConnectionState::Connected => {
                if !std::mem::replace(&mut self.connected, true) {
                    self.tell(News::Connected).await;
                }
                if side == Side::Publisher {
                    self.tell(News::CanSend).await;
                }
                Ok(())
            }
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed if self.leaving.is_none() => {
                Err(News::Lost)
            }
            _ => Ok(()),
        }
    }

    /// Candidates that were gathered in time are inside the description already.
    async fn late_candidate(&mut self, side: Side, candidate: &RTCIceCandidateInit) -> Step {
        let (sent, target) = match side {
            Side::Publisher => (self.publisher.answered, lk::SignalTarget::Publisher),
            Side::Subscriber => (self.subscriber.offered, lk::SignalTarget::Subscriber),
        };
        let Ok(json) = serde_json::to_string(candidate) else { return Ok(()) };
        if !sent {
            return Ok(());
        }
        let trickle =
            lk::TrickleRequest { candidate_init: json, target: target as i32, ..Default::default() };
        self.send(Request::Trickle(trickle)).await
    }

    /// Reads a data channel of the server until it closes.
    fn read_channel(&mut self, channel: Arc<dyn DataChannel>) {
        let events = self.events.clone();
        self.channels.spawn(async move {
            while let Some(event) = channel.poll().await {
                if let Some(bytes) = data(&event)
                    && events.send(PeerEvent::Data(bytes)).await.is_err()
                {
                    return;
                }
            }
        });
    }

    async fn data(&mut self, bytes: &[u8]) -> Step {
        let packet = match confab_signal::data::decode(bytes) {
            Ok(packet) => packet,
            Err(error) => {
                tracing::debug!(%error, "a data packet was ignored");
                return Ok(());
            }
        };
        match confab_signal::data::notice(&packet) {
            Some(notice @ Notice::Exit { .. }) => match Ending::from_notice(notice) {
                Some(ending) => Err(News::Ended(ending)),
                None => Ok(()),
            },
            Some(notice) => {
                self.tell(News::Notice(notice)).await;
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn order(&mut self, order: Order) -> Step {
        match order {
            Order::Publish(publication) => self.publish(&publication).await,
            Order::Mute { sid, muted } => self.send(Request::Mute(lk::MuteTrackRequest { sid, muted })).await,
            Order::Subscribe { sids, on } => {
                let update = lk::UpdateSubscription { track_sids: sids, subscribe: on, ..Default::default() };
                self.send(Request::Subscription(update)).await
            }
            Order::RoundTrip(answer) => {
                let now = Instant::now();
                let mut found = None;
                for peer in [&self.subscriber.peer, &self.publisher.peer].into_iter().flatten() {
                    found = found.max(peer.round_trip(now).await);
                }
                let _ = answer.send(found);
                Ok(())
            }
        }
    }

    async fn publish(&mut self, publication: &Publication) -> Step {
        if self.publisher.peer.is_none() || self.publisher.tracks.contains_key(publication.kind.cid()) {
            return Ok(());
        }
        match self.add(publication).await {
            Ok(request) => self.send(request).await?,
            Err(error) => {
                tracing::error!(%error, "a track could not be added");
                return Ok(());
            }
        }
        self.offer().await
    }

    /// Adds a track to the publisher and makes the request that announces it.
    async fn add(&mut self, publication: &Publication) -> Result<Request, TransportError> {
        let cid = publication.kind.cid();
        let mut request =
            lk::AddTrackRequest { cid: cid.into(), muted: publication.muted, ..Default::default() };
        let Some(peer) = &mut self.publisher.peer else { return Err(TransportError::ErrConnectionClosed) };
        let track = match publication.kind {
            Kind::Voice => {
                request.name = "microphone".into();
                request.set_type(lk::TrackType::Audio);
                request.set_source(lk::TrackSource::Microphone);
                request.disable_red = true;
                peer.add_voice(cid).await?
            }
            Kind::Camera { width, height, bitrate } => {
                request.name = "camera".into();
                request.set_type(lk::TrackType::Video);
                request.set_source(lk::TrackSource::Camera);
                (request.width, request.height) = (width, height);
                let mut layer = lk::VideoLayer { width, height, bitrate, ..Default::default() };
                layer.set_quality(lk::VideoQuality::High);
                request.layers = vec![layer];
                peer.add_camera(cid, bitrate).await?
            }
        };
        self.publisher.tracks.insert(cid, track);
        Ok(Request::AddTrack(request))
    }

    async fn offer(&mut self) -> Step {
        match self.next_offer().await {
            Ok(Some(request)) => self.send(request).await,
            Ok(None) => Ok(()),
            Err(error) => Err(broken("offer of ours", &error)),
        }
    }

    /// The next offer, unless one waits for its answer.
    async fn next_offer(&mut self) -> Result<Option<Request>, TransportError> {
        let publisher = &mut self.publisher;
        let Some(peer) = &publisher.peer else { return Ok(None) };
        if publisher.pending {
            publisher.dirty = true;
            return Ok(None);
        }
        let sdp = peer.offer().await?;
        publisher.pending = true;
        publisher.offers += 1;
        let id = publisher.offers;
        let offer = lk::SessionDescription { r#type: "offer".into(), sdp, id, ..Default::default() };
        Ok(Some(Request::Offer(offer)))
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

fn broken(what: &str, error: &TransportError) -> News {
    tracing::warn!(what, %error, "a description does not fit");
    News::Failed(Failure::Broken(format!(
        "The server's connection description does not fit ({what}): {error}."
    )))
}

fn note(outcome: Result<(), TransportError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "a candidate was not taken");
    }
}

/// The address from which this computer reaches the server: loopback counts only when it does.
async fn local_addresses(server: &str) -> Vec<IpAddr> {
    let authority = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or(authority);
    let with_port =
        if authority.rsplit_once(':').is_some() { authority.to_owned() } else { format!("{authority}:80") };
    let Ok(mut found) = tokio::net::lookup_host(with_port).await else { return Vec::new() };
    let Some(address) = found.find(SocketAddr::is_ipv4) else { return Vec::new() };
    let routed = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect(address).map(|()| socket))
        .and_then(|socket| socket.local_addr());
    routed.map(|address| vec![address.ip()]).unwrap_or_default()
}
