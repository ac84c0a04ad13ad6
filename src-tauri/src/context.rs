//! What the build script carries into the program: the page, what it may do, names and icons.
#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "the code in here is Tauri's")]

/// The page and the configuration of this build.
pub(crate) fn context() -> tauri::Context {
    tauri::tauri_build_context!()
}
