//! The page's TypeScript types, written from the Rust ones.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use ts_rs::{Config, ExportError, TS};

use crate::{DeviceView, Event, InvitationForms, MadeTicket, Picture, Request, SignedUser};
use confab_protocol::{Participant, Statistics};

/// Writes every type that the page uses into `folder`, one file each. The result depends on the
/// types alone.
pub fn write(folder: &Path) -> Result<(), ExportError> {
    let config = Config::new().with_out_dir(folder).with_large_int("number");
    Request::export_all(&config)?;
    Event::export_all(&config)?;
    DeviceView::export_all(&config)?;
    InvitationForms::export_all(&config)?;
    MadeTicket::export_all(&config)?;
    Picture::export_all(&config)?;
    SignedUser::export_all(&config)?;
    Participant::export_all(&config)?;
    Statistics::export_all(&config)?;
    Ok(())
}

/// The names of files in which two folders differ, in order.
pub fn differences(one: &Path, other: &Path) -> io::Result<Vec<String>> {
    let (one, other) = (read(one)?, read(other)?);
    let names = one.keys().chain(other.keys()).collect::<std::collections::BTreeSet<_>>();
    Ok(names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect())
}

fn read(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path)?.replace("\r\n", "\n"));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_the_same_every_time() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(one.path()).unwrap();
        write(two.path()).unwrap();
        assert!(differences(one.path(), two.path()).unwrap().is_empty());
        fs::write(two.path().join("Request.ts"), "changed").unwrap();
        assert_eq!(differences(one.path(), two.path()).unwrap(), ["Request.ts"]);
    }

    #[test]
    fn the_page_finds_what_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for name in ["Request", "Event", "AppState", "Fault", "Participant", "Scene", "RoomScene", "Tile"] {
            assert!(folder.path().join(format!("{name}.ts")).is_file(), "{name}");
        }
        let files = read(folder.path()).unwrap();
        assert!(files["Request.ts"].contains(r#""command": "enter_room""#), "{}", files["Request.ts"]);
        assert!(files["Scene.ts"].contains("tiles"), "{}", files["Scene.ts"]);
        assert!(!files.values().any(|text| text.contains("bigint")));
    }
}
