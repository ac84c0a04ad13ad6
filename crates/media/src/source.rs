//! What may be opened as a camera, a microphone or a speaker, and how it is written.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where our pictures come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CameraSource {
    /// A moving test pattern with a frame counter and the capture time drawn in.
    Test,
    /// An I420 Y4M file, played over and over.
    File(PathBuf),
    /// A camera by name or id, or the first one.
    Device(Option<String>),
}

/// Where our sound comes from. Only a device's is processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MicrophoneSource {
    /// 440 Hz at -20 dBFS.
    Tone,
    /// A WAV file, played over and over.
    File(PathBuf),
    /// A microphone by name or id, or the system's default.
    Device(Option<String>),
}

/// Where the others' sound goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SpeakerSink {
    /// A speaker by name or id, or the system's default.
    Device(Option<String>),
    /// A WAV file (48 kHz mono), written in real time.
    File(PathBuf),
    /// Mixed in real time and thrown away.
    Null,
}

/// Size, rate and cost of the video that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VideoConfig {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures a second.
    pub fps: u32,
    /// Bits a second.
    pub bitrate: u32,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, bitrate: 1_500_000 }
    }
}

/// A source or sink that was written wrongly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a {what}; write {expected}")]
pub struct SourceError {
    text: String,
    what: &'static str,
    expected: &'static str,
}

/// `word`, `file:PATH`, `device` or `device:NAME`, taken apart.
enum Written<'a> {
    Word(&'a str),
    File(&'a str),
    Device(Option<&'a str>),
}

fn take_apart(text: &str) -> Option<Written<'_>> {
    match text.split_once(':') {
        Some(("file", path)) => (!path.is_empty()).then_some(Written::File(path)),
        Some(("device", name)) => (!name.is_empty()).then_some(Written::Device(Some(name))),
        Some(_) => None,
        None if text == "device" => Some(Written::Device(None)),
        None => Some(Written::Word(text)),
    }
}

macro_rules! written {
    ($name:ident, $word:literal, $variant:ident, $what:literal, $expected:literal) => {
        impl FromStr for $name {
            type Err = SourceError;

            fn from_str(text: &str) -> Result<Self, SourceError> {
                match take_apart(text) {
                    Some(Written::Word($word)) => Ok(Self::$variant),
                    Some(Written::File(path)) => Ok(Self::File(PathBuf::from(path))),
                    Some(Written::Device(name)) => Ok(Self::Device(name.map(str::to_owned))),
                    Some(Written::Word(_)) | None => {
                        Err(SourceError { text: text.to_owned(), what: $what, expected: $expected })
                    }
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = SourceError;

            fn try_from(text: String) -> Result<Self, SourceError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(source: $name) -> Self {
                source.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::$variant => f.write_str($word),
                    Self::File(path) => write!(f, "file:{}", path.display()),
                    Self::Device(None) => f.write_str("device"),
                    Self::Device(Some(name)) => write!(f, "device:{name}"),
                }
            }
        }
    };
}

written!(CameraSource, "test", Test, "camera", "test, file:PATH.y4m, device or device:NAME");
written!(MicrophoneSource, "tone", Tone, "microphone", "tone, file:PATH.wav, device or device:NAME");
written!(SpeakerSink, "null", Null, "speaker", "null, file:PATH.wav, device or device:NAME");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_written() {
        for text in ["test", "file:/a b/c:d.y4m", "device", "device:HD Webcam: rear"] {
            assert_eq!(text.parse::<CameraSource>().unwrap().to_string(), text);
        }
        for text in ["tone", "file:x.wav", "device", "device:alsa:hw:0"] {
            assert_eq!(text.parse::<MicrophoneSource>().unwrap().to_string(), text);
        }
        for text in ["null", "file:x.wav", "device", "device:x"] {
            assert_eq!(text.parse::<SpeakerSink>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_source_is_named_with_what_is_possible() {
        for text in ["", "cam", "file:", "device:", "http://x", "tone"] {
            let said = text.parse::<CameraSource>().unwrap_err().to_string();
            assert!(said.contains(&format!("\"{text}\"")) && said.contains("test, file:PATH.y4m"), "{said}");
        }
    }
}
