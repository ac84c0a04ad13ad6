import type { Fit } from "../types/Fit";
import type { Tile } from "../types/Tile";
import type { Box } from "./layout";

/** A tile in the page's own pixels, before it is told to the backend. */
export type PageTile = Box & {
  id: string;
  fit: Fit;
  mirror: boolean;
  radius: number;
  speaking: boolean;
};

/** The same tile in the screen's pixels. Edges are rounded, so that neighbours never overlap. */
export function toTile(tile: PageTile, scale: number): Tile {
  const x = Math.round(tile.x * scale);
  const y = Math.round(tile.y * scale);
  return {
    id: tile.id,
    rect: {
      x,
      y,
      w: Math.round((tile.x + tile.w) * scale) - x,
      h: Math.round((tile.y + tile.h) * scale) - y,
    },
    fit: tile.fit,
    mirror: tile.mirror,
    radius: Math.round(tile.radius * scale),
    speaking: tile.speaking,
  };
}

/**
 * The outline of a sheet of `width` x `height` with a rounded hole for every tile, to be filled by
 * the even-odd rule: the page is painted everywhere except where pictures show through.
 */
export function sheetPath(tiles: readonly PageTile[], width: number, height: number): string {
  return `M0 0H${width}V${height}H0Z${tiles.map(hole).join("")}`;
}

function hole({ x, y, w, h, radius }: PageTile): string {
  const r = Math.min(radius, w / 2, h / 2);
  const corner = `a${r} ${r} 0 0 1 `;
  return (
    `M${x + r} ${y}h${w - 2 * r}${corner}${r} ${r}v${h - 2 * r}${corner}${-r} ${r}` +
    `h${2 * r - w}${corner}${-r} ${-r}v${2 * r - h}${corner}${r} ${-r}Z`
  );
}

/** `#rrggbb` as red, green, blue and full opacity; anything else is black. */
export function colourOf(hex: string): [number, number, number, number] {
  const digits = /^#([0-9a-f]{6})$/i.exec(hex.trim())?.[1];
  const value = digits === undefined ? 0 : parseInt(digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255, 255];
}
