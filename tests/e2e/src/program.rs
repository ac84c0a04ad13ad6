//! Where tests find our programs, and leave what is looked at afterwards.

use std::path::{Path, PathBuf};

use crate::PATIENCE;

/// A program of ours, built before the tests run.
pub fn built(program: &str) -> PathBuf {
    target().join("debug").join(program)
}

/// A file among those that are kept to be looked at: target/e2e/NAME.
pub fn kept(name: &str) -> std::io::Result<PathBuf> {
    let folder = target().join("e2e");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// Where cargo and xtask put what they make.
pub(crate) fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Asks the programs of this computer over HTTP.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // Refused where another test of this process was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().timeout(PATIENCE * 2).no_proxy().build()
}
