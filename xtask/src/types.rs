//! The page's TypeScript types, generated from the Rust ones by the program `confab-types`.

use anyhow::Result;

use crate::shell::{built, cargo, command, root, run};

/// Writes the types into the page's sources, or with `check` only says whether they are as they should be.
pub(crate) fn types(check: bool) -> Result<()> {
    // The whole workspace is selected, as in the suite: one package alone has other features, and half
    // of the tree would be compiled again.
    run(cargo(["build", "--workspace", "--bin", "confab-types"]))?;
    if check { drift() } else { program(&[]) }
}

/// An error that names every file which differs from what Rust says. Needs `confab-types` to be built.
pub(crate) fn drift() -> Result<()> {
    program(&["--check"])
}

fn program(flags: &[&str]) -> Result<()> {
    let mut program = command(built("debug", "confab-types"));
    program.args(flags).arg(root().join("ui/src/types"));
    run(program)
}
