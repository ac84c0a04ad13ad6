//! Devices that come and go while they are in use.

use super::{Local, no_thread, open_microphone};
use crate::actor::Actor;
use crate::fault::media_fault;
use crate::offload::offload;
use confab_media::devices::follow::{self, Now, Step, Why};
use confab_media::devices::{self, Device};
use confab_media::{CameraSource, DeviceKind, MediaError, MicrophoneSource, SpeakerSink};
use confab_protocol::{Code, Event, Fault};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A device that fails so often in a row is given up.
const TRIES: u32 = 4;
/// Without a failure for so long, what went before counts no more.
const CALM: Duration = Duration::from_secs(10);

/// What is known of the devices there are, and of those wished for.
#[derive(Debug, Default)]
pub(in crate::actor) struct Followed {
    /// What was started and not stopped, also while nothing is open.
    pub(super) camera: Option<CameraSource>,
    pub(super) microphone: Option<MicrophoneSource>,
    kept: [Kept; 3],
    /// The devices of each kind as last told; nothing where nobody tells.
    there: [Option<Vec<Device>>; 3],
    /// The names of all that ever were there, by kind and id.
    names: HashMap<(DeviceKind, String), String>,
}

/// One kind of device.
#[derive(Debug, Default)]
struct Kept {
    /// The one in use, also when it has stopped by itself.
    used: Option<Device>,
    tries: Tries,
    /// All tries were in vain; the next one is due when the list changes.
    halted: bool,
}

/// Counts failures in a row.
#[derive(Debug, Default)]
struct Tries {
    failed: u32,
    last: Option<Instant>,
}

impl Tries {
    /// Whether another try is due after a failure at `now`.
    fn again(&mut self, now: Instant) -> bool {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) > CALM) {
            self.failed = 0;
        }
        (self.failed, self.last) = (self.failed + 1, Some(now));
        self.failed < TRIES
    }
}

impl Followed {
    /// Forgets what was in use; what is known of the devices stays.
    pub(super) fn release(&mut self) {
        (self.camera, self.microphone, self.kept) = (None, None, Default::default());
    }

    /// Forgets which device of a kind was in use.
    pub(super) fn forget(&mut self, kind: DeviceKind) {
        self.kept[kind as usize] = Kept::default();
    }

    /// Nothing more is tried with a kind until its list changes.
    pub(super) fn halt(&mut self, kind: DeviceKind) {
        let kept = &mut self.kept[kind as usize];
        (kept.used, kept.halted) = (None, true);
    }

    fn learn(&mut self, kind: DeviceKind, list: Vec<Device>) {
        for device in &list {
            self.names.insert((kind, device.id.clone()), device.name.clone());
        }
        let there = &mut self.there[kind as usize];
        if there.as_ref() != Some(&list) {
            let kept = &mut self.kept[kind as usize];
            (kept.halted, kept.tries) = (false, Tries::default());
            *there = Some(list);
        }
    }

    /// The name of a device that was there once.
    pub(super) fn name(&self, kind: DeviceKind, id: &str) -> Option<&str> {
        self.names.get(&(kind, id.to_owned())).map(String::as_str)
    }

    /// What is to be done about a kind for which `wish` was chosen.
    fn step(&mut self, kind: DeviceKind, wish: Option<&str>, works: bool) -> Step {
        let kept = &self.kept[kind as usize];
        let idle = works || kept.used.is_none();
        // One that is found by its id alone, as what repeats a speaker's sound, is in no list.
        let listed = |device: &Device| self.name(kind, &device.id).is_some();
        let aside = works && !kept.used.as_ref().is_none_or(listed);
        match &self.there[kind as usize] {
            Some(_) if aside || (kept.halted && idle) => Step::Stay,
            Some(there) => {
                let now = kept.used.as_ref().map(|device| Now { device, works });
                follow::follow(kind, wish, now, there)
            }
            None => Step::Stay,
        }
    }
}

impl Local {
    /// The device of a kind that is open and works.
    fn working(&self, kind: DeviceKind) -> Option<Device> {
        match kind {
            DeviceKind::Camera => {
                let open = self.camera.as_ref().filter(|open| open.camera.failure().is_none())?;
                open.camera.device().cloned()
            }
            DeviceKind::Microphone => self.engine().and_then(|engine| engine.microphone()),
            DeviceKind::Speaker => self.engine().and_then(|engine| engine.speaker()),
        }
    }
}

impl Actor {
    /// Takes in which devices there are.
    pub(in crate::actor) async fn devices_seen(&mut self, devices: Vec<Device>) {
        for kind in DeviceKind::ALL {
            let list = devices.iter().filter(|device| device.kind == kind).cloned().collect();
            self.local.followed.learn(kind, list);
            self.mend(kind).await;
        }
    }

    /// Which device of a kind was chosen, where one is in use or wanted: by name, or the default.
    fn wish(&self, kind: DeviceKind) -> Option<Option<String>> {
        match kind {
            DeviceKind::Camera => match &self.local.followed.camera {
                Some(CameraSource::Device(name)) => Some(name.clone()),
                Some(CameraSource::Test | CameraSource::File(_)) | None => None,
            },
            DeviceKind::Microphone => match &self.local.followed.microphone {
                Some(MicrophoneSource::Device(name)) => Some(name.clone()),
                Some(MicrophoneSource::Tone | MicrophoneSource::File(_)) | None => None,
            },
            DeviceKind::Speaker => match (&self.config.speaker, self.local.engine()) {
                (SpeakerSink::Device(name), Some(_)) => Some(name.clone()),
                (SpeakerSink::Device(_) | SpeakerSink::File(_) | SpeakerSink::Null, _) => None,
            },
        }
    }

    /// Opens another device of a kind, or the same one again, where that is due. Whether it looks
    /// after the kind, whatever comes of it: it does not where nobody knows which devices there are.
    pub(super) async fn mend(&mut self, kind: DeviceKind) -> bool {
        let Some(wish) = self.wish(kind) else { return false };
        let working = self.local.working(kind);
        let kept = &mut self.local.followed.kept[kind as usize];
        let works = working.is_some();
        if works {
            kept.used = working;
        } else if kept.used.is_some() {
            // It stopped: whether it is still there is not known from before.
            let list = offload("devices-look", move || devices::list(kind)).await;
            if let Some(Ok(list)) = list {
                self.local.followed.learn(kind, list);
            }
        }
        match self.local.followed.step(kind, wish.as_deref(), works) {
            Step::Stay => {}
            Step::Wait => self.none_left(kind).await,
            Step::Switch { to, why } => self.switch(to, why, works).await,
        }
        self.local.followed.there[kind as usize].is_some()
    }

    async fn switch(&mut self, to: Device, why: Why, works: bool) {
        let kind = to.kind;
        let opened = match why {
            Why::Again if !self.tries_again(kind) => {
                let what = "it stops whenever it is started".to_owned();
                return self.give_up(kind, &MediaError::DeviceLost { kind, what }).await;
            }
            Why::Gone | Why::Back | Why::Default | Why::Found | Why::Again => self.exchange(&to).await,
        };
        match opened {
            Ok(()) => {
                let kept = &mut self.local.followed.kept[kind as usize];
                let before = kept.used.replace(to.clone()).map(|device| device.name);
                self.keep_in_step();
                self.tell_switch(to, why, before.as_deref());
            }
            Err(error) => {
                // The error's text has the device's id in it.
                tracing::debug!(%kind, code = error.code(), "another device could not be used");
                // Asking again would hold everything up again.
                let hangs = matches!(error, MediaError::NoAnswer(_));
                if !hangs && self.tries_again(kind) {
                    return;
                }
                if works {
                    self.local.followed.kept[kind as usize].halted = true;
                } else {
                    self.give_up(kind, &error).await;
                }
            }
        }
    }

    fn tries_again(&mut self, kind: DeviceKind) -> bool {
        self.local.followed.kept[kind as usize].tries.again(Instant::now())
    }

    /// Opens the device in place of the one in use; when that fails, the one before stays if it can.
    async fn exchange(&mut self, to: &Device) -> Result<(), MediaError> {
        let name = Some(to.id.clone());
        match to.kind {
            DeviceKind::Camera => {
                let Some(wish) = self.local.followed.camera.clone() else { return Ok(()) };
                let before = self.local.working(DeviceKind::Camera);
                self.local.close_camera().await;
                let opened = self.open_camera(CameraSource::Device(name), wish.clone()).await;
                if let (Err(_), Some(before)) = (&opened, before) {
                    self.open_camera(CameraSource::Device(Some(before.id)), wish).await?;
                }
                opened
            }
            DeviceKind::Microphone => {
                let source = MicrophoneSource::Device(name);
                let Some(engine) = self.local.engine().cloned() else { return Err(no_thread()) };
                open_microphone(engine, source).await?;
                self.local.microphone.clone_from(&self.local.followed.microphone);
                self.emit(Event::OnMicDidReady);
                Ok(())
            }
            DeviceKind::Speaker => {
                let sink = SpeakerSink::Device(name);
                let Some(engine) = self.local.engine().cloned() else { return Err(no_thread()) };
                let opened = offload("speaker-open", move || engine.set_speaker(&sink)).await;
                opened.unwrap_or_else(|| Err(no_thread()))
            }
        }
    }

    /// Closes the device that is gone and waits for the first that comes: the others see and hear
    /// nothing of us meanwhile, and we stay.
    async fn none_left(&mut self, kind: DeviceKind) {
        let kept = &mut self.local.followed.kept[kind as usize];
        let before = kept.used.take().map(|device| device.name);
        self.close(kind).await;
        let code = match kind {
            DeviceKind::Camera => Code::NO_CAMERA,
            DeviceKind::Microphone => Code::NO_MICROPHONE,
            DeviceKind::Speaker => Code::NO_SPEAKER,
        };
        let words = follow::words_for_none(kind, before.as_deref());
        self.complain(&Fault::new(code).with_message(words));
    }

    /// A device that cannot be used is off, as if it had been stopped, and says why.
    async fn give_up(&mut self, kind: DeviceKind, error: &MediaError) {
        self.close(kind).await;
        self.local.followed.halt(kind);
        match kind {
            DeviceKind::Camera => self.local.followed.camera = None,
            DeviceKind::Microphone => self.local.followed.microphone = None,
            DeviceKind::Speaker => {}
        }
        self.complain(&media_fault(error));
    }

    /// Closes what is open of a kind; the wish for it stays.
    async fn close(&mut self, kind: DeviceKind) {
        match kind {
            DeviceKind::Camera => {
                if let Some(out) = self.local.camera_out.take() {
                    out.stop().await;
                }
                self.local.close_camera().await;
            }
            DeviceKind::Microphone => self.close_microphone().await,
            DeviceKind::Speaker => self.silence_speaker().await,
        }
        self.keep_in_step();
    }

    /// What went before it is told first: the device in use has the last word.
    fn tell_switch(&mut self, to: Device, why: Why, before: Option<&str>) {
        let words = follow::words(why, before, &to);
        if why == Why::Gone {
            self.complain(&Fault::new(abnormal(to.kind)).with_message(words));
            self.tell_active(to, String::new());
        } else {
            self.tell_active(to, words);
        }
    }

    /// Says that a chosen device is away and which one stands in.
    pub(super) fn tell_away(&mut self, kind: DeviceKind, chosen: &str) {
        let Some(instead) = self.local.working(kind) else { return };
        let words = follow::words_for_away(kind, chosen, &instead.name);
        self.complain(&Fault::new(abnormal(kind)).with_message(words));
        self.tell_active(instead, String::new());
    }

    fn tell_active(&mut self, device: Device, message: String) {
        let Device { kind, id: device_id, name, .. } = device;
        let (kind, state) = (kind as u8, Event::DEVICE_ACTIVE);
        self.emit(Event::OnDeviceChange { device_id, kind, state, name, message });
    }
}

/// The warning about a device that is not the one it should be.
fn abnormal(kind: DeviceKind) -> Code {
    match kind {
        DeviceKind::Camera => Code::NO_CAMERA,
        DeviceKind::Microphone => Code::MICROPHONE_ABNORMAL,
        DeviceKind::Speaker => Code::SPEAKER_ABNORMAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIC: DeviceKind = DeviceKind::Microphone;

    fn mic(id: &str) -> Device {
        Device { kind: MIC, id: id.to_owned(), name: id.to_uppercase(), is_default: true }
    }

    #[test]
    fn one_that_no_list_has_is_not_missed_while_it_works() {
        let mut followed = Followed::default();
        followed.learn(MIC, vec![mic("own")]);
        followed.kept[MIC as usize].used = Some(mic("monitor"));
        assert_eq!(followed.step(MIC, Some("monitor"), true), Step::Stay);
        let gone = |step| matches!(step, Step::Switch { to, why: Why::Gone } if to.id == "own");
        assert!(gone(followed.step(MIC, Some("monitor"), false)));
        // Once it was in a list it is gone with it.
        followed.learn(MIC, vec![mic("own"), mic("monitor")]);
        followed.learn(MIC, vec![mic("own")]);
        assert!(gone(followed.step(MIC, Some("monitor"), true)));
    }

    #[test]
    fn a_device_that_fails_over_and_over_is_given_up_and_one_that_fails_now_and_then_is_not() {
        let mut tries = Tries::default();
        let begun = Instant::now();
        let tried: Vec<bool> = (0..5).map(|n| tries.again(begun + Duration::from_millis(250) * n)).collect();
        assert_eq!(tried, [true, true, true, false, false]);
        let mut tries = Tries::default();
        assert!((0..20).all(|n| tries.again(begun + (CALM + Duration::from_secs(1)) * n)));
    }

    #[test]
    fn nothing_is_done_while_nobody_tells_which_devices_there_are() {
        let mut followed = Followed::default();
        followed.kept[0].used = Some(mic("a"));
        assert_eq!(followed.step(MIC, None, true), Step::Stay);
        followed.learn(MIC, vec![mic("a")]);
        followed.learn(MIC, vec![]);
        assert_eq!(followed.step(MIC, None, true), Step::Wait);
    }

    #[test]
    fn what_was_given_up_is_tried_again_when_the_list_changes() {
        let mut followed = Followed::default();
        followed.learn(MIC, vec![mic("a")]);
        let found = Step::Switch { to: mic("a"), why: Why::Found };
        assert_eq!(followed.step(MIC, None, false), found);
        followed.halt(MIC);
        assert_eq!(followed.step(MIC, None, false), Step::Stay);
        followed.learn(MIC, vec![mic("a")]);
        assert_eq!(followed.step(MIC, None, false), Step::Stay);
        followed.learn(MIC, vec![mic("a"), mic("b")]);
        assert_eq!(followed.step(MIC, None, false), found);
    }

    #[test]
    fn a_device_that_stops_is_looked_after_even_where_another_was_given_up() {
        let mut followed = Followed::default();
        followed.learn(MIC, vec![mic("a")]);
        followed.kept[0].used = Some(mic("a"));
        followed.kept[0].halted = true;
        assert_eq!(followed.step(MIC, None, true), Step::Stay);
        assert_eq!(followed.step(MIC, None, false), Step::Switch { to: mic("a"), why: Why::Again });
    }

    #[test]
    fn a_device_that_is_away_is_known_by_its_name() {
        let mut followed = Followed::default();
        followed.learn(MIC, vec![mic("a")]);
        followed.learn(MIC, vec![]);
        followed.release();
        assert_eq!(followed.name(MIC, "a"), Some("A"));
        assert_eq!(followed.name(DeviceKind::Speaker, "a"), None);
    }
}
