//! The questions to the room service before signalling is opened.

use super::route::Route;
use super::service::{Service, not_confab};
use crate::room::{Ending, Failure};
use confab_protocol::{
    Code, EnterAnswer, EnterParams, EnterRequest, Guest, IceServer, Proof, SdkAppId, ServerAddress, Stay,
    TicketAnswer, TicketRequest, UserSigText, user_sig,
};
use std::time::Duration;

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

/// What the room service answers to somebody whom it does not refuse.
#[derive(Debug)]
pub(crate) enum Answered {
    /// They may come in.
    Admitted(Admission),
    /// A host has to let them in; they ask again.
    Waiting,
}

/// Asks the room service for a seat, for guests after a ticket; it counts as unreachable when it
/// accepts no connection within `reach`.
pub(crate) async fn ask(
    route: &Route,
    params: &EnterParams,
    stay: Stay,
    reach: Duration,
) -> Result<Answered, Failure> {
    let way = route.way(reach).await?;
    let service = Service::new(route.server(), &way, reach)?;
    let (app, sig) = match &params.proof {
        Proof::Sig(app, sig) => (*app, sig.clone()),
        Proof::Guest(guest) => ticket(&service, params, guest).await?,
    };
    let mut answer: EnterAnswer =
        service.post("/v1/enter", &EnterRequest::new(params, app, &sig, stay), None).await?;
    suspect_clocks(&mut answer, &sig, unix_now());
    admission(answer, route.server())
}

/// Where a signature has expired for the server and not for us, one of the clocks is wrong.
fn suspect_clocks(answer: &mut EnterAnswer, sig: &UserSigText, now: u64) {
    let holds = user_sig::holds_until(&sig.0).is_some_and(|until| until > now);
    // The detail is of the signature with that code only, else of a permission.
    if (answer.code, answer.detail) == (Code::USER_SIG_CHECK_FAILED.0, Some(Code::SIG_EXPIRED.0))
        && holds
        && let Some(message) = &mut answer.message
    {
        message.push_str(
            " By the clock of this computer it still holds: that of the server, or this one, is probably \
             wrong.",
        );
    }
}

fn unix_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

/// The signature that a guest needs.
async fn ticket(
    service: &Service<'_>,
    params: &EnterParams,
    guest: &Guest,
) -> Result<(SdkAppId, UserSigText), Failure> {
    let answer: TicketAnswer = service.post("/v1/ticket", &TicketRequest::new(params, guest), None).await?;
    if let Some(fault) = answer.refusal() {
        return Err(Failure::refused(fault, answer.retry_after));
    }
    match (answer.sdk_app_id, answer.user_id, answer.user_sig) {
        (Some(app), Some(user), Some(sig)) if user == params.user_id.as_str() => {
            Ok((SdkAppId(app), UserSigText(sig)))
        }
        _ => Err(not_confab(&params.server)),
    }
}

fn admission(answer: EnterAnswer, server: &ServerAddress) -> Result<Answered, Failure> {
    if let Some(fault) = answer.refusal() {
        return Err(match answer.cause {
            Some(cause) => Failure::Over(Ending { message: fault.message, ..cause.into() }),
            None => Failure::refused(fault, answer.retry_after),
        });
    }
    match (answer.url, answer.token) {
        (Some(url), Some(token)) => {
            let ice_servers = answer.ice_servers.unwrap_or_default();
            Ok(Answered::Admitted(Admission { url, token, ice_servers }))
        }
        (None, None) if answer.waiting => Ok(Answered::Waiting),
        _ => Err(not_confab(server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::REACH;
    use crate::signalling::{answering, deaf};
    use confab_protocol::{ExitCause, ExitReason, RawEnterParams};
    use std::time::Instant;
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

    async fn enter(params: EnterParams) -> Result<Answered, Failure> {
        ask(&Route::new(params.server.clone()), &params, stay(), REACH).await
    }

    #[tokio::test]
    async fn an_admission_brings_address_and_token() {
        let server = answering(r#"{"code":0,"url":"ws://127.0.0.1:1","token":"t"}"#).await;
        let Ok(Answered::Admitted(admission)) = enter(params(&server)).await else { panic!("refused") };
        assert_eq!((admission.url.as_str(), admission.token.as_str()), ("ws://127.0.0.1:1", "t"));
        assert!(!format!("{admission:?}").contains("\"t\""));
    }

    #[tokio::test]
    async fn who_has_to_wait_is_told_so() {
        let server = answering(r#"{"code":0,"waiting":true}"#).await;
        assert!(matches!(enter(params(&server)).await, Ok(Answered::Waiting)));
    }

    #[tokio::test]
    async fn a_refusal_keeps_code_detail_and_sentence() {
        let server = answering(r#"{"code":-100018,"detail":-70001,"message":"expired"}"#).await;
        let Err(Failure::Refused(fault)) = enter(params(&server)).await else { panic!("not refused") };
        assert_eq!((fault.code, fault.detail, fault.message.as_str()), (-100018, Some(-70001), "expired"));
    }

    #[tokio::test]
    async fn too_many_attempts_are_no_refusal_and_say_when_to_ask_again() {
        let body = r#"{"code":-70050,"message":"wait","retryAfter":60}"#;
        for asking in [params, guest] {
            let server = answering(body).await;
            let Err(Failure::TooOften { fault, again }) = enter(asking(&server)).await else {
                panic!("not too often")
            };
            assert_eq!((fault.message.as_str(), again), ("wait", Duration::from_secs(60)));
        }
    }

    #[test]
    fn a_clock_is_suspected_where_a_signature_holds_here_and_has_expired_there() {
        let sig = UserSigText(user_sig::sign(SdkAppId(1), "key", "ann", 600, 1_000_000, None));
        let said = |code, detail, now| {
            let mut answer = EnterAnswer {
                code,
                detail: Some(detail),
                message: Some("expired.".into()),
                ..EnterAnswer::default()
            };
            suspect_clocks(&mut answer, &sig, now);
            answer.message.unwrap()
        };
        assert!(said(-100_018, -70_001, 1_000_500).contains("clock"));
        assert_eq!(said(-100_018, -70_001, 1_000_600), "expired.");
        assert_eq!(said(-100_018, -70_009, 1_000_500), "expired.");
        assert_eq!(said(-100_006, -70_001, 1_000_500), "expired.", "a permission, not the signature");
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
        let Err(Failure::Refused(fault)) = enter(guest(&server)).await else { panic!("asked") };
        assert_eq!((fault.code, fault.message.as_str()), (-3320, "no guests"));
        let server = answering(r#"{"code":0,"sdkAppId":1,"userId":"eve","userSig":"s"}"#).await;
        assert!(matches!(enter(guest(&server)).await, Err(Failure::Broken(_))));
    }

    #[tokio::test]
    async fn a_stay_that_is_over_is_an_ending_with_its_cause() {
        let server = answering(r#"{"code":-3,"message":"put out","cause":"removed"}"#).await;
        let Err(Failure::Over(ending)) = enter(params(&server)).await else { panic!("not over") };
        assert_eq!((ending.reason, ending.cause), (ExitReason::Removed, ExitCause::Removed));
        assert_eq!(ending.message, "put out");
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let began = Instant::now();
        assert!(matches!(enter(params(&server)).await, Err(Failure::Unreachable(_))));
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_server_that_accepts_no_connection_is_unreachable_in_time() {
        let (address, _held) = deaf().await;
        let answer = {
            let params = params(&format!("http://{address}"));
            ask(&Route::new(params.server.clone()), &params, stay(), Duration::from_millis(200)).await
        };
        assert!(matches!(answer, Err(Failure::Unreachable(_))), "{answer:?}");
    }

    #[tokio::test]
    async fn somebody_elses_web_server_is_named_as_such() {
        let server = answering("<html>hello</html>").await;
        assert!(matches!(enter(params(&server)).await, Err(Failure::Broken(_))));
    }
}
