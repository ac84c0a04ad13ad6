//! Which codecs, header extensions and interceptors a peer connection has. Nothing comes from the
//! stack's defaults: those put transport-wide numbers on audio and ask again for packets that
//! came by RTX.

use super::asking::{Asking, Asks};
use super::outgoing::{Outgoing, Streams};
use super::repair::Repair;
use super::{Side, TransportError};
use rtc::interceptor::{
    NackGeneratorBuilder, NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot,
    TwccReceiverBuilder, TwccSenderBuilder,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use std::time::Duration;

/// Payload types that we offer; an answer keeps them.
pub(crate) const H264: u8 = 102;
const H264_RTX: u8 = 103;
pub(crate) const OPUS: u8 = 111;

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// How often missing packets are asked for again, and how often one packet at most: as long as pictures
/// wait for it.
const NACK_INTERVAL: Duration = Duration::from_millis(40);
const NACKS_A_PACKET: u16 = 25;

/// H.264 as every WebRTC client has it: constrained baseline, fragments allowed.
pub(super) fn h264() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".to_owned(),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
            feedback("transport-cc", ""),
        ],
    }
}

/// Opus; the channels are two in SDP whatever is sent (RFC 7587).
pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

fn feedback(kind: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback { typ: kind.to_owned(), parameter: parameter.to_owned() }
}

/// The codecs and header extensions that we know.
pub(super) fn media_engine() -> Result<MediaEngine, TransportError> {
    let mut engine = MediaEngine::default();
    let rtx = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={H264}"),
        rtcp_feedback: Vec::new(),
    };
    for (rtp_codec, payload_type, kind) in [
        (h264(), H264, RtpCodecKind::Video),
        (rtx, H264_RTX, RtpCodecKind::Video),
        (opus(), OPUS, RtpCodecKind::Audio),
    ] {
        let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
        engine.register_codec(parameters, kind)?;
    }
    for (uri, kind) in [
        (MID, RtpCodecKind::Audio),
        (MID, RtpCodecKind::Video),
        (AUDIO_LEVEL, RtpCodecKind::Audio),
        (TRANSPORT_CC, RtpCodecKind::Video),
        (RID, RtpCodecKind::Video),
        (REPAIRED_RID, RtpCodecKind::Video),
    ] {
        let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        engine.register_header_extension(extension, kind, None)?;
    }
    Ok(engine)
}

/// What packets pass on their way in and out.
pub(super) fn interceptors(side: Side, streams: Streams, asks: Asks) -> Registry {
    let registry = Registry::new()
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, SenderReportBuilder::new().build());
    match side {
        Side::Publisher => registry
            .with(Slot::TwccSender, TwccSenderBuilder::new().build())
            .with(Slot::NackResponder, NackResponderBuilder::new().build())
            .with(Slot::from(Outgoing::SLOT), Outgoing::new(streams)),
        Side::Subscriber => registry
            .with(Slot::from(Repair::SLOT), Repair::default())
            .with(Slot::IntervalPli, Asking::new(asks))
            .with(Slot::TwccReceiver, TwccReceiverBuilder::new().build())
            .with(
                Slot::NackGenerator,
                NackGeneratorBuilder::new()
                    .with_interval(NACK_INTERVAL)
                    .with_max_nacks_per_packet(NACKS_A_PACKET)
                    .build(),
            ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtx_is_rewritten_before_anything_counts_packets_and_tags_come_after_retransmissions() {
        let position = |slot: Slot| usize::from(slot);
        assert!(Repair::SLOT < position(Slot::NackGenerator));
        assert!(Repair::SLOT < position(Slot::ReceiverReport));
        assert!(Outgoing::SLOT < position(Slot::NackResponder));
        assert!(Outgoing::SLOT > position(Slot::TwccSender));
    }
}
