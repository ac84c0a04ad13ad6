//! What passes between a client and the server over TCP.

use confab_protocol::{EnterAnswer, RawEnterParams, Stay};
use confab_signal::lk;

/// From the client.
#[derive(Debug)]
pub(crate) enum Up {
    /// Connects.
    Dial,
    /// `POST /v1/enter`.
    Enter(Box<RawEnterParams>, Stay),
    /// The signalling's upgrade.
    Open(String),
    Request(Box<lk::signal_request::Message>),
    /// Nothing more comes.
    Close,
}

/// From the server.
#[derive(Debug)]
pub(crate) enum Down {
    Accepted,
    Answer(Box<EnterAnswer>),
    Opened,
    /// The upgrade is refused, with that text.
    Refused(String),
    Response(Box<lk::signal_response::Message>),
    /// Nothing more comes.
    Close,
}
