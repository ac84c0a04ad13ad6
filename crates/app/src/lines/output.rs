//! The way out: answers and events for a reader that may be slow or gone.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Lines that may wait for a slow reader before figures are left out and answers wait.
const WAITING: usize = 4096;
/// Lines that may wait at all: a reader that far behind has stopped reading.
const MOST: usize = 16 * WAITING;

/// How long the last lines may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// How much it matters that an event arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Something happened: left out only for a reader that has stopped reading.
    Fact,
    /// A measurement that the next one replaces: left out when too many lines wait.
    Figure,
}

/// Lines going out, written by a thread of their own so that a slow reader holds nobody up.
#[derive(Debug)]
pub struct Output {
    waiting: Arc<Waiting>,
}

/// The lines between those who say them and the thread that writes them.
#[derive(Debug, Default)]
struct Waiting {
    state: Mutex<State>,
    /// A line came, or the end.
    came: Condvar,
    /// A line went, or the reader.
    went: Notify,
    /// The reader went.
    unread: CancellationToken,
    /// The thread has ended.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// No line comes any more.
    ended: bool,
    /// Nobody reads any more.
    unread: bool,
    /// Why nothing can be written any more, where it is not that the reader went.
    failure: Option<io::Error>,
    /// The thread writes no more.
    done: bool,
    dropped: u64,
}

impl Output {
    /// Writes to `writer`, flushing after every line.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let waiting = Arc::new(Waiting::default());
        let lines = Arc::clone(&waiting);
        std::thread::Builder::new().name("lines".into()).spawn(move || write(writer, &lines))?;
        Ok(Self { waiting })
    }

    /// Writes an answer, waiting for a slow reader.
    pub async fn answer(&self, answer: &impl Serialize) {
        let Ok(line) = serde_json::to_string(answer) else { return };
        loop {
            let mut went = pin!(self.waiting.went.notified());
            went.as_mut().enable();
            {
                let state = self.waiting.lock();
                if state.lines.len() < WAITING || state.unread {
                    return self.waiting.put(state, line);
                }
            }
            went.await;
        }
    }

    /// Returns once nothing can be written any more: nothing when the reader went, else why.
    pub async fn unread(&self) -> Option<io::Error> {
        self.waiting.unread.cancelled().await;
        self.waiting.lock().failure.take()
    }

    /// Writes an event without waiting.
    pub fn event(&self, event: &impl Serialize, weight: Weight) {
        let Ok(line) = serde_json::to_string(event) else { return };
        let mut state = self.waiting.lock();
        let most = match weight {
            Weight::Fact => MOST,
            Weight::Figure => WAITING,
        };
        if state.lines.len() < most {
            return self.waiting.put(state, line);
        }
        state.dropped += 1;
        let dropped = state.dropped;
        drop(state);
        match weight {
            Weight::Fact => error!(dropped, "the reader has stopped reading: an event was dropped"),
            Weight::Figure => warn!(dropped, "the reader is too slow: figures were dropped"),
        }
    }
}

impl Drop for Output {
    /// Waits until everything is written, but not long for somebody who does not read.
    fn drop(&mut self) {
        let mut state = self.waiting.lock();
        state.ended = true;
        self.waiting.came.notify_all();
        let writing = |state: &mut State| !state.done;
        let waited = self.waiting.done.wait_timeout_while(state, FAREWELL, writing);
        let (state, over) = waited.unwrap_or_else(PoisonError::into_inner);
        if over.timed_out() {
            warn!(lines = state.lines.len(), "nobody reads the last lines");
        }
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, mut state: MutexGuard<'_, State>, line: String) {
        if !state.unread {
            state.lines.push_back(line);
            self.came.notify_one();
        }
    }

    /// The next line; nothing when the last one was taken.
    fn take(&self) -> Option<String> {
        let empty = |state: &mut State| state.lines.is_empty() && !state.ended;
        let mut state = self.came.wait_while(self.lock(), empty).unwrap_or_else(PoisonError::into_inner);
        let line = state.lines.pop_front();
        drop(state);
        self.went.notify_waiters();
        line
    }

    /// Nobody reads any more: nothing is kept for them, nobody waits for them.
    fn give_up(&self, error: io::Error) {
        let mut state = self.lock();
        state.unread = true;
        state.failure = Some(error).filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        state.lines.clear();
        drop(state);
        self.unread.cancel();
        self.went.notify_waiters();
    }
}

fn write(mut writer: impl Write, waiting: &Waiting) {
    while let Some(line) = waiting.take() {
        if let Err(error) = writeln!(writer, "{line}").and_then(|()| writer.flush()) {
            waiting.give_up(error);
            break;
        }
    }
    waiting.lock().done = true;
    waiting.done.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A pipe that nobody reads any more.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn everything_is_written_before_it_ends() {
        let written = Shared::default();
        let output = Output::new(written.clone()).unwrap();
        for number in 0..100 {
            output.answer(&number).await;
        }
        output.event(&"last", Weight::Fact);
        drop(output);
        assert_eq!(written.text().lines().count(), 101);
        assert!(written.text().ends_with("\"last\"\n"));
    }

    #[test]
    fn figures_are_left_out_for_a_slow_reader_and_what_happened_is_not() {
        let written = Shared::default();
        // The reader stands still as long as this is held.
        let standing = written.0.lock().unwrap();
        let output = Output::new(written.clone()).unwrap();
        for _ in 0..2 * WAITING {
            output.event(&"figure", Weight::Figure);
        }
        output.event(&"removed", Weight::Fact);
        drop(standing);
        drop(output);
        let text = written.text();
        let figures = text.lines().filter(|line| *line == "\"figure\"").count();
        assert!((WAITING..=WAITING + 1).contains(&figures), "{figures}");
        assert!(text.ends_with("\"removed\"\n"));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_that_has_gone_and_that_is_told() {
        let output = Output::new(Broken).unwrap();
        for number in 0..2 * WAITING {
            output.answer(&number).await;
        }
        output.unread().await;
    }

    #[test]
    fn the_end_does_not_wait_long_for_somebody_who_does_not_read() {
        let written = Shared::default();
        let _standing = written.0.lock().unwrap();
        let output = Output::new(written.clone()).unwrap();
        output.event(&"unread", Weight::Fact);
        let began = std::time::Instant::now();
        drop(output);
        assert!((FAREWELL..2 * FAREWELL).contains(&began.elapsed()));
    }
}
