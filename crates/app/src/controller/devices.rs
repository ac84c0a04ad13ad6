//! The devices of this computer.

use std::path::Path;

use confab_media::devices::follow::{Change as Happened, changes};
use confab_media::{CameraSource, Device, MediaError, MicrophoneSource, Watcher, devices};
use confab_protocol::{Event, Fault};
use confab_session::media_fault;
use tokio::sync::watch;
use tracing::{debug, error};

use super::actor::{Actor, Change, Done};
use crate::{DeviceKind, DeviceView, Host};

/// What is seen of the devices around.
#[derive(Debug)]
pub(super) struct Around {
    /// Nothing where no thread could start: then devices are not followed.
    watcher: Option<Watcher>,
    seen: watch::Receiver<Vec<Device>>,
}

impl Around {
    /// Looks from now on.
    pub(super) fn watch() -> Self {
        let (told, seen) = watch::channel(Vec::new());
        // Nobody listens any more when the app ends.
        let tell = move |devices| drop(told.send(devices));
        let failed = |error: &MediaError| error!(%error, "devices that come and go are not noticed");
        Self { watcher: Watcher::start(tell).inspect_err(failed).ok(), seen }
    }

    /// The devices when something about them has changed; nothing when that is not told any more.
    pub(super) async fn changed(&mut self) -> Option<Vec<Device>> {
        self.seen.changed().await.ok()?;
        Some(self.seen.borrow_and_update().clone())
    }

    /// Looks no longer.
    pub(super) async fn close(self) {
        // The thread may be asking the system. A panic in it was logged where it happened.
        let _ = tokio::task::spawn_blocking(move || drop(self.watcher)).await;
    }
}

impl<H: Host> Actor<H> {
    /// Shows which devices there are now, tells what happened to them, and lets the session follow.
    pub(super) async fn on_devices(&mut self, devices: Vec<Device>) {
        if let Some(before) = &self.around {
            for happened in changes(before, &devices) {
                self.host.emit(crate::Event::Room(told(happened)));
            }
        }
        self.state.devices = devices.iter().map(view).collect();
        self.around = Some(devices.clone());
        let session = self.session.clone();
        let job = async move {
            if let Err(fault) = session.follow_devices(devices).await {
                debug!(code = fault.code, "the devices were not followed");
            }
            Done { change: Change::None, reply: None }
        };
        self.start(job).await;
    }
}

fn told(Happened { device, what }: Happened) -> Event {
    let Device { kind, id: device_id, name, .. } = device;
    Event::OnDeviceChange { device_id, kind: kind as u8, state: what as u8, name, message: String::new() }
}

/// The devices of one kind, or of all. Asks the system: may take long.
pub(super) fn list(kind: Option<DeviceKind>) -> Result<Vec<DeviceView>, Fault> {
    let mut found = Vec::new();
    let kinds = kind.map_or(DeviceKind::ALL.to_vec(), |one| vec![one]);
    for kind in kinds {
        let devices = devices::list(of_media(kind)).map_err(|error| media_fault(&error))?;
        found.extend(devices.iter().map(view));
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

fn view(device: &Device) -> DeviceView {
    DeviceView {
        kind: match device.kind {
            confab_media::DeviceKind::Microphone => DeviceKind::Microphone,
            confab_media::DeviceKind::Speaker => DeviceKind::Speaker,
            confab_media::DeviceKind::Camera => DeviceKind::Camera,
        },
        device_id: device.id.clone(),
        name: device.name.clone(),
        is_default: device.is_default,
    }
}

fn of_media(kind: DeviceKind) -> confab_media::DeviceKind {
    match kind {
        DeviceKind::Microphone => confab_media::DeviceKind::Microphone,
        DeviceKind::Speaker => confab_media::DeviceKind::Speaker,
        DeviceKind::Camera => confab_media::DeviceKind::Camera,
    }
}
