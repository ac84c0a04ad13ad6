//! Somebody in a room, and waiting for what they are told.

use confab_frame::{Cursor, Slot, VideoFrame};
use confab_media::picture::{Stamp, read_stamp};
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink, VideoConfig};
use confab_protocol::{Event, ExitCause, ExitReason, RawEnterParams, RoomState};
use confab_session::{Receive, Session, SessionConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long anything may take on a busy machine before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A session and what it has told so far.
#[derive(Debug)]
pub struct Guest {
    pub session: Session,
    events: mpsc::Receiver<Event>,
    /// Everything told, in order.
    pub told: Vec<Event>,
    /// How much of `told` was waited for already.
    read: usize,
}

impl Guest {
    /// Somebody with a small picture and no speaker.
    pub fn new() -> Guest {
        Guest::with(SessionConfig { speaker: SpeakerSink::Null, ..config() })
    }

    /// Somebody with a configuration of their own.
    pub fn with(config: SessionConfig) -> Guest {
        let (session, events) = Session::start(config);
        Guest { session, events, told: Vec::new(), read: 0 }
    }

    /// Waits for the next event for which `pick` gives something; those before it are passed over.
    pub async fn until<T>(&mut self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.told.get(self.read) {
                self.read += 1;
                if let Some(found) = pick(event) {
                    return found;
                }
            }
            self.hear(what, deadline).await;
        }
    }

    /// The next event that is told, which has to come before the deadline.
    async fn hear(&mut self, what: &str, deadline: tokio::time::Instant) {
        match tokio::time::timeout_at(deadline, self.events.recv()).await {
            Ok(Some(event)) => self.told.push(event),
            Ok(None) => panic!("{what} was never told; the session is gone: {:#?}", self.told),
            Err(_) => panic!("{what} was never told; these were: {:#?}", self.told),
        }
    }

    /// Waits until the room stands so, and says how. What comes meanwhile is not passed over: how the room
    /// stands and who did what come by different ways, in any order.
    pub async fn until_room(&mut self, what: &str, so: impl Fn(&RoomState) -> bool) -> RoomState {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let last = self.told.iter().rev().find_map(|event| match event {
                Event::OnRoomState(state) => Some(state),
                _ => None,
            });
            if let Some(state) = last.filter(|state| so(state)) {
                return state.clone();
            }
            self.hear(what, deadline).await;
        }
    }

    /// Waits for this event.
    pub async fn until_told(&mut self, event: Event) {
        self.until(&format!("{event:?}"), |told| (*told == event).then_some(())).await;
    }

    /// What came until nothing has come for `quiet`, figures left out.
    pub async fn settle(&mut self, quiet: Duration) -> Vec<Event> {
        let mut deadline = tokio::time::Instant::now() + quiet;
        while let Ok(Some(event)) = tokio::time::timeout_at(deadline, self.events.recv()).await {
            if !event.is_figure() {
                self.told.push(event);
                deadline = tokio::time::Instant::now() + quiet;
            }
        }
        let from = std::mem::replace(&mut self.read, self.told.len());
        self.told[from..].to_vec()
    }

    /// Enters and returns the outcome.
    pub async fn enter(&mut self, params: RawEnterParams) -> i64 {
        self.session.enter_room(params).await.unwrap();
        self.until("the outcome of the entry", |event| match event {
            Event::OnEnterRoom { result } => Some(*result),
            _ => None,
        })
        .await
    }

    /// Enters, with success.
    pub async fn join(&mut self, params: RawEnterParams) {
        let result = self.enter(params).await;
        assert!(result > 0, "entry failed: {result}, {:#?}", self.told);
    }

    /// Opens the test camera and the tone.
    pub async fn send_both(&self) {
        self.session.start_local_video(CameraSource::Test).await.unwrap();
        self.session.start_local_audio(MicrophoneSource::Tone).await.unwrap();
    }

    /// Waits for somebody's next first picture.
    pub async fn until_first_picture(&mut self, of: &str) {
        self.until(&format!("the first picture of {of}"), |event| match event {
            Event::OnFirstVideoFrame { user_id, .. } => (user_id == of).then_some(()),
            _ => None,
        })
        .await;
    }

    /// Waits for the exit.
    pub async fn until_out(&mut self) -> (ExitReason, ExitCause, String) {
        self.until("the exit", |event| match event {
            Event::OnExitRoom { reason, cause, message, .. } => Some((*reason, *cause, message.clone())),
            _ => None,
        })
        .await
    }

    /// Leaves and waits until everything is let go.
    pub async fn leave(&mut self) {
        self.session.exit_room().await.unwrap();
        assert_eq!(self.until_out().await.0, ExitReason::Left);
    }

    /// Whether somebody is in the list.
    pub async fn sees(&self, user: &str) -> bool {
        self.session.participants().await.iter().any(|one| one.user_id == user)
    }
}

impl Default for Guest {
    fn default() -> Self {
        Self::new()
    }
}

/// 640x360 at 15, which a busy machine keeps up with.
pub fn config() -> SessionConfig {
    SessionConfig {
        agent: "rooms".into(),
        receive: Receive::All,
        video: VideoConfig { width: 640, height: 360, fps: 15, bitrate: 500_000 },
        speaker: SpeakerSink::Null,
    }
}

/// The next `count` pictures of a slot that carry a stamp, with their stamps.
pub async fn stamped(slot: Arc<Slot<VideoFrame>>, count: usize) -> Vec<(Stamp, VideoFrame)> {
    let reader = tokio::task::spawn_blocking(move || {
        let mut cursor = Cursor::default();
        let mut found = Vec::new();
        while found.len() < count {
            let Some(frame) = slot.wait_newer(&mut cursor, PATIENCE) else { break };
            found.extend(read_stamp(&frame.buffer).map(|stamp| (stamp, frame)));
        }
        found
    });
    reader.await.unwrap()
}
