use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use serde::Serialize;
use tracing::warn;

/// Lines that may wait for a slow reader.
const WAITING: usize = 4096;

/// Lines going out, written by a thread of their own so that a slow reader holds nobody up. When
/// too many wait, events are dropped and counted; answers wait.
#[derive(Debug)]
pub struct Output {
    lines: Option<SyncSender<String>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    dropped: AtomicU64,
}

impl Output {
    /// Writes to `writer`, flushing after every line.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let thread =
            std::thread::Builder::new().name("lines".into()).spawn(move || write(writer, &waiting))?;
        Ok(Self { lines: Some(lines), thread: Mutex::new(Some(thread)), dropped: AtomicU64::new(0) })
    }

    /// Writes an answer, waiting for a slow reader.
    pub fn answer(&self, answer: &impl Serialize) {
        if let (Some(lines), Ok(line)) = (&self.lines, serde_json::to_string(answer)) {
            // An error means that nobody reads any more.
            let _ = lines.send(line);
        }
    }

    /// Writes an event unless too many lines wait.
    pub fn event(&self, event: &impl Serialize) {
        let (Some(lines), Ok(line)) = (&self.lines, serde_json::to_string(event)) else { return };
        if let Err(TrySendError::Full(_)) = lines.try_send(line) {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            warn!(dropped, "the reader is too slow: an event was dropped");
        }
    }
}

impl Drop for Output {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.lines = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            warn!("the thread that writes lines had panicked");
        }
    }
}

fn write(mut writer: impl Write, waiting: &Receiver<String>) {
    for line in waiting {
        if writeln!(writer, "{line}").and_then(|()| writer.flush()).is_err() {
            // Nobody reads any more; the end of the input ends the app.
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_before_it_ends() {
        let written = Shared::default();
        let output = Output::new(written.clone()).unwrap();
        for number in 0..100 {
            output.answer(&number);
        }
        output.event(&"last");
        drop(output);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 101);
        assert!(text.ends_with("\"last\"\n"));
    }
}
