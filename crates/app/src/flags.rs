//! The command line that the window and the headless program have in common.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink};

use crate::controller::AppKey;
use crate::{Options, Receive};

/// The flags of the programs around the app. Beside them they read `CONFAB_DATA`, the folder where
/// the app keeps what is its own, `CONFAB_SERVER`, the server that is meant where none is named,
/// and `CONFAB_APP`, `ID:KEY,ID:KEY` of applications to sign for.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// test, file:PATH.y4m, device, device:NAME or none
    #[arg(long, value_name = "SOURCE", default_value = "device")]
    pub camera: Source<CameraSource>,
    /// tone, file:PATH.wav, device, device:NAME or none
    #[arg(long, value_name = "SOURCE", default_value = "device")]
    pub microphone: Source<MicrophoneSource>,
    /// device, device:NAME, file:PATH.wav or null
    #[arg(long, value_name = "SINK", default_value = "device")]
    pub speaker: SpeakerSink,
    /// What is received of others; the window takes the pictures it shows, other programs all
    #[arg(long)]
    pub receive: Option<ReceiveFlag>,
}

/// What is received before anybody asks with `start_remote_view` or `stop_remote_view`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReceiveFlag {
    /// Everything.
    All,
    /// Every voice, and the pictures of those who have a tile on the stage.
    Shown,
    /// Nothing.
    None,
}

/// A source, or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<S>(Option<S>);

impl<S> Source<S> {
    /// The source, if there is one.
    pub fn get(self) -> Option<S> {
        self.0
    }
}

impl<S: FromStr> FromStr for Source<S> {
    type Err = S::Err;

    fn from_str(text: &str) -> Result<Self, S::Err> {
        match text {
            "none" => Ok(Self(None)),
            text => text.parse().map(|source| Self(Some(source))),
        }
    }
}

impl Flags {
    /// How the app starts under the name `agent`; `receive` counts where no flag says otherwise.
    pub fn options(self, agent: &str, receive: ReceiveFlag) -> Result<Options> {
        let mut options = Options::new(data_folder()?);
        options.agent = agent.to_owned();
        options.camera = self.camera.get();
        options.microphone = self.microphone.get();
        options.speaker = self.speaker;
        options.receive = match self.receive.unwrap_or(receive) {
            ReceiveFlag::All => Receive::All,
            ReceiveFlag::Shown => Receive::OnDemand,
            ReceiveFlag::None => Receive::None,
        };
        options.server = std::env::var("CONFAB_SERVER").ok().filter(|server| !server.is_empty());
        if let Ok(keys) = std::env::var("CONFAB_APP") {
            options.keys = AppKey::list(&keys).context("CONFAB_APP")?;
        }
        Ok(options)
    }
}

/// `CONFAB_DATA`, or where the system wants programs to keep things.
fn data_folder() -> Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || of("HOME").or_else(|| of("USERPROFILE"));
    let folder = of("CONFAB_DATA").or_else(|| {
        if cfg!(target_os = "macos") {
            Some(home()?.join("Library/Application Support/confab"))
        } else if cfg!(windows) {
            Some(of("APPDATA")?.join("confab"))
        } else {
            Some(of("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")))?.join("confab"))
        }
    });
    folder.context("there is no folder to keep things in; set CONFAB_DATA")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        app: Flags,
    }

    fn read(arguments: &[&str]) -> Result<Flags, String> {
        let all = ["program"].into_iter().chain(arguments.iter().copied());
        Program::try_parse_from(all).map(|it| it.app).map_err(|error| error.to_string())
    }

    #[test]
    fn a_person_uses_the_devices_of_the_computer() {
        let flags = read(&[]).unwrap();
        assert_eq!(flags.camera.get(), Some(CameraSource::Device(None)));
        assert_eq!(flags.speaker, SpeakerSink::Device(None));
        assert_eq!(flags.receive, None);
    }

    #[test]
    fn a_script_uses_what_it_names() {
        let flags =
            read(&["--camera", "test", "--microphone", "none", "--speaker", "null", "--receive", "none"]);
        let flags = flags.unwrap();
        assert_eq!(flags.camera.get(), Some(CameraSource::Test));
        assert_eq!(flags.microphone.get(), None);
        assert_eq!((flags.speaker, flags.receive), (SpeakerSink::Null, Some(ReceiveFlag::None)));
        let wrong = read(&["--camera", "cam"]).unwrap_err();
        assert!(wrong.contains("test, file:PATH"), "{wrong}");
    }
}
