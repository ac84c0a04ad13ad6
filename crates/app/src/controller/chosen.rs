//! From the texts of requests to sources and devices.

use std::str::FromStr;

use confab_media::{CameraSource, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Fault};

use crate::SelectedDevices;

/// The devices that are used unless a request names another one.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) camera: Option<CameraSource>,
    pub(super) microphone: Option<MicrophoneSource>,
    pub(super) speaker: SpeakerSink,
}

impl Chosen {
    /// What the page is told of it.
    pub(super) fn view(&self) -> SelectedDevices {
        SelectedDevices {
            camera: self.camera.as_ref().and_then(|camera| shown(&camera.to_string())),
            microphone: self.microphone.as_ref().and_then(|microphone| shown(&microphone.to_string())),
            speaker: shown(&self.speaker.to_string()),
        }
    }

    pub(super) fn camera(&self, named: Option<&str>) -> Result<CameraSource, Fault> {
        match named {
            Some(text) => source(text),
            None => self.camera.clone().ok_or_else(|| Fault::new(Code::NO_CAMERA)),
        }
    }

    pub(super) fn microphone(&self, named: Option<&str>) -> Result<MicrophoneSource, Fault> {
        match named {
            Some(text) => source(text),
            None => self.microphone.clone().ok_or_else(|| Fault::new(Code::NO_MICROPHONE)),
        }
    }
}

/// A device's bare id, another source as it is written, nothing for the system's choice.
fn shown(written: &str) -> Option<String> {
    match written.strip_prefix("device") {
        Some("") => None,
        Some(named) => Some(named.trim_start_matches(':').to_owned()),
        None => Some(written.to_owned()),
    }
}

/// Reads `test`, `file:PATH`, `device[:NAME]` and their like.
pub(super) fn source<S: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<S, Fault> {
    text.parse().map_err(|error: S::Err| Fault::new(Code::INVALID_PARAMETER).with_message(error.to_string()))
}

/// The same, where a device may also be named by its bare id.
pub(super) fn device<S: FromStr>(id: &str, named: impl Fn(String) -> S) -> S {
    id.parse().unwrap_or_else(|_| named(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_id_is_a_device_and_a_source_is_a_source() {
        let read = |id| device(id, |name| CameraSource::Device(Some(name)));
        assert_eq!(read("test"), CameraSource::Test);
        assert_eq!(read("file:/x.y4m"), CameraSource::File("/x.y4m".into()));
        assert_eq!(read("/dev/video0"), CameraSource::Device(Some("/dev/video0".into())));
    }

    #[test]
    fn the_page_is_told_ids_that_select_takes() {
        let read = |id| device(id, |name| MicrophoneSource::Device(Some(name)));
        for id in ["pulse:a:b", "tone", "file:/x.wav"] {
            assert_eq!(shown(&read(id).to_string()).as_deref(), Some(id));
        }
        assert_eq!(shown(&MicrophoneSource::Device(None).to_string()), None);
    }

    #[test]
    fn without_a_device_the_fault_says_which_is_missing() {
        let none = Chosen { camera: None, microphone: None, speaker: SpeakerSink::Null };
        assert_eq!(none.camera(None).unwrap_err().code, 1111);
        assert_eq!(none.microphone(None).unwrap_err().code, 1201);
        assert_eq!(none.camera(Some("test")).unwrap(), CameraSource::Test);
        assert_eq!(none.camera(Some("tone")).unwrap_err().code, -2);
    }
}
