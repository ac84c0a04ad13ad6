//! What programs hold on to, for tests of what they leave behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long tokio keeps a thread for blocking work that has none, and a little more.
const REST: Duration = Duration::from_millis(11_000);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// What a process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// How many threads it has of each name.
    pub threads: BTreeMap<String, usize>,
    /// How many files it has open of each kind: `socket`, `pipe`, `anon_inode:...` or a path.
    pub files: BTreeMap<String, usize>,
    /// Memory that it has, KiB.
    pub resident: u64,
    /// Memory that is its own, and its share of what others have too, KiB.
    pub share: u64,
}

impl Usage {
    /// Of the process with this id, as it is now.
    pub fn now(process: u32) -> Result<Self> {
        let folder = Path::new("/proc").join(process.to_string());
        let (mut threads, mut files) = (BTreeMap::new(), BTreeMap::new());
        for entry in fs::read_dir(folder.join("task"))? {
            // One that ended between the two looks is not there.
            if let Ok(name) = fs::read_to_string(entry?.path().join("comm")) {
                *threads.entry(name.trim().to_owned()).or_default() += 1;
            }
        }
        for entry in fs::read_dir(folder.join("fd"))? {
            if let Ok(target) = fs::read_link(entry?.path()) {
                let target = target.to_string_lossy().into_owned();
                // The webview watches the computer through these once its memory becomes scarce.
                if ["/proc/", "/sys/"].iter().any(|system| target.starts_with(system)) {
                    continue;
                }
                let kind = match target.split_once(":[") {
                    Some((kind @ ("socket" | "pipe"), _)) => kind.to_owned(),
                    _ => target,
                };
                *files.entry(kind).or_default() += 1;
            }
        }
        let memory = fs::read_to_string(folder.join("smaps_rollup"))?;
        let kibibytes = |name: &str| -> Result<u64> {
            let line =
                memory.lines().find_map(|line| line.strip_prefix(name)).context("no memory is told")?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        Ok(Self { resident: kibibytes("Rss:")?, share: kibibytes("Pss:")?, threads, files })
    }

    /// Of these processes, what they hold all the time for as long as a thread may wait for work: what is
    /// there at one look and gone at another has not been left behind.
    pub fn at_rest(processes: &[u32]) -> Result<Vec<Self>> {
        let look = || processes.iter().map(|process| Self::now(*process)).collect::<Result<Vec<_>>>();
        let (mut usage, since) = (look()?, Instant::now());
        while since.elapsed() < REST {
            std::thread::sleep(LOOK);
            usage = usage.into_iter().zip(look()?).map(|(before, now)| before.and(now)).collect();
        }
        Ok(usage)
    }

    /// What is there at both times.
    fn and(self, other: Self) -> Self {
        let both = |one: BTreeMap<String, usize>, other: &BTreeMap<String, usize>| {
            let common = one.into_iter().filter_map(|(name, count)| {
                let count = count.min(*other.get(&name)?);
                Some((name, count))
            });
            common.collect()
        };
        Self {
            threads: both(self.threads, &other.threads),
            files: both(self.files, &other.files),
            resident: self.resident.min(other.resident),
            share: self.share.min(other.share),
        }
    }

    /// What there is more of than before, and how much; more memory only where it is `percent` more.
    pub fn more_than(&self, before: &Self, percent: u64) -> BTreeMap<String, String> {
        let counts = |now: &BTreeMap<String, usize>, then: &BTreeMap<String, usize>| {
            let grown = now.iter().map(|(name, count)| (name, *count, then.get(name).copied().unwrap_or(0)));
            let grown = grown.filter(|(_, now, then)| now > then);
            let told = grown.map(|(name, now, then)| (name.clone(), format!("{now} instead of {then}")));
            told.collect::<Vec<_>>()
        };
        let mut found = counts(&self.threads, &before.threads);
        found.extend(counts(&self.files, &before.files));
        if self.resident > before.resident + before.resident * percent / 100 {
            found
                .push(("memory".to_owned(), format!("{} KiB instead of {}", self.resident, before.resident)));
        }
        found.into_iter().collect()
    }
}

/// The processes that a process has started, and those that they have, with their names.
pub fn descendants(process: u32) -> Result<Vec<(u32, String)>> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let id = path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        let Some(id) = id else { continue };
        // One that ended between the two looks is not there.
        let Ok(line) = fs::read_to_string(path.join("stat")) else { continue };
        // The name stands in brackets and may hold some.
        let Some((front, rest)) = line.rsplit_once(") ") else { continue };
        let name = front.split_once('(').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let parent = rest.split(' ').nth(1).and_then(|parent| parent.parse::<u32>().ok());
        parents.insert(id, (parent, name));
    }
    let below = |id: &u32| {
        let mut up = parents.get(id).and_then(|(parent, _)| *parent);
        while let Some(id) = up.filter(|id| *id != process) {
            up = parents.get(&id).and_then(|(parent, _)| *parent);
        }
        up.is_some()
    };
    let found = parents.iter().filter(|(id, _)| below(id));
    Ok(found.map(|(id, (_, name))| (*id, name.clone())).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_is_named() {
        let before = Usage::now(std::process::id()).unwrap();
        let mut now = before.clone();
        *now.files.entry("socket".to_owned()).or_default() += 1;
        now.threads.insert("camera".to_owned(), 2);
        now.resident += now.resident / 10;
        let more = now.more_than(&before, 5);
        assert_eq!(more["camera"], "2 instead of 0");
        assert_eq!(more.keys().collect::<Vec<_>>(), ["camera", "memory", "socket"]);
        assert_eq!(before.more_than(&before, 5), BTreeMap::new());
        assert_eq!(before.more_than(&now, 5), BTreeMap::new());
        assert_eq!(now.and(before.clone()), before, "what is there at one look only has not stayed");
    }

    #[test]
    fn a_child_is_found_by_its_name() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = descendants(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.iter().any(|(id, name)| *id == child.id() && name == "sleep"), "{found:?}");
    }
}
