// Provisional: replaced by what `cargo xtask types` writes.
export type LeaveReason = 0 | 1 | 2 | 3;
