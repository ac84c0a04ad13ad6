//! The whole suite, in the order in which it fails soonest.

mod display;
mod suite;
mod tally;

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::setup::{clips, node, python, system};
use crate::shell::{cargo, npm, read, run, watch};
use crate::types;
use display::Display;
use suite::Suite;
use tally::Tally;

/// The programs that tests start beside the ones of their own package.
const PROGRAMS: [&str; 4] = ["confab", "confab-headless", "confab-server", "confab-types"];

/// Sets up, checks and tests everything; stops at the first step that fails.
pub(crate) fn test(long: bool) -> Result<()> {
    let mut suite = Suite::new();
    let outcome = steps(&mut suite, long);
    suite.close();
    outcome
}

fn steps(suite: &mut Suite, long: bool) -> Result<()> {
    suite.step("format", |_| run(cargo(["fmt", "--all", "--", "--check"])))?;
    suite.step("system packages", |_| system::packages(system::For::Test))?;
    suite.step("npm packages", |_| node::packages())?;
    suite.step("python packages", |_| python::packages())?;
    suite.step("clips", |_| clips::make())?;
    suite.step("page types", |_| run(npm(["run", "typecheck"])))?;
    suite.step("page lint", |_| run(npm(["run", "lint"])))?;
    suite.step("page format", |_| run(npm(["run", "format"])))?;
    suite.step("page tests", |tally| {
        let mut vitest = npm(["run", "test"]);
        vitest.env("NO_COLOR", "1").env_remove("FORCE_COLOR");
        watch(vitest, |line| tally.read(line))
    })?;
    // Before the first compilation of the window, which carries the page in it.
    suite.step("page build", |_| run(npm(["run", "build"])))?;
    suite.step("clippy", |_| {
        run(cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    // All later steps select the whole workspace with its tests too: with another selection cargo
    // would unite other features and compile half of it again.
    suite.step("build", |_| {
        let mut build = cargo(["build", "--workspace", "--tests"]);
        for program in PROGRAMS {
            build.args(["--bin", program]);
        }
        run(build)
    })?;
    suite.step("types drift", |_| types::drift())?;
    suite.step("unit tests", |tally| cargo_test(&["--lib", "--bins"], long, None, tally))?;
    for (package, tests) in integration_tests()? {
        let targets: Vec<&str> = tests.iter().flat_map(|test| ["--test", test]).collect();
        let display = if package == "e2e" { Some(Display::start()?) } else { None };
        suite.step(&package, |tally| cargo_test(&targets, long, display.as_ref(), tally))?;
    }
    suite.step("examples in documentation", |tally| cargo_test(&["--doc"], long, None, tally))
}

fn cargo_test(targets: &[&str], long: bool, display: Option<&Display>, tally: &mut Tally) -> Result<()> {
    let mut test: Command = cargo(["test", "--workspace"]);
    test.args(targets);
    test.env("CONFAB_CLIPS", clips::folder()).env("CONFAB_PYTHON", python::interpreter());
    if let Some(display) = display {
        // Without a GPU the webview draws several times faster this way.
        test.env("DISPLAY", display.name()).env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
        test.env_remove("WAYLAND_DISPLAY");
    }
    if long {
        test.args(["--", "--include-ignored"]);
    }
    watch(test, |line| tally.read(line))
}

/// The names of the integration tests of every package that has some; whole rooms and the real
/// window come last.
fn integration_tests() -> Result<Vec<(String, Vec<String>)>> {
    let metadata = read(cargo(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
    Ok(grouped(&serde_json::from_str(&metadata)?))
}

fn grouped(metadata: &Value) -> Vec<(String, Vec<String>)> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let is_test = |target: &Value| list(target, "kind").iter().any(|kind| kind == "test");
    let mut groups: Vec<(String, Vec<String>)> = list(metadata, "packages")
        .iter()
        .map(|package| {
            let tests = list(package, "targets").into_iter().filter(is_test);
            let names = tests.filter_map(|test| test["name"].as_str().map(str::to_owned)).collect();
            (package["name"].as_str().unwrap_or_default().to_owned(), names)
        })
        .filter(|(_, tests): &(String, Vec<String>)| !tests.is_empty())
        .collect();
    let last = ["rooms", "interop", "e2e"];
    groups.sort_by_key(|(package, _)| {
        last.iter().position(|name| name == package).map_or(0, |place| place + 1)
    });
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_real_window_comes_last_and_packages_without_tests_do_not_come() {
        let package = |name: &str, tests: &[&str]| {
            let targets = tests.iter().map(|test| json!({ "name": test, "kind": ["test"] }));
            let own = json!({ "name": name, "kind": ["lib"] });
            json!({ "name": name, "targets": std::iter::once(own).chain(targets).collect::<Vec<_>>() })
        };
        let metadata = json!({ "packages": [
            package("e2e", &["window"]),
            package("rooms", &["meeting", "refusals"]),
            package("confab-frame", &[]),
            package("confab-media", &["codecs"]),
        ]});
        let order: Vec<String> =
            grouped(&metadata).into_iter().map(|(name, tests)| format!("{name} {}", tests.len())).collect();
        assert_eq!(order, ["confab-media 1", "rooms 2", "e2e 1"]);
    }
}
