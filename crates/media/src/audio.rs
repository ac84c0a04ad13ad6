//! Sound: one thread, "audio", wakes every 10 ms, plays what the others say and encodes what we say.
//! Devices' own callbacks only move samples to or from a lock-free ring.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use confab_frame::{AudioBlock, EncodedAudio, queue};

use crate::encode::opus;
use crate::process::Processing;
use crate::worker::Worker;
use crate::{Device, MediaError, MicrophoneSource, SpeakerSink};

pub(crate) mod device;
mod engine;
mod level;
mod microphone;
mod remote;
mod speaker;

pub use crate::jitter::{AudioPacket, JitterStats};
pub use remote::RemoteAudio;

use device::OpenDevice;
use engine::{Command, Engine};
use microphone::{Input, Microphone};
use remote::RemoteShared;
use speaker::Output;

use crate::wav::Recorder;

/// Encoded packets that may wait for the network: 400 ms.
const ENCODED: usize = 20;
/// Wishes that may wait for the thread, which looks every 10 ms.
const COMMANDS: usize = 32;

/// How loud everybody is, 0 to 100.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Our own microphone, 0 while muted.
    pub local: u8,
    /// The others by the key they were added with.
    pub remotes: Vec<(String, u8)>,
}

/// How well our own voice is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clarity {
    /// 32 kbit/s.
    #[default]
    Full,
    /// 16 kbit/s, enough for speech (TRTC's audio quality "speech").
    Speech,
}

impl Clarity {
    fn bitrate(self) -> u32 {
        match self {
            Self::Full => 32_000,
            Self::Speech => 16_000,
        }
    }
}

/// A place where blocks can be listened to, for measuring and recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tap {
    /// Our own voice after its processing, before it is encoded.
    Microphone,
    /// What the speaker is given, after mixing.
    Speaker,
}

/// A block as it passed a [`Tap`].
#[derive(Clone, Debug)]
pub struct Tapped {
    /// When it was handed over.
    pub at: Instant,
    pub block: AudioBlock,
}

/// What the thread and the handles share.
#[derive(Debug, Default)]
struct Shared {
    muted: AtomicBool,
    local_level: AtomicU8,
    /// What is not done to our own voice, one bit each.
    unprocessed: AtomicU8,
    /// What our own voice is encoded with, [`Clarity`] as a number.
    clarity: AtomicU8,
}

impl Shared {
    fn set_processing(&self, Processing { echo, noise, gain }: Processing) {
        let bits = u8::from(!echo) | u8::from(!noise) << 1 | u8::from(!gain) << 2;
        self.unprocessed.store(bits, Ordering::Relaxed);
    }

    fn processing(&self) -> Processing {
        let bits = self.unprocessed.load(Ordering::Relaxed);
        Processing { echo: bits & 1 == 0, noise: bits & 2 == 0, gain: bits & 4 == 0 }
    }

    fn clarity(&self) -> Clarity {
        if self.clarity.load(Ordering::Relaxed) == 0 { Clarity::Full } else { Clarity::Speech }
    }
}

/// What keeps a speaker open.
#[derive(Debug)]
enum OpenSpeaker {
    Device(OpenDevice),
    File(Recorder),
    Null,
}

impl OpenSpeaker {
    fn open(sink: &SpeakerSink) -> Result<(Self, Output), MediaError> {
        Ok(match sink {
            SpeakerSink::Null => (Self::Null, Output::Null),
            SpeakerSink::File(path) => {
                let (recorder, sender) = Recorder::start(path.clone())?;
                (Self::File(recorder), Output::File(sender))
            }
            SpeakerSink::Device(name) => {
                let (open, ring) = device::open_speaker(name.as_deref())?;
                (Self::Device(open), Output::device(ring)?)
            }
        })
    }

    fn failure(&self) -> Option<MediaError> {
        match self {
            Self::Device(device) => device.failure(),
            Self::File(recorder) => recorder.failure(),
            Self::Null => None,
        }
    }
}

/// The sound of one room: a speaker, a microphone or none, and the others' voices. Dropping it closes
/// the devices and joins the thread.
pub struct AudioEngine {
    // Dropped first: after it nothing writes to the devices.
    worker: Worker,
    commands: SyncSender<Command>,
    shared: Arc<Shared>,
    speaker: Mutex<OpenSpeaker>,
    microphone: Mutex<Option<OpenDevice>>,
    remotes: Mutex<Vec<Weak<RemoteShared>>>,
}

impl AudioEngine {
    /// Opens the speaker and starts the thread; encoded sound of the microphone comes out of the
    /// queue once there is one. Packets of two bytes or fewer stand for silence: they need not be
    /// sent, only their time must be counted. May take a second: do not call it on a thread that must
    /// not wait.
    pub fn start(sink: &SpeakerSink) -> Result<(Self, queue::Receiver<EncodedAudio>), MediaError> {
        let shared = Arc::new(Shared::default());
        let (open, output) = OpenSpeaker::open(sink)?;
        let (sender, encoded) = queue::bounded(ENCODED);
        let (commands, wishes) = sync_channel(COMMANDS);
        let mut engine = Engine::new(output, sender, shared.clone(), opus::Config::default())?;
        let worker = Worker::spawn("audio", move |stop| engine.run(&wishes, stop))?;
        let engine = Self {
            worker,
            commands,
            shared,
            speaker: Mutex::new(open),
            microphone: Mutex::default(),
            remotes: Mutex::default(),
        };
        Ok((engine, encoded))
    }

    /// Plays through another speaker. When it cannot be opened, the one before stays. Blocks like
    /// [`AudioEngine::start`].
    pub fn set_speaker(&self, sink: &SpeakerSink) -> Result<(), MediaError> {
        let before = self.speaker();
        match (OpenSpeaker::open(sink), before) {
            (Ok(opened), _) => self.play_through(opened),
            (Err(MediaError::DeviceStart { .. } | MediaError::DeviceBusy(_)), Some(before)) => {
                // PulseAudio lets a program play on one device at a time, whatever the library does.
                self.play_through((OpenSpeaker::Null, Output::Null))?;
                let opened = OpenSpeaker::open(sink);
                let (opened, failed) = match opened {
                    Ok(opened) => (opened, None),
                    Err(error) => (OpenSpeaker::open(&SpeakerSink::Device(Some(before.id)))?, Some(error)),
                };
                self.play_through(opened)?;
                failed.map_or(Ok(()), Err)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn play_through(&self, (open, output): (OpenSpeaker, Output)) -> Result<(), MediaError> {
        self.send(Command::Output(output))?;
        // Closing takes its time: nobody else has to wait for it.
        let before = std::mem::replace(&mut *lock(&self.speaker), open);
        drop(before);
        Ok(())
    }

    /// Listens to another microphone, or to none, which closes it. When it cannot be opened, the one
    /// before stays. Blocks like [`AudioEngine::start`].
    pub fn set_microphone(&self, source: Option<&MicrophoneSource>) -> Result<(), MediaError> {
        let (open, microphone) = match source {
            None => (None, None),
            Some(MicrophoneSource::Tone) => (None, Some(Microphone::plain(Input::tone()))),
            Some(MicrophoneSource::File(path)) => {
                (None, Some(Microphone::plain(Input::recording(crate::wav::read(path)?))))
            }
            Some(MicrophoneSource::Device(name)) => {
                let (open, ring) = device::open_microphone(name.as_deref())?;
                let input = Input::device(ring, open.noted())?;
                let microphone = Microphone::processed(input, self.shared.processing());
                (Some(open), Some(microphone))
            }
        };
        self.send(Command::Microphone(microphone.map(Box::new)))?;
        let before = std::mem::replace(&mut *lock(&self.microphone), open);
        drop(before);
        Ok(())
    }

    /// What is done to our own voice from the next block on, without a gap or a click; at first
    /// everything. Only what a device hears is processed: a tone and a file go as they are.
    pub fn set_processing(&self, processing: Processing) {
        self.shared.set_processing(processing);
    }

    /// Sends silence instead of the microphone's sound, which costs next to nothing, while muted.
    pub fn set_muted(&self, muted: bool) {
        self.shared.muted.store(muted, Ordering::Relaxed);
    }

    /// Encodes our own voice so from the next packet on.
    pub fn set_clarity(&self, clarity: Clarity) {
        self.shared.clarity.store(u8::from(clarity == Clarity::Speech), Ordering::Relaxed);
    }

    /// Adds a voice; `key` names it in [`AudioEngine::levels`]. It is played until it is dropped.
    pub fn add_remote(&self, key: String) -> Result<RemoteAudio, MediaError> {
        let (remote, voice) = remote::pair(key)?;
        let mut remotes = lock(&self.remotes);
        remotes.retain(|remote| remote.strong_count() > 0);
        remotes.push(Arc::downgrade(remote.shared()));
        drop(remotes);
        self.send(Command::Add(Box::new(voice)))?;
        Ok(remote)
    }

    /// How loud everybody is now.
    pub fn levels(&self) -> Levels {
        let remotes = lock(&self.remotes);
        let remotes = remotes.iter().filter_map(Weak::upgrade);
        Levels {
            local: self.shared.local_level.load(Ordering::Relaxed),
            remotes: remotes.map(|remote| (remote.key().to_owned(), remote.level())).collect(),
        }
    }

    /// Lets somebody listen to what passes: at most `capacity` blocks wait, the oldest go first. Ends
    /// when the receiver is dropped.
    pub fn tap(&self, tap: Tap, capacity: usize) -> Result<queue::Receiver<Tapped>, MediaError> {
        let (sender, receiver) = queue::bounded(capacity);
        self.send(Command::Tap(tap, sender))?;
        Ok(receiver)
    }

    /// Which speaker of the system plays; nothing while the sound goes elsewhere or is lost.
    pub fn speaker(&self) -> Option<Device> {
        match &*lock(&self.speaker) {
            OpenSpeaker::Device(open) if open.failure().is_none() => Some(open.device().clone()),
            OpenSpeaker::Device(_) | OpenSpeaker::File(_) | OpenSpeaker::Null => None,
        }
    }

    /// Which microphone of the system hears; nothing while the sound comes from elsewhere or is lost.
    pub fn microphone(&self) -> Option<Device> {
        let microphone = lock(&self.microphone);
        microphone.as_ref().filter(|open| open.failure().is_none()).map(|open| open.device().clone())
    }

    /// Why the thread, the speaker or the microphone stopped by itself, if one did. Choosing another
    /// device ends the failure of the one before.
    pub fn failure(&self) -> Option<MediaError> {
        self.worker
            .failure()
            .or_else(|| lock(&self.speaker).failure())
            .or_else(|| lock(&self.microphone).as_ref().and_then(OpenDevice::failure))
    }

    fn send(&self, command: Command) -> Result<(), MediaError> {
        self.commands.send(command).map_err(|_| {
            self.worker.failure().unwrap_or_else(|| MediaError::Worker {
                thread: "audio".to_owned(),
                what: "it has ended".to_owned(),
            })
        })
    }
}

impl fmt::Debug for AudioEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AudioEngine({:?})", lock(&self.speaker))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
