//! Going from one room to another in one step (TRTC's switchRoom).

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::enter::check_room;
use crate::{Code, EnterParams, Fault, Proof, RoomId, UserSigText};

/// The other room, named as the present one is: by number or by text.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[ts(optional_fields)]
pub struct OtherRoom {
    /// By number; it wins over the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<i64>,
    /// By text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub str_room_id: Option<String>,
    /// A fresh signature; the present one when left out. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_sig: Option<String>,
    /// Permission for the other room. Never logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_map_key: Option<String>,
}

impl fmt::Debug for OtherRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherRoom")
            .field("room_id", &self.room_id)
            .field("str_room_id", &self.str_room_id)
            .finish_non_exhaustive()
    }
}

impl EnterParams {
    /// What the other room is entered with: everything else stays but what was good for this room only. The
    /// failure is -3318, or -3 for the room that these are for.
    pub fn elsewhere(&self, to: OtherRoom) -> Result<EnterParams, Fault> {
        let room = check_room(to.room_id, to.str_room_id.as_deref(), &mut Vec::new())?;
        let by_number = |room: &RoomId| matches!(room, RoomId::Number(_));
        if by_number(&room) != by_number(&self.room) {
            let why = "The other room has to be named as this one is: both by number, or both by text.";
            return Err(Fault::new(Code::INVALID_ROOM_ID).with_message(why));
        }
        if room == self.room {
            return Err(Fault::new(Code::REFUSED).with_message("You are in this room already."));
        }
        let fresh = to.user_sig.filter(|sig| !sig.is_empty()).map(UserSigText);
        let proof = match (&self.proof, fresh) {
            (Proof::Sig(app, _), Some(fresh)) => Proof::Sig(*app, fresh),
            (proof, _) => proof.clone(),
        };
        let private_map_key = to.private_map_key.filter(|key| !key.is_empty()).map(UserSigText);
        Ok(EnterParams { room, proof, private_map_key, ticket: None, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawEnterParams;

    fn here() -> EnterParams {
        let raw = RawEnterParams {
            sdk_app_id: Some(1),
            user_id: Some("ann".into()),
            user_sig: Some("first".into()),
            private_map_key: Some("permission".into()),
            ticket: Some("for this room".into()),
            room_id: Some(5),
            ..RawEnterParams::default()
        };
        raw.check().unwrap().0
    }

    #[test]
    fn everything_but_the_room_and_its_permission_stays() {
        let to = OtherRoom { room_id: Some(6), ..OtherRoom::default() };
        let there = here().elsewhere(to).unwrap();
        assert_eq!(there.room, RoomId::number(6_u32).unwrap());
        assert_eq!((there.proof, there.private_map_key, there.ticket), (here().proof, None, None));
    }

    #[test]
    fn a_fresh_signature_and_permission_count() {
        let fresh = |text: &str| Some(text.to_owned());
        let to = OtherRoom {
            room_id: Some(6),
            user_sig: fresh("second"),
            private_map_key: fresh("other"),
            ..OtherRoom::default()
        };
        assert!(!format!("{to:?}").contains("second"));
        let there = here().elsewhere(to).unwrap();
        assert_eq!(there.proof, Proof::Sig(crate::SdkAppId(1), UserSigText("second".into())));
        assert_eq!(there.private_map_key, Some(UserSigText("other".into())));
    }

    #[test]
    fn the_same_room_another_kind_of_room_and_no_room_are_refused() {
        let code = |to| here().elsewhere(to).unwrap_err().code;
        assert_eq!(code(OtherRoom { room_id: Some(5), ..OtherRoom::default() }), -3);
        assert_eq!(code(OtherRoom { str_room_id: Some("five".into()), ..OtherRoom::default() }), -3318);
        assert_eq!(code(OtherRoom::default()), -3318);
    }
}
