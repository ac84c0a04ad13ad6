// Provisional: replaced by what `cargo xtask types` writes.
export type Phase = "idle" | "entering" | "in" | "reconnecting" | "exiting";
