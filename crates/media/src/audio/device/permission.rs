//! The system's permission to hear a microphone. macOS plays silence to whom it has been refused; other
//! systems give an error.

#[cfg(not(target_os = "macos"))]
pub(super) fn is_refused() -> bool {
    false
}

/// Where nobody was asked yet, opening asks.
#[cfg(target_os = "macos")]
pub(super) fn is_refused() -> bool {
    use objc2_av_foundation::{AVAuthorizationStatus, AVCaptureDevice, AVMediaTypeAudio};
    #[allow(unsafe_code, reason = "Apple's libraries are described to Rust as unsafe")]
    // SAFETY: the constant is the library's own, and one of the two that the method takes.
    let status =
        unsafe { AVMediaTypeAudio.map(|audio| AVCaptureDevice::authorizationStatusForMediaType(audio)) };
    matches!(status, Some(AVAuthorizationStatus::Denied | AVAuthorizationStatus::Restricted))
}
