//! Stops the build where openh264 would quietly be compiled without its assembly.

use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed=CARGO_CFG_TARGET_ARCH");
    // Only the x86 assembly goes through nasm; the arm one is built by the C compiler.
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if !matches!(architecture.as_str(), "x86" | "x86_64") {
        return ExitCode::SUCCESS;
    }
    let nasm = Command::new("nasm").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if nasm.is_ok_and(|status| status.success()) {
        return ExitCode::SUCCESS;
    }
    println!(
        "cargo::error=nasm is missing: without it the H.264 codec is built without its assembly and runs \
         two to three times slower. Install it (Debian and Ubuntu: `sudo apt install nasm`, Fedora: \
         `sudo dnf install nasm`, macOS: `brew install nasm`, Windows: https://www.nasm.us), then build \
         again."
    );
    ExitCode::FAILURE
}
