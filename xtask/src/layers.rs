//! Which crate may name which: the dependency table of ARCHITECTURE.md as data, held by a test over
//! `cargo metadata`.

use serde_json::Value;

use crate::shell::list;

/// What one package may name in its own Cargo.toml, development dependencies included.
struct Layer {
    package: &'static str,
    /// The packages of this workspace it may name.
    ours: Ours,
    /// The packages of the registry it may name.
    others: Others,
}

enum Ours {
    Only(&'static [&'static str]),
    AnyBut(&'static [&'static str]),
}

enum Others {
    Only(&'static [&'static str]),
    Without(&'static [&'static [&'static str]]),
}

const NETWORK: &[&str] = &[
    "axum",
    "hyper",
    "hyper-util",
    "if-addrs",
    "mdns-sd",
    "mio",
    "quinn-udp",
    "rcgen",
    "reqwest",
    "rustls",
    "rustls-platform-verifier",
    "socket2",
    "tokio-rustls",
    "tokio-tungstenite",
    "tower-http",
    "tungstenite",
    "livekit-api",
];
const RUNTIME: &[&str] = &["tokio", "tokio-util", "async-std", "smol"];
const WEBRTC: &[&str] = &["webrtc", "rtc", "str0m", "dimpl"];
const STR0M: &[&str] = &["str0m", "dimpl"];
const CODECS: &[&str] = &["openh264", "openh264-sys2", "opus", "opusic-c", "opusic-sys", "shiguredo_mp4"];
const DEVICES: &[&str] = &["cpal", "nokhwa", "pulseaudio", "v4l", "xcap"];
const TAURI: &[&str] = &["tauri", "tauri-build", "wry", "tao"];
const GPU: &[&str] = &["wgpu"];

const LEAF: &[&str] = &["serde", "serde_json", "thiserror", "ts-rs", "proptest"];

const LAYERS: &[Layer] = &[
    Layer {
        package: "confab-protocol",
        ours: Ours::Only(&[]),
        others: Others::Only(&[
            "base64",
            "flate2",
            "hmac",
            "percent-encoding",
            "proptest",
            "schemars",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "ts-rs",
        ]),
    },
    Layer { package: "confab-frame", ours: Ours::Only(&[]), others: Others::Only(LEAF) },
    Layer { package: "confab-scene", ours: Ours::Only(&["confab-frame"]), others: Others::Only(LEAF) },
    Layer {
        package: "confab-media",
        // The sound card of its tests stands below everything, as a computer does.
        ours: Ours::Only(&["confab-frame", "sound"]),
        others: Others::Without(&[TAURI, GPU, WEBRTC, NETWORK, RUNTIME]),
    },
    Layer {
        package: "confab-render",
        ours: Ours::Only(&["confab-frame", "confab-scene"]),
        others: Others::Without(&[TAURI, WEBRTC, NETWORK, RUNTIME, CODECS, DEVICES]),
    },
    Layer {
        package: "confab-signal",
        ours: Ours::Only(&["confab-protocol"]),
        others: Others::Without(&[TAURI, WEBRTC, NETWORK, RUNTIME]),
    },
    Layer {
        package: "confab-session",
        ours: Ours::Only(&["confab-protocol", "confab-frame", "confab-signal", "confab-media"]),
        others: Others::Without(&[TAURI, GPU, STR0M, CODECS, DEVICES]),
    },
    Layer {
        package: "confab-server",
        ours: Ours::Only(&["confab-protocol", "confab-signal"]),
        others: Others::Without(&[TAURI, GPU, CODECS, DEVICES, &["webrtc", "rtc"]]),
    },
    Layer {
        package: "confab-app",
        ours: Ours::Only(&[
            "confab-protocol",
            "confab-frame",
            "confab-scene",
            "confab-media",
            "confab-session",
            "confab-server",
            // Only in the headless binary: see `only_the_headless_binary_draws`.
            "confab-render",
            "sound",
        ]),
        others: Others::Without(&[TAURI, GPU, WEBRTC, CODECS, DEVICES]),
    },
    Layer {
        package: "confab",
        ours: Ours::Only(&["confab-app", "confab-render", "confab-scene", "confab-frame"]),
        others: Others::Without(&[WEBRTC, CODECS, DEVICES, NETWORK]),
    },
    Layer { package: "xtask", ours: Ours::Only(&[]), others: Others::Only(&["anyhow", "serde_json"]) },
    Layer { package: "sound", ours: Ours::Only(&[]), others: Others::Only(&["anyhow", "hound", "tempfile"]) },
    Layer { package: "sim", ours: Ours::AnyBut(&["confab", "xtask"]), others: Others::Without(&[TAURI]) },
    Layer { package: "rooms", ours: Ours::AnyBut(&["confab", "xtask"]), others: Others::Without(&[TAURI]) },
    Layer { package: "interop", ours: Ours::AnyBut(&["confab", "xtask"]), others: Others::Without(&[TAURI]) },
    Layer { package: "e2e", ours: Ours::AnyBut(&["confab", "xtask"]), others: Others::Without(&[TAURI]) },
    Layer { package: "bench", ours: Ours::AnyBut(&["confab", "xtask"]), others: Others::Without(&[TAURI]) },
];

/// One line for every dependency in `metadata` (the output of `cargo metadata --no-deps`) that the
/// table does not allow, and for every package that it does not know.
fn offences(metadata: &Value) -> Vec<String> {
    let packages = list(metadata, "packages");
    let members: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = LAYERS.iter().find(|layer| layer.package == name) else {
            found.push(format!("{name} has no row in the dependency table"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if !layer.allows(dependency, members.contains(&dependency)) {
                found.push(format!("{name} may not name {dependency}"));
            }
        }
    }
    found
}

impl Layer {
    fn allows(&self, dependency: &str, member: bool) -> bool {
        if member {
            match self.ours {
                Ours::Only(names) => names.contains(&dependency),
                Ours::AnyBut(names) => !names.contains(&dependency),
            }
        } else {
            match self.others {
                Others::Only(names) => names.contains(&dependency),
                Others::Without(groups) => !groups.iter().any(|names| names.contains(&dependency)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use serde_json::json;

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }

    fn workspace() -> Value {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Adds to the real workspace that `package` names `dependency`.
    fn with(package: &str, dependency: &str) -> Value {
        let mut metadata = workspace();
        let packages = metadata["packages"].as_array_mut().unwrap();
        let package = packages.iter_mut().find(|found| found["name"] == package).unwrap();
        package["dependencies"].as_array_mut().unwrap().push(json!({ "name": dependency }));
        metadata
    }

    #[test]
    fn no_crate_names_one_that_the_table_forbids() {
        assert_eq!(offences(&workspace()), Vec::<String>::new());
    }

    #[test]
    fn every_row_of_the_table_is_a_package() {
        let metadata = workspace();
        let packages: Vec<&str> =
            list(&metadata, "packages").iter().filter_map(|p| p["name"].as_str()).collect();
        for layer in LAYERS {
            assert!(packages.contains(&layer.package), "{} is no package of this workspace", layer.package);
        }
    }

    #[test]
    fn an_arrow_pointing_upwards_is_found() {
        for (package, dependency) in [
            ("confab-protocol", "tokio"),
            ("confab-scene", "confab-protocol"),
            ("confab-media", "confab-session"),
            ("confab-media", "wgpu"),
            ("confab-render", "confab-media"),
            ("confab-signal", "tokio-tungstenite"),
            ("confab-session", "confab-server"),
            ("confab-session", "str0m"),
            ("confab-server", "confab-media"),
            ("confab-server", "webrtc"),
            ("confab-app", "tauri"),
            ("confab", "confab-server"),
            ("confab", "openh264-sys2"),
        ] {
            let expected = format!("{package} may not name {dependency}");
            assert_eq!(offences(&with(package, dependency)), [expected]);
        }
    }

    #[test]
    fn a_package_without_a_row_is_found() {
        let metadata = json!({ "packages": [{ "name": "confab-extras", "dependencies": [] }] });
        assert_eq!(offences(&metadata), ["confab-extras has no row in the dependency table"]);
    }

    #[test]
    fn only_the_headless_binary_draws() {
        let app = root().join("crates/app/src");
        let drawing: Vec<PathBuf> = sources(&app, "rs")
            .into_iter()
            .filter(|file| !file.starts_with(app.join("bin")))
            .filter(|file| fs::read_to_string(file).unwrap().contains("confab_render"))
            .collect();
        assert_eq!(drawing, Vec::<PathBuf>::new());
    }

    #[test]
    fn only_one_file_of_the_page_imports_tauri() {
        let page = root().join("ui/src");
        let importing: Vec<PathBuf> = sources(&page, "ts")
            .into_iter()
            .chain(sources(&page, "tsx"))
            .filter(|file| *file != page.join("host/tauri.ts"))
            .filter(|file| fs::read_to_string(file).unwrap().contains("@tauri-apps/"))
            .collect();
        assert_eq!(importing, Vec::<PathBuf>::new());
    }

    /// Every file below `folder` with that extension; none if there is no such folder.
    fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => sources(&path, extension),
                false => Vec::from_iter(path.extension().is_some_and(|e| e == extension).then_some(path)),
            })
            .collect()
    }
}
