//! By what pictures get onto the window: a rule over what is known of the computer, and a wish.

use std::ffi::OsStr;

use confab_app::{PresenterKind, PresenterView};

/// The variable that a wish is taken from.
pub(crate) const VARIABLE: &str = "CONFAB_STAGE";

/// A system, as far as presenters differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    Windows,
    MacOs,
    Other,
}

impl System {
    /// The one that this program was compiled for.
    pub(crate) const HERE: Self = if cfg!(target_os = "linux") {
        Self::Linux
    } else if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Other
    };

    /// The presenter for pictures below the page, where this system has one.
    fn own(self) -> Option<PresenterKind> {
        match self {
            Self::Linux => Some(PresenterKind::Underlay),
            Self::Windows => Some(PresenterKind::Surface),
            Self::MacOs => Some(PresenterKind::View),
            Self::Other => None,
        }
    }

    /// All presenters of this system.
    fn choices(self) -> Vec<PresenterKind> {
        self.own().into_iter().chain([PresenterKind::Canvas]).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Other => "this system",
        }
    }
}

/// A wish that cannot be met. Whoever set the variable has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WishError {
    /// No presenter is called so.
    #[error("{VARIABLE}={given} is none of the ways to show pictures: {choices} (here: {here})")]
    Unknown { given: String, choices: String, here: String },
    /// One of another system.
    #[error("{VARIABLE}={given} does not exist on {system}: choose one of {here}, or nothing")]
    Elsewhere { given: String, system: &'static str, here: String },
}

/// Reads the wish; nothing where there is none.
pub(crate) fn wish(text: Option<&OsStr>, system: System) -> Result<Option<PresenterKind>, WishError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let given = text.to_string_lossy().into_owned();
    let here = system.choices();
    match PresenterKind::ALL.into_iter().find(|kind| kind.name() == given) {
        Some(kind) if here.contains(&kind) => Ok(Some(kind)),
        Some(_) => Err(WishError::Elsewhere { given, system: system.name(), here: names(&here) }),
        None => Err(WishError::Unknown { given, choices: names(&PresenterKind::ALL), here: names(&here) }),
    }
}

fn names(kinds: &[PresenterKind]) -> String {
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

/// What is known of the computer once the window is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What it runs.
    pub(crate) system: System,
    /// The windowing system: a name where it is one that we know, and else what is known of it.
    pub(crate) windowing: Result<&'static str, String>,
    /// Whether something below the page can be seen through it.
    pub(crate) transparent: bool,
    /// Whether the webview was told to draw without the graphics driver, which makes it opaque.
    pub(crate) compositing_disabled: bool,
    /// The graphics driver, or why there is none.
    pub(crate) adapter: Result<String, String>,
}

/// Chooses. Who wishes gets it, whatever the facts say; without a wish the page draws wherever
/// something below it could not be drawn or not be seen.
pub(crate) fn choose(facts: &Facts, wish: Option<PresenterKind>) -> PresenterView {
    if let Some(kind) = wish {
        return PresenterView { kind, why: format!("{VARIABLE}={} asks for it.", kind.name()) };
    }
    let canvas = |why: String| PresenterView { kind: PresenterKind::Canvas, why };
    let Some(kind) = facts.system.own() else {
        return canvas("This system has no way to draw below the page.".to_owned());
    };
    let windowing = match &facts.windowing {
        Ok(name) => name,
        Err(what) => return canvas(format!("The windowing system is not known: {what}.")),
    };
    if facts.compositing_disabled {
        return canvas("WEBKIT_DISABLE_COMPOSITING_MODE is set, which makes the page opaque.".to_owned());
    }
    if !facts.transparent {
        return canvas("The window cannot be transparent here.".to_owned());
    }
    match &facts.adapter {
        Ok(adapter) => PresenterView { kind, why: format!("{windowing} and {adapter} allow it.") },
        Err(why) => canvas(format!("Nothing can draw below the page: {why}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            system: System::Linux,
            windowing: Ok("X11"),
            transparent: true,
            compositing_disabled: false,
            adapter: Ok("llvmpipe (Vulkan)".to_owned()),
        }
    }

    #[test]
    fn each_system_has_its_own_presenter() {
        let kind = |system| choose(&Facts { system, ..facts() }, None).kind;
        assert_eq!(kind(System::Linux), PresenterKind::Underlay);
        assert_eq!(kind(System::Windows), PresenterKind::Surface);
        assert_eq!(kind(System::MacOs), PresenterKind::View);
        assert_eq!(kind(System::Other), PresenterKind::Canvas);
        assert_eq!(choose(&facts(), None).why, "X11 and llvmpipe (Vulkan) allow it.");
    }

    #[test]
    fn the_page_draws_where_nothing_below_it_can_be_drawn_or_seen() {
        for (facts, said) in [
            (Facts { adapter: Err("no driver".to_owned()), ..facts() }, "no driver"),
            (Facts { transparent: false, ..facts() }, "cannot be transparent"),
            (Facts { compositing_disabled: true, ..facts() }, "WEBKIT_DISABLE_COMPOSITING_MODE"),
            (Facts { windowing: Err("Broadway".to_owned()), ..facts() }, "not known: Broadway"),
        ] {
            let view = choose(&facts, None);
            assert_eq!(view.kind, PresenterKind::Canvas, "{facts:?}");
            assert!(view.why.contains(said), "{}", view.why);
        }
    }

    #[test]
    fn a_wish_counts_more_than_the_facts() {
        let hopeless = Facts { transparent: false, adapter: Err(String::new()), ..facts() };
        let view = choose(&hopeless, Some(PresenterKind::Underlay));
        assert_eq!(
            (view.kind, view.why.as_str()),
            (PresenterKind::Underlay, "CONFAB_STAGE=underlay asks for it.")
        );
        assert_eq!(choose(&facts(), Some(PresenterKind::Canvas)).kind, PresenterKind::Canvas);
    }

    #[test]
    fn a_wish_is_one_of_the_presenters_of_the_system_or_nothing() {
        let wish = |text: &str, system| wish(Some(OsStr::new(text)), system);
        assert_eq!(super::wish(None, System::Linux), Ok(None));
        assert_eq!(wish("", System::Linux), Ok(None));
        assert_eq!(wish("canvas", System::Other), Ok(Some(PresenterKind::Canvas)));
        assert_eq!(wish("surface", System::Windows), Ok(Some(PresenterKind::Surface)));
        assert_eq!(wish("view", System::MacOs), Ok(Some(PresenterKind::View)));
    }

    #[test]
    fn a_wrong_wish_is_refused_with_the_choices() {
        let said = |text: &str| wish(Some(OsStr::new(text)), System::Linux).unwrap_err().to_string();
        assert_eq!(
            said("Canvas"),
            "CONFAB_STAGE=Canvas is none of the ways to show pictures: underlay, surface, view, canvas \
             (here: underlay, canvas)"
        );
        assert_eq!(
            said("surface"),
            "CONFAB_STAGE=surface does not exist on Linux: choose one of underlay, canvas, or nothing"
        );
    }
}
