//! Which cameras, microphones and speakers there are.

pub mod follow;
mod watch;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use watch::Watcher;

use crate::worker::answered;
use crate::{MediaError, audio, capture};

/// What a device is for; the numbers are TRTC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// Our sound comes from it.
    Microphone = 0,
    /// The others' sound goes to it.
    Speaker = 1,
    /// Our pictures come from it.
    Camera = 2,
}

impl DeviceKind {
    /// All three, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Speaker, Self::Camera];
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Camera => "camera",
        })
    }
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// What it is for; ids are told apart within a kind only.
    pub kind: DeviceKind,
    /// Stays the same from one start to the next where the system can tell.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// The one that is used when none is chosen.
    pub is_default: bool,
}

impl Device {
    /// Whether both are the same device, whatever has become of it meanwhile.
    pub fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.id == other.id
    }
}

/// The devices of a kind, the default first. None is an empty list, not an error. Takes up to a
/// second, and four where the system does not answer, which is an error.
pub fn list(kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
    answered(kind, move || look(kind))
}

/// The same for however long the system takes.
fn look(kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
    let mut devices = match kind {
        DeviceKind::Camera => capture::device::list()?,
        DeviceKind::Microphone | DeviceKind::Speaker => audio::device::list(kind)?,
    };
    devices.sort_by_key(|device| !device.is_default);
    Ok(devices)
}

/// Whether the device that `wanted` means is there, as opening it would find it. Takes as long as
/// [`list`].
pub fn check(kind: DeviceKind, wanted: Option<&str>) -> Result<(), MediaError> {
    choose(kind, &list(kind)?, wanted).map(drop)
}

/// The place in `devices` of the one that `wanted` means: by id (also without the `system:` in front),
/// else by name, else by a part of its name that only it has. Without a wish it is the default, else
/// the first.
pub(crate) fn choose(
    kind: DeviceKind,
    devices: &[Device],
    wanted: Option<&str>,
) -> Result<usize, MediaError> {
    if devices.is_empty() {
        return Err(MediaError::NoDevice(kind));
    }
    let Some(wanted) = wanted else {
        return Ok(devices.iter().position(|device| device.is_default).unwrap_or(0));
    };
    let lower = wanted.to_lowercase();
    let part = |device: &Device| device.name.to_lowercase().contains(&lower);
    devices
        .iter()
        .position(|device| device.id == wanted)
        .or_else(|| devices.iter().position(|device| system_id(&device.id) == wanted))
        .or_else(|| devices.iter().position(|device| device.name == wanted))
        .or_else(|| {
            let at = devices.iter().position(part)?;
            (!devices[at + 1..].iter().any(part)).then_some(at)
        })
        .ok_or_else(|| MediaError::UnknownDevice { kind, name: wanted.to_owned() })
}

/// The id that the system itself uses.
fn system_id(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str, is_default: bool) -> Device {
        Device { kind: DeviceKind::Camera, id: id.to_owned(), name: name.to_owned(), is_default }
    }

    #[test]
    fn a_device_is_chosen_by_id_by_name_or_by_a_part_that_only_it_has() {
        let devices = [
            device("1", "HD Webcam", false),
            device("2", "Rear Webcam", true),
            device("alsa:hw:0", "1", false),
        ];
        let choose = |wanted| choose(DeviceKind::Camera, &devices, wanted);
        assert_eq!(choose(None), Ok(1));
        assert_eq!(choose(Some("1")), Ok(0));
        assert_eq!(choose(Some("Rear Webcam")), Ok(1));
        assert_eq!(choose(Some("hd")), Ok(0));
        assert_eq!(choose(Some("hw:0")), Ok(2));
        for unclear in ["webcam", "nothing"] {
            assert_eq!(choose(Some(unclear)).unwrap_err().code(), -1301);
        }
    }

    #[test]
    fn without_devices_the_error_says_which_kind_is_missing() {
        let codes = [DeviceKind::Microphone, DeviceKind::Speaker, DeviceKind::Camera]
            .map(|kind| choose(kind, &[], None).unwrap_err().code());
        assert_eq!(codes, [1201, 1202, 1111]);
    }
}
