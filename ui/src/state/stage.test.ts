import { describe, expect, it } from "vitest";
import { colourOf, sheetPath, toTile, type PageTile } from "./stage";

const tile: PageTile = {
  id: "ada",
  x: 10.4,
  y: 20,
  w: 100.4,
  h: 50,
  fit: "fill",
  mirror: false,
  radius: 8,
  speaking: true,
};

describe("a tile for the backend", () => {
  it("is measured in the screen's pixels", () => {
    expect(toTile(tile, 2)).toMatchObject({
      rect: { x: 21, y: 40, w: 201, h: 100 },
      radius: 16,
      speaking: true,
    });
  });

  it("meets its neighbour without a seam", () => {
    const left = toTile(tile, 1.25).rect;
    const right = toTile({ ...tile, x: tile.x + tile.w }, 1.25).rect;
    expect(left.x + left.w).toBe(right.x);
  });
});

describe("the sheet", () => {
  it("is whole without tiles", () => {
    expect(sheetPath([], 800, 600)).toBe("M0 0H800V600H0Z");
  });

  it("has one hole for each tile", () => {
    expect(sheetPath([tile, tile], 800, 600).match(/M/g)).toHaveLength(3);
  });

  it("keeps the corner within a tile that is smaller than it", () => {
    expect(sheetPath([{ ...tile, w: 10, h: 10, radius: 40 }], 800, 600)).toContain("a5 5");
  });
});

describe("a colour", () => {
  it("is read from six digits", () => {
    expect(colourOf(" #10a0ff ")).toEqual([16, 160, 255, 255]);
    expect(colourOf("teal")).toEqual([0, 0, 0, 255]);
  });
});
