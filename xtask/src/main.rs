//! `cargo xtask`: sets Confab up, builds, starts, tests and measures it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person at a terminal")]

mod bench;
mod bundle;
mod check;
mod driven;
#[cfg(test)]
mod layers;
mod run;
mod setup;
mod shell;
mod test;
mod types;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  run [--demo] [--release] [-- FLAGS]
                            install what is missing, build, open the window
                            --demo: in a room with four synthetic people
                            FLAGS go to the app, such as --camera test
  test [--long]             install what is missing, check and test everything
                            --long: the other systems too, as `check` does, and packages,
                            as `bundle` makes and `install-test` tries them
  check [windows|macos]     see whether everything compiles for Windows and macOS without a warning,
                            and let our programs for Windows meet in wine
  bench [NAME]              run the benchmarks, or one of them: a JSON line each
  types [--check]           write the page's TypeScript types, or only compare them
  bundle [KIND ...] [--debug] [--installed]
                            make what people install, into target/bundle: deb, rpm,
                            portable and windows here, or all that this system can make
                            --debug: from development builds, which takes less time
                            --installed: do not look for packages that are missing
  install-test [KIND ...]   install what was made, start it, remove it (as root)
  setup                     install what building and testing need
  deny                      check licences, sources and advisories (needs cargo-deny)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Result<()> {
    match words {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["run", flags @ ..] => {
            let ours = flags.split(|flag| *flag == "--").next().unwrap_or_default();
            let [demo, release] = switches(ours, ["--demo", "--release"])?;
            run::run(demo, release, flags.get(ours.len() + 1..).unwrap_or_default())
        }
        ["test", flags @ ..] => {
            let [long] = switches(flags, ["--long"])?;
            test::test(long)
        }
        ["check"] => check::check(None),
        ["check", name] => check::check(Some(name)),
        ["bench"] => bench::bench(None),
        ["bench", name] => bench::bench(Some(name)),
        ["types", flags @ ..] => {
            let [check] = switches(flags, ["--check"])?;
            types::types(check)
        }
        ["bundle", words @ ..] => {
            let (flags, kinds): (Vec<&str>, Vec<&str>) = words.iter().partition(|it| it.starts_with("--"));
            let [debug, installed] = switches(&flags, ["--debug", "--installed"])?;
            bundle::bundle(&kinds, debug, installed)
        }
        ["install-test", kinds @ ..] => bundle::install_test(kinds),
        ["setup"] => setup::everything(),
        ["deny"] => shell::run(shell::cargo(["deny", "check"])),
        _ => bail!("unknown command `{}`\n\n{HELP}", words.join(" ")),
    }
}

/// Which of `known` were given; anything else is refused.
fn switches<const N: usize>(given: &[&str], known: [&str; N]) -> Result<[bool; N]> {
    if let Some(stranger) = given.iter().find(|flag| !known.contains(flag)) {
        bail!("unknown flag `{stranger}`, known here: {}", known.join(" "));
    }
    Ok(known.map(|flag| given.contains(&flag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_taken_in_any_order_and_strangers_are_refused() {
        assert_eq!(switches(&["--release", "--demo"], ["--demo", "--release"]).unwrap(), [true, true]);
        assert_eq!(switches(&[], ["--check"]).unwrap(), [false]);
        let error = switches(&["--fast"], ["--check"]).unwrap_err().to_string();
        assert_eq!(error, "unknown flag `--fast`, known here: --check");
    }

    #[test]
    fn an_unknown_command_is_refused_with_the_help() {
        let error = dispatch(&["tset"]).unwrap_err().to_string();
        assert!(error.starts_with("unknown command `tset`") && error.contains("types [--check]"), "{error}");
    }
}
