//! A named thread with an owner: it is told to stop and joined when the owner goes, and a panic
//! inside it becomes a failure that can be read.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{DeviceKind, MediaError};

/// Told by the owner, asked by the thread.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Whether the thread should end.
    pub(crate) fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until `deadline` or until told to stop; true when told to stop.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
        let mut stopped = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            stopped = self.0.1.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

/// What went wrong first on a thread or with a device; later failures follow from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<MediaError>>>);

impl Failure {
    /// Remembers `error` unless an earlier one is there.
    pub(crate) fn report(&self, error: MediaError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// What went wrong, if anything did.
    pub(crate) fn get(&self) -> Option<MediaError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long a thread that is stuck inside a driver is waited for before it is left behind.
const PATIENCE: Duration = Duration::from_secs(3);

/// The thread and its owner's end.
pub(crate) struct Worker {
    name: &'static str,
    stop: Stop,
    failure: Failure,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts `body` on a thread called `name`. What it returns as an error or panics with is kept
    /// as the failure.
    pub(crate) fn spawn(
        name: &'static str,
        body: impl FnOnce(&Stop) -> Result<(), MediaError> + Send + 'static,
    ) -> Result<Self, MediaError> {
        let (stop, failure) = (Stop::default(), Failure::default());
        let theirs = (stop.clone(), failure.clone());
        let run = move || {
            let (stop, failure) = theirs;
            match catch_unwind(AssertUnwindSafe(|| body(&stop))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(thread = name, %error, "a media thread ended");
                    failure.report(error);
                }
                Err(panic) => {
                    let what = panic_text(&*panic);
                    tracing::error!(thread = name, what, "a media thread panicked");
                    failure.report(MediaError::Worker { thread: name.to_owned(), what });
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(|error| {
            MediaError::Worker { thread: name.to_owned(), what: format!("it could not be started: {error}") }
        })?;
        Ok(Self { name, stop, failure, thread: Some(thread) })
    }

    /// What ended the thread early, if anything did.
    pub(crate) fn failure(&self) -> Option<MediaError> {
        self.failure.get()
    }

    /// What the thread is told by, to see when that happens.
    #[cfg(test)]
    pub(crate) fn told(&self) -> Stop {
        self.stop.clone()
    }

    /// Tells the thread to end and waits for it.
    pub(crate) fn stop(&mut self) {
        self.stop.set();
        let Some(thread) = self.thread.take() else { return };
        if thread.thread().id() == std::thread::current().id() {
            return;
        }
        let deadline = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        if thread.is_finished() {
            // Its panic was caught and reported inside.
            let _ = thread.join();
        } else {
            tracing::error!(thread = self.name, "a media thread is stuck in a driver and left behind");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}

/// How long a person waits for the system's answer about a device.
const ANSWER: Duration = Duration::from_secs(4);

/// Runs `body`, which asks the system about a device of a kind, on a thread of its own. A system that
/// does not answer holds nobody else up: the thread is left behind, and what it brings later is dropped
/// there.
pub(crate) fn answered<T: Send + 'static>(
    kind: DeviceKind,
    body: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    answered_within(ANSWER, kind, body)
}

fn answered_within<T: Send + 'static>(
    patience: Duration,
    kind: DeviceKind,
    body: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    let (answer, asked) = sync_channel(1);
    let ask = move || {
        // Nobody waits any more when it took too long.
        let _ = answer.send(body());
    };
    let thread = std::thread::Builder::new().name("device-ask".to_owned()).spawn(ask);
    thread.map_err(|error| MediaError::DeviceStart { kind, what: error.to_string() })?;
    asked.recv_timeout(patience).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => MediaError::NoAnswer(kind),
            RecvTimeoutError::Disconnected => {
                MediaError::DeviceStart { kind, what: "its driver broke off".to_owned() }
            }
        })
    })
}

/// Runs `body`, which calls a driver that is known to panic, and returns the panic's text instead.
pub(crate) fn guarded<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| panic_text(&*panic))
}

/// The text that a panic carries.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "an internal error without a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_owner_ends_and_joins_the_thread() {
        let (ended, at_end) = std::sync::mpsc::channel();
        let worker = Worker::spawn("test", move |stop| {
            stop.wait_until(Instant::now() + Duration::from_secs(60));
            ended.send(()).unwrap();
            Ok(())
        })
        .unwrap();
        drop(worker);
        at_end.try_recv().unwrap();
    }

    #[test]
    fn a_system_that_does_not_answer_is_left_behind_and_its_late_answer_dropped() {
        let kind = DeviceKind::Speaker;
        assert_eq!(answered(kind, || Ok(7)), Ok(7));
        let gone = MediaError::NoDevice(kind);
        let theirs = gone.clone();
        assert_eq!(answered::<()>(kind, || Err(theirs)), Err(gone));
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let device = std::sync::Arc::new(());
        let held = std::sync::Arc::downgrade(&device);
        let late = answered_within(Duration::from_millis(20), kind, move || {
            wait.recv().unwrap();
            Ok(device)
        });
        let error = late.unwrap_err();
        assert!(error.to_string().starts_with("the speaker does not answer; "), "{error}");
        assert!(held.upgrade().is_some());
        go.send(()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while held.upgrade().is_some() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(held.upgrade().is_none(), "what came late is kept");
    }

    #[test]
    fn a_panic_becomes_a_failure_with_its_text() {
        let worker = Worker::spawn("test", |_| panic!("the driver broke")).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while worker.failure().is_none() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let said = worker.failure().unwrap().to_string();
        assert_eq!(said, "the test thread stopped: the driver broke");
    }
}
