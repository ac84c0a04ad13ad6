//! Secrets are planted, requests good and bad are made, and the whole log is searched.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::{API_SECRET, APP, APP_KEY, CLOUD_ID, CLOUD_KEY, Trial, body, config, sig};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Captured;

    fn make_writer(&'w self) -> Captured {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_reaches_a_log_at_any_level() {
    let captured = Captured::default();
    // This test's runtime has one thread, so everything the server does is logged here.
    let subscriber = crate::log::subscriber("trace", false, captured.clone()).unwrap();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::debug!(config = ?config(), "configured");

    let trial = Trial::start().await;
    let good = sig("alice");
    let mut request = body("alice");
    request["userSig"] = json!(good);
    request["privateMapKey"] = json!("planted-ticket");
    trial.enter(&request).await;
    request["privateMapKey"] = json!(null);
    let token = trial.enter(&request).await["token"].as_str().unwrap().to_owned();
    request["userSig"] = json!("planted-wrong-signature");
    trial.enter(&request).await;
    request["sdkAppId"] = json!("planted-in-the-wrong-field");
    trial.post("/v1/enter", request.to_string()).await;
    trial.post("/v1/enter", "planted-garbage").await;
    trial.post("/v1/role", json!({ "sdkAppId": APP, "userSig": good }).to_string()).await;

    let url = trial.server.url();
    let with_token = format!("{url}/rtc?access_token={token}");
    trial.client.get(with_token).header("authorization", format!("Bearer {token}")).send().await.unwrap();
    let authorization = format!("TC3-HMAC-SHA256 Credential={CLOUD_ID}, Signature=planted-signature");
    let rest =
        trial.client.post(&url).header("x-tc-action", "RemoveUser").header("authorization", authorization);
    rest.body("planted-body").send().await.unwrap();
    trial.server.stop(confab_protocol::ExitCause::ServerStopped).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for said in ["server started", "entry granted", "refused", "answered", "1400000001:***"] {
        assert!(log.contains(said), "{said:?} is missing in {log}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["planted", &good, &token, signature, APP_KEY, API_SECRET, CLOUD_KEY] {
        assert!(!log.contains(secret), "{secret:?} is in {log}");
    }
}
