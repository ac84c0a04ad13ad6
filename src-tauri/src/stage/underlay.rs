//! Linux: a drawing area below the transparent webview, painted from memory. A surface of the
//! graphics driver on the same window never shows the video on X11 and loses the page on Wayland.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use confab_render::{Picture, RenderError};
use gtk::prelude::*;
use gtk::{cairo, glib};

use super::drawing::Drawing;
use super::presenter::{Damage, Presenter, Show, Shown};

/// Painted where there is no picture yet. Something opaque has to be: without a compositing window
/// manager whatever is transparent shows what was there before.
const BACKDROP: (f64, f64, f64) = (0.043, 0.063, 0.059);

/// The drawing area and what it paints.
pub(crate) struct Underlay {
    drawing: Drawing,
    area: glib::SendWeakRef<gtk::DrawingArea>,
    canvas: Arc<Mutex<Canvas>>,
}

#[derive(Default)]
struct Canvas {
    picture: Option<Arc<Picture>>,
    /// What the window has not been told to repaint yet.
    damage: Option<Damage>,
}

impl Underlay {
    /// Puts the drawing area below the window's webview; on the window's thread only.
    pub(crate) fn install(window: &tauri::WebviewWindow) -> anyhow::Result<Self> {
        let column = window.default_vbox()?;
        let webview = column.children().pop().context("the window has no webview")?;
        let area = gtk::DrawingArea::new();
        let overlay = gtk::Overlay::new();
        column.remove(&webview);
        overlay.add(&area);
        overlay.add_overlay(&webview);
        column.pack_start(&overlay, true, true, 0);
        overlay.show_all();
        // Being moved took the keyboard from it.
        webview.grab_focus();
        let canvas = Arc::<Mutex<Canvas>>::default();
        let painted = canvas.clone();
        area.connect_draw(move |area, context| {
            let picture = lock(&painted).picture.clone();
            if let Err(error) = paint(context, picture.as_deref(), area.scale_factor()) {
                tracing::warn!(%error, "the picture could not be painted");
            }
            glib::Propagation::Stop
        });
        Ok(Self { drawing: Drawing::default(), area: area.downgrade().into(), canvas })
    }
}

impl Presenter for Underlay {
    fn show(&mut self, show: &Show, damage: Damage) -> Result<Shown, RenderError> {
        let picture = self.drawing.draw(show)?;
        self.put(picture.clone(), damage);
        Ok(Shown::Picture(picture))
    }
}

impl Underlay {
    fn put(&self, picture: Arc<Picture>, damage: Damage) {
        let told = {
            let mut canvas = lock(&self.canvas);
            canvas.picture = Some(picture);
            let before = canvas.damage;
            canvas.damage = Some(before.map_or(damage, |before| before.and(damage)));
            before.is_some()
        };
        if told {
            // The window is behind and repaints the newest picture when it gets there.
            return;
        }
        let (area, canvas) = (self.area.clone(), self.canvas.clone());
        glib::MainContext::default().invoke(move || {
            let damage = lock(&canvas).damage.take();
            if let (Some(area), Some(damage)) = (area.upgrade(), damage) {
                repaint(&area, damage);
            }
        });
    }
}

fn lock(canvas: &Mutex<Canvas>) -> std::sync::MutexGuard<'_, Canvas> {
    canvas.lock().unwrap_or_else(PoisonError::into_inner)
}

fn repaint(area: &gtk::DrawingArea, damage: Damage) {
    match damage {
        Damage::All => area.queue_draw(),
        Damage::Within(rect) => {
            // The toolkit counts in the page's pixels; one more on each side for what is rounded.
            let scale = area.scale_factor().max(1) as f32;
            let (left, top) = ((rect.x / scale).floor() as i32 - 1, (rect.y / scale).floor() as i32 - 1);
            let (right, bottom) =
                ((rect.right() / scale).ceil() as i32 + 1, (rect.bottom() / scale).ceil() as i32 + 1);
            // GTK turns the region upside down when it clips a webview that was drawn by the graphics
            // driver: only what is damaged both here and in the mirror image would show the page.
            let height = area.allocated_height();
            let (top, bottom) = (top.min(height - bottom), bottom.max(height - top));
            area.queue_draw_area(left, top, right - left, bottom - top);
        }
    }
}

fn paint(context: &cairo::Context, picture: Option<&Picture>, scale: i32) -> Result<(), cairo::Error> {
    context.set_source_rgb(BACKDROP.0, BACKDROP.1, BACKDROP.2);
    context.paint()?;
    let Some(picture) = picture else { return Ok(()) };
    let surface = surface_of(picture)?;
    surface.set_device_scale(f64::from(scale), f64::from(scale));
    context.set_source_surface(&surface, 0.0, 0.0)?;
    context.source().set_filter(cairo::Filter::Nearest);
    let painted = context.paint();
    // The context would keep the surface, whose memory is the picture's.
    context.set_source_rgb(BACKDROP.0, BACKDROP.1, BACKDROP.2);
    surface.finish();
    painted
}

#[allow(unsafe_code, reason = "cairo paints from memory that it does not own")]
fn surface_of(picture: &Picture) -> Result<cairo::ImageSurface, cairo::Error> {
    let fits = |side: u32| i32::try_from(side).map_err(|_| cairo::Error::InvalidSize);
    let (width, height, stride) = (fits(picture.width)?, fits(picture.height)?, fits(picture.stride)?);
    if picture.bgra.len() < picture.stride as usize * picture.height as usize {
        return Err(cairo::Error::InvalidSize);
    }
    // SAFETY: the memory has `stride * height` bytes as checked, is only read (nothing draws on the
    // surface) and outlives the surface, which `paint` finishes before it returns the borrow.
    unsafe {
        cairo::ImageSurface::create_for_data_unsafe(
            picture.bgra.as_ptr().cast_mut(),
            cairo::Format::Rgb24,
            width,
            height,
            stride,
        )
    }
}
