// Provisional: replaced by what `cargo xtask types` writes.
export type RoomScene = 0 | 1 | 2 | 3;
