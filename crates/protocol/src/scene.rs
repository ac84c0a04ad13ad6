//! Kinds of rooms, and what somebody may do in them.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use ts_rs::TS;

/// What kind of room it is; everybody in a room has the same one (TRTCAppScene).
/// Read from 0..3 or `videoCall`, `live`, `audioCall`, `voiceChatRoom`; written as the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, TS)]
#[ts(rename = "RoomScene", type = "0 | 1 | 2 | 3")]
pub enum Scene {
    /// A video meeting: everybody sees everybody come and go.
    #[default]
    VideoCall = 0,
    /// A broadcast: anchors publish, an audience watches unannounced.
    Live = 1,
    /// A voice meeting.
    AudioCall = 2,
    /// A voice broadcast.
    VoiceChatRoom = 3,
}

/// What somebody may do in a live scene. Read from 20, 21 or `anchor`, `audience`; written as the
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, TS)]
#[ts(type = "20 | 21")]
pub enum Role {
    /// Publishes and is announced.
    #[default]
    Anchor = 20,
    /// Watches and is not announced.
    Audience = 21,
}

/// A scene that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The scene {0} does not exist; it is 0 to 3 or videoCall, live, audioCall, voiceChatRoom")]
pub struct UnknownScene(pub String);

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The role {0} does not exist; it is 20 or anchor, 21 or audience")]
pub struct UnknownRole(pub String);

impl Scene {
    /// Every scene in the order of its number.
    pub const ALL: [Self; 4] = [Self::VideoCall, Self::Live, Self::AudioCall, Self::VoiceChatRoom];

    /// TRTC's number of it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::VideoCall => "videoCall",
            Self::Live => "live",
            Self::AudioCall => "audioCall",
            Self::VoiceChatRoom => "voiceChatRoom",
        }
    }

    /// Whether voices only are sent.
    pub fn is_voice(self) -> bool {
        matches!(self, Self::AudioCall | Self::VoiceChatRoom)
    }

    /// Whether roles matter and only anchors are announced.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::VoiceChatRoom)
    }
}

impl Role {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Anchor, Self::Audience];

    /// TRTC's number of it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name in requests and in the participant attribute `confab.role`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Audience => "audience",
        }
    }
}

/// Number, name, serde: the same for both.
macro_rules! numbered {
    ($type:ident, $unknown:ident, $visitor:ident, $what:literal) => {
        impl TryFrom<i64> for $type {
            type Error = $unknown;

            fn try_from(number: i64) -> Result<Self, $unknown> {
                let found = Self::ALL.into_iter().find(|one| i64::from(one.number()) == number);
                found.ok_or_else(|| $unknown(number.to_string()))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $unknown;

            fn from_str(name: &str) -> Result<Self, $unknown> {
                let found = Self::ALL.into_iter().find(|one| one.name() == name);
                found.ok_or_else(|| $unknown(format!("{name:?}")))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(self.number())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($visitor)
            }
        }

        struct $visitor;

        impl Visitor<'_> for $visitor {
            type Value = $type;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                $type::try_from(number).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                let small = i64::try_from(number).map_err(|_| E::custom($unknown(number.to_string())))?;
                self.visit_i64(small)
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<$type, E> {
                name.parse().map_err(E::custom)
            }
        }
    };
}

numbered!(Scene, UnknownScene, SceneVisitor, "a scene: 0 to 3 or its name");
numbered!(Role, UnknownRole, RoleVisitor, "a role: 20, 21, anchor or audience");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_mean_the_same() {
        for scene in Scene::ALL {
            let by_name: Scene = serde_json::from_str(&format!("{:?}", scene.name())).unwrap();
            let by_number: Scene = serde_json::from_str(&scene.number().to_string()).unwrap();
            assert_eq!((by_name, by_number), (scene, scene));
            assert_eq!(serde_json::to_string(&scene).unwrap(), scene.number().to_string());
        }
        for role in Role::ALL {
            let by_name: Role = serde_json::from_str(&format!("{:?}", role.name())).unwrap();
            let by_number: Role = serde_json::from_str(&role.number().to_string()).unwrap();
            assert_eq!((by_name, by_number), (role, role));
        }
    }

    #[test]
    fn an_unknown_one_is_named() {
        let scene = serde_json::from_str::<Scene>("7").unwrap_err().to_string();
        assert!(scene.contains("The scene 7 does not exist"), "{scene}");
        let role = serde_json::from_str::<Role>("\"host\"").unwrap_err().to_string();
        assert!(role.contains("The role \"host\" does not exist"), "{role}");
        assert!(serde_json::from_str::<Scene>("18446744073709551615").is_err());
    }
}
