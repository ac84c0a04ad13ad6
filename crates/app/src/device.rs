//! Devices and the choices about them, in the words of requests and of the page.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use ts_rs::TS;

/// What a device is for, TRTC's numbers. Read from 0..2 or `microphone`, `speaker`, `camera`;
/// written as the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TS)]
#[ts(type = "0 | 1 | 2")]
pub enum DeviceKind {
    /// Hears.
    Microphone = 0,
    /// Plays.
    Speaker = 1,
    /// Sees.
    Camera = 2,
}

impl DeviceKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Speaker, Self::Camera];

    /// The one of that number, if there is one.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    fn number(self) -> u8 {
        self as u8
    }

    fn name(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Camera => "camera",
        }
    }
}

impl Serialize for DeviceKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for DeviceKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl Visitor<'_> for KindVisitor {
    type Value = DeviceKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind of device: 0, 1, 2, microphone, speaker or camera")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<DeviceKind, E> {
        let found = DeviceKind::ALL.into_iter().find(|kind| u64::from(kind.number()) == number);
        found.ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<DeviceKind, E> {
        let found = DeviceKind::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
    }
}

/// A device of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// What it is for.
    pub kind: DeviceKind,
    /// What `select_device` takes.
    pub device_id: String,
    /// For people.
    pub name: String,
    /// Whether the system prefers it.
    pub is_default: bool,
}

/// Which devices are used, as `select_device` takes them; none is the system's own choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SelectedDevices {
    /// The camera.
    pub camera: Option<String>,
    /// The microphone.
    pub microphone: Option<String>,
    /// The speaker.
    pub speaker: Option<String>,
}

/// What is done to the sound of the microphone; WebRTC's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VoiceProcessing {
    /// Takes out what the speaker plays.
    pub echo_cancellation: bool,
    /// Takes out steady noise.
    pub noise_suppression: bool,
    /// Brings quiet and loud voices to an even level.
    pub auto_gain_control: bool,
}

impl Default for VoiceProcessing {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, auto_gain_control: true }
    }
}

impl From<VoiceProcessing> for confab_media::process::Processing {
    fn from(wanted: VoiceProcessing) -> Self {
        let VoiceProcessing { echo_cancellation, noise_suppression, auto_gain_control } = wanted;
        Self { echo: echo_cancellation, noise: noise_suppression, gain: auto_gain_control }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_by_number_and_name() {
        for kind in DeviceKind::ALL {
            let by_name: DeviceKind = serde_json::from_str(&format!("{:?}", kind.name())).unwrap();
            let by_number: DeviceKind = serde_json::from_str(&kind.number().to_string()).unwrap();
            assert_eq!((by_name, by_number), (kind, kind));
        }
        let wrong = serde_json::from_str::<DeviceKind>("7").unwrap_err().to_string();
        assert!(wrong.contains("expected a kind of device"), "{wrong}");
    }
}
