use std::path::{Path, PathBuf};

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

fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
