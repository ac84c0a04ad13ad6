// Provisional: replaced by what `cargo xtask types` writes.
export type Rect = { x: number; y: number; w: number; h: number };
