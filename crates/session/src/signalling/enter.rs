use crate::room::{Ending, Failure, SEAT};
use confab_protocol::{EnterAnswer, EnterParams, EnterRequest, IceServer, Stay};
use reqwest::Client;
use std::time::Duration;

/// Largest answer that is read, bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What the room service gives to somebody who may enter.
#[derive(Clone)]
pub(crate) struct Admission {
    /// Address of the signalling, `ws://host:port`.
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) ice_servers: Vec<IceServer>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admission").field("url", &self.url).field("token", &"***").finish_non_exhaustive()
    }
}

/// Asks the room service for a seat; it counts as unreachable when it accepts no connection within
/// `reach`.
pub(crate) async fn ask(params: &EnterParams, stay: Stay, reach: Duration) -> Result<Admission, Failure> {
    let client = Client::builder()
        .connect_timeout(reach)
        .timeout(SEAT)
        // The server is named by the user: no redirect leads elsewhere, no proxy stands between.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .build()
        .map_err(|error| Failure::Broken(error.to_string()))?;
    let address = format!("{}/v1/enter", params.server);
    let answer = client.post(&address).json(&EnterRequest::new(params, stay)).send().await;
    let mut answer = answer.map_err(|error| unanswered(&error, &params.server))?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| unanswered(&error, &params.server))? {
        body.extend_from_slice(&part);
        if body.len() > ANSWER_LIMIT {
            return Err(not_confab(&params.server));
        }
    }
    let answer: EnterAnswer = serde_json::from_slice(&body).map_err(|_| not_confab(&params.server))?;
    admission(answer, &params.server)
}

fn admission(answer: EnterAnswer, server: &str) -> Result<Admission, Failure> {
    if let Some(fault) = answer.refusal() {
        return Err(match answer.cause {
            Some(cause) => Failure::Over(Ending { message: fault.message, ..cause.into() }),
            None => Failure::Refused(fault),
        });
    }
    match (answer.url, answer.token) {
        (Some(url), Some(token)) => {
            Ok(Admission { url, token, ice_servers: answer.ice_servers.unwrap_or_default() })
        }
        _ => Err(not_confab(server)),
    }
}

fn unanswered(error: &reqwest::Error, server: &str) -> Failure {
    if error.is_connect() {
        unreachable(server)
    } else {
        Failure::Silent(format!("The server {server} took the connection but did not answer."))
    }
}

/// Nobody answers at this address.
pub(crate) fn unreachable(server: &str) -> Failure {
    Failure::Unreachable(format!(
        "The server {server} cannot be reached. Check its address and your network."
    ))
}

fn not_confab(server: &str) -> Failure {
    Failure::Broken(format!("What answers at {server} is not a Confab server."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::REACH;
    use crate::signalling::deaf;
    use confab_protocol::{ExitCause, ExitReason, RawEnterParams};
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn params(server: &str) -> EnterParams {
        let raw = RawEnterParams {
            server: Some(server.into()),
            sdk_app_id: Some(1),
            user_id: Some("ann".into()),
            user_sig: Some("sig".into()),
            room_id: Some(1),
            ..RawEnterParams::default()
        };
        raw.check().unwrap().0
    }

    fn stay() -> Stay {
        Stay { id: "one".into(), returning: false }
    }

    /// A server that answers the first request with these bytes.
    async fn answering(body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.unwrap();
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn an_admission_brings_address_and_token() {
        let server = answering(r#"{"code":0,"url":"ws://127.0.0.1:1","token":"t"}"#).await;
        let admission = ask(&params(&server), stay(), REACH).await.unwrap();
        assert_eq!((admission.url.as_str(), admission.token.as_str()), ("ws://127.0.0.1:1", "t"));
        assert!(!format!("{admission:?}").contains("\"t\""));
    }

    #[tokio::test]
    async fn a_refusal_keeps_code_detail_and_sentence() {
        let server = answering(r#"{"code":-100018,"detail":-70001,"message":"expired"}"#).await;
        let Err(Failure::Refused(fault)) = ask(&params(&server), stay(), REACH).await else {
            panic!("not refused")
        };
        assert_eq!((fault.code, fault.detail, fault.message.as_str()), (-100018, Some(-70001), "expired"));
    }

    #[tokio::test]
    async fn a_stay_that_is_over_is_an_ending_with_its_cause() {
        let server = answering(r#"{"code":-3,"message":"put out","cause":"removed"}"#).await;
        let Err(Failure::Over(ending)) = ask(&params(&server), stay(), REACH).await else {
            panic!("not over")
        };
        assert_eq!((ending.reason, ending.cause), (ExitReason::Removed, ExitCause::Removed));
        assert_eq!(ending.message, "put out");
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let began = Instant::now();
        assert!(matches!(ask(&params(&server), stay(), REACH).await, Err(Failure::Unreachable(_))));
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_server_that_accepts_no_connection_is_unreachable_in_time() {
        let (address, _held) = deaf().await;
        let answer = ask(&params(&format!("http://{address}")), stay(), Duration::from_millis(200)).await;
        assert!(matches!(answer, Err(Failure::Unreachable(_))), "{answer:?}");
    }

    #[tokio::test]
    async fn somebody_elses_web_server_is_named_as_such() {
        let server = answering("<html>hello</html>").await;
        assert!(matches!(ask(&params(&server), stay(), REACH).await, Err(Failure::Broken(_))));
    }
}
