use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use confab_frame::{Cursor, I420, Slot, VideoFrame};
use confab_render::{Compositor, Picture, RenderError};
use confab_scene::{Scene, TileId};

use super::{Damage, Presenter};

/// At most 30 pictures a second; a little less than a thirtieth, so that a source of 30 is not
/// thinned out when one of its frames is early.
const PACE: Duration = Duration::from_millis(30);
/// How often a visible tile is looked at for a newer frame: what a frame may wait for nothing.
const LOOK: Duration = Duration::from_millis(4);
/// How often a stage without tiles looks whether it ended.
const IDLE: Duration = Duration::from_millis(100);
/// Pause after the graphics driver failed.
const RECOVERY: Duration = Duration::from_secs(2);

/// What is drawn; a new value whenever the page lays out anew.
pub(crate) type Scenes = Arc<Slot<Arc<Scene>>>;
/// The latest frame of a tile; called often, so it has to be quick.
pub(crate) type Frames = Box<dyn Fn(&TileId) -> Option<VideoFrame> + Send>;

/// Why there is no picture of the stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StageError {
    /// The page has not said yet where its tiles are.
    #[error("nothing was drawn yet")]
    NothingDrawn,
    /// The driver could not draw; the text says what helps.
    #[error("{0}")]
    Render(String),
}

/// The thread that draws the stage. Dropping it ends and joins the thread.
#[derive(Debug)]
pub(crate) struct Stage {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    drawn: Mutex<Option<Result<Arc<Picture>, StageError>>>,
}

impl Stage {
    /// Starts the thread. It draws when a scene with tiles is there.
    pub(crate) fn start(
        scenes: Scenes,
        frames: Frames,
        presenter: Box<dyn Presenter>,
    ) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let painter = Painter { shared: shared.clone(), frames, presenter, compositor: None, shown: None };
        let thread =
            std::thread::Builder::new().name("stage".to_owned()).spawn(move || painter.run(&scenes))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What was last drawn, as PNG.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, StageError> {
        let drawn = self.shared.drawn().clone();
        let picture = drawn.unwrap_or(Err(StageError::NothingDrawn))?;
        picture.png().map_err(|error| StageError::Render(error.to_string()))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the stage's thread ended by a panic");
        }
    }
}

impl Shared {
    fn drawn(&self) -> MutexGuard<'_, Option<Result<Arc<Picture>, StageError>>> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread owns.
struct Painter {
    shared: Arc<Shared>,
    frames: Frames,
    presenter: Box<dyn Presenter>,
    compositor: Option<Compositor>,
    shown: Option<Shown>,
}

/// What the last picture showed. The frames are kept, so that no other can have the same address.
struct Shown {
    scene: Arc<Scene>,
    frames: Vec<Option<Arc<I420>>>,
    picture: Arc<Picture>,
}

impl Painter {
    fn run(mut self, scenes: &Scenes) {
        let mut cursor = Cursor::default();
        let mut scene: Option<Arc<Scene>> = None;
        while !self.shared.ended.load(Ordering::Acquire) {
            // Without tiles nothing changes by itself.
            let still = scene.as_ref().is_none_or(|scene| scene.tiles.is_empty());
            let patience = if still { IDLE } else { LOOK };
            match scenes.wait_newer(&mut cursor, patience) {
                Some(newer) => scene = Some(newer),
                // The app has ended; what is shown stays until the window is gone.
                None if scenes.is_closed() => {
                    std::thread::sleep(IDLE);
                    continue;
                }
                None => {}
            }
            let Some(scene) = &scene else { continue };
            let started = Instant::now();
            match self.step(scene) {
                Ok(true) => std::thread::sleep(PACE.saturating_sub(started.elapsed())),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the stage could not be drawn");
                    self.compositor = None;
                    self.shown = None;
                    *self.shared.drawn() = Some(Err(StageError::Render(error.to_string())));
                    self.rest();
                }
            }
        }
    }

    /// Waits before the driver is tried again, unless the stage ends.
    fn rest(&self) {
        let until = Instant::now() + RECOVERY;
        while Instant::now() < until && !self.shared.ended.load(Ordering::Acquire) {
            std::thread::sleep(IDLE);
        }
    }

    /// Draws if anything changed; says whether it did.
    fn step(&mut self, scene: &Arc<Scene>) -> Result<bool, RenderError> {
        let frames: Vec<Option<VideoFrame>> =
            scene.tiles.iter().map(|tile| (self.frames)(&tile.id)).collect();
        let Some(damage) = self.damage(scene, &frames) else { return Ok(false) };
        let compositor = match &mut self.compositor {
            Some(compositor) => compositor,
            empty => empty.insert(Compositor::new()?),
        };
        let frame_of = |id: &TileId| {
            let index = scene.tiles.iter().position(|tile| tile.id == *id)?;
            frames[index].clone()
        };
        let picture = Arc::new(compositor.draw(scene, &frame_of)?);
        *self.shared.drawn() = Some(Ok(picture.clone()));
        self.presenter.show(picture.clone(), damage);
        let frames = frames.into_iter().map(|frame| frame.map(|frame| frame.buffer)).collect();
        let before = self.shown.replace(Shown { scene: scene.clone(), frames, picture });
        if let Some(memory) = before.and_then(|before| Arc::into_inner(before.picture)) {
            compositor.recycle(memory);
        }
        Ok(true)
    }

    /// What differs from the last picture, if anything.
    fn damage(&self, scene: &Arc<Scene>, frames: &[Option<VideoFrame>]) -> Option<Damage> {
        let Some(shown) = &self.shown else { return Some(Damage::All) };
        if shown.scene != *scene {
            return Some(Damage::All);
        }
        let both = shown.frames.iter().zip(frames).zip(&scene.tiles);
        let changed = both.filter(|((before, now), _)| !same(before.as_ref(), now.as_ref()));
        changed.map(|(_, tile)| Damage::Within(tile.rect)).reduce(Damage::and)
    }
}

fn same(before: Option<&Arc<I420>>, now: Option<&VideoFrame>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, &now.buffer),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use confab_scene::{Rect, Tile};

    use super::*;

    /// Hands every shown picture to the test.
    struct Seen(mpsc::SyncSender<(Arc<Picture>, Damage)>);

    impl Presenter for Seen {
        fn show(&self, picture: Arc<Picture>, damage: Damage) {
            self.0.send((picture, damage)).ok();
        }
    }

    /// A running stage with one source of frames.
    struct Show {
        stage: Stage,
        scenes: Scenes,
        frames: Arc<Slot<VideoFrame>>,
        seen: mpsc::Receiver<(Arc<Picture>, Damage)>,
    }

    impl Show {
        fn start() -> Self {
            let (sender, seen) = mpsc::sync_channel(64);
            let (scenes, frames) = (Scenes::default(), Arc::<Slot<VideoFrame>>::default());
            let slot = frames.clone();
            let latest = Box::new(move |_: &TileId| slot.latest());
            let stage = Stage::start(scenes.clone(), latest, Box::new(Seen(sender))).unwrap();
            Self { stage, scenes, frames, seen }
        }

        fn next(&self) -> (Arc<Picture>, Damage) {
            self.seen.recv_timeout(Duration::from_secs(20)).unwrap()
        }

        fn is_quiet(&self) -> bool {
            self.seen.recv_timeout(Duration::from_millis(300)).is_err()
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

    #[test]
    fn a_picture_is_drawn_when_something_changed_and_only_then() {
        let show = Show::start();
        let rect = Rect::new(8.0, 8.0, 32.0, 32.0);
        show.scenes.put(scene(rect));
        let (first, damage) = show.next();
        assert_eq!((first.pixel(20, 20), damage), (Some(Scene::default().card), Damage::All));
        assert!(show.is_quiet(), "nothing changed, yet a picture was drawn");

        show.frames.put(white());
        let (second, damage) = show.next();
        assert_eq!((second.pixel(20, 20), damage), (Some([255; 4]), Damage::Within(rect)));
        assert!(show.is_quiet(), "the same frame was drawn twice");

        show.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
        let (third, damage) = show.next();
        assert_eq!((third.pixel(20, 20), damage), (Some(Scene::default().background), Damage::All));
        show.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
        assert!(show.is_quiet(), "the same scene was drawn twice");
    }

    #[test]
    fn a_steady_source_is_drawn_at_no_more_than_33_pictures_a_second() {
        let show = Show::start();
        show.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
        show.next();
        let started = Instant::now();
        for _ in 0..10 {
            show.frames.put(white());
            show.next();
        }
        assert!(started.elapsed() >= PACE * 9, "ten pictures took {:?}", started.elapsed());
    }

    #[test]
    fn a_snapshot_is_what_was_last_drawn() {
        let show = Show::start();
        assert_eq!(show.stage.snapshot(), Err(StageError::NothingDrawn));
        show.frames.put(white());
        show.scenes.put(scene(Rect::new(0.0, 0.0, 64.0, 48.0)));
        let (picture, _) = show.next();
        assert_eq!(show.stage.snapshot().unwrap(), picture.png().unwrap());
    }

    #[test]
    fn a_scene_that_cannot_be_drawn_is_told_and_the_next_is_drawn() {
        let show = Show::start();
        show.scenes.put(scene(Rect::new(f32::NAN, 0.0, 1.0, 1.0)));
        let deadline = Instant::now() + Duration::from_secs(20);
        while show.stage.snapshot() == Err(StageError::NothingDrawn) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let error = show.stage.snapshot().unwrap_err().to_string();
        assert_eq!(error, "the tile of alice has a number that is not finite");
        show.scenes.put(scene(Rect::new(0.0, 0.0, 1.0, 1.0)));
        show.next();
        assert!(show.stage.snapshot().is_ok());
    }

    #[test]
    fn ending_the_stage_ends_its_thread_and_lets_every_frame_go() {
        let show = Show::start();
        let frame = white();
        let watched = Arc::downgrade(&frame.buffer);
        show.frames.put(frame);
        show.scenes.put(scene(Rect::new(0.0, 0.0, 8.0, 8.0)));
        show.next();
        drop(show.stage);
        show.frames.clear();
        assert!(watched.upgrade().is_none());
    }
}
