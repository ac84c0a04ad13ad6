//! Installs what building, running and testing need, and says what it does.

pub(crate) mod clips;
pub(crate) mod node;
pub(crate) mod python;
pub(crate) mod system;

use anyhow::Result;

pub(crate) use system::For;

/// All that `cargo xtask test` needs.
pub(crate) fn everything() -> Result<()> {
    system::packages(For::Test)?;
    node::packages()?;
    python::packages()?;
    clips::make(&clips::TESTS)?;
    println!("Everything is in place.");
    Ok(())
}
