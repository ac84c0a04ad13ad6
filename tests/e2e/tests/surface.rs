//! A driver's surface on a window, as the presenters of Windows and macOS use it: here on a bare
//! window of X11, looked at on the screen.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

use confab_frame::{I420, VideoFrame};
use confab_render::Surface;
use confab_scene::{Rect, Scene, Tile, TileId};
use e2e::{PATIENCE, Screen, distance};
use raw_window_handle::{
    DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle,
    WindowHandle, XlibDisplayHandle, XlibWindowHandle,
};
use x11_dl::xlib::{Display, Xlib};

/// A window of 640x360 in the corner of a screen.
struct Bare {
    xlib: Xlib,
    display: NonNull<Display>,
    window: u64,
}

#[allow(unsafe_code, reason = "Xlib is a library of C")]
// SAFETY: Xlib was told that several threads will use it.
unsafe impl Send for Bare {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for Bare {}

impl Bare {
    #[allow(unsafe_code, reason = "Xlib is a library of C")]
    fn open(screen: &Screen) -> Self {
        let (xlib, name) = (Xlib::open().unwrap(), CString::new(screen.name()).unwrap());
        // SAFETY: threads first; then every call gets the display that was opened, checked not to be
        // null, and the window made on it.
        unsafe {
            assert_ne!((xlib.XInitThreads)(), 0);
            let display = NonNull::new((xlib.XOpenDisplay)(name.as_ptr())).unwrap();
            let root = (xlib.XDefaultRootWindow)(display.as_ptr());
            let window = (xlib.XCreateSimpleWindow)(display.as_ptr(), root, 0, 0, 640, 360, 0, 0, 0);
            (xlib.XMapWindow)(display.as_ptr(), window);
            (xlib.XSync)(display.as_ptr(), 0);
            Self { xlib, display, window }
        }
    }

    #[allow(unsafe_code, reason = "Xlib is a library of C")]
    fn resize(&self, width: u32, height: u32) {
        // SAFETY: both belong together and are open.
        unsafe {
            (self.xlib.XResizeWindow)(self.display.as_ptr(), self.window, width, height);
            (self.xlib.XSync)(self.display.as_ptr(), 0);
        }
    }
}

/// What the surface keeps of it.
#[derive(Clone)]
struct Shared(Arc<Bare>);

impl HasWindowHandle for Shared {
    #[allow(unsafe_code, reason = "a handle is a number to X")]
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        let raw = RawWindowHandle::Xlib(XlibWindowHandle::new(self.0.window));
        // SAFETY: the window lives as long as the connection, which is never closed.
        Ok(unsafe { WindowHandle::borrow_raw(raw) })
    }
}

impl HasDisplayHandle for Shared {
    #[allow(unsafe_code, reason = "a handle is a pointer to X")]
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        let raw = RawDisplayHandle::Xlib(XlibDisplayHandle::new(Some(self.0.display.cast()), 0));
        // SAFETY: the connection is never closed.
        Ok(unsafe { DisplayHandle::borrow_raw(raw) })
    }
}

fn scene(size: (u32, u32), rect: Rect) -> Scene {
    let tile = Tile { id: "ann".into(), rect, ..Tile::default() };
    Scene { size, background: [200, 30, 60, 255], tiles: vec![tile], ..Scene::default() }
}

/// Draws until the screen has these colours at these points.
fn shows(
    surface: &mut Surface,
    scene: &Scene,
    frame: Option<&VideoFrame>,
    screen: &Screen,
    points: &[((usize, usize), [u8; 3])],
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        surface.draw(scene, &|_: &TileId| frame.cloned()).unwrap();
        let shot = screen.shot("surface").unwrap();
        let seen: Vec<_> = points.iter().map(|&((x, y), _)| shot.pixel(x, y).unwrap()).collect();
        if seen.iter().zip(points).all(|(&seen, &(_, wanted))| distance(seen, wanted) < 4) {
            return;
        }
        assert!(Instant::now() < deadline, "seen {seen:?} instead of {points:?}");
    }
}

#[test]
fn a_scene_drawn_on_a_window_is_seen_on_the_screen_at_every_size() {
    let screen = Screen::start().unwrap();
    let window = Shared(Arc::new(Bare::open(&screen)));
    let surface = Surface::of_window(window.clone()).unwrap();
    // As in the app: made on one thread, used on another.
    let drawing = std::thread::spawn(move || {
        let mut surface = surface;
        let (ground, card) = ([200, 30, 60], [32, 34, 40]);
        let small = scene((640, 360), Rect::new(100.0, 50.0, 160.0, 90.0));
        shows(&mut surface, &small, None, &screen, &[((20, 20), ground), ((180, 95), card)]);

        let mut white = I420::black(16, 16).unwrap();
        white.planes_mut().0.fill(235);
        let frame = VideoFrame { buffer: Arc::new(white), at: Instant::now() };
        let picture = [255; 3];
        shows(&mut surface, &small, Some(&frame), &screen, &[((20, 20), ground), ((180, 95), picture)]);

        window.0.resize(900, 600);
        let large = scene((900, 600), Rect::new(600.0, 400.0, 200.0, 100.0));
        let points = [((180, 95), ground), ((880, 590), ground), ((700, 450), picture)];
        shows(&mut surface, &large, Some(&frame), &screen, &points);
    });
    drawing.join().unwrap();
}
