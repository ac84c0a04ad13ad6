//! One attempt's connection: the question to the room service, the signalling and both peer
//! connections. The same rules as the session's link has, without its sockets.

use super::{CAMERA, Out, VOICE};
use crate::connection::{Connection, Report, description};
use crate::wire::{Down, Up};
use confab_protocol::{
    Code, EnterAnswer, EnterParams, EnterRequest, Fault, Notice, Proof, RawEnterParams, Stay,
};
use confab_session::room::{Attempt, Ending, Failure, REACH};
use confab_session::sim::{End, Farewell, Piece};
use confab_signal::{data, lk};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::media::{MediaKind, Mid};

/// As in the session's link.
const SIGNALLING_REACH: Duration = Duration::from_secs(1);
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// What it tells the client.
#[derive(Debug)]
pub(super) enum News {
    Failed(Failure),
    Seated(Box<lk::JoinResponse>),
    Connected,
    CanSend,
    People(Vec<lk::ParticipantInfo>),
    Published { cid: String, sid: String },
    Notice(Notice),
    Packet { sid: String, piece: Piece },
    KeyFrameWanted,
    Lost,
    Ended(Ending),
}

#[derive(Debug)]
enum Stage {
    /// The room service is called.
    Dialing,
    Asking,
    /// The signalling is called.
    DialingSignalling {
        token: String,
    },
    Opening,
    Open,
    /// The last news were told.
    Over,
}

#[derive(Debug)]
pub(super) struct Talk {
    attempt: Attempt,
    stay: Stay,
    params: Arc<EnterParams>,
    stage: Stage,
    /// Nobody who has not accepted by then is there.
    reach_by: Instant,
    publisher: Connection,
    subscriber: Connection,
    /// What goes out right behind the upgrade.
    first: Vec<Request>,
    /// Something changed since the offer that is out.
    dirty: bool,
    new: Vec<(&'static str, MediaKind)>,
    offers: u32,
    sections: HashMap<&'static str, Option<Mid>>,
    /// The server's ids of the tracks in the subscriber's sections.
    sids: HashMap<Mid, String>,
    connected: bool,
    farewell: Farewell,
    heard: Instant,
    ping: Option<Instant>,
    news: VecDeque<News>,
    pub(super) out: Vec<Out>,
}

impl Talk {
    pub(super) fn start(
        attempt: Attempt,
        stay: Stay,
        params: Arc<EnterParams>,
        publications: &[(&'static str, bool)],
        addresses: [SocketAddr; 2],
        now: Instant,
    ) -> Talk {
        let mut talk = Talk {
            attempt,
            stay,
            params,
            stage: Stage::Dialing,
            reach_by: now + REACH,
            publisher: Connection::new(addresses[0], now),
            subscriber: Connection::new(addresses[1], now),
            first: Vec::new(),
            dirty: false,
            new: Vec::new(),
            offers: 0,
            sections: HashMap::new(),
            sids: HashMap::new(),
            connected: false,
            farewell: Farewell::default(),
            heard: now,
            ping: None,
            news: VecDeque::new(),
            out: vec![Out::Dial, Out::Say(Up::Dial)],
        };
        for (cid, muted) in publications {
            let request = talk.add(cid, *muted);
            talk.first.push(request);
        }
        let offer = talk.next_offer(now);
        talk.first.extend(offer);
        talk
    }

    /// What is to be told next.
    pub(super) fn news(&mut self) -> Option<(Attempt, News)> {
        self.news.pop_front().map(|news| (self.attempt, news))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        if matches!(self.stage, Stage::Over) {
            return None;
        }
        let dialing = matches!(self.stage, Stage::Dialing | Stage::DialingSignalling { .. });
        let sides = [&self.publisher, &self.subscriber];
        let own = dialing.then_some(self.reach_by).into_iter();
        own.chain(self.ping)
            .chain(self.farewell.until())
            .chain(sides.iter().map(|side| side.deadline()))
            .chain(sides.iter().filter_map(|side| side.silent_at()))
            .min()
    }

    pub(super) fn wake(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Over) {
            return;
        }
        let dialing = matches!(self.stage, Stage::Dialing | Stage::DialingSignalling { .. });
        if dialing && now >= self.reach_by {
            return self.last(News::Failed(Failure::Unreachable("nobody answers".into())));
        }
        if self.ping.is_some_and(|at| now >= at) {
            if now.saturating_duration_since(self.heard) > PING_TIMEOUT {
                return self.ended();
            }
            self.ping = Some(now + PING_INTERVAL);
            self.say(Request::PingReq(lk::Ping::default()));
        }
        if self.farewell.until().is_some_and(|until| now >= until) {
            return self.ended();
        }
        for side in [&mut self.publisher, &mut self.subscriber] {
            if side.deadline() <= now {
                side.wake(now);
            }
        }
        self.look_at_peers(now);
        if self.publisher.is_silent(now) || self.subscriber.is_silent(now) {
            self.failed();
        }
    }

    pub(super) fn receive(&mut self, to: SocketAddr, from: SocketAddr, bytes: &[u8], now: Instant) {
        if to == self.publisher.address {
            self.publisher.receive(from, bytes, now);
        } else if to == self.subscriber.address {
            self.subscriber.receive(from, bytes, now);
        }
        self.look_at_peers(now);
    }

    pub(super) fn hear(&mut self, down: Down, now: Instant) {
        self.heard = now;
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = match (stage, down) {
            (Stage::Over, _) => Stage::Over,
            (Stage::Dialing, Down::Accepted) => {
                let raw = Box::new(raw(&self.params, self.stay.clone()));
                self.out.push(Out::Say(Up::Enter(raw, self.stay.clone())));
                Stage::Asking
            }
            (Stage::Asking, Down::Answer(answer)) => match admission(*answer) {
                Ok(token) => {
                    self.out.extend([Out::Say(Up::Close), Out::Dial, Out::Say(Up::Dial)]);
                    self.reach_by = self.reach_by.max(now + SIGNALLING_REACH);
                    Stage::DialingSignalling { token }
                }
                Err(failure) => return self.last(News::Failed(failure)),
            },
            (Stage::DialingSignalling { token }, Down::Accepted) => {
                self.out.push(Out::Say(Up::Open(token)));
                Stage::Opening
            }
            (Stage::Opening, Down::Opened) => {
                for request in std::mem::take(&mut self.first) {
                    self.say(request);
                }
                self.ping = Some(now + PING_INTERVAL);
                Stage::Open
            }
            (Stage::Opening, Down::Refused(text)) => {
                let fault = Fault::new(Code::ENTER_ROOM_FAILED).with_message(text);
                return self.last(News::Failed(Failure::Refused(fault)));
            }
            (Stage::Open, Down::Response(response)) => {
                self.stage = Stage::Open;
                return self.response(*response, now);
            }
            // A notice may still be on its way by the other connection.
            (Stage::Open, Down::Close) if !self.farewell.is_unheard() => Stage::Open,
            (Stage::Open, Down::Close) => return self.ended(),
            (Stage::Asking | Stage::Dialing, Down::Close) => {
                return self.last(News::Failed(Failure::Silent("no answer".into())));
            }
            (_, Down::Close) => return self.last(News::Failed(Failure::Broken("closed".into()))),
            (stage, _) => stage,
        };
    }

    fn response(&mut self, response: Response, now: Instant) {
        match response {
            Response::Join(join) => self.news.push_back(News::Seated(Box::new(join))),
            Response::Answer(answer) => {
                if !self.publisher.accept(&answer.sdp, now) {
                    return self.last(News::Failed(Failure::Broken("the answer does not fit".into())));
                }
                if std::mem::take(&mut self.dirty) {
                    self.offer(now);
                }
            }
            Response::Offer(offer) => {
                let sids = offer.mid_to_track_id.iter();
                self.sids.extend(sids.map(|(mid, sid)| (Mid::from(mid.as_str()), sid.clone())));
                let Some(sdp) = self.subscriber.answer(&offer.sdp, now) else {
                    return self.last(News::Failed(Failure::Broken("the offer does not fit".into())));
                };
                self.say(Request::Answer(description("answer", sdp, offer.id)));
            }
            Response::Update(update) => self.news.push_back(News::People(update.participants)),
            Response::TrackPublished(published) if self.sections.contains_key(published.cid.as_str()) => {
                let sid = published.track.map(|track| track.sid).unwrap_or_default();
                self.news.push_back(News::Published { cid: published.cid, sid });
            }
            Response::Leave(leave) => {
                if let Some(end) = self.farewell.leave(&leave, now) {
                    self.last(news_of(end));
                }
            }
            _ => {}
        }
        self.look_at_peers(now);
    }

    fn look_at_peers(&mut self, now: Instant) {
        for publishes in [true, false] {
            let side = if publishes { &mut self.publisher } else { &mut self.subscriber };
            let (from, reports) = (side.address, std::mem::take(&mut side.reports));
            for bytes in std::mem::take(&mut side.outgoing) {
                self.out.push(Out::Datagram { from, bytes });
            }
            for report in reports {
                if matches!(self.stage, Stage::Over) {
                    return;
                }
                self.report(publishes, report, now);
            }
        }
    }

    fn report(&mut self, publishes: bool, report: Report, now: Instant) {
        match report {
            Report::Connected => {
                if !std::mem::replace(&mut self.connected, true) {
                    self.news.push_back(News::Connected);
                }
                if publishes {
                    self.news.push_back(News::CanSend);
                }
            }
            Report::Closed => self.farewell.media_closed(now),
            Report::Data(bytes) => {
                let packet = data::decode(&bytes).ok();
                let Some(notice) = packet.and_then(|packet| data::notice(&packet)) else { return };
                match Ending::from_notice(notice.clone()) {
                    Some(ending) => self.last(News::Ended(ending)),
                    None => self.news.push_back(News::Notice(notice)),
                }
            }
            Report::Packet(mid, packet) => {
                let Some(sid) = self.sids.get(&mid).cloned() else { return };
                let piece = Piece {
                    sequence: *packet.seq_no as u16,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    payload: packet.payload.to_vec().into(),
                };
                self.news.push_back(News::Packet { sid, piece });
            }
            Report::KeyFrameWanted(mid) => {
                if self.sections.get(CAMERA).copied().flatten() == Some(mid) {
                    self.news.push_back(News::KeyFrameWanted);
                }
            }
        }
    }

    /// A peer connection failed: a loss, unless the server said goodbye.
    fn failed(&mut self) {
        if self.farewell.is_unheard() {
            self.last(News::Lost);
        }
    }

    /// What the end of the signalling means.
    fn ended(&mut self) {
        let end = self.farewell.end();
        self.last(news_of(end));
    }

    fn last(&mut self, news: News) {
        self.news.push_back(news);
        self.stage = Stage::Over;
    }

    fn say(&mut self, request: Request) {
        self.out.push(Out::Say(Up::Request(Box::new(request))));
    }

    pub(super) fn publish(&mut self, cid: &'static str, muted: bool, now: Instant) {
        if self.sections.contains_key(cid) {
            return;
        }
        let request = self.add(cid, muted);
        if matches!(self.stage, Stage::Open) {
            self.say(request);
            self.offer(now);
        } else {
            // The order waits until the signalling is open.
            self.first.push(request);
            self.dirty = true;
        }
    }

    pub(super) fn mute(&mut self, sid: String, muted: bool) {
        if matches!(self.stage, Stage::Open) {
            self.say(Request::Mute(lk::MuteTrackRequest { sid, muted }));
        }
    }

    fn add(&mut self, cid: &'static str, muted: bool) -> Request {
        let mut request = lk::AddTrackRequest { cid: cid.into(), muted, ..Default::default() };
        let kind = if cid == VOICE {
            request.set_type(lk::TrackType::Audio);
            request.set_source(lk::TrackSource::Microphone);
            MediaKind::Audio
        } else {
            request.set_type(lk::TrackType::Video);
            request.set_source(lk::TrackSource::Camera);
            MediaKind::Video
        };
        self.new.push((cid, kind));
        self.sections.insert(cid, None);
        Request::AddTrack(request)
    }

    fn offer(&mut self, now: Instant) {
        if let Some(request) = self.next_offer(now) {
            self.say(request);
        }
    }

    fn next_offer(&mut self, now: Instant) -> Option<Request> {
        if self.publisher.is_negotiating() {
            self.dirty = true;
            return None;
        }
        let new = std::mem::take(&mut self.new);
        let sdp = self.publisher.offer(&new, now)?;
        for (cid, _) in new {
            self.sections.insert(cid, Connection::section(&sdp, cid));
        }
        self.offers += 1;
        Some(Request::Offer(description("offer", sdp, self.offers)))
    }

    pub(super) fn send(&mut self, cid: &str, pieces: &[Piece], now: Instant) {
        let Some(mid) = self.sections.get(cid).copied().flatten() else { return };
        let level = (cid == VOICE).then_some(-20);
        for piece in pieces {
            self.publisher.send(mid, piece, level, now);
            self.publisher.wake(now);
        }
        self.look_at_peers(now);
    }

    pub(super) fn ask_key_frame(&mut self, sid: &str, now: Instant) {
        let mid = self.sids.iter().find(|(_, known)| *known == sid).map(|(mid, _)| *mid);
        if let Some(mid) = mid {
            self.subscriber.ask_key_frame(mid);
            self.subscriber.wake(now);
            self.look_at_peers(now);
        }
    }

    /// Ends everything; `tell` when the server does not know yet.
    pub(super) fn close(&mut self, tell: bool, now: Instant) {
        // The server may have ended it, which the client knows or not.
        if tell && self.ping.is_some() {
            let leave = lk::LeaveRequest {
                reason: lk::DisconnectReason::ClientInitiated as i32,
                action: lk::leave_request::Action::Disconnect as i32,
                ..Default::default()
            };
            self.say(Request::Leave(leave));
        }
        self.out.push(Out::Say(Up::Close));
        for side in [&mut self.publisher, &mut self.subscriber] {
            side.close(now);
            for bytes in std::mem::take(&mut side.outgoing) {
                self.out.push(Out::Datagram { from: side.address, bytes });
            }
        }
    }
}

fn news_of(end: End) -> News {
    match end {
        End::Ended(ending) => News::Ended(ending),
        End::Lost => News::Lost,
    }
}

/// The parameters as the server gets them.
fn raw(params: &EnterParams, stay: Stay) -> RawEnterParams {
    let Proof::Sig(app, sig) = &params.proof else { return RawEnterParams::default() };
    let request = EnterRequest::new(params, *app, sig, stay);
    RawEnterParams {
        sdk_app_id: Some(i64::from(app.0)),
        user_id: Some(params.user_id.as_str().to_owned()),
        user_sig: Some(sig.0.clone()),
        room_id: request.room_id.map(i64::from),
        str_room_id: request.str_room_id,
        scene: Some(params.scene),
        role: Some(params.role),
        ..RawEnterParams::default()
    }
}

/// The token, or what the refusal means.
fn admission(answer: EnterAnswer) -> Result<String, Failure> {
    if let Some(fault) = answer.refusal() {
        return Err(match answer.cause {
            Some(cause) => Failure::Over(Ending { message: fault.message, ..cause.into() }),
            None => Failure::refused(fault, answer.retry_after),
        });
    }
    answer.token.ok_or_else(|| Failure::Broken("no token".into()))
}
