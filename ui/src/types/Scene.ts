// Provisional: replaced by what `cargo xtask types` writes.
import type { Tile } from "./Tile";

export type Scene = {
  size: [number, number];
  scale: number;
  background: [number, number, number, number];
  card: [number, number, number, number];
  accent: [number, number, number, number];
  tiles: Array<Tile>;
};
