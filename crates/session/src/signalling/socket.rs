//! The websocket to the server, from its opening to the farewell.

use super::Admission;
use super::route::{Route, Stream, authorities, connect, distrust, shake};
use crate::room::Failure;
use confab_protocol::{Code, Fault};
use confab_signal::{Frame, JoinQuery, encode_request, limit, lk};
use futures_util::{SinkExt, StreamExt};
use lk::signal_request::Message as Request;
use lk::signal_response::Message as Response;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{StatusCode, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Version of LiveKit's signalling that we speak; 18 would mean a single peer connection.
const PROTOCOL: u32 = 16;
/// How long a message may take to leave before the server counts as gone.
const SEND: Duration = Duration::from_secs(5);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_millis(200);

/// What comes from the server.
#[derive(Debug)]
pub(crate) enum Heard {
    Response(Box<Response>),
    /// Nothing more will come; in words for a log.
    Closed(String),
}

/// The signalling connection.
pub(crate) struct Socket(WebSocketStream<Box<dyn Stream>>);

impl Socket {
    /// Connects, within `reach`, and upgrades. `subscribe` takes all tracks without being asked for
    /// each.
    pub(crate) async fn open(
        route: &Route,
        admission: &Admission,
        agent: &str,
        subscribe: bool,
        reach: Duration,
    ) -> Result<Self, Failure> {
        let query = JoinQuery {
            protocol: PROTOCOL,
            // LiveKit servers change their ways by this name; an unknown one gets the plain way.
            sdk: "unknown".into(),
            version: agent.into(),
            os: std::env::consts::OS.into(),
            auto_subscribe: subscribe,
            ..JoinQuery::default()
        };
        let address = format!("{}/rtc?{}", admission.url.trim_end_matches('/'), query.to_query());
        let broken =
            |what: &str| Failure::Broken(format!("The server gave a bad signalling address: {what}."));
        let mut request = address.into_client_request().map_err(|error| broken(&error.to_string()))?;
        let token = format!("Bearer {}", admission.token);
        let token = header::HeaderValue::from_str(&token).map_err(|_| broken("its token is unreadable"))?;
        request.headers_mut().insert(header::AUTHORIZATION, token);
        let place = Place::of(request.uri()).ok_or_else(|| broken("only ws:// and wss:// are known"))?;
        let stream = place.open(route, reach).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(limit::MESSAGE))
            .max_frame_size(Some(limit::MESSAGE));
        let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        upgraded.map(|(socket, _)| Self(socket)).map_err(|error| refused(&error))
    }

    /// Sends requests with one write; false when the server is gone.
    pub(crate) async fn send_all(&mut self, requests: Vec<Request>) -> bool {
        let write = async {
            for request in requests {
                self.0.feed(Message::binary(encode_request(request))).await?;
            }
            self.0.flush().await
        };
        matches!(tokio::time::timeout(SEND, write).await, Ok(Ok(())))
    }

    /// What comes next. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            let frame = match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.to_vec()),
                Some(Ok(Message::Text(text))) => Frame::Text(text.to_string()),
                Some(Ok(Message::Close(_))) | None => return Heard::Closed("closed by the server".into()),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Heard::Closed(error.to_string()),
            };
            match frame.response() {
                Ok(Some(response)) => return Heard::Response(Box::new(response)),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "a message of the server was ignored"),
            }
        }
    }

    /// Says goodbye when the server does not know yet, and closes.
    pub(crate) async fn close(mut self, tell: bool) {
        let farewell = async {
            if tell {
                let leave = lk::LeaveRequest {
                    reason: lk::DisconnectReason::ClientInitiated as i32,
                    action: lk::leave_request::Action::Disconnect as i32,
                    ..Default::default()
                };
                self.0.feed(Message::binary(encode_request(Request::Leave(leave)))).await?;
            }
            self.0.close(None).await
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!("the server did not take the farewell");
        }
    }
}

/// Where the signalling is.
#[derive(Debug, PartialEq)]
struct Place {
    host: String,
    port: u16,
    encrypted: bool,
}

impl Place {
    fn of(uri: &Uri) -> Option<Place> {
        let (encrypted, port) = match uri.scheme_str()? {
            "ws" => (false, 80),
            "wss" => (true, 443),
            _ => return None,
        };
        Some(Place { host: uri.host()?.to_owned(), port: uri.port_u16().unwrap_or(port), encrypted })
    }

    /// Connects. A server of its own certificate shows it here too; any other place has to be known to
    /// the system's authorities.
    async fn open(&self, route: &Route, reach: Duration) -> Result<Box<dyn Stream>, Failure> {
        let Place { host, port, encrypted } = self;
        let failed = |why: &dyn std::fmt::Display| {
            Failure::Unreachable(format!("The signalling at {host}:{port} cannot be reached: {why}."))
        };
        let stream = connect(host, *port, reach).await.map_err(|why| failed(&why))?;
        if !encrypted {
            return Ok(Box::new(stream));
        }
        let tls = if route.server().endpoint() == (host.as_str(), *port) {
            route.way(reach).await?.tls
        } else {
            authorities().map_err(|error| failed(&error))?
        };
        match shake(stream, host, tls).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(distrust(route.server(), &error).unwrap_or_else(|| failed(&error))),
        }
    }
}

fn refused(error: &Error) -> Failure {
    let Error::Http(answer) = error else {
        return Failure::Broken(format!("The signalling could not be opened: {error}."));
    };
    let text = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let fault = match answer.status() {
        StatusCode::UNAUTHORIZED => Fault::new(Code::ENTER_ROOM_FAILED)
            .with_message(format!("The server did not accept its own ticket: {text}")),
        status => Fault::new(Code::ENTER_ROOM_FAILED)
            .with_message(format!("The server refused the signalling ({status}): {text}")),
    };
    Failure::Refused(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signalling::deaf;
    use confab_protocol::server_address;

    #[tokio::test]
    async fn a_signalling_address_where_nobody_answers_is_unreachable_in_time() {
        let (address, _held) = deaf().await;
        let place = Place { host: address.ip().to_string(), port: address.port(), encrypted: false };
        let route = Route::new(server_address(None).unwrap());
        let opened = place.open(&route, Duration::from_millis(200)).await;
        assert!(matches!(opened, Err(Failure::Unreachable(_))));
    }

    #[test]
    fn an_address_names_host_and_port_and_only_websockets_are_known() {
        let of = |address: &str| {
            let place = Place::of(&address.parse().unwrap())?;
            Some((place.host, place.port, place.encrypted))
        };
        assert_eq!(of("ws://127.0.0.1:7880/rtc"), Some(("127.0.0.1".into(), 7880, false)));
        assert_eq!(of("ws://[::1]:7880/rtc"), Some(("[::1]".into(), 7880, false)));
        assert_eq!(of("wss://meet.example/rtc"), Some(("meet.example".into(), 443, true)));
        assert_eq!(of("http://127.0.0.1:7880"), None);
    }
}
