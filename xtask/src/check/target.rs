//! Rust's standard library for another system.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::shell::{command, found, read};

/// Brings it in if it is not there yet; an error says why that cannot be.
pub(crate) fn add(triple: &str) -> Result<()> {
    if installed(triple) {
        return Ok(());
    }
    let sentence = || format!("Rust's target {triple} is missing and could not be added");
    if !found("rustup") {
        return Err(anyhow::anyhow!("rustup, which adds targets, is not installed")).with_context(sentence);
    }
    println!("Adding Rust's target {triple}");
    let mut add = command("rustup");
    // Its complaint becomes part of ours, without where in its code that was.
    add.args(["target", "add", triple]).env("RUST_BACKTRACE", "0");
    read(add).map(drop).with_context(sentence)
}

/// Whether the compiler finds it, by whatever way it came.
fn installed(triple: &str) -> bool {
    let mut compiler = command("rustc");
    compiler.args(["--print", "target-libdir", "--target", triple]);
    read(compiler).is_ok_and(|folder| holds_core(Path::new(folder.trim())))
}

/// The compiler names the folder whether it is there or not.
fn holds_core(folder: &Path) -> bool {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_that_compiled_this_is_there_and_one_that_is_none_cannot_be_added() {
        let mut compiler = command("rustc");
        compiler.args(["--print", "host-tuple"]);
        assert!(installed(read(compiler).unwrap().trim()));
        assert!(!installed("x86_64-unknown-nowhere"));
        let error = format!("{:#}", add("x86_64-unknown-nowhere").unwrap_err());
        assert!(
            error.starts_with("Rust's target x86_64-unknown-nowhere is missing and could not be added: "),
            "{error}"
        );
    }
}
