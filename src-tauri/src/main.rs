//! Confab's window: the page in a webview, people's pictures under it, and the app behind both.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod command_line;
mod commands;
mod context;
mod door;
mod host;
mod notice;
mod script;
mod shell;
mod stage;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let line = match command_line::CommandLine::try_parse() {
        Ok(line) => line,
        Err(said) => {
            let _ = said.print();
            notice::show(&said.to_string());
            return u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    match shell::run(line) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program says why it fails")]
            {
                eprintln!("confab: {error:#}");
            }
            notice::show(&format!("Confab cannot be opened: {error:#}."));
            ExitCode::FAILURE
        }
    }
}
