// Provisional: replaced by what `cargo xtask types` writes.
export type Fit = "fit" | "fill";
