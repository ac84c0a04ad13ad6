//! The .deb in a root of Debian 12 that holds nothing but apt: with the packages it depends on and no
//! others, its menu entry's command opens the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::screen::Screen;
use super::{Running, all_below, is_ours, root_needed, says_version, until};
use crate::bundle::deb::RECOMMENDS;
use crate::bundle::{folder, scratch};
use crate::driven::Driven;
use crate::shell::{command, read, run, words};

const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
/// The page has text and a picture; a window without it has a handful of colours.
const DRAWN: u32 = 100;
/// WebKit's first start, on a machine that is busy and has no GPU.
const PATIENCE: Duration = Duration::from_secs(120);
/// Root, person and command come behind it. Mounts are seen in there only, and end with the command.
const ENTER: &str = "\
root=$1 person=$2
shift 2
mount -t proc proc \"$root/proc\"
mount --rbind /dev \"$root/dev\"
mount -t tmpfs tmpfs \"$root/run\"
mkdir --mode=777 \"$root/run/person\"
exec chroot --userspec=\"$person\" \"$root\" \"$@\"
";
const ENTRY: &str = "usr/share/applications/confab.desktop";

pub(in crate::bundle) fn trial(package: &Path) -> Result<()> {
    root_needed()?;
    println!("Trying {} in a new root", package.display());
    let root = Root::make()?;
    root.install(package)?;
    let installed = root.installed()?;
    root.valid()?;
    for name in ["confab", "confab-headless", "confab-server"] {
        says_version(root.person(&[name]))?;
    }
    root.opens_by_menu()?;
    root.answers()?;
    root.remove(&installed)?;
    println!("Installed, opened, and removed without a trace");
    Ok(())
}

/// The file system of another Debian; deleted when dropped.
struct Root(PathBuf);

impl Root {
    fn make() -> Result<Self> {
        // What a try that was broken off left.
        drop(Self(folder().join("parts/trial-deb/root")));
        let parts = scratch("trial-deb")?;
        let root = Self(parts.join("root"));
        fs::write(parts.join("enter.sh"), ENTER)?;
        // Our own way to the packages, if it is not the usual one.
        let settings = parts.join("apt.conf");
        fs::write(&settings, apt_settings(&read(words(&["apt-config", "dump"]))?))?;
        let mut make =
            words(&["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--skip=cleanup/apt/lists"]);
        make.arg(format!("--aptopt={}", settings.display())).arg(SUITE).arg(&root.0);
        make.args(sources()?);
        run(make)?;
        // For apt inside.
        for file in ["etc/resolv.conf", "etc/hosts"] {
            fs::copy(Path::new("/").join(file), root.0.join(file)).with_context(|| file.to_owned())?;
        }
        run(root.inside("root", &["useradd", "--create-home", "person"]))?;
        Ok(root)
    }

    /// A command in the root, with its own /proc; all it starts ends with it, and so do the mounts.
    fn inside(&self, user: &str, words: &[&str]) -> Command {
        let home = if user == "root" { "/root" } else { "/home/person" };
        let mut inside = command("unshare");
        inside.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-eu"]);
        inside.arg(self.0.with_file_name("enter.sh")).arg(&self.0).arg(user).args(words);
        inside.env_clear().env("HOME", home).env("LANG", "C.UTF-8");
        inside.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        inside.env("DEBIAN_FRONTEND", "noninteractive").env("XDG_RUNTIME_DIR", "/run/person");
        inside
    }

    /// A command of somebody without rights.
    fn person(&self, words: &[&str]) -> Command {
        self.inside("person", words)
    }

    /// With what it depends on alone: what is only recommended may be missing. Names that are
    /// recommended and that nobody has are a mistake of ours.
    fn install(&self, package: &Path) -> Result<()> {
        fs::copy(package, self.0.join("confab.deb"))?;
        let install = ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "/confab.deb"];
        run(self.inside("root", &install))?;
        fs::remove_file(self.0.join("confab.deb"))?;
        for alternatives in RECOMMENDS.split(", ") {
            for name in alternatives.split(" | ") {
                let known = read(self.inside("root", &["apt-cache", "showpkg", name]))?;
                ensure!(known.starts_with("Package: "), "nobody has {name}");
            }
        }
        Ok(())
    }

    /// All files and folders of the package.
    fn installed(&self) -> Result<Vec<PathBuf>> {
        let listed = read(self.inside("root", &["dpkg", "--listfiles", "confab"]))?;
        Ok(listed.lines().map(|line| self.0.join(line.trim_start_matches('/'))).collect())
    }

    /// Menus and software centres can read what they are told.
    fn valid(&self) -> Result<()> {
        let mut entry = command("desktop-file-validate");
        entry.arg(self.0.join(ENTRY));
        run(entry)?;
        let mut metainfo = words(&["appstreamcli", "validate", "--no-net"]);
        metainfo.arg(self.0.join("usr/share/metainfo/app.confab.Confab.metainfo.xml"));
        // What it says is worth reading only where it is not content.
        read(metainfo).map(drop)
    }

    fn menu_command(&self) -> Result<String> {
        let entry = fs::read_to_string(self.0.join(ENTRY))?;
        exec(&entry).context("the menu entry starts nothing")
    }

    /// The menu entry's command, as it stands there, brings the page to the screen.
    fn opens_by_menu(&self) -> Result<()> {
        let screen = Screen::start()?;
        let menu = self.menu_command()?;
        println!("Starting `{menu}`");
        let mut app = self.person(&["sh", "-c", &format!("exec {menu}")]);
        app.env("DISPLAY", &screen.display).stdin(Stdio::null());
        let mut app = Running::start(app)?;
        let picture = folder().join("trial-deb.png");
        until(PATIENCE, "the page is on the screen", || {
            if let Some(status) = app.0.try_wait()? {
                bail!("the app ended with {status}");
            }
            Ok(screen.colours(&picture)? >= DRAWN)
        })
    }

    /// The same command answers a script while its window is open, and ends when the script does.
    fn answers(&self) -> Result<()> {
        let screen = Screen::start()?;
        let line = format!("exec {} --script -", self.menu_command()?);
        let mut app = self.person(&["sh", "-c", &line]);
        app.env("DISPLAY", &screen.display);
        let mut app = Driven::start(app, PATIENCE)?;
        let state = app.request("get_state", &json!({}))?;
        ensure!(state.is_object(), "this is no state: {state}");
        let status = app.end()?;
        ensure!(status.success(), "the app ended with {status}");
        Ok(())
    }

    /// Nothing stays but what the person made.
    fn remove(&self, installed: &[PathBuf]) -> Result<()> {
        run(self.inside("root", &["apt-get", "purge", "--quiet", "--yes", "confab"]))?;
        let left: Vec<&PathBuf> = installed.iter().filter(|path| !path.is_dir() && path.exists()).collect();
        ensure!(left.is_empty(), "these files of the package are left: {left:?}");
        let others = ["home", "proc", "sys", "dev", "run", "var/log", "var/cache/apt", "var/lib/apt"];
        let others: Vec<PathBuf> = others.iter().map(|path| self.0.join(path)).collect();
        let all = all_below(&self.0, &|path| others.iter().any(|other| other == path))?;
        let left: Vec<&PathBuf> = all.iter().filter(|path| is_ours(path)).collect();
        ensure!(left.is_empty(), "these are left: {left:?}");
        ensure!(self.0.join("home/person/.local/share/confab").is_dir(), "the person's data went too");
        Ok(())
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // Never what is mounted in it.
        let mut remove = words(&["rm", "--recursive", "--force", "--one-file-system"]);
        remove.arg(&self.0);
        if let Err(error) = run(remove) {
            eprintln!("{error:#}");
        }
    }
}

/// What comes behind `Exec=` in the entry's own group, without the places for files.
fn exec(entry: &str) -> Option<String> {
    let line = entry.lines().find_map(|line| line.strip_prefix("Exec="))?;
    let words = line.split_whitespace().filter(|word| !word.starts_with('%'));
    Some(words.collect::<Vec<_>>().join(" "))
}

/// Of all settings of apt here those that say how packages are reached.
fn apt_settings(dump: &str) -> String {
    let ways =
        ["Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::Check-", "Acquire::ForceIPv"];
    let lines = dump.lines().filter(|line| ways.iter().any(|way| line.starts_with(way)));
    // A group of settings has a line of its own, without a value.
    lines.filter(|line| !line.ends_with("\"\";")).map(|line| format!("{line}\n")).collect()
}

/// Where this computer gets Debian 12 from, or else Debian's own server.
fn sources() -> Result<Vec<String>> {
    let format = "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)";
    let known = read(words(&["apt-get", "indextargets", "--format", format]))?;
    let sources = sources_of(&known);
    Ok(if sources.is_empty() { vec![format!("deb {MIRROR} {SUITE} main")] } else { sources })
}

fn sources_of(targets: &str) -> Vec<String> {
    let mut sources = Vec::new();
    for line in targets.lines() {
        if let ["Packages", uri, release, component] = line.split(' ').collect::<Vec<_>>()[..]
            && release.split('-').next() == Some(SUITE)
            && uri.trim_end_matches('/').rsplit('/').next().is_some_and(|name| name.starts_with("debian"))
        {
            sources.push(format!("deb {uri} {release} {component}"));
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_for_files_are_no_part_of_the_command() {
        assert_eq!(exec("[Desktop Entry]\nExec=confab --quiet %U\n").unwrap(), "confab --quiet");
        assert_eq!(exec("[Desktop Entry]\nTryExec=confab\n"), None);
    }

    #[test]
    fn only_the_way_to_the_packages_is_taken_from_apt() {
        let dump = "APT::Color \"1\";\nAcquire::http \"\";\nAcquire::http::Proxy \"http://proxy.example:3128\";\n\
            Acquire::Check-Date \"false\";\nAcquire::Languages \"\";\n";
        assert_eq!(
            apt_settings(dump),
            "Acquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::Check-Date \"false\";\n"
        );
    }

    #[test]
    fn only_debian_itself_is_a_source() {
        let targets = "\
            Packages http://mirror.example/debian/ bookworm main\n\
            DEP-11 http://mirror.example/debian/ bookworm main\n\
            Packages http://mirror.example/debian-security/ bookworm-security main\n\
            Packages http://mirror.example/debian/ trixie main\n\
            Packages https://packages.example/apt/ bookworm main\n";
        assert_eq!(
            sources_of(targets),
            [
                "deb http://mirror.example/debian/ bookworm main",
                "deb http://mirror.example/debian-security/ bookworm-security main",
            ]
        );
    }
}
