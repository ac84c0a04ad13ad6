// Provisional: replaced by what `cargo xtask types` writes.
export type TileId = string;
