//! The little we change in session descriptions, as text: what str0m reads from a client, and what
//! a client reads from us. Everything here takes outside bytes and never fails on them.

use std::fmt::Write as _;

/// More sections than this in one description are refused.
pub(crate) const MAX_SECTIONS: usize = 2048;
/// A longer description is refused. A section takes about a kilobyte.
pub(crate) const MAX_LENGTH: usize = 2 << 20;

/// What one `m=` section of a client's offer says about its sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) mid: String,
    /// `audio`, `video` or `application`.
    pub(crate) kind: String,
    pub(crate) sends: bool,
    /// The second token of `a=msid`: the client's own id of the track.
    pub(crate) track: Option<String>,
}

/// How an Opus section is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opus {
    pub(crate) dtx: bool,
    pub(crate) stereo: bool,
}

/// Whether a description is small enough to be looked at.
pub(crate) fn acceptable(sdp: &str) -> bool {
    sdp.len() <= MAX_LENGTH && sdp.lines().filter(|line| line.starts_with("m=")).count() <= MAX_SECTIONS
}

/// The media sections of a client's offer, in order.
pub(crate) fn sections(sdp: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split(' ');
            let kind = words.next().unwrap_or_default().to_owned();
            found.push(Section { mid: String::new(), kind, sends: true, track: None });
        } else if let Some(section) = found.last_mut() {
            if let Some(mid) = line.strip_prefix("a=mid:") {
                section.mid = mid.to_owned();
            } else if let Some(msid) = line.strip_prefix("a=msid:") {
                section.track = msid.split(' ').nth(1).map(str::to_owned);
            } else if line == "a=recvonly" || line == "a=inactive" {
                section.sends = false;
            }
        }
    }
    found
}

/// A client's offer as we want to answer it: one encoding a section, only the sections it sends
/// on (and none with `may_send` false); the rest become inactive.
pub(crate) fn receive_only(offer: &str, may_send: bool) -> String {
    let mut out = String::with_capacity(offer.len());
    for line in offer.lines() {
        let line = match line {
            "a=recvonly" => "a=inactive",
            "a=sendrecv" | "a=sendonly" if may_send => "a=sendonly",
            "a=sendrecv" | "a=sendonly" => "a=inactive",
            kept if is_layer(kept) || is_foreign(kept) => continue,
            kept => kept,
        };
        push(&mut out, line);
    }
    out
}

/// A client's answer without the lines that concern only full ICE agents or newer peers.
pub(crate) fn without_foreign(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len());
    answer.lines().filter(|line| !is_foreign(line)).for_each(|line| push(&mut out, line));
    out
}

/// Our answer to a publisher, with what the client shall do with Opus in the section `mid`, and
/// sections without a common codec rejected.
pub(crate) fn finish_answer(answer: &str, opus: impl Fn(&str) -> Option<Opus>) -> String {
    let (session, media) = split(answer);
    let gone = refused(answer);
    let mut out = String::with_capacity(answer.len() + 256);
    for line in session {
        match line.strip_prefix("a=group:BUNDLE") {
            Some(mids) => {
                let kept = mids.split_whitespace().filter(|mid| !gone.iter().any(|gone| gone == mid));
                let kept: String = kept.flat_map(|mid| [" ", mid]).collect();
                push(&mut out, &format!("a=group:BUNDLE{kept}"));
            }
            None => push(&mut out, line),
        }
    }
    for lines in media {
        let wish = mid_of(&lines).and_then(&opus);
        let opus_type =
            lines.iter().find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_suffix(" opus/48000/2"));
        let reject = is_refused(&lines);
        for line in lines {
            let fmtp = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split(' ').next());
            match wish {
                _ if reject && line.starts_with("m=video ") => {
                    push(&mut out, &line.replacen("m=video 9 ", "m=video 0 ", 1));
                }
                _ if reject && line.starts_with("a=send") => push(&mut out, "a=inactive"),
                Some(wish) if fmtp.is_some() && fmtp == opus_type => {
                    let dtx = if wish.dtx { ";usedtx=1" } else { "" };
                    let stereo = if wish.stereo { ";stereo=1;maxaveragebitrate=510000" } else { "" };
                    push(&mut out, &format!("{line}{dtx}{stereo}"));
                }
                _ => push(&mut out, line),
            }
        }
    }
    out
}

/// The sections of our answer to a publisher that have no common codec.
pub(crate) fn refused(answer: &str) -> Vec<String> {
    let (_, media) = split(answer);
    let refused = media.iter().filter(|lines| is_refused(lines));
    refused.filter_map(|lines| mid_of(lines)).map(str::to_owned).collect()
}

fn is_refused(lines: &[&str]) -> bool {
    lines.first().is_some_and(|m| m.starts_with("m=video ") && m.ends_with(" 0"))
}

/// Our offer with the stream and track ids that each section has now: a section that is used
/// again for another track keeps only its place.
pub(crate) fn with_ids(offer: &str, ids: impl Fn(&str) -> Option<(String, String)>) -> String {
    let (session, media) = split(offer);
    let mut out = String::with_capacity(offer.len());
    session.into_iter().for_each(|line| push(&mut out, line));
    for lines in media {
        let ids = mid_of(&lines).and_then(&ids);
        for line in lines {
            let ssrc = line.strip_prefix("a=ssrc:").and_then(|rest| rest.split_once(" msid:"));
            match (&ids, ssrc) {
                (Some((stream, track)), _) if line.starts_with("a=msid:") => {
                    push(&mut out, &format!("a=msid:{stream} {track}"));
                }
                (Some((stream, track)), Some((ssrc, _))) => {
                    push(&mut out, &format!("a=ssrc:{ssrc} msid:{stream} {track}"));
                }
                _ => push(&mut out, line),
            }
        }
    }
    out
}

fn push(out: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{line}\r\n");
}

fn split(sdp: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut session = Vec::new();
    let mut media: Vec<Vec<&str>> = Vec::new();
    for line in sdp.lines() {
        if line.starts_with("m=") {
            media.push(vec![line]);
        } else if let Some(lines) = media.last_mut() {
            lines.push(line);
        } else {
            session.push(line);
        }
    }
    (session, media)
}

fn mid_of<'a>(lines: &[&'a str]) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix("a=mid:"))
}

fn is_layer(line: &str) -> bool {
    line.starts_with("a=simulcast:") || line.starts_with("a=rid:")
}

/// Lines an ICE-lite server has no use for: candidates by mDNS name or TCP, SCTP shortcuts.
fn is_foreign(line: &str) -> bool {
    if line.starts_with("a=sctp-init:") {
        return true;
    }
    let Some(candidate) = line.strip_prefix("a=candidate:") else { return false };
    !is_usable_candidate(candidate)
}

/// Whether the part behind `candidate:` names an IP address over UDP.
pub(crate) fn is_usable_candidate(candidate: &str) -> bool {
    let mut words = candidate.split(' ').skip(2);
    let udp = words.next().is_some_and(|proto| proto.eq_ignore_ascii_case("udp"));
    let address = words.nth(1).is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    udp && address
}

#[cfg(test)]
mod tests {
    use super::{Opus, acceptable, finish_answer, receive_only, sections, with_ids, without_foreign};

    const OFFER: &str = "v=0\r\na=group:BUNDLE 0 1 2\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=msid:- mic\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendrecv\r\na=msid:- cam\r\n\
        a=rid:f send\r\na=simulcast:send f;h;q\r\n\
        a=candidate:1 1 udp 1 a8f3.local 5 typ host\r\na=candidate:1 1 tcp 1 10.0.0.1 9 typ host\r\n\
        a=candidate:1 1 UDP 1 10.0.0.1 9 typ host\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=recvonly\r\n";

    #[test]
    fn sections_say_what_is_sent_under_which_id() {
        let found = sections(OFFER);
        let short: Vec<_> = found.iter().map(|s| (s.mid.as_str(), s.sends, s.track.as_deref())).collect();
        assert_eq!(short, [("0", true, Some("mic")), ("1", true, Some("cam")), ("2", false, None)]);
    }

    #[test]
    fn an_offer_is_reduced_to_one_encoding_a_section_and_to_what_is_sent() {
        let offer = receive_only(OFFER, true);
        assert!(!offer.contains("simulcast") && !offer.contains("a=rid"));
        assert_eq!(offer.matches("a=sendonly").count(), 2);
        assert_eq!(offer.matches("a=inactive").count(), 1);
        assert_eq!(offer.matches("a=candidate").count(), 1);
        let muzzled = receive_only(OFFER, false);
        assert_eq!(muzzled.matches("a=inactive").count(), 3);
        assert_eq!(without_foreign(OFFER).matches("a=candidate").count(), 1);
    }

    #[test]
    fn an_answer_asks_for_dtx_and_rejects_what_has_no_common_codec() {
        let answer = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n";
        let finished = finish_answer(answer, |mid| (mid == "0").then_some(Opus { dtx: true, stereo: false }));
        assert!(finished.contains("a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n"));
        assert!(finished.contains("m=video 0 ") && finished.contains("BUNDLE 0\r\n"));
    }

    #[test]
    fn a_section_used_again_gets_the_ids_of_its_new_track() {
        let offer = "v=0\r\nm=video 9 x 96\r\na=mid:3\r\na=msid:old old\r\na=ssrc:7 msid:old old\r\n";
        let changed = with_ids(offer, |_| Some(("PA_a|TR_b".into(), "TR_b".into())));
        assert!(changed.contains("a=msid:PA_a|TR_b TR_b\r\na=ssrc:7 msid:PA_a|TR_b TR_b\r\n"));
    }

    #[test]
    fn a_description_of_absurd_size_is_refused() {
        assert!(acceptable(OFFER));
        assert!(!acceptable(&"m=audio 9 x 0\r\n".repeat(2100)));
        assert!(!acceptable(&"a".repeat(super::MAX_LENGTH + 1)));
    }
}
