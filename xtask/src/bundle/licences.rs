//! The libraries that the programs carry in them, and the texts of their licences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{cargo, list, read, root};

/// Our own licences, in the folder of the workspace.
pub(super) const OWN: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];
/// The name under which [`third_party`] is handed out.
pub(super) const THIRD_PARTY: &str = "third-party.txt";

/// The packages whose programs are handed out.
const ROOTS: [&str; 3] = ["confab", "confab-app", "confab-server"];
/// How deep in a package texts are looked for: libraries in C lie in a folder of it.
const DEPTH: u32 = 2;

const HEAD: &str = "\
The programs of Confab contain these libraries. Their authors' texts follow;
where a library brings none, its licence is named here alone.

";

/// A library of others.
#[derive(Debug, PartialEq, Eq)]
struct Library {
    /// Name and version.
    name: String,
    licence: String,
    texts: Vec<String>,
}

/// A list of all libraries in the programs for a target, in Rust and in the page, with every text
/// that their authors want to travel along.
pub(super) fn third_party(triple: &str) -> Result<String> {
    let mut metadata = cargo(["metadata", "--locked", "--format-version", "1", "--filter-platform"]);
    metadata.arg(triple);
    let metadata: Value = serde_json::from_str(&read(metadata)?)?;
    let mut libraries = crates(&metadata)?;
    let lock = fs::read_to_string(root().join("ui/package-lock.json"))?;
    libraries.extend(modules(&serde_json::from_str(&lock)?, &root().join("ui")));
    Ok(listing(&libraries))
}

/// The crates of the registry that are linked into our programs.
fn crates(metadata: &Value) -> Result<Vec<Library>> {
    let packages = index(metadata, "packages");
    let nodes = index(&metadata["resolve"], "nodes");
    let ours = |id: &&str| packages[id]["source"].is_null();
    let mut open: Vec<&str> =
        packages.keys().copied().filter(ours).filter(|id| named(packages[id], &ROOTS)).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        // What runs while compiling, such as macros, is not in the program.
        if packages.get(id).is_some_and(|it| !macros(it)) && seen.insert(id) {
            let node = nodes.get(id).with_context(|| format!("cargo resolves nothing for {id}"))?;
            open.extend(
                list(node, "deps").iter().filter(|it| linked(it)).filter_map(|it| it["pkg"].as_str()),
            );
        }
    }
    Ok(seen.into_iter().filter(|id| !ours(id)).map(|id| library(packages[id])).collect())
}

fn index<'a>(value: &'a Value, key: &str) -> BTreeMap<&'a str, &'a Value> {
    list(value, key).iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect()
}

fn named(package: &Value, names: &[&str]) -> bool {
    package["name"].as_str().is_some_and(|name| names.contains(&name))
}

fn macros(package: &Value) -> bool {
    list(package, "targets").iter().any(|target| list(target, "kind").iter().any(|it| it == "proc-macro"))
}

/// Whether a dependency is one of the program, and not only of its build or its tests.
fn linked(dependency: &Value) -> bool {
    list(dependency, "dep_kinds").iter().any(|it| it["kind"].is_null())
}

fn library(package: &Value) -> Library {
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    let folder = Path::new(text("manifest_path")).parent().unwrap_or(Path::new(""));
    let mut files = files(folder, DEPTH);
    files.extend(package["license_file"].as_str().map(|file| folder.join(file)));
    Library {
        name: format!("{} {}", text("name"), text("version")),
        licence: package["license"].as_str().unwrap_or("see its text").to_owned(),
        texts: texts(files),
    }
}

/// The modules in the page that are not only for its development.
fn modules(lock: &Value, ui: &Path) -> Vec<Library> {
    let all = lock["packages"].as_object().into_iter().flatten();
    let shipped = all.filter(|(path, it)| {
        path.starts_with("node_modules/") && it["dev"] != true && it["devOptional"] != true
    });
    shipped
        .map(|(path, it)| Library {
            name: format!(
                "{} {}",
                path.trim_start_matches("node_modules/"),
                it["version"].as_str().unwrap_or_default()
            ),
            licence: it["license"].as_str().unwrap_or("see its text").to_owned(),
            texts: texts(files(&ui.join(path), 0)),
        })
        .collect()
}

/// Files that are called like a licence.
fn files(folder: &Path, depth: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if path.is_dir() {
            if depth > 0 {
                found.extend(files(&path, depth - 1));
            }
        } else if ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "PATENTS"]
            .iter()
            .any(|word| name.starts_with(word))
            && !name.ends_with(".RS")
        {
            found.push(path);
        }
    }
    found
}

fn texts(mut files: Vec<PathBuf>) -> Vec<String> {
    files.sort();
    files.dedup();
    let read = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    read.map(|text| text.replace("\r\n", "\n").trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// First every library with its licence, then every text once, below the names of those it belongs to.
fn listing(libraries: &[Library]) -> String {
    let mut all: Vec<&Library> = libraries.iter().collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = HEAD.to_owned();
    let mut texts: BTreeMap<Vec<&str>, (Vec<&str>, &str)> = BTreeMap::new();
    for library in all {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "  {} ({})", library.name, library.licence);
        for text in &library.texts {
            // Texts that differ in line breaks only are the same.
            let words = text.split_whitespace().collect();
            let (names, _) = texts.entry(words).or_insert((Vec::new(), text));
            if !names.contains(&library.name.as_str()) {
                names.push(&library.name);
            }
        }
    }
    for (names, text) in texts.values() {
        let line = "-".repeat(78);
        let _ = write!(out, "\n{line}\nFor {}:\n\n{text}\n", names.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, texts: &[&str]) -> Library {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Library { name: name.to_owned(), licence: "MIT".to_owned(), texts }
    }

    #[test]
    fn a_text_of_two_libraries_is_printed_once() {
        let all = [
            library("b 2.0", &["You may.\nBut"]),
            library("a 1.0", &["You may. But"]),
            library("c 1.0", &[]),
        ];
        let out = listing(&all);
        assert!(out.contains("\n  a 1.0 (MIT)\n  b 2.0 (MIT)\n  c 1.0 (MIT)\n"), "{out}");
        assert_eq!(out.matches("You may.").count(), 1);
        assert!(out.contains("\nFor a 1.0, b 2.0:\n\nYou may. But\n"), "{out}");
    }

    #[test]
    fn only_what_is_in_the_page_is_named() {
        let lock = serde_json::json!({ "packages": {
            "": { "version": "0.1.0" },
            "node_modules/react": { "version": "19.0.0", "license": "MIT" },
            "node_modules/vite": { "version": "8.0.0", "license": "MIT", "dev": true },
        }});
        let found = modules(&lock, Path::new("/nowhere"));
        assert_eq!(found, [library("react 19.0.0", &[])]);
    }

    #[test]
    fn macros_and_tools_of_the_build_are_not_in_the_program() {
        let package = |id: &str, kind: &str, source: Value| {
            serde_json::json!({ "id": id, "name": id, "version": "1.0.0", "source": source, "license": "MIT",
                "manifest_path": "/nowhere/Cargo.toml", "targets": [{ "kind": [kind] }] })
        };
        let to = |id: &str, kind: Value| serde_json::json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = serde_json::json!({
            "packages": [
                package("confab-app", "lib", Value::Null),
                package("linked", "lib", "registry".into()),
                package("derive", "proc-macro", "registry".into()),
                package("build", "lib", "registry".into()),
            ],
            "resolve": { "nodes": [
                { "id": "confab-app", "deps": [
                    to("linked", Value::Null), to("derive", Value::Null), to("build", "build".into()),
                ] },
                { "id": "linked", "deps": [] },
            ] },
        });
        assert_eq!(crates(&metadata).unwrap(), [library("linked 1.0.0", &[])]);
    }
}
