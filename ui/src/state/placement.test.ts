import { describe, expect, it } from "vitest";
import type { Scene } from "../types/Scene";
import type { Tile } from "../types/Tile";
import { boundsOf, partsOf, placementOf } from "./placement";

const SCENE: Scene = {
  size: [640, 360],
  scale: 2,
  background: [0, 0, 0, 255],
  card: [0, 0, 0, 255],
  accent: [0, 0, 0, 255],
  tiles: [],
};
const TILE: Tile = {
  id: "ada",
  rect: { x: 10, y: 10, w: 90, h: 90 },
  fit: "fill",
  mirror: false,
  radius: 8,
  speaking: false,
};
const WIDE = { width: 1600, height: 900 };

describe("a picture in its tile", () => {
  it("covers all of the tile, or is seen whole", () => {
    const of = (fit: Tile["fit"]) => placementOf({ ...TILE, fit }, WIDE, SCENE).placed;
    expect(of("fill")).toEqual({ x: -25, y: 10, w: 160, h: 90 });
    expect(of("fit")).toEqual({ x: 10, y: 29.6875, w: 90, h: 50.625 });
    expect(placementOf(TILE, null, SCENE).placed).toEqual(TILE.rect);
  });

  it("has corners no rounder than half the tile", () => {
    const tile = { ...TILE, radius: 99, rect: { x: 0, y: 0, w: 40, h: 20 } };
    expect(placementOf(tile, null, SCENE).radius).toBe(10);
  });

  it("has the frame of somebody who speaks, as thick as the screen's scale asks for", () => {
    expect(placementOf({ ...TILE, speaking: true }, null, SCENE).frame).toBe(6);
    expect(placementOf(TILE, null, SCENE).frame).toBe(0);
  });

  it("is sampled more often the smaller the tile is", () => {
    const tile = { ...TILE, rect: { x: 0, y: 0, w: 320, h: 180 } };
    const taps = (width: number, height: number) =>
      placementOf(tile, { width, height }, SCENE).taps;
    expect([taps(640, 360), taps(1280, 720), taps(8192, 4608)]).toEqual([1, 2, 4]);
  });
});

describe("the parts of a tile", () => {
  const parts = (tile: Tile, picture: { width: number; height: number } | null) => {
    const { core, rim } = partsOf(tile.rect, placementOf(tile, picture, SCENE), picture !== null);
    return core === null ? rim : [core, ...rim];
  };

  it("cover every touched pixel once", () => {
    const framed = { ...TILE, rect: { x: 3.25, y: 4.5, w: 100.5, h: 60.25 }, speaking: true };
    const barred: Tile = { ...TILE, rect: { x: 0.5, y: 0.5, w: 80, h: 80 }, fit: "fit" };
    const tiny = { ...TILE, rect: { x: 1, y: 1, w: 3, h: 3 } };
    for (const tile of [framed, barred, tiny]) {
      const drawn = parts(tile, WIDE);
      const { x, y, w, h } = tile.rect;
      for (let row = 0; row < 90; row++) {
        for (let column = 0; column < 110; column++) {
          const times = drawn.filter(
            (part) =>
              column >= part.x &&
              column < part.x + part.w &&
              row >= part.y &&
              row < part.y + part.h,
          ).length;
          const touched = column < x + w && column + 1 > x && row < y + h && row + 1 > y;
          expect(times, `${tile.fit} at ${column}, ${row}`).toBe(touched ? 1 : 0);
        }
      }
    }
  });

  it("are one without a picture", () => {
    expect(parts(TILE, null)).toEqual([TILE.rect]);
  });
});

describe("what has to be drawn", () => {
  it("reaches around all tiles, and not beyond the window", () => {
    const at = (x: number, y: number): Tile => ({ ...TILE, rect: { x, y, w: 50.5, h: 20 } });
    const bounds = (...tiles: Tile[]) => boundsOf({ ...SCENE, tiles });
    expect(bounds(at(10, 20), at(100.25, 80))).toEqual({ x: 10, y: 20, w: 141, h: 80 });
    expect(bounds(at(-20, 350), at(620, 0))).toEqual({ x: 0, y: 0, w: 640, h: 360 });
    expect(bounds()).toBeNull();
    expect(bounds(at(700, 0))).toBeNull();
  });
});
