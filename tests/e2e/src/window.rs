//! The program with its window as a test uses it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clip::QUARTERS;
use crate::image::distance;
use crate::{APP, Area, Computer, Driver, Image, PATIENCE, Screen, Service, built};

/// A colour that went through a codec may be this far off.
const TOLERANCE: u8 = 48;
/// A colour that was only drawn in two ways may be this far off.
const EXACT: u8 = 24;

/// The real window on a screen of its own, with nothing remembered from before.
#[derive(Debug)]
pub struct Window {
    /// What a person looks at.
    pub screen: Screen,
    /// The page in it.
    pub page: Driver,
    home: Option<TempDir>,
}

impl Window {
    /// Opens the window with this camera, a tone for a microphone and no loudspeaker.
    pub async fn open(camera: &str) -> Result<Self> {
        Self::start(Screen::start()?, camera, "tone", &[]).await
    }

    /// Opens the window by a link, as a browser does.
    pub async fn invited(link: &str) -> Result<Self> {
        let (screen, home) = (Screen::start()?, tempfile::tempdir()?);
        let program = built("confab").display().to_string();
        let flags =
            ["--camera", "test", "--microphone", "tone", "--speaker", "null", "--", link].map(str::to_owned);
        let page = Driver::start(&screen, &program, &flags, &environment(home.path()), None).await?;
        Self::opened(screen, page, Some(home)).await
    }

    /// One more start of the program by the same person, on the same screen, with that link.
    pub fn start_again(&self, link: &str) -> Result<Command> {
        let home = self.home.as_ref().context("the computer has the folder, not the window")?;
        let mut command = Command::new(built("confab"));
        command.args(["--", link]).envs(environment(home.path()));
        self.screen.carry(&mut command);
        Ok(command)
    }

    /// The same on a desktop whose windows are dark.
    pub async fn dark(camera: &str) -> Result<Self> {
        Self::start(Screen::start()?, camera, "tone", &[("GTK_THEME", "Adwaita:dark")]).await
    }

    /// The same on a screen of any kind, with more in the program's environment.
    pub async fn within(screen: Screen, camera: &str, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start(screen, camera, "tone", environment).await
    }

    /// Opens the window with this camera and microphone.
    pub async fn with_devices(camera: &str, microphone: &str) -> Result<Self> {
        Self::start(Screen::start()?, camera, microphone, &[]).await
    }

    async fn start(screen: Screen, camera: &str, microphone: &str, desktop: &[(&str, &str)]) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let program = built("confab").display().to_string();
        let flags = ["--camera", camera, "--microphone", microphone, "--speaker", "null"].map(str::to_owned);
        let mut environment = environment(home.path());
        environment.extend(desktop.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let page = Driver::start(&screen, &program, &flags, &environment, None).await?;
        Self::opened(screen, page, Some(home)).await
    }

    /// Opens the window on a computer that has devices, on a screen of its own.
    pub async fn on(computer: &Computer) -> Result<Self> {
        let screen = Screen::start()?;
        let (program, environment) = (built("confab").display().to_string(), computer.environment());
        let log = Some(computer.log());
        let page = Driver::start(&screen, &program, &computer.flags(), &environment, log).await?;
        Self::opened(screen, page, None).await
    }

    async fn opened(screen: Screen, page: Driver, home: Option<TempDir>) -> Result<Self> {
        let window = Self { screen, page, home };
        window.page.element("[data-testid=join-page]").await?;
        Ok(window)
    }

    /// Lets the page have the keys, as somebody without a pointer does: with Tab. There is no window
    /// manager to choose the window, and a page without the keys shows nobody where the focus is.
    pub async fn take_keys(&self) -> Result<()> {
        self.screen.focus("Confab")?;
        self.screen.tab()?;
        self.page.until("return document.hasFocus()").await.map(drop)
    }

    /// Fills the join page in as a person does who was given a signature, and joins.
    pub async fn join(&self, service: &Service, user: &str, room: &Value) -> Result<()> {
        let page = &self.page;
        page.fill("[data-testid=name]", &user.to_uppercase()).await?;
        let kind = if room.is_number() { "number" } else { "text" };
        page.click(&format!("label:has([data-testid=room-kind-{kind}])")).await?;
        let room = room.as_str().map_or_else(|| room.to_string(), str::to_owned);
        page.fill("[data-testid=room]", &room).await?;
        page.click("label:has([data-testid=where-server])").await?;
        page.fill("[data-testid=server]", &service.url()).await?;
        if let Some(closed) = page.find("[data-testid=advanced][aria-expanded=false]").await? {
            page.click_on(&closed).await?;
        }
        page.fill("[data-testid=user-id]", user).await?;
        page.fill("[data-testid=sdk-app-id]", &APP.to_string()).await?;
        page.fill("[data-testid=user-sig]", &Service::user_sig(user)?).await?;
        page.click("[data-testid=join]").await?;
        page.element("[data-testid=meeting-page]").await?;
        Ok(())
    }

    /// Gives the window this size, in pixels, at the corner of the screen.
    pub async fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        self.screen.resize("Confab", (width, height))?;
        let script = format!(
            "return innerWidth * devicePixelRatio === {width} && innerHeight * devicePixelRatio === {height}"
        );
        self.page.until(&script).await.map(drop)
    }

    /// Waits for the notice of this kind, with everything let go; returns its title.
    pub async fn notice(&self, kind: &str) -> Result<String> {
        self.page.element(&format!("[data-testid=exit-page][data-kind={kind}]")).await?;
        let state = self.page.call("get_state", json!({})).await?;
        let off = |device: &str| state[device]["on"] == false;
        ensure!(state["phase"] == "idle" && off("camera") && off("microphone"), "still held: {state}");
        self.page.text("[data-testid=exit-title]").await
    }

    /// What the join page's fields hold, by their names for tests.
    pub async fn typed(&self) -> Result<Value> {
        let script = "return Object.fromEntries([...document.querySelectorAll('form input')]
            .filter(({ type }) => type === 'text' || type === 'password')
            .map(({ dataset, value }) => [dataset.testid, value]));";
        self.page.run(script, &[]).await
    }

    /// Waits until the tile shows the clip's four quarters, in what the compositor drew and on the
    /// screen, with the page's controls around; `mirrored` as people see themselves. Keeps the
    /// screen as target/e2e/NAME.png.
    pub async fn shows_the_clip(&self, tile: &str, mirrored: bool, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let points = self.quarters(tile).await?;
            let drawn = check(&self.stage_snapshot().await?, &points, mirrored);
            let corner = self.screen.corner("Confab")?;
            let offset = points.map(|(x, y)| (x + corner.0, y + corner.1));
            let screen = self.screen.shot(name)?;
            let seen = check(&screen, &offset, mirrored).and(self.controls(&screen, corner).await);
            match (drawn, seen) {
                (Ok(()), Ok(())) => return Ok(()),
                (drawn, seen) if Instant::now() > deadline => {
                    bail!("{tile} does not show the clip: drawn {drawn:?}, on the screen {seen:?}")
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// The page is seen above the pictures: the button that leaves has its colour.
    async fn controls(&self, screen: &Image, corner: (usize, usize)) -> Result<()> {
        let script = "const leave = document.querySelector('[data-testid=leave]');
            const { x, y, height } = leave.getBoundingClientRect();
            const colour = getComputedStyle(leave).backgroundColor.match(/\\d+/g).map(Number);
            return [(x + 10) * devicePixelRatio, (y + height / 2) * devicePixelRatio, ...colour];";
        let said = self.page.run(script, &[]).await?;
        let number = |index: usize| said[index].as_f64().context("the button has no place or colour");
        let (x, y) = (number(0)? as usize + corner.0, number(1)? as usize + corner.1);
        let wanted = [number(2)? as u8, number(3)? as u8, number(4)? as u8];
        let seen = screen.colour(x, y)?;
        if distance(seen, wanted) > TOLERANCE {
            bail!("the page is not painted: {seen:?} instead of {wanted:?} at {x}, {y}");
        }
        Ok(())
    }

    /// Keeps the screen as target/e2e/NAME.png once the page has painted what it says and rests.
    pub async fn keep(&self, name: &str) -> Result<Image> {
        self.page.painted().await?;
        self.screen.still(name)
    }

    /// What the compositor last drew.
    pub async fn stage_snapshot(&self) -> Result<Image> {
        let picture = self.page.call("stage_snapshot", json!({})).await?;
        let file = picture["png"].as_str().context("no picture")?;
        Image::from_png(&STANDARD.decode(file)?)
    }

    /// Waits until the clip's white square has moved in a tile, as a person sees it; the tile is not
    /// mirrored. Keeps the screen as target/e2e/NAME.png.
    pub async fn moves(&self, tile: &str, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut places = Vec::new();
        loop {
            let [x, y, width, height] = self.area(tile).await?;
            let corner = self.screen.corner("Confab")?;
            let middle = (y + height / 2.0) as usize + corner.1;
            let screen = self.screen.shot(name)?;
            let (left, right) = (x as usize + corner.0, (x + width) as usize + corner.0);
            for column in (left + 8..right - 8).step_by(2) {
                if screen.colour(column, middle)?.iter().all(|&part| part > 160) {
                    places.push(column);
                    break;
                }
            }
            if places.iter().any(|place| place.abs_diff(places[0]) > 10) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "nothing moves in {tile}: the square was at {places:?}");
        }
    }

    /// Compares the edges of a tile on the screen with what the compositor draws: a corner, which is
    /// round, and the frame of somebody who speaks.
    pub async fn has_its_edges(&self, tile: &str, name: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.page
            .until(&format!(
                "return document.querySelector('[data-testid={tile}]').dataset.speaking === 'true'"
            ))
            .await?;
        loop {
            let [x, y, width, _] = self.area(tile).await?;
            let drawn = self.stage_snapshot().await?;
            let (screen, corner) = (self.screen.shot(name)?, self.screen.corner("Confab")?);
            let points = [(x + 1.0, y + 1.0), (x + width / 2.0, y + 1.0), (x + width / 2.0, y + 5.0)];
            let points = points.map(|(x, y)| (x as usize, y as usize));
            let compared = points.map(|(x, y)| {
                let seen = screen.pixel(x + corner.0, y + corner.1)?;
                anyhow::Ok((drawn.pixel(x, y)?, seen))
            });
            let compared: Vec<_> = compared.into_iter().collect::<Result<_>>()?;
            let same = compared.iter().all(|&(drawn, seen)| distance(drawn, seen) <= EXACT);
            // The three differ: ground, frame, picture.
            let apart = distance(compared[0].0, compared[1].0).min(distance(compared[1].0, compared[2].0));
            if same && apart > TOLERANCE {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{tile} has other edges: drawn and seen {compared:?}");
        }
    }

    /// Where a tile is in the window, once it shows a picture.
    pub async fn tile(&self, tile: &str) -> Result<Area> {
        self.page.element(&format!("[data-testid={tile}][data-video=on]")).await?;
        self.area(tile).await
    }

    async fn area(&self, tile: &str) -> Result<Area> {
        let script = "const tile = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);
            const { x, y, width, height } = tile.getBoundingClientRect();
            return [x, y, width, height].map((side) => side * devicePixelRatio);";
        let sides = self.page.run(script, &[json!(tile)]).await?;
        let side = |index: usize| sides[index].as_f64().context("the tile has no rectangle");
        Ok([side(0)?, side(1)?, side(2)?, side(3)?])
    }

    /// The middles of a tile's quarters, in the window's pixels; not quite, since names stand at the
    /// lower edge.
    async fn quarters(&self, tile: &str) -> Result<[(usize, usize); 4]> {
        self.page.element(&format!("[data-testid={tile}]")).await?;
        let [x, y, width, height] = self.area(tile).await?;
        let at = |across: f64, down: f64| ((x + width * across) as usize, (y + height * down) as usize);
        Ok([at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.7), at(0.75, 0.7)])
    }
}

/// Lets a program find nothing that another run has left.
pub fn environment(home: &Path) -> Vec<(String, String)> {
    let home = home.display().to_string();
    let names = ["HOME", "CONFAB_DATA", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"];
    let folders = names.into_iter().map(|name| (name.to_owned(), home.clone()));
    // The webview's own processes end after the window does, when the folder is gone.
    let cache = ("MESA_SHADER_CACHE_DISABLE".to_owned(), "true".to_owned());
    folders.chain([cache]).collect()
}

/// The window on this screen, driven by lines instead of by its page.
pub fn scripted(screen: &Screen, home: &Path, camera: &str) -> Command {
    let mut command = Command::new(built("confab"));
    command.args(["--script", "-", "--camera", camera, "--microphone", "tone", "--speaker", "null"]);
    command.envs(environment(home));
    screen.carry(&mut command);
    command
}

/// Somebody without a window.
pub fn headless(home: &Path, camera: &str) -> Command {
    let mut command = Command::new(built("confab-headless"));
    command.args(["--camera", camera, "--microphone", "tone", "--speaker", "null"]);
    command.envs(environment(home));
    command
}

fn check(image: &Image, points: &[(usize, usize); 4], mirrored: bool) -> Result<()> {
    let order = if mirrored { [1, 0, 3, 2] } else { [0, 1, 2, 3] };
    for (&(x, y), quarter) in points.iter().zip(order) {
        let (seen, wanted) = (image.colour(x, y)?, QUARTERS[quarter].rgb);
        if distance(seen, wanted) > TOLERANCE {
            bail!("{seen:?} at {x}, {y} instead of {wanted:?}");
        }
    }
    Ok(())
}
