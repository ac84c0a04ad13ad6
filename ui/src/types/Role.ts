// Provisional: replaced by what `cargo xtask types` writes.
export type Role = 20 | 21;
