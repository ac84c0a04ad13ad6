//! From the media's errors to what apps are told.

use confab_media::MediaError;
use confab_protocol::Fault;

/// What is wrong with a device, a file or a codec, as a sentence with TRTC's code.
pub fn media_fault(error: &MediaError) -> Fault {
    let mut message = error.to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    message.push('.');
    Fault { code: error.code(), detail: None, message }
}
