// Provisional: replaced by what `cargo xtask types` writes.
export type ExitReason = 0 | 1 | 2;
