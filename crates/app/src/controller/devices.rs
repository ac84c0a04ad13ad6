//! The devices of this computer.

use confab_media::{Device, MediaError, devices};
use confab_protocol::{Code, Fault};

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

fn view(kind: DeviceKind, device: Device) -> DeviceView {
    DeviceView { kind, device_id: device.id, name: device.name, is_default: device.is_default }
}

/// A failure of devices or codecs as the host sees it.
pub(super) fn media_fault(error: &MediaError) -> Fault {
    Fault::new(Code(error.code())).with_message(error.to_string())
}

fn of_media(kind: DeviceKind) -> confab_media::DeviceKind {
    match kind {
        DeviceKind::Microphone => confab_media::DeviceKind::Microphone,
        DeviceKind::Speaker => confab_media::DeviceKind::Speaker,
        DeviceKind::Camera => confab_media::DeviceKind::Camera,
    }
}
