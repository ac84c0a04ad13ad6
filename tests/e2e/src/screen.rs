//! X without a monitor: windows are found, resized, given keys and photographed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, ImageFormat, InputFocus,
    KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MapState,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::program::kept;
use crate::wayland::Wayland;
use crate::{Area, Film, Image, PATIENCE};

/// X's number of the Tab key on any keyboard of a PC.
const TAB: u8 = 23;
/// How far off a picture that went through a codec may be, as the difference of a [`Film::find`].
const ALIKE: f64 = 12.0;
/// X's number of a window.
type XWindow = u32;

/// A screen of the test's own, 1280x800, without a window manager; gone when dropped.
#[derive(Debug)]
pub struct Screen {
    // Before the server that it shows its output on.
    wayland: Option<Wayland>,
    server: Child,
    name: String,
}

impl Screen {
    /// Starts an X server on the first display number that is free.
    pub fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Xvfb; it is in the package xvfb")?;
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let screen = Self { server, name: format!(":{}", number.trim()), wayland: None };
        ensure!(!number.trim().is_empty(), "Xvfb ended before it had a display");
        Ok(screen)
    }

    /// The same for programs that speak Wayland: a compositor there, whose output is this screen.
    pub fn wayland() -> Result<Self> {
        let mut screen = Self::start()?;
        screen.wayland = Some(Wayland::start(&screen.name)?);
        Ok(screen)
    }

    /// What X calls it, as in ":7".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets a program show its windows here.
    pub fn carry(&self, command: &mut Command) {
        command.env("DISPLAY", &self.name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY");
        if let Some(wayland) = &self.wayland {
            wayland.carry(command);
        }
        // Both choose by what pictures are shown.
        command.env_remove("WEBKIT_DISABLE_COMPOSITING_MODE").env_remove("CONFAB_STAGE");
    }

    /// Everything on the screen as a person sees it, kept as target/e2e/NAME.png. What WebDriver
    /// calls a screenshot has the page only.
    pub fn shot(&self, name: &str) -> Result<Image> {
        let path = kept(&format!("{name}.png"))?;
        let mut import = Command::new("import");
        import.args(["-display", &self.name, "-window", "root"]).arg(&path);
        let status = import.status().context("cannot start import; it is in the package imagemagick")?;
        ensure!(status.success(), "the screen could not be kept as {}", path.display());
        Image::from_png(&std::fs::read(path)?)
    }

    /// Everything on the screen once nothing moves on it any more, kept as target/e2e/NAME.png.
    pub fn still(&self, name: &str) -> Result<Image> {
        let deadline = Instant::now() + PATIENCE;
        let mut before = self.shot(name)?;
        loop {
            std::thread::sleep(Duration::from_millis(250));
            let now = self.shot(name)?;
            if now == before {
                return Ok(now);
            }
            ensure!(Instant::now() < deadline, "the screen of {name} never came to rest");
            before = now;
        }
    }

    /// What the window called `title` shows once it has come to rest, or after that time at the latest.
    pub async fn rest(&self, title: &str, at_most: Duration) -> Result<Photo> {
        let deadline = Instant::now() + at_most;
        let mut before = self.photo(title)?;
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.photo(title)?;
            if now == before || Instant::now() > deadline {
                return Ok(now);
            }
            before = now;
        }
    }

    /// The part of the screen where the window called `title` is.
    fn photo(&self, title: &str) -> Result<Photo> {
        let (connection, root) = self.connect()?;
        let window = find(&connection, root, title)?;
        let corner = connection.translate_coordinates(window, root, 0, 0)?.reply()?;
        let size = connection.get_geometry(window)?.reply()?;
        let (width, height) = (size.width, size.height);
        let part = connection.get_image(
            ImageFormat::Z_PIXMAP,
            root,
            corner.dst_x,
            corner.dst_y,
            width,
            height,
            u32::MAX,
        )?;
        Ok(Photo { width, height, bgrx: part.reply()?.data })
    }

    /// Gives the window called `title` this size, at the corner of the screen.
    pub fn resize(&self, title: &str, (width, height): (u32, u32)) -> Result<()> {
        let (connection, root) = self.connect()?;
        let window = find(&connection, root, title)?;
        let wish = ConfigureWindowAux::new().x(0).y(0).width(width).height(height);
        connection.configure_window(window, &wish)?.check()?;
        Ok(())
    }

    /// Waits until a tile of the window called `title`, given as its place there, shows a film that
    /// goes on. Keeps the screen as target/e2e/NAME.png.
    pub fn shows(&self, title: &str, tile: Area, film: &Film, mirrored: bool, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let (x, y) = self.corner(title)?;
        let tile = [tile[0] + x as f64, tile[1] + y as f64, tile[2], tile[3]];
        let mut before = None;
        loop {
            let seen = film.find(&self.shot(name)?, tile, mirrored)?;
            let alike = seen.difference < ALIKE;
            if alike && before.is_some_and(|picture| picture != seen.picture) {
                return Ok(());
            }
            before = before.or(alike.then_some(seen.picture));
            ensure!(
                Instant::now() < deadline,
                "{name} does not show the film going on at {tile:?}: {seen:?}"
            );
        }
    }

    /// Where the window called `title` has its left top corner.
    pub fn corner(&self, title: &str) -> Result<(usize, usize)> {
        if self.wayland.is_some() {
            // There the one window fills the compositor's output, and that the screen.
            return Ok((0, 0));
        }
        let (connection, root) = self.connect()?;
        let window = find(&connection, root, title)?;
        let corner = connection.translate_coordinates(window, root, 0, 0)?.reply()?;
        Ok((usize::try_from(corner.dst_x)?, usize::try_from(corner.dst_y)?))
    }

    /// Gives the window called `title` the keys, as a window manager does.
    pub fn focus(&self, title: &str) -> Result<()> {
        let (connection, root) = self.connect()?;
        let window = find(&connection, root, title)?;
        connection.set_input_focus(InputFocus::PARENT, window, CURRENT_TIME)?.check()?;
        Ok(())
    }

    /// Presses Tab on the keyboard of this screen.
    pub fn tab(&self) -> Result<()> {
        let (connection, root) = self.connect()?;
        for event in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            connection.xtest_fake_input(event, TAB, CURRENT_TIME, root, 0, 0, 0)?.check()?;
        }
        Ok(())
    }

    /// Asks the window called `title` to close, as the button in its frame does.
    pub fn close(&self, title: &str) -> Result<()> {
        let (connection, root) = self.connect()?;
        let window = find(&connection, root, title)?;
        let atom =
            |name: &'static str| anyhow::Ok(connection.intern_atom(false, name.as_bytes())?.reply()?.atom);
        let (protocols, delete) = (atom("WM_PROTOCOLS")?, atom("WM_DELETE_WINDOW")?);
        let message = ClientMessageEvent::new(32, window, protocols, [delete, CURRENT_TIME, 0, 0, 0]);
        connection.send_event(false, window, EventMask::NO_EVENT, message)?.check()?;
        Ok(())
    }

    fn connect(&self) -> Result<(RustConnection, XWindow)> {
        let (connection, screen) = x11rb::connect(Some(&self.name))?;
        let root = connection.setup().roots[screen].root;
        Ok((connection, root))
    }
}

/// A part of the screen as it was, four bytes a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    width: u16,
    height: u16,
    bgrx: Vec<u8>,
}

impl Photo {
    /// Writes it as a PNG file.
    pub fn keep(&self, path: &Path) -> Result<()> {
        let mut convert = Command::new("convert");
        convert.arg("-size").arg(format!("{}x{}", self.width, self.height));
        convert.args(["-depth", "8", "bgra:-", "-alpha", "off", "-define", "png:compression-level=3"]);
        let mut convert = convert
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start convert; it is in the package imagemagick")?;
        convert.stdin.take().context("nothing can be written")?.write_all(&self.bgrx)?;
        ensure!(convert.wait()?.success(), "{} could not be written", path.display());
        Ok(())
    }
}

/// A window by its title: one that is seen, below the root.
fn find(connection: &RustConnection, root: XWindow, title: &str) -> Result<XWindow> {
    for window in connection.query_tree(root)?.reply()?.children {
        let seen = connection.get_window_attributes(window)?.reply()?.map_state == MapState::VIEWABLE;
        let name =
            connection.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64)?.reply()?;
        if seen && name.value == title.as_bytes() {
            return Ok(window);
        }
    }
    bail!("there is no window called {title}")
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
