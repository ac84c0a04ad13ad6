//! What one computer can tell about the other systems: that everything compiles for them without a
//! warning, and for Windows that our programs meet in wine.

mod macos;
mod meeting;
pub(crate) mod target;
pub(crate) mod windows;
pub(crate) mod wine;

use anyhow::{Result, bail};

use crate::test::suite::Suite;

/// A system that is looked at from another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum System {
    Windows,
    Macos,
}

impl System {
    const ALL: [Self; 2] = [Self::Windows, Self::Macos];

    /// What it is called on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Macos => "macos",
        }
    }

    /// What Rust calls it.
    fn triple(self) -> &'static str {
        match self {
            Self::Windows => windows::TRIPLE,
            Self::Macos => macos::TRIPLE,
        }
    }

    fn steps(self, suite: &mut Suite) -> Result<()> {
        match self {
            Self::Windows => windows::steps(suite),
            Self::Macos => macos::steps(suite),
        }
    }
}

/// Checks one system, or all of them; stops at the first step that fails.
pub(crate) fn check(name: Option<&str>) -> Result<()> {
    let systems = chosen(name)?;
    let mut suite = Suite::new();
    let outcome = systems.into_iter().try_for_each(|system| {
        suite.step(&format!("{}: Rust target", system.name()), |_| target::add(system.triple()))?;
        system.steps(&mut suite)
    });
    suite.times();
    outcome
}

/// Checks all systems as the end of the long suite. One whose Rust target cannot be had is passed
/// over, and the suite says so: it is the one thing that no package of the system can bring.
pub(crate) fn long(suite: &mut Suite) -> Result<()> {
    for system in System::ALL {
        match target::add(system.triple()) {
            Ok(()) => system.steps(suite)?,
            Err(why) => suite.pass_over(system.name(), &format!("{why:#}")),
        }
    }
    Ok(())
}

fn chosen(name: Option<&str>) -> Result<Vec<System>> {
    let chosen: Vec<System> =
        System::ALL.into_iter().filter(|system| name.is_none_or(|name| name == system.name())).collect();
    if chosen.is_empty() {
        let known = System::ALL.map(System::name).join(" ");
        bail!("no check `{}`, known: {known}", name.unwrap_or_default());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_systems_are_checked_unless_one_is_named() {
        assert_eq!(chosen(None).unwrap(), System::ALL);
        assert_eq!(chosen(Some("macos")).unwrap(), [System::Macos]);
        let error = chosen(Some("beos")).unwrap_err().to_string();
        assert_eq!(error, "no check `beos`, known: windows macos");
    }
}
