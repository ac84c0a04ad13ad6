//! Devices that come and go. No system tells of all of them, so the lists are read over and over.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Device, DeviceKind};
use crate::MediaError;
use crate::worker::{Stop, Worker};

/// How often the lists are read: whatever happens is known within a second.
const PERIOD: Duration = Duration::from_millis(400);
/// Cameras that are not listed within this are listed when they are.
const CAMERAS: Duration = Duration::from_secs(1);
/// Reading takes at most one part in so many of the time, however slow the system is.
const SHARE: u32 = 5;

/// Reads the lists on a thread of its own, "devices". Dropping it ends and joins the thread.
#[derive(Debug)]
pub struct Watcher {
    _worker: Worker,
}

impl Watcher {
    /// Tells all devices, those of a kind together and the default first: at once, and again whenever
    /// something about them has changed. `tell` is called on the thread and must not wait.
    pub fn start(tell: impl FnMut(Vec<Device>) + Send + 'static) -> Result<Self, MediaError> {
        let looks = Looks::default();
        let mut outside = Outside::default();
        let worker = Worker::spawn("devices", move |stop| {
            watch(looks, move |kind| outside.list(kind), tell, stop);
            Ok(())
        })?;
        Ok(Self { _worker: worker })
    }
}

fn watch(
    mut looks: Looks,
    mut list: impl FnMut(DeviceKind) -> Result<Vec<Device>, MediaError>,
    mut tell: impl FnMut(Vec<Device>),
    stop: &Stop,
) {
    loop {
        let begun = Instant::now();
        if let Some(devices) = looks.take(DeviceKind::ALL.map(&mut list)) {
            tell(devices);
        }
        let took = begun.elapsed();
        if stop.wait_until(begun + took + pause(took)) {
            return;
        }
    }
}

/// How long to wait after a look that took so long.
fn pause(took: Duration) -> Duration {
    PERIOD.saturating_sub(took).max(took * (SHARE - 1))
}

/// What was seen last.
#[derive(Debug, Default)]
struct Looks {
    seen: [Vec<Device>; 3],
    told: bool,
}

impl Looks {
    /// Takes in what the lists are now; all devices if that is news. A list that cannot be read is as
    /// it was: a system that stumbles has not lost its devices.
    fn take(&mut self, lists: [Result<Vec<Device>, MediaError>; 3]) -> Option<Vec<Device>> {
        let mut news = !std::mem::replace(&mut self.told, true);
        for (seen, list) in self.seen.iter_mut().zip(lists) {
            match list {
                Ok(list) if *seen != list => {
                    *seen = list;
                    news = true;
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "devices could not be listed"),
            }
        }
        news.then(|| self.seen.concat())
    }
}

/// The system's lists, read anew only where that is cheap or the system says that something changed.
#[derive(Debug, Default)]
struct Outside {
    /// What the system said about a kind, and the list that went with it.
    known: [Option<(String, Vec<Device>)>; 3],
    cameras: Aside,
}

impl Outside {
    fn list(&mut self, kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
        let Some(mark) = mark(kind) else { return self.ask(kind) };
        if let Some((before, list)) = &self.known[kind as usize]
            && *before == mark
        {
            return Ok(list.clone());
        }
        let list = self.ask(kind)?;
        self.known[kind as usize] = Some((mark, list.clone()));
        Ok(list)
    }

    fn ask(&mut self, kind: DeviceKind) -> Result<Vec<Device>, MediaError> {
        match kind {
            DeviceKind::Microphone | DeviceKind::Speaker => super::look(kind),
            DeviceKind::Camera => self.cameras.list(CAMERAS, || super::look(DeviceKind::Camera)),
        }
    }
}

/// Lists cameras on a thread that lives for one look: their drivers are known to hang, and what macOS
/// allocates for them is freed only when the thread ends.
#[derive(Debug, Default)]
struct Aside {
    /// The answer of a look that has not come back yet.
    asked: Option<Receiver<Result<Vec<Device>, MediaError>>>,
}

impl Aside {
    fn list(
        &mut self,
        patience: Duration,
        list: impl FnOnce() -> Result<Vec<Device>, MediaError> + Send + 'static,
    ) -> Result<Vec<Device>, MediaError> {
        let failed = |what: String| MediaError::DeviceStart { kind: DeviceKind::Camera, what };
        let (asked, patience) = match self.asked.take() {
            Some(asked) => (asked, Duration::ZERO),
            None => {
                let (answer, asked) = sync_channel(1);
                let look = move || {
                    // Nobody waits any more when the watcher has ended.
                    let _ = answer.send(list());
                };
                let thread = thread::Builder::new().name("cameras".to_owned()).spawn(look);
                thread.map_err(|error| failed(error.to_string()))?;
                (asked, patience)
            }
        };
        match asked.recv_timeout(patience) {
            Ok(list) => list,
            Err(RecvTimeoutError::Disconnected) => Err(failed("its driver broke off".to_owned())),
            Err(RecvTimeoutError::Timeout) => {
                self.asked = Some(asked);
                Err(failed("its driver does not answer".to_owned()))
            }
        }
    }
}

/// A text that is another one whenever devices have come or gone; nothing where only the list tells.
/// Without it each look would open every sound card and every camera.
#[cfg(target_os = "linux")]
fn mark(kind: DeviceKind) -> Option<String> {
    if kind != DeviceKind::Camera {
        if crate::audio::device::lists_cheaply() {
            return None;
        }
        return Some(std::fs::read_to_string("/proc/asound/pcm").unwrap_or_default());
    }
    let nodes = std::fs::read_dir("/sys/class/video4linux");
    let mut names: Vec<String> = nodes
        .into_iter()
        .flatten()
        .filter_map(|node| {
            let node = node.ok()?;
            let name = std::fs::read_to_string(node.path().join("name")).unwrap_or_default();
            Some(format!("{} {name}", node.file_name().to_string_lossy()))
        })
        .collect();
    names.sort();
    Some(names.concat())
}

#[cfg(not(target_os = "linux"))]
fn mark(_: DeviceKind) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn microphone(id: &str) -> Device {
        Device { kind: DeviceKind::Microphone, id: id.to_owned(), name: id.to_owned(), is_default: true }
    }

    fn unreadable() -> Result<Vec<Device>, MediaError> {
        Err(MediaError::NoDevice(DeviceKind::Microphone))
    }

    #[test]
    fn lists_are_told_once_and_again_when_they_change() {
        let mut looks = Looks::default();
        let mut take = |list: &[Device]| looks.take([Ok(list.to_vec()), Ok(vec![]), Ok(vec![])]);
        assert_eq!(take(&[]), Some(vec![]));
        assert_eq!(take(&[]), None);
        assert_eq!(take(&[microphone("a")]), Some(vec![microphone("a")]));
        assert_eq!(take(&[microphone("a")]), None);
        let mut other = microphone("a");
        other.is_default = false;
        assert_eq!(take(&[other.clone()]), Some(vec![other]));
    }

    #[test]
    fn a_list_that_cannot_be_read_has_not_lost_its_devices() {
        let mut looks = Looks::default();
        looks.take([Ok(vec![microphone("a")]), Ok(vec![]), Ok(vec![])]);
        assert_eq!(looks.take([unreadable(), Ok(vec![]), unreadable()]), None);
        assert_eq!(looks.take([Ok(vec![microphone("a")]), Ok(vec![]), Ok(vec![])]), None);
    }

    #[test]
    fn a_driver_that_hangs_holds_nobody_up_and_its_answer_is_taken_when_it_comes() {
        let mut aside = Aside::default();
        let (let_go, held) = mpsc::channel::<()>();
        let hang = move || {
            let _ = held.recv();
            Ok(vec![microphone("a")])
        };
        assert!(aside.list(Duration::from_millis(20), hang).is_err());
        for _ in 0..3 {
            let begun = Instant::now();
            assert!(aside.list(Duration::from_secs(60), || panic!("asked twice")).is_err());
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
        drop(let_go);
        let deadline = Instant::now() + Duration::from_secs(10);
        while aside.asked.is_some() {
            assert!(Instant::now() < deadline, "the answer did not come");
            if let Ok(list) = aside.list(Duration::ZERO, || panic!("asked twice")) {
                assert_eq!(list, [microphone("a")]);
            }
        }
        assert_eq!(aside.list(Duration::from_secs(10), || Ok(vec![])), Ok(vec![]));
    }

    #[test]
    fn slow_systems_are_asked_less_often() {
        assert_eq!(pause(Duration::from_millis(10)), Duration::from_millis(390));
        assert_eq!(pause(Duration::from_secs(1)), Duration::from_secs(4));
    }

    #[test]
    fn the_thread_tells_what_comes_and_ends_with_its_owner() {
        let (told, heard) = mpsc::channel();
        let mut looked = 0;
        let list = move |kind| {
            looked += usize::from(kind == DeviceKind::Microphone);
            Ok(if kind == DeviceKind::Microphone && looked > 1 { vec![microphone("a")] } else { vec![] })
        };
        let worker = Worker::spawn("devices", move |stop| {
            watch(Looks::default(), list, move |devices| told.send(devices).unwrap(), stop);
            Ok(())
        });
        let wait = || heard.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!((wait(), wait()), (vec![], vec![microphone("a")]));
        drop(worker);
        assert!(heard.recv().is_err());
    }
}
