//! PulseAudio without hardware: what it hears is played into it, what it plays is recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::Recording;

/// What is played into this sink is what the microphone `vmic` hears.
pub const MICROPHONE_FEED: &str = "vmic_sink";
/// What the speaker `vspk` plays can be recorded here.
pub const SPEAKER_MONITOR: &str = "vspk.monitor";

/// How long the daemon and its clients may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks at something that changes by itself.
const LOOK: Duration = Duration::from_millis(20);

/// A sound server of our own with one microphone and one speaker, both made of software. It ends
/// when this is dropped.
#[derive(Debug)]
pub struct Card {
    folder: tempfile::TempDir,
    process: Child,
}

impl Card {
    /// Starts a private PulseAudio daemon and waits until it answers.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        for name in ["run", "pulse", "state"] {
            fs::create_dir(at(name))?;
        }
        // Without norewinds the first sound of a microphone comes a second late.
        let script = format!(
            ".fail\n\
             load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module module-null-sink sink_name={MICROPHONE_FEED} rate=48000 channels=1 norewinds=1\n\
             load-module {}\n\
             load-module module-null-sink sink_name=vspk rate=48000 channels=2 norewinds=1 \
             sink_properties=device.description=VirtualSpeaker\n\
             set-default-sink vspk\n\
             set-default-source vmic\n",
            at("native").display(),
            microphone().join(" "),
        );
        fs::write(at("default.pa"), script)?;
        fs::write(at("cookie"), [7; 256])?;
        // Before everybody else, as desktops have it; where that may not be chosen it runs all the same.
        let process = Command::new("pulseaudio")
            .args(["-n", "--realtime=yes", "--high-priority=yes"])
            .arg("-F")
            .arg(at("default.pa"))
            .args(["--system=no", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"])
            .arg("--disable-shm=yes")
            .arg(format!("--log-target=file:{}", at("log").display()))
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("PULSE_RUNTIME_PATH", at("pulse"))
            .env("PULSE_STATE_PATH", at("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start pulseaudio; it is in the package pulseaudio")?;
        let card = Self { folder, process };
        card.wait()?;
        Ok(card)
    }

    fn wait(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let answers = || {
            let mut info = self.command("pactl");
            info.arg("info").stdout(Stdio::null()).stderr(Stdio::null());
            info.status().is_ok_and(|status| status.success())
        };
        while !answers() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            ensure!(Instant::now() < deadline, "pulseaudio does not answer:\n{log}");
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// What a program needs to find this server and no other.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let at = |name: &str| self.folder.path().join(name);
        let server = PathBuf::from(format!("unix:{}", at("native").display()));
        vec![("PULSE_SERVER", server), ("PULSE_COOKIE", at("cookie")), ("XDG_RUNTIME_DIR", at("run"))]
    }

    /// Lets the microphone hear a WAV file, until it ends or what is returned is dropped.
    pub fn say(&self, file: &Path) -> Result<Playing> {
        let mut play = self.command("paplay");
        play.arg(format!("--device={MICROPHONE_FEED}")).arg(file).stdin(Stdio::null());
        Ok(Playing(play.spawn().context("cannot start paplay; it is in the package pulseaudio-utils")?))
    }

    /// Records what the speaker plays into a WAV file, instead of what is there.
    pub fn record(&self, file: &Path) -> Result<Recorder> {
        if file.exists() {
            fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        let mut record = self.command("parecord");
        record.args(["--rate=48000", "--channels=1", "--format=s16le", "--file-format=wav"]);
        record.arg(format!("--device={SPEAKER_MONITOR}")).arg(file).stdin(Stdio::null());
        let process =
            record.spawn().context("cannot start parecord; it is in the package pulseaudio-utils")?;
        Ok(Recorder { process: Playing(process), file: file.to_owned() })
    }

    /// The daemon answers nobody any more, or again, with nothing lost meanwhile.
    pub fn hang(&self, hangs: bool) -> Result<()> {
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let told = Command::new("kill").args([signal, &self.process.id().to_string()]).status()?;
        ensure!(told.success(), "the sound server is gone");
        Ok(())
    }

    /// Pulls the microphone's plug.
    pub fn take_microphone(&self) -> Result<()> {
        self.control(&["unload-module".to_owned(), "module-remap-source".to_owned()])
    }

    /// Plugs the microphone in again, as the one that is used unless another is chosen.
    pub fn give_microphone(&self) -> Result<()> {
        let mut load = vec!["load-module".to_owned()];
        load.extend(microphone());
        self.control(&load)?;
        self.control(&["set-default-source".to_owned(), "vmic".to_owned()])
    }

    fn control(&self, words: &[String]) -> Result<()> {
        let status = self.command("pactl").args(words).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "pactl {} ended with {status}", words.join(" "));
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }
}

/// The module that makes the microphone, and what it is given.
fn microphone() -> Vec<String> {
    let feed = format!("master={MICROPHONE_FEED}.monitor");
    let words = ["module-remap-source", "source_name=vmic", &feed, "channels=1", "rate=48000"];
    let name = "source_properties=device.description=VirtualMic";
    words.into_iter().chain([name]).map(str::to_owned).collect()
}

impl Drop for Card {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program that plays or records; ended when dropped.
#[derive(Debug)]
pub struct Playing(Child);

impl Drop for Playing {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A recording that goes on.
#[derive(Debug)]
pub struct Recorder {
    process: Playing,
    file: PathBuf,
}

impl Recorder {
    /// Waits until this much is in the file, and ends. The time is counted in sound, not by the
    /// clock: a recorder that starts late or is held up takes longer.
    pub fn finish(mut self, length: Duration) -> Result<Recording> {
        let bytes = length.as_millis() as u64 * u64::from(crate::RATE) / 1000 * 2;
        let deadline = Instant::now() + length + PATIENCE;
        while fs::metadata(&self.file).map_or(0, |file| file.len()) < bytes {
            ensure!(Instant::now() < deadline, "the speaker's sound was not recorded for {length:?}");
            std::thread::sleep(LOOK);
        }
        // Asked this way it makes its file whole.
        let process = &mut self.process.0;
        let asked = Command::new("kill").args(["-INT", &process.id().to_string()]).status()?;
        ensure!(asked.success(), "the recorder cannot be ended");
        process.wait()?;
        Recording::read(&self.file)
    }
}
