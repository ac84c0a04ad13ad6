//! macOS: a view of our own with a Metal layer, ordered below the transparent WKWebView. It has the
//! size of the window's content and follows it; the layer is scaled to it while a new size is on its
//! way.

use std::ptr::NonNull;

use anyhow::Context as _;
use confab_render::Surface;
use objc2::{MainThreadMarker, MainThreadOnly as _};
use objc2_app_kit::{NSAutoresizingMaskOptions, NSView, NSWindow, NSWindowOrderingMode};
use objc2_quartz_core::CAMetalLayer;

use super::direct::Direct;

/// Puts the view below the window's webview; on the main thread only.
pub(crate) fn install(window: &tauri::WebviewWindow) -> anyhow::Result<Direct> {
    let main = MainThreadMarker::new().context("only the main thread may change a window")?;
    let window = NonNull::new(window.ns_window()?.cast::<NSWindow>()).context("the window is gone")?;
    #[allow(unsafe_code, reason = "the shell hands the window out as a pointer")]
    // SAFETY: it is an NSWindow, which the shell keeps; this is the main thread, and the reference
    // does not outlive this call.
    let window = unsafe { window.as_ref() };
    let content = window.contentView().context("the window has no content")?;
    let layer = CAMetalLayer::new();
    let view = NSView::initWithFrame(NSView::alloc(main), content.bounds());
    // The layer first: the view then hosts it instead of making one of its own.
    view.setLayer(Some(&layer));
    view.setWantsLayer(true);
    view.setAutoresizingMask(
        NSAutoresizingMaskOptions::ViewWidthSizable | NSAutoresizingMaskOptions::ViewHeightSizable,
    );
    content.addSubview_positioned_relativeTo(&view, NSWindowOrderingMode::Below, None);
    let layer = NonNull::from(&*layer).cast();
    #[allow(unsafe_code, reason = "a layer is a pointer to the renderer")]
    // SAFETY: it points to a CAMetalLayer, which the view keeps for the time of this call.
    let surface = unsafe { Surface::of_layer(layer) }?;
    Ok(Direct::new(surface))
}
