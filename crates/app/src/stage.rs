//! What there is to draw, for whoever draws it.

use std::sync::{Arc, Mutex, PoisonError};

use confab_frame::{Slot, VideoFrame};
use confab_scene::{Fit, Rect, Scene, Tile, TileId, layout};
use confab_session::Session;

use crate::AppState;

/// Pixels between the tiles where no page lays them out.
const GAP: f32 = 8.0;

/// What is to be drawn: the scene, and the latest picture of everybody in it. Cheap to clone; may
/// be asked from any thread.
#[derive(Clone)]
pub struct Stage {
    session: Session,
    laid: Arc<Mutex<Laid>>,
    scenes: Arc<Slot<Arc<Scene>>>,
}

/// The scene, and whether a page laid it out.
#[derive(Default)]
struct Laid {
    scene: Scene,
    by_page: bool,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("scene", &self.scene()).finish_non_exhaustive()
    }
}

impl Stage {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, laid: Arc::default(), scenes: Arc::default() }
    }

    /// Which tile is where.
    pub fn scene(&self) -> Scene {
        self.laid(|laid| laid.scene.clone())
    }

    /// The latest picture of somebody, if there is one.
    pub fn frame(&self, id: &TileId) -> Option<VideoFrame> {
        if id.is_local() {
            return self.session.local_video().latest();
        }
        self.session.remote_video(&id.0)?.latest()
    }

    /// Every new scene, for whoever draws; closed when the app ends.
    pub fn scenes(&self) -> Arc<Slot<Arc<Scene>>> {
        Arc::clone(&self.scenes)
    }

    /// What a page reported; from now on only the page lays out.
    pub(crate) fn set(&self, scene: Scene) {
        self.scenes.put(Arc::new(scene.clone()));
        self.laid(|laid| *laid = Laid { scene, by_page: true });
    }

    /// Lays everybody with a picture out in a gallery, unless a page does that.
    pub(crate) fn follow(&self, state: &AppState) {
        let changed = self.laid(|laid| {
            let tiles = gallery(state, laid.scene.size);
            let changed = !laid.by_page && tiles != laid.scene.tiles;
            if changed {
                laid.scene.tiles = tiles;
            }
            changed.then(|| laid.scene.clone())
        });
        if let Some(scene) = changed {
            self.scenes.put(Arc::new(scene));
        }
    }

    /// Nothing is drawn any more.
    pub(crate) fn close(&self) {
        self.scenes.close();
    }

    fn laid<T>(&self, work: impl FnOnce(&mut Laid) -> T) -> T {
        work(&mut self.laid.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn gallery(state: &AppState, size: (u32, u32)) -> Vec<Tile> {
    let me = state.camera.on.then(|| Tile { id: TileId::local(), mirror: true, ..Tile::default() });
    let others = state.participants.iter().filter(|one| one.video_available).map(|one| Tile {
        id: TileId(one.user_id.as_str().to_owned()),
        speaking: one.speaking,
        ..Tile::default()
    });
    let tiles: Vec<Tile> = me.into_iter().chain(others).take(Scene::MAX_TILES).collect();
    let area = Rect::new(0.0, 0.0, size.0 as f32, size.1 as f32);
    let rects = layout::gallery(tiles.len(), area, GAP);
    tiles.into_iter().zip(rects).map(|(tile, rect)| Tile { rect, fit: Fit::Fill, ..tile }).collect()
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Participant, Role};

    use super::*;

    fn person(id: &str, video: bool) -> Participant {
        Participant {
            user_id: id.parse().unwrap(),
            name: id.to_owned(),
            role: Role::Anchor,
            video_available: video,
            audio_available: true,
            screen_available: false,
            video_size: None,
            audio_level: 0,
            speaking: false,
            video_muted: false,
            audio_muted: false,
        }
    }

    #[test]
    fn everybody_with_a_picture_has_a_tile_and_i_come_first() {
        let mut state = AppState::default();
        state.participants = vec![person("ann", true), person("bob", false)];
        state.camera.on = true;
        let tiles = gallery(&state, (1280, 720));
        let ids: Vec<&str> = tiles.iter().map(|tile| tile.id.0.as_str()).collect();
        assert_eq!(ids, ["", "ann"]);
        assert!(tiles[0].mirror && !tiles[1].mirror);
        assert!(tiles.iter().all(|tile| !tile.rect.is_empty()));
    }
}
