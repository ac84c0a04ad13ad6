//! The devices of this computer.

use std::path::Path;

use confab_media::{CameraSource, Device, MediaError, MicrophoneSource, devices};
use confab_protocol::Fault;
use confab_session::media_fault;

use crate::{DeviceKind, DeviceView};

/// The devices of one kind, or of all. Asks the system: may take long.
pub(super) fn list(kind: Option<DeviceKind>) -> Result<Vec<DeviceView>, Fault> {
    let mut found = Vec::new();
    let kinds = kind.map_or(DeviceKind::ALL.to_vec(), |one| vec![one]);
    for kind in kinds {
        let devices = devices::list(of_media(kind)).map_err(|error| media_fault(&error))?;
        found.extend(devices.into_iter().map(|device| view(kind, device)));
    }
    Ok(found)
}

/// Whether a camera is there, without starting it. Asks the system: may take long.
pub(super) fn check_camera(source: &CameraSource) -> Result<(), Fault> {
    match source {
        CameraSource::Device(name) => there(DeviceKind::Camera, name.as_deref()),
        CameraSource::File(path) => readable(DeviceKind::Camera, path),
        CameraSource::Test => Ok(()),
    }
}

/// The same for a microphone.
pub(super) fn check_microphone(source: &MicrophoneSource) -> Result<(), Fault> {
    match source {
        MicrophoneSource::Device(name) => there(DeviceKind::Microphone, name.as_deref()),
        MicrophoneSource::File(path) => readable(DeviceKind::Microphone, path),
        MicrophoneSource::Tone => Ok(()),
    }
}

fn there(kind: DeviceKind, name: Option<&str>) -> Result<(), Fault> {
    devices::check(of_media(kind), name).map_err(|error| media_fault(&error))
}

fn readable(kind: DeviceKind, path: &Path) -> Result<(), Fault> {
    std::fs::File::open(path).map(drop).map_err(|error| {
        let (kind, path, problem) = (of_media(kind), path.to_owned(), error.to_string());
        media_fault(&MediaError::File { kind, path, problem })
    })
}

fn view(kind: DeviceKind, device: Device) -> DeviceView {
    DeviceView { kind, device_id: device.id, name: device.name, is_default: device.is_default }
}

fn of_media(kind: DeviceKind) -> confab_media::DeviceKind {
    match kind {
        DeviceKind::Microphone => confab_media::DeviceKind::Microphone,
        DeviceKind::Speaker => confab_media::DeviceKind::Speaker,
        DeviceKind::Camera => confab_media::DeviceKind::Camera,
    }
}
