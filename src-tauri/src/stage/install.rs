//! Looks at the computer, puts the presenter that the rule chooses into the window, and starts the
//! stage; the page draws where that fails, then or later.

use std::ffi::OsStr;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use confab_app::{PresenterKind, PresenterView};
use confab_render::RenderError;
use confab_scene::TileId;
use tauri::WebviewWindow;

use super::canvas::{Canvas, Feed};
use super::director::Stage;
use super::presenter::Presenter;
use super::probe::{self, Facts, System};

/// The search for a graphics driver, on a thread of its own while the window opens.
#[derive(Debug)]
pub(crate) struct Adapter(JoinHandle<Result<String, String>>);

impl Adapter {
    /// Begins to look.
    pub(crate) fn look() -> std::io::Result<Self> {
        let look = || confab_render::adapter().map_err(|error| error.to_string());
        std::thread::Builder::new().name("adapter".to_owned()).spawn(look).map(Self)
    }

    /// The driver, or why there is none.
    fn found(self) -> Result<String, String> {
        self.0.join().unwrap_or_else(|_| Err("the search for a graphics driver broke off".to_owned()))
    }
}

/// Who hears how pictures are shown, and the warning where that is not as it should be.
pub(crate) type Told = Box<dyn Fn(PresenterView, Option<String>) + Send>;

/// Starts the stage of a window; on the window's thread only.
pub(crate) fn open(
    window: &WebviewWindow,
    wish: Option<PresenterKind>,
    adapter: Adapter,
    feed: &Feed,
    source: confab_app::Stage,
    told: Told,
) -> Result<Stage> {
    let chosen = probe::choose(&facts(window, adapter), wish);
    let kind = chosen.kind;
    let presenter = match kind {
        PresenterKind::Canvas => Ok(Box::new(Canvas::new(feed.clone())) as Box<dyn Presenter>),
        PresenterKind::Underlay | PresenterKind::Surface | PresenterKind::View => own(window),
    };
    let presenter = match presenter {
        Ok(presenter) => {
            tell(&told, chosen, None);
            presenter
        }
        Err(error) => instead(&told, feed, kind, &format!("{error:#}")),
    };
    let (scenes, feed) = (source.scenes(), feed.clone());
    let frames = Box::new(move |id: &TileId| source.frame(id));
    let fallback = Box::new(move |error: &RenderError| instead(&told, &feed, kind, &error.to_string()));
    Stage::start(scenes, frames, presenter, fallback).context("no threads can be started")
}

/// The canvas, because another presenter failed.
fn instead(told: &Told, feed: &Feed, failed: PresenterKind, why: &str) -> Box<dyn Presenter> {
    let why = format!("The {} failed: {why}.", failed.name());
    let warning =
        format!("Pictures are drawn by the page from now on, which takes more of the processor. {why}");
    tell(told, PresenterView { kind: PresenterKind::Canvas, why }, Some(warning));
    Box::new(Canvas::new(feed.clone()))
}

fn tell(told: &Told, view: PresenterView, warning: Option<String>) {
    match &warning {
        None => tracing::info!(presenter = view.kind.name(), why = %view.why, "pictures are shown"),
        Some(_) => tracing::warn!(presenter = view.kind.name(), why = %view.why, "pictures are shown"),
    }
    told(view, warning);
}

/// Puts the presenter of this system into the window: on Linux the one below the webview.
#[cfg(target_os = "linux")]
fn own(window: &WebviewWindow) -> Result<Box<dyn Presenter>> {
    Ok(Box::new(super::underlay::Underlay::install(window)?))
}

/// On Windows the one that draws on the window itself.
#[cfg(windows)]
fn own(window: &WebviewWindow) -> Result<Box<dyn Presenter>> {
    Ok(Box::new(super::surface::install(window)?))
}

/// On macOS the one with a view of our own.
#[cfg(target_os = "macos")]
fn own(window: &WebviewWindow) -> Result<Box<dyn Presenter>> {
    Ok(Box::new(super::view::install(window)?))
}

/// The rule never chooses what the system does not have.
#[cfg(not(any(target_os = "linux", windows, target_os = "macos")))]
fn own(_: &WebviewWindow) -> Result<Box<dyn Presenter>> {
    anyhow::bail!("this system has no way to draw below the page")
}

fn facts(window: &WebviewWindow, adapter: Adapter) -> Facts {
    Facts {
        system: System::HERE,
        windowing: windowing(window),
        transparent: transparent(window),
        compositing_disabled: cfg!(target_os = "linux")
            && disabled(std::env::var_os("WEBKIT_DISABLE_COMPOSITING_MODE").as_deref()),
        adapter: adapter.found(),
    }
}

/// As WebKitGTK reads the variable: anything but 0 counts.
fn disabled(variable: Option<&OsStr>) -> bool {
    variable.is_some_and(|value| value != "0")
}

#[cfg(target_os = "linux")]
fn windowing(window: &WebviewWindow) -> Result<&'static str, String> {
    use gtk::prelude::*;

    let window = window.gtk_window().map_err(|error| error.to_string())?;
    match window.display().type_().name() {
        "GdkX11Display" => Ok("X11"),
        "GdkWaylandDisplay" => Ok("Wayland"),
        other => Err(other.to_owned()),
    }
}

/// Windows and macOS have one each.
#[cfg(not(target_os = "linux"))]
fn windowing(_: &WebviewWindow) -> Result<&'static str, String> {
    Ok(if cfg!(windows) { "Windows" } else { "macOS" })
}

/// The window was given a visual with opacity, which not every X server has.
#[cfg(target_os = "linux")]
fn transparent(window: &WebviewWindow) -> bool {
    use gtk::prelude::*;

    let visual = window.gtk_window().ok().and_then(|window| window.visual());
    visual.is_some_and(|visual| visual.depth() == 32)
}

/// Windows and macOS make every window transparent that is configured so, as ours is.
#[cfg(not(target_os = "linux"))]
fn transparent(_: &WebviewWindow) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_webviews_variable_is_read_as_the_webview_does() {
        assert!(!disabled(None) && !disabled(Some(OsStr::new("0"))));
        assert!(disabled(Some(OsStr::new("1"))) && disabled(Some(OsStr::new(""))));
    }
}
