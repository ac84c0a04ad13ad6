use crate::room::{Ending, Failure, SEAT};
use confab_protocol::{
    Code, EnterAnswer, EnterParams, EnterRequest, Fault, Guest, IceServer, Proof, SdkAppId, Stay,
    TicketAnswer, TicketRequest, UserSigText,
};
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// Asks the room service for a seat, for guests after a ticket; it counts as unreachable when it
/// accepts no connection within `reach`.
pub(crate) async fn ask(params: &EnterParams, stay: Stay, reach: Duration) -> Result<Admission, Failure> {
    let service = Service::new(&params.server, reach)?;
    let (app, sig) = match &params.proof {
        Proof::Sig(app, sig) => (*app, sig.clone()),
        Proof::Guest(guest) => ticket(&service, params, guest).await?,
    };
    let answer = service.post("/v1/enter", &EnterRequest::new(params, app, &sig, stay)).await?;
    admission(answer, &params.server)
}

/// The room service at one address.
struct Service<'a> {
    client: Client,
    server: &'a str,
}

impl Service<'_> {
    fn new(server: &str, reach: Duration) -> Result<Service<'_>, Failure> {
        let client = Client::builder()
            .connect_timeout(reach)
            .timeout(SEAT)
            // The server is named by the user: no redirect leads elsewhere, no proxy stands between.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Failure::Broken(error.to_string()))?;
        Ok(Service { client, server })
    }

    async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, Failure> {
        let answer = self.client.post(format!("{}{path}", self.server)).json(body).send().await;
        let mut answer = answer.map_err(|error| unanswered(&error, self.server))?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| unanswered(&error, self.server))? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_LIMIT {
                return Err(not_confab(self.server));
            }
        }
        serde_json::from_slice(&body).map_err(|_| not_confab(self.server))
    }
}

/// The signature that a guest needs.
async fn ticket(
    service: &Service<'_>,
    params: &EnterParams,
    guest: &Guest,
) -> Result<(SdkAppId, UserSigText), Failure> {
    let answer: TicketAnswer = service.post("/v1/ticket", &TicketRequest::new(params, guest)).await?;
    if answer.code != 0 {
        let known = || Code(answer.code).sentence().to_owned();
        let message = answer.message.unwrap_or_else(known);
        return Err(Failure::Refused(Fault { code: answer.code, detail: None, message }));
    }
    match (answer.sdk_app_id, answer.user_id, answer.user_sig) {
        (Some(app), Some(user), Some(sig)) if user == params.user_id.as_str() => {
            Ok((SdkAppId(app), UserSigText(sig)))
        }
        _ => Err(not_confab(&params.server)),
    }
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

    /// Somebody without a UserSig.
    fn guest(server: &str) -> EnterParams {
        let raw = RawEnterParams {
            server: Some(server.into()),
            guest: Some("0123456789abcdef0123456789abcdef".into()),
            room_id: Some(1),
            ..RawEnterParams::default()
        };
        raw.check().unwrap().0
    }

    #[tokio::test]
    async fn a_server_without_guests_says_so_and_a_ticket_for_somebody_else_is_none() {
        let server = answering(r#"{"code":-3320,"message":"no guests"}"#).await;
        let Err(Failure::Refused(fault)) = ask(&guest(&server), stay(), REACH).await else { panic!("asked") };
        assert_eq!((fault.code, fault.message.as_str()), (-3320, "no guests"));
        let server = answering(r#"{"code":0,"sdkAppId":1,"userId":"eve","userSig":"s"}"#).await;
        assert!(matches!(ask(&guest(&server), stay(), REACH).await, Err(Failure::Broken(_))));
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
