//! Routers made of software.

mod gateway;
mod upnp;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

pub(super) use gateway::{Gateway, Says, Voice};
pub(super) use upnp::{Script, Upnp};

const PATIENCE: Duration = Duration::from_secs(20);
/// How often a router looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// How a router was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Pcp,
    NatPmp,
    Upnp,
}

/// A port that was asked for, or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) by: By,
    pub(super) tcp: bool,
    /// The port that the protocol names when it is given back.
    pub(super) key: u16,
    /// PCP's number for who asks.
    pub(super) nonce: [u8; 12],
    pub(super) close: bool,
    pub(super) granted: bool,
}

/// Whether every port that was opened was closed again.
pub(super) fn all_closed(asked: &[Asked]) -> bool {
    let opened = asked.iter().filter(|asked| asked.granted && !asked.close);
    let same = |a: &Asked, b: &Asked| (a.by, a.tcp, a.key, a.nonce) == (b.by, b.tcp, b.key, b.nonce);
    opened.clone().count() > 0 && opened.clone().all(|open| asked.iter().any(|a| a.close && same(a, open)))
}

/// What routers have in common: what was asked, and their threads.
#[derive(Default)]
struct Inside {
    asked: Arc<(Mutex<Vec<Asked>>, Condvar)>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Inside {
    fn spawn(&mut self, run: impl FnOnce(&dyn Fn(Asked), &AtomicBool) + Send + 'static) {
        let (asked, over) = (Arc::clone(&self.asked), Arc::clone(&self.over));
        let note = move |what| {
            asked.0.lock().unwrap().push(what);
            asked.1.notify_all();
        };
        self.threads.push(std::thread::spawn(move || run(&note, &over)));
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.0.lock().unwrap().clone()
    }

    fn until(&self, done: impl Fn(&[Asked]) -> bool) {
        let (asked, noted) = &*self.asked;
        let waited = noted.wait_timeout_while(asked.lock().unwrap(), PATIENCE, |asked| !done(asked)).unwrap();
        assert!(!waited.1.timed_out(), "{:?}", waited.0);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}
