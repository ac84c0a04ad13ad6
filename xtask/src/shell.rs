//! Starting other programs, and where things are.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where cargo puts what it builds; what xtask brings in (clips, Python packages) lies there too.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A program of ours that cargo has built.
pub(crate) fn built(profile: &str, program: &str) -> PathBuf {
    target().join(profile).join(format!("{program}{}", env::consts::EXE_SUFFIX))
}

/// A command that starts in the workspace's folder.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The same from all its words, the program first.
pub(crate) fn words(words: &[&str]) -> Command {
    let mut command = command(words.first().copied().unwrap_or_default());
    command.args(words.get(1..).unwrap_or_default());
    command
}

/// The same cargo that started xtask.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut cargo = cargo_by(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// A cargo, or a program that starts one.
pub(crate) fn cargo_by(program: impl AsRef<OsStr>) -> Command {
    let mut command = command(program);
    // `cargo run` describes xtask to xtask in these. Build scripts that watch them would run again
    // on every change between `cargo build` and `cargo xtask`.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    read(words(&["id", "-u"])).is_ok_and(|id| id.trim() == "0")
}

/// npm in the page's folder. On Windows npm is a script, which only the command interpreter starts.
pub(crate) fn npm<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = if cfg!(windows) { command("cmd") } else { command("npm") };
    if cfg!(windows) {
        command.args(["/C", "npm"]);
    }
    command.args(arguments).current_dir(root().join("ui"));
    command
}

/// Runs to the end with our terminal; anything but success is an error that names the command.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", line(&command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(&command));
    }
    Ok(())
}

/// Like [`run`], and shows every line of the output to `see` as well.
pub(crate) fn watch(mut command: Command, mut see: impl FnMut(&str)) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(&command)))?;
    if let Some(stdout) = child.stdout.take() {
        let mut terminal = io::stdout();
        for text in BufReader::new(stdout).split(b'\n') {
            let text = text?;
            terminal.write_all(&text)?;
            terminal.write_all(b"\n")?;
            see(&String::from_utf8_lossy(&text));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(&command));
    }
    Ok(())
}

/// What a command prints on its standard output; anything but success is an error with its complaint.
pub(crate) fn read(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start `{}`", line(&command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}\n{}", line(&command), output.status, complaint.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The list under a key of what a program said in JSON; empty where there is none.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a command starts and succeeds; what it prints is thrown away.
pub(crate) fn succeeds(mut command: Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether a program of that name is on the PATH.
pub(crate) fn found(program: &str) -> bool {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}

/// The command as a person would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let words = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_complaint() {
        let mut missing = cargo(["no-such-subcommand"]);
        missing.arg("--flag");
        let error = read(missing).unwrap_err().to_string();
        assert!(error.starts_with("`cargo no-such-subcommand --flag` ended with"), "{error}");
        assert!(error.contains("no such command"), "{error}");
    }

    #[test]
    fn cargo_does_not_inherit_what_describes_xtask() {
        let removed = |name: &str| cargo([]).get_envs().any(|(key, value)| key == name && value.is_none());
        assert!(removed("CARGO_PKG_NAME") && removed("CARGO_MANIFEST_DIR"));
        assert!(!removed("PATH"));
    }

    #[test]
    fn every_line_is_seen() {
        let mut lines = Vec::new();
        watch(cargo(["--version"]), |text| lines.push(text.to_owned())).unwrap();
        assert!(lines.len() == 1 && lines[0].starts_with("cargo "), "{lines:?}");
    }
}
