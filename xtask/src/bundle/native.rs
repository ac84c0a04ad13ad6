//! Packages that only their own system can make, by Tauri's command line: .msi and .dmg.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Map, json};

use super::licences::{OWN, THIRD_PARTY, third_party};
use super::programs::Programs;
use super::{folder, scratch};
use crate::shell::{npm, root, run};

/// Fetched when it is needed and not with the page's packages: most people never make a package.
const CLI: &str = "@tauri-apps/cli@2.12.5";

/// Makes one format.
pub(super) fn make(programs: &Programs, format: &str) -> Result<Vec<PathBuf>> {
    // The other programs go beside the window's. Tauri wants the target's name behind theirs, and
    // takes it off again.
    let beside = scratch(format)?;
    let mut others = Vec::new();
    for name in ["confab-headless", "confab-server"] {
        let file = programs.put(name, &beside)?;
        let suffix = file.extension().map_or(String::new(), |it| format!(".{}", it.to_string_lossy()));
        fs::rename(&file, beside.join(format!("{name}-{}{suffix}", programs.triple)))?;
        others.push(beside.join(name).display().to_string());
    }
    let libraries = beside.join(THIRD_PARTY);
    fs::write(&libraries, third_party(&programs.triple)?)?;
    let mut texts = Map::new();
    for file in OWN.map(|licence| root().join(licence)).into_iter().chain([libraries]) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        texts.insert(file.display().to_string(), name.into());
    }
    let config = beside.join("bundle.json");
    let bundle = json!({ "active": true, "externalBin": others, "resources": texts });
    fs::write(&config, json!({ "bundle": bundle }).to_string())?;

    // Tauri takes the window's program from where cargo put it, and leaves its work beside it.
    let made = programs.folder().join("bundle").join(format);
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    let mut tauri =
        npm(["exec", "--yes", "--package", CLI, "--", "tauri", "bundle", "--ci", "--bundles", format]);
    if programs.folder().ends_with("debug") {
        tauri.arg("--debug");
    }
    tauri.arg("--config").arg(&config).current_dir(root().join("src-tauri"));
    run(tauri)?;

    let mut out = Vec::new();
    for entry in fs::read_dir(&made).with_context(|| format!("nothing was made in {}", made.display()))? {
        let from = entry?.path();
        if from.extension().is_some_and(|it| it == format) {
            let to = folder().join(from.file_name().unwrap_or_default());
            fs::copy(&from, &to)?;
            out.push(to);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macos_is_told_what_it_asks_people_with() {
        let list = fs::read_to_string(root().join("src-tauri/Info.plist")).unwrap();
        for device in ["Camera", "Microphone", "ScreenCapture"] {
            let key = format!("<key>NS{device}UsageDescription</key>");
            let text = list.split_once(&key).unwrap().1.trim_start().strip_prefix("<string>").unwrap();
            assert!(text.starts_with("Confab "), "{device}");
        }
    }

    #[test]
    fn a_signed_app_may_use_camera_and_microphone() {
        let config = fs::read_to_string(root().join("src-tauri/tauri.conf.json")).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        let file = config["bundle"]["macOS"]["entitlements"].as_str().unwrap();
        let rights = fs::read_to_string(root().join("src-tauri").join(file)).unwrap();
        for device in ["camera", "audio-input"] {
            let key = format!("<key>com.apple.security.device.{device}</key>");
            assert!(rights.split_once(&key).unwrap().1.trim_start().starts_with("<true/>"), "{device}");
        }
    }
}
