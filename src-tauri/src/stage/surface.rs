//! Windows: the graphics driver draws on the window itself. WebView2 is a window of its own inside,
//! transparent where the page is; what lies below is seen through it, because the window does not cut
//! its children out of what is drawn on it (tao leaves out `WS_CLIPCHILDREN`).

use confab_render::Surface;

use super::direct::Direct;

/// Makes the window's surface; on the window's thread only.
pub(crate) fn install(window: &tauri::WebviewWindow) -> anyhow::Result<Direct> {
    Ok(Direct::new(Surface::of_window(window.clone())?))
}
