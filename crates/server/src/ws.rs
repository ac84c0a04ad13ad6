//! LiveKit's signalling endpoint: `/rtc`, `/rtc/validate`, and a plain 404 for `/rtc/v1`.
//!
//! A connection's task carries messages between the websocket and the participant's worker and
//! knows nothing of rooms. Both directions are bounded: who does not read is closed.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use confab_signal::Claims;

use crate::engine::Permission;
use crate::sfu::Embedded;

/// Finds the secret that belongs to a token's issuer.
pub trait TokenKeys: Send + Sync + Debug {
    /// The secret of API key `issuer`, if there is such a key.
    fn secret(&self, issuer: &str) -> Option<String>;
}

/// Decides about somebody whose token is good, before the websocket is accepted.
#[async_trait]
pub trait Admit: Send + Sync + Debug {
    /// Whether `identity` may join `room` now, and on which terms.
    async fn admit(
        &self,
        room: &str,
        identity: &str,
        claims: &Claims,
    ) -> Result<Admission, Refusal>;
}

/// The terms on which somebody joins.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// How long the seat is kept after the connection was lost.
    pub seat: Duration,
    /// Replaces what the token allows.
    pub permission: Option<Permission>,
    /// Attributes on top of the token's.
    pub attributes: HashMap<String, String>,
}

impl Admission {
    /// A seat of somebody who came by `/v1/enter` is kept this long.
    pub const ENTERED_SEAT: Duration = Duration::from_secs(90);
    /// The seat of any other LiveKit client is kept this long.
    pub const PLAIN_SEAT: Duration = Duration::from_secs(5);

    /// A client that came with nothing but a LiveKit token.
    pub fn plain() -> Admission {
        Admission { seat: Self::PLAIN_SEAT, permission: None, attributes: HashMap::new() }
    }
}

/// Why somebody may not join; they get it as the answer to their request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Plain text; LiveKit's clients show it, and expect that of a 401 to begin "unauthorized".
    pub message: String,
}

/// What the routes need.
#[derive(Debug, Clone)]
pub struct State {
    /// Where participants go.
    pub engine: Arc<Embedded>,
    /// Verifies tokens.
    pub keys: Arc<dyn TokenKeys>,
    /// Decides who comes in.
    pub admit: Arc<dyn Admit>,
}
