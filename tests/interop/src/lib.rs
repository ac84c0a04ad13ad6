//! Starts other people's programs for the tests in this package, and judges what they sent and got.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod pattern;
mod peer;
pub mod sound;
mod tencent;

use std::env;
use std::path::{Path, PathBuf};

pub use peer::Peer;
pub use tencent::Tencent;

/// The Python interpreter that has the packages of requirements.txt; `cargo xtask setup` makes it.
pub fn python() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python");
    let usual = if cfg!(windows) { here.join("Scripts/python.exe") } else { here.join("bin/python3") };
    env::var_os("CONFAB_PYTHON").map_or(usual, PathBuf::from)
}

/// A script of this package.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}
