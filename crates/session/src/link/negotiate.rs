//! Offers, answers, candidates and tracks of the two peer connections.

use super::driver::{Driver, EVENTS, Step};
use super::outlets::Outlets;
use super::{Kind, News, Publication};
use crate::room::{CONNECT, Failure};
use crate::transport::{LocalTrack, Peer, Plan, Side, TransportError};
use confab_signal::lk;
use lk::signal_request::Message as Request;
use std::collections::HashMap;
use tokio::time::Instant;
use webrtc::peer_connection::RTCIceCandidateInit;

/// Our half: we offer, one offer at a time.
#[derive(Default)]
pub(super) struct Publisher {
    pub(super) peer: Option<Peer>,
    /// An offer waits for its answer.
    pending: bool,
    /// Something changed since that offer.
    dirty: bool,
    offers: u32,
    answered: bool,
    /// Until when it has to be connected; nothing before it can be, and once it is.
    pub(super) connect_by: Option<Instant>,
    early: Vec<RTCIceCandidateInit>,
    pub(super) tracks: HashMap<&'static str, LocalTrack>,
    /// Where messages leave.
    pub(super) outlets: Option<Outlets>,
}

/// Their half: the server offers.
#[derive(Default)]
pub(super) struct Subscriber {
    pub(super) peer: Option<Peer>,
    offered: bool,
    /// As a publisher's.
    pub(super) connect_by: Option<Instant>,
    early: Vec<RTCIceCandidateInit>,
}

impl Driver {
    /// Makes both peer connections and what is sent right behind the upgrade.
    pub(super) async fn prepare(&mut self, plan: Plan) -> Result<Vec<Request>, TransportError> {
        self.subscriber.peer = Some(Peer::open(Side::Subscriber, &plan, self.events.clone()).await?);
        self.plan = Some(plan);
        if !self.setup.publishes {
            return Ok(Vec::new());
        }
        self.open_publisher().await?;
        let mut requests = Vec::new();
        for publication in self.setup.publications.clone() {
            requests.push(self.add(&publication).await?);
        }
        requests.extend(self.next_offer().await?);
        Ok(requests)
    }

    /// Makes the connection for what we send, unless it is there. A viewer has none before they become
    /// an anchor.
    async fn open_publisher(&mut self) -> Result<(), TransportError> {
        if let (None, Some(plan)) = (&self.publisher.peer, &self.plan) {
            let mut publisher = Peer::open(Side::Publisher, plan, self.events.clone()).await?;
            self.publisher.outlets =
                publisher.take_channels().map(|channels| Outlets::open(channels, &mut self.channels));
            self.publisher.peer = Some(publisher);
        }
        Ok(())
    }

    pub(super) async fn take_answer(&mut self, answer: lk::SessionDescription) -> Step {
        let publisher = &mut self.publisher;
        let Some(peer) = &publisher.peer else { return Ok(()) };
        publisher.pending = false;
        if let Err(error) = peer.take_answer(answer.sdp).await {
            return Err(broken("answer", &error));
        }
        if !std::mem::replace(&mut publisher.answered, true) {
            publisher.connect_by = Some(Instant::now() + CONNECT);
        }
        for candidate in publisher.early.drain(..) {
            note(peer.add_candidate(candidate).await);
        }
        if std::mem::take(&mut publisher.dirty) { self.offer().await } else { Ok(()) }
    }

    pub(super) async fn take_offer(&mut self, offer: lk::SessionDescription) -> Step {
        let Some(peer) = &self.subscriber.peer else { return Ok(()) };
        let answer = match peer.answer(offer.sdp).await {
            Ok(sdp) => {
                lk::SessionDescription { r#type: "answer".into(), sdp, id: offer.id, ..Default::default() }
            }
            Err(error) => return Err(broken("offer", &error)),
        };
        if !std::mem::replace(&mut self.subscriber.offered, true) {
            self.subscriber.connect_by = Some(Instant::now() + CONNECT);
        }
        for candidate in self.subscriber.early.drain(..) {
            note(peer.add_candidate(candidate).await);
        }
        self.send(Request::Answer(answer)).await
    }

    pub(super) async fn trickle(&mut self, trickle: &lk::TrickleRequest) {
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

    /// Candidates that were gathered in time are inside the description already.
    pub(super) async fn late_candidate(&mut self, side: Side, candidate: &RTCIceCandidateInit) -> Step {
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

    pub(super) async fn publish(&mut self, publication: &Publication) -> Step {
        if self.publisher.tracks.contains_key(publication.kind.cid()) {
            return Ok(());
        }
        if let Err(error) = self.open_publisher().await {
            tracing::error!(%error, "nothing can be sent");
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

    pub(super) async fn unpublish(&mut self, cid: &str) -> Step {
        let (Some(track), Some(peer)) = (self.publisher.tracks.remove(cid), &mut self.publisher.peer) else {
            return Ok(());
        };
        if let Err(error) = peer.remove(&track).await {
            tracing::warn!(%error, "a track could not be taken back");
            return Ok(());
        }
        self.offer().await
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
