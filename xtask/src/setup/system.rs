//! Packages of the operating system.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{command, found, run, succeeds};

/// What the packages are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum For {
    /// Compiling everything and opening the window.
    Run,
    /// The same, in a demo with real pictures.
    Demo,
    /// The same, and the whole suite.
    Test,
}

/// One of the package managers we know the names for.
struct Manager {
    program: &'static str,
    /// Asks, with the package's name behind it, whether a package is there.
    query: &'static [&'static str],
    /// Installs the packages named behind it.
    install: &'static [&'static str],
    /// Whether `install` changes the whole system and needs its administrator.
    administrator: bool,
    run: &'static [&'static str],
    demo: &'static [&'static str],
    test: &'static [&'static str],
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        query: &["dpkg-query", "--show", "--showformat", "${db:Status-Status}"],
        install: &["apt-get", "install", "--yes", "--no-install-recommends"],
        administrator: true,
        run: &[
            "build-essential",
            "cmake",
            "libasound2-dev",
            "libclang-dev",
            "libgtk-3-dev",
            "libvulkan1",
            "libwebkit2gtk-4.1-dev",
            "mesa-vulkan-drivers",
            "nasm",
            "pkg-config",
        ],
        demo: &["ffmpeg", "python3-venv"],
        test: &[
            "fonts-dejavu-core",
            "imagemagick",
            "procps",
            "pulseaudio",
            "pulseaudio-utils",
            "python3-venv",
            "webkit2gtk-driver",
            "xvfb",
        ],
    },
    Manager {
        program: "dnf",
        query: &["rpm", "--query", "--whatprovides"],
        install: &["dnf", "install"],
        administrator: true,
        run: &[
            "gcc",
            "gcc-c++",
            "make",
            "cmake",
            "alsa-lib-devel",
            "clang-devel",
            "gtk3-devel",
            "vulkan-loader",
            "webkit2gtk4.1-devel",
            "mesa-vulkan-drivers",
            "nasm",
            "pkgconf-pkg-config",
        ],
        demo: &["ffmpeg-free", "python3"],
        test: &[
            "dejavu-sans-fonts",
            "ImageMagick",
            "procps-ng",
            "pulseaudio",
            "pulseaudio-utils",
            "python3",
            "xorg-x11-server-Xvfb",
        ],
    },
    Manager {
        program: "pacman",
        query: &["pacman", "--query"],
        install: &["pacman", "--sync", "--needed"],
        administrator: true,
        run: &[
            "base-devel",
            "cmake",
            "alsa-lib",
            "clang",
            "gtk3",
            "vulkan-icd-loader",
            "webkit2gtk-4.1",
            "vulkan-swrast",
            "nasm",
            "pkgconf",
        ],
        demo: &["ffmpeg", "python"],
        test: &["ttf-dejavu", "imagemagick", "procps-ng", "pulseaudio", "python", "xorg-server-xvfb"],
    },
    Manager {
        program: "brew",
        query: &["brew", "list", "--versions"],
        install: &["brew", "install"],
        administrator: false,
        run: &["cmake", "nasm", "pkgconf"],
        demo: &["ffmpeg", "python3"],
        test: &["imagemagick", "python3"],
    },
    Manager {
        program: "winget",
        query: &["winget", "list", "--exact", "--id"],
        install: &["winget", "install"],
        administrator: false,
        run: &["Microsoft.VisualStudio.2022.BuildTools", "Kitware.CMake", "LLVM.LLVM", "NASM.NASM"],
        demo: &["Gyan.FFmpeg", "Python.Python.3.12"],
        test: &["Python.Python.3.12"],
    },
];

/// Installs what is missing where we may; otherwise says the exact line that does.
pub(crate) fn packages(purpose: For) -> Result<()> {
    let Some(manager) = MANAGERS.iter().find(|manager| found(manager.program)) else {
        println!("No package manager that is known here: see README.md for what has to be installed.");
        return Ok(());
    };
    let missing: Vec<&str> =
        manager.packages(purpose).into_iter().filter(|package| !manager.has(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = manager.line(&missing);
    if manager.program != "apt-get" {
        bail!("packages are missing. Type this, then start again:\n\n    {line}\n");
    }
    if administrator() {
        apt(&[], manager, &missing)
    } else if found("sudo") && succeeds(words(&["sudo", "-n", "true"])) {
        apt(&["sudo", "-n"], manager, &missing)
    } else {
        bail!("packages are missing. Type this, then start again:\n\n    {line}\n");
    }
}

fn apt(prefix: &[&str], manager: &Manager, missing: &[&str]) -> Result<()> {
    println!("Installing {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        // Through `env`, because sudo does not pass our environment on.
        let front = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive"]].concat();
        run(words(&[&front, arguments].concat()))
    };
    apt(&["apt-get", "update", "--quiet=2"])?;
    apt(&[manager.install, &["--quiet=2"], missing].concat())
}

/// Whether we are root.
fn administrator() -> bool {
    crate::shell::read(words(&["id", "-u"])).is_ok_and(|id| id.trim() == "0")
}

impl Manager {
    fn packages(&self, purpose: For) -> Vec<&'static str> {
        let more = match purpose {
            For::Run => &[],
            For::Demo => self.demo,
            For::Test => self.test,
        };
        [self.run, more].concat()
    }

    fn has(&self, package: &str) -> bool {
        let query = words(&[self.query, &[package]].concat());
        match self.program {
            // A package that was removed still has a row, with another status.
            "apt-get" => crate::shell::read(query).is_ok_and(|status| status == "installed"),
            _ => succeeds(query),
        }
    }

    fn line(&self, missing: &[&str]) -> String {
        let sudo: &[&str] = if self.administrator { &["sudo"] } else { &[] };
        match self.program {
            // winget takes one package a call.
            "winget" => {
                let lines = missing.iter().map(|package| [self.install, &[*package]].concat().join(" "));
                lines.collect::<Vec<_>>().join("\n    ")
            }
            _ => [sudo, self.install, missing].concat().join(" "),
        }
    }
}

fn words(words: &[&str]) -> Command {
    let mut command = command(words.first().copied().unwrap_or_default());
    command.args(words.get(1..).unwrap_or_default());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(program: &str) -> &'static Manager {
        MANAGERS.iter().find(|manager| manager.program == program).unwrap()
    }

    #[test]
    fn every_purpose_needs_all_that_running_needs() {
        for (manager, purpose) in MANAGERS.iter().flat_map(|m| [(m, For::Demo), (m, For::Test)]) {
            let all = manager.packages(purpose);
            assert!(manager.packages(For::Run).iter().all(|package| all.contains(package)));
        }
        assert!(!manager("apt-get").packages(For::Run).contains(&"xvfb"));
    }

    #[test]
    fn the_line_to_type_is_complete() {
        assert_eq!(
            manager("apt-get").line(&["nasm", "cmake"]),
            "sudo apt-get install --yes --no-install-recommends nasm cmake"
        );
        assert_eq!(manager("pacman").line(&["nasm"]), "sudo pacman --sync --needed nasm");
        assert_eq!(manager("brew").line(&["nasm"]), "brew install nasm");
        assert_eq!(
            manager("winget").line(&["NASM.NASM", "LLVM.LLVM"]),
            "winget install NASM.NASM\n    winget install LLVM.LLVM"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_package_nobody_makes_is_missing() {
        for manager in MANAGERS.iter().filter(|manager| found(manager.program)) {
            assert!(!manager.has("confab-no-such-package"), "{}", manager.program);
        }
    }
}
