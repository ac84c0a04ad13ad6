//! Invitations as requests carry them.

use std::fmt;

use confab_protocol::Invitation;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A text that may hold an invitation, and with it a passcode. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct InvitationText(pub String);

impl fmt::Debug for InvitationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An invitation in every form that can be sent to somebody; each may hold a passcode. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InvitationForms {
    /// The link that opens the app, `confab://join?...`.
    pub link: String,
    /// The address of the server's page that opens the app, `https://host:port/join?...`; `http` where
    /// the server does not encrypt.
    pub page: String,
    /// Text for a mail or a chat, with both in it.
    pub message: String,
}

impl InvitationForms {
    /// The forms of an invitation.
    pub fn of(invitation: &Invitation) -> Self {
        let link = invitation.to_string();
        Self { link, page: invitation.page(), message: invitation.message() }
    }
}

impl fmt::Debug for InvitationForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationForms(***)")
    }
}
