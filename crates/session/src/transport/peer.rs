//! One peer connection to the server: how it is set up, what is sent and received over it, and how it does.

use super::asking::Asks;
use super::codecs::{h264, interceptors, media_engine, opus};
use super::detour::Doors;
use super::outgoing::{Streams, Wish};
use super::shield::ShieldedRuntime;
use super::{Path, Side, TransportError};
use bytes::Bytes;
use confab_protocol::{IceServer, Notice};
use rtc::data_channel::RTCDataChannelInit;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceGatheringState, RTCIceServer, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState, RTCSessionDescription, RTCStatsReportEntry, SettingEngineBuilder, StatsSelector,
};
use webrtc::rtp_transceiver::RtpSender;
use webrtc::runtime::TokioRuntime;

/// Pause between connectivity checks and how many there are: the defaults (200 ms) make up most
/// of the time that a connection takes.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);
const CHECKS: u16 = 400;
/// Without any packet for so long a connection is disconnected, then failed.
const DISCONNECTED: Duration = Duration::from_secs(4);
const FAILED: Duration = Duration::from_secs(4);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Longest wait for candidates that are to go inside a description; later ones are trickled.
const GATHER: Duration = Duration::from_millis(100);

/// What both peer connections of an attempt have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Local addresses to send from, besides those of every interface.
    pub(crate) local: Vec<IpAddr>,
    pub(crate) ice_servers: Vec<IceServer>,
}

/// What a peer connection reports.
pub(crate) enum PeerEvent {
    State(Side, RTCPeerConnectionState),
    /// A candidate that came too late for the description.
    Candidate(Side, RTCIceCandidateInit),
    /// The far end opened a data channel.
    Channel(Arc<dyn DataChannel>),
    /// What the server tells beyond LiveKit's messages.
    Notice(Notice),
    /// The far end sends a track.
    Track(Arc<dyn TrackRemote>),
}

/// Passes on what the stack calls back with; it must never wait, the stack's own task calls it.
struct Handler {
    side: Side,
    events: mpsc::Sender<PeerEvent>,
    gathered: watch::Sender<bool>,
}

impl Handler {
    fn send(&self, event: PeerEvent) {
        if self.events.try_send(event).is_err() {
            tracing::warn!(side = ?self.side, "an event of a peer connection was lost: nobody takes them");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.send(PeerEvent::State(self.side, state));
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json()
            && !candidate.candidate.is_empty()
        {
            self.send(PeerEvent::Candidate(self.side, candidate));
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.send(PeerEvent::Channel(channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.send(PeerEvent::Track(track));
    }
}

/// A track of ours: takes packets, says when a key frame is wished for.
#[derive(Clone)]
pub(crate) struct LocalTrack {
    track: Arc<TrackLocalStaticRTP>,
    pub(crate) ssrc: u32,
    pub(crate) wish: Wish,
}

impl std::fmt::Debug for LocalTrack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalTrack({:#x})", self.ssrc)
    }
}

impl LocalTrack {
    /// Sends a packet; it waits while the connection cannot keep up.
    pub(crate) async fn write(&self, packet: rtc::rtp::Packet) -> Result<(), TransportError> {
        self.track.write_rtp(packet).await
    }

    /// Sends a packet of sound with its level, -dBov.
    pub(crate) async fn write_voice(
        &self,
        packet: rtc::rtp::Packet,
        level: u8,
    ) -> Result<(), TransportError> {
        let level = AudioLevelExtension { level: level.min(127), voice: level < 127 };
        self.track.write_rtp_with_extensions(packet, &[HeaderExtension::AudioLevel(level)]).await
    }
}

/// One peer connection. It must be closed: dropping it leaves its task running.
pub(crate) struct Peer {
    side: Side,
    connection: Arc<dyn PeerConnection>,
    gathered: watch::Receiver<bool>,
    streams: Streams,
    asks: Asks,
    /// Where the server takes connections.
    doors: Arc<Doors>,
    senders: Vec<(u32, Arc<dyn RtpSender>)>,
    channels: Option<Channels>,
}

/// The data channels of a publisher: LiveKit clients open both, whatever they send. Dropping them
/// does not close them.
pub(crate) struct Channels {
    /// Nothing is lost, and everything comes in its order.
    pub(crate) reliable: Arc<dyn DataChannel>,
    /// What is lost stays lost.
    pub(crate) lossy: Arc<dyn DataChannel>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({:?})", self.side)
    }
}

impl Peer {
    /// A peer connection with its sockets bound and no description yet.
    pub(crate) async fn open(
        side: Side,
        plan: &Plan,
        events: mpsc::Sender<PeerEvent>,
    ) -> Result<Peer, TransportError> {
        let (streams, asks, doors) = (Streams::default(), Asks::default(), Arc::new(Doors::default()));
        let (gathered, is_gathered) = watch::channel(false);
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .with_answering_dtls_role(RTCDtlsRole::Client)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
            .with_host_acceptance_min_wait(Some(Duration::ZERO))
            .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
            .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
            .with_ice_timeouts(Some(DISCONNECTED), Some(FAILED), Some(KEEP_ALIVE))
            .build();
        let ice_servers = plan
            .ice_servers
            .iter()
            .map(|server| RTCIceServer {
                urls: server.urls.clone(),
                username: server.username.clone(),
                credential: server.credential.clone(),
            })
            .collect();
        let addresses: Vec<String> = plan
            .local
            .iter()
            .map(|address| std::net::SocketAddr::new(*address, 0).to_string())
            .chain(["0.0.0.0:0".to_owned()])
            .collect();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().with_ice_servers(ice_servers).build())
            .with_setting_engine(settings)
            .with_media_engine(media_engine()?)
            .with_interceptor_registry(interceptors(side, streams.clone(), asks.clone()))
            .with_handler(Arc::new(Handler { side, events, gathered }))
            .with_udp_addrs(addresses)
            .with_runtime(Arc::new(ShieldedRuntime::new(Arc::new(TokioRuntime), doors.clone())))
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let channels = match side {
            Side::Publisher => Some(open_channels(&*connection).await?),
            Side::Subscriber => None,
        };
        Ok(Peer {
            side,
            connection,
            gathered: is_gathered,
            streams,
            asks,
            doors,
            senders: Vec::new(),
            channels,
        })
    }

    /// A publisher's data channels, once.
    pub(crate) fn take_channels(&mut self) -> Option<Channels> {
        self.channels.take()
    }

    /// Adds a camera; its packets go out once the next offer is answered.
    pub(crate) async fn add_camera(&mut self, cid: &str, bitrate: u32) -> Result<LocalTrack, TransportError> {
        let ssrc = random_ssrc();
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                rtx: Some(RTCRtpRtxParameters { ssrc: random_ssrc() }),
                ..Default::default()
            },
            active: true,
            codec: h264(),
            max_bitrate: bitrate,
            ..Default::default()
        };
        self.add(cid, RtpCodecKind::Video, encoding, ssrc).await
    }

    /// Adds a microphone.
    pub(crate) async fn add_voice(&mut self, cid: &str) -> Result<LocalTrack, TransportError> {
        let ssrc = random_ssrc();
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            active: true,
            codec: opus(),
            ..Default::default()
        };
        self.add(cid, RtpCodecKind::Audio, encoding, ssrc).await
    }

    async fn add(
        &mut self,
        cid: &str,
        kind: RtpCodecKind,
        encoding: RTCRtpEncodingParameters,
        ssrc: u32,
    ) -> Result<LocalTrack, TransportError> {
        let encodings = vec![encoding];
        let track = MediaStreamTrack::new("-".into(), cid.into(), cid.into(), kind, encodings.clone());
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: Vec::new(),
            send_encodings: encodings,
        };
        let transceiver = self.connection.add_transceiver_from_track(track.clone(), Some(init)).await?;
        if let Some(sender) = transceiver.sender().await? {
            self.senders.push((ssrc, sender));
        }
        let wish = Wish::default();
        self.streams.set_wish(ssrc, wish.clone());
        Ok(LocalTrack { track, ssrc, wish })
    }

    /// Takes a track out of the next offer.
    pub(crate) async fn remove(&mut self, track: &LocalTrack) -> Result<(), TransportError> {
        let Some(at) = self.senders.iter().position(|(ssrc, _)| *ssrc == track.ssrc) else { return Ok(()) };
        let (_, sender) = self.senders.swap_remove(at);
        self.connection.remove_track(&sender).await
    }

    /// A new offer, applied here, with candidates inside.
    pub(crate) async fn offer(&self) -> Result<String, TransportError> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer.clone()).await?;
        self.learn_sections().await?;
        let sdp = self.gathered_sdp(offer.sdp).await;
        // The far end then waits for our handshake, so that it begins with the first pair that
        // works and not with the first retransmission of theirs.
        Ok(sdp.replace("a=setup:actpass", "a=setup:active"))
    }

    /// The answer to our latest offer.
    pub(crate) async fn take_answer(&self, sdp: String) -> Result<(), TransportError> {
        self.doors.learn(&sdp);
        self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await
    }

    /// The answer to an offer of the far end, with candidates inside.
    pub(crate) async fn answer(&self, offer: String) -> Result<String, TransportError> {
        self.doors.learn(&offer);
        self.connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer.clone()).await?;
        Ok(self.gathered_sdp(answer.sdp).await)
    }

    /// Where key frames of what comes are asked for.
    pub(crate) fn asks(&self) -> Asks {
        self.asks.clone()
    }

    /// A candidate of the far end. The stack gets none that takes connections: it would make them.
    pub(crate) async fn add_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), TransportError> {
        if self.doors.learn_candidate(&candidate.candidate) {
            return Ok(());
        }
        self.connection.add_ice_candidate(candidate).await
    }

    /// How packets fare, as far as the connection knows at `now`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one of many figures is needed")]
    pub(crate) async fn path(&self, now: Instant) -> Path {
        let report = self.connection.get_stats(now, StatsSelector::None).await;
        let round_trip = report
            .iter()
            .filter_map(|entry| match entry {
                RTCStatsReportEntry::IceCandidatePair(pair) => Some(pair.current_round_trip_time),
                _ => None,
            })
            .filter(|seconds| *seconds > 0.0 && seconds.is_finite())
            .max_by(f64::total_cmp)
            .map(Duration::from_secs_f64);
        Path { round_trip, up_loss: self.streams.loss(now), reported: self.streams.reported() }
    }

    /// Ends the connection, its task and its sockets.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(side = ?self.side, %error, "a peer connection did not close in order");
        }
    }

    /// Tells the interceptor in which section each of our streams goes.
    async fn learn_sections(&self) -> Result<(), TransportError> {
        for transceiver in self.connection.get_transceivers().await {
            if let (Some(mid), Some(sender)) = (transceiver.mid().await?, transceiver.sender().await?) {
                for ssrc in sender.track().ssrcs().await {
                    self.streams.set_mid(ssrc, &mid);
                }
            }
        }
        Ok(())
    }

    async fn gathered_sdp(&self, without: String) -> String {
        let mut gathered = self.gathered.clone();
        // Late candidates are trickled, so the wait may end early.
        let _ = tokio::time::timeout(GATHER, gathered.wait_for(|done| *done)).await;
        self.connection.local_description().await.map_or(without, |description| description.sdp)
    }
}

async fn open_channels(connection: &dyn PeerConnection) -> Result<Channels, TransportError> {
    let reliable = RTCDataChannelInit { ordered: true, ..Default::default() };
    let lossy = RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() };
    Ok(Channels {
        reliable: connection.create_data_channel("_reliable", Some(reliable)).await?,
        lossy: connection.create_data_channel("_lossy", Some(lossy)).await?,
    })
}

fn random_ssrc() -> u32 {
    // 0 is what the stack takes for "none".
    rand::random::<u32>().max(1)
}

/// Bytes of a packet on a data channel.
#[expect(clippy::wildcard_enum_match_arm, reason = "only messages carry bytes")]
pub(crate) fn data(message: &webrtc::data_channel::DataChannelEvent) -> Option<Bytes> {
    match message {
        webrtc::data_channel::DataChannelEvent::OnMessage(message) => Some(message.data.clone().freeze()),
        _ => None,
    }
}
