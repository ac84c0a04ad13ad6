//! How the host shows pictures, in the words that the page is told.

use serde::Serialize;
use ts_rs::TS;

/// By what pictures get onto the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PresenterKind {
    /// Drawn in memory and painted below the transparent page, by the toolkit.
    Underlay,
    /// Drawn by the graphics driver on the window itself, below the transparent page.
    Surface,
    /// Drawn by the graphics driver on a view of its own, below the transparent page.
    View,
    /// Drawn by the page.
    Canvas,
}

impl PresenterKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Underlay, Self::Surface, Self::View, Self::Canvas];

    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Underlay => "underlay",
            Self::Surface => "surface",
            Self::View => "view",
            Self::Canvas => "canvas",
        }
    }
}

/// How the window shows pictures, and why so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PresenterView {
    /// By what.
    pub kind: PresenterKind,
    /// Why by that, for people.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_for_people_and_for_the_page() {
        for kind in PresenterKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
