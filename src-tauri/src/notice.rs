//! Says in a window of its own why the program ends before it has one, where nobody reads what it
//! prints: after a double click on Windows or macOS. What Linux desktops start writes to their log.

/// Shows `text` and waits until it is closed.
#[cfg(any(windows, target_os = "macos"))]
pub(crate) fn show(text: &str) {
    if is_heard() {
        return;
    }
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title("Confab")
        .set_description(text)
        .show();
}

#[cfg(not(any(windows, target_os = "macos")))]
pub(crate) fn show(_text: &str) {}

/// A program with a window has no output at all unless somebody gave it one.
#[cfg(windows)]
fn is_heard() -> bool {
    use std::os::windows::io::AsRawHandle as _;
    !std::io::stderr().as_raw_handle().is_null()
}

/// What the Finder opens is a child of launchd.
#[cfg(target_os = "macos")]
fn is_heard() -> bool {
    std::os::unix::process::parent_id() != 1
}
