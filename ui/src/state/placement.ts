import type { Rect } from "../types/Rect";
import type { Scene } from "../types/Scene";
import type { Tile } from "../types/Tile";

/** Thickness of a speaking frame, in the page's pixels. */
const FRAME = 3;
/** Most samples along each axis of a drawn pixel. */
const MAX_TAPS = 4;

/** What the shader is told of a tile; the backend's compositor draws by the same numbers. */
export type Placement = {
  /** Where the picture lies, reaching beyond the tile where that cuts it; pixels. */
  placed: Rect;
  /** Radius of the corners, pixels. */
  radius: number;
  /** Thickness of the frame, pixels; 0 for none. */
  frame: number;
  /** Samples along each axis of a drawn pixel, so that a large picture in a small tile is smooth. */
  taps: number;
};

/** Puts a picture of the given size into its tile; null where there is no picture. */
export function placementOf(
  tile: Tile,
  picture: { width: number; height: number } | null,
  { scale }: Scene,
): Placement {
  const { rect } = tile;
  const placed = picture === null ? rect : place(tile, picture.width, picture.height);
  const shrink = picture === null ? 1 : picture.width / Math.max(1, placed.w);
  return {
    placed,
    radius: Math.min(Math.max(0, tile.radius), Math.min(rect.w, rect.h) / 2),
    frame: tile.speaking ? Math.max(1, Math.round(FRAME * scale)) : 0,
    taps: Math.min(MAX_TAPS, Math.max(1, Math.ceil((shrink - 0.5) / 2))),
  };
}

function place({ rect, fit }: Tile, width: number, height: number): Rect {
  const across = rect.w / width;
  const down = rect.h / height;
  const scale = fit === "fit" ? Math.min(across, down) : Math.max(across, down);
  const [w, h] = [width * scale, height * scale];
  return { x: rect.x + (rect.w - w) / 2, y: rect.y + (rect.h - h) / 2, w, h };
}

/** The parts of a tile: what shows nothing but the picture, and what is left around it. */
type Parts = { core: Rect | null; rim: readonly Rect[] };

/** Splits a tile, so that together the parts cover each pixel that it touches once. */
export function partsOf(rect: Rect, placement: Placement, shown: boolean): Parts {
  const outer = between(
    Math.floor(rect.x),
    Math.floor(rect.y),
    Math.ceil(rect.x + rect.w),
    Math.ceil(rect.y + rect.h),
  );
  const core = shown ? coreOf(rect, placement) : null;
  if (core === null) return { core, rim: [outer] };
  const right = core.x + core.w;
  const bottom = core.y + core.h;
  const rim = [
    between(outer.x, outer.y, outer.x + outer.w, core.y),
    between(outer.x, bottom, outer.x + outer.w, outer.y + outer.h),
    between(outer.x, core.y, core.x, bottom),
    between(right, core.y, outer.x + outer.w, bottom),
  ];
  return { core, rim: rim.filter(({ w, h }) => w > 0 && h > 0) };
}

/** The pixels inside of the corners, the frame and the bars. */
function coreOf(rect: Rect, { placed, radius, frame }: Placement): Rect | null {
  const edge = frame + 0.5;
  // A corner of the core lies on a corner's diagonal, where the arc is this deep.
  const arc = radius - (radius - edge) * Math.SQRT1_2;
  const inset = radius > edge ? Math.max(edge, arc) : edge;
  const core = between(
    Math.ceil(Math.max(rect.x + inset, placed.x + 0.5)),
    Math.ceil(Math.max(rect.y + inset, placed.y + 0.5)),
    Math.floor(Math.min(rect.x + rect.w - inset, placed.x + placed.w - 0.5)),
    Math.floor(Math.min(rect.y + rect.h - inset, placed.y + placed.h - 0.5)),
  );
  return core.w > 0 && core.h > 0 ? core : null;
}

function between(left: number, top: number, right: number, bottom: number): Rect {
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** All pixels that tiles touch: what has to be drawn. Null where there is nothing. */
export function boundsOf({ size: [width, height], tiles }: Scene): Rect | null {
  const rects = tiles.map(({ rect }) => rect);
  const left = Math.max(0, Math.floor(Math.min(...rects.map(({ x }) => x))));
  const top = Math.max(0, Math.floor(Math.min(...rects.map(({ y }) => y))));
  const right = Math.min(width, Math.ceil(Math.max(...rects.map(({ x, w }) => x + w))));
  const bottom = Math.min(height, Math.ceil(Math.max(...rects.map(({ y, h }) => y + h))));
  return right > left && bottom > top ? between(left, top, right, bottom) : null;
}
