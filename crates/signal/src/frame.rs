//! Messages as bytes and as text, in both directions and within a limit.

use livekit_protocol as lk;
use prost::Message as _;

use crate::limit;

type Request = lk::signal_request::Message;
type Response = lk::signal_response::Message;

/// How a message is written. A server answers in the one it last received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Protobuf in binary frames.
    #[default]
    Binary,
    /// Protobuf's JSON in text frames.
    Text,
}

/// What travels in one WebSocket frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Protobuf.
    Binary(Vec<u8>),
    /// Protobuf's JSON.
    Text(String),
}

/// Why a frame is no message. The sender is at fault; the connection may go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// More than [`limit::MESSAGE`].
    #[error("a message of {length} bytes is too long; {} are allowed", limit::MESSAGE)]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// No protobuf of that message.
    #[error("no message can be read: {0}")]
    Binary(#[from] prost::DecodeError),
    /// No JSON of that message.
    #[error("no message can be read: {0}")]
    Text(#[from] serde_json::Error),
}

impl Frame {
    /// How it is written.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Binary(_) => Encoding::Binary,
            Self::Text(_) => Encoding::Text,
        }
    }

    /// Its size, bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A response for the wire.
    pub fn of_response(message: Response, encoding: Encoding) -> Result<Self, FrameError> {
        match encoding {
            Encoding::Binary => Ok(Self::Binary(encode_response(message))),
            Encoding::Text => {
                Ok(Self::Text(serde_json::to_string(&lk::SignalResponse { message: Some(message) })?))
            }
        }
    }

    /// The request in it; None for one that is newer than we are, to be ignored.
    pub fn request(&self) -> Result<Option<Request>, FrameError> {
        match self {
            Self::Binary(bytes) => decode_request(bytes),
            Self::Text(text) => {
                let text = fits(text.as_bytes())?;
                Ok(serde_json::from_slice::<lk::SignalRequest>(text)?.message)
            }
        }
    }

    /// The response in it; None for one that is newer than we are, to be ignored.
    pub fn response(&self) -> Result<Option<Response>, FrameError> {
        match self {
            Self::Binary(bytes) => decode_response(bytes),
            Self::Text(text) => {
                let text = fits(text.as_bytes())?;
                Ok(serde_json::from_slice::<lk::SignalResponse>(text)?.message)
            }
        }
    }
}

/// A request as protobuf.
pub fn encode_request(message: Request) -> Vec<u8> {
    lk::SignalRequest { message: Some(message) }.encode_to_vec()
}

/// A response as protobuf.
pub fn encode_response(message: Response) -> Vec<u8> {
    lk::SignalResponse { message: Some(message) }.encode_to_vec()
}

/// Reads a request from protobuf; None for one that is newer than we are, to be ignored.
pub fn decode_request(bytes: &[u8]) -> Result<Option<Request>, FrameError> {
    Ok(lk::SignalRequest::decode(fits(bytes)?)?.message)
}

/// Reads a response from protobuf; None for one that is newer than we are, to be ignored.
pub fn decode_response(bytes: &[u8]) -> Result<Option<Response>, FrameError> {
    Ok(lk::SignalResponse::decode(fits(bytes)?)?.message)
}

fn fits(bytes: &[u8]) -> Result<&[u8], FrameError> {
    match bytes.len() {
        length if length > limit::MESSAGE => Err(FrameError::TooLong { length }),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(sdp: &str, id: u32) -> lk::SessionDescription {
        lk::SessionDescription { r#type: "offer".into(), sdp: sdp.into(), id, ..Default::default() }
    }

    /// A request as a client writes it.
    fn request_frame(message: Request, encoding: Encoding) -> Frame {
        match encoding {
            Encoding::Binary => Frame::Binary(encode_request(message)),
            Encoding::Text => {
                let request = lk::SignalRequest { message: Some(message) };
                Frame::Text(serde_json::to_string(&request).unwrap())
            }
        }
    }

    #[test]
    fn text_frames_are_protobufs_json() {
        let text = r#"{"addTrack":{"cid":"c1","type":"VIDEO","source":"CAMERA","unknownField":3}}"#;
        let Some(Request::AddTrack(add)) = Frame::Text(text.into()).request().unwrap() else {
            panic!("no add_track");
        };
        assert_eq!((add.cid.as_str(), add.r#type()), ("c1", lk::TrackType::Video));
        let answer = Frame::of_response(Response::Offer(offer("v=0", 1)), Encoding::Text).unwrap();
        let Frame::Text(json) = answer else { panic!("no text") };
        assert_eq!(json, r#"{"offer":{"type":"offer","sdp":"v=0","id":1}}"#);
    }

    #[test]
    fn a_request_from_the_future_is_none_and_no_error() {
        // Field 99, a length-delimited message of one byte.
        let bytes = [0x9a, 0x06, 0x01, 0x00];
        assert!(decode_request(&bytes).unwrap().is_none());
        assert!(Frame::Text(r#"{"fromTheFuture":{}}"#.into()).request().unwrap().is_none());
    }

    #[test]
    fn more_than_two_mebibytes_are_refused_unread() {
        let long = vec![0; limit::MESSAGE + 1];
        assert!(matches!(decode_request(&long), Err(FrameError::TooLong { .. })));
        let text = Frame::Text(" ".repeat(limit::MESSAGE + 1));
        assert!(matches!(text.response(), Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn deep_json_is_refused() {
        let deep = Frame::Text(format!("{{\"offer\":{}{}", "[".repeat(100_000), "]".repeat(100_000)));
        assert!(deep.request().is_err());
    }

    proptest! {
        #[test]
        fn messages_survive_both_encodings(sdp in any::<String>(), id in any::<u32>(), text in any::<bool>()) {
            let encoding = if text { Encoding::Text } else { Encoding::Binary };
            let request = request_frame(Request::Offer(offer(&sdp, id)), encoding);
            prop_assert_eq!(request.encoding(), encoding);
            prop_assert_eq!(request.request().unwrap(), Some(Request::Offer(offer(&sdp, id))));
            let response = Frame::of_response(Response::Answer(offer(&sdp, id)), encoding).unwrap();
            prop_assert_eq!(response.response().unwrap(), Some(Response::Answer(offer(&sdp, id))));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let _ = (decode_request(&bytes), decode_response(&bytes));
            let frame = Frame::Text(text);
            let _ = (frame.request(), frame.response());
        }
    }
}
