//! Photographs of every page in sizes and themes, and what is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::program::kept;
use crate::{PATIENCE, Window};

/// A wide window and a small one, in pixels.
const SIZES: [(u32, u32); 2] = [(1280, 800), (800, 600)];
const THEMES: [&str; 2] = ["light", "dark"];
/// Pictures of people move: a page that does not come to rest is taken as it is by then.
const RESTLESS: Duration = Duration::from_millis(300);

static AXE: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/node_modules/axe-core/axe.min.js"));

/// What does not fit: a page wider or higher than the window, a control that is outside of it or of
/// what can be scrolled, that lies below something else, or whose words are cut.
const MISFITS: &str = "
    const found = [];
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.scrollingElement;
    if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide`);
    if (scrollHeight > clientHeight) found.push(`the page is ${scrollHeight} high`);
    const scrolls = (element) => {
        for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
            if (/auto|scroll/.test(getComputedStyle(up).overflowY) && up.scrollHeight > up.clientHeight) return up;
        }
        return null;
    };
    const sticks = (element, scroller) => {
        for (let up = element; up && up !== scroller; up = up.parentElement) {
            if (getComputedStyle(up).position === 'sticky') return true;
        }
        return false;
    };
    const unfolded = [...document.querySelectorAll('[aria-expanded=true][aria-controls]')]
        .map((button) => document.getElementById(button.getAttribute('aria-controls')));
    const area = document.querySelector('dialog[open]') ?? document.body;
    for (const element of area.querySelectorAll('button, input, select, a[href]')) {
        const hidden = element.matches('[type=radio], [type=checkbox]');
        const face = hidden ? element.closest('label') ?? element.nextElementSibling : element;
        if (!face || !face.checkVisibility({ visibilityProperty: true })) continue;
        const name = element.dataset.testid ?? element.outerHTML;
        const box = face.getBoundingClientRect();
        const scroller = scrolls(face);
        const within = scroller?.getBoundingClientRect()
            ?? { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
        if (box.left < within.left - 1 || box.right > within.right + 1) found.push(`${name} is out of sight at a side`);
        if (!scroller && (box.top < 0 || box.bottom > innerHeight)) found.push(`${name} is out of sight`);
        if (element.localName === 'button' && face.scrollWidth > face.clientWidth + 1) found.push(`${name} is too narrow for its words`);
        const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        const seen = y > Math.max(within.top, 0) && y < Math.min(within.bottom, innerHeight);
        const above = seen ? document.elementFromPoint(x, y) : null;
        // What scrolls passes below what stays at the edge.
        if (scroller && sticks(above, scroller)) continue;
        // What somebody unfolds covers the rest until they are done.
        if (unfolded.some((one) => one?.contains(above) && !one.contains(face))) continue;
        if (above && !face.contains(above) && !above.contains(face)) found.push(`${name} lies below ${above.outerHTML.slice(0, 120)}`);
    }
    return found;";

/// Waits until colours have changed to what they are to be, and that is painted.
const COME_TO_REST: &str = "
    const done = arguments[0];
    const painted = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    const changes = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
    painted()
        .then(() => Promise.allSettled(changes().map(({ finished }) => finished)))
        .then(painted)
        .then(() => done(true));";

/// Pictures of every page in two sizes and both themes, kept as target/e2e/pages-NN-NAME-SIZE-THEME.png,
/// and whatever is wrong with what is seen on them.
#[derive(Debug)]
pub struct Album<'a> {
    /// What is looked at.
    pub window: &'a Window,
    number: usize,
    faults: Vec<String>,
    developing: Vec<std::thread::JoinHandle<Result<()>>>,
}

impl<'a> Album<'a> {
    /// An empty one.
    pub async fn of(window: &'a Window) -> Result<Self> {
        let album = Self { window, number: 0, faults: Vec::new(), developing: Vec::new() };
        let axe = std::fs::read_to_string(&*AXE).with_context(|| format!("no {}", AXE.display()))?;
        window.page.run(&axe, &[]).await?;
        Ok(album)
    }

    /// Looks at the page as it is now, in every size and theme; ends in the first ones.
    pub async fn take(&mut self, name: &str) -> Result<()> {
        self.number += 1;
        for size in SIZES {
            self.window.resize(size).await?;
            for theme in THEMES {
                self.theme(theme).await?;
                self.look(name, size, theme).await?;
            }
        }
        self.window.resize(SIZES[0]).await?;
        self.theme(THEMES[0]).await
    }

    /// Fails if anything was wrong on any picture, and says all of it.
    pub fn close(self) -> Result<()> {
        for picture in self.developing {
            picture.join().map_err(|_| anyhow::anyhow!("a picture could not be kept"))??;
        }
        ensure!(self.faults.is_empty(), "{} faults:\n{}", self.faults.len(), self.faults.join("\n"));
        Ok(())
    }

    async fn look(&mut self, name: &str, size: (u32, u32), theme: &str) -> Result<()> {
        let page = &self.window.page;
        page.run_async(COME_TO_REST).await?;
        let photo = self.window.screen.rest("Confab", RESTLESS).await?;
        let title = format!("{:02}-{name}-{}-{theme}", self.number, size.0);
        let path = kept(&format!("pages-{title}.png"))?;
        let developing = std::thread::Builder::new().name("photo".to_owned());
        self.developing.push(developing.spawn(move || photo.keep(&path))?);
        let mut found = texts(&page.run(MISFITS, &[]).await?);
        // Each size and each theme once: together they take twice the time and find no more.
        if (size == SIZES[0]) == (theme == THEMES[0]) {
            found.extend(self.axe().await?);
        }
        self.faults.extend(found.into_iter().map(|fault| format!("{title}: {fault}")));
        Ok(())
    }

    async fn axe(&self) -> Result<Vec<String>> {
        // The ground is a drawing with holes for the pictures, which axe takes for nothing.
        let script = "const done = arguments[0];
            const ground = document.querySelector('svg[aria-hidden] > path[fill-rule=evenodd]');
            document.body.style.background = getComputedStyle(ground).fill;
            axe.run(document, { preload: false, resultTypes: ['violations'] }).then(
                ({ violations }) => violations.flatMap(({ id, nodes }) =>
                    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`)),
                (error) => [`axe failed: ${error}`],
            ).then((found) => {
                document.body.style.background = '';
                done(found);
            });";
        Ok(texts(&self.window.page.run_async(script).await?))
    }

    async fn theme(&self, theme: &str) -> Result<()> {
        let script = "document.querySelector(`[data-testid=theme-${arguments[0]}]`).click();
            return document.documentElement.dataset.theme;";
        let deadline = Instant::now() + PATIENCE;
        while self.window.page.run(script, &[json!(theme)]).await? != theme {
            ensure!(Instant::now() < deadline, "the page does not become {theme}");
        }
        Ok(())
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
