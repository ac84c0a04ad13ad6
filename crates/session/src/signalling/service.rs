//! Questions to the room service by HTTP.

use super::route::{Way, distrust, unable, unreachable};
use crate::room::{Failure, SEAT};
use confab_protocol::ServerAddress;
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Largest answer that is read, bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The room service at one address.
pub(super) struct Service<'a> {
    client: Client,
    base: &'a str,
    server: &'a ServerAddress,
}

impl Service<'_> {
    pub(super) fn new<'a>(
        server: &'a ServerAddress,
        way: &'a Way,
        reach: Duration,
    ) -> Result<Service<'a>, Failure> {
        let client = Client::builder()
            .connect_timeout(reach)
            .timeout(SEAT)
            // The server is named by the user: no redirect leads elsewhere, no proxy stands between.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .tls_backend_preconfigured((*way.tls).clone())
            .build()
            .map_err(unable)?;
        Ok(Service { client, base: &way.base, server })
    }

    /// Posts a question; `token` shows whose session asks.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        token: Option<&str>,
    ) -> Result<A, Failure> {
        let mut question = self.client.post(format!("{}{path}", self.base)).json(body);
        if let Some(token) = token {
            question = question.bearer_auth(token);
        }
        let answer = question.send().await;
        let mut answer = answer.map_err(|error| unanswered(&error, self.server))?;
        if answer.status() == reqwest::StatusCode::UPGRADE_REQUIRED {
            return Err(Failure::Broken(format!(
                "The server {} takes encrypted connections only. Leave “http://” out of its address.",
                self.server
            )));
        }
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

fn unanswered(error: &reqwest::Error, server: &ServerAddress) -> Failure {
    if let Some(failure) = distrust(server, error) {
        return failure;
    }
    if error.is_connect() {
        unreachable(server)
    } else {
        Failure::Silent(format!("The server {server} took the connection but did not answer."))
    }
}

pub(super) fn not_confab(server: &ServerAddress) -> Failure {
    Failure::Broken(format!("What answers at {server} is not a Confab server."))
}
