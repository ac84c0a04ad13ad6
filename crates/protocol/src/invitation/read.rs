//! From the parts of an invitation to the invitation, part by part.

use std::str::FromStr;

use super::link::{Link, shown};
use super::{Invitation, InvitationError, NUMBER, OneTimeTicket, Part, TEXT};
use crate::{Fingerprint, Passcode, RoomId, SdkAppId, ServerAddress, UserSigText, server_address};

/// The parts of one invitation as they were given.
#[derive(Default)]
struct Given(Vec<(Part, String)>);

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Self, InvitationError> {
        if text.len() > Self::LIMIT {
            return Err(InvitationError::TooLong { length: text.len() });
        }
        match Link::find(text) {
            Some(link) => {
                let link = link?;
                Given::of_link(&link)?.read(link.page)
            }
            None => Given::of_lines(text).ok_or(InvitationError::NoLink)?.read(None),
        }
    }
}

impl Given {
    fn of_link(link: &Link<'_>) -> Result<Self, InvitationError> {
        let mut given = Self::default();
        for part in link.parts() {
            let (part, value) = part?;
            if given.0.iter().any(|(before, _)| *before == part) {
                return Err(InvitationError::Twice { part });
            }
            given.0.push((part, value));
        }
        Ok(given)
    }

    /// Lines such as `Server: 192.168.1.20:7880`, among others; of two that say the same the last counts.
    fn of_lines(text: &str) -> Option<Self> {
        let mut given = Self::default();
        for line in text.lines() {
            let Some((label, value)) = line.split_once(": ") else { continue };
            if let Some(part) = Part::of_label(label.trim()) {
                given.0.retain(|(before, _)| *before != part);
                given.0.push((part, value.trim_end().to_owned()));
            }
        }
        let names = |part: Part| given.0.iter().any(|(given, _)| *given == part);
        (names(Part::Server) && names(Part::Room)).then_some(given)
    }

    /// The value of a part; one that is empty counts as none.
    fn take(&mut self, part: Part) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| *given == part)?;
        Some(self.0.swap_remove(at).1).filter(|value| !value.is_empty())
    }

    fn read(mut self, page: Option<&str>) -> Result<Invitation, InvitationError> {
        let server = self.server(page)?;
        Ok(Invitation {
            room: self.room()?,
            scene: self.take(Part::Scene).map(|name| scene(&name)).transpose()?.unwrap_or_default(),
            app: self.take(Part::App).map(|text| app(&text)).transpose()?,
            user: self.take(Part::User).map(|text| text.parse()).transpose()?,
            sig: self.take(Part::Sig).map(sig).transpose()?,
            passcode: self.take(Part::Passcode).map(passcode).transpose()?,
            ticket: self.take(Part::Ticket).map(OneTimeTicket::try_from).transpose()?,
            server,
        })
    }

    /// The server that is named, or the one whose page it is.
    fn server(&mut self, page: Option<&str>) -> Result<ServerAddress, InvitationError> {
        let named = self.take(Part::Server).or_else(|| page.map(str::to_owned));
        let mut address = named.ok_or(InvitationError::Missing { part: Part::Server })?;
        if let Some(digits) = self.take(Part::Fingerprint) {
            address = format!("{address}#{}", fingerprint(&digits)?);
        }
        server_address(Some(&address)).map_err(|fault| InvitationError::Server { said: fault.message })
    }

    fn room(&mut self) -> Result<RoomId, InvitationError> {
        let room = self.take(Part::Room).ok_or(InvitationError::Missing { part: Part::Room })?;
        match self.take(Part::Kind).as_deref() {
            Some(TEXT) => Ok(RoomId::text(&room)?),
            Some(NUMBER) | None => match room.trim().parse::<i64>() {
                Ok(number) => Ok(RoomId::number(number)?),
                Err(_) => Err(InvitationError::NoNumber { found: shown(&room) }),
            },
            Some(other) => Err(InvitationError::Kind { found: shown(other) }),
        }
    }
}

fn fingerprint(digits: &str) -> Result<Fingerprint, InvitationError> {
    if let Some((at, character)) = digits.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(InvitationError::FingerprintCharacter { character, place: at + 1 });
    }
    let wrong = InvitationError::FingerprintLength { digits: digits.len() };
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return Err(wrong);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        *byte = pair.ok_or_else(|| wrong.clone())?;
    }
    Ok(Fingerprint(bytes))
}

/// By name, or by number as TRTC counts.
fn scene(text: &str) -> Result<crate::Scene, InvitationError> {
    match text.parse::<i64>() {
        Ok(number) => Ok(number.try_into()?),
        Err(_) => shown(text).parse().map_err(InvitationError::Scene),
    }
}

fn app(text: &str) -> Result<SdkAppId, InvitationError> {
    let app = text.trim().parse().ok().filter(|id| *id != 0).map(SdkAppId);
    app.ok_or_else(|| InvitationError::App { found: shown(text) })
}

pub(super) fn sig(text: String) -> Result<UserSigText, InvitationError> {
    within(Part::Sig, text, Invitation::MAX_SIG).map(UserSigText)
}

pub(super) fn passcode(text: String) -> Result<Passcode, InvitationError> {
    within(Part::Passcode, text, Invitation::MAX_PASSCODE).map(Passcode)
}

fn within(part: Part, text: String, limit: usize) -> Result<String, InvitationError> {
    let length = text.chars().count();
    if length > limit { Err(InvitationError::PartTooLong { part, length, limit }) } else { Ok(text) }
}
