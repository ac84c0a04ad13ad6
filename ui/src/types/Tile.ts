// Provisional: replaced by what `cargo xtask types` writes.
import type { Fit } from "./Fit";
import type { Rect } from "./Rect";
import type { TileId } from "./TileId";

export type Tile = {
  id: TileId;
  rect: Rect;
  fit: Fit;
  mirror: boolean;
  radius: number;
  speaking: boolean;
};
