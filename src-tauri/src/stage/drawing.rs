//! Pictures for presenters that paint from memory.

use std::sync::Arc;

use confab_render::{Compositor, Picture, RenderError};

use super::presenter::Show;

/// Draws into memory, whose pieces are used again when nobody shows them any more.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// Opened by the first scene.
    compositor: Option<Compositor>,
    last: Option<Arc<Picture>>,
    /// The one before the last: others have had the time to let it go.
    retired: Option<Arc<Picture>>,
}

impl Drawing {
    /// The scene as a picture.
    pub(crate) fn draw(&mut self, show: &Show) -> Result<Arc<Picture>, RenderError> {
        let compositor = match &mut self.compositor {
            Some(compositor) => compositor,
            empty => empty.insert(Compositor::new()?),
        };
        if let Some(memory) = self.retired.take().and_then(Arc::into_inner) {
            compositor.recycle(memory);
        }
        let picture = Arc::new(compositor.draw(&show.scene, &|id| show.frame(id))?);
        self.retired = self.last.replace(picture.clone());
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use confab_scene::Scene;

    use super::*;

    #[test]
    fn two_pieces_of_memory_carry_every_picture() {
        let scene = Arc::new(Scene { size: (64, 48), background: [1, 2, 3, 255], ..Scene::default() });
        let (show, mut drawing) = (Show { scene, frames: Vec::new() }, Drawing::default());
        let mut draw = || {
            let picture = drawing.draw(&show).unwrap();
            assert_eq!(picture.pixel(63, 47), Some([1, 2, 3, 255]));
            picture.bgra.as_ptr()
        };
        let first = [draw(), draw()];
        assert_eq!([draw(), draw()], first);
        // A picture that somebody still shows is not drawn over.
        let held = drawing.draw(&show).unwrap();
        let before = held.bgra.clone();
        for _ in 0..4 {
            assert_ne!(drawing.draw(&show).unwrap().bgra.as_ptr(), held.bgra.as_ptr());
        }
        assert_eq!(held.bgra, before);
    }
}
