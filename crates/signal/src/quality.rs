//! LiveKit's words for how well somebody's connection does: three qualities with a score, and lost.

use confab_protocol::Quality;
use livekit_protocol as lk;
use lk::ConnectionQuality as Theirs;

/// What clients are told of the participant `sid`; `None` while nothing is known. The score, which
/// LiveKit has from 1 to 5, tells three kinds of poor apart.
pub fn encode(sid: &str, quality: Quality) -> Option<lk::ConnectionQualityInfo> {
    let (theirs, score) = match quality {
        Quality::Unknown => return None,
        Quality::Excellent => (Theirs::Excellent, 5.0),
        Quality::Good => (Theirs::Good, 4.0),
        Quality::Poor => (Theirs::Poor, 3.0),
        Quality::Bad => (Theirs::Poor, 2.0),
        Quality::VeryBad => (Theirs::Poor, 1.0),
        Quality::Down => (Theirs::Lost, 0.0),
    };
    Some(lk::ConnectionQualityInfo { participant_sid: sid.to_owned(), quality: theirs.into(), score })
}

/// What a server says of a participant, whichever server that is.
pub fn decode(info: &lk::ConnectionQualityInfo) -> Quality {
    match Theirs::try_from(info.quality) {
        Ok(Theirs::Excellent) => Quality::Excellent,
        Ok(Theirs::Good) => Quality::Good,
        Ok(Theirs::Poor) if info.score >= 2.5 => Quality::Poor,
        Ok(Theirs::Poor) if info.score >= 1.5 => Quality::Bad,
        Ok(Theirs::Poor) => Quality::VeryBad,
        Ok(Theirs::Lost) => Quality::Down,
        Err(_) => Quality::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_arrives_as_it_was_sent() {
        assert_eq!(encode("PA_a", Quality::Unknown), None);
        for number in 1..=6 {
            let quality = Quality::try_from(number).unwrap();
            let info = encode("PA_a", quality).unwrap();
            assert_eq!((info.participant_sid.as_str(), decode(&info)), ("PA_a", quality));
        }
    }

    #[test]
    fn a_quality_from_a_newer_server_is_unknown() {
        let info = lk::ConnectionQualityInfo { quality: 9, ..Default::default() };
        assert_eq!(decode(&info), Quality::Unknown);
    }
}
