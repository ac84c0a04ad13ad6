//! Carries the built page into the program and allows it our own commands only.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../ui/dist");
    if !Path::new("../ui/dist/index.html").exists() {
        return Err("the page is not built: npm --prefix ui ci && npm --prefix ui run build".into());
    }
    let commands = tauri_build::AppManifest::new().commands(&["call", "close_window"]);
    let attributes = tauri_build::Attributes::new()
        .windows_attributes(tauri_build::WindowsAttributes::new().window_icon_path("../icons/icon.ico"))
        .app_manifest(commands)
        .codegen(tauri_build::CodegenContext::new());
    Ok(tauri_build::try_build(attributes)?)
}
