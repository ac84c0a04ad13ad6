//! Packages of the operating system.

use anyhow::{Result, bail};

use crate::shell::{found, is_root, run, succeeds, words};

/// What the packages are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum For {
    /// Compiling everything and opening the window.
    Run,
    /// The same, in a demo with real pictures.
    Demo,
    /// The same, and the whole suite.
    Test,
    /// Compiling for Windows and running that.
    Windows,
    /// Checking for macOS.
    Macos,
    /// Compiling everything and making packages of it.
    Bundle,
    /// A setup for Windows, besides.
    Setup,
    /// Trying what was packaged; nothing is compiled.
    InstallTest,
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
    /// Known where that is known to work.
    windows: &'static [&'static str],
    macos: &'static [&'static str],
    bundle: &'static [&'static str],
    setup: &'static [&'static str],
    install_test: &'static [&'static str],
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
            "curl",
            "ffmpeg",
            "fonts-dejavu-core",
            "imagemagick",
            "openssl",
            "procps",
            "pulseaudio",
            "pulseaudio-utils",
            "python3-venv",
            "webkit2gtk-driver",
            "weston",
            "xvfb",
        ],
        windows: &["g++-mingw-w64-x86-64-posix", "python3-venv", "wine64"],
        macos: &["python3-venv"],
        bundle: &["dpkg-dev", "rpm", "xz-utils"],
        setup: &["g++-mingw-w64-x86-64-posix", "nsis"],
        install_test: &[
            "appstream",
            "debian-archive-keyring",
            "desktop-file-utils",
            "g++-mingw-w64-x86-64-posix",
            "imagemagick",
            "mmdebstrap",
            "rpm",
            "wine64",
            "xvfb",
            "xz-utils",
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
            "ffmpeg-free",
            "ImageMagick",
            "procps-ng",
            "pulseaudio",
            "pulseaudio-utils",
            "python3",
            "xorg-x11-server-Xvfb",
        ],
        windows: &[],
        macos: &["python3"],
        bundle: &["rpm-build", "xz"],
        setup: &[],
        install_test: &["rpm", "xz"],
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
        test: &[
            "ffmpeg",
            "ttf-dejavu",
            "imagemagick",
            "procps-ng",
            "pulseaudio",
            "python",
            "xorg-server-xvfb",
        ],
        windows: &[],
        macos: &["python"],
        bundle: &["rpm-tools", "xz"],
        setup: &[],
        install_test: &["rpm-tools", "xz"],
    },
    Manager {
        program: "brew",
        query: &["brew", "list", "--versions"],
        install: &["brew", "install"],
        administrator: false,
        run: &["cmake", "nasm", "pkgconf"],
        demo: &["ffmpeg", "python3"],
        test: &["ffmpeg", "imagemagick", "python3"],
        windows: &[],
        macos: &["python3"],
        bundle: &[],
        setup: &[],
        install_test: &[],
    },
    Manager {
        program: "winget",
        query: &["winget", "list", "--exact", "--id"],
        install: &["winget", "install"],
        administrator: false,
        run: &["Microsoft.VisualStudio.2022.BuildTools", "Kitware.CMake", "LLVM.LLVM", "NASM.NASM"],
        demo: &["Gyan.FFmpeg", "Python.Python.3.12"],
        test: &["Gyan.FFmpeg", "Python.Python.3.12"],
        windows: &[],
        macos: &["Python.Python.3.12"],
        bundle: &["NSIS.NSIS"],
        setup: &[],
        install_test: &[],
    },
];

/// Installs what is missing where we may; otherwise says the exact line that does.
pub(crate) fn packages(purpose: For) -> Result<()> {
    let Some(manager) = MANAGERS.iter().find(|manager| found(manager.program)) else {
        println!("No package manager that is known here. This has to be installed: {}", needs(purpose));
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
    if is_root() {
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

impl Manager {
    fn packages(&self, purpose: For) -> Vec<&'static str> {
        let more = match purpose {
            For::Run => &[],
            For::Demo => self.demo,
            For::Test => self.test,
            For::Windows => self.windows,
            For::Macos => self.macos,
            For::Bundle => self.bundle,
            For::Setup => self.setup,
            For::InstallTest => return self.install_test.to_vec(),
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

/// What a purpose needs, by the names that the usual package manager of this system has for it.
fn needs(purpose: For) -> String {
    let usual = match std::env::consts::OS {
        "windows" => "winget",
        "macos" => "brew",
        _ => "apt-get",
    };
    let manager = MANAGERS.iter().find(|manager| manager.program == usual);
    let names = manager.map(|manager| manager.packages(purpose).join(" ")).unwrap_or_default();
    format!("what {usual} calls {names}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(program: &str) -> &'static Manager {
        MANAGERS.iter().find(|manager| manager.program == program).unwrap()
    }

    #[test]
    fn every_purpose_needs_all_that_running_needs() {
        let more = [For::Demo, For::Test, For::Windows, For::Macos, For::Bundle];
        for (manager, purpose) in MANAGERS.iter().flat_map(|m| more.map(|purpose| (m, purpose))) {
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
    fn what_is_needed_is_named_where_nobody_can_install_it() {
        let said = needs(For::Run);
        assert!(said.starts_with("what ") && said.to_lowercase().contains("cmake"), "{said}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_package_nobody_makes_is_missing() {
        for manager in MANAGERS.iter().filter(|manager| found(manager.program)) {
            assert!(!manager.has("confab-no-such-package"), "{}", manager.program);
        }
    }
}
