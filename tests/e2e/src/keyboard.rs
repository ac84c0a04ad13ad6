//! Using the page by keys alone.

use anyhow::{Context, Result, ensure};

use crate::Driver;

/// WebDriver's name of the key.
pub const TAB: &str = "\u{e004}";
/// WebDriver's name of the key.
pub const ENTER: &str = "\u{e007}";
/// WebDriver's name of the key.
pub const ESCAPE: &str = "\u{e00c}";
/// WebDriver's name of the key.
pub const RIGHT: &str = "\u{e014}";
/// WebDriver's name of the key.
pub const SPACE: &str = " ";

/// What has the focus, by its name for tests, once it is seen: inside the window, below nothing,
/// with a ring around it.
const FOCUSED: &str = "
    const element = document.activeElement;
    if (!element || element === document.body) return { name: 'the page', unseen: null };
    const name = element.dataset.testid;
    if (!name) return { name: element.outerHTML, unseen: 'it has no data-testid' };
    const face = element.type === 'radio' ? element.nextElementSibling : element;
    const { left, top, right, bottom } = face.getBoundingClientRect();
    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const style = getComputedStyle(face);
    const unseen =
        left < 0 || top < 0 || right > innerWidth || bottom > innerHeight ? 'it is outside the window'
        : above !== element && !face.contains(above) ? `it lies below ${above?.outerHTML}`
        : style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 ? 'it has no ring'
        : null;
    return { name, unseen };";

/// Somebody who has no pointer.
#[derive(Debug)]
pub struct Keyboard<'a>(pub &'a Driver);

impl Keyboard<'_> {
    /// Presses keys wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        self.0.press(keys).await
    }

    /// Goes on with Tab until the control has the focus. Fails when that is not possible, and when
    /// anything on the way has the focus unseen.
    pub async fn reach(&self, wanted: &str) -> Result<()> {
        let mut passed = Vec::new();
        let here = format!("return document.activeElement?.dataset.testid === '{wanted}'");
        while self.0.run(&here, &[]).await? == false {
            self.press(TAB).await?;
            let name = self.focused().await?;
            ensure!(!passed.contains(&name), "Tab does not reach {wanted}, only {passed:?}");
            passed.push(name);
        }
        self.focused().await.map(drop)
    }

    /// The name for tests of what has the focus and is seen to have it.
    pub async fn focused(&self) -> Result<String> {
        let focused = self.0.run(FOCUSED, &[]).await?;
        let name = focused["name"].as_str().context("the page says nothing of the focus")?;
        ensure!(focused["unseen"].is_null(), "{name} has the focus, but {}", focused["unseen"]);
        Ok(name.to_owned())
    }

    /// Goes on to a field and types.
    pub async fn fill(&self, field: &str, text: &str) -> Result<()> {
        self.reach(field).await?;
        self.press(text).await
    }

    /// Waits until the control has the focus, after the page has changed by itself.
    pub async fn given(&self, control: &str) -> Result<()> {
        let script = format!("return document.activeElement?.dataset.testid === '{control}'");
        self.0.until(&script).await.map(drop)
    }
}
