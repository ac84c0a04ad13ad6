//! What peer connections negotiate: Opus and H264, and the header extensions we understand.

use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::format::{Codec, CodecConfig, FormatParams, PayloadParams};
use str0m::media::{Frequency, Pt};
use str0m::rtp::{Extension, ExtensionMap};

use super::dtls;

/// How often a connection tells how many of its packets were lost.
const STATS: Duration = Duration::from_secs(1);
/// Bytes of data messages that may wait for one client before more are dropped.
const DATA_BUFFER: usize = 1 << 20;
/// Packets kept for retransmission: about two seconds of a 2.5 Mbit/s camera.
const VIDEO_HISTORY: usize = 512;

/// A connection that receives what one client publishes.
pub(crate) fn publisher(now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::standard();
    extensions.set(5, Extension::AbsoluteCaptureTime);
    build(extensions, Some(STATS), now)
}

/// A connection that sends one client what it subscribes to. It carries no transport-wide numbers:
/// nothing adapts to them yet, and feedback on them costs both sides.
pub(crate) fn subscriber(now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(4, Extension::RtpMid);
    extensions.set(5, Extension::AbsoluteCaptureTime);
    extensions.set(13, Extension::VideoOrientation);
    build(extensions, None, now)
}

/// The subscriber's payload type for packets that the publisher sends as `from`.
pub(crate) fn payload_type(publisher: &Rtc, from: Pt, subscriber: &Rtc, allowed: &[Pt]) -> Option<Pt> {
    let source = publisher.codec_config().params().iter().find(|p| p.pt() == from)?.spec();
    let same_codec = |p: &&PayloadParams| p.spec().codec == source.codec && allowed.contains(&p.pt());
    let targets = subscriber.codec_config().params();
    targets
        .iter()
        .filter(same_codec)
        .find(|p| p.spec().format.profile_level_id == source.format.profile_level_id)
        .or_else(|| targets.iter().find(same_codec))
        .map(PayloadParams::pt)
}

fn build(extensions: ExtensionMap, stats: Option<Duration>, now: Instant) -> Rtc {
    let mut config = Rtc::builder()
        .set_crypto_provider(dtls::provider())
        .set_rtp_mode(true)
        .set_ice_lite(true)
        .set_extension_map(extensions)
        .set_stats_interval(stats)
        .set_sctp_max_buffered_amount(DATA_BUFFER)
        .set_send_buffer_video(VIDEO_HISTORY)
        .clear_codecs();
    codecs(config.codec_config());
    config.build(now)
}

fn codecs(config: &mut CodecConfig) {
    let opus = FormatParams { min_p_time: Some(10), use_inband_fec: Some(true), ..FormatParams::default() };
    config.add_config(111.into(), None, Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2), opus);
    // Constrained baseline first: it is what every client encodes and decodes.
    for (pt, rtx, profile) in [(108, 109, 0x42_e01f), (127, 121, 0x42_001f), (123, 119, 0x4d_001f)] {
        config.add_h264(pt.into(), Some(u8::into(rtx)), true, profile);
    }
}
