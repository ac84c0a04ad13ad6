//! Builds and opens the window.

mod demo;

use anyhow::Result;

use crate::setup::{self, For};
use crate::shell::{built, cargo, command, run as start};

/// Installs what is missing, builds, and runs the app with these flags until it is closed.
pub(crate) fn run(demo: bool, release: bool, flags: &[&str]) -> Result<()> {
    setup::system::packages(if demo { For::Demo } else { For::Run })?;
    setup::node::packages()?;
    setup::node::page()?;
    if demo
        && let Err(error) = setup::python::environment().and_then(|_| setup::clips::make(&setup::clips::DEMO))
    {
        println!("No clips of people, test pictures instead: {error:#}");
    }
    println!("Building the app");
    let mut build = cargo(["build", "--package", "confab", "--package", "confab-app", "--bins"]);
    if release {
        build.arg("--release");
    }
    start(build)?;
    let profile = if release { "release" } else { "debug" };
    let mut app = command(built(profile, "confab"));
    app.args(flags);
    if demo { demo::demo(app, profile) } else { start(app) }
}
