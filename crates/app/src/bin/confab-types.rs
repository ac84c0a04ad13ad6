//! Writes the page's TypeScript types: `confab-types FOLDER`, or only compares them:
//! `confab-types --check FOLDER`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use confab_app::types;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program says why it fails")]
            {
                eprintln!("confab-types: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["--check", folder] => check(Path::new(folder)),
        [folder] if !folder.starts_with('-') => {
            types::write(Path::new(folder)).with_context(|| format!("cannot write {folder}"))
        }
        _ => bail!("say confab-types FOLDER or confab-types --check FOLDER"),
    }
}

fn check(folder: &Path) -> Result<()> {
    let fresh = std::env::temp_dir().join(format!("confab-types-{}", std::process::id()));
    let written = types::write(&fresh).context("cannot write the types");
    let differing = types::differences(folder, &fresh).context("cannot compare the types");
    // Whatever came out, the folder is not needed any more.
    let _ = std::fs::remove_dir_all(&fresh);
    written?;
    match differing?.as_slice() {
        [] => Ok(()),
        names => bail!("{} differ from the Rust types: run `cargo xtask types`", names.join(", ")),
    }
}
