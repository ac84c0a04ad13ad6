//! Who signed a request, in the two forms in which Tencent Cloud's SDKs sign.

pub(crate) mod hmac;
pub(crate) mod tc3;

/// How far a request's time may be from ours, in seconds.
const CLOCK_WINDOW: u64 = 300;

/// Why a request is not believed. None of these is answered with what would have been right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    /// The client has to send the header or parameter.
    #[error("the request has no {0}")]
    Missing(&'static str),
    /// The client has to sign in another form.
    #[error("the signature is not understood: {0}")]
    Malformed(&'static str),
    /// The time is not a number of seconds.
    #[error("the timestamp must be a number of seconds since 1970")]
    Timestamp,
    /// The clocks differ, or an old request is repeated.
    #[error(
        "the timestamp differs from the server's time by more than {} minutes; check the clock",
        CLOCK_WINDOW / 60
    )]
    Expired,
    /// The operator has to add the key, or the client to use another.
    #[error("the SecretId is not known to this server")]
    UnknownId,
    /// Wrong SecretKey, or the request was changed on the way.
    #[error("the signature does not match the request; check the SecretKey")]
    Mismatch,
}

/// Reads the time of a request; `now` is Unix time in seconds.
fn seconds(stamp: &str, now: u64) -> Result<u64, AuthError> {
    let seconds: u64 = stamp.parse().map_err(|_| AuthError::Timestamp)?;
    if seconds.abs_diff(now) > CLOCK_WINDOW { Err(AuthError::Expired) } else { Ok(seconds) }
}
