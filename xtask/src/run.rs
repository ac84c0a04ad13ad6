//! Builds and opens the window.

use anyhow::Result;

use crate::setup::{self, For};
use crate::shell::{built, cargo, command, run as start};

/// Installs what is missing, builds, and runs the app until it is closed.
pub(crate) fn run(demo: bool, release: bool) -> Result<()> {
    setup::system::packages(if demo { For::Demo } else { For::Run })?;
    setup::node::packages()?;
    setup::node::page()?;
    println!("Building the app");
    let mut build = cargo(["build", "--package", "confab", "--package", "confab-app", "--bins"]);
    if release {
        build.arg("--release");
    }
    start(build)?;
    let profile = if release { "release" } else { "debug" };
    let mut app = command(built(profile, "confab"));
    if demo {
        app.arg("--demo");
    }
    start(app)
}
