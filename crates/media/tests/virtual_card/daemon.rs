use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is played into this sink is what the microphone `vmic` hears.
pub(crate) const MICROPHONE_FEED: &str = "vmic_sink";
/// What the speaker `vspk` plays can be recorded here.
pub(crate) const SPEAKER_MONITOR: &str = "vspk.monitor";

/// A sound server of our own with one microphone and one speaker, both made of software. It ends
/// when this is dropped.
pub(crate) struct Daemon {
    folder: tempfile::TempDir,
    process: Child,
}

impl Daemon {
    /// `None` where the program `pulseaudio` is not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["run", "pulse", "state"] {
            fs::create_dir(at(name)).unwrap();
        }
        // Without norewinds the first sound of a microphone comes a second late.
        let script = format!(
            ".fail\n\
             load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module module-null-sink sink_name={MICROPHONE_FEED} rate=48000 channels=1 norewinds=1\n\
             load-module module-remap-source source_name=vmic master={MICROPHONE_FEED}.monitor channels=1 \
             rate=48000 source_properties=device.description=VirtualMic\n\
             load-module module-null-sink sink_name=vspk rate=48000 channels=2 norewinds=1 \
             sink_properties=device.description=VirtualSpeaker\n\
             set-default-sink vspk\n\
             set-default-source vmic\n",
            at("native").display()
        );
        fs::write(at("default.pa"), script).unwrap();
        fs::write(at("cookie"), [7; 256]).unwrap();
        let started = Command::new("pulseaudio")
            .arg("-n")
            .arg("-F")
            .arg(at("default.pa"))
            .args(["--system=no", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"])
            .args(["--disable-shm=yes", "--realtime=no", "--high-priority=no"])
            .arg(format!("--log-target=file:{}", at("log").display()))
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("PULSE_RUNTIME_PATH", at("pulse"))
            .env("PULSE_STATE_PATH", at("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => panic!("pulseaudio could not be started: {error}"),
        };
        let daemon = Self { folder, process };
        daemon.wait();
        Some(daemon)
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let answers = || {
            let mut info = Command::new("pactl");
            info.arg("info").envs(self.environment()).stdout(Stdio::null()).stderr(Stdio::null());
            info.status().is_ok_and(|status| status.success())
        };
        while !answers() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "pulseaudio does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a program needs to find this server and no other.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let at = |name: &str| self.folder.path().join(name);
        let server = PathBuf::from(format!("unix:{}", at("native").display()));
        vec![("PULSE_SERVER", server), ("PULSE_COOKIE", at("cookie")), ("XDG_RUNTIME_DIR", at("run"))]
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
