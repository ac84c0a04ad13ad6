//! The presenter that Windows and macOS have in common.

use confab_render::{RenderError, Surface};

use super::presenter::{Damage, Presenter, Show, Shown};

/// Lets the graphics driver draw on the window, or on a view of it.
#[derive(Debug)]
pub(crate) struct Direct(Surface);

impl Direct {
    /// Draws on this surface.
    pub(crate) fn new(surface: Surface) -> Self {
        Self(surface)
    }
}

impl Presenter for Direct {
    fn show(&mut self, show: &Show, _: Damage) -> Result<Shown, RenderError> {
        let shown = self.0.draw(&show.scene, &|id| show.frame(id))?;
        Ok(if shown { Shown::Directly } else { Shown::Later })
    }
}
