//! What brings somebody else into a room: a link that opens the app, the address of a page that says the
//! same, and text for people that holds both.

mod error;
mod link;
mod read;
mod ticket;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::enter::{check_app, check_room, check_user};
use crate::{
    Fault, Passcode, RawEnterParams, RoomId, Scene, SdkAppId, ServerAddress, Trust, UserId, UserSigText,
    server_address,
};

pub use error::{InvitationError, Part};
pub use ticket::{InviteAnswer, OneTimeTicket, OneTimeTicketError};

/// Stays as it is in a link: what no program takes for the end of it or for a separator.
const LITERAL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Where somebody is invited to. Shown as the link that opens the app, and read from any text that holds
/// that link, the address of the page, or the lines that are written by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The server, and the certificate that it is known by.
    pub server: ServerAddress,
    /// Which room.
    pub room: RoomId,
    /// What kind of room.
    pub scene: Scene,
    /// Application, where the server has several.
    pub app: Option<SdkAppId>,
    /// As whom, where a signature is given.
    pub user: Option<UserId>,
    /// Signature of that user.
    pub sig: Option<UserSigText>,
    /// What the server asks of its guests.
    pub passcode: Option<Passcode>,
    /// What lets one person in once.
    pub ticket: Option<OneTimeTicket>,
}

impl Invitation {
    /// The scheme of links that open the app.
    pub const SCHEME: &str = "confab";
    /// Longest text that is looked at, bytes: a mail with an invitation in it.
    pub const LIMIT: usize = 64 * 1024;
    /// Longest passcode, characters.
    pub const MAX_PASSCODE: usize = 256;
    /// Longest signature, bytes.
    pub const MAX_SIG: usize = 8 * 1024;

    /// The address of the server's page that says the same: for programs that make only such addresses
    /// into links. Encrypted unless the server is known not to be.
    pub fn page(&self) -> String {
        format!("{}/join?{}", self.server.url(true), self.query())
    }

    /// Text to send to somebody.
    pub fn message(&self) -> String {
        let warned = match self.server.trust {
            Trust::Certificate(_) => " (your browser does not know this computer and asks first)",
            Trust::Plain | Trust::Authorities | Trust::Whoever => "",
        };
        format!(
            "Join my Confab meeting: {self}\n\nOr open this page{warned}: {}\n\nIf neither opens Confab, \
             start it, choose “Join a server” and paste this message into the address.\n",
            self.page()
        )
    }

    /// What stands behind the question mark in both forms.
    fn query(&self) -> String {
        let mut query = format!("{}={}", Part::Server.key(), encoded(&self.server.to_string()));
        let mut add = |part: Part, value: &str| {
            query.push('&');
            query.push_str(part.key());
            query.push('=');
            query.push_str(&encoded(value));
        };
        if let Trust::Certificate(fingerprint) = self.server.trust {
            add(Part::Fingerprint, &fingerprint.hex());
        }
        match &self.room {
            RoomId::Number(number) => {
                add(Part::Room, &number.to_string());
                add(Part::Kind, NUMBER);
            }
            RoomId::Text(text) => {
                add(Part::Room, text);
                add(Part::Kind, TEXT);
            }
        }
        if let Some(app) = self.app {
            add(Part::App, &app.to_string());
        }
        if let Some(user) = &self.user {
            add(Part::User, user.as_str());
        }
        if let Some(sig) = &self.sig {
            add(Part::Sig, &sig.0);
        }
        if let Some(passcode) = &self.passcode {
            add(Part::Passcode, &passcode.0);
        }
        if let Some(ticket) = &self.ticket {
            add(Part::Ticket, ticket.as_str());
        }
        // Last: a word, so that no full stop or bracket of a room ends the link.
        add(Part::Scene, self.scene.name());
        query
    }
}

/// How a room that has a number is marked.
const NUMBER: &str = "number";
/// How a room that has a text is marked.
const TEXT: &str = "text";

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, LITERAL).to_string()
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://join?{}", Self::SCHEME, self.query())
    }
}

/// The parameters of an entry to that room; what they say of the person is missing.
impl From<Invitation> for RawEnterParams {
    fn from(invitation: Invitation) -> Self {
        let Invitation { server, room, scene, app, user, sig, passcode, ticket } = invitation;
        let server = match server.trust {
            Trust::Certificate(fingerprint) => format!("{server}#{fingerprint}"),
            Trust::Plain | Trust::Authorities | Trust::Whoever => server.to_string(),
        };
        Self {
            server: Some(server),
            sdk_app_id: app.map(|app| app.0.into()),
            user_id: user.map(String::from),
            user_sig: sig.map(|sig| sig.0),
            room_id: room.as_number().map(i64::from),
            str_room_id: room.as_text().map(str::to_owned),
            scene: Some(scene),
            passcode: passcode.map(|passcode| passcode.0),
            ticket: ticket.map(String::from),
            ..Self::default()
        }
    }
}

/// The invitation to the room of these parameters; name, role, permission and guest are left out. What
/// cannot be is told as an entry tells it.
impl TryFrom<RawEnterParams> for Invitation {
    type Error = Fault;

    fn try_from(raw: RawEnterParams) -> Result<Self, Fault> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let passcode = given(raw.passcode).map(read::passcode).transpose()?;
        let ticket = given(raw.ticket).map(OneTimeTicket::try_from).transpose();
        Ok(Self {
            room: check_room(raw.room_id, raw.str_room_id.as_deref(), &mut Vec::new())?,
            server: server_address(raw.server.as_deref())?,
            scene: raw.scene.unwrap_or_default(),
            app: raw.sdk_app_id.map(|app| check_app(Some(app))).transpose()?,
            user: given(raw.user_id).map(|user| check_user(Some(user))).transpose()?,
            sig: given(raw.user_sig).map(read::sig).transpose()?,
            passcode,
            ticket: ticket.map_err(InvitationError::from)?,
        })
    }
}

#[cfg(test)]
mod tests;
