//! What a package for Linux holds: one tree of files, from which all of them are made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::licences::{OWN, THIRD_PARTY, third_party};
use super::programs::{NAMES, Programs};
use super::{VERSION, scratch};
use crate::shell::{command, read, root};

/// Sides of the icons that desktops look for, and our files of these sizes.
pub(super) const ICONS: [(u32, &str); 8] = [
    (16, "16x16.png"),
    (24, "24x24.png"),
    (32, "32x32.png"),
    (48, "48x48.png"),
    (64, "64x64.png"),
    (128, "128x128.png"),
    (256, "128x128@2x.png"),
    (512, "icon.png"),
];

/// What packages say of themselves, in paragraphs.
pub(super) const DESCRIPTION: &str = "\
Open the app, type your name and a room, and meet. The app can host the room
itself, so there is no account to make and no server to set up.

The package also holds confab-headless, the app without a window for scripts,
and confab-server, a server that stays.
";

/// Files that are to be installed below `/`.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: PathBuf,
}

/// Lays out everything as it will lie on the disk.
pub(super) fn linux(programs: &Programs) -> Result<Tree> {
    let tree = Tree { root: scratch("linux")? };
    let bin = tree.folder("usr/bin")?;
    for name in NAMES {
        mode(&programs.put(name, &bin)?, 0o755)?;
    }
    let bundle = root().join("bundle/linux");
    tree.copy(&bundle.join("confab.desktop"), "usr/share/applications/confab.desktop")?;
    let metainfo = fs::read_to_string(bundle.join("metainfo.xml"))?;
    let metainfo = fill(&metainfo, &[("VERSION", VERSION), ("DATE", &date()?)])?;
    tree.write("usr/share/metainfo/app.confab.Confab.metainfo.xml", &metainfo)?;
    let icons = root().join("icons");
    let themed = "usr/share/icons/hicolor";
    for (side, file) in ICONS {
        tree.copy(&icons.join(file), &format!("{themed}/{side}x{side}/apps/confab.png"))?;
    }
    tree.copy(&icons.join("confab.svg"), &format!("{themed}/scalable/apps/confab.svg"))?;
    tree.copy(&bundle.join("copyright"), "usr/share/doc/confab/copyright")?;
    for licence in OWN {
        tree.copy(&root().join(licence), &format!("usr/share/doc/confab/{licence}"))?;
    }
    tree.write(&format!("usr/share/doc/confab/{THIRD_PARTY}"), &third_party(&programs.triple)?)?;
    Ok(tree)
}

impl Tree {
    /// All files, as paths below the root, in order.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        below(&self.root, &mut files)?;
        files.sort();
        files.iter().map(|file| Ok(file.strip_prefix(&self.root)?.to_owned())).collect()
    }

    fn folder(&self, path: &str) -> Result<PathBuf> {
        let folder = self.root.join(path);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn copy(&self, from: &Path, path: &str) -> Result<()> {
        let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.put(path, &content)
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        self.put(path, text.as_bytes())
    }

    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        let file = self.root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, content)?;
        mode(&file, 0o644)
    }
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    mode(folder, 0o755)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { below(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Whatever the mask of who builds, everybody may read what is installed.
fn mode(path: &Path, mode: u32) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    let _ = (path, mode);
    Ok(())
}

/// Puts values in the places of `@NAME@`; a place that nobody fills is an error.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("@{name}@"), value);
    }
    let open = filled
        .split('@')
        .skip(1)
        .step_by(2)
        .find(|name| !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase()));
    match open {
        Some(name) => bail!("nothing is known for @{name}@"),
        None => Ok(filled),
    }
}

/// Seconds since 1970 that packages are dated with: `SOURCE_DATE_EPOCH`, or the last commit, so that
/// the same sources make the same packages.
pub(super) fn epoch() -> u64 {
    let mut git = command("git");
    git.args(["log", "--max-count=1", "--format=%ct"]);
    let said = std::env::var("SOURCE_DATE_EPOCH").ok().or_else(|| read(git).ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    said.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or_else(now)
}

/// The day of [`epoch`]: `2026-01-31`.
fn date() -> Result<String> {
    let mut date = command("date");
    date.args(["--utc", &format!("--date=@{}", epoch()), "+%F"]);
    Ok(read(date)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_filled_or_it_is_said() {
        assert_eq!(fill("a @B@ c@d.example @E@", &[("B", "b"), ("E", "e")]).unwrap(), "a b c@d.example e");
        let error = fill("@VERSION@ of @DATE@", &[("VERSION", "1")]).unwrap_err().to_string();
        assert_eq!(error, "nothing is known for @DATE@");
    }

    /// Width and height as a PNG's head has them.
    fn sides(png: &[u8]) -> (u32, u32) {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        (number(16), number(20))
    }

    #[test]
    fn every_icon_has_the_size_that_its_place_says() {
        for (side, file) in ICONS {
            let png = fs::read(root().join("icons").join(file)).unwrap();
            assert_eq!(sides(&png), (side, side), "{file}");
        }
    }

    #[test]
    fn windows_finds_the_sizes_that_it_shows() {
        let ico = fs::read(root().join("icons/icon.ico")).unwrap();
        let count = usize::from(ico[4]);
        // Zero stands for 256.
        let sides: Vec<u8> = (0..count).map(|entry| ico[6 + 16 * entry]).collect();
        assert_eq!(sides, [16, 24, 32, 48, 64, 0]);
    }

    #[test]
    fn macos_finds_the_sizes_that_it_shows() {
        let icns = fs::read(root().join("icons/icon.icns")).unwrap();
        let mut at = 8;
        let mut found = Vec::new();
        while at < icns.len() {
            let length = u32::from_be_bytes(icns[at + 4..at + 8].try_into().unwrap()) as usize;
            found.push((icns[at..at + 4].to_vec(), sides(&icns[at + 8..at + length])));
            at += length;
        }
        // The Finder's and the Dock's: 128, 256 and 512, each also for screens of twice the density.
        for (kind, side) in
            [(b"ic07", 128), (b"ic13", 256), (b"ic08", 256), (b"ic14", 512), (b"ic09", 512), (b"ic10", 1024)]
        {
            assert!(found.contains(&(kind.to_vec(), (side, side))), "{side}");
        }
    }

    #[test]
    fn the_shell_knows_every_icon() {
        let config = fs::read(root().join("src-tauri/tauri.conf.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let named: Vec<&str> =
            config["bundle"]["icon"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
        for file in ICONS.iter().map(|(_, file)| *file).chain(["icon.ico", "icon.icns"]) {
            assert!(named.contains(&format!("../icons/{file}").as_str()), "{file}");
        }
    }

    #[test]
    fn the_menu_entry_starts_a_program_that_is_installed() {
        let entry = fs::read_to_string(root().join("bundle/linux/confab.desktop")).unwrap();
        let value = |key: &str| entry.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        assert!(NAMES.contains(&value("Exec=").split(' ').next().unwrap()));
        assert_eq!(value("Icon="), "confab");
    }

    #[test]
    fn every_system_gives_links_to_the_program_as_one_argument_behind_all_flags() {
        let text = |file: &str| fs::read_to_string(root().join(file)).unwrap();
        let entry = text("bundle/linux/confab.desktop");
        assert!(entry.lines().any(|line| line == "Exec=confab -- %u"), "{entry}");
        assert!(entry.lines().any(|line| line == "MimeType=x-scheme-handler/confab;"), "{entry}");
        let setup = text("bundle/windows/setup.nsi");
        let command = r#"shell\open\command" "" '"$INSTDIR\confab.exe" -- "%1"'"#;
        assert!(setup.contains(command) && setup.contains(r#""URL Protocol" """#), "{command}");
        assert!(setup.contains(r#"DeleteRegKey HKCU "${SCHEME}""#), "removing leaves the link behind");
        assert!(text("src-tauri/Info.plist").contains("<string>confab</string>"));
    }
}
