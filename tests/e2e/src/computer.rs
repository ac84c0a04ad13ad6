//! Everything that one person's programs find around them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use sound::{Card, Playing, Recording, write_tone};
use tempfile::TempDir;

use crate::program::{built, kept};
use crate::window::environment;
use crate::{LOG, Screen, complaints};

/// How loud everybody speaks, dB of a full-scale sine.
pub const SPOKEN: f32 = -20.0;
/// How long somebody speaks without a pause: longer than any test.
const BREATH: Duration = Duration::from_secs(240);

/// A computer with a sound card, a camera that shows a clip, and nothing kept from before. What is
/// said in front of it is a tone.
#[derive(Debug)]
pub struct Computer {
    /// Its microphone and its speaker.
    pub card: Card,
    camera: String,
    home: TempDir,
    log: PathBuf,
    _voice: Playing,
}

impl Computer {
    /// Switches it on; `name` is that of its log among the files that are kept.
    pub fn start(name: &str, clip: &Path, hertz: f32) -> Result<Self> {
        let (card, home) = (Card::start()?, tempfile::tempdir()?);
        let voice = home.path().join("voice.wav");
        write_tone(&voice, hertz, SPOKEN, BREATH)?;
        let voice = card.say(&voice)?;
        let log = kept(&format!("{name}.log"))?;
        File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        Ok(Self { card, camera: format!("file:{}", clip.display()), home, log, _voice: voice })
    }

    /// The window on this screen, driven by lines instead of by its page.
    pub fn scripted(&self, screen: &Screen) -> Result<Command> {
        let mut command = self.program("confab")?;
        command.args(["--script", "-"]);
        screen.carry(&mut command);
        Ok(command)
    }

    /// The app without a window.
    pub fn headless(&self) -> Result<Command> {
        self.program("confab-headless")
    }

    fn program(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(built(name));
        command.args(self.flags()).envs(self.environment());
        command.stderr(File::options().append(true).open(&self.log)?);
        Ok(command)
    }

    /// What a program is told of this computer's devices.
    pub(crate) fn flags(&self) -> Vec<String> {
        let devices = ["--camera", &self.camera, "--microphone", "device", "--speaker", "device"];
        devices.map(str::to_owned).to_vec()
    }

    /// What a program needs to be on this computer and on no other.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let card = self.card.environment();
        let card = card.into_iter().map(|(name, path)| (name.to_owned(), path.display().to_string()));
        let log = ("CONFAB_LOG".to_owned(), LOG.to_owned());
        environment(self.home.path()).into_iter().chain(card).chain([log]).collect()
    }

    /// Where its programs' log is.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// What the log of its programs complains about so far.
    pub fn complaints(&self) -> Result<Vec<String>> {
        complaints(&std::fs::read_to_string(&self.log)?)
    }

    /// What the speaker plays for so long from now on; kept as target/e2e/NAME.wav.
    pub fn hears(&self, length: Duration, name: &str) -> Result<Recording> {
        // The recorder begins and ends unevenly.
        const EDGE: Duration = Duration::from_millis(200);
        let recorder = self.card.record(&kept(&format!("{name}.wav"))?)?;
        Ok(recorder.finish(length + 2 * EDGE)?.without_ends(EDGE))
    }
}
