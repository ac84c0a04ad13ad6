//! Confab's window: the page in a webview, people's pictures under it, and the app behind both.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod command_line;
mod commands;
mod context;
mod host;
mod script;
mod shell;
mod stage;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match shell::run(command_line::CommandLine::parse()) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program says why it fails")]
            {
                eprintln!("confab: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
