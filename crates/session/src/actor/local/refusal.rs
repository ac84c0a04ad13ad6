//! What the app is told where the server does not take a track of ours. Pure.

use confab_protocol::{Code, Fault};
use confab_signal::lk::request_response::Reason;

/// What a server means that answers so to a track, a voice or a picture. Ours ends its sentence with TRTC's
/// code in brackets, as in `Somebody shares already. (-102016)`; others give LiveKit's reason only.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other reasons have no code of their own")]
pub(super) fn refusal(reason: Reason, voice: bool, message: &str) -> Fault {
    if let Some(fault) = coded(message) {
        return fault;
    }
    match reason {
        Reason::NotAllowed if voice => may_not_speak(),
        Reason::NotAllowed => Fault::new(Code::NO_PRIVILEGE_PUSH_VIDEO),
        Reason::LimitExceeded => Fault::new(Code::ROOM_FULL).with_message(
            "Too many people send picture or sound in this room already; you can watch and listen.",
        ),
        _ => said(Code::SERVER_PROCESS_FAILED, message),
    }
}

/// The permission is not for sound.
pub(super) fn may_not_speak() -> Fault {
    Fault::new(Code::INVALID_PRIVATE_MAP_KEY)
        .with_message("You may not speak in this room; your microphone is not sent.")
}

/// A sentence that ends with one of our codes.
fn coded(message: &str) -> Option<Fault> {
    let (sentence, number) = message.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let number: i32 = number.parse().ok()?;
    let code = Code::all().find(|code| code.0 == number && number < 0)?;
    Some(said(code, sentence))
}

/// That code with that sentence; with its own where there is none.
fn said(code: Code, sentence: &str) -> Fault {
    match sentence.trim() {
        "" => Fault::new(code),
        sentence => Fault::new(code).with_message(sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_behind_the_sentence_counts_more_than_livekits_reason() {
        for (reason, message, code, sentence) in [
            (Reason::NotAllowed, "Ann shares already. (-102016)", -102_016, "Ann shares already."),
            (Reason::NotAllowed, "You may not share (-102015)", -102_015, "You may not share"),
            (Reason::NotAllowed, "No video for you (-102013) ", -102_013, "No video for you"),
            (Reason::NotAllowed, "Not your room (-102010)", -102_010, "Not your room"),
            (Reason::LimitExceeded, "51 of 50 (two rows) (-102052)", -102_052, "51 of 50 (two rows)"),
            (Reason::InvalidRequest, "No ticket (-100006)", -100_006, "No ticket"),
            (Reason::NotAllowed, "(-102016)", -102_016, Code::SUB_VIDEO_OCCUPIED.sentence()),
        ] {
            let fault = refusal(reason, true, message);
            assert_eq!((fault.code, fault.message.as_str()), (code, sentence), "{message}");
        }
    }

    #[test]
    fn without_a_code_of_ours_the_reason_says_what_is_meant() {
        for (reason, voice, message, code) in [
            (Reason::NotAllowed, true, "no permission", -100_006),
            (Reason::NotAllowed, false, "no permission (-1234567)", -102_013),
            (Reason::NotAllowed, false, "no permission (1101)", -102_013),
            (Reason::NotAllowed, false, "no permission (-102016", -102_013),
            (Reason::NotAllowed, false, "-102016)", -102_013),
            (Reason::LimitExceeded, false, "", -102_052),
            (Reason::UnsupportedType, false, "", -7),
        ] {
            assert_eq!(refusal(reason, voice, message).code, code, "{message}");
        }
        assert_eq!(refusal(Reason::NotFound, false, "no such codec").message, "no such codec");
        assert!(refusal(Reason::NotFound, false, " ").message.ends_with('.'));
    }
}
