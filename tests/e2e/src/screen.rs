use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, InputFocus, KEY_PRESS_EVENT,
    KEY_RELEASE_EVENT, MapState,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::program::kept;
use crate::{Image, PATIENCE};

/// X's number of the Tab key on any keyboard of a PC.
const TAB: u8 = 23;
/// X's number of a window.
type XWindow = u32;

/// A screen of the test's own, 1280x800, without a window manager; gone when dropped.
#[derive(Debug)]
pub struct Screen {
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
        let screen = Self { server, name: format!(":{}", number.trim()) };
        ensure!(!number.trim().is_empty(), "Xvfb ended before it had a display");
        Ok(screen)
    }

    /// Lets a program show its windows here.
    pub fn carry(&self, command: &mut Command) {
        command.env("DISPLAY", &self.name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY");
        // It makes the webview opaque, which hides every picture of a person.
        command.env_remove("WEBKIT_DISABLE_COMPOSITING_MODE");
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

    /// Where the window called `title` has its left top corner.
    pub fn corner(&self, title: &str) -> Result<(usize, usize)> {
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
