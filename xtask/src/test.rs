//! The whole suite, in the order in which it fails soonest.

pub(crate) mod suite;
mod tally;

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::setup::{clips, node, python, system};
use crate::shell::{cargo, list, npm, read, run, watch};
use crate::types;
use crate::{bundle, check};
use suite::Suite;

/// Sets up, checks and tests everything; `long` adds what takes long: the other systems, and packages.
/// Stops at the first step that fails.
pub(crate) fn test(long: bool) -> Result<()> {
    let mut suite = Suite::new();
    let mut outcome = steps(&mut suite);
    if long && outcome.is_ok() {
        outcome = check::long(&mut suite).and_then(|()| bundle::long(&mut suite));
    }
    suite.close();
    outcome
}

fn steps(suite: &mut Suite) -> Result<()> {
    suite.step("format", |_| run(cargo(["fmt", "--all", "--", "--check"])))?;
    suite.step("system packages", |_| system::packages(system::For::Test))?;
    suite.step("npm packages", |_| node::packages())?;
    suite.step("python packages", |_| python::packages())?;
    suite.step("clips", |_| clips::make(&clips::TESTS))?;
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
    // All later steps select the whole workspace and some tests: with another selection cargo would
    // unite other features and compile half of it again.
    let metadata = metadata()?;
    suite.step("build", |_| {
        let mut build = cargo(["build", "--workspace", "--test", "*"]);
        // Not xtask: it is running.
        build.args(programs(&metadata, &["bench", "xtask"]));
        run(build)
    })?;
    suite.step("types drift", |_| types::drift())?;
    suite.step("unit tests", |tally| {
        let mut test = cargo_test();
        test.arg("--lib").args(programs(&metadata, &["bench"]));
        watch(test, |line| tally.read(line))
    })?;
    for (package, tests) in integration_tests(&metadata) {
        suite.step(&package, |tally| {
            let mut test = cargo_test();
            test.args(tests.iter().flat_map(|test| ["--test", test]));
            watch(test, |line| tally.read(line))
        })?;
    }
    suite.step("examples in documentation", |tally| {
        let mut test = cargo_test();
        test.arg("--doc");
        watch(test, |line| tally.read(line))
    })
}

/// `cargo test` over the whole workspace; which targets, the caller adds.
fn cargo_test() -> Command {
    let mut test = cargo(["test", "--workspace"]);
    test.env("CONFAB_PYTHON", python::interpreter());
    test
}

fn metadata() -> Result<Value> {
    let metadata = read(cargo(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
    Ok(serde_json::from_str(&metadata)?)
}

/// `--bin` and the name of every program, except those of some packages: nothing here runs the
/// benchmarks, which clippy has looked at.
fn programs(metadata: &Value, except: &[&str]) -> Vec<String> {
    let kept = |package: &&Value| !package["name"].as_str().is_some_and(|name| except.contains(&name));
    let packages = list(metadata, "packages").iter().filter(kept);
    packages.flat_map(|package| targets(package, "bin")).flat_map(|name| ["--bin".to_owned(), name]).collect()
}

/// The names of the integration tests of every package that has some; whole rooms and the real
/// window come last.
fn integration_tests(metadata: &Value) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = list(metadata, "packages")
        .iter()
        .map(|package| (package["name"].as_str().unwrap_or_default().to_owned(), targets(package, "test")))
        .filter(|(_, tests)| !tests.is_empty())
        .collect();
    let last = ["sim", "rooms", "interop", "e2e"];
    groups.sort_by_key(|(package, _)| {
        last.iter().position(|name| name == package).map_or(0, |place| place + 1)
    });
    groups
}

/// The names of a package's targets of one kind.
fn targets(package: &Value, kind: &str) -> Vec<String> {
    let wanted = |target: &&Value| list(target, "kind").iter().any(|found| found == kind);
    let targets = list(package, "targets").iter().filter(wanted);
    targets.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, kind: &str, names: &[&str]) -> Value {
        let targets = names.iter().map(|target| json!({ "name": target, "kind": [kind] }));
        let own = json!({ "name": name, "kind": ["lib"] });
        json!({ "name": name, "targets": std::iter::once(own).chain(targets).collect::<Vec<_>>() })
    }

    #[test]
    fn the_real_window_comes_last_and_packages_without_tests_do_not_come() {
        let metadata = json!({ "packages": [
            package("e2e", "test", &["window"]),
            package("rooms", "test", &["meeting", "refusals"]),
            package("sim", "test", &["virtual"]),
            package("confab-frame", "test", &[]),
            package("confab-media", "test", &["codecs"]),
        ]});
        let tests = integration_tests(&metadata);
        let order: Vec<String> =
            tests.iter().map(|(name, tests)| format!("{name} {}", tests.len())).collect();
        assert_eq!(order, ["confab-media 1", "sim 1", "rooms 2", "e2e 1"]);
    }

    #[test]
    fn programs_of_packages_left_out_do_not_come() {
        let metadata = json!({ "packages": [
            package("bench", "bin", &["glass"]),
            package("confab-app", "bin", &["confab-headless", "confab-types"]),
        ]});
        assert_eq!(programs(&metadata, &["bench"]), ["--bin", "confab-headless", "--bin", "confab-types"]);
    }
}
