//! People in the room as others see them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Role;

/// Which of somebody's pictures (TRTCVideoStreamType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, TS)]
#[ts(type = "0 | 1 | 2")]
pub enum StreamType {
    /// The camera.
    #[default]
    Big = 0,
    /// The camera, small.
    Small = 1,
    /// The shared screen.
    Sub = 2,
}

impl StreamType {
    /// TRTC's number of it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The stream type of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Big, Self::Small, Self::Sub].into_iter().find(|one| one.number() == number)
    }
}

/// Somebody else in the room, as the page and scripts see them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who, as the server names them: a plain LiveKit client may have any identity.
    pub user_id: String,
    /// The name to show; the user id where they gave none.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether their camera is sent and not muted.
    pub video_available: bool,
    /// Whether their voice is sent and not muted.
    pub audio_available: bool,
    /// Whether they share a screen.
    pub screen_available: bool,
    /// Width and height of the last picture decoded here, pixels, if any.
    pub video_size: Option<(u32, u32)>,
    /// Loudness, 0 to 100.
    pub audio_level: u8,
    /// Whether they speak now.
    pub speaking: bool,
    /// Whether I muted their camera's picture: it is not received, and the last one stays.
    pub video_muted: bool,
    /// Whether I muted their voice: it is not received.
    pub audio_muted: bool,
}
