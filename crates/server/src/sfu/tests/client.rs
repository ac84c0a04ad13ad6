//! A LiveKit client made of two str0m connections, driven by the test that owns it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use confab_signal::{candidate, data, lk};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::Receive;
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::wire::Wire;
use crate::engine::{Kinds, Permission};
use crate::sfu::{Embedded, Join, Line};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Client {
    pub(super) line: Line,
    pub(super) publisher: Connection,
    pub(super) subscriber: Connection,
    pending: Option<SdpPendingOffer>,
    /// Everything the server said.
    pub(super) said: Vec<Response>,
    /// The server has ended the signalling.
    pub(super) ended: bool,
}

pub(super) struct Connection {
    pub(super) rtc: Rtc,
    pub(super) wire: Wire,
    deadline: Instant,
    pub(super) connected: bool,
    pub(super) packets: Vec<(Mid, u64, Vec<u8>)>,
    pub(super) data: Vec<lk::DataPacket>,
    pub(super) key_frames_asked: usize,
    pub(super) channels: HashMap<String, ChannelId>,
    /// False: no datagram leaves or comes, as if a cable was pulled.
    pub(super) plugged: bool,
}

pub(super) fn join(room: &str, identity: &str) -> Join {
    Join {
        ticket: None,
        room: room.to_owned(),
        identity: identity.to_owned(),
        name: identity.to_uppercase(),
        metadata: String::new(),
        attributes: HashMap::new(),
        permission: Permission {
            publish: Kinds::ALL,
            subscribe: Kinds::ALL,
            can_publish_data: true,
            hidden: false,
        },
        sources: Vec::new(),
        may_update_metadata: false,
        publishing: None,
        seat: Duration::from_secs(5),
        auto_subscribe: true,
        client_protocol: 0,
    }
}

impl Client {
    pub(super) async fn join(engine: &Embedded, join: Join) -> Client {
        Client::over(engine.join(join).await.unwrap()).await
    }

    pub(super) async fn over(line: Line) -> Client {
        Client::with(line, Connection::new().await, Connection::new().await)
    }

    /// A client that has nothing but TCP connections to that address of the server's.
    pub(super) async fn by_tcp(engine: &Embedded, as_whom: Join, media: SocketAddr) -> Client {
        let line = engine.join(as_whom).await.unwrap();
        let (publisher, subscriber) = (Wire::tcp(media).await, Wire::tcp(media).await);
        Client::with(
            line,
            Connection::on(publisher, Rtc::builder()),
            Connection::on(subscriber, Rtc::builder()),
        )
    }

    fn with(line: Line, publisher: Connection, subscriber: Connection) -> Client {
        Client { line, publisher, subscriber, pending: None, said: Vec::new(), ended: false }
    }

    /// Joins and waits until the subscriber connection is up.
    pub(super) async fn connected(engine: &Embedded, as_whom: Join) -> Client {
        let mut client = Client::join(engine, as_whom).await;
        client.until("connected", |c| c.subscriber.connected && c.subscriber.channels.len() == 2).await;
        client
    }

    pub(super) async fn say(&self, request: Request) {
        assert!(self.line.send(request).await);
    }

    /// Runs until `done`, or fails saying `what` did not happen.
    pub(super) async fn until(&mut self, what: &str, done: impl Fn(&Client) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
            self.step().await;
        }
    }

    /// Runs for a time in which something is not to happen.
    pub(super) async fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let pause = Instant::now() + Duration::from_millis(20);
        let wake = pause.min(self.publisher.deadline).min(self.subscriber.deadline);
        let (mut one, mut two) = (vec![0; 2000], vec![0; 2000]);
        tokio::select! {
            said = self.line.responses.recv(), if !self.ended => match said {
                Some(said) => self.hear(*said).await,
                None => self.ended = true,
            },
            Ok((n, from)) = self.publisher.wire.receive(&mut one) => self.publisher.receive(from, &one[..n]),
            Ok((n, from)) = self.subscriber.wire.receive(&mut two) => self.subscriber.receive(from, &two[..n]),
            () = tokio::time::sleep_until(wake.into()) => {}
        }
        self.publisher.drive();
        self.subscriber.drive();
    }

    async fn hear(&mut self, said: Response) {
        match &said {
            Response::Offer(offer) => {
                let answer = self
                    .subscriber
                    .rtc
                    .sdp_api()
                    .accept_offer(SdpOffer::from_sdp_string(&offer.sdp).unwrap());
                let description = lk::SessionDescription {
                    r#type: "answer".into(),
                    sdp: answer.unwrap().to_sdp_string(),
                    ..Default::default()
                };
                self.say(Request::Answer(description)).await;
            }
            Response::Answer(answer) => {
                let answer = SdpAnswer::from_sdp_string(&answer.sdp).unwrap();
                let pending = self.pending.take().unwrap();
                self.publisher.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            }
            Response::Trickle(trickle) => {
                let candidate = candidate::from_json(&trickle.candidate_init).unwrap().unwrap();
                let candidate = Candidate::from_sdp_string(&candidate.candidate).unwrap();
                match trickle.target() {
                    lk::SignalTarget::Publisher => self.publisher.rtc.add_remote_candidate(candidate),
                    lk::SignalTarget::Subscriber => self.subscriber.rtc.add_remote_candidate(candidate),
                }
            }
            _ => {}
        }
        self.said.push(said);
    }

    /// Announces a track and offers a section for it.
    pub(super) async fn publish(&mut self, kind: MediaKind, cid: &str) -> Mid {
        let track = if kind == MediaKind::Audio { lk::TrackType::Audio } else { lk::TrackType::Video };
        let request = lk::AddTrackRequest { cid: cid.into(), r#type: track.into(), ..Default::default() };
        self.say(Request::AddTrack(request)).await;
        let cid = cid.to_owned();
        let mut mid = None;
        self.offer(|api| mid = Some(api.add_media(kind, Direction::SendOnly, None, Some(cid), None))).await;
        mid.unwrap()
    }

    pub(super) async fn offer(&mut self, change: impl FnOnce(&mut str0m::change::SdpApi<'_>)) {
        let mut api = self.publisher.rtc.sdp_api();
        if self.publisher.channels.is_empty() {
            self.publisher.channels.clear();
            api.add_channel("_reliable".into());
        }
        change(&mut api);
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        let description = lk::SessionDescription {
            r#type: "offer".into(),
            sdp: offer.to_sdp_string(),
            id: 7,
            ..Default::default()
        };
        self.say(Request::Offer(description)).await;
        self.until("answer", |c| c.pending.is_none()).await;
    }

    /// Publishes and waits until packets can be sent.
    pub(super) async fn publishing(&mut self, kind: MediaKind, cid: &str) -> Mid {
        let mid = self.publish(kind, cid).await;
        self.until("publisher connected", |c| c.publisher.connected).await;
        mid
    }

    pub(super) fn sent(&self, is: impl Fn(&Response) -> bool) -> usize {
        self.said.iter().filter(|said| is(said)).count()
    }

    /// What the server last said about a participant.
    pub(super) fn knows(&self, identity: &str) -> Option<&lk::ParticipantInfo> {
        let infos = self.said.iter().flat_map(|said| match said {
            Response::Join(join) => join.other_participants.as_slice(),
            Response::Update(update) => update.participants.as_slice(),
            _ => &[],
        });
        infos.filter(|info| info.identity == identity).reduce(|_, later| later)
    }

    pub(super) fn left(&self) -> Option<&lk::LeaveRequest> {
        self.said.iter().find_map(|said| match said {
            Response::Leave(leave) => Some(leave),
            _ => None,
        })
    }
}

impl Connection {
    async fn new() -> Connection {
        Connection::with(Rtc::builder()).await
    }

    pub(super) async fn with(builder: RtcConfig) -> Connection {
        Connection::on(Wire::udp().await, builder)
    }

    fn on(wire: Wire, builder: RtcConfig) -> Connection {
        let now = Instant::now();
        let mut rtc = builder.set_rtp_mode(true).build(now);
        rtc.add_local_candidate(wire.candidate());
        Connection {
            rtc,
            wire,
            deadline: now,
            connected: false,
            packets: Vec::new(),
            data: Vec::new(),
            key_frames_asked: 0,
            channels: HashMap::new(),
            plugged: true,
        }
    }

    fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        if self.plugged {
            let receive = Receive::new(self.wire.protocol(), from, self.wire.local(), bytes).unwrap();
            self.rtc.handle_input(Input::Receive(Instant::now(), receive)).unwrap();
        }
    }

    pub(super) fn drive(&mut self) {
        self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                Output::Transmit(out) => {
                    if self.plugged {
                        self.wire.send(&out);
                    }
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    let mid = self.rtc.direct_api().stream_rx(&packet.header.ssrc).unwrap().mid();
                    self.packets.push((mid, *packet.seq_no, packet.payload.to_vec()));
                }
                Output::Event(Event::ChannelOpen(id, label)) => {
                    self.channels.insert(label, id);
                }
                Output::Event(Event::ChannelData(message)) => {
                    self.data.push(data::decode(&message.data).unwrap())
                }
                Output::Event(Event::KeyframeRequest(_)) => self.key_frames_asked += 1,
                Output::Event(_) => {}
            }
        }
    }

    /// Sends one packet; `level` is the audio level in dBov.
    pub(super) fn send(&mut self, mid: Mid, sequence: u64, payload: &[u8], level: Option<i8>) {
        let pt = self.rtc.media(mid).unwrap().remote_pts()[0];
        let extensions =
            ExtensionValues { audio_level: level, voice_activity: level.map(|_| true), ..Default::default() };
        let mut direct = self.rtc.direct_api();
        let write =
            RtpWrite::new(pt, sequence.into(), sequence as u32 * 960, Instant::now(), payload.to_vec());
        direct
            .stream_tx_by_mid(mid, None)
            .unwrap()
            .write_rtp(write.marker(true).ext_vals(extensions).nackable(true));
        self.drive();
    }

    pub(super) fn send_data(&mut self, packet: &lk::DataPacket) {
        let id = self.channels["_reliable"];
        assert!(self.rtc.channel(id).unwrap().write(true, &data::encode(packet)).unwrap());
        self.drive();
    }

    pub(super) fn payloads(&self) -> Vec<Vec<u8>> {
        self.packets.iter().map(|(_, _, payload)| payload.clone()).collect()
    }
}
