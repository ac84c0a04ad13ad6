//! A stage with the test in the presenter's place.

use std::sync::mpsc;

use confab_scene::{Rect, Tile};

use super::*;

/// Hands everything that is shown to the test, until it fails.
struct Seen {
    to: mpsc::SyncSender<(Show, Damage)>,
    failure: Arc<Mutex<Option<RenderError>>>,
    hidden: Arc<AtomicBool>,
}

impl Presenter for Seen {
    fn show(&mut self, show: &Show, damage: Damage) -> Result<Shown, RenderError> {
        if let Some(error) = self.failure.lock().unwrap().take() {
            return Err(error);
        }
        if self.hidden.load(Ordering::Acquire) {
            return Ok(Shown::Later);
        }
        self.to.send((show.clone(), damage)).ok();
        show.scene.check()?;
        Ok(Shown::Directly)
    }
}

/// A running stage with one source of frames.
struct Running {
    stage: Stage,
    scenes: Scenes,
    frames: Arc<Slot<VideoFrame>>,
    seen: mpsc::Receiver<(Show, Damage)>,
    /// What takes the place of the presenter, and why.
    instead: mpsc::Receiver<(Show, Damage)>,
    why: mpsc::Receiver<String>,
    /// Makes the presenter fail the next time.
    failure: Arc<Mutex<Option<RenderError>>>,
    /// Nobody can see the window.
    hidden: Arc<AtomicBool>,
}

impl Running {
    fn start() -> Self {
        let (sender, seen) = mpsc::sync_channel(64);
        let (other, instead) = mpsc::sync_channel(64);
        let (told, why) = mpsc::sync_channel(64);
        let (scenes, frames) = (Scenes::default(), Arc::<Slot<VideoFrame>>::default());
        let slot = frames.clone();
        let latest = Box::new(move |_: &TileId| slot.latest());
        let failure = Arc::<Mutex<Option<RenderError>>>::default();
        let hidden = Arc::<AtomicBool>::default();
        let fallback = Box::new(move |error: &RenderError| -> Box<dyn Presenter> {
            told.send(error.to_string()).unwrap();
            Box::new(Seen { to: other, failure: Arc::default(), hidden: Arc::default() })
        });
        let presenter = Box::new(Seen { to: sender, failure: failure.clone(), hidden: hidden.clone() });
        let stage = Stage::start(scenes.clone(), latest, presenter, fallback).unwrap();
        Self { stage, scenes, frames, seen, instead, why, failure, hidden }
    }

    fn next(&self) -> (Show, Damage) {
        self.seen.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn is_quiet(&self) -> bool {
        self.seen.recv_timeout(Duration::from_millis(300)).is_err()
    }

    /// The snapshot, once there is one or something else than before stands in its way.
    fn snapshot(&self) -> Result<Vec<u8>, StageError> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.stage.snapshot() == Err(StageError::NothingDrawn) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        self.stage.snapshot()
    }
}

fn scene(rect: Rect) -> Arc<Scene> {
    let tile = Tile { id: "alice".into(), rect, ..Tile::default() };
    Arc::new(Scene { size: (64, 48), tiles: vec![tile], ..Scene::default() })
}

fn white() -> VideoFrame {
    let mut picture = I420::black(16, 16).unwrap();
    picture.planes_mut().0.fill(235);
    VideoFrame { buffer: Arc::new(picture), at: Instant::now() }
}

fn is_frame(show: &Show, frame: &VideoFrame) -> bool {
    show.frame(&"alice".into()).is_some_and(|shown| Arc::ptr_eq(&shown.buffer, &frame.buffer))
}

#[test]
fn a_scene_is_shown_when_something_changed_and_only_then() {
    let running = Running::start();
    let (rect, frame) = (Rect::new(8.0, 8.0, 32.0, 32.0), white());
    running.scenes.put(scene(rect));
    let (first, damage) = running.next();
    assert!(first.frame(&"alice".into()).is_none());
    assert_eq!(damage, Damage::All);
    assert!(running.is_quiet(), "nothing changed, yet it was shown");

    running.frames.put(frame.clone());
    let (second, damage) = running.next();
    assert!(is_frame(&second, &frame));
    assert_eq!(damage, Damage::Within(rect));
    assert!(running.is_quiet(), "the same frame was shown twice");

    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    assert_eq!(running.next().1, Damage::All);
    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    assert!(running.is_quiet(), "the same scene was shown twice");
}

#[test]
fn a_steady_source_is_shown_no_more_than_33_times_a_second() {
    let running = Running::start();
    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    running.next();
    let started = Instant::now();
    for _ in 0..10 {
        running.frames.put(white());
        running.next();
    }
    assert!(started.elapsed() >= PACE * 9, "ten pictures took {:?}", started.elapsed());
}

#[test]
fn a_snapshot_is_what_was_last_shown() {
    let running = Running::start();
    assert_eq!(running.stage.snapshot(), Err(StageError::NothingDrawn));
    running.frames.put(white());
    running.scenes.put(scene(Rect::new(0.0, 0.0, 64.0, 48.0)));
    let (show, _) = running.next();
    let picture = Compositor::new().unwrap().draw(&show.scene, &|id| show.frame(id)).unwrap();
    assert_eq!(picture.pixel(32, 24), Some([255; 4]));
    assert_eq!(running.snapshot().unwrap(), picture.png().unwrap());
}

#[test]
fn a_scene_that_cannot_be_shown_is_told_and_the_presenter_stays() {
    let running = Running::start();
    running.scenes.put(scene(Rect::new(f32::NAN, 0.0, 1.0, 1.0)));
    running.next();
    let error = running.snapshot().unwrap_err().to_string();
    assert_eq!(error, "the tile of alice has a number that is not finite");
    running.scenes.put(scene(Rect::new(0.0, 0.0, 1.0, 1.0)));
    while running.next().0.scene.check().is_err() {}
    assert!(running.why.try_recv().is_err(), "the presenter was replaced");
}

#[test]
fn what_a_hidden_window_missed_is_shown_when_it_is_seen() {
    let running = Running::start();
    running.hidden.store(true, Ordering::Release);
    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    assert!(running.is_quiet());
    assert_eq!(running.stage.snapshot(), Err(StageError::NothingDrawn));
    running.hidden.store(false, Ordering::Release);
    assert_eq!(running.next().1, Damage::All);
}

#[test]
fn a_presenter_that_fails_is_replaced_and_nothing_on_the_stage_is_lost() {
    let running = Running::start();
    let frame = white();
    running.frames.put(frame.clone());
    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    running.next();

    *running.failure.lock().unwrap() = Some(RenderError::Lost("it was pulled out".to_owned()));
    let newer = white();
    running.frames.put(newer.clone());
    let patience = Duration::from_secs(20);
    let why = running.why.recv_timeout(patience).unwrap();
    assert_eq!(why, "the graphics driver stopped working: it was pulled out");
    let (show, damage) = running.instead.recv_timeout(patience).unwrap();
    assert!(is_frame(&show, &newer));
    assert_eq!(damage, Damage::All);
    assert!(running.is_quiet(), "both presenters are active");
    running.frames.put(frame.clone());
    assert!(is_frame(&running.instead.recv_timeout(patience).unwrap().0, &frame));
}

#[test]
fn ending_the_stage_ends_its_thread_and_lets_every_frame_go() {
    let running = Running::start();
    let frame = white();
    let watched = Arc::downgrade(&frame.buffer);
    running.frames.put(frame);
    running.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
    drop(running.next());
    drop(running.stage);
    running.frames.clear();
    assert!(watched.upgrade().is_none());
}
