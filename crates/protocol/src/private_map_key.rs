//! PrivateMapKey: a UserSig that also says what somebody may do in one room (TRTC's advanced permission
//! control).

use crate::ago::Ago;
use crate::user_sig::{self, SigError};
use crate::{Code, Fault, RoomId, SdkAppId};

/// What somebody may do, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privilege(pub u32);

impl Privilege {
    /// Open the room.
    pub const CREATE: Self = Self(1);
    /// Enter it.
    pub const ENTER: Self = Self(2);
    /// Send sound.
    pub const SEND_AUDIO: Self = Self(4);
    /// Hear.
    pub const RECEIVE_AUDIO: Self = Self(8);
    /// Send the camera.
    pub const SEND_VIDEO: Self = Self(16);
    /// See cameras.
    pub const RECEIVE_VIDEO: Self = Self(32);
    /// Share the screen.
    pub const SEND_SUB: Self = Self(64);
    /// See shared screens.
    pub const RECEIVE_SUB: Self = Self(128);
    /// Everything.
    pub const ALL: Self = Self(255);

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all bits of `wanted` are set.
    pub fn allows(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// The content of a PrivateMapKey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateMapKey {
    /// Who.
    pub account: String,
    /// Application.
    pub app: SdkAppId,
    /// Which room.
    pub room: RoomId,
    /// Until when, Unix seconds.
    pub expires: u32,
    /// What they may do.
    pub bits: Privilege,
}

/// Why a PrivateMapKey is not good; always -100006 for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapKeyError {
    /// The UserSig around it is not good.
    #[error("The permission ticket is not valid: {}", of_ticket(.0))]
    Sig(#[from] SigError),
    /// It carries nothing, or something of another form.
    #[error("The permission ticket carries no permissions.")]
    NoContent,
    /// It is for another room.
    #[error("The permission ticket is for the room {made_for}, not for {room}.")]
    OtherRoom {
        /// The one in it.
        made_for: RoomId,
        /// The one asked for.
        room: RoomId,
    },
    /// Its content names somebody else or another application than the signature around it.
    #[error("The permission ticket contradicts itself.")]
    Contradiction,
    /// It is too old.
    #[error("The permission ticket expired {}.", Ago(*ago))]
    Expired {
        /// Seconds.
        ago: u64,
    },
}

/// A ticket is a UserSig with content; people know it by another name.
fn of_ticket(error: &SigError) -> String {
    error.to_string().replace("The UserSig", "it").replace("UserSig", "ticket")
}

impl From<MapKeyError> for Fault {
    fn from(error: MapKeyError) -> Self {
        let fault = Self::new(Code::INVALID_PRIVATE_MAP_KEY).with_message(error.to_string());
        match error {
            MapKeyError::Sig(sig) => fault.with_detail(sig.detail()),
            MapKeyError::NoContent
            | MapKeyError::OtherRoom { .. }
            | MapKeyError::Contradiction
            | MapKeyError::Expired { .. } => fault,
        }
    }
}

impl PrivateMapKey {
    /// The bytes that are signed. None when the account has more than 65535 bytes.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let (version, number, text) = match &self.room {
            RoomId::Number(number) => (0, *number, None),
            RoomId::Text(text) => (1, 0, Some(text)),
        };
        let mut bytes = vec![version];
        bytes.extend(u16::try_from(self.account.len()).ok()?.to_be_bytes());
        bytes.extend(self.account.as_bytes());
        for field in [self.app.0, number, self.expires, self.bits.0, 0] {
            bytes.extend(field.to_be_bytes());
        }
        if let Some(text) = text {
            bytes.extend(u16::try_from(text.len()).ok()?.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        Some(bytes)
    }

    /// Reads what [`Self::to_bytes`] writes; None for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        let account = take_text(&mut rest)?;
        let app = SdkAppId(u32::from_be_bytes(take(&mut rest)?));
        let number = u32::from_be_bytes(take(&mut rest)?);
        let expires = u32::from_be_bytes(take(&mut rest)?);
        let bits = Privilege(u32::from_be_bytes(take(&mut rest)?));
        let _account_type: [u8; 4] = take(&mut rest)?;
        let room = match version {
            0 => RoomId::number(number).ok()?,
            1 => RoomId::text(&take_text(&mut rest)?).ok()?,
            _ => return None,
        };
        rest.is_empty().then_some(Self { account, app, room, expires, bits })
    }

    /// Makes the ticket's text with the application's key, good for `expire` seconds from `now`.
    /// `expires` is set accordingly. None when the account has more than 65535 bytes.
    pub fn sign(mut self, key: &str, expire: u64, now: u64) -> Option<String> {
        self.expires = u32::try_from(now.saturating_add(expire)).unwrap_or(u32::MAX);
        let bytes = self.to_bytes()?;
        Some(user_sig::sign(self.app, key, &self.account, expire, now, Some(&bytes)))
    }

    /// Checks that what was signed is for `user` and `room` in `app` at `now` (Unix seconds).
    pub fn check(self, app: SdkAppId, user: &str, room: &RoomId, now: u64) -> Result<Self, MapKeyError> {
        if self.account != user || self.app != app {
            return Err(MapKeyError::Contradiction);
        }
        if self.room != *room {
            return Err(MapKeyError::OtherRoom { made_for: self.room, room: room.clone() });
        }
        match u64::from(self.expires) {
            end if end <= now => Err(MapKeyError::Expired { ago: now - end }),
            _ => Ok(self),
        }
    }
}

/// Checks that `text` is a ticket of `user` for `room` in `app` at `now` (Unix seconds). What it
/// allows is in the answer's bits.
pub fn verify<K: AsRef<[u8]>>(
    text: &str,
    app: SdkAppId,
    key_of: impl Fn(SdkAppId) -> Option<K>,
    user: &str,
    room: &RoomId,
    now: u64,
) -> Result<PrivateMapKey, MapKeyError> {
    let ticket = user_sig::verify(text, app, key_of, user, now)?;
    let content = ticket.userbuf.as_deref().and_then(PrivateMapKey::from_bytes);
    content.ok_or(MapKeyError::NoContent)?.check(app, user, room, now)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    String::from_utf8(head.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const APP: SdkAppId = SdkAppId(1_400_000_000);
    const NOW: u64 = 1_700_000_000;

    fn ticket(room: &RoomId, bits: Privilege) -> String {
        let content =
            PrivateMapKey { account: "alice".into(), app: APP, room: room.clone(), expires: 0, bits };
        content.sign("key", 60, NOW).unwrap()
    }

    #[test]
    fn a_ticket_is_good_for_its_room_only() {
        let (number, text) = (RoomId::number(123).unwrap(), RoomId::text("123").unwrap());
        let signed = ticket(&number, Privilege(42));
        let good = verify(&signed, APP, |_| Some("key"), "alice", &number, NOW).unwrap();
        assert!(good.bits.allows(Privilege::ENTER) && !good.bits.allows(Privilege::SEND_VIDEO));
        let other = verify(&signed, APP, |_| Some("key"), "alice", &text, NOW).unwrap_err();
        assert!(matches!(other, MapKeyError::OtherRoom { .. }));
        assert_eq!(Fault::from(other).code, -100_006);
    }

    #[test]
    fn a_plain_user_sig_is_no_ticket() {
        let plain = user_sig::sign(APP, "key", "alice", 60, NOW, None);
        let room = RoomId::number(1).unwrap();
        assert_eq!(verify(&plain, APP, |_| Some("key"), "alice", &room, NOW), Err(MapKeyError::NoContent));
    }

    proptest! {
        #[test]
        fn content_survives_its_bytes(
            account in ".{0,40}", app in any::<u32>(), expires in any::<u32>(), bits in any::<u32>(),
            number in 1..=RoomId::MAX_NUMBER, text in "[a-zA-Z0-9 ]{1,64}", by_text in any::<bool>(),
        ) {
            let room = if by_text { RoomId::text(&text) } else { RoomId::number(number) }.unwrap();
            let content =
                PrivateMapKey { account, app: SdkAppId(app), room, expires, bits: Privilege(bits) };
            let bytes = content.to_bytes().unwrap();
            prop_assert_eq!(PrivateMapKey::from_bytes(&bytes), Some(content));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            if let Some(content) = PrivateMapKey::from_bytes(&bytes) {
                prop_assert!(content.to_bytes().is_some());
            }
        }
    }
}
