//! ICE candidates as the JSON that `trickle` carries: the browser's RTCIceCandidateInit.

use serde::{Deserialize, Serialize};

use crate::limit;

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// `candidate:...`; empty marks the end, which is never sent.
    pub candidate: String,
    /// Media section by name.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// Media section by number.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    /// ICE user name that it belongs to.
    #[serde(default)]
    pub username_fragment: Option<String>,
}

/// Why a text is no candidate. The sender is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// More than [`limit::CANDIDATE`].
    #[error("a candidate of {length} bytes is too long; {} are allowed", limit::CANDIDATE)]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// No JSON of a candidate.
    #[error("no candidate can be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// The JSON of a candidate; None for the empty one, which some clients do not survive.
pub fn to_json(candidate: &Candidate) -> Option<String> {
    if candidate.candidate.is_empty() {
        return None;
    }
    serde_json::to_string(candidate).ok()
}

/// Reads a candidate; None for the empty one that marks the end.
pub fn from_json(json: &str) -> Result<Option<Candidate>, CandidateError> {
    if json.len() > limit::CANDIDATE {
        return Err(CandidateError::TooLong { length: json.len() });
    }
    let candidate: Candidate = serde_json::from_str(json)?;
    Ok(Some(candidate).filter(|candidate| !candidate.candidate.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_the_browsers() {
        let candidate = Candidate {
            candidate: "candidate:1 1 udp 1 127.0.0.1 7881 typ host".into(),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        let json = to_json(&candidate).unwrap();
        assert!(json.contains(r#""sdpMid":"0","sdpMLineIndex":0,"usernameFragment":null"#), "{json}");
        assert_eq!(from_json(&json).unwrap(), Some(candidate));
    }

    #[test]
    fn the_empty_candidate_is_neither_sent_nor_an_error() {
        assert_eq!(to_json(&Candidate::default()), None);
        assert_eq!(from_json(r#"{"candidate":""}"#).unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = from_json(&text);
        }

        #[test]
        fn a_candidate_survives_json(
            candidate in ".{1,80}", mid in any::<Option<String>>(), line in any::<Option<u16>>(),
        ) {
            let one = Candidate {
                candidate, sdp_mid: mid, sdp_m_line_index: line, username_fragment: None,
            };
            let json = to_json(&one).unwrap();
            if json.len() <= limit::CANDIDATE {
                prop_assert_eq!(from_json(&json).unwrap(), Some(one));
            }
        }
    }
}
