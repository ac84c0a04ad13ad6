//! The thread that decides when something is shown; how is the presenter's affair.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use confab_frame::{Cursor, I420, Slot, VideoFrame};
use confab_render::{Compositor, Picture, RenderError};
use confab_scene::{Scene, TileId};

use super::presenter::{Damage, Presenter, Show, Shown};

/// At most 30 pictures a second; a little less than a thirtieth, so that a source of 30 is not
/// thinned out when one of its frames is early.
const PACE: Duration = Duration::from_millis(30);
/// How often a visible tile is looked at for a newer frame: what a frame may wait for nothing.
const LOOK: Duration = Duration::from_millis(4);
/// How often a stage without tiles looks whether it ended, and a hidden window whether it is seen.
const IDLE: Duration = Duration::from_millis(100);
/// Pause after a scene that cannot be shown, so that the log is not filled.
const REST: Duration = Duration::from_secs(2);

/// What is shown; a new value whenever the page lays out anew.
pub(crate) type Scenes = Arc<Slot<Arc<Scene>>>;
/// The latest frame of a tile; called often, so it has to be quick.
pub(crate) type Frames = Box<dyn Fn(&TileId) -> Option<VideoFrame> + Send>;
/// Takes the place of a presenter that failed; told why it failed.
pub(crate) type Fallback = Box<dyn FnOnce(&RenderError) -> Box<dyn Presenter> + Send>;

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

/// The thread that sees what changed and has it shown. Dropping it ends and joins the thread.
#[derive(Debug)]
pub(crate) struct Stage {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    last: Mutex<Option<Result<Last, StageError>>>,
}

/// What was last shown.
#[derive(Clone, Debug)]
enum Last {
    Picture(Arc<Picture>),
    Show(Show),
}

impl Stage {
    /// Starts the thread. It begins when there is a scene; with `fallback` where the presenter fails.
    pub(crate) fn start(
        scenes: Scenes,
        frames: Frames,
        presenter: Box<dyn Presenter>,
        fallback: Fallback,
    ) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let director =
            Director { shared: shared.clone(), frames, presenter, fallback: Some(fallback), shown: None };
        let thread =
            std::thread::Builder::new().name("stage".to_owned()).spawn(move || director.run(&scenes))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What is shown, as PNG: as it was drawn, or, where nothing in memory looks like it, drawn now.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, StageError> {
        let failed = |error: RenderError| StageError::Render(error.to_string());
        let last = self.shared.last().clone();
        match last.unwrap_or(Err(StageError::NothingDrawn))? {
            Last::Picture(picture) => picture.png().map_err(failed),
            Last::Show(show) => {
                let mut compositor = Compositor::new().map_err(failed)?;
                let picture = compositor.draw(&show.scene, &|id| show.frame(id)).map_err(failed)?;
                picture.png().map_err(failed)
            }
        }
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
    fn last(&self) -> MutexGuard<'_, Option<Result<Last, StageError>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread owns.
struct Director {
    shared: Arc<Shared>,
    frames: Frames,
    presenter: Box<dyn Presenter>,
    fallback: Option<Fallback>,
    /// The frames in it are kept, so that no other can have the same address.
    shown: Option<Show>,
}

impl Director {
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
                Ok(pause) => std::thread::sleep(pause.saturating_sub(started.elapsed())),
                Err(error) => self.on_error(&error),
            }
        }
    }

    /// Shows the scene if anything changed; says how long after its start the next step may begin.
    fn step(&mut self, scene: &Arc<Scene>) -> Result<Duration, RenderError> {
        let frames = scene.tiles.iter().map(|tile| (self.frames)(&tile.id)).collect();
        let show = Show { scene: scene.clone(), frames };
        let Some(damage) = self.damage(&show) else { return Ok(Duration::ZERO) };
        let last = match self.presenter.show(&show, damage)? {
            Shown::Picture(picture) => Last::Picture(picture),
            Shown::Directly => Last::Show(show.clone()),
            Shown::Later => return Ok(IDLE),
        };
        *self.shared.last() = Some(Ok(last));
        self.shown = Some(show);
        Ok(PACE)
    }

    /// What differs from what is shown, if anything.
    fn damage(&self, now: &Show) -> Option<Damage> {
        let Some(shown) = &self.shown else { return Some(Damage::All) };
        if shown.scene != now.scene {
            return Some(Damage::All);
        }
        let both = shown.frames.iter().zip(&now.frames).zip(&now.scene.tiles);
        let changed = both.filter(|((before, now), _)| !same(before.as_ref(), now.as_ref()));
        changed.map(|(_, tile)| Damage::Within(tile.rect)).reduce(Damage::and)
    }

    fn on_error(&mut self, error: &RenderError) {
        *self.shared.last() = Some(Err(StageError::Render(error.to_string())));
        self.shown = None;
        let scene = matches!(error, RenderError::Scene(_) | RenderError::TooLarge { .. });
        match self.fallback.take_if(|_| !scene) {
            Some(fallback) => {
                tracing::error!(%error, "pictures are shown in another way from now on");
                self.presenter = fallback(error);
            }
            None => {
                tracing::error!(%error, "the stage could not be shown");
                self.rest();
            }
        }
    }

    /// Waits before the next try, unless the stage ends.
    fn rest(&self) {
        let until = Instant::now() + REST;
        while Instant::now() < until && !self.shared.ended.load(Ordering::Acquire) {
            std::thread::sleep(IDLE);
        }
    }
}

fn same(before: Option<&VideoFrame>, now: Option<&VideoFrame>) -> bool {
    let buffer = |frame: &VideoFrame| -> *const I420 { Arc::as_ptr(&frame.buffer) };
    before.map(buffer) == now.map(buffer)
}

#[cfg(test)]
mod tests;
