//! Whole rooms in virtual time. `CONFAB_SIM_SEED=7` runs one seed of the random sequences and prints
//! what happened; `CONFAB_SIM_COUNT=20000` runs more of them.
#![allow(clippy::print_stdout, reason = "what was seen is of interest")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "virtual/goodbye.rs"]
mod goodbye;
#[path = "virtual/media.rs"]
mod media;
#[path = "virtual/sequences.rs"]
mod sequences;
#[path = "virtual/trace.rs"]
mod trace;
