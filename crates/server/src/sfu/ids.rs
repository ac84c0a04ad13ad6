//! Server-made ids: LiveKit's clients test their prefixes.

use confab_signal::lk;
use rand::RngExt;

const LENGTH: usize = 12;
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `RM_` and 12 letters.
pub(crate) fn room() -> String {
    format!("RM_{}", random())
}

/// `PA_` and 12 letters.
pub(crate) fn participant() -> String {
    format!("PA_{}", random())
}

/// `TR_`, a letter for the kind, one for the source, and 12 letters.
pub(crate) fn track(kind: lk::TrackType, source: lk::TrackSource) -> String {
    let kind = if kind == lk::TrackType::Audio { 'A' } else { 'V' };
    let source = match source {
        lk::TrackSource::Camera => 'C',
        lk::TrackSource::Microphone => 'M',
        lk::TrackSource::ScreenShare => 'S',
        lk::TrackSource::ScreenShareAudio => 's',
        lk::TrackSource::Unknown => 'U',
    };
    format!("TR_{kind}{source}{}", random())
}

fn random() -> String {
    let mut rng = rand::rng();
    (0..LENGTH).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}
