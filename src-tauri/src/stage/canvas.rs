//! Everywhere: the page itself draws. It pulls the frames of its tiles, as they come from the
//! decoder, through a scheme of our own: the next pull comes when the last one is drawn, so that a
//! slow page gets fewer frames and nothing piles up.

use std::sync::Arc;
use std::time::Duration;

use confab_frame::I420;
use confab_render::RenderError;
use confab_scene::TileId;
use tauri::UriSchemeResponder;
use tauri::http::{Response, StatusCode, header};
use tokio::sync::watch;

use super::presenter::{Damage, Presenter, Show, Shown};

/// The scheme: `stage://localhost/AFTER`, `http://stage.localhost/AFTER` on Windows. AFTER is the
/// number in the last answer, 0 at first.
pub(crate) const SCHEME: &str = "stage";
/// Who may read the answers.
const PAGE: &str = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
/// How long a pull waits for something new.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where pulls find the frames. Cheap to clone. While the page is not the presenter it is empty.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    board: Arc<watch::Sender<Arc<Board>>>,
    /// Counts pulls: a newer one ends the one before, so that only one waits.
    pulls: Arc<watch::Sender<u64>>,
}

/// The frames of all tiles.
#[derive(Debug, Default)]
struct Board {
    /// Grows with every change; starts again behind the last number.
    number: u32,
    tiles: Vec<Drawn>,
}

/// The frame of a tile, and the number with which it came.
#[derive(Clone, Debug)]
struct Drawn {
    id: TileId,
    number: u32,
    frame: Option<Arc<I420>>,
}

impl Board {
    /// The board after this one.
    fn then(&self, show: &Show) -> Self {
        let number = self.number.wrapping_add(1).max(1);
        let tiles = show.scene.tiles.iter().zip(&show.frames).map(|(tile, frame)| {
            let frame = frame.as_ref().map(|frame| frame.buffer.clone());
            let before = self.tiles.iter().find(|before| before.id == tile.id);
            match before.filter(|before| same(before.frame.as_ref(), frame.as_ref())) {
                Some(before) => before.clone(),
                None => Drawn { id: tile.id.clone(), number, frame },
            }
        });
        Self { number, tiles: tiles.collect() }
    }

    /// What came after a number, for the page: numbers of four bytes, the lowest first. Our own and
    /// how many tiles follow; then for each the length of its id, width and height (0 and 0 without a
    /// picture), the id in UTF-8, and the picture's planes Y, U and V.
    fn write(&self, after: u32) -> Vec<u8> {
        // A number of a later board is one from before the numbers started again.
        let after = if after > self.number { 0 } else { after };
        let newer: Vec<&Drawn> = self.tiles.iter().filter(|tile| tile.number > after).collect();
        let room =
            |tile: &&Drawn| 12 + tile.id.0.len() + tile.frame.as_ref().map_or(0, |frame| frame.bytes().len());
        let mut bytes = Vec::with_capacity(8 + newer.iter().map(room).sum::<usize>());
        let mut put = |number: u32| bytes.extend(number.to_le_bytes());
        put(self.number);
        put(u32::try_from(newer.len()).unwrap_or(u32::MAX));
        for tile in newer {
            let (width, height) = tile.frame.as_ref().map_or((0, 0), |frame| (frame.width(), frame.height()));
            for number in [u32::try_from(tile.id.0.len()).unwrap_or(u32::MAX), width, height] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend_from_slice(tile.id.0.as_bytes());
            if let Some(frame) = &tile.frame {
                bytes.extend_from_slice(frame.bytes());
            }
        }
        bytes
    }
}

fn same(one: Option<&Arc<I420>>, other: Option<&Arc<I420>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self { board: Arc::new(watch::Sender::default()), pulls: Arc::new(watch::Sender::default()) }
    }
}

impl Feed {
    /// Answers a request of the page.
    pub(crate) fn answer(&self, path: &str, responder: UriSchemeResponder) {
        let Ok(after) = path.trim_start_matches('/').parse::<u32>() else {
            return responder.respond(response(StatusCode::BAD_REQUEST, Vec::new()));
        };
        let feed = self.clone();
        tauri::async_runtime::spawn(async move {
            responder.respond(match feed.pull(after, PATIENCE).await {
                Some(bytes) => response(StatusCode::OK, bytes),
                None => response(StatusCode::NO_CONTENT, Vec::new()),
            });
        });
    }

    /// What came after that number, as soon as there is something; nothing when that takes too long
    /// or somebody else pulls.
    async fn pull(&self, after: u32, patience: Duration) -> Option<Vec<u8>> {
        self.pulls.send_modify(|pulls| *pulls = pulls.wrapping_add(1));
        let (mut pulls, mut board) = (self.pulls.subscribe(), self.board.subscribe());
        let newer = tokio::select! {
            newer = board.wait_for(|board| board.number != after) => newer.ok()?.clone(),
            _ = pulls.changed() => return None,
            () = tokio::time::sleep(patience) => return None,
        };
        Some(newer.write(after))
    }
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, PAGE),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// Lets the page draw.
#[derive(Debug)]
pub(crate) struct Canvas(Feed);

impl Canvas {
    /// From now on pulls of this feed find frames.
    pub(crate) fn new(feed: Feed) -> Self {
        Self(feed)
    }
}

impl Presenter for Canvas {
    fn show(&mut self, show: &Show, _: Damage) -> Result<Shown, RenderError> {
        self.0.board.send_modify(|board| *board = Arc::new(board.then(show)));
        Ok(Shown::Directly)
    }
}

impl Drop for Canvas {
    /// Frames are let go.
    fn drop(&mut self) {
        self.0.board.send_replace(Arc::default());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use confab_frame::VideoFrame;
    use confab_scene::{Scene, Tile};

    use super::*;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(60);

    fn frame(luma: u8) -> VideoFrame {
        let mut picture = I420::black(2, 2).unwrap();
        picture.planes_mut().0.fill(luma);
        VideoFrame { buffer: Arc::new(picture), at: Instant::now() }
    }

    fn show(tiles: &[(&str, Option<&VideoFrame>)]) -> Show {
        let tile = |(id, _): &(&str, _)| Tile { id: (*id).into(), ..Tile::default() };
        let scene = Scene { tiles: tiles.iter().map(tile).collect(), ..Scene::default() };
        Show { scene: Arc::new(scene), frames: tiles.iter().map(|(_, frame)| frame.cloned()).collect() }
    }

    /// The bytes of an answer with that number and these tiles of 2x2, or without a picture.
    fn bytes(number: u8, tiles: &[(&str, Option<u8>)]) -> Vec<u8> {
        let word = |number: u8| [number, 0, 0, 0];
        let mut bytes = [word(number), word(tiles.len() as u8)].concat();
        for (id, luma) in tiles {
            let side = if luma.is_some() { 2 } else { 0 };
            bytes.extend([word(id.len() as u8), word(side), word(side)].concat());
            bytes.extend(id.bytes());
            bytes.extend(luma.iter().flat_map(|&luma| [luma, luma, luma, luma, 128, 128]));
        }
        bytes
    }

    #[tokio::test]
    async fn a_pull_brings_what_is_newer_and_nothing_else() {
        let (feed, ann, bob) = (Feed::default(), frame(20), frame(30));
        let mut canvas = Canvas::new(feed.clone());
        canvas.show(&show(&[("", Some(&ann)), ("bob", None)]), Damage::All).unwrap();
        assert_eq!(feed.pull(0, LONG).await.unwrap(), bytes(1, &[("", Some(20)), ("bob", None)]));
        canvas.show(&show(&[("", Some(&ann)), ("bob", Some(&bob))]), Damage::All).unwrap();
        assert_eq!(feed.pull(1, LONG).await.unwrap(), bytes(2, &[("bob", Some(30))]));
        canvas.show(&show(&[("", None), ("bob", Some(&bob))]), Damage::All).unwrap();
        assert_eq!(feed.pull(2, LONG).await.unwrap(), bytes(3, &[("", None)]));
        // Who starts anew gets everything.
        assert_eq!(feed.pull(0, LONG).await.unwrap(), bytes(3, &[("", None), ("bob", Some(30))]));
    }

    #[tokio::test]
    async fn a_pull_waits_for_the_next_frame() {
        let feed = Feed::default();
        let mut canvas = Canvas::new(feed.clone());
        let pull = tokio::spawn({
            let feed = feed.clone();
            async move { feed.pull(0, LONG).await }
        });
        tokio::task::yield_now().await;
        assert!(!pull.is_finished());
        canvas.show(&show(&[("", Some(&frame(9)))]), Damage::All).unwrap();
        assert_eq!(pull.await.unwrap().unwrap(), bytes(1, &[("", Some(9))]));
        assert_eq!(feed.pull(1, Duration::from_millis(1)).await, None);
    }

    #[tokio::test]
    async fn a_newer_pull_ends_the_one_before() {
        let feed = Feed::default();
        let (one, other) = tokio::join!(feed.pull(0, LONG), feed.pull(0, Duration::from_millis(1)));
        assert_eq!((one, other), (None, None));
    }

    #[tokio::test]
    async fn without_the_canvas_no_frame_is_held() {
        let (feed, ann) = (Feed::default(), frame(20));
        let mut canvas = Canvas::new(feed.clone());
        canvas.show(&show(&[("", Some(&ann))]), Damage::All).unwrap();
        assert_eq!(Arc::strong_count(&ann.buffer), 2);
        drop(canvas);
        assert_eq!(Arc::strong_count(&ann.buffer), 1);
        // A page that saw more than there is now gets it all.
        let mut canvas = Canvas::new(feed.clone());
        canvas.show(&show(&[("", Some(&ann))]), Damage::All).unwrap();
        assert_eq!(feed.pull(7, LONG).await.unwrap(), bytes(1, &[("", Some(20))]));
    }
}
