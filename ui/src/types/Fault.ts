// Provisional: replaced by what `cargo xtask types` writes.
export type Fault = { code: number; detail?: number | null; message: string };
