//! One LiveKit client: a websocket and two str0m connections.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use confab_signal::{decode_response, encode_request, lk};
use futures_util::{SinkExt, StreamExt};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Video packets a frame and their payload: 2.5 Mbit/s at 30 frames a second.
const FRAME_PACKETS: usize = 9;
const VIDEO_PAYLOAD: usize = 1160;
const FRAME: Duration = Duration::from_micros(33_333);
/// Opus at 40 kbit/s.
const AUDIO_PAYLOAD: usize = 100;
const BLOCK: Duration = Duration::from_millis(20);
/// Where in a payload the time of sending is.
const STAMP: std::ops::Range<usize> = 2..10;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How to come in.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) url: String,
}

/// What a packet says about its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) video: bool,
    pub(crate) sequence: u64,
    pub(crate) latency_ms: f64,
}

/// A client on its way through a benchmark.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    publisher: Connection,
    subscriber: Connection,
    pending: Option<SdpPendingOffer>,
    sending: Option<Sending>,
    next_ping: Instant,
    pub(crate) arrivals: Vec<Arrival>,
}

struct Connection {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    deadline: Instant,
    connected: bool,
}

struct Sending {
    video: Mid,
    audio: Mid,
    next_frame: Instant,
    next_block: Instant,
    video_sequence: u64,
    audio_sequence: u64,
    frames: u32,
    blocks: u32,
}

impl Client {
    pub(crate) async fn join(access: &Access) -> Result<Client> {
        let (socket, _) = connect_async(&access.url).await.context("websocket")?;
        Ok(Client {
            socket,
            publisher: Connection::new().await?,
            subscriber: Connection::new().await?,
            pending: None,
            sending: None,
            next_ping: Instant::now() + Duration::from_secs(5),
            arrivals: Vec::new(),
        })
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.subscriber.connected && (self.sending.is_none() || self.publisher.connected)
    }

    /// Announces both tracks and offers them; packets flow once connected.
    pub(crate) async fn publish(&mut self) -> Result<()> {
        for (cid, kind) in [("mic", lk::TrackType::Audio), ("cam", lk::TrackType::Video)] {
            let request = lk::AddTrackRequest { cid: cid.into(), r#type: kind.into(), ..Default::default() };
            self.say(Request::AddTrack(request)).await?;
        }
        let mut api = self.publisher.rtc.sdp_api();
        let send = Direction::SendOnly;
        let audio = api.add_media(MediaKind::Audio, send, None, Some("mic".into()), None);
        let video = api.add_media(MediaKind::Video, send, None, Some("cam".into()), None);
        let (offer, pending) = api.apply().context("no offer")?;
        self.pending = Some(pending);
        self.say(Request::Offer(description("offer", offer.to_sdp_string()))).await?;
        let now = Instant::now();
        self.sending = Some(Sending {
            video,
            audio,
            next_frame: now,
            next_block: now,
            video_sequence: 1000,
            audio_sequence: 1000,
            frames: 0,
            blocks: 0,
        });
        Ok(())
    }

    /// Waits for the next thing to happen and does it.
    pub(crate) async fn step(&mut self) -> Result<()> {
        let mut wake = self.publisher.deadline.min(self.subscriber.deadline).min(self.next_ping);
        if let Some(sending) = self.sending.as_ref().filter(|_| self.publisher.connected) {
            wake = wake.min(sending.next_frame).min(sending.next_block);
        }
        tokio::select! {
            message = self.socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Some(response) = decode_response(&bytes)? {
                        self.hear(response).await?;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the server closed the websocket"),
            },
            ready = self.publisher.socket.readable() => ready?,
            ready = self.subscriber.socket.readable() => ready?,
            () = tokio::time::sleep_until(wake.into()) => {}
        }
        if Instant::now() >= self.next_ping {
            self.next_ping += Duration::from_secs(5);
            self.say(Request::Ping(0)).await?;
        }
        self.send_due();
        self.publisher.drive(|_| {})?;
        let arrivals = &mut self.arrivals;
        self.subscriber.drive(|packet| arrivals.extend(arrival(&packet)))
    }

    async fn say(&mut self, request: Request) -> Result<()> {
        Ok(self.socket.send(Message::Binary(encode_request(request).into())).await?)
    }

    async fn hear(&mut self, response: Response) -> Result<()> {
        if let Response::Offer(offer) = response {
            let offer = SdpOffer::from_sdp_string(&offer.sdp)?;
            let answer = self.subscriber.rtc.sdp_api().accept_offer(offer)?;
            self.say(Request::Answer(description("answer", answer.to_sdp_string()))).await?;
        } else if let Response::Answer(answer) = response {
            let pending = self.pending.take().context("an answer without an offer")?;
            self.publisher.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer.sdp)?)?;
        } else if let Response::Leave(leave) = response {
            bail!("the server ended the session: {:?}", leave.reason());
        }
        Ok(())
    }

    fn send_due(&mut self) {
        let now = Instant::now();
        let Some(sending) = self.sending.as_mut().filter(|_| self.publisher.connected) else { return };
        let rtc = &mut self.publisher.rtc;
        if now >= sending.next_frame {
            sending.next_frame += FRAME;
            sending.frames += 1;
            for index in 0..FRAME_PACKETS {
                let last = index == FRAME_PACKETS - 1;
                let mut payload = stamped(VIDEO_PAYLOAD);
                // A fragmented key frame: FU-A, NAL type 5, with start and end marked.
                payload[0] = 0x7c;
                payload[1] = 5 | if index == 0 { 0x80 } else { 0 } | if last { 0x40 } else { 0 };
                let time = sending.frames.wrapping_mul(3000);
                write(rtc, sending.video, sending.video_sequence, time, payload, last, now);
                sending.video_sequence += 1;
            }
        }
        if now >= sending.next_block {
            sending.next_block += BLOCK;
            sending.blocks += 1;
            let time = sending.blocks.wrapping_mul(960);
            write(rtc, sending.audio, sending.audio_sequence, time, stamped(AUDIO_PAYLOAD), false, now);
            sending.audio_sequence += 1;
        }
    }
}

impl Connection {
    async fn new() -> Result<Connection> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let local = socket.local_addr()?;
        large_buffer(&socket);
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_h264(true)
            .enable_opus(true, false)
            .build(now);
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        Ok(Connection { rtc, socket, local, deadline: now, connected: false })
    }

    /// Reads what came and lets time pass.
    fn drive(&mut self, mut take: impl FnMut(RtpPacket)) -> Result<()> {
        let mut buffer = [0; 2000];
        while let Ok((length, source)) = self.socket.try_recv_from(&mut buffer) {
            let receive = Receive::new(Protocol::Udp, source, self.local, &buffer[..length])?;
            self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
            self.poll(&mut take)?;
        }
        self.rtc.handle_input(Input::Timeout(Instant::now()))?;
        self.poll(&mut take)
    }

    fn poll(&mut self, take: &mut impl FnMut(RtpPacket)) -> Result<()> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                Output::Transmit(out) => {
                    // A full buffer is loss like any other.
                    let _ = self.socket.try_send_to(&out.contents, out.destination);
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => take(packet),
                Output::Event(_) => {}
            }
        }
    }
}

/// Asks for a receive buffer that holds a burst while this thread serves other clients, so that
/// what is counted as lost was lost by the server. Works for root; others keep the default.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library has no way to force the size")]
fn large_buffer(socket: &UdpSocket) {
    use std::os::fd::AsRawFd;
    let bytes: libc::c_int = 2 << 20;
    // SAFETY: the descriptor is open, the pointer and the length are those of `bytes`, which lives
    // through the call.
    let _ = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const bytes).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
}

/// Other systems have no way to force it.
#[cfg(not(target_os = "linux"))]
fn large_buffer(_: &UdpSocket) {}

fn description(kind: &str, sdp: String) -> lk::SessionDescription {
    lk::SessionDescription { r#type: kind.to_owned(), sdp, id: 1, ..Default::default() }
}

fn stamped(length: usize) -> Vec<u8> {
    let mut payload = vec![0x5a; length];
    let now = u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX);
    payload[STAMP].copy_from_slice(&now.to_be_bytes());
    payload
}

fn arrival(packet: &RtpPacket) -> Option<Arrival> {
    let stamp: [u8; 8] = packet.payload.get(STAMP)?.try_into().ok()?;
    let sent = Duration::from_nanos(u64::from_be_bytes(stamp));
    Some(Arrival {
        video: packet.payload.len() > 500,
        sequence: *packet.seq_no,
        latency_ms: START.elapsed().checked_sub(sent)?.as_secs_f64() * 1e3,
    })
}

fn write(rtc: &mut Rtc, mid: Mid, sequence: u64, time: u32, payload: Vec<u8>, marker: bool, now: Instant) {
    let Some(pt) = rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
    let mut direct = rtc.direct_api();
    let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
    let extensions =
        ExtensionValues { audio_level: Some(-30), voice_activity: Some(true), ..ExtensionValues::default() };
    let packet = RtpWrite::new(pt, sequence.into(), time, now, payload).marker(marker).ext_vals(extensions);
    stream.write_rtp(packet.nackable(true));
}
